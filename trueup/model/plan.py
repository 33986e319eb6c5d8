"""A decision as a value: what it was made on, what should be, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from trueup.model.consent import ConsentEvent
from trueup.model.delivery import OpenDelivery, Write
from trueup.model.entity import Agreed, Entity, Link, Quarantine, Reference
from trueup.model.formats import Format, Kept
from trueup.model.history import Change, Conflict, HistoryRow
from trueup.model.record import Json, Ref
from trueup.model.values import Value


@dataclass(frozen=True, slots=True)
class LinkPatch:
    """What a decision changes on one Link it has read at `rev`: all observed moves are judged.

    `agreed` and `quarantine` replace what was stored; `dangling` are remote ids that point at records
    not linked yet; `keys` are the match keys of this record; they, `entered` and `active` are None when they
    did not change. `assumed` are the assumptions that are still open, None when none was judged.
    """

    link_id: int
    rev: int
    agreed: Mapping[str, Agreed]
    quarantine: Mapping[str, Quarantine]
    primary: bool
    withheld: int = 0
    dangling: tuple[Ref, ...] = ()
    keys: tuple[tuple[str, str], ...] | None = None
    entered: bool | None = None
    active: bool | None = None
    assumed: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class HubEdit:
    """An edit made in the hub by a person; a claim of source `hub`."""

    id: int
    field: str
    value: Value
    user: str
    at: datetime
    pin: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known about one entity, for one decision.

    `mark` is the due row as read: one that was renewed meanwhile stays. `rival_consent`: opt-outs of
    entities that may be this one, or are and are not united with it yet. `anew`: differences that wait for a
    release are told as if nobody had been told of them yet.
    """

    entity: Entity
    links: tuple[Link, ...]
    open: tuple[OpenDelivery, ...] = ()
    edits: tuple[HubEdit, ...] = ()
    consent: tuple[ConsentEvent, ...] = ()
    rival_consent: tuple[ConsentEvent, ...] = ()
    mark: int = 0
    reasons: tuple[str, ...] = ()
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Founding:
    """A company to be made because a contact names it and nobody bears that name or domain.

    It gets a wanted record in `connection`/`object`, under these match keys; `contact_id` (public:
    `named_by`) is decided again once it is there.
    """

    connection: str
    object: str
    values: Mapping[str, Value]
    keys: tuple[tuple[str, str], ...]
    contact_id: int
    named_by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of one decision about one entity; previewed, explained, committed by the same object.

    `entity` is as it should become, its `revision` as it was read. `superseded`: ids of never-sent
    Deliveries that this plan replaces. `unwanted`: ids of links whose record was never made and shall not be
    made any more. `later`: writes that are decided too and leave when what goes before them on their record
    and lane has ended; the entity is due then. `references`: (field, public id) of every entity that this one
    points at. `skipped`: why a record that might be expected was not written: (connection, object,
    reason). `missed`: by link, what it is to remember of changes that it could not get (`Link.missed`),
    nothing for one that has caught up. `withheld`: replacements newly reported but not written, as Writes
    that would be made. `kept`: what was learned about the forms of systems that do not answer with the
    record.
    """

    before: Entity
    entity: Entity
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    links: tuple[LinkPatch, ...] = ()
    writes: tuple[Write, ...] = ()
    withheld: tuple[Write, ...] = ()
    later: tuple[Write, ...] = ()
    superseded: tuple[int, ...] = ()
    unwanted: tuple[int, ...] = ()
    consent: tuple[ConsentEvent, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    skipped: tuple[tuple[str, str, str], ...] = ()
    missed: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)
    edits: tuple[int, ...] = ()
    foundings: tuple[Founding, ...] = ()
    mark: int = 0
    look_again_at: datetime | None = None
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Read-only knowledge beside the entity: other entities and how remote ids resolve to them.

    `gates_open`: where records may be made; `coming`: where they may as soon as it is known who is who among
    those that were read. `rivals`: where the records are of which nobody knows yet whether they are this
    link's person. `past`: by entity id its latest decisions, newest first, of those that somebody edited in a
    system. `holders`: match key of a company -> those that hold it; empty where no object makes companies.
    `formats`: by (connection, object, path), of the fields that these decisions have to judge.
    """

    references: Mapping[str, Reference] = field(default_factory=dict)
    remote: Mapping[Ref, str] = field(default_factory=dict)  # Ref -> public id of the entity linked there
    companies: Mapping[str, str] = field(
        default_factory=dict
    )  # company name as said -> the one that bears it
    rivals: Mapping[int, frozenset[str]] = field(default_factory=dict)  # link -> connections, see below
    released: frozenset[str] = frozenset()
    gates_open: frozenset[tuple[str, str]] = frozenset()
    coming: frozenset[tuple[str, str]] = frozenset()
    past: Mapping[int, Sequence[HistoryRow]] = field(default_factory=dict)
    holders: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    formats: Mapping[tuple[str, str, str], Format] = field(default_factory=dict)
