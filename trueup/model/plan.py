"""Decisions and the work that follows from them, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from trueup.model.consent import ConsentEvent
from trueup.model.entity import Agreed, Entity, Link, Quarantine, Reference
from trueup.model.fields import Kind
from trueup.model.record import Cursor, Json, Record, Ref
from trueup.model.values import Value

if TYPE_CHECKING:
    from trueup.model.history import HistoryRow


class Lane(StrEnum):
    """Importance; a lane never waits for a lower one."""

    URGENT = "urgent"  # consent, transitions
    NORMAL = "normal"
    BULK = "bulk"  # first loads, back-fills


class WriteKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    DELETE = "delete"
    MERGE = "merge"


class Effect(StrEnum):
    """What a write does to one field, seen from the system: fills have no fuse."""

    FILL = "fill"  # empty -> value
    REPLACE = "replace"  # value -> other value
    CLEAR = "clear"  # value -> empty


class DeliveryState(StrEnum):
    DUE = "due"
    SENT = "sent"
    DONE = "done"
    DOUBT = "doubt"  # outcome unknown: only reading resolves it
    WAITING = "waiting"  # a remote job works on it
    GATED = "gated"  # a fuse or an approval
    PARKED = "parked"  # a person
    SUPERSEDED = "superseded"  # never sent, decided anew
    OVERTAKEN = "overtaken"  # in doubt, and somebody edited there meanwhile


OPEN_STATES = (
    DeliveryState.DUE,
    DeliveryState.SENT,
    DeliveryState.DOUBT,
    DeliveryState.WAITING,
    DeliveryState.GATED,
    DeliveryState.PARKED,
)
UNSENT_STATES = (DeliveryState.DUE, DeliveryState.GATED, DeliveryState.PARKED)
"""A Delivery in one of these was never sent, or certainly not applied: it may be superseded."""


@dataclass(frozen=True, slots=True)
class Write:
    """One intended write to one record.

    `link_id` 0 means a create: a wanted Link of `connection`/`object` is made with it. `values`: remote
    path to remote value (None clears; `{"+": [...], "-": [...]}` changes elements of a list, see
    `mapping.elements`). `wants`: binding key to what the hub holds there, the hub side of the agreement once
    it is done (NEVER for a reference that a create has to leave out). `replaced`: remote path to what stood
    there (rollback and unmerge need it). `gate`: the fuse kind that it must pass (`clear`, `deactivate`,
    `delete`, `merge`, `opt_in`, …), empty for what flows.
    `upsert`: (key field, value) for a create. `aside`: bindings that a create leaves out because their
    value does not fit, kept with the new link.
    """

    link_id: int
    connection: str
    object: str
    kind: WriteKind
    lane: Lane
    values: Mapping[str, Json]
    wants: Mapping[str, Value] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    replaced: Mapping[str, Json] = field(default_factory=dict)
    gate: str = ""
    group: str = ""
    upsert: tuple[str, Json] | None = None
    aside: Mapping[str, Quarantine] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A Write in the outbox, with its life so far. `link` is the Link as it is now."""

    id: int
    write: Write
    link: Link
    entity_id: int
    entity_revision: int  # of which it carries all that was decided for this record; a later one has more
    state: DeliveryState
    attempts: int
    not_before: datetime
    run_id: int
    config_version: str
    created_at: datetime
    sent_at: datetime | None = None
    ended_at: datetime | None = None  # end of the last attempt; the look-up lag counts from here
    job: str | None = None
    error: str = ""
    code: str = ""
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """What a decision must know of unfinished work on a Link. `digest` is of (kind, values), `wants` as in
    Write."""

    id: int
    link_id: int
    lane: Lane
    kind: WriteKind
    state: DeliveryState
    wants: Mapping[str, Value]
    digest: str


class Change(NamedTuple):  # not a dataclass: made for every field of every record, at a third of the cost
    """A canonical value that moved, with its reason."""

    field: str
    old: Value
    new: Value
    source: str  # Ref as text, `hub:<user>`, or `rule`
    rule: str  # why it won: `authority`, `first sight`, `union`, `opt-out`, …


@dataclass(frozen=True, slots=True)
class Conflict:
    """An edit that lost, with the winner named."""

    field: str
    lost: Value
    lost_source: str
    kept: Value
    kept_source: str
    rule: str


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

    `marks` are the due rows as read: a mark that was renewed meanwhile stays. `released`: connections
    whose first load was released. `gates_open` are the streams of which one complete listing has
    landed: only there may records be created. `rival_consent`: opt-outs of entities of which nobody has
    decided yet whether they are this one.
    """

    entity: Entity
    links: tuple[Link, ...]
    open: tuple[OpenDelivery, ...] = ()
    edits: tuple[HubEdit, ...] = ()
    consent: tuple[ConsentEvent, ...] = ()
    rival_consent: tuple[ConsentEvent, ...] = ()
    mark: int = 0
    reasons: tuple[str, ...] = ()


class How(StrEnum):
    """What a value of ours turned out to be when it was read for the first time after an unanswered write."""

    AS_SENT = "as_sent"  # or its equal
    FORM = "form"  # the system's own form of it
    EDIT = "edit"  # somebody's edit


@dataclass(frozen=True, slots=True)
class Kept:
    """What one field of one record kept of our value."""

    connection: str
    object: str
    path: str
    how: How


@dataclass(frozen=True, slots=True)
class Format:
    """What a field of a system that does not answer did with our values: how many records kept them as sent,
    how many otherwise. `learned`: otherwise so often in a row that it is known to have a form of its own."""

    connection: str
    object: str
    path: str
    as_sent: int = 0
    otherwise: int = 0
    learned: bool = False


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

    `rivals`: where the records are of which nobody knows yet whether they are this link's person. `past`:
    by entity id its latest decisions, newest first, of those that somebody edited in a system. `holders`:
    match key of a company -> those that hold it; empty where no object makes companies.
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
    past: Mapping[int, Sequence[HistoryRow]] = field(default_factory=dict)
    holders: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    formats: Mapping[tuple[str, str, str], Format] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Landing:
    """Records to be stored as observed, with the cursor and what follows from them, in one transaction.

    `listing` is the number of the listing that they belong to (absence is judged by it), None for
    CHANGES and for single reads. `cursor` None leaves the stream's position alone. `complete`: this
    was the last page of that listing; `ended`: of this reading, whichever it was; `began` when it began
    (a listing's beginning is known). `moved` lists records
    that answered under another id than asked: (asked id, index into records). `fields` are the remote
    paths that were asked for; a completed listing remembers them. `consent`: opt-outs that no decision will
    read, of records that were deleted, merged away or not taken. `unreadable` are records that are there
    and could not be read, `rejected` the number of rows of which nobody can tell whose they are.
    `implausible` (missing, living) tells whether a complete listing lacks more records than may be believed
    to be deleted, None where absence says nothing; `opens`: the kinds of which something may be made once a
    first listing is complete. `asked`: the ids of a single read.
    """

    connection: str
    object: str
    kind: Kind
    records: tuple[Record, ...]
    at: datetime
    cursor: Cursor | None = None
    listing: int | None = None
    complete: bool = False
    ended: bool = False
    began: datetime | None = None
    fields: tuple[str, ...] = ()
    moved: tuple[tuple[str, int], ...] = ()
    consent: tuple[ConsentEvent, ...] = ()
    unreadable: tuple[str, ...] = ()
    rejected: int = 0
    implausible: Callable[[int, int], bool] | None = None
    opens: tuple[Kind, ...] = ()
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Landed:
    """What a landing found; the counts up to `older` add up to `read`.

    `vanished` were missing from a complete listing and are deleted for us; `doubted` of `living` links are
    missing and not believed to be deleted: they are too many, or stand beside `unread` rows of which nobody
    can tell whose they are.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    deleted: int = 0
    older: int = 0  # an older version than already seen is not evidence
    vanished: int = 0
    doubted: int = 0
    living: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where reading of one connection's object stands.

    `cursor` is where CHANGES go on; `listing_cursor` where an unfinished listing (number `listing`)
    goes on; `listed_at` when a listing was last complete, None if never; `read_at` when a reading last
    ended, `read_since` when that one began: what stood there by then was read; `fields` the remote paths
    that the last complete listing asked for; `rejected` how many rows of the last listing could not be read,
    nor told whose they are.
    """

    connection: str
    object: str
    cursor: Cursor | None = None
    listing_cursor: Cursor | None = None
    listing: int = 0
    listed_at: datetime | None = None
    read_at: datetime | None = None
    read_since: datetime | None = None
    fields: tuple[str, ...] = ()
    rejected: int = 0


class Verdict(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """A verdict about two links, with evidence by level (never by value) and author; revocable."""

    left: int
    right: int
    verdict: Verdict
    score: float
    evidence: Mapping[str, Json]
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that holds a key through one of its links, and the stream that this link belongs to."""

    entity_id: int
    link_id: int
    connection: str = ""
    object: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which entity a Link belongs to, decided under the keys it was looked up with.

    `entity_id` None makes a new one. `group`: links of one call that share a text are one new entity.
    `seen`: key to the entity ids that held it when this was decided; if that changed, the assignment is
    not made and the Link comes back as a stranger.
    """

    link_id: int
    rev: int
    kind: Kind
    keys: tuple[tuple[str, str], ...]
    entity_id: int | None
    group: str
    provisional: bool
    seen: Mapping[tuple[str, str], frozenset[int]]
    decisions: tuple[MatchDecision, ...] = ()


@dataclass(frozen=True, slots=True)
class Fence:
    """Ownership of a piece of work. `number` grows with every owner; commits check it."""

    name: str
    owner: str
    number: int
    until: datetime


class RunOutcome(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    WITH_ERRORS = "completed_with_errors"
    PARTIAL = "partial"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One decision of a person: who, when, what, about what. `details`: ids, names and counts, no values.
    `digest` covers the row and, by `previous`, every row before it."""

    at: datetime
    user: str
    action: str
    subject: str
    details: Mapping[str, Json]
    previous: bytes = b""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Run:
    """One pass. `counts` is a flat mapping (`sales.Lead.read` to number) that adds up."""

    id: int
    kind: str
    started_at: datetime
    config_version: str
    outcome: RunOutcome = RunOutcome.RUNNING
    ended_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    user: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one Delivery's attempt ended, and what follows for its Link.

    `state` is the Delivery's next state; `not_before` when it may be tried again. `observed` are the paths
    that were written, as the system now holds them; `said` is what else its answer told (a difference there
    is somebody's edit and makes the entity due). `agreed`: the agreement per written binding; the store
    keeps it only where the entity has moved on since the Delivery was decided (else it is the default).
    `remote_id`, `object`, `version`, `active` change the Link where not None (a moved link keeps its old
    id as an alias); `fresh`: nothing is agreed with that record yet (a create that found it there already).
    `published`: when throttled bindings were written. `failing_since`: when the first of the attempts that
    failed was made; `untried`: this was no attempt. `due`: why the entity must be decided again, empty for
    no need.
    """

    delivery_id: int
    state: DeliveryState
    not_before: datetime | None = None
    error: str = ""
    code: str = ""
    job: str | None = None
    observed: Mapping[str, Json] = field(default_factory=dict)
    said: Mapping[str, Json] = field(default_factory=dict)
    agreed: Mapping[str, Agreed] = field(default_factory=dict)
    assumed: Mapping[str, Json] = field(default_factory=dict)
    quarantine: Mapping[str, Quarantine] = field(default_factory=dict)
    published: Mapping[str, datetime] = field(default_factory=dict)
    remote_id: str | None = None
    object: str | None = None
    version: str | None = None
    drops_version: bool = False
    tombstone: bool = False
    active: bool | None = None
    changed_at: datetime | None = None
    fresh: bool = False
    failing_since: datetime | None = None
    untried: bool = False
    due: str = ""
