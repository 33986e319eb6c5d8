"""`open_store(url)`: the Store port on SQLite or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from trueup.errors import ConfigError, NoDatabase, Problem
from trueup.model.activity import Fact
from trueup.model.consent import ConsentEvent
from trueup.model.delivery import Delivery, DeliveryState, Lane, Settlement
from trueup.model.entity import Link, Quarantine, Reference
from trueup.model.fields import Kind
from trueup.model.formats import Format
from trueup.model.history import HistoryRow
from trueup.model.landing import Absences, Backlog, Landed, LandedFacts, Landing, StreamState
from trueup.model.matching import Assignment, Candidate, MatchDecision, Rekeyed
from trueup.model.plan import Case, Founding, Plan
from trueup.model.record import Record, Ref
from trueup.model.run import AuditRow, Chain, Fence, Gate, Run, RunOutcome
from trueup.model.values import Value
from trueup.ports import Store
from trueup.store import (
    absences,
    ask,
    audit,
    commit,
    decide,
    formats,
    history,
    identify,
    land,
    leases,
    marks,
    migrate,
    outbox,
    rekeying,
    removal,
    settle,
    streams,
)
from trueup.store.facts import land_facts
from trueup.store.founding import found
from trueup.store.giving_back import give_back
from trueup.store.sql import Database
from trueup.store.sqlite import SqliteDatabase
from trueup.store.terms import heed_terms


def open_store(url: str) -> Store:
    """Open the hub's memory, and bring its schema up to date first.

    `sqlite:///hub.db` (a file), `sqlite://` (memory, gone with the process), `postgresql://…`. Raises
    ConfigError for another kind, NoDatabase where it cannot be opened.
    """
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        raise _no_kind("what `database:` says is no address of a database") from None
    if kind not in _LOOK_AT:
        raise _no_kind(f"no hub can be kept in {kind}")
    try:
        return _open_sqlite(url) if kind == "sqlite" else _open_postgres(url)
    except (DBAPIError, sqlite3.Error) as error:
        where = make_url(url).render_as_string(hide_password=True)
        code = "TU-STO-011" if isinstance(error, OperationalError) else NoDatabase.code
        told = f"the hub's database {where} cannot be opened: {_why(error)}"
        raise NoDatabase(told, _LOOK_AT[kind], code) from error


def _no_kind(message: str) -> ConfigError:
    allowed = "sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME"
    return ConfigError([Problem("hub.yaml", 0, 0, message, allowed=allowed)])


_LOOK_AT = {
    "sqlite": "see that its folder is there and may be written to, and that the file is a hub's",
    "postgresql": "see that the server runs, and lets this user into this database",
}


def _why(error: Exception) -> str:
    """What the database itself says, in one line."""
    own = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if getattr(own, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
        return "this user may only read it or its folder, and looking at it writes, too (a journal beside it)"
    return next(iter(str(own).strip().splitlines()), type(own).__name__)


def _open_postgres(url: str) -> Store:
    from trueup.store.postgres import PostgresDatabase, psycopg_url

    migrate.migrate(psycopg_url(url))
    return SqlStore(PostgresDatabase(psycopg_url(url)))


def _open_sqlite(url: str) -> Store:
    path = make_url(url).database or ":memory:"
    if path != ":memory:":
        _for_its_owner(Path(path))
        migrate.migrate(url)
        return SqlStore(SqliteDatabase(path))
    database = SqliteDatabase(path)
    database.prepare(migrate.fill)
    return SqlStore(database)


def _for_its_owner(path: Path) -> None:
    """A new file that only its owner may read: it will hold personal data. Those beside it (-wal,
    -shm) get the same mode from SQLite. Where none can be made, SQLite itself says why."""
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


class SqlStore:
    """Each verb is one function in the module of its group, run as one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # -- connections and streams ------------------------------------------------------------------

    def register(self, connections: Sequence[str], config_version: str) -> bool:
        return self._db.write(lambda tx: streams.register(tx, connections, config_version))

    def heed_terms(self, terms: Mapping[tuple[str, str], Mapping[str, str]], telling: Collection[str]) -> int:
        return self._db.write(lambda tx: heed_terms(tx, terms, telling))

    def released(self) -> frozenset[str]:
        return self._db.read(streams.released)

    def release(self, connection: str, user: str, at: datetime) -> int:
        return self._db.write(lambda tx: streams.release(tx, connection, user, at))

    def approved(self) -> frozenset[str]:
        return self._db.read(streams.approved)

    def approve(self, connections: Sequence[str], user: str, at: datetime) -> None:
        self._db.write(lambda tx: streams.approve(tx, connections, user, at))

    def remembered(self) -> frozenset[str]:
        return self._db.read(streams.remembered)

    def rename_connection(self, old: str, new: str, user: str, at: datetime) -> int:
        return self._db.write(lambda tx: removal.rename_connection(tx, old, new, user, at))

    def remove_connection(self, name: str, user: str, at: datetime) -> int:
        return self._db.write(lambda tx: removal.remove_connection(tx, name, user, at))

    def stream(self, connection: str, object: str) -> StreamState:
        return self._db.read(lambda tx: streams.stream(tx, connection, object))

    def begin_listing(self, connection: str, object: str, at: datetime) -> int:
        return self._db.write(lambda tx: streams.begin_listing(tx, connection, object, at))

    # -- land -------------------------------------------------------------------------------------

    def land(self, landing: Landing, fence: Fence | None) -> Landed:
        return self._db.write(lambda tx: land.land(tx, landing, fence))

    def known(self, connection: str, object: str, ids: Sequence[str]) -> Mapping[str, Link]:
        return self._db.read(lambda tx: land.known_links(tx, connection, object, ids))

    def late(
        self, connection: str, object: str, views: Sequence[Record], began: datetime, lag: timedelta
    ) -> Sequence[str]:
        return self._db.read(lambda tx: land.late(tx, connection, object, views, began, lag))

    def hidden(self, now: datetime, connections: Sequence[str], after: int, limit: int) -> Sequence[Link]:
        return self._db.read(lambda tx: land.hidden(tx, now, connections, after, limit))

    def land_facts(self, connection: str, facts: Sequence[Fact], at: datetime) -> LandedFacts:
        return self._db.write(lambda tx: land_facts(tx, connection, facts, at))

    # -- identify ---------------------------------------------------------------------------------

    def strangers(
        self,
        kinds: Sequence[Kind],
        after: int,
        limit: int,
        awaited: Sequence[tuple[str, str]] = (),
    ) -> Sequence[Link]:
        return self._db.read(lambda tx: identify.strangers(tx, kinds, after, limit, awaited))

    def links(self, ids: Sequence[int]) -> Sequence[Link]:
        return self._db.read(lambda tx: ask.links(tx, ids))

    def moved(self, kind: Kind, after: int, limit: int) -> Sequence[Link]:
        return self._db.read(lambda tx: identify.moved(tx, kind, after, limit))

    def find_too(
        self, kind: Kind, keys: Mapping[int, Sequence[tuple[str, str]]], fence: Fence | None
    ) -> None:
        held = [(link, str(kind), pairs) for link, pairs in sorted(keys.items())]
        self._db.write(lambda tx: identify.find_too(tx, held, fence))

    def candidates(
        self, kind: Kind, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Sequence[Candidate]]:
        return self._db.read(lambda tx: identify.candidates(tx, kind, keys))

    def assign(self, assignments: Sequence[Assignment], at: datetime, fence: Fence | None) -> Sequence[int]:
        return self._db.write(lambda tx: identify.assign(tx, assignments, at, fence))

    def stale_keys(self, connection: str, object: str, version: int, limit: int) -> Sequence[Link] | None:
        return self._db.read(lambda tx: rekeying.stale_keys(tx, connection, object, version, limit))

    def rekey(self, made: Rekeyed, fence: Fence | None) -> None:
        self._db.write(lambda tx: rekeying.rekey(tx, made, fence))

    def verdicts(self, links: Sequence[int]) -> Sequence[MatchDecision]:
        return self._db.read(lambda tx: identify.verdicts(tx, links))

    # -- decide -----------------------------------------------------------------------------------

    def due(self, kinds: Sequence[Kind], now: datetime, after: int, limit: int) -> Sequence[int]:
        return self._db.read(lambda tx: decide.due(tx, kinds, now, after, limit))

    def load(self, ids: Sequence[int]) -> Sequence[Case]:
        return self._db.read(lambda tx: decide.load(tx, ids))

    def resolve(self, refs: Sequence[Ref]) -> Mapping[Ref, str]:
        return self._db.read(lambda tx: decide.resolve(tx, refs))

    def references(self, ids: Sequence[str]) -> Mapping[str, Reference]:
        return self._db.read(lambda tx: decide.references(tx, ids))

    def gates_open(self) -> Mapping[tuple[str, str], bool]:
        return self._db.read(streams.gates_open)

    def commit(self, plans: Sequence[Plan], run_id: int, at: datetime, fence: Fence | None) -> Sequence[int]:
        return self._db.write(lambda tx: commit.commit(tx, plans, run_id, at, fence))

    def found(
        self, foundings: Sequence[Founding], run_id: int, at: datetime, fence: Fence | None
    ) -> Sequence[int]:
        return self._db.write(lambda tx: found(tx, foundings, run_id, at, fence))

    def mark_due(self, ids: Sequence[int], reason: str) -> None:
        self._db.write(lambda tx: marks.mark_due(tx, ids, reason))

    def edit(
        self,
        public_id: str,
        values: Mapping[str, Value],
        user: str,
        at: datetime,
        pin: bool,
        heard: Sequence[ConsentEvent] = (),
    ) -> None:
        self._db.write(lambda tx: decide.edit(tx, public_id, values, user, at, pin, heard))

    # -- outbox -----------------------------------------------------------------------------------

    def outstanding(
        self,
        now: datetime,
        lanes: Sequence[Lane],
        connections: Sequence[str],
        limit: int,
        among: Collection[int] | None = None,
    ) -> Sequence[Delivery]:
        return self._db.read(lambda tx: outbox.outstanding(tx, now, lanes, connections, limit, among))

    def unsent(
        self, now: datetime, after: int, limit: int, among: Collection[int] | None = None
    ) -> Sequence[Delivery]:
        return self._db.read(lambda tx: outbox.unsent(tx, now, after, limit, among))

    def send(
        self, revisions: Mapping[int, int], worker: str, at: datetime, fence: Fence | None
    ) -> Sequence[int]:
        return self._db.write(lambda tx: outbox.send(tx, revisions, worker, at, fence))

    def settle(self, settlements: Sequence[Settlement], at: datetime, fence: Fence | None) -> frozenset[int]:
        return self._db.write(lambda tx: settle.settle(tx, settlements, at, fence))

    def doubtful(
        self, now: datetime, connections: Sequence[str], limit: int, lanes: Sequence[Lane] = tuple(Lane)
    ) -> Sequence[Delivery]:
        return self._db.read(lambda tx: outbox.doubtful(tx, now, connections, limit, lanes))

    def waiting(
        self, now: datetime, connections: Sequence[str], limit: int, lanes: Sequence[Lane] = tuple(Lane)
    ) -> Sequence[Delivery]:
        return self._db.read(lambda tx: outbox.waiting(tx, now, connections, limit, lanes))

    def abandoned(self, worker_gone_before: datetime, lags: Mapping[tuple[str, str], float]) -> int:
        return self._db.write(lambda tx: outbox.abandoned(tx, worker_gone_before, lags))

    def next_delivery_at(
        self,
        connections: Sequence[str],
        lanes: Sequence[Lane] = tuple(Lane),
        among: Collection[int] | None = None,
    ) -> datetime | None:
        return self._db.read(lambda tx: outbox.next_delivery_at(tx, connections, lanes, among))

    def pending(self) -> Mapping[tuple[str, str, str], int]:
        return self._db.read(outbox.pending)

    def held_by(self) -> int | None:
        return self._db.read(outbox.held_by)

    def gather_gated(self, fence: Fence | None) -> int | None:
        return self._db.write(lambda tx: outbox.gather_gated(tx, fence))

    def gates(self, among: Collection[int] | None = None) -> Mapping[tuple[str, str], Gate]:
        return self._db.read(lambda tx: outbox.gates(tx, among))

    def let_through(self, among: Collection[int] | None = None) -> Mapping[tuple[str, str], frozenset[int]]:
        return self._db.read(lambda tx: outbox.let_through(tx, among))

    def gated(self, run_id: int, among: Collection[int] | None = None) -> Mapping[tuple[str, str], int]:
        return self._db.read(lambda tx: outbox.gated(tx, run_id, among))

    def hold_absences(self, run_id: int, missing: Mapping[tuple[str, str], int], fence: Fence | None) -> None:
        self._db.write(lambda tx: absences.hold(tx, run_id, missing, fence))

    def absences(self) -> Sequence[Absences]:
        return self._db.read(absences.held)

    def accept_absences(self, run_id: int, user: str, at: datetime) -> int:
        return self._db.write(lambda tx: absences.accept(tx, run_id, user, at))

    def open_gates(
        self,
        connection: str,
        gate: str,
        user: str,
        at: datetime,
        among: Collection[int] | None = None,
        fence: Fence | None = None,
    ) -> int:
        return self._db.write(lambda tx: outbox.open_gates(tx, connection, gate, user, at, among, fence))

    def close_gates(self, run_id: int, user: str, reason: str, at: datetime) -> int:
        return self._db.write(lambda tx: outbox.close_gates(tx, run_id, user, reason, at))

    # -- leases, runs -----------------------------------------------------------------------------

    def lease(self, name: str, owner: str, now: datetime, until: datetime) -> Fence | None:
        return self._db.write(lambda tx: leases.lease(tx, name, owner, now, until))

    def owner(self, name: str) -> Fence | None:
        return self._db.read(lambda tx: leases.owner(tx, name))

    def take_over(self, fence: Fence, owner: str, until: datetime) -> Fence | None:
        return self._db.write(lambda tx: leases.take_over(tx, fence, owner, until))

    def renew(self, fence: Fence, until: datetime) -> Fence:
        return self._db.write(lambda tx: leases.renew(tx, fence, until))

    def let_go(self, fence: Fence) -> None:
        self._db.write(lambda tx: leases.let_go(tx, fence))

    def start_run(self, kind: str, config_version: str, user: str, at: datetime) -> int:
        return self._db.write(lambda tx: leases.start_run(tx, kind, config_version, user, at))

    def finish_run(
        self, id: int, outcome: RunOutcome, counts: Mapping[str, int], notes: Sequence[str], at: datetime
    ) -> Sequence[str]:
        self._db.write(lambda tx: leases.finish_run(tx, id, outcome, counts, notes, at))
        left = self._db.tidy()
        if left:
            self._db.write(lambda tx: leases.finish_run(tx, id, outcome, counts, [*notes, *left], at))
        return left

    # -- what people ask --------------------------------------------------------------------------

    def formats(self, connections: Sequence[str] | None = None) -> Sequence[Format]:
        return self._db.read(lambda tx: formats.formats(tx, connections))

    def runs(self, limit: int) -> Sequence[Run]:
        return self._db.read(lambda tx: leases.runs(tx, limit))

    def run(self, id: int) -> Run:
        return self._db.read(lambda tx: leases.run(tx, id))

    def audit(self, subject: str, limit: int) -> Sequence[AuditRow]:
        return self._db.read(lambda tx: audit.audit(tx, subject, limit))

    def verify_audit(self) -> Chain:
        return self._db.read(audit.verify)

    def find(self, kind: Kind, text: str, limit: int) -> Sequence[str]:
        return self._db.read(lambda tx: ask.find(tx, kind, text, limit))

    def named(self, kind: Kind, text: str, limit: int) -> Sequence[str]:
        return self._db.read(lambda tx: ask.named(tx, kind, text, limit))

    def case(self, public_id: str) -> Case:
        return self._db.read(lambda tx: decide.case(tx, public_id))

    def history(self, public_id: str, limit: int) -> Sequence[HistoryRow]:
        return self._db.read(lambda tx: history.history(tx, public_id, limit))

    def past(self, ids: Sequence[int], since: datetime) -> Mapping[int, Sequence[HistoryRow]]:
        return self._db.read(lambda tx: history.past(tx, ids, since))

    def deliveries(
        self, states: Sequence[DeliveryState], connection: str | None, limit: int, run_id: int | None = None
    ) -> Sequence[Delivery]:
        return self._db.read(lambda tx: outbox.deliveries(tx, states, connection, limit, run_id))

    def past_deliveries(self, links: Sequence[int]) -> Sequence[Delivery]:
        return self._db.read(lambda tx: outbox.past(tx, links))

    def rejections(self, run_id: int) -> Sequence[str]:
        return self._db.read(lambda tx: outbox.rejections(tx, run_id))

    def delivery(self, id: int) -> Delivery:
        return self._db.read(lambda tx: outbox.delivery(tx, id))

    def retry(self, ids: Sequence[int], user: str, at: datetime) -> int:
        return self._db.write(lambda tx: outbox.retry(tx, ids, user, at))

    def discard(self, ids: Sequence[int], user: str, at: datetime) -> int:
        return self._db.write(lambda tx: outbox.discard(tx, ids, user, at))

    def quarantined(self, connection: str | None, limit: int) -> Sequence[tuple[Link, str, Quarantine]]:
        return self._db.read(lambda tx: ask.quarantined(tx, connection, limit))

    def give_back(self, places: Sequence[tuple[int, str]], user: str, at: datetime) -> int:
        return self._db.write(lambda tx: give_back(tx, places, user, at))

    def withheld(self, connection: str, object: str, after: int, limit: int) -> Sequence[int]:
        return self._db.read(lambda tx: ask.withheld(tx, connection, object, after, limit))

    def holders(self, connection: str, object: str, after: int, limit: int) -> Sequence[int]:
        return self._db.read(lambda tx: ask.holders(tx, connection, object, after, limit))

    def count_links(self) -> Mapping[tuple[str, str, str], int]:
        return self._db.read(ask.count_links)

    def unsure(self, limit: int) -> Sequence[MatchDecision]:
        return self._db.read(lambda tx: identify.unsure(tx, limit))

    def doubles(self, kind: Kind) -> Mapping[str, Sequence[str]]:
        return self._db.read(lambda tx: identify.doubles(tx, kind))

    def backlog(self) -> Backlog:
        return self._db.read(ask.backlog)

    def close(self) -> None:
        self._db.close()
