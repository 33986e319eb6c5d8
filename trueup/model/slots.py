"""Slots: where one element of a set stands by itself, the primary one or the one of a kind.

The slot of an e-mail or a phone is one field (`emails.work`); that of a postal address is a group of fields,
one for each part (`addresses.work.city`). Here both are one thing: a slot holds an element or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trueup.model.canonical.postal import address_of, parts_of
from trueup.model.fields import ADDRESS_PARTS, CONTACT, KINDS, PRIMARY
from trueup.model.values import Value


def slots_of(many: str) -> tuple[str, ...]:
    """The slots of a set, the primary one first, then by kind."""
    return (PRIMARY[many], *(f"{many}.{kind}" for kind in KINDS[many]))


def _fields(slot: str) -> tuple[str, ...]:
    return (slot,) if slot in CONTACT else tuple(f"{slot}.{part}" for part in ADDRESS_PARTS)


FIELDS: Mapping[str, tuple[str, ...]] = {slot: _fields(slot) for many in KINDS for slot in slots_of(many)}
"""The fields of each slot."""


def held_in(slot: str, values: Mapping[str, Value]) -> Value:
    """The element that stands in a slot; None for none."""
    names = FIELDS[slot]
    if len(names) == 1:
        return values.get(slot)
    if values.keys().isdisjoint(names):
        return None
    return address_of({part: values.get(name) for part, name in zip(ADDRESS_PARTS, names, strict=True)})


def laid_into(slot: str, element: Value) -> Iterator[tuple[str, Value]]:
    """The fields of a slot in which this element stands (None: nothing)."""
    names = FIELDS[slot]
    if len(names) == 1:
        yield slot, element
        return
    parts = parts_of(element) if element is not None else {}
    for part, name in zip(ADDRESS_PARTS, names, strict=True):
        yield name, parts.get(part)
