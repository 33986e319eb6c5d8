"""Facts: events counted once, cases in their latest version, counters by their last value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from trueup.model.activity import Fact, FactKind
from trueup.model.landing import LandedFacts
from trueup.store.codec import dumps_or_none, micros, micros_or_none
from trueup.store.land import is_later
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
    where = "from activities where stream_id = ? and remote_id in texts(?)"
    rows: list[Row] = []
    for stream_id in sorted({stream for stream, _ in places}):
        ids = [id for stream, id in places if stream == stream_id]
        rows += tx.rows(f"select {', '.join(_EVENT)} {where}", stream_id, ids)
        tx.run(f"delete {where}", stream_id, ids)
    _add_days(tx, rows, -1)


def _add_days(tx: Tx, rows: Sequence[Row], sign: int) -> None:
    """Add to (or take from) the counts and amounts per subject, name, day and currency."""
    days: dict[tuple[int, str, str, int, str], tuple[int, Decimal | None]] = {}
    for _, _, name, stream_id, subject, at, amount, currency, _ in rows:
        if subject is not None:
            key = (stream_id, subject, name, at // DAY, currency or "")
            count, total = days.get(key, (0, None))
            added = total if amount is None else (total or Decimal(0)) + sign * Decimal(amount)
            days[key] = (count + sign, added)
    standing = _standing_days(tx, list(days))
    written = [(*key, *_sum(standing.get(key), count, total)) for key, (count, total) in sorted(days.items())]
    tx.upsert("activity_days", _DAYS, ("count", "amount"), written)


_DAYS = ("subject_stream_id", "subject_id", "name", "day", "currency")


def _standing_days(tx: Tx, keys: Sequence[tuple[int, str, str, int, str]]) -> dict[Row, Row]:
    """What these days hold already, locked. Of their subjects there is little more in these days."""
    sql = (
        f"select {', '.join(_DAYS)}, count, amount from activity_days where subject_stream_id = ?"
        " and subject_id in texts(?) and name in texts(?) and day in ints(?)"
        f" order by {', '.join(_DAYS)}{tx.lock}"
    )
    found: dict[Row, Row] = {}
    for stream_id in sorted({stream for stream, *_ in keys}):
        mine = [key for key in keys if key[0] == stream_id]
        asked = [sorted({key[place] for key in mine}) for place in (1, 2, 3)]
        found.update((row[:5], row[5:]) for row in tx.rows(sql, stream_id, *asked))
    return found


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
_SEEN = (*_CASE, "changed_at", "seen_at")


def _cases(tx: Tx, known: Streams, connection: str, facts: Sequence[Fact], at: datetime) -> LandedFacts:
    """The latest version of each; a move of state, amount or deletion is kept as history."""
    told = {_place(tx, known, connection, fact): fact for fact in facts}
    standing = _standing_cases(tx, list(told))
    new: list[tuple[Row, Row]] = []  # (place, what is said)
    moved: list[tuple[int, Row]] = []
    states: list[tuple[int, Row]] = []
    for place, fact in told.items():
        row, stamp = _case(tx, known, connection, fact), micros_or_none(fact.changed_at)
        seen = (*row, stamp, micros(at))
        if place not in standing:
            new.append((place, seen))
            continue
        id, before, changed_at = standing[place]
        if before == row or is_later(changed_at, stamp, at):
            continue
        moved.append((id, seen))
        if _standing(before) != _standing(row):
            states.append((id, seen))
    made = [(id, place, seen) for id, (place, seen) in zip(tx.allocate("cases", len(new)), new, strict=True)]
    tx.insert("cases", ("id", "stream_id", "remote_id", *_SEEN), [(id, *at, *seen) for id, at, seen in made])
    tx.update("cases", ("id",), _SEEN, [(id, *seen) for id, seen in moved])
    states = [*((id, seen) for id, _, seen in made), *states]
    tx.insert("case_states", _STATES, [(id, *_standing(seen), seen[4], micros(at)) for id, seen in states])
    return LandedFacts(len(new), len(moved))


_STATES = ("case_id", "state", "amount", "deleted", "at", "seen_at")


def _standing_cases(
    tx: Tx, places: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], tuple[int, Row, int | None]]:
    """By place the id, the row `_CASE` and the stamp of the cases that are known, locked."""
    found: dict[tuple[int, str], tuple[int, Row, int | None]] = {}
    sql = (
        f"select remote_id, id, changed_at, {', '.join(_CASE)} from cases where stream_id = ?"
        f" and remote_id in texts(?) order by id{tx.lock}"
    )
    for stream_id in sorted({stream for stream, _ in places}):
        ids = [id for stream, id in places if stream == stream_id]
        for remote_id, id, changed_at, *row in tx.rows(sql, stream_id, ids):
            found[stream_id, remote_id] = (id, tuple(row), changed_at)
    return found


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


# -- counters ------------------------------------------------------------------------------------------

_COUNTER = ("subject_stream_id", "subject_id", "amount", "at", "version")


def _counters(tx: Tx, known: Streams, connection: str, facts: Sequence[Fact]) -> LandedFacts:
    """The last value wins; a repeated one is no news."""
    told = {(*_place(tx, known, connection, fact), fact.name): fact for fact in facts}
    standing = _standing_counters(tx, list(told))
    rows: list[Row] = []
    for place, fact in told.items():
        row = (*_subject(tx, known, connection, fact), fact.amount, micros_or_none(fact.at), fact.version)
        before = standing.get(place)
        if before is None or (before != row and not _outdated(before[3], fact)):
            rows.append((*place, *row))
    new = sum(row[:3] not in standing for row in rows)
    tx.upsert("counters", ("stream_id", "remote_id", "name"), _COUNTER, rows)
    return LandedFacts(new, len(rows) - new)


def _standing_counters(tx: Tx, places: Sequence[tuple[int, str, str]]) -> dict[Row, Row]:
    found: dict[Row, Row] = {}
    sql = (
        f"select remote_id, name, {', '.join(_COUNTER)} from counters where stream_id = ?"
        " and remote_id in texts(?) order by remote_id, name"
    )
    for stream_id in sorted({stream for stream, _, _ in places}):
        ids = sorted({id for stream, id, _ in places if stream == stream_id})
        for remote_id, name, *row in tx.rows(sql, stream_id, ids):
            found[stream_id, remote_id, name] = tuple(row)
    return found


def _outdated(seen: int | None, fact: Fact) -> bool:
    return seen is not None and fact.at is not None and micros(fact.at) < seen
