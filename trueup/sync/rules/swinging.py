"""The fuse against two sides that change one field in turn, each back to its own value.

An edit *swings* when the same record says the same value against the same value of the hub once more:
between the two somebody else, or the hub's own write, had put the other one back. Somebody who edits there
and back at one record never swings, because that record says each time something else. What was said before
is told by the history, so nothing is kept for fields that do not swing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trueup.mapping.schema import Refusal
from trueup.model.entity import Entity, Quarantine
from trueup.model.history import Conflict, HistoryRow
from trueup.model.jsontext import digest
from trueup.model.values import Value
from trueup.sync.rules.differences import Draft
from trueup.sync.rules.evidence import READ_AS, Reading

CODE = "TU-VAL-010"
MOST = 4
"""How often the same is said against the same before the field is set aside at that record."""
WITHIN = timedelta(days=30)
"""Edits longer ago do not count: what recurs with the seasons is no fight."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a record said of a field against what the hub held, and the rule by which it won or lost."""

    said: Value
    held: Value
    rule: str


def swinging(
    readings: Sequence[Reading], entity: Entity, past: Sequence[HistoryRow], now: datetime
) -> Mapping[str, Quarantine]:
    """The bindings of one link that are set aside for swinging, those set aside before included."""
    aside: dict[str, Quarantine] = {}
    for reading in readings:
        before = reading.link.quarantine.get(reading.binding.key)
        if before is not None and holds(before, reading, entity.values):
            aside[reading.binding.key] = before
        elif past and _could_fight(reading):
            found = _tripped(reading, entity, past, now)
            if found is not None:
                aside[reading.binding.key] = found
    return aside


def holds(quarantine: Quarantine, reading: Reading, values: Mapping[str, Value]) -> bool:
    """Whether it is still the same two values that stand against each other."""
    return quarantine.code == CODE and quarantine.digest == _pair(reading, values)


def keep_aside(reading: Reading, quarantine: Quarantine, draft: Draft) -> None:
    """Nothing is written, and what was said there stays news until a person gives the field back."""
    draft.quarantine[reading.binding.key] = quarantine
    if reading.agreed is not None:
        draft.agreed[reading.binding.key] = reading.agreed


def lost(readings: Sequence[Reading], aside: Mapping[str, Quarantine], entity: Entity) -> Iterator[Conflict]:
    """For the history: the edits that were set aside in this decision."""
    for reading in readings:
        found = aside.get(reading.binding.key)
        if found is None or reading.link.quarantine.get(reading.binding.key) == found:
            continue
        for name, said in _said(reading).items():
            held = entity.values.get(name)
            if said != held:
                yield Conflict(name, said, _ref(reading), held, _holder(entity, name), "set aside: in turn")


def _could_fight(reading: Reading) -> bool:
    binding = reading.binding
    return reading.moved and binding.inward and binding.outward and not binding.consent


def _tripped(
    reading: Reading, entity: Entity, past: Sequence[HistoryRow], now: datetime
) -> Quarantine | None:
    for name, said in _said(reading).items():
        held = entity.values.get(name)
        edits = list(_same(reading, name, said, held, past, now)) if said != held else []
        if len(edits) + 1 >= MOST:
            why = _reason(reading, entity, name, edits[0], past)
            return Quarantine("both", why, CODE, _pair(reading, entity.values), now)
    return None


def _same(
    reading: Reading, name: str, said: Value, held: Value, past: Sequence[HistoryRow], now: datetime
) -> Iterator[Edit]:
    """The latest earlier edits of this record, as long as they say the same against the same."""
    for row in past:
        if row.released or now - row.at > WITHIN:
            return  # a person looked at it since, or it is too long ago
        for edit in _edits(row, name, reading):
            if (edit.said, edit.held) != (said, held):
                return
            yield edit


def _edits(row: HistoryRow, name: str, reading: Reading) -> Iterator[Edit]:
    """What this record said of the field in one decision. Where refused edits may stay, they fight nobody."""
    source = _ref(reading)
    for change in row.changes:
        if change.field == name and change.source == source and change.rule != _FIRST:
            yield Edit(change.new, change.old, change.rule)
    for conflict in row.conflicts:
        if conflict.lost_source != source or conflict.rule == _FIRST:
            continue
        if reading.binding.refused is Refusal.LEAVE:
            continue
        if conflict.field == name:
            yield Edit(conflict.lost, conflict.kept, conflict.rule)


_FIRST = "first sight"


def _reason(reading: Reading, entity: Entity, name: str, edit: Edit, past: Sequence[HistoryRow]) -> str:
    """Both sides and the rules that moved the value, without the values."""
    here, there = reading.link.connection, _holder(entity, name)
    value = entity.values.get(name)
    changes = (one for row in past for one in row.changes if (one.field, one.new) == (name, value))
    rule = next((one.rule for one in changes), "")
    source = entity.sources.get(name)
    other = rule or (source.how if source is not None else "the hub's value")
    return (
        f"{here} and {there.split('/')[0]} change it in turn, {MOST} times between the same two values "
        f"({here}: {edit.rule}; {there.split('/')[0]}: {other})"
    )


def _holder(entity: Entity, name: str) -> str:
    source = entity.sources.get(name)
    return (source.ref or source.origin) if source is not None else "hub"


def _ref(reading: Reading) -> str:
    link = reading.link
    return f"{link.connection}/{link.object}/{link.remote_id}"


def _said(reading: Reading) -> Mapping[str, Value]:
    """What the record says, by field; empty is None as in the hub."""
    if not isinstance(reading.has, Mapping):
        return {}
    return {READ_AS.get(name, name): None if value == [] else value for name, value in reading.has.items()}


def _pair(reading: Reading, values: Mapping[str, Value]) -> str:
    said = _said(reading)
    return digest(sorted([digest(dict(said)), digest({name: values.get(name) for name in said})]))
