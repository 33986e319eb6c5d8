"""Facts: events counted once, cases in their latest version, counters by their last value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from trueup.model.activity import Fact, FactKind
from trueup.model.landing import LandedFacts
from trueup.store.codec import dumps_or_none, micros, micros_or_none
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams, ensure, streams

DAY = 86_400_000_000
"""Microseconds."""

Subject = tuple[int | None, str | None]
"""(stream id, remote id) of the record that a fact hangs on, (0, address key), or (None, None)."""


def land_facts(tx: Tx, connection: str, facts: Sequence[Fact], at: datetime) -> LandedFacts:
    """See `Store.land_facts`. Of several versions of one fact in a call the last counts."""
    known = streams(tx)
    latest = {(fact.kind, fact.object, fact.remote_id, _name(fact)): fact for fact in facts}
    kinds: dict[FactKind, list[Fact]] = {kind: [] for kind in FactKind}
    for fact in latest.values():
        kinds[fact.kind].append(fact)
    return (
        _events(tx, known, connection, kinds[FactKind.EVENT], at)
        + _cases(tx, known, connection, kinds[FactKind.CASE], at)
        + _counters(tx, known, connection, kinds[FactKind.COUNTER])
    )


def _name(fact: Fact) -> str:
    return fact.name if fact.kind is FactKind.COUNTER else ""


def _place(tx: Tx, known: Streams, connection: str, fact: Fact) -> tuple[int, str]:
    return ensure(tx, known, connection, fact.object), fact.remote_id


def _subject(tx: Tx, known: Streams, connection: str, fact: Fact) -> Subject:
    if fact.subject:
        return ensure(tx, known, connection, fact.subject_object), fact.subject
    return (0, fact.address_key) if fact.address_key else (None, None)


# -- events --------------------------------------------------------------------------------------------

_EVENT = (
    *("stream_id", "remote_id", "name", "subject_stream_id", "subject_id", "at", "amount"),
    *("currency", "data"),
)


def _events(tx: Tx, known: Streams, connection: str, facts: Sequence[Fact], at: datetime) -> LandedFacts:
    """Known ids are left out; only what is really new adds to the days, in the same transaction."""
    places = {_place(tx, known, connection, fact): fact for fact in facts}
    if not places:
        return LandedFacts()
    tx.hold([f"facts {stream}" for stream in sorted({stream for stream, _ in places})])
    there = _there(tx, "activities", list(places))
    gone = [place for place, fact in places.items() if fact.deleted and place in there]
    new = {place: fact for place, fact in places.items() if not fact.deleted and place not in there}
    rows = [_event(tx, known, connection, place, fact, at) for place, fact in new.items()]
    tx.insert("activities", _EVENT, rows)
    _add_days(tx, rows, 1)
    _forget(tx, gone)
    return LandedFacts(len(new), len(gone))


def _event(tx: Tx, known: Streams, connection: str, place: tuple[int, str], fact: Fact, at: datetime) -> Row:
    subject = _subject(tx, known, connection, fact)
    when = micros(fact.at or at)
    return (
        *place,
        fact.name,
        *subject,
        when,
        fact.amount,
        fact.currency or None,
        dumps_or_none(dict(fact.values)),
    )


def _there(tx: Tx, table: str, places: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for stream_id in sorted({stream for stream, _ in places}):
        ids = [id for stream, id in places if stream == stream_id]
        sql = f"select remote_id from {table} where stream_id = ? and remote_id in texts(?)"
        found.update((stream_id, id) for (id,) in tx.rows(sql, stream_id, ids))
    return found


def _forget(tx: Tx, places: Sequence[tuple[int, str]]) -> None:
    """Events that their system has deleted are taken out of the days too."""
    for stream_id, remote_id in places:
        where = "from activities where stream_id = ? and remote_id = ?"
        row = tx.row(f"select {', '.join(_EVENT)} {where}", stream_id, remote_id)
        tx.run(f"delete {where}", stream_id, remote_id)
        if row is not None:
            _add_days(tx, [row], -1)


def _add_days(tx: Tx, rows: Sequence[Row], sign: int) -> None:
    """Add to (or take from) the counts and amounts per subject, name, day and currency."""
    days: dict[tuple[int, str, str, int, str], tuple[int, Decimal | None]] = {}
    for _, _, name, stream_id, subject, at, amount, currency, _ in rows:
        if subject is not None:
            key = (stream_id, subject, name, at // DAY, currency or "")
            count, total = days.get(key, (0, None))
            added = total if amount is None else (total or Decimal(0)) + sign * Decimal(amount)
            days[key] = (count + sign, added)
    keys = ("subject_stream_id", "subject_id", "name", "day", "currency")
    where = " and ".join(f"{key} = ?" for key in keys)
    written: list[Row] = []
    for key, (count, total) in sorted(days.items()):
        before = tx.row(f"select count, amount from activity_days where {where}" + tx.lock, *key)
        written.append((*key, *_sum(before, count, total)))
    tx.upsert("activity_days", keys, ("count", "amount"), written)


def _sum(before: Row | None, count: int, total: Decimal | None) -> tuple[int, str | None]:
    if before is None:
        return count, None if total is None else format(total, "f")
    held = None if before[1] is None else Decimal(before[1])
    amount = total if held is None else held + (total or 0)
    return before[0] + count, None if amount is None else format(amount, "f")


# -- cases ---------------------------------------------------------------------------------------------

_CASE = (
    *("name", "state", "subject_stream_id", "subject_id", "at", "amount", "currency", "version"),
    *("deleted", "data"),
)


def _cases(tx: Tx, known: Streams, connection: str, facts: Sequence[Fact], at: datetime) -> LandedFacts:
    """The latest version of each; a move of state, amount or deletion is kept as history."""
    new = moved = 0
    for fact in facts:
        place = _place(tx, known, connection, fact)
        row = _case(tx, known, connection, fact)
        found = tx.row(_STANDS + tx.lock, *place)
        if found is not None and (tuple(found[1:]) == row or _outdated(found[5], fact)):
            continue
        id = tx.allocate("cases", 1)[0] if found is None else found[0]
        if found is None:
            columns = ("id", "stream_id", "remote_id", *_CASE, "seen_at")
            tx.insert("cases", columns, [(id, *place, *row, micros(at))])
        else:
            tx.update("cases", ("id",), (*_CASE, "seen_at"), [(id, *row, micros(at))])
        if found is None or _standing(found[1:]) != _standing(row):
            tx.insert("case_states", _STATES, [(id, *_standing(row), row[4], micros(at))])
        new, moved = new + (found is None), moved + (found is not None)
    return LandedFacts(new, moved)


_STANDS = f"select id, {', '.join(_CASE)} from cases where stream_id = ? and remote_id = ?"
_STATES = ("case_id", "state", "amount", "deleted", "at", "seen_at")


def _standing(row: Row) -> Row:
    """State, amount and deletion: what summaries are made of."""
    return (row[1], row[5], row[8])


def _case(tx: Tx, known: Streams, connection: str, fact: Fact) -> Row:
    return (
        fact.name,
        fact.state,
        *_subject(tx, known, connection, fact),
        micros_or_none(fact.at),
        fact.amount,
        fact.currency,
        fact.version,
        int(fact.deleted),
        dumps_or_none(dict(fact.values)),
    )


def _outdated(seen: int | None, fact: Fact) -> bool:
    return seen is not None and fact.at is not None and micros(fact.at) < seen


# -- counters ------------------------------------------------------------------------------------------

_COUNTER = ("subject_stream_id", "subject_id", "amount", "at", "version")


def _counters(tx: Tx, known: Streams, connection: str, facts: Sequence[Fact]) -> LandedFacts:
    """The last value wins; a repeated one is no news."""
    rows: list[Row] = []
    new = 0
    for fact in facts:
        place = (*_place(tx, known, connection, fact), fact.name)
        row = (*_subject(tx, known, connection, fact), fact.amount, micros_or_none(fact.at), fact.version)
        found = tx.row(
            f"select {', '.join(_COUNTER)} from counters where stream_id = ? and remote_id = ? and name = ?",
            *place,
        )
        if found is None or (tuple(found) != row and not _outdated(found[3], fact)):
            rows.append((*place, *row))
            new += found is None
    tx.upsert("counters", ("stream_id", "remote_id", "name"), _COUNTER, rows)
    return LandedFacts(new, len(rows) - new)
