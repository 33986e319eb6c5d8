"""Values as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.commands.answer import value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"status": "opted_out", "at": None, "source": "a form"}, "status opted_out, source a form"),
        ({"status": "unknown", "at": None}, "status unknown"),
        ({"legal": {"basis": "form"}, "ids": [1, 2]}, "legal {basis form}, ids [1, 2]"),
        ({"status": None}, "nothing"),
        ({}, "nothing"),
        ([{"id": 1, "tags": ["a", "b"]}], "[{id 1, tags [a, b]}]"),
    ],
)
def test_an_object_is_told_by_the_parts_that_say_something(value: Any, text: str) -> None:
    assert value_text(value) == text
