"""Reading by the manifest: pages of a listing or of changes, records by id, records by key.

A cursor at rest holds `since` (and `token` where the vendor keeps the position, `swept` where
deletions are read apart). Within a reading it also holds `phase`, `started`, `after`, `after_stamp`
and `newest`, so that a reading goes on after any page, also in another process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trueup.connectors import manifest as words
from trueup.connectors.base import GoneItem
from trueup.connectors.paging import first_after, is_url, next_after, overlaps, passed, place_after, rows_of
from trueup.connectors.paths import path
from trueup.connectors.records import RecordReader, read_rows, reader, text_id
from trueup.connectors.session import Session
from trueup.connectors.stamps import EPOCH, floor_stamp, parse_stamp, write_stamp
from trueup.connectors.verdict import Answer, ExpiredPaging
from trueup.errors import Gone, Malformed, Refused
from trueup.model.record import Cursor, Json, Page, Reading, Record

Position = dict[str, Any]
_MOST_PAGES = 100  # of one look-up: a key that brings more is no key


# -- pages ----------------------------------------------------------------------------------------------


def pull(
    session: Session, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]
) -> Page:
    """One page of a LISTING or of CHANGES, and where to go on."""
    spec = session.object(object)
    position = _opened(reading, cursor, session.clock.now())
    stream = _stream(session, object, spec, position["phase"])
    try:
        answer = _ask(session, object, stream, position, fields)
    except ExpiredPaging:
        position = _restarted(stream, position)
        answer = _ask(session, object, stream, position, fields)
    return _page(spec, stream, position, answer, fields)


def _opened(reading: Reading, cursor: Cursor | None, now: datetime) -> Position:
    position: Position = {**(cursor or {})}
    phase = position.get("phase")
    listing = reading is Reading.LISTING
    if phase is not None and (phase == "listing") == listing:
        return position
    resting: Position = {name: position[name] for name in ("since", "swept", "token") if name in position}
    opened = {**resting, "phase": reading.value, "started": now.astimezone(UTC).isoformat()}
    if "token" in opened:
        opened["after"] = opened["token"]
    return {name: value for name, value in opened.items() if not (listing and name in ("after", "token"))}


def _stream(session: Session, object: str, spec: words.Object, phase: str) -> words.Stream:
    streams = {"listing": spec.listing, "changes": spec.changes, "deletions": spec.deletions}
    stream = streams.get(phase)
    if stream is None:
        raise Refused(f"{object} has no reading of {phase}", connection=session.settings.name)
    return stream


def _ask(
    session: Session, object: str, stream: words.Stream, position: Position, fields: Sequence[str]
) -> Answer:
    operation = f"{object}.{position['phase']}"
    after = position.get("after")
    if after is not None and is_url(stream.paging):
        call = session.call(stream.request, _values(stream, position, object, fields), operation)
        return session.http.send(replace(call, url=session.http.root(str(after)), query={}))
    request = stream.next if after is not None and stream.next is not None else stream.request
    return session.ask(request, _values(stream, position, object, fields), operation)


def _values(stream: words.Stream, position: Position, object: str, fields: Sequence[str]) -> dict[str, Json]:
    values: dict[str, Json] = {"object": object, "fields": list(fields), "limit": stream.size}
    after = _used(stream, position)
    if after is not None:
        values["after"] = after
    if isinstance(stream, words.Changes | words.Deletions):
        since = stream.since
        values["since"] = filter_stamp(since, _moment(position.get("since")))
        values["until"] = write_stamp(_moment(position.get("started")), since.format)
        stamp = position.get("after_stamp")
        values["after_stamp"] = write_stamp(_moment(stamp), since.format) if stamp else values["since"]
    return values


def _used(stream: words.Stream, position: Position) -> Json:
    """The `{after}` of this request."""
    return (
        position["after"] - 1
        if overlaps(stream, position)
        else position.get("after", first_after(stream.paging))
    )


def filter_stamp(since: words.Since, moment: datetime) -> str | int:
    """The change filter's value: the position less the lookback, rounded down."""
    start = max(EPOCH, moment - timedelta(seconds=since.lookback))
    return write_stamp(floor_stamp(start, since.granularity), since.format)


_OF_PAGES = ("after", "after_stamp", "token", "last", "sure")


def _restarted(stream: words.Stream, position: Position) -> Position:
    """The position without its paging, from the last moment up to which everything was brought."""
    kept = {name: value for name, value in position.items() if name not in _OF_PAGES}
    if isinstance(stream, words.Changes) and stream.since.position == "newest" and "newest" in kept:
        kept["since"] = kept["newest"]
    return kept


def _page(
    spec: words.Object,
    stream: words.Stream,
    position: Position,
    answer: Answer,
    fields: Sequence[str],
) -> Page:
    rows = rows_of(stream.records, answer)
    read = reader(spec.record)
    behind, anew = 0, False
    if overlaps(stream, position):
        behind, again = passed(stream, position, [text_id(read.id(row)) for row in rows])
        if again is not None:
            return Page((), again, True)
        anew = not behind
    records, rejected = read_rows(rows[behind:], lambda row: read.read_whole(row, fields))
    used = _used(stream, position)
    last = parse_stamp(read.changed_at(rows[-1]), spec.record.stamp_format) if rows else None
    last_stamp = last.isoformat() if last else position.get("after_stamp")
    stamps = (position.get("after_stamp"), last_stamp) if _by_stamp(stream) else (None, None)
    after = next_after(stream, spec.record.id, answer, rows, used, stamps)
    total = path(stream.total)(answer.body)
    if isinstance(stream, words.Deletions):
        records = _newly_deleted(stream, rows, records, read, position)
    cursor, more = _moved_on(spec, position, records, after, last_stamp, answer)
    if more and rows and isinstance(stream.paging, words.OffsetPaging):
        cursor = place_after(cursor, text_id(read.id(rows[-1])) or None, anew)
    return Page(records, cursor, more, total if isinstance(total, int) else None, rejected, anew)


def _by_stamp(stream: words.Stream) -> bool:
    """Whether the next page is asked for by the last record's stamp, too."""
    said = words.placeholders((stream.next or stream.request).model_dump())
    return isinstance(stream.paging, words.KeysetPaging) and "after_stamp" in said


def _newly_deleted(
    stream: words.Deletions,
    rows: Sequence[Json],
    records: Sequence[Record],
    read: RecordReader,
    position: Position,
) -> tuple[Record, ...]:
    since = _moment(position.get("swept")) - timedelta(seconds=stream.since.lookback)
    old = {
        str(read.id(row))
        for row in rows
        if (stamp := parse_stamp(path(stream.stamp)(row), read.words.stamp_format)) and stamp < since
    }
    return tuple(replace(record, deleted=True) for record in records if record.id not in old)


def _moved_on(
    spec: words.Object,
    position: Position,
    records: Sequence[Record],
    after: Json,
    last_stamp: str | None,
    answer: Answer,
) -> tuple[Position, bool]:
    if position["phase"] == "changes":
        position = _with_newest(position, records)
    if after is not None:
        return {**position, "after": after, "after_stamp": last_stamp}, True
    if position["phase"] == "changes" and _sweep_due(spec, position):
        return _at_rest(spec, position, answer) | _sweeping(position), True
    return _at_rest(spec, position, answer), False


def _with_newest(position: Position, records: Sequence[Record]) -> Position:
    stamps = [record.changed_at for record in records if record.changed_at is not None]
    if "newest" in position:
        stamps.append(_moment(position["newest"]))
    return {**position, "newest": max(stamps).isoformat()} if stamps else position


def _sweep_due(spec: words.Object, position: Position) -> bool:
    if spec.deletions is None:
        return False
    last = position.get("swept")
    waited = _moment(position["started"]) - _moment(last)
    return last is None or waited >= timedelta(seconds=spec.deletions.every)


def _sweeping(position: Position) -> Position:
    return {"phase": "deletions", "started": position["started"]}


def _at_rest(spec: words.Object, position: Position, answer: Answer) -> Position:
    """Where the next CHANGES reading starts, once this phase is over."""
    rest: Position = {name: position[name] for name in ("since", "swept", "token") if name in position}
    started = _moment(position["started"])
    if position["phase"] == "deletions":
        return {**rest, "swept": started.isoformat()}
    since = spec.changes.since if spec.changes is not None else words.Since()
    before = (started - timedelta(seconds=since.lag)).isoformat()
    if position["phase"] == "listing":
        return {"since": before, "swept": started.isoformat()}
    if since.position == "newest":
        newest = position.get("newest") or position.get("since")
        return {**rest, "since": min(_moment(newest), started).isoformat()}
    if since.position == "token" and spec.changes is not None:
        return {**rest, "since": before, "token": _kept_token(spec.changes, answer, position)}
    return {**rest, "since": before}


def _kept_token(changes: words.Changes, answer: Answer, position: Position) -> Json:
    """The token to go on from, which the vendor tells on the last page too."""
    match changes.paging:
        case words.CursorPaging(token=where) | words.NextUrlPaging(url=where):
            token = path(where)(answer.body)
        case _:
            token = None
    if token is None:
        token = position.get("after")
    if token is None:
        raise Malformed("the answer tells no position to go on from")
    return token


def _moment(text: Json) -> datetime:
    return parse_stamp(text) or EPOCH


# -- by id ----------------------------------------------------------------------------------------------


def read(session: Session, object: str, ids: Sequence[str], fields: Sequence[str]) -> list[Record | GoneItem]:
    """These records now, in the order of `ids`.

    What a batch does not bring is gone only where a second batch does not bring it either: one answer that is
    empty by mistake must not make a tombstone of anybody.
    """
    spec = session.object(object)
    if spec.read is None:
        raise Refused(f"{object} cannot be read by id", connection=session.settings.name)
    wanted = list(dict.fromkeys(ids))
    found = _read_many(session, object, spec, spec.read.many, wanted, fields) if spec.read.many else {}
    ask = _asks_each(spec.read)
    missing = [id for id in wanted if id not in found]
    if missing and not ask and spec.read.many is not None:
        found |= _read_many(session, object, spec, spec.read.many, missing, fields)
    for id in wanted:
        if id not in found:
            found[id] = _read_one(session, object, spec, id, fields) if ask else GoneItem()
    return [_gone_if_deleted(found[id]) for id in ids]


def _asks_each(read: words.Read | None) -> bool:
    """Whether what a batch does not bring is asked for by itself."""
    return read is not None and read.one is not None and (read.missing == "ask" or read.many is None)


def _gone_if_deleted(found: Record | GoneItem) -> Record | GoneItem:
    if isinstance(found, Record) and found.deleted:
        return GoneItem(found.successor, found.successor_object)
    return found


def _read_many(
    session: Session,
    object: str,
    spec: words.Object,
    many: words.ReadMany,
    ids: Sequence[str],
    fields: Sequence[str],
) -> dict[str, Record | GoneItem]:
    found: dict[str, Record | GoneItem] = {}
    for start in range(0, len(ids), many.batch):
        chunk = list(ids[start : start + many.batch])
        records, unnamed = _read_chunk(session, object, spec, many, chunk, fields)
        for record in records:
            for id in chunk:
                if id not in found and _answers(spec, record, id):
                    found[id] = record
        if unnamed and not _asks_each(spec.read) and not found.keys() >= set(chunk):
            raise no_id(session)
    return found


def _read_chunk(
    session: Session,
    object: str,
    spec: words.Object,
    many: words.ReadMany,
    ids: list[str],
    fields: Sequence[str],
) -> tuple[Sequence[Record], bool]:
    """The records that this answer brings, and whether it brings some of which nobody knows the id."""
    values: dict[str, Json] = {"object": object, "ids": ids, "fields": list(fields), "limit": len(ids)}
    call = session.call(many.request, values, f"{object}.read", each=[{"id": id} for id in ids])
    try:
        answer = session.http.send(call)
    except (Refused, Gone):
        if not _asks_each(spec.read):
            raise
        return [], False  # one bad id spoils the batch: each is asked for by itself
    read_row = reader(spec.record)
    found, rejected = read_rows(rows_of(many.records, answer), lambda row: read_row.read_whole(row, fields))
    return found, bool(rejected)


def no_id(session: Session) -> Malformed:
    """It may be what was asked for: it is neither gone nor unknown."""
    return Malformed("a record of the answer has no id", connection=session.settings.name)


def _answers(spec: words.Object, record: Record, id: str) -> bool:
    if spec.ids == "casefold":
        return id.casefold() in {name.casefold() for name in (record.id, *record.aliases)}
    return id == record.id or id in record.aliases


def _read_one(
    session: Session, object: str, spec: words.Object, id: str, fields: Sequence[str]
) -> Record | GoneItem:
    assert spec.read is not None and spec.read.one is not None
    values: dict[str, Json] = {"object": object, "id": id, "fields": list(fields)}
    try:
        answer = session.ask(spec.read.one, values, f"{object}.read")
    except Gone as gone:
        return GoneItem(gone.successor)
    record = reader(spec.record).read_whole(path(spec.read.record)(answer.body), fields)
    if record is None:
        raise Malformed("the answer holds no record", connection=session.settings.name)
    return record


# -- by key ---------------------------------------------------------------------------------------------


def find(
    session: Session, object: str, key: str, values: Sequence[Json], fields: Sequence[str]
) -> list[Record]:
    """Records whose `key` holds one of `values`, each once, in any order."""
    spec = session.object(object)
    way = next((way for way in spec.find if key in way.keys or "*" in way.keys), None)
    if way is None:
        raise Refused(f"{object} cannot be looked up by {key}", connection=session.settings.name)
    sent = list(dict.fromkeys(_cased(way, value) for value in values))
    found: dict[str, Record] = {}
    for start in range(0, len(sent), way.batch):
        for record in _find_chunk(session, object, spec, way, key, sent[start : start + way.batch], fields):
            found[record.id] = record
    return list(found.values())


def _cased(way: words.Find, value: Json) -> Json:
    return value.lower() if way.case == "lower" and isinstance(value, str) else value


def _find_chunk(
    session: Session,
    object: str,
    spec: words.Object,
    way: words.Find,
    key: str,
    values: list[Json],
    fields: Sequence[str],
) -> Iterator[Record]:
    after = first_after(way.paging)
    read_row = reader(spec.record)
    for _ in range(_MOST_PAGES):
        answer = _ask_find(session, object, way, key, values, fields, after)
        rows = rows_of(way.records, answer)
        found, rejected = read_rows(rows, lambda row: read_row.read_whole(row, fields))
        if rejected:
            raise no_id(session)
        yield from found
        after = next_after(way, spec.record.id, answer, rows, after)
        if after is None:
            return
    message = f"more than {_MOST_PAGES} pages of {object} have one {key}"
    raise Refused(message, connection=session.settings.name)


def _ask_find(
    session: Session,
    object: str,
    way: words.Find,
    key: str,
    values: list[Json],
    fields: Sequence[str],
    after: Json,
) -> Answer:
    put: dict[str, Json] = {
        "object": object,
        "key": key,
        "values": values,
        "value": values[0],
        "fields": list(fields),
        "limit": way.size,
    }
    if after is not None:
        put["after"] = after
    request = way.next if way.next is not None and after is not None else way.request
    call = session.call(request, put, f"{object}.find", each=[{"value": value} for value in values])
    if after is not None and is_url(way.paging):
        call = replace(call, url=session.http.root(str(after)), query={})
    return session.http.send(call)
