"""Phone numbers: E.164, the extension behind `;ext=`."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, ValidationResult

from trueup.model.canonical.numbering import stands
from trueup.model.values import Rejected

MAX_PHONE = 100
_DIGITS = re.compile(r"\D+")
_SPREADSHEET = re.compile(r"^(\+?\d{6,})[.,]0$")
"""A number that a spreadsheet kept as one."""
_CUT = re.compile(r"\d[.,]\d+[eE]\+?\d+")
_CUT_SHORT = Rejected("a number that a spreadsheet has cut short; its last digits are lost")
_EIGHT = frozenset({"UA", "RU", "BY", "KZ", "MD", "GE", "AM", "AZ", "KG", "LT", "LV", "EE", "TJ", "TM", "UZ"})
"""Where 8 was dialled before an area code; some have another trunk prefix, or none, since."""
_NOT_A_NUMBER = Rejected("not a phone number")
_NO_REGION = Rejected("a phone number without a country code, and no phone_region is set")


@lru_cache(maxsize=32_768)
def read_phone(text: str, region: str) -> str | Rejected:
    """`8 (912) 345-67-89` in region RU is `+79123456789`; ` x5` becomes `;ext=5`.

    With its country code a number counts if its length is possible there: new ranges are older than any
    table of them. Written without `+`, it is of `region` if it is valid there; else a leading country code or
    the old trunk `8` left out may make it valid. What is only possible at home may be anybody's from abroad.
    """
    if len(text) > MAX_PHONE:
        return Rejected("longer than a phone number can be", "TU-VAL-002")
    if stands(text):
        return text
    return _read(text, region)


def _read(text: str, region: str) -> str | Rejected:
    """`read_phone` by the library alone."""
    if _CUT.fullmatch(text):
        return _CUT_SHORT
    text = _SPREADSHEET.sub(r"\1", text)
    home = _parsed(text, region or None)
    if home is not None and phonenumbers.is_valid_number(home):
        return _formatted(home)
    abroad = _after_old_trunk(text, region) or _as_international(text)
    if abroad is not None:
        return _formatted(abroad)
    if home is None or not _is_possible(home):
        return _NOT_A_NUMBER if region or text.startswith("+") else _NO_REGION
    if not text.lstrip("( ").startswith("+"):
        return Rejected(f"no phone number of {region}; with its country code (+...) it would count")
    return _formatted(home)


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _as_international(text: str) -> PhoneNumber | None:
    """The number read with the `+` that was left out or written as 00, if that makes it valid."""
    head = text.lstrip("( ")
    if head.startswith("+") or not head[:1].isdigit():
        return None
    if not head.startswith("00") and len(_DIGITS.sub("", head)) < 11:
        return None
    number = _parsed("+" + head.removeprefix("00"), None)
    return number if number is not None and phonenumbers.is_valid_number(number) else None


def _after_old_trunk(text: str, region: str) -> PhoneNumber | None:
    """The number without the 8 that was dialled before it, if that makes it valid at home."""
    head = text.lstrip("( ")
    if region not in _EIGHT or not head.startswith("8"):
        return None
    number = _parsed(head[1:].lstrip(")-. "), region)
    return number if number is not None and phonenumbers.is_valid_number(number) else None


def _is_possible(number: PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def _formatted(number: PhoneNumber) -> str:
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164


@lru_cache(maxsize=32_768)
def national(e164: str, region: str) -> str:
    """How a canonical number is written inside `region`; international for any other region."""
    number = phonenumbers.parse(e164, None)
    at_home = phonenumbers.region_code_for_country_code(number.country_code or 0) == region
    shape = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, shape.NATIONAL if at_home else shape.INTERNATIONAL)


def is_whole(text: str) -> bool:
    """Whether a number is written with its country code, and so that it shows: without, which country it is
    of is a guess."""
    return text.lstrip("( ").startswith(("+", "00"))


@lru_cache(maxsize=32_768)
def in_country(text: str, region: str) -> str | None:
    """A number without a country code as one of this country; None where it is not valid there."""
    if text.lstrip("( ").startswith("+"):
        return None
    number = _parsed(text, region)
    if number is None or number.country_code != phonenumbers.country_code_for_region(region):
        return None
    return _formatted(number) if phonenumbers.is_valid_number(number) else None


@lru_cache(maxsize=32_768)
def as_written(text: str, number: str) -> str | None:
    """A number without a country code, where it has the national digits of this canonical one: then it is
    that number, with the extension that the text tells. None where the digits are others."""
    known = phonenumbers.parse(number, None)
    found, code = _parsed(text, _region(known)), known.country_code
    if found is None or (found.country_code, found.national_number) != (code, known.national_number):
        return None
    return _formatted(found)


def is_of(number: str, region: str) -> bool:
    """Whether a canonical number begins with the country code of this country."""
    return number.startswith(f"+{phonenumbers.country_code_for_region(region)}")


@lru_cache(maxsize=32_768)
def country_of(number: str) -> str:
    """The country of a canonical number; empty for one that is of none."""
    region = _region(phonenumbers.parse(number, None))
    return region if region.isalpha() and region != "ZZ" else ""


def _region(known: PhoneNumber) -> str:
    code = known.country_code or 0
    return phonenumbers.region_code_for_number(known) or phonenumbers.region_code_for_country_code(code)
