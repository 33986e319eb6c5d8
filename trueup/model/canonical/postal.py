"""Postal addresses as one value: all parts in one text, which sorts, hashes and is stored like any other.

The form is JSON with the parts in the order of `ADDRESS_PARTS`, without those that are empty. Two addresses
are one if their parts hold the same words: case, signs, blanks and line breaks do not count.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from trueup.model.fields import ADDRESS_PARTS
from trueup.model.record import Json
from trueup.model.values import Value

_WORDS = re.compile(r"\w+")
_REMEMBERED = 4096


def address_of(parts: Mapping[str, Value]) -> str | None:
    """The address that has these parts (canonical each, by name); None for one without any."""
    held = {part: parts[part] for part in ADDRESS_PARTS if parts.get(part)}
    return json.dumps(held, ensure_ascii=False, separators=(",", ":")) if held else None


def parts_of(address: str) -> dict[str, str]:
    """The parts of an address, those that it has."""
    parts: dict[str, str] = json.loads(address)
    return parts


def parts_written(text: str) -> Json:
    """The parts of an address that was written as text; the text itself where it is none, None for blanks."""
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        return text


def line_of(address: str) -> str:
    """The address for people, in one line."""
    parts = parts_of(address)
    town = " ".join(filter(None, (parts.get("postcode"), parts.get("city"))))
    line = ", ".join(filter(None, (parts.get("street"), town, parts.get("region"), parts.get("country"))))
    return line.replace("\n", ", ")


@lru_cache(maxsize=_REMEMBERED)
def address_key(address: str) -> str:
    """What makes two addresses one. A text that is no address is its own key."""
    told = parts_written(address)
    if not isinstance(told, dict):
        return address
    return ", ".join(_words(told.get(part)) for part in ADDRESS_PARTS)


def covers(whole: str, some: str) -> bool:
    """Whether the first address says all that the second one says."""
    one, other = parts_of(whole), parts_of(some)
    return all(_words(one.get(part)) == _words(text) for part, text in other.items())


def corrects(new: str, old: str) -> bool:
    """Whether the first address is the second one put right: street or postcode stayed, or one has what the
    other one has and more. Where both are others somebody has moved."""
    one, other = parts_of(new), parts_of(old)
    stayed = (part for part in ("street", "postcode") if one.get(part) and other.get(part))
    return any(_words(one[part]) == _words(other[part]) for part in stayed) or (
        covers(new, old) or covers(old, new)
    )


def _words(text: Json) -> str:
    if not text:
        return ""
    folded = unicodedata.normalize("NFKC", str(text)).casefold()
    return " ".join(_WORDS.findall(folded)) or folded.strip()
