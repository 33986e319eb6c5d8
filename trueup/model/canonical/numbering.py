"""Whether a number in full E.164 is valid as it stands, by the numbering plans that `phonenumbers` carries.

The library reads numbers as people write them, in about forty microseconds; most numbers between systems
are in E.164 already. This answers the same for those by one look at the plan, or leaves them to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, REGION_CODE_FOR_NON_GEO_ENTITY
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

_WHOLE = re.compile(r"\+[1-9][0-9]{5,14}")
_LONGEST_CODE = 3
_TYPES = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip"),
    *("pager", "uan", "voicemail"),
)

Plan = Callable[[str], bool]
"""Whether a national number is valid in this plan, as it stands."""


def stands(text: str) -> bool:
    """Whether the text is a valid number that reading would leave as it is. False says nothing."""
    if _WHOLE.fullmatch(text) is None:
        return False
    for end in range(2, 2 + _LONGEST_CODE):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(text[1:end]))
        if regions is not None:
            return _valid(regions, text[end:])
    return False


def _valid(regions: tuple[str, ...], national: str) -> bool:
    """`phonenumbers` asks the first region whose leading digits or whose types fit; a number that begins
    as the main region's trunk prefix does may be written with it, and is the library's to read."""
    if not national or national[0] == "0" or REGION_CODE_FOR_NON_GEO_ENTITY in regions:
        return False
    prefix = _trunk_prefix(regions[0])
    if prefix is not None and prefix.match(national):
        return False
    if len(regions) == 1:
        return _fits(regions[0], national)
    for region in regions:
        leading = _leading_digits(region)
        if leading is None:
            if _fits(region, national):
                return True
        elif leading.match(national):
            return _fits(region, national)
    return False


def _metadata(region: str) -> PhoneMetadata:
    found = PhoneMetadata.metadata_for_region(region, None)
    assert found is not None
    return found


@cache
def _trunk_prefix(region: str) -> re.Pattern[str] | None:
    pattern = _metadata(region).national_prefix_for_parsing
    return re.compile(pattern) if pattern else None


@cache
def _leading_digits(region: str) -> re.Pattern[str] | None:
    pattern = _metadata(region).leading_digits
    return re.compile(pattern) if pattern else None


def _fits(region: str, national: str) -> bool:
    general, types = _patterns(region, len(national))
    return bool(general and types and general.fullmatch(national) and types.fullmatch(national))


@lru_cache(maxsize=4096)
def _patterns(region: str, length: int) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """What every number of this length in the region is like, and any of its types; None where none is."""
    metadata = _metadata(region)
    types = [_pattern(getattr(metadata, name), length) for name in _TYPES]
    known = [pattern for pattern in types if pattern is not None]
    general = _pattern(metadata.general_desc, length)
    return _compiled([general] if general is not None else []), _compiled(known)


def _pattern(shape: PhoneNumberDesc | None, length: int) -> str | None:
    if shape is None or not shape.national_number_pattern:
        return None
    if shape.possible_length and length not in shape.possible_length:
        return None
    return shape.national_number_pattern


def _compiled(patterns: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
