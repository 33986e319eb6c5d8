"""The canonical entity and what is remembered about each record of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from trueup.model.fields import PREFIX, Kind
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Value


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from. `origin` is a connection name, `hub` (with `user`) or `rule`.

    `how`: `first` (first sight), `edit`, `hub`, `rule`. Only `first` may be displaced by a first sight.
    `cut_by`: of a part of a name that was cut out of a whole one, who said in fields of their own which word
    is which part (a record, as `ref`; else an origin), before the hub wrote it anywhere; empty for a guess.
    """

    origin: str
    how: str
    at: datetime
    ref: str = ""
    user: str = ""
    pinned: bool = False
    cut_by: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """One canonical contact, company, deal or user.

    `values` maps field address to canonical value; a missing key or None is empty. `sources` says where
    each value came from. `revision` grows with every commit. `provisional`: waits for a steward; its own
    record goes on, but it is created nowhere else.
    """

    id: int
    kind: Kind
    revision: int
    values: Mapping[str, Value]
    sources: Mapping[str, Source]
    provisional: bool = False

    @property
    def public_id(self) -> str:
        return public_id(self.kind, self.id)


def public_id(kind: Kind, id: int) -> str:
    """The id that people and other entities use (`c-17`)."""
    return f"{PREFIX[kind]}-{id}"


class LinkState(StrEnum):
    LIVE = "live"
    WANTED = "wanted"  # a create is intended; there is no remote id yet
    TOMBSTONE = "tombstone"  # was deleted there; blocks re-creation until released
    DORMANT = "dormant"  # its connection or object is not configured any more


class Agreed(NamedTuple):  # not a dataclass: made for every field of every write, at a third of the cost
    """What both sides held when they last agreed on one binding.

    `remote` is in the system's own form. `hub` is the canonical value, or `NEVER` when the hub's value
    has not been written yet (a refused edit, a withheld replacement, a create without this field).
    `withheld`: the difference is known and reported, but the connection is not released.
    `left`: the edit was refused and stays there by configuration. `lost`: what was written and not found
    there (in the system's own form), so that it is sent once more; remembered until both sides agree again.
    `unheard`: what was read there and not yet judged when a write of ours that was on its way took its place.
    """

    hub: Value
    remote: Json
    withheld: bool = False
    left: bool = False
    lost: Json | Absent = ABSENT
    unheard: Json | Absent = ABSENT


class Never(StrEnum):
    NEVER = "\ue000never"


NEVER = Never.NEVER
"""Stands for `the hub's value was never there`; equal to no canonical value."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One field set aside. `digest` is of the value that did not fit: tried again when that moves.
    `terms`: of what a system refused, the terms on which its field was written to (`Binding.terms`)."""

    direction: str  # in | out
    reason: str
    code: str
    digest: str
    since: datetime
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Cross-reference of an entity and one remote record.

    `observed`: remote path to value, what the system last said. `base`: for paths that moved since the
    last decision, what they held at that time (ABSENT as text `\\ue000absent` when they were not said).
    `fresh`: nothing agreed yet at all. `agreed`: exceptions by binding key; a binding without one is
    settled at (the entity's value, the observed value). `assumed`: paths whose observed value is a
    prediction of our own write, with what stood there before (`was`), until when that may still show
    (`until`) and when the attempt ended (`at`); one that is `hidden` was read within that time and
    still showed it; one with `touched` was read and found otherwise, and is to be judged; `again` is of a
    value that was lost once and sent once more. `missed`: of the fields that the hub changed while this
    record could not be judged (its connection asleep, itself deleted), what the hub held before.
    `buried`: why it is a tombstone (deleted, missing, merged), else empty.
    `published`: when a field with `publish:` was last written there, by binding key. `entered`: it met the
    conditions of `create` once. `active`: False once the hub switched the record off.
    `rev` grows with every change of this row.
    """

    id: int
    connection: str
    object: str
    remote_id: str | None
    entity_id: int | None
    kind: Kind
    state: LinkState = LinkState.LIVE
    primary: bool = True
    fresh: bool = True
    active: bool = True
    version: str | None = None
    rev: int = 0
    seen_at: datetime | None = None
    changed_at: datetime | None = None
    observed: Mapping[str, Json] = field(default_factory=dict)
    base: Mapping[str, Json] = field(default_factory=dict)
    agreed: Mapping[str, Agreed] = field(default_factory=dict)
    assumed: Mapping[str, Json] = field(default_factory=dict)
    quarantine: Mapping[str, Quarantine] = field(default_factory=dict)
    published: Mapping[str, datetime] = field(default_factory=dict)
    missed: Mapping[str, Value] = field(default_factory=dict)
    buried: str = ""
    entered: bool = False

    @property
    def stream(self) -> tuple[str, str]:
        return (self.connection, self.object)


WAS_ABSENT = "\ue000absent"
"""In `Link.base`: this path was not said before."""


def stood(
    known: Agreed | None,
    base: Mapping[str, Json],
    observed: Mapping[str, Json],
    path: str,
    unsaid: Json = None,
) -> Json:
    """What stood at a remote path when it could be judged last, of what a link remembers: a decision forgets
    the base, and keeps in `agreed` what could not be judged as a write of ours was under way."""
    return known.remote if known is not None else base.get(path, observed.get(path, unsaid))


@dataclass(frozen=True, slots=True)
class Reference:
    """What a referrer needs to know of another entity: its values and where it is linked."""

    id: str
    values: Mapping[str, Value]
    remote_ids: Mapping[tuple[str, str], str]  # (connection, object) -> id of the primary link
