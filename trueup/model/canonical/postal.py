"""Postal addresses as one value: all parts in one text, which sorts, hashes and is stored like any other.

The form is JSON with the parts in the order of `ADDRESS_PARTS`, without those that are empty. Two addresses
are one if their parts hold the same words: case, signs, blanks and line breaks do not count.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
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
    return ", ".join(words_of(told.get(part)) for part in ADDRESS_PARTS)


def covers(whole: str, some: str) -> bool:
    """Whether the first address says all that the second one says."""
    return said_in(some) <= said_in(whole)


@lru_cache(maxsize=_REMEMBERED)
def said_in(address: str) -> frozenset[tuple[str, str]]:
    """What an address says: each part that it has with its words."""
    return frozenset((part, words) for part, text in parts_of(address).items() if (words := words_of(text)))


def corrects(new: str, old: str) -> bool:
    """Whether the first address is the second one put right: the street stayed, or the postcode and the name
    of the street, or one has what the other one has and more. A common postcode alone is a neighbour."""
    return _nearness(new, old) >= _SAME_NAME


def put_right(gone: Iterable[str], come: Iterable[str]) -> dict[str, str]:
    """Of addresses that one list lost and got at the same time: by the new one the old one that it is, put
    right. Of several only those that are nearest to each other, seen from both sides."""
    left = sorted(gone)
    near = {(one, old): rank for one in come for old in left if (rank := _nearness(one, old))}
    ranks: dict[tuple[bool, str], list[int]] = {}
    for (one, old), rank in near.items():
        ranks.setdefault((True, one), []).append(rank)
        ranks.setdefault((False, old), []).append(rank)
    best = {side: max(some) if some.count(max(some)) == 1 else 0 for side, some in ranks.items()}
    return {one: old for (one, old), rank in near.items() if best[True, one] == best[False, old] == rank}


_SAME_CODE, _SAME_NAME, _SAME_STREET = 1, 2, 3


def _nearness(one: str, other: str) -> int:
    """How much speaks for two addresses being one, of which the other was put right; 0: nothing."""
    if covers(one, other) or covers(other, one):
        return _SAME_STREET
    said, told = dict(said_in(one)), dict(said_in(other))
    street, code = (said.get(part) == told.get(part) and part in said for part in ("street", "postcode"))
    if street or not code:
        return _SAME_STREET if street else 0
    return _SAME_NAME if _one_name(said.get("street", ""), told.get("street", "")) else _SAME_CODE


def _one_name(street: str, other: str) -> bool:
    """Whether two streets differ in numbers and additions only: `seeweg 1`, `seeweg 11 a`."""
    one, two = ({word for word in text.split() if not word[0].isdigit()} for text in (street, other))
    return bool(one and two) and (one <= two or two <= one)


def words_of(text: Json) -> str:
    """The words of one part, without case and signs; of a text that is nothing but signs the signs."""
    if not text:
        return ""
    folded = unicodedata.normalize("NFKC", str(text)).casefold()
    return " ".join(_WORDS.findall(folded)) or folded.strip()
