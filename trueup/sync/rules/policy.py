"""What the rules need of the configuration, compiled once per run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from trueup.dedupe.normalise import KEY_FIELDS
from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.mapping.schema import ObjectRules
from trueup.model.fields import TABLES, Field, Kind, Strategy
from trueup.model.values import Value

T = TypeVar("T")
Stream = tuple[str, str]
"""(connection, object)."""


class Answer(Protocol):
    """What a condition says: met or not, and why."""

    @property
    def met(self) -> bool: ...

    @property
    def reason(self) -> str: ...


class Condition(Protocol):
    """A compiled condition. `next_change`: when the same values give another answer, None if never."""

    def met(self, values: Mapping[str, Value], now: datetime) -> Answer: ...

    def next_change(self, values: Mapping[str, Value], now: datetime) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """How one field is judged. `authority` answers the connections that may decide in a stage, in order.

    `ranked`: an edit of a lower rank never displaces a non-empty value of a higher one. `on_clash`: what
    wins when one decision sees an element both added and removed (`add` or `remove`).
    """

    strategy: Strategy
    authority: Callable[[str | None], tuple[str, ...]]
    ranked: bool = False
    on_clash: str = "add"


@dataclass(frozen=True, slots=True)
class Policy:
    """The configuration as the rules see it.

    `tables` are the field tables with custom fields and stages. `fields` judges a field of a kind.
    `mappings`/`rules` by stream. `create`/`take` hold compiled conditions; no entry in `create` means
    never. `upsert` names the field by which a repeated create finds its record: a mapped one, or one
    that holds the hub's id. `config_version` is pinned for the run.
    """

    tables: Mapping[Kind, Mapping[str, Field]] = field(default_factory=lambda: TABLES)
    fields: Callable[[Kind, str], FieldPolicy] = lambda kind, name: FieldPolicy(
        TABLES[kind][name].strategy, lambda stage: ()
    )
    mappings: Mapping[Stream, ObjectMapping] = field(default_factory=dict)
    rules: Mapping[Stream, ObjectRules] = field(default_factory=dict)
    create: Mapping[Stream, Condition] = field(default_factory=dict)
    take: Mapping[Stream, Condition] = field(default_factory=dict)
    upsert: Mapping[Stream, str] = field(default_factory=dict)
    config_version: str = ""
    known: dict[Hashable, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What was worked out of it once, by whoever asks for every entity."""

    def streams(self, kind: Kind) -> tuple[Stream, ...]:
        """The streams of one kind, in the order of the configuration."""
        return self._once(("streams", kind), lambda: self._streams(kind))

    def derived(self, kind: Kind) -> tuple[str, ...]:
        """Fields that some system of this kind gets and that are read through a reference."""
        return self._once(("derived", kind), lambda: self._derived(kind))

    def naming(self, stream: Stream) -> tuple[Binding, ...]:
        """The bindings of a stream's mapping that tell who a record is."""
        return self._once(("naming", stream), lambda: self._naming(stream))

    def own_stamps(self, stream: Stream) -> frozenset[str]:
        """Remote paths that tell when the system made a record."""
        return self._once(("own stamps", stream), lambda: self._own_stamps(stream))

    def item_paths(self, stream: Stream) -> tuple[str, ...]:
        """The remote paths of a stream that hold lists of objects."""
        return self._once(("item paths", stream), lambda: self._item_paths(stream))

    def pointing(self, stream: Stream) -> tuple[Binding, ...]:
        """The bindings of a stream that hold ids of other records."""
        return self._once(("pointing", stream), lambda: self._pointing(stream))

    def saying(self, stream: Stream, fields: tuple[str, ...]) -> tuple[Binding, ...]:
        """The bindings in which a stream's records say one of these fields."""
        return self._once(("saying", stream, fields), lambda: self._saying(stream, fields))

    def companies(self, way: str) -> frozenset[Stream]:
        """The streams that treat the companies their contacts name in this way (`company:`)."""
        return self._once(("companies", way), lambda: self._companies(way))

    def referring(self, kind: Kind) -> tuple[str, ...]:
        """The fields of a kind that point at entities."""
        return self._once(("referring", kind), lambda: self._referring(kind))

    def asked(self, stream: Stream) -> tuple[str, ...]:
        """Every remote path that a stream is read for."""
        return self._once(("asked", stream), lambda: self._asked(stream))

    def writable(self, stream: Stream) -> tuple[Binding, ...]:
        """The bindings of a stream that are written."""
        return self._once(("writable", stream), lambda: self._writable(stream))

    def consents(self) -> frozenset[tuple[str, str]]:
        """The (channel, purpose) pairs that some system keeps of contacts."""
        return self._once("consents", lambda: self._consents())

    def _once(self, key: Hashable, work_out: Callable[[], T]) -> T:
        if key not in self.known:
            self.known[key] = work_out()
        found: T = self.known[key]
        return found

    def _streams(self, kind: Kind) -> tuple[Stream, ...]:
        return tuple(stream for stream, mapping in self.mappings.items() if mapping.kind is kind)

    def _derived(self, kind: Kind) -> tuple[str, ...]:
        table = self.tables[kind]
        names = {name for one in self._bindings(kind) for name in one.fields if name in table}
        return tuple(sorted(name for name in names if table[name].derived and "." in name))

    def _naming(self, stream: Stream) -> tuple[Binding, ...]:
        mapping = self.mappings[stream]
        telling = KEY_FIELDS[mapping.kind]
        return tuple(one for one in mapping.bindings if not telling.isdisjoint(one.fields))

    def _own_stamps(self, stream: Stream) -> frozenset[str]:
        bindings = self.mappings[stream].bindings
        return frozenset(one.remote for one in bindings if one.fields == ("created_at",))

    def _item_paths(self, stream: Stream) -> tuple[str, ...]:
        return tuple(one.remote for one in self.mappings[stream].bindings if one.items is not None)

    def _pointing(self, stream: Stream) -> tuple[Binding, ...]:
        return tuple(one for one in self.mappings[stream].bindings if one.refers is not None and one.to)

    def _saying(self, stream: Stream, fields: tuple[str, ...]) -> tuple[Binding, ...]:
        mapping = self.mappings.get(stream)
        bindings = mapping.bindings if mapping is not None else ()
        return tuple(one for one in bindings if one.fields[0] in fields and one.inward)

    def _companies(self, way: str) -> frozenset[Stream]:
        return frozenset(stream for stream, rules in self.rules.items() if rules.company == way)

    def _referring(self, kind: Kind) -> tuple[str, ...]:
        return tuple(name for name, one in self.tables[kind].items() if one.refers is not None)

    def _asked(self, stream: Stream) -> tuple[str, ...]:
        rules, mapping = self.rules[stream], self.mappings.get(stream)
        fields = mapping.remote_fields if mapping else [rule.remote for rule in rules.fields]
        others = (*rules.deactivate, *rules.reactivate, rules.contact, self.upsert.get(stream))
        return tuple(dict.fromkeys((*fields, *(one for one in others if one))))

    def _writable(self, stream: Stream) -> tuple[Binding, ...]:
        return tuple(one for one in self.mappings[stream].bindings if one.outward)

    def _consents(self) -> frozenset[tuple[str, str]]:
        return frozenset(one.consent for one in self._bindings(Kind.CONTACT) if one.consent)

    def _bindings(self, kind: Kind) -> Iterator[Binding]:
        for stream in self.streams(kind):
            yield from self.mappings[stream].bindings
