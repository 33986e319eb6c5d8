"""Writes that are wanted, and their life in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trueup.model.entity import Agreed, Link, Quarantine
from trueup.model.record import Json
from trueup.model.values import Value


class Lane(StrEnum):
    """Importance, the highest first; a lane never waits for a lower one."""

    URGENT = "urgent"  # consent, transitions
    NORMAL = "normal"


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


REFUSED = "TU-REF-"
"""How the codes of refusals begin."""

DISCARDED, REJECTED = "TU-DEL-010", "TU-DEL-011"
"""A person gave up this write: by itself, or with all that its run held back."""
GIVEN_UP = (DISCARDED, REJECTED)


UNDER_WAY_STATES = (DeliveryState.DUE, DeliveryState.SENT, DeliveryState.DOUBT, DeliveryState.WAITING)
"""Open, and nobody has to let them through first."""

UNSENT_STATES = (DeliveryState.DUE, DeliveryState.GATED, DeliveryState.PARKED)
"""A Delivery in one of these was never sent, or certainly not applied: it may be superseded."""


@dataclass(frozen=True, slots=True)
class Write:
    """One intended write to one record.

    `link_id` 0 means a create: a wanted Link of `connection`/`object` is made with it. `values`: remote
    path to remote value (None clears; `{"+": [...], "-": [...]}` changes elements of a list, see
    `mapping.elements`). `wants`: binding key to what the hub holds there, the hub side of the agreement once
    it is done (NEVER for what a create has to leave out: a reference, a field that may not be written).
    `replaced`: remote path to what stood there (rollback and unmerge need it). `gate`: the fuse
    kind that it must pass (`clear`, `deactivate`, `delete`, `merge`, `opt_in`, …), empty for what flows.
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

    @property
    def may_be_made(self) -> bool:
        """Whether a new record was refused and may stand there all the same: it is looked for first."""
        return (
            self.state is DeliveryState.DOUBT
            and self.write.kind is WriteKind.CREATE
            and self.code.startswith(REFUSED)
        )


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """What a decision must know of unfinished work on a Link. `digest` is of (kind, values), `wants` and
    `values` as in Write."""

    id: int
    link_id: int
    lane: Lane
    kind: WriteKind
    state: DeliveryState
    wants: Mapping[str, Value]
    digest: str
    values: Mapping[str, Json]


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
    failed was made; `untried`: this was no attempt. `told`: the answer held the record, or it was read back,
    and lists may show an older view of it for a while. `due`: why the entity must be decided again, empty for
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
    told: bool = False
    content_id: bool = False
    due: str = ""
