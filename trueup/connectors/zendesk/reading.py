"""Reading Zendesk: lists, exports that go on at a cursor, records by id and by key, where merged users went.

A cursor at rest holds `token` (the export's own position) and `since` (a time that is safe to start from
if the token is refused); within a listing `phase`, `started` and `after`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trueup.connectors import reading as by_manifest
from trueup.connectors.base import GoneItem
from trueup.connectors.manifest import Changes, Stream
from trueup.connectors.paging import next_after, rows_of
from trueup.connectors.session import Session
from trueup.connectors.stamps import EPOCH, parse_stamp
from trueup.connectors.verdict import Answer, ExpiredPaging
from trueup.connectors.zendesk import rows
from trueup.connectors.zendesk.addresses import values_of
from trueup.errors import Malformed, Refused
from trueup.model.record import Cursor, Json, Page, Reading, Record

_MOST_LOOKUPS = 25
"""Deleted users of one page whose address is searched for: each costs a call."""
_ADDRESSES = ("email", "identities.email")


def pull(
    session: Session, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]
) -> Page:
    """One page of a LISTING or of CHANGES."""
    if object == "organizations":
        return by_manifest.pull(session, object, reading, cursor, fields)
    if reading is Reading.LISTING:
        return _list(session, object, cursor, fields)
    if object != "users":
        return _export(session, object, cursor, fields)
    page = _export(session, object, cursor, [*fields, *_ADDRESSES])
    found = _with_successors(session, page.records)
    return replace(page, records=tuple(_only(record, fields) for record in found))


# -- listing --------------------------------------------------------------------------------------------


def _list(session: Session, object: str, cursor: Cursor | None, fields: Sequence[str]) -> Page:
    stream = _stream(session, object, Reading.LISTING)
    under_way = cursor is not None and cursor.get("phase") == "listing"
    position = dict(cursor) if cursor and under_way else _opened(session)
    try:
        answer = _ask(session, object, stream, position.get("after"), EPOCH)
    except ExpiredPaging:
        position = _opened(session)
        answer = _ask(session, object, stream, None, EPOCH)
    found, rejected = rows.records(session, object, stream.records, answer, fields)
    spec, all_rows = session.object(object), rows_of(stream.records, answer)
    after = next_after(stream, spec.record.id, answer, all_rows, position.get("after"))
    if after is not None:
        return Page(found, {**position, "after": after}, True, None, rejected)
    started = parse_stamp(position.get("started")) or session.clock.now()
    return Page(found, _resting(session, object, started, _token(answer)), False, None, rejected)


def _opened(session: Session) -> dict[str, Json]:
    return {"phase": "listing", "started": session.clock.now().isoformat()}


def _resting(session: Session, object: str, started: datetime, token: Json) -> dict[str, Json]:
    """Where CHANGES go on after a reading that began at `started` has come to its end."""
    changes = session.object(object).changes
    lag = changes.since.lag if changes is not None else 0.0
    rest: dict[str, Json] = {"since": (started - timedelta(seconds=lag)).isoformat()}
    return rest if token is None else {**rest, "token": token}


# -- exports --------------------------------------------------------------------------------------------


def _export(session: Session, object: str, cursor: Cursor | None, fields: Sequence[str]) -> Page:
    stream = _stream(session, object, Reading.CHANGES)
    started, position = session.clock.now(), dict(cursor or {})
    since = parse_stamp(position.get("since")) or EPOCH
    token = position.get("token")
    try:
        answer = _ask(session, object, stream, token, since)
    except ExpiredPaging:
        token, answer = None, _ask(session, object, stream, None, since)
    found, rejected = rows.records(session, object, stream.records, answer, fields)
    more = not answer.body.get("end_of_stream", True)
    following = _token(answer)
    if more and following in (None, token):
        raise Malformed("the next page is this page again", connection=session.settings.name)
    following = token if following is None else following
    if following is None:  # an export that started on nothing names no position yet
        return Page(found, {"since": since.isoformat()}, False, None, rejected)
    if more:
        return Page(found, {"since": since.isoformat(), "token": following}, True, None, rejected)
    return Page(found, _resting(session, object, started, following), False, None, rejected)


def _stream(session: Session, object: str, reading: Reading) -> Stream:
    spec = session.object(object)
    stream = spec.listing if reading is Reading.LISTING else spec.changes
    if stream is None:
        raise Refused(f"{object} has no reading of {reading.value}", connection=session.settings.name)
    return stream


def _ask(session: Session, object: str, stream: Stream, after: Json, since: datetime) -> Answer:
    values: dict[str, Json] = {"object": object, "limit": stream.size}
    if isinstance(stream, Changes):
        values["since"] = by_manifest.filter_stamp(stream.since, since)
    if after is not None:
        values["after"] = after
    request = stream.next if after is not None and stream.next is not None else stream.request
    return session.ask(request, values, f"{object}.{'changes' if isinstance(stream, Changes) else 'listing'}")


def _token(answer: Answer) -> Json:
    return answer.body.get("after_cursor") if isinstance(answer.body, Mapping) else None


# -- where merged users went ----------------------------------------------------------------------------


def _with_successors(session: Session, found: Sequence[Record]) -> tuple[Record, ...]:
    """A merge leaves no pointer, but the loser's address is the winner's now: who holds it, is it."""
    holders = _holders(found)
    lookups = 0
    completed = []
    for record in found:
        address = _address(record)
        if record.deleted and address:
            successor = holders.get(address)
            if successor is None and lookups < _MOST_LOOKUPS:
                lookups += 1
                successor = _successor(session, record)
            record = replace(record, successor=successor)
        completed.append(record)
    return tuple(completed)


def _holders(found: Iterable[Record]) -> dict[str, str]:
    """Address -> id of the living user on this page that holds it."""
    living = [record for record in found if not record.deleted]
    return {
        address.casefold(): record.id
        for record in living
        for address in [*values_of(record.values.get("identities.email")), record.values.get("email") or ""]
        if address
    }


def _address(record: Record) -> str:
    email = record.values.get("email")
    return email.casefold() if isinstance(email, str) else ""


def _successor(session: Session, record: Record) -> str | None:
    """The living user who holds a deleted one's last address; the index may not know yet: None."""
    address = record.values.get("email")
    others = [] if not address else find(session, "users", "email", [address], ["email"])
    ids = [other.id for other in others if other.id != record.id]
    return ids[0] if len(ids) == 1 else None


# -- by id and by key -----------------------------------------------------------------------------------


def read(session: Session, object: str, ids: Sequence[str], fields: Sequence[str]) -> list[Record | GoneItem]:
    """These records now, in the order of `ids`, with all their addresses. As by a manifest, what one answer
    does not bring is gone only where a second does not bring it either."""
    numbers = [id for id in dict.fromkeys(ids) if id.isascii() and id.isdigit()]
    asked = [*fields, *(_ADDRESSES if object == "users" else ())]
    found = _read_many(session, object, numbers, asked)
    found |= _read_many(session, object, [id for id in numbers if id not in found], asked)
    return [_living(session, object, found.get(id), fields) for id in ids]


def _read_many(session: Session, object: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
    spec = session.object(object)
    if spec.read is None or spec.read.many is None:
        raise Refused(f"{object} cannot be read by id", connection=session.settings.name)
    many = spec.read.many
    found: dict[str, Record] = {}
    for start in range(0, len(ids), many.batch):
        values: dict[str, Json] = {"object": object, "ids": ids[start : start + many.batch]}
        answer = session.ask(many.request, values, f"{object}.read")
        records, rejected = rows.records(session, object, many.records, answer, fields)
        if rejected:
            raise by_manifest.no_id(session)
        found.update((record.id, record) for record in records)
    return found


def _only(record: Record, fields: Sequence[str]) -> Record:
    return replace(record, values={name: record.values[name] for name in fields if name in record.values})


def _living(session: Session, object: str, record: Record | None, fields: Sequence[str]) -> Record | GoneItem:
    if record is None:
        return GoneItem()
    if record.deleted:
        return GoneItem(_successor(session, record) if object == "users" else None)
    return _only(record, fields)


def find(
    session: Session, object: str, key: str, values: Sequence[Json], fields: Sequence[str]
) -> list[Record]:
    """Living records whose `key` holds one of `values`; an e-mail is looked for among all addresses."""
    if object != "users":
        return by_manifest.find(session, object, key, values, fields)
    way = next((way for way in session.object(object).find if key in way.keys), None)
    if way is None:
        raise Refused(f"users cannot be looked up by {key}", connection=session.settings.name)
    found: dict[str, Record] = {}
    wanted = list(dict.fromkeys(str(value) for value in values if _can_be_asked(key, str(value))))
    asked = [*fields, *_ADDRESSES, "external_id"]
    for start in range(0, len(wanted), way.batch):
        chunk = wanted[start : start + way.batch]
        put: dict[str, Json] = {"object": object, "key": key, "values": chunk, "value": chunk[0]}
        answer = session.ask(way.request, put, f"{object}.find")
        records, rejected = rows.records(session, object, way.records, answer, asked)
        if rejected:
            raise by_manifest.no_id(session)
        for record in records:
            if not record.deleted and _holds(record, key, chunk):
                found[record.id] = _only(record, fields)
    return list(found.values())


def _can_be_asked(key: str, value: str) -> bool:
    """Commas separate external ids in the address and quotes end the search text: no way to ask for those."""
    return bool(value) and ("," not in value if key == "external_id" else '"' not in value)


def _holds(record: Record, key: str, wanted: Sequence[str]) -> bool:
    """The search finds by words, so what it brings is compared; case never counts there."""
    if key == "external_id":
        held = [record.values.get("external_id")]
    else:
        held = [record.values.get("email"), *values_of(record.values.get("identities.email"))]
    return not {str(one).casefold() for one in held if one}.isdisjoint(one.casefold() for one in wanted)
