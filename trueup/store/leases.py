"""Ownership of pieces of work, and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from trueup.errors import LeaseLost, NotFound
from trueup.model.jsontext import dumps, loads
from trueup.model.run import Fence, Run, RunOutcome
from trueup.store.codec import micros, moment, moment_or_none
from trueup.store.sql import Row, Tx


def check(tx: Tx, fence: Fence | None) -> None:
    """Raises LeaseLost unless this fence is the newest; nobody takes the lease over meanwhile."""
    if fence is None:
        return
    found = tx.row("select number from leases where name = ?" + tx.share, fence.name)
    if found is None or found[0] != fence.number:
        raise LeaseLost(f"{fence.owner} does not own {fence.name} any more")


def lease(tx: Tx, name: str, owner: str, now: datetime, until: datetime) -> Fence | None:
    tx.insert_new("leases", ("name", "owner", "number", "until"), [(name, owner, 0, 0)])
    found = tx.row("select owner, number, until from leases where name = ?" + tx.lock, name)
    assert found is not None
    holder, number, ends = found
    if holder != owner and ends > micros(now):
        return None
    tx.run(
        "update leases set owner = ?, number = ?, until = ? where name = ?",
        owner,
        number + 1,
        micros(until),
        name,
    )
    return Fence(name, owner, number + 1, until)


def owner(tx: Tx, name: str) -> Fence | None:
    found = tx.row("select owner, number, until from leases where name = ? and until > 0", name)
    return None if found is None else Fence(name, found[0], found[1], moment(found[2]))


def take_over(tx: Tx, fence: Fence, owner: str, until: datetime) -> Fence | None:
    taken = tx.run(
        "update leases set owner = ?, number = number + 1, until = ?"
        " where name = ? and owner = ? and number = ?",
        owner,
        micros(until),
        fence.name,
        fence.owner,
        fence.number,
    )
    return Fence(fence.name, owner, fence.number + 1, until) if taken else None


def renew(tx: Tx, fence: Fence, until: datetime) -> Fence:
    moved = tx.run(
        "update leases set until = ? where name = ? and owner = ? and number = ?",
        micros(until),
        fence.name,
        fence.owner,
        fence.number,
    )
    if not moved:
        raise LeaseLost(f"{fence.owner} does not own {fence.name} any more")
    return Fence(fence.name, fence.owner, fence.number, until)


def let_go(tx: Tx, fence: Fence) -> None:
    """Free for others at once; nothing happens where somebody else owns it already."""
    tx.run(
        "update leases set until = 0 where name = ? and owner = ? and number = ?",
        fence.name,
        fence.owner,
        fence.number,
    )


def start_run(tx: Tx, kind: str, config_version: str, user: str, at: datetime) -> int:
    tx.run(
        "update runs set outcome = ?, notes = ?, ended_at = ? where outcome = ?",
        str(RunOutcome.FAILED),
        dumps(["its process ended before it did"]),
        micros(at),
        str(RunOutcome.RUNNING),
    )
    (id,) = tx.allocate("runs", 1)
    columns = ("id", "kind", "outcome", "config_version", "author", "started_at")
    row = (id, kind, str(RunOutcome.RUNNING), config_version, user, micros(at))
    tx.insert("runs", columns, [row])
    return id


def finish_run(
    tx: Tx, id: int, outcome: RunOutcome, counts: Mapping[str, int], notes: Sequence[str], at: datetime
) -> None:
    moved = tx.run(
        "update runs set outcome = ?, counts = ?, notes = ?, ended_at = ? where id = ?",
        str(outcome),
        dumps(dict(counts)),
        dumps(list(notes)),
        micros(at),
        id,
    )
    if not moved:
        raise NotFound(f"there is no run {id}")


def add_note(tx: Tx, id: int, note: str) -> None:
    """Add what became of a run later to what it noted itself."""
    notes = [*run(tx, id).notes, note]
    tx.run("update runs set notes = ? where id = ?", dumps(notes), id)


_RUN = "id, kind, started_at, config_version, outcome, ended_at, counts, notes, author"


_MOST = 2**63 - 1
"""The largest number that a database takes for a run."""


def runs(tx: Tx, limit: int) -> list[Run]:
    return [_run(row) for row in tx.rows(f"select {_RUN} from runs order by id desc limit ?", limit)]


def run(tx: Tx, id: int) -> Run:
    found = tx.row(f"select {_RUN} from runs where id = ?", id) if 0 < id <= _MOST else None
    if found is None:
        raise NotFound(f"there is no run {id}", typed=str(id))
    return _run(found)


def _run(row: Row) -> Run:
    return Run(
        id=row[0],
        kind=row[1],
        started_at=moment(row[2]),
        config_version=row[3],
        outcome=RunOutcome(row[4]),
        ended_at=moment_or_none(row[5]),
        counts=loads(row[6]),
        notes=tuple(loads(row[7])),
        user=row[8],
    )
