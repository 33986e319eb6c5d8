"""Where a contact lives: the countries of the addresses that the hub holds, else of those that were left or
lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trueup.model.canonical.postal import parts_of
from trueup.model.entity import Entity
from trueup.model.values import Value
from trueup.sync.rules.evidence import Reading

_SLOTS, _LISTED, _LEFT = ("address.", "addresses."), "addresses", "former_addresses"


@dataclass(frozen=True, slots=True)
class Homes:
    """The countries before a decision and now. `learned`: that they differ is no move: nobody knew of any
    country, or no address was edited."""

    before: frozenset[str]
    now: frozenset[str]
    learned: bool = False


def homes_foretold(entity: Entity, said: Iterable[str]) -> Homes:
    """As they will be, most likely: as the hub knows them, and where it knows none all that records say.
    Whether it was so the decision tells (`homes_now`)."""
    before = countries_of(entity.values)
    now = before or frozenset(one for one in said if one)
    return Homes(before, now, now != before)


def homes_now(entity: Entity, values: Mapping[str, Value], edited: Iterable[str]) -> Homes:
    """As the hub knows them once `values` are decided; `edited`: the fields that somebody edited."""
    before, now = countries_of(entity.values), countries_of(values)
    return Homes(before, now, before != now and (not before or not any(map(_is_postal, edited))))


def countries_of(values: Mapping[str, Value]) -> frozenset[str]:
    """The countries of what stands in slots and lists; where that says none, of what did."""
    slots = (str(one) for name, one in values.items() if one and _is_country(name))
    return frozenset((*slots, *_of_set(values, _LISTED))) or frozenset(_of_set(values, _LEFT))


def fields_edited(readings: Iterable[Reading]) -> list[str]:
    """The fields of one record that somebody edited."""
    return [name for one in readings if one.moved for name in one.binding.fields]


def _of_set(values: Mapping[str, Value], name: str) -> Iterator[str]:
    for one in values.get(name) or ():
        if country := parts_of(one).get("country"):
            yield str(country)


def _is_country(name: str) -> bool:
    return name.startswith(_SLOTS) and name.endswith(".country")


def _is_postal(name: str) -> bool:
    return name == _LISTED or name.startswith(_SLOTS)
