"""Numbers that are in E.164 already: the short way answers what the library does, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    PhoneNumberFormat,
    example_number,
    format_number,
)

from trueup.model.canonical import phones
from trueup.model.canonical.numbering import stands
from trueup.model.canonical.phones import read_phone
from trueup.model.values import Rejected

_EXAMPLES = sorted(
    format_number(number, PhoneNumberFormat.E164)
    for number in map(example_number, SUPPORTED_REGIONS)
    if number is not None
)
_CODES = sorted(COUNTRY_CODE_TO_REGION_CODE)


@some.composite
def nearly_numbers(draw: some.DrawFn) -> str:
    """Examples with some digits changed, and any digits behind any country code."""
    if draw(some.booleans()):
        digits = draw(some.text("0123456789", min_size=3, max_size=12))
        return f"+{draw(some.sampled_from(_CODES))}{digits}"
    text = list(draw(some.sampled_from(_EXAMPLES)))
    for _ in range(draw(some.integers(0, 3))):
        text[draw(some.integers(2, len(text) - 1))] = draw(some.sampled_from("0123456789"))
    return "".join(text) + draw(some.sampled_from(["", "", "0", "7"]))


@given(nearly_numbers(), some.sampled_from(["", "DE", "US", "RU", "GG", "IT"]))
def test_a_number_that_stands_is_what_the_library_makes_of_it(text: str, region: str) -> None:
    if stands(text):
        assert phones._read(text, region) == text


def test_an_ordinary_number_of_nearly_every_country_stands() -> None:
    standing = [text for text in _EXAMPLES if stands(text)]
    assert len(standing) > 0.9 * len(_EXAMPLES)


def test_a_number_with_its_trunk_prefix_is_left_to_the_library() -> None:
    assert not stands("+4903020000000")
    assert phones.read_phone("+4903020000000", "") == "+493020000000"


@pytest.mark.parametrize(
    ("text", "region"), [("(0741) 574-45-54", "UA"), ("(212) 226-3511", "UA"), ("012 34567", "DE")]
)
def test_what_is_only_possible_at_home_may_be_anybodys_from_abroad(text: str, region: str) -> None:
    said = read_phone(text, region)
    assert isinstance(said, Rejected)
    assert "country code" in said.reason


def test_with_its_country_code_a_number_of_a_new_range_counts() -> None:
    assert read_phone("+380 74 157 44 554", "UA") == "+3807415744554"
    assert read_phone("+49 12 34567", "") == "+491234567"
