"""What was read of a record while a write of ours was on its way there, and lost its place to it unheard.

Where no version guards a record, a reading may come between the look that a write follows and its arrival.
What it showed stood there for a moment only; the history keeps it, so that whoever typed it finds it again.
Elements that somebody gave then are given nevertheless: a list is written whole by some systems' ways only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace

from trueup.model.fields import Field
from trueup.model.history import Conflict
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Value
from trueup.sync.rules.evidence import Claim, Reading, claims

RULE = "written over by a write that was on its way"


def told(
    readings: tuple[Reading, ...], unsettled: Set[str], table: Mapping[str, Field]
) -> tuple[tuple[Reading, ...], tuple[Conflict, ...], tuple[Claim, ...]]:
    """The readings, what the history has to hear of, and the elements that were given; of what is still under
    way, later."""
    if all(one.agreed is None or isinstance(one.agreed.unheard, Absent) for one in readings):
        return readings, (), ()
    left: list[Reading] = []
    conflicts: list[Conflict] = []
    given: list[Claim] = []
    for one in readings:
        agreed = one.agreed
        if agreed is None or isinstance(agreed.unheard, Absent) or one.binding.key in unsettled:
            left.append(one)
            continue
        if isinstance(agreed.unheard, list):
            given.extend(_given(one, agreed.unheard, table))
        else:
            conflicts.extend(_lost(one, agreed.unheard))
        left.append(replace(one, agreed=agreed._replace(unheard=ABSENT)))
    return tuple(left), tuple(conflicts), tuple(given)


def _given(reading: Reading, unheard: Json, table: Mapping[str, Field]) -> Iterator[Claim]:
    """What a list held beside what it holds now, as if it stood there still."""
    said = reading.binding.read(unheard)
    if not isinstance(said, Mapping) or not isinstance(reading.has, Mapping):
        return
    beside = {name: [*_elements(reading.has.get(name)), *_elements(said[name])] for name in said}
    yield from claims(replace(reading, has=beside, was=reading.has), table)


def _elements(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _lost(reading: Reading, unheard: Json) -> Iterator[Conflict]:
    """What was said of each field, or, where it has no meaning of ours, in the system's own form."""
    link, was = reading.link, reading.was or {}
    mine = f"{link.connection}/{link.object}/{link.remote_id}"
    said = reading.binding.read(unheard) if reading.binding.refers is None else None
    if not isinstance(said, Mapping):
        said = {reading.binding.fields[0]: unheard}
    for name, value in said.items():
        if value != was.get(name):
            yield Conflict(name, value, mine, was.get(name), "hub", RULE)
