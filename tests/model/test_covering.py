"""Sentences of systems: what is covered, what stands, and which differ only by values."""

from __future__ import annotations

import pytest

from trueup.model.covering import covered, without_values


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("ann@example.com is taken", "‹e-mail› is taken"),
        ("call +49 30 901820 64", "call ‹number›"),
        ("answered 404 at 12:30", "answered 404 at 12:30"),
        ("limit 40,000 a day", "limit 40,000 a day"),
        ("version 67.0 of 2026-01-05", "version 67.0 of 2026-01-05"),
        ("token=pat-eu1-0123456789abcdef", "token=" + "•" * 24),
        ("sales token: the token endpoint gave none", "sales token request: the token endpoint gave none"),
    ],
)
def test_only_what_is_somebody_s_is_covered(says: str, told: str) -> None:
    assert covered(says) == told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.com is taken by 4711", "bob@example.org is taken by 12345"),
        ("duplicate of 00QKp00000001AAMAQ", "duplicate of 00QKp00000001BBMAQ"),
    ],
)
def test_sentences_that_differ_by_values_are_one_cause(one: str, other: str) -> None:
    assert without_values(one) == without_values(other)


def test_sentences_that_differ_by_words_are_two_causes() -> None:
    assert without_values("field email is invalid") != without_values("field phone is invalid")
