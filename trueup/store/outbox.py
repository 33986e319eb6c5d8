"""The outbox: which deliveries may go now, and how they leave it without being sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from trueup.errors import NotFound
from trueup.model.counting import counted
from trueup.model.delivery import (
    DISCARDED,
    GIVEN_UP,
    REFUSED,
    REJECTED,
    UNDER_WAY_STATES,
    Delivery,
    DeliveryState,
    Lane,
    WriteKind,
)
from trueup.model.entity import Agreed
from trueup.model.run import Fence, Gate, RunOutcome
from trueup.store.audit import note
from trueup.store.codec import micros, moment_or_none, write_agreed
from trueup.store.leases import add_note, check
from trueup.store.marks import mark_due, renew
from trueup.store.moves import supersede
from trueup.store.rows import deliveries_where
from trueup.store.sql import Row, Tx
from trueup.store.streams import streams
from trueup.sync.rules.acknowledge import ARRIVED, UNKNOWN, shown
from trueup.sync.rules.lanes import left

_SENDABLE = (
    "{among} v.open = 1 and v.stream_id = ? and v.state = 'due' and v.lane = ? and v.kind = ?"
    " and v.not_before <= ? and (l.state = 'live' and l.remote_id is not null"
    " or l.state = 'wanted' and v.kind = 'create')"
    " and (v.lane = 'urgent' or not exists"
    " (select 1 from due d where d.kind = l.kind and d.entity_id = v.entity_id and d.not_before = 0))"
    " order by v.not_before, v.id limit ?"
)
_HEAD = "select v.not_before, v.id from deliveries v join links l on l.id = v.link_id where" + _SENDABLE
_AMONG = " v.entity_id in ints(?) and"


def outstanding(
    tx: Tx,
    now: datetime,
    lanes: Sequence[Lane],
    connections: Sequence[str],
    limit: int,
    among: Collection[int] | None = None,
) -> list[Delivery]:
    """See `Store.outstanding`. That no other delivery of the same link and lane is open is a constraint."""
    known, at = streams(tx), micros(now)
    order = list(Lane)
    some = () if among is None else (sorted(among),)
    head_sql, sql = (one.format(among=_AMONG if some else "") for one in (_HEAD, _SENDABLE))
    for lane in sorted(lanes, key=order.index):
        heads = [
            (*head, stream_id, kind)
            for stream_id in known.of(connections)
            for kind in WriteKind
            if (head := tx.row(head_sql, *some, stream_id, str(lane), str(kind), at, 1)) is not None
        ]
        if heads:
            _, _, stream_id, kind = min(heads)
            return deliveries_where(tx, known, sql, *some, stream_id, str(lane), str(kind), at, limit)
    return []


def unsent(tx: Tx, now: datetime, after: int, limit: int, among: Collection[int] | None) -> list[Delivery]:
    """See `Store.unsent`."""
    known = streams(tx)
    of_some, some = _of(among, "v.entity_id")
    return deliveries_where(
        tx,
        known,
        "v.open = 1 and v.state = 'due' and v.stream_id in ints(?) and v.not_before <= ? and v.id > ?"
        f" and l.state in ('live', 'wanted'){of_some} order by v.id limit ?",
        sorted(known.names),
        micros(now),
        after,
        *some,
        limit,
    )


def send(tx: Tx, revisions: Mapping[int, int], worker: str, at: datetime, fence: Fence | None) -> list[int]:
    """See `Store.send`. Decisions that are under way saw these as unsent: their entities stay due. A create
    does not go while there are strangers in its stream: it may be one of them."""
    check(tx, fence)
    asked = list(revisions)
    its = "select link_id from deliveries where id in ints(?)"
    now: dict[int, int] = dict(
        tx.rows(f"select id, rev from links where id in ({its}) order by id{tx.lock}", asked)
    )
    due = tx.rows(
        "select id, entity_id, link_id from deliveries v where state = 'due' and open = 1 and id in ints(?)"
        " and (kind <> 'create' or not exists (select 1 from links l"
        " where l.stream_id = v.stream_id and l.entity_id is null and l.state = 'live'))"
        " order by id" + tx.lock,
        asked,
    )
    found = [(id, entity) for id, entity, link in due if now[link] == revisions[id]]
    tx.run(
        "update deliveries set state = 'sent', sent_at = ?, owner = ?, fence = ?, attempts = attempts + 1"
        " where id in ints(?)",
        micros(at),
        worker,
        None if fence is None else fence.number,
        [id for id, _ in found],
    )
    renew(tx, [entity for _, entity in found])
    return [id for id, _ in found]


_IN_STATE = (
    "v.open = 1 and v.state = ? and v.stream_id in ints(?) and v.lane in texts(?) and v.not_before <= ?"
    " order by v.not_before, v.id"
)


def doubtful(
    tx: Tx, now: datetime, connections: Sequence[str], limit: int, lanes: Sequence[Lane]
) -> list[Delivery]:
    """See `Store.doubtful`."""
    known = streams(tx)
    asked = (str(DeliveryState.DOUBT), known.of(connections), [str(lane) for lane in lanes], micros(now))
    return deliveries_where(tx, known, f"{_IN_STATE} limit ?", *asked, limit)


def waiting(
    tx: Tx, now: datetime, connections: Sequence[str], limit: int, lanes: Sequence[Lane]
) -> list[Delivery]:
    """See `Store.waiting`."""
    known = streams(tx)
    asked = (str(DeliveryState.WAITING), known.of(connections), [str(lane) for lane in lanes], micros(now))
    some = f"select v.stream_id, v.job from deliveries v where {_IN_STATE} limit ?"
    jobs = {(known.names[stream_id], job) for stream_id, job in tx.rows(some, *asked, limit)}
    found = deliveries_where(
        tx,
        known,
        "v.open = 1 and v.state = ? and v.stream_id in ints(?) and v.job in texts(?)"
        " order by v.not_before, v.id",
        str(DeliveryState.WAITING),
        known.of(connections),
        sorted({job for _, job in jobs}),
    )
    return [one for one in found if ((one.write.connection, one.write.object), one.job) in jobs]


def mark_arrived(tx: Tx, links: Sequence[int]) -> None:
    """Writes without an answer of which a reading just showed what they carried, on these links: whatever
    stands there when the doubt is looked at, they have arrived."""
    some = tx.rows(
        "select link_id from deliveries where open = 1 and state in ('sent', 'doubt') and link_id in ints(?)",
        sorted(links),
    )
    if not some:
        return
    found = deliveries_where(
        tx,
        streams(tx),
        "v.open = 1 and v.state in ('sent', 'doubt') and v.link_id in ints(?) order by v.id",
        sorted({link for (link,) in some}),
    )
    tx.run(
        f"update deliveries set code = '{ARRIVED}' where id in ints(?) and code in ('', '{UNKNOWN}')",
        [one.id for one in found if shown(one)],
    )


def abandoned(tx: Tx, worker_gone_before: datetime, lags: Mapping[tuple[str, str], float]) -> int:
    """See `Store.abandoned`."""
    known, gone = streams(tx), micros(worker_gone_before)
    found = tx.rows(
        "select id, entity_id, stream_id from deliveries where open = 1 and stream_id in ints(?)"
        " and state = 'sent' and sent_at < ? order by id" + tx.lock,
        sorted(known.names),
        gone,
    )
    tx.run(
        "update deliveries set state = 'doubt', ended_at = ?,"
        f" code = case code when '{ARRIVED}' then code else '{UNKNOWN}' end,"
        " error = 'the worker that sent it is gone' where id in ints(?)",
        gone,
        [id for id, _, _ in found],
    )
    visible = {id: gone + int(lags.get(place, 0.0) * 1_000_000) for id, place in known.names.items()}
    tx.update("deliveries", ("id",), ("not_before",), [(id, visible[stream]) for id, _, stream in found])
    renew(tx, [entity for _, entity, _ in found])
    return len(found)


def next_delivery_at(
    tx: Tx, connections: Sequence[str], lanes: Sequence[Lane], among: Collection[int] | None
) -> datetime | None:
    """See `Store.next_delivery_at`. A new record that was refused is in no hurry to be looked for."""
    condition, some = _of(among)
    found = tx.row(
        "select min(not_before) from deliveries where open = 1 and stream_id in ints(?)"
        " and (state in ('due', 'waiting')"
        " or state = 'doubt' and (kind <> 'create' or code not like ?))"
        f" and lane in texts(?){condition}",
        streams(tx).of(connections),
        f"{REFUSED}%",
        [str(lane) for lane in lanes],
        *some,
    )
    return None if found is None else moment_or_none(found[0])


def held_by(tx: Tx) -> int | None:
    """See `Store.held_by`."""
    return max(_holders(tx), default=None)


def gather_gated(tx: Tx, fence: Fence | None) -> int | None:
    """See `Store.gather_gated`."""
    check(tx, fence)
    runs = _holders(tx)
    for run_id in runs[:-1]:
        add_note(tx, run_id, f"what it held back went over to run {runs[-1]}")
        tx.run(
            "update deliveries set run_id = ? where open = 1 and state = 'gated' and run_id = ?",
            runs[-1],
            run_id,
        )
    return runs[-1] if runs else None


def _holders(tx: Tx) -> list[int]:
    known = sorted(streams(tx).names)
    found = tx.rows(
        "select distinct run_id from deliveries where open = 1 and stream_id in ints(?) and state = 'gated'"
        " order by run_id",
        known,
    )
    return [run_id for (run_id,) in found]


def pending(tx: Tx) -> dict[tuple[str, str, str], int]:
    """See `Store.pending`."""
    known = streams(tx)
    found = tx.rows(
        "select stream_id, state, count(*) from deliveries where open = 1 and stream_id in ints(?)"
        " and state <> 'parked' group by stream_id, state order by 1, 2",
        sorted(known.names),
    )
    return {(*known.names[stream_id], state): count for stream_id, state, count in found}


def gates(tx: Tx, among: Collection[int] | None) -> dict[tuple[str, str], Gate]:
    """See `Store.gates`. What is gated still after a run ended `held` was held back by it, in whichever run
    it was decided."""
    known = streams(tx)
    of_some, some = _of(among)
    found = tx.rows(
        "select stream_id, gate, count(*), min(run_id) <= (select coalesce(max(id), 0) from runs"
        " where outcome = ?) from deliveries where open = 1 and stream_id in ints(?) and state = 'gated'"
        f"{of_some} group by stream_id, gate order by 1, 2",
        str(RunOutcome.HELD),
        sorted(known.names),
        *some,
    )
    found_by: dict[tuple[str, str], Gate] = {}
    for stream_id, gate, number, held in found:
        place = (known.names[stream_id][0], gate)
        before = found_by.get(place, Gate(0, False))
        found_by[place] = Gate(before.number + number, before.held or bool(held))
    return found_by


def let_through(tx: Tx, among: Collection[int] | None) -> dict[tuple[str, str], frozenset[int]]:
    """See `Store.let_through`. What a person lets through has no gate any more."""
    known = streams(tx)
    of_some, some = _of(among)
    found = tx.rows(
        "select distinct stream_id, gate, link_id from deliveries where open = 1 and stream_id in ints(?)"
        f" and state in texts(?) and gate <> ''{of_some} order by 1, 2, 3",
        sorted(known.names),
        [str(state) for state in UNDER_WAY_STATES],
        *some,
    )
    places: dict[tuple[str, str], set[int]] = {}
    for stream_id, gate, link_id in found:
        places.setdefault((known.names[stream_id][0], gate), set()).add(link_id)
    return {place: frozenset(links) for place, links in places.items()}


def gated(tx: Tx, run_id: int, among: Collection[int] | None) -> dict[tuple[str, str], int]:
    known = streams(tx)
    of_some, some = _of(among)
    found = tx.rows(
        "select stream_id, gate, count(*) from deliveries where open = 1 and stream_id in ints(?)"
        f" and state = 'gated' and run_id = ?{of_some} group by stream_id, gate order by 1, 2",
        sorted(known.names),
        run_id,
        *some,
    )
    counts: dict[tuple[str, str], int] = {}
    for stream_id, gate, count in found:
        key = (known.names[stream_id][0], gate)
        counts[key] = counts.get(key, 0) + count
    return counts


def _of(among: Collection[int] | None, column: str = "entity_id") -> tuple[str, tuple[list[int], ...]]:
    """The condition that holds of the deliveries of these entities only, and its values."""
    return ("", ()) if among is None else (f" and {column} in ints(?)", (sorted(among),))


def open_gates(
    tx: Tx,
    connection: str,
    gate: str,
    user: str,
    at: datetime,
    among: Collection[int] | None,
    fence: Fence | None,
) -> int:
    check(tx, fence)
    of_some, some = _of(among)
    condition = f"stream_id in ints(?) and state = 'gated' and gate = ?{of_some}"
    change = "state = 'due', gate = ''" if user else "state = 'due'"
    freed = _reopen(tx, condition, change, streams(tx).of([connection]), gate, *some)
    for run_id, number in sorted(Counter(run_id for _, run_id in freed).items()):
        details = {"connection": connection, "gate": gate, "writes": number}
        note(tx, user, "runs approve", f"run {run_id}", details, at)
    return len(freed)


def retry(tx: Tx, ids: Sequence[int], user: str, at: datetime) -> int:
    fresh = (
        f"state = 'due', gate = '', attempts = 0, failing_since = null, not_before = {micros(at)},"
        " error = '', code = ''"
    )
    again = _reopen(tx, "state = 'parked' and id in ints(?)", fresh, list(ids))
    again += _reopen(tx, _MAY_BE_MADE, "error = '', code = ''", f"{REFUSED}%", list(ids))
    return _noted(tx, user, "failures retry", again, at)


_MAY_BE_MADE = "state = 'doubt' and kind = 'create' and code like ? and id in ints(?)"
"""Refused, and looked for first: given back it is sent once more if it is not there."""


def _reopen(tx: Tx, condition: str, change: str, *values: object) -> list[tuple[int, int]]:
    """(id, run) of those that go on."""
    found = _held(tx, condition, *values)
    tx.run(f"update deliveries set {change} where id in ints(?)", [id for id, _, _ in found])
    renew(tx, [entity for _, entity, _ in found])
    return [(id, run_id) for id, _, run_id in found]


def close_gates(tx: Tx, run_id: int, user: str, reason: str, at: datetime) -> int:
    condition = "v.stream_id in ints(?) and v.state = 'gated' and v.run_id = ?"
    closed = _give_up(tx, condition, f"{user}: {reason}", REJECTED, sorted(streams(tx).names), run_id)
    if closed:
        note(tx, user, "runs reject", f"run {run_id}", {"writes": len(closed)}, at)
    return len(closed)


def past(tx: Tx, links: Sequence[int]) -> list[Delivery]:
    """See `Store.past_deliveries`."""
    condition = "v.link_id in ints(?) and v.open = 0 and (v.state <> 'superseded' or v.code in texts(?))"
    return deliveries_where(tx, streams(tx), f"{condition} order by v.id desc", list(links), [*GIVEN_UP])


def rejections(tx: Tx, run_id: int) -> list[str]:
    """See `Store.rejections`."""
    found = tx.rows(
        "select error, max(id) from deliveries where open = 0 and run_id = ? and code = ?"
        " group by error order by 2 desc",
        run_id,
        REJECTED,
    )
    return [error for error, _ in found]


def discard(tx: Tx, ids: Sequence[int], user: str, at: datetime) -> int:
    """See `Store.discard`."""
    _reopen(tx, _MAY_BE_MADE, "state = 'parked'", f"{REFUSED}%", list(ids))
    condition = "v.state = 'parked' and v.lane <> 'urgent' and v.id in ints(?)"
    closed = _give_up(tx, condition, f"discarded by {user}", DISCARDED, list(ids))
    return _noted(tx, user, "failures discard", closed, at)


def _give_up(tx: Tx, condition: str, reason: str, code: str, *values: object) -> list[tuple[int, int]]:
    """Close deliveries for good: their links remember it, so that nothing raises the same again. (id, run)
    of each."""
    found = deliveries_where(tx, streams(tx), f"v.open = 1 and {condition} order by v.id", *values)
    tx.rows("select id from links where id in ints(?) order by id" + tx.lock, [one.link.id for one in found])
    agreed: dict[int, dict[str, Agreed]] = {}
    for one in found:
        agreed.setdefault(one.link.id, dict(one.link.agreed)).update(left(one.write, one.link))
    rows = [(id, write_agreed(each)) for id, each in agreed.items()]
    tx.upsert("link_notes", ("link_id",), ("agreed",), rows)
    tx.run("update links set rev = rev + 1 where id in ints(?)", list(agreed))
    ids = [one.id for one in found]
    tx.run("update deliveries set error = ?, code = ? where id in ints(?)", reason, code, ids)
    supersede(tx, "id in ints(?)", ids)
    mark_due(tx, [one.entity_id for one in found], "discarded")
    return [(one.id, one.run_id) for one in found]


def _held(tx: Tx, condition: str, *values: object) -> list[Row]:
    some = f"select id, entity_id, run_id from deliveries where open = 1 and {condition} order by id"
    return tx.rows(some + tx.lock, *values)


def _noted(tx: Tx, user: str, action: str, found: list[tuple[int, int]], at: datetime) -> int:
    """Write down a decision about single writes; how many they were."""
    ids = [id for id, _ in found]
    if ids:
        note(tx, user, action, counted(len(ids), "write"), {"writes": ids}, at)
    return len(ids)


def deliveries(
    tx: Tx, states: Sequence[DeliveryState], connection: str | None, limit: int, run_id: int | None
) -> list[Delivery]:
    """Newest first."""
    known = streams(tx)
    chosen = sorted(known.names) if connection is None else known.of([connection])
    of_run, asked = ("", ()) if run_id is None else (" and v.run_id = ?", (run_id,))
    return deliveries_where(
        tx,
        known,
        f"v.state in texts(?) and v.stream_id in ints(?){of_run} order by v.id desc limit ?",
        [str(state) for state in states],
        chosen,
        *asked,
        limit,
    )


def delivery(tx: Tx, id: int) -> Delivery:
    found = deliveries_where(tx, streams(tx), "v.id = ?", id)
    if not found:
        raise NotFound(f"there is no delivery {id}")
    return found[0]
