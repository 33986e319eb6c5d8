"""Phone numbers that were written without a country code, as they stand in records."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.mapping.schema import Shape
from trueup.model.canonical.phones import as_written, in_country, is_whole
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Rejected, Type, Value
from trueup.sync.rules.evidence import Reading
from trueup.sync.rules.homes import Homes

PHONES = (Type.PHONE, Type.PHONES)
_BETWEEN = re.compile(r"[;,|\n]")
_NO_DIGITS = re.compile(r"\D+")


@dataclass(frozen=True, slots=True)
class Guess:
    """One number without a country code: as written, as read at home (None: no number there), where the
    record is at home, and what it was typed over, each as written and as read."""

    text: str
    home: str | None
    country: str
    over: tuple[tuple[str, str | None], ...] = ()

    def by_address(self) -> str | None:
        return in_country(self.text, self.country) if self.country else None

    def of_one(self, countries: Collection[str]) -> str | None:
        """As one of the only country among these, if it is valid there; None for a number that says the code
        of another one (`4930…`)."""
        if len(countries) != 1 or (self.home is not None and _digits(self.home) == _digits(self.text)):
            return None
        (country,) = countries
        return in_country(self.text, country)

    def readings(self, homes: Homes) -> frozenset[str]:
        """What it may be taken for because of where somebody lives."""
        all = (self.home, self.by_address(), self.of_one(homes.before), self.of_one(homes.now))
        return frozenset(one for one in all if one is not None)


def guesses_in(some: Sequence[Reading]) -> Iterator[Guess]:
    """The numbers of one record that have none."""
    country: str | None = None
    for one in some:
        if one.binding.type not in PHONES or says_one_whole(one.raw):
            continue
        for text, home in written_in(one.binding, one.raw):
            if not is_whole(text):
                country = country_of_record(some) if country is None else country
                yield Guess(text, home, country, typed_over(one))


def typed_over(reading: Reading) -> tuple[tuple[str, str | None], ...]:
    """The numbers that stood in an edited field and do not any more."""
    agreed = reading.agreed
    if agreed is None or agreed.remote == reading.raw:
        return ()
    there = {text for text, _ in written_in(reading.binding, reading.raw)}
    before = written_in(reading.binding, agreed.remote)
    return tuple((text, number) for text, number in before if text not in there)


def says_one_whole(raw: Json | Absent) -> bool:
    """The commonest case at once: one number with its country code."""
    return isinstance(raw, str) and is_whole(raw) and _BETWEEN.search(raw) is None


def was_guessed(reading: Reading) -> bool:
    """Whether a number was without its country code when it was agreed."""
    agreed = reading.agreed
    if agreed is None or reading.binding.type not in PHONES or agreed.remote == reading.raw:
        return False
    return any(not is_whole(text) for text, _ in written_in(reading.binding, agreed.remote))


def written_in(binding: Binding, raw: Json) -> Iterator[tuple[str, str | None]]:
    """The numbers of a phone field, as they are written and as they are read by themselves; None for none."""
    if binding.type not in PHONES or binding.shape is Shape.ELEMENT:
        return
    if not isinstance(raw, list):
        for text in (
            [raw] if binding.type is Type.PHONE else _BETWEEN.split(raw) if isinstance(raw, str) else ()
        ):
            if isinstance(text, str | int):
                yield from _alone(str(text), binding.read(text), binding)
        return
    for one in raw:
        read = binding.read([one])
        for text in [*map(str, one.values())] if isinstance(one, dict) else [str(one)]:
            yield from _alone(text, read, binding)


def _alone(
    text: str, read: Mapping[str, Value] | Rejected, binding: Binding
) -> Iterator[tuple[str, str | None]]:
    if isinstance(read, Rejected):
        if binding.type is Type.PHONE and sum(map(str.isdigit, text)) >= _FEWEST:
            yield text, None
        return
    for number in dict.fromkeys(numbers_in(read.get(name) for name in binding.fields)):
        if as_written(text, number) is not None:
            yield text, number


_FEWEST = 6
"""Fewer digits are no number of a person."""


def by_own_address(mapping: ObjectMapping, raw: Mapping[str, Json]) -> list[str]:
    """The numbers without a country code of one record by itself as those of the country of its own address,
    where they are valid there."""
    bare = [
        text
        for one in mapping.bindings
        if one.inward and one.type in PHONES and not says_one_whole(raw.get(one.remote, ABSENT))
        for text, _ in written_in(one, raw.get(one.remote))
        if not is_whole(text)
    ]
    if not bare:
        return []
    postal = (one for one in mapping.bindings if any(map(_is_country, one.fields)))
    country = _country_of(observed(postal, raw).values)
    numbers = (in_country(text, country) for text in bare if country)
    return [number for number in numbers if number is not None]


def country_of_record(some: Sequence[Reading]) -> str:
    held = {name: value for one in some if isinstance(one.has, Mapping) for name, value in one.has.items()}
    return _country_of(held)


def _country_of(held: Mapping[str, Value]) -> str:
    said = (value for name, value in sorted(held.items()) if _is_country(name))
    return str(next((value for value in said if value), ""))


def _is_country(name: str) -> bool:
    return name.endswith("address.country") or (name.startswith("addresses.") and name.endswith(".country"))


def numbers_in(values: Iterable[Value]) -> Iterator[str]:
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one.startswith("+") and one[1:2].isdigit():
                yield one


def _digits(text: str) -> str:
    return _NO_DIGITS.sub("", text.partition(";")[0])
