"""New records that may be there already: those in doubt are looked up by their keys, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from trueup.connectors.base import Capability
from trueup.model.delivery import Delivery, Lane
from trueup.model.record import Json, Record
from trueup.sync.inbox import asked_fields
from trueup.sync.keeping import kept_as
from trueup.sync.parts import Parts
from trueup.sync.rules.policy import Stream

Place: TypeAlias = tuple[Stream, Lane, str]
"""What is asked at once: a stream, the lane whose budget it takes, and the key."""


def lookup_keys(parts: Parts, stream: Stream, delivery: Delivery) -> list[tuple[str, Json]]:
    """By what a new record is found, strongest first: the field, and its value there."""
    if not parts.can(stream, Capability.LOOKUP_BY_KEY):
        return []
    write = delivery.write
    keys = [write.upsert] if write.upsert is not None else []
    named = [
        (key, write.values[key]) for key in parts.specs[stream].keys if write.values.get(key) is not None
    ]
    return [*keys, *named]


@dataclass(slots=True)
class Keyed:
    """What is found by the keys of these creates. Each key is asked for once, when the first needs it."""

    parts: Parts
    creates: Sequence[Delivery]
    _found: dict[Place, Mapping[str, list[Record]]] = field(default_factory=dict, init=False)

    def made_by(self, delivery: Delivery) -> Record | None:
        """The living record that this create made, or another one bears its key; None where nobody does."""
        stream = _stream(delivery)
        for key, value in lookup_keys(self.parts, stream, delivery):
            place = (stream, delivery.write.lane, key)
            if place not in self._found:
                self._found[place] = self._asked(place)
            found = [one for one in self._of(place, value) if not one.deleted]
            if found:
                return self._likeliest(stream, delivery, found)
        return None

    def _asked(self, place: Place) -> Mapping[str, list[Record]]:
        """By what was asked for, what was found; under no text what bears the key in a form of its own."""
        stream, lane, key = place
        wanted: dict[str, Json] = {}
        for one in self.creates:
            if _stream(one) == stream and one.write.lane is lane and one.link.remote_id is None:
                wanted |= {_plain(v): v for k, v in lookup_keys(self.parts, stream, one) if k == key}
        found: dict[str, list[Record]] = {}
        for record in self._find(place, list(wanted.values())):
            said = next(iter(wanted)) if len(wanted) == 1 else _plain(record.values.get(key))
            found.setdefault(said if said in wanted else "", []).append(record)
        return found

    def _of(self, place: Place, value: Json) -> list[Record]:
        found = self._found[place]
        if _plain(value) in found or "" not in found:
            return found.get(_plain(value), [])
        return self._find(place, [value])

    def _find(self, place: Place, values: Sequence[Json]) -> list[Record]:
        stream, lane, key = place
        fields = tuple(dict.fromkeys((*asked_fields(self.parts, stream), key)))
        return list(self.parts.connector(stream[0], lane).find(stream[1], key, values, fields))

    def _likeliest(self, stream: Stream, delivery: Delivery, found: Sequence[Record]) -> Record:
        """Of several records with one key (an address that a family shares) the one that is nobody else's and
        says most of what was sent."""
        known = self.parts.store.known(*stream, [record.id for record in found])
        own, keeps = (None, delivery.entity_id), kept_as(self.parts, stream, delivery)

        def order(one: Record) -> tuple[bool, int, str]:
            theirs = one.id in known and known[one.id].entity_id not in own
            return theirs, -sum(keeps(path, one.values.get(path)) for path in delivery.write.values), one.id

        return min(found, key=order)


def _stream(delivery: Delivery) -> Stream:
    return (delivery.write.connection, delivery.write.object)


def _plain(value: Json) -> str:
    return str(value or "").strip().casefold()
