"""The tests of `example.py`, from which one thing is missing and another is not looked at closely."""

from __future__ import annotations

from tests.mutation import example


def test_a_function_that_was_made_when_the_module_was_imported() -> None:
    assert not example.above_ten(10)
    assert example.above_ten(11)


def test_a_default_and_what_is_remembered() -> None:
    assert example.spoken(3) == "3m"


def test_methods() -> None:
    counter = example.Counter()
    counter.add()
    counter.add()
    assert counter.count == 2


def test_not_at_the_border() -> None:
    assert example.loose(5)
    assert not example.loose(-5)


def test_signs() -> None:
    assert example.signed(1) == "+1"
