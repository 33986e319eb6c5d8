"""Where a contact lives: the countries of the addresses that the hub holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def homes_before(entity: Entity) -> Homes:
    """As the hub knows them before anything is decided."""
    countries = countries_of(entity.values)
    return Homes(countries, countries)


def homes_now(entity: Entity, values: Mapping[str, Value], edited: Iterable[str]) -> Homes:
    """As the hub knows them once `values` are decided; `edited`: the fields that somebody edited."""
    before, now = countries_of(entity.values), countries_of(values)
    unknown = not before and not any(map(_country, entity.values.get(_LEFT) or ()))
    return Homes(before, now, before != now and (unknown or not any(map(_is_postal, edited))))


def countries_of(values: Mapping[str, Value]) -> frozenset[str]:
    """The countries of what stands in slots and lists."""
    slots = (str(one) for name, one in values.items() if one and _is_country(name))
    return frozenset((*slots, *filter(None, map(_country, values.get(_LISTED) or ()))))


def fields_edited(readings: Iterable[Reading]) -> list[str]:
    """The fields of one record that somebody edited."""
    return [name for one in readings if one.moved for name in one.binding.fields]


def _country(address: str) -> str:
    return str(parts_of(address).get("country") or "")


def _is_country(name: str) -> bool:
    return name.startswith(_SLOTS) and name.endswith(".country")


def _is_postal(name: str) -> bool:
    return name == _LISTED or name.startswith(_SLOTS)
