"""What a connector is: the protocol, its capabilities, and the shapes that go in and come out.

A connector translates: request out, record in, error class by table. It does not retry, sleep, log
values, cache between calls (beyond tokens and ids of metadata names), or decide what a moved id means.
It receives its HTTP client and settings and makes nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from trueup.errors import ConnectorError, RateLimited, Unauthorized
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record


class Capability(StrEnum):
    """What a system can do, per object. The engine has a stated fallback for each missing one."""

    INCREMENTAL = "incremental"  # CHANGES readings; else every poll is a LISTING compared by content
    COMPLETE_LISTING = "complete_listing"  # LISTING really returns every living record
    CONTENT_IDS = "content_ids"  # an id is made of the record's content: an edit gives it another one
    ORDERED_BY_CHANGE = "ordered_by_change"  # CHANGES arrive oldest first
    DELETES_VISIBLE = "deletes_visible"  # deletions arrive in CHANGES; else by absence from a LISTING
    WEBHOOKS = "webhooks"
    BATCH_READ = "batch_read"  # read(ids) costs one call per batch
    LOOKUP_BY_KEY = "lookup_by_key"  # find(field, values); may lag (ObjectSpec.lag)
    BATCH_WRITE = "batch_write"  # write(items) costs one call per batch
    ASYNC_BATCH = "async_batch"  # write may answer Pending(job)
    CONDITIONAL_WRITE = "conditional_write"  # refuses a stale version
    UPSERT_BY_KEY = "upsert_by_key"  # a repeated create with the same key makes one record
    IDEMPOTENCY_KEY = "idempotency_key"  # a repeated request with the same key acts once
    ANSWERS_WITH_RECORD = "answers_with_record"  # a write's answer holds what was kept
    READ_YOUR_WRITES = "read_your_writes"  # lists and look-ups show a write at once
    FIELD_TIMES = "field_times"  # says when each field changed
    ELEMENT_WRITES = "element_writes"  # adds and removes single elements of a list
    DEACTIVATE = "deactivate"  # a record can be switched off and on again
    DELETE = "delete"
    MERGE = "merge"  # joins two records there
    SCHEMA = "schema"  # fields() is live metadata
    WRITE_WHOLE = "write_whole"  # one write call replaces the whole object (csv)


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """What the connector knows about one object before asking the system.

    `kind` is the canonical entity (`contact`, `company`, `deal`, `user`) or fact (`case`) it usually is.
    `read_batch` / `write_batch`: most records per call. `lag`: seconds until lists and look-ups show a
    write (0 = at once). `lookback`: seconds that an incremental reading starts before its cursor.
    `keys`: fields that look-ups and upserts accept, strongest first. `merge_undo`: in words what undoing
    a merge there means, empty when there is no merge. `required`: fields without which no record can be
    made, known before asking. `ids`: how ids compare: `exact` or `casefold`. `id_field`: the field whose
    value is the id, where the configuration names one (a column); the system may not keep it unique.
    """

    name: str
    kind: str
    capabilities: frozenset[Capability]
    read_batch: int = 100
    write_batch: int = 1
    lag: float = 0.0
    lookback: float = 0.0
    keys: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    merge_undo: str = ""
    ids: str = "exact"
    id_field: str = ""
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Elements:
    """A list field in a write, changed element by element (only with ELEMENT_WRITES).

    Of a list of objects `add` holds new items and those that change, with their id and only what changes;
    `remove` names items by id and value.
    """

    add: tuple[Json, ...] = ()
    remove: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteItem:
    """One intended write. `key` names it inside the batch and is the idempotency key.

    `values`: remote field path to remote value; None clears the field; a missing path is left alone.
    `id` is None for a create. `version` guards (CONDITIONAL_WRITE); None = unguarded.
    `upsert`: (key field, value) for a create that must not make a second record.
    `merge_into`: for MERGE, the id of the record that stays.
    `known`: of lists of objects, what they held when they were read (with the ids that the system gave).
    """

    key: str
    kind: WriteKind
    id: str | None
    values: Mapping[str, Json]
    version: str | None = None
    upsert: tuple[str, Json] | None = None
    merge_into: str | None = None
    known: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """Applied. `id` is the record's id as the system answered; `record` what it keeps, if it told; `at`
    when that was, by the system's own time, where it is known; `shown` what the hub read of single paths
    right after it, where the system did not tell, and `stamp` when the record had changed last by then."""

    id: str
    record: Record | None = None
    created: bool = False
    at: datetime | None = None
    shown: Mapping[str, Json] = field(default_factory=dict)
    stamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """Not applied, and will not be as it is. `fields`: remote field to reason ("" = the record).

    `existing_id`: the system says that this record exists already, under this id. `code` TU-REF-011: a
    value that must be unique is another record's, whether or not the system names that one.
    """

    reason: str
    fields: Mapping[str, str] = field(default_factory=dict)
    existing_id: str | None = None
    code: str = "TU-REF-001"


@dataclass(frozen=True, slots=True)
class StaleItem:
    """Not applied: the version moved."""


@dataclass(frozen=True, slots=True)
class GoneItem:
    """Not applied: the record is not there any more."""

    successor: str | None = None
    successor_object: str | None = None


@dataclass(frozen=True, slots=True)
class NotApplied:
    """Certainly not applied, may work later (a row lock). `retry_after` in seconds, if told. `tried` is false
    where the system did not look at the item at all: a limit is reached, the login does not hold."""

    reason: str
    retry_after: float | None = None
    tried: bool = True


def not_applied(error: ConnectorError) -> NotApplied:
    """The outcome of items whose call ended with an error that tells they were not applied."""
    wait = getattr(error, "retry_after", None)
    return NotApplied(error.message, wait, tried=not isinstance(error, RateLimited | Unauthorized))


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """May have been applied; look before acting again. `refused`: the code of a refusal that the system gave,
    which holds where looking shows nothing of it."""

    reason: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """Taken by a remote job; `poll(job)` tells the outcome later."""

    job: str


Outcome: TypeAlias = Done | RefusedItem | StaleItem | GoneItem | NotApplied | UnknownItem | Pending


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A received webhook, raw: method, full URL as the sender saw it, headers, body bytes."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Connector(Protocol):
    """Code for one kind of system, set up for one account.

    Every method may raise the `ConnectorError` that says what to do next. `write` raises only for the
    batch as a whole; what concerns one item comes back as its Outcome, in the order of the items.
    """

    def objects(self) -> Mapping[str, ObjectSpec]:
        """The objects this connection can work with, by name."""
        ...

    def whoami(self) -> str:
        """One cheap authenticated call; a sentence naming the account. Unauthorized if it fails."""
        ...

    def fields(self, object: str) -> Sequence[FieldSpec]:
        """Live metadata, or the static description where the system has none."""
        ...

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        """One page. A LISTING starts with cursor None; CHANGES starts where the last reading ended.

        `fields` are the remote paths wanted; each record carries those that the system said.
        """
        ...

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        """These records now, in the order of `ids`. A record that answers with another id was moved."""
        ...

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        """Records whose `key` field holds one of `values`, in any order (LOOKUP_BY_KEY)."""
        ...

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        """Send one batch of writes of one kind; `fields` are wanted back where the system answers so."""
        ...

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        """The outcomes of a remote job; all Pending while it runs."""
        ...

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        """What a webhook points at. Raises Unauthorized for a forged, stale or repeated-window one."""
        ...

    def close(self) -> None:
        """Let go of sockets and files."""
        ...
