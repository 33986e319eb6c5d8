"""Land: what was read becomes what is observed, together with the cursor. Nothing is decided here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b

import orjson

from trueup.model.consent import ConsentEvent
from trueup.model.entity import Link
from trueup.model.jsontext import dumps, loads
from trueup.model.landing import Landed, Landing
from trueup.model.record import Json, Record
from trueup.model.run import Fence
from trueup.store.addresses import remember_consent
from trueup.store.codec import dumps_or_none, micros, micros_or_none
from trueup.store.decide import all_rivals
from trueup.store.formats import Path, count
from trueup.store.leases import check
from trueup.store.marks import mark_due, mark_each, mark_kind_due
from trueup.store.missing import Missing, account_for_missing
from trueup.store.moves import (
    Reasons,
    because,
    follow_moves,
    free_ids,
    lead_to_new,
    referrers_of,
    remember_alias,
)
from trueup.store.outbox import mark_arrived
from trueup.store.rows import links_where
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams, ensure, registered, streams
from trueup.sync.rules.observe import look_at, looked, observe, shows_before

_DAY = 86_400 * 1_000_000
_YEAR = 366 * _DAY


@dataclass(slots=True)
class _Found:
    """What one page turned out to be."""

    new: list[tuple[Record, str, bytes]] = field(default_factory=list)
    unsure: dict[int, tuple[Record, bytes, Row]] = field(default_factory=dict)  # content differs, perhaps
    touched: list[tuple[int, str | None, int | None, int]] = field(default_factory=list)
    listed: list[int] = field(default_factory=list)
    buried: list[tuple[int, str | None, int | None, int, str]] = field(default_factory=list)
    reasons: Reasons = field(default_factory=dict)
    changed: int = 0
    same: int = 0
    deleted: int = 0
    older: int = 0


_NARROW = (
    "select id, remote_id, entity_id, state, version, changed_at, digest, buried, buried_at, listing"
    " from links where stream_id = ? and remote_id in texts(?) order by id"
)


def land(tx: Tx, landing: Landing, fence: Fence | None) -> Landed:
    """See `Store.land`."""
    check(tx, fence)
    if landing.config_version and landing.config_version != (registered(tx) or landing.config_version):
        # read for other fields than a run writes: a version guards only what was read with it
        landing = replace(landing, records=tuple(replace(one, version=None) for one in landing.records))
    known = streams(tx)
    stream_id = ensure(tx, known, landing.connection, landing.object)
    tx.hold(_locks(tx, known, landing, stream_id))
    found = _Found()
    if landing.moved or any(record.successor is not None or record.aliases for record in landing.records):
        found.reasons = follow_moves(tx, known, landing, stream_id)
    page = {record.id: record for record in landing.records}
    found.same += len(landing.records) - len(page)
    listing = _listing(tx, landing, stream_id)
    _sort_out(tx, known, found, page, stream_id, landing)
    _judge(tx, known, found, landing)
    _write(tx, known, found, landing, stream_id, listing)
    _told(tx, landing, stream_id)
    _looked(tx, landing, stream_id)
    _hear(tx, landing, stream_id)
    ends = listing is not None and landing.complete
    if ends and landing.opens and _never_listed(tx, stream_id):
        for kind in landing.opens:
            mark_kind_due(tx, kind, "listed")
    _move_position(tx, landing, stream_id, listing)
    missing = account_for_missing(tx, known, landing, stream_id) if ends else Missing()
    return Landed(
        read=len(landing.records),
        new=len(found.new),
        changed=found.changed,
        same=found.same,
        deleted=found.deleted,
        older=found.older,
        buried=len(found.buried),
        recognised=missing.recognised,
        vanished=missing.vanished,
        doubted=missing.doubted,
        living=missing.living,
        unread=missing.unread,
    )


def _never_listed(tx: Tx, stream_id: int) -> bool:
    return tx.row("select 1 from streams where id = ? and listed_at is null", stream_id) is not None


def _locks(tx: Tx, known: Streams, landing: Landing, stream_id: int) -> list[str]:
    objects = {record.successor_object for record in landing.records if record.successor_object}
    ids = {ensure(tx, known, landing.connection, object) for object in sorted(objects)}
    return stream_locks({stream_id, *ids})


def stream_locks(ids: set[int]) -> list[str]:
    """Whoever gives a remote id to a link holds its stream, so that no id is given twice."""
    return [f"stream {id}" for id in sorted(ids)]


def _listing(tx: Tx, landing: Landing, stream_id: int) -> int | None:
    """The number of the listing, None when it is not (or not any more) the one that runs."""
    if landing.listing is None:
        return None
    found = tx.row("select listing from streams where id = ?", stream_id)
    assert found is not None
    return landing.listing if found[0] == landing.listing else None


def fingerprint(values: Json) -> tuple[str, bytes]:
    """(JSON text, its digest) of a mapping, whatever the order of its keys."""
    try:
        raw = orjson.dumps(values, option=_OPTIONS)
    except TypeError:
        raw = dumps(values).encode()
    return raw.decode(), blake2b(raw, digest_size=8).digest()


_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def _sort_out(
    tx: Tx, known: Streams, found: _Found, page: dict[str, Record], stream_id: int, landing: Landing
) -> None:
    """Tell new, same, older and deleted records apart by the narrow rows alone. An old id is no news of the
    record that has another one now, but where it is made of the content: there it is a row of its own."""
    rows = {row[1]: row for row in tx.rows(_NARROW + tx.lock, stream_id, list(page))}
    aliases = _aliases(tx, stream_id, [id for id in page if id not in rows])
    if aliases and landing.recognise is not None:
        free_ids(tx, known, stream_id, sorted(aliases))
        aliases = set()
    for id, record in page.items():
        row = rows.get(id)
        if record.successor is not None:
            found.deleted += 1  # nothing is under this id any more
        elif row is not None:
            _compare(found, record, row, landing)
        elif record.deleted:
            found.deleted += 1
        elif id in aliases:
            found.older += 1
        else:
            found.new.append((record, *fingerprint(record.values)))


def _aliases(tx: Tx, stream_id: int, ids: list[str]) -> set[str]:
    if not ids:
        return set()
    sql = "select remote_id from link_aliases where stream_id = ? and remote_id in texts(?)"
    return {id for (id,) in tx.rows(sql, stream_id, ids)}


def _compare(found: _Found, record: Record, row: Row, landing: Landing) -> None:
    id, _, _, state, version, changed_at, known, _, _, _ = row
    at = landing.at
    said = b""
    if not record.deleted:
        found.listed.append(id)
        said = fingerprint(record.values)[1]
        if said == known and version is not None and version == record.version and state == "live":
            found.same += 1
            return
    changed = micros_or_none(record.changed_at)
    if state == "live" and is_later(changed_at, changed, at):
        found.older += 1
    elif record.deleted or (state == "tombstone" and not _restores(record, changed, row, landing)):
        _bury_one(found, record, row, changed, landing)
    elif said != known or state != "live":
        found.unsure[id] = (record, said, row)
    else:
        found.same += 1
        if record.version != version or (changed is not None and changed != changed_at):
            found.touched.append((id, record.version, changed or changed_at, micros(at)))


def is_later(known: int | None, stamp: int | None, at: datetime) -> bool:
    """Whether what is known of a record is later than this stamp. A time more than a day ahead was made by a
    wrong clock; it would make every edit until then an older one, so it is not later than one that may be
    true. Two of them are in order like any others, because that clock may always be ahead; not if it is ahead
    by years (2038, 9999): that is nobody's clock, but a mistake of who wrote there, made more than once."""
    if known is None or stamp is None or stamp >= known:
        return False
    true = micros(at) + _DAY
    return known <= true or true < stamp and known <= micros(at) + _YEAR


def _bury_one(found: _Found, record: Record, row: Row, changed: int | None, landing: Landing) -> None:
    """That nothing is under an id that was asked for is no word of the system that it was deleted: it was
    missed, and lives again with the first reading that shows it."""
    id, entity_id, state = row[0], row[2], row[3]
    if not record.deleted:
        found.older += 1
        return
    found.deleted += 1
    if state != "tombstone":
        why = "missing" if changed is None and record.id in landing.asked else "deleted"
        found.buried.append((id, record.version, changed or row[5], changed or micros(landing.at), why))
        because(found.reasons, entity_id, "deleted")


def _restores(record: Record, changed: int | None, row: Row, landing: Landing) -> bool:
    """Whether a tombstone lives again: the record is newer, or it was only missed before. Where no stamp
    tells, it counts if it was asked for by id."""
    if record.deleted:
        return False
    buried, buried_at = row[7], row[8]
    if buried == "missing" or changed is None:
        return bool(micros(landing.at) > buried_at)
    if _no_stamp_tells(changed, row[5], buried_at):
        return record.id in landing.asked
    return bool(changed > buried_at)


def _judge(tx: Tx, known: Streams, found: _Found, landing: Landing) -> None:
    """Load the documents of those that may have moved, and keep those that did. An assumption that came true
    is no news for the entity; it is counted as what this field does with our values."""
    if not found.unsure:
        return
    at = landing.at
    links = links_where(tx, known, "l.id in ints(?) order by l.id", list(found.unsure))
    changed: list[tuple[Link, Link, bytes]] = []
    confirmed: list[tuple[Link, Link, bytes]] = []
    as_sent: Counter[Path] = Counter()
    quiet: list[tuple[int, bytes | None, str | None, int | None, int]] = []
    for link in links:
        record, said, row = found.unsure[link.id]
        seen = observe(link, record, at, landing.told_at)
        as_sent.update((known.ids[link.stream], path) for path in link.assumed if path not in seen.assumed)
        if seen.state is link.state and _content(seen) == _content(link):
            found.same += 1
            stamp = micros_or_none(seen.changed_at)
            quiet.append((link.id, None if link.assumed else said, record.version, stamp, micros(at)))
        elif seen.state is link.state and (seen.observed, seen.base) == (link.observed, link.base):
            found.same += 1
            confirmed.append((link, seen, said))
        else:
            changed.append((link, seen, said))
            because(found.reasons, link.entity_id, _reason(row))
    back = (old.entity_id for old, seen, _ in changed if old.state is not seen.state)
    for referrer in referrers_of(tx, {one for one in back if one is not None}):
        because(found.reasons, referrer, "reference")  # it waited, or told of another record meanwhile
    tx.update("links", ("id",), ("digest", "version", "changed_at", "seen_at"), quiet)
    _write_changed(tx, [*changed, *confirmed])
    mark_arrived(tx, [seen.id for _, seen, _ in changed])
    count(tx, as_sent, {})
    found.changed += len(changed)


def _content(link: Link) -> tuple[Json, Json, Json]:
    return (link.observed, link.base, link.assumed)


def _reason(row: Row) -> str:
    return "restored" if row[3] == "tombstone" else "read"


def _write_changed(tx: Tx, changed: Sequence[tuple[Link, Link, bytes]]) -> None:
    tx.update(
        "links",
        ("id",),
        ("state", "version", "rev", "digest", "changed_at", "seen_at", "buried", "buried_at"),
        [
            (
                seen.id,
                str(seen.state),
                seen.version,
                seen.rev + 1,
                None if seen.assumed else said,
                micros_or_none(seen.changed_at),
                micros_or_none(seen.seen_at),
                None,
                None,
            )
            for _, seen, said in changed
        ],
    )
    docs = [(seen.id, dumps(seen.observed)) for old, seen, _ in changed if seen.observed != old.observed]
    tx.upsert("link_docs", ("link_id",), ("observed",), docs)
    notes = [
        (
            seen.id,
            dumps_or_none(seen.base),
            dumps_or_none(seen.assumed),
            micros_or_none(look_at(seen.assumed)),
        )
        for old, seen, _ in changed
        if seen.base != old.base or seen.assumed != old.assumed
    ]
    tx.upsert("link_notes", ("link_id",), ("base", "assumed", "look_at"), notes)


def _write(
    tx: Tx, known: Streams, found: _Found, landing: Landing, stream_id: int, listing: int | None
) -> None:
    at = micros(landing.at)
    _insert_new(tx, found, landing, stream_id, listing or 0)
    tx.update("links", ("id",), ("version", "changed_at", "seen_at"), found.touched)
    if found.buried:
        tx.update("links", ("id",), ("version", "changed_at", "buried_at", "buried"), found.buried)
        tx.run(
            "update links set state = 'tombstone', digest = null, rev = rev + 1 where id in ints(?)",
            [row[0] for row in found.buried],
        )
    if listing is not None and landing.unreadable:
        sql = "update links set listing = ? where stream_id = ? and remote_id in texts(?)"
        tx.run(sql, listing, stream_id, sorted(landing.unreadable))
    if listing is not None and found.listed:
        tx.run("update links set listing = ?, seen_at = ? where id in ints(?)", listing, at, found.listed)
    for record in landing.records:
        if record.aliases:
            _name_aliases(tx, stream_id, record)
    if any(record.successor is not None for record in landing.records):
        lead_to_new(tx, known, landing, stream_id, found.reasons)
    mark_each(tx, found.reasons)


def _told(tx: Tx, landing: Landing, stream_id: int) -> None:
    """Lists have to show what is as new as this answer."""
    if landing.told_at is not None:
        ids = sorted({*landing.asked, *(record.id for record in landing.records)})
        sql = "update links set told_at = ? where stream_id = ? and remote_id in texts(?)"
        tx.run(sql, micros(landing.told_at), stream_id, ids)


def _looked(tx: Tx, landing: Landing, stream_id: int) -> None:
    """What was hidden and asked for again is not asked for once more, whatever the answer says of it. Where
    the answer is only that it moved, it was not read yet: its link has its new id by now."""
    if not landing.asked:
        return
    read = {*landing.asked, *(landing.records[place].id for _, place in landing.moved)}
    found = tx.rows(
        "select link_id, assumed from link_notes where look_at <= ? and link_id in"
        " (select id from links where stream_id = ? and remote_id in texts(?)) order by link_id",
        micros(landing.at),
        stream_id,
        sorted(read),
    )
    left = [(id, looked(loads(text), landing.at)) for id, text in found]
    rows = [(id, dumps_or_none(assumed), micros_or_none(look_at(assumed))) for id, assumed in left]
    tx.update("link_notes", ("link_id",), ("assumed", "look_at"), rows)


def late(
    tx: Tx, connection: str, object: str, views: Sequence[Record], began: datetime, lag: timedelta
) -> list[str]:
    """See `Store.late`."""
    known = streams(tx)
    stream_id = known.ids.get((connection, object))
    if stream_id is None:
        return []
    found = set(_perhaps_brought_back(tx, stream_id, views))
    if lag:
        found.update(_older_than_told(tx, stream_id, views, began - lag, micros(began) + _DAY))
        found.update(_from_before_a_write(tx, known, stream_id, views, began))
    return [view.id for view in views if view.id in found]


def _perhaps_brought_back(tx: Tx, stream_id: int, views: Sequence[Record]) -> Iterator[str]:
    """Records that were deleted, and that a view shows, where no stamp tells which was later."""
    found = tx.rows(
        "select remote_id, changed_at, buried_at from links where stream_id = ? and state = 'tombstone'"
        " and buried = 'deleted' and remote_id in texts(?) order by id",
        stream_id,
        [view.id for view in views if not view.deleted and view.successor is None],
    )
    dead = {id: (changed_at, buried_at) for id, changed_at, buried_at in found}
    for view in views:
        if view.id in dead and _no_stamp_tells(micros_or_none(view.changed_at), *dead[view.id]):
            yield view.id


def _no_stamp_tells(stamp: int | None, changed_at: int | None, buried_at: int) -> bool:
    """Whether a record that lives may have been deleted before or since: it bears the stamp of its deletion,
    or nobody stamped that, and it counts as of when we heard of it, by our own clock."""
    return stamp is not None and (stamp == buried_at or changed_at != buried_at)


def _older_than_told(
    tx: Tx, stream_id: int, views: Sequence[Record], shown: datetime, true: int
) -> list[str]:
    found = tx.rows(
        "select remote_id, state, version, changed_at, digest from links where stream_id = ?"
        " and told_at > ? and remote_id in texts(?) order by id",
        stream_id,
        micros(shown),
        [view.id for view in views],
    )
    told = {row[0]: row[1:] for row in found}
    return [view.id for view in views if view.id in told and _may_be_older(view, true, *told[view.id])]


def _from_before_a_write(
    tx: Tx, known: Streams, stream_id: int, views: Sequence[Record], began: datetime
) -> list[str]:
    links = links_where(
        tx,
        known,
        "l.stream_id = ? and l.remote_id in texts(?) and l.state = 'live' and n.assumed is not null"
        " order by l.id",
        stream_id,
        [view.id for view in views],
    )
    by_id = {link.remote_id: link for link in links}
    return [view.id for view in views if view.id in by_id and shows_before(by_id[view.id], view, began)]


def _may_be_older(
    view: Record, true: int, state: str, version: str | None, changed_at: int | None, digest: bytes | None
) -> bool:
    """Whether nobody can tell which is newer: this view, or what the system itself told. One stamp that is
    past what may be `true` was made by a wrong clock, and is in no order with others; one that is years past
    it is in none with such ones, either."""
    if view.deleted or view.successor is not None:
        return False
    if state != "live":
        return True
    stamp = micros_or_none(view.changed_at)
    if changed_at is not None and stamp is not None and stamp != changed_at:
        last = max(changed_at, stamp)
        if (changed_at > true) == (stamp > true) and last <= true + _YEAR:
            return False
    if version is not None and version == view.version:
        return False
    return version is not None or fingerprint(view.values)[1] != digest


def hidden(tx: Tx, now: datetime, connections: Sequence[str], after: int, limit: int) -> list[Link]:
    """See `Store.hidden`."""
    known = streams(tx)
    return links_where(
        tx,
        known,
        "l.id in (select link_id from link_notes where look_at <= ?) and l.id > ? and l.state = 'live'"
        " and l.stream_id in ints(?) and l.remote_id is not null order by l.id limit ?",
        micros(now),
        after,
        known.of(connections),
        limit,
    )


def _hear(tx: Tx, landing: Landing, stream_id: int) -> None:
    """Opt-outs of records that no decision reads: for whoever has the record now, or holds its address."""
    news = _news(tx, landing) if landing.consent else []
    if not news:
        return
    heard = {holder for _, holder in remember_consent(tx, news)}
    ids = sorted({record.id for record in landing.records if record.deleted or record.successor is not None})
    heard |= {entity for (entity,) in tx.rows(_OWNERS, stream_id, ids, stream_id, ids) if entity is not None}
    mark_due(tx, sorted(heard | all_rivals(tx, heard)), "consent")


def _news(tx: Tx, landing: Landing) -> list[ConsentEvent]:
    """A record left out that names no time is heard of in every listing: once will do, until an opt-in."""
    found = tx.rows(
        "select subject, channel, purpose, state from consent_events where subject in texts(?)"
        " order by at, id",
        sorted({event.subject for event in landing.consent}),
    )
    last = {(subject, channel, purpose): state for subject, channel, purpose, state in found}
    return [
        event
        for event in landing.consent
        if event.at != landing.at or last.get((event.subject, event.channel, event.purpose)) != event.state
    ]


_OWNERS = (
    "select entity_id from links where stream_id = ? and remote_id in texts(?)"
    " union select l.entity_id from link_aliases a join links l on l.id = a.link_id"
    " where a.stream_id = ? and a.remote_id in texts(?)"
)

_NEW = (
    *("id", "stream_id", "remote_id", "kind", "state", "version", "digest", "listing"),
    *("changed_at", "seen_at"),
)


def _insert_new(tx: Tx, found: _Found, landing: Landing, stream_id: int, listing: int) -> None:
    at, kind = micros(landing.at), str(landing.kind)
    ids = tx.allocate("links", len(found.new))
    tx.insert(
        "links",
        _NEW,
        [
            (
                id,
                stream_id,
                record.id,
                kind,
                "live",
                record.version,
                said,
                listing,
                None if record.changed_at is None else micros(record.changed_at),
                at,
            )
            for id, (record, _, said) in zip(ids, found.new, strict=True)
        ],
    )
    docs = [(id, text) for id, (_, text, _) in zip(ids, found.new, strict=True)]
    tx.insert("link_docs", ("link_id", "observed"), docs)


def _name_aliases(tx: Tx, stream_id: int, record: Record) -> None:
    found = tx.row("select id from links where stream_id = ? and remote_id = ?", stream_id, record.id)
    if found is not None:
        for alias in record.aliases:
            remember_alias(tx, (stream_id, alias), found[0])


def _move_position(tx: Tx, landing: Landing, stream_id: int, listing: int | None) -> None:
    """The cursor moves with the records that it covers, or not at all."""
    began = micros(landing.at if landing.began is None else landing.began)
    if landing.ended:
        known = "broken_off" if landing.listing is None else "listing_began_at"
        sql = f"update streams set read_at = ?, read_since = coalesce({known}, ?) where id = ?"
        tx.run(sql, micros(landing.at), began, stream_id)
    if listing is not None:
        _move_listing(tx, landing, stream_id, listing)
    elif landing.listing is None:
        if landing.cursor is not None:
            sql = "update streams set cursor = ?, broken_off = coalesce(broken_off, ?) where id = ?"
            tx.run(sql, dumps(landing.cursor), began, stream_id)
            _read_for_fewer(tx, landing, stream_id)
        if landing.ended:
            _rests(tx, stream_id)


def _read_for_fewer(tx: Tx, landing: Landing, stream_id: int) -> None:
    """What the cursor passed was read for these fields only: whatever else was listed once is unread now,
    and everything is listed on the day it is mapped again."""
    (said,) = tx.row("select fields from streams where id = ?", stream_id) or ("[]",)
    if unread := set(loads(said)) - set(landing.fields):
        left = sorted(set(loads(said)) - unread)
        tx.run("update streams set fields = ? where id = ?", dumps(left), stream_id)


def _rests(tx: Tx, stream_id: int) -> None:
    """The next reading of changes is a new one."""
    tx.run("update streams set broken_off = null where id = ?", stream_id)


def _move_listing(tx: Tx, landing: Landing, stream_id: int, listing: int) -> None:
    if landing.rejected:
        more = "update streams set listing_rejected = listing_rejected + ? where id = ?"
        tx.run(more, landing.rejected, stream_id)
    cursor = None if landing.cursor is None else dumps(landing.cursor)
    if not landing.complete:
        if cursor is not None:
            sql = "update streams set listing_cursor = ?, listing_fields = ? where id = ?"
            tx.run(sql, cursor, dumps(sorted(landing.fields)), stream_id)
        return
    tx.run(
        "update streams set listed = ?, listed_at = ?, listing_cursor = null, fields = ?,"
        " cursor = coalesce(?, cursor) where id = ?",
        listing,
        micros(landing.at),
        dumps(sorted(landing.fields)),
        cursor,
        stream_id,
    )
    if cursor is not None:
        _rests(tx, stream_id)


def known_links(tx: Tx, connection: str, object: str, ids: Sequence[str]) -> dict[str, Link]:
    """Links by the id that was asked, which may be an old one."""
    known = streams(tx)
    stream_id = known.ids.get((connection, object))
    if stream_id is None or not ids:
        return {}
    direct = links_where(
        tx, known, "l.stream_id = ? and l.remote_id in texts(?) order by l.id", stream_id, list(ids)
    )
    answer = {link.remote_id: link for link in direct if link.remote_id is not None}
    rest = [id for id in ids if id not in answer]
    if rest:
        answer |= _by_alias(tx, known, stream_id, rest)
    return answer


def _by_alias(tx: Tx, known: Streams, stream_id: int, ids: list[str]) -> dict[str, Link]:
    sql = (
        "select remote_id, link_id from link_aliases where stream_id = ? and remote_id in texts(?)"
        " order by remote_id"
    )
    old = tx.rows(sql, stream_id, ids)
    if not old:
        return {}
    found = links_where(tx, known, "l.id in ints(?)", [link for _, link in old])
    links = {link.id: link for link in found}
    return {remote_id: links[id] for remote_id, id in old}
