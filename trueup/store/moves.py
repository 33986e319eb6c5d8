"""A record that answers under another id: the link moves there, and two links that meet are joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from trueup.model.entity import Agreed, Link, LinkState, Quarantine
from trueup.model.jsontext import dumps
from trueup.model.landing import Landing
from trueup.model.matching import Verdict
from trueup.model.record import Json, Record
from trueup.store.addresses import repeat_consent
from trueup.store.codec import (
    digest,
    dumps_or_none,
    micros,
    micros_or_none,
    write_agreed,
    write_quarantine,
    write_times,
)
from trueup.store.rows import UNSENT, links_where
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams, ensure
from trueup.sync.rules.observe import look_at, observe

Reasons = dict[int, set[str]]
"""Entity id to why it is due."""

Place = tuple[int, str]
"""(stream id, remote id)"""


def because(reasons: Reasons, entity_id: int | None, reason: str) -> None:
    if entity_id is not None:
        reasons.setdefault(entity_id, set()).add(reason)


def follow_moves(tx: Tx, known: Streams, landing: Landing, stream_id: int) -> Reasons:
    """Move the links of all records of this landing that answer under another id."""
    reasons: Reasons = {}
    for asked, place in landing.moved:
        if asked != landing.records[place].id:
            there = (stream_id, landing.records[place].id)
            move(tx, known, (stream_id, asked), there, landing.at, reasons)
    for record in landing.records:
        if record.successor is not None:
            object = record.successor_object or landing.object
            there = (ensure(tx, known, landing.connection, object), record.successor)
            move(tx, known, (stream_id, record.id), there, landing.at, reasons)
        for alias in record.aliases:
            if alias != record.id:
                move(tx, known, (stream_id, alias), (stream_id, record.id), landing.at, reasons)
    _look_there(tx, known, landing, stream_id)
    return reasons


def _look_there(tx: Tx, known: Streams, landing: Landing, stream_id: int) -> None:
    """Links that moved to an id which this landing does not bring are read by that id: of a chain A → B → C
    the second step may have been told before anybody knew the first."""
    here = {record.id for record in landing.records if record.successor is None and not record.deleted}
    ids = {one.successor for one in landing.records if one.successor and not one.successor_object}
    found = tx.rows(
        "select id from links where stream_id = ? and state = 'live' and digest is null"
        " and remote_id in texts(?) order by id",
        stream_id,
        sorted(ids - here),
    )
    tx.upsert("link_notes", ("link_id",), ("look_at",), [(id, micros(landing.at)) for (id,) in found])


def stands_at(tx: Tx, known: Streams, place: Place) -> Link | None:
    """The link of this id, also by an old id of it."""
    found = links_where(tx, known, "l.stream_id = ? and l.remote_id = ?", *place)
    found = found or links_where(
        tx,
        known,
        "l.id = (select a.link_id from link_aliases a where a.stream_id = ? and a.remote_id = ?)",
        *place,
    )
    return found[0] if found else None


def move(tx: Tx, known: Streams, old: Place, new: Place, at: datetime, reasons: Reasons) -> None:
    """What was known at the old id is now at the new one."""
    here, there = stands_at(tx, known, old), stands_at(tx, known, new)
    if there is not None and known.ids[there.stream] != new[0]:
        there = None if here is not None and there.id == here.id else there
    if here is None:
        if there is not None:
            _lead(tx, old, there.id, reasons)
        return
    if there is None or there.id == here.id:
        stands = (known.ids[here.stream], here.remote_id)
        # Of a chain A → B → C that was followed, A → B is told again: B is an old id of the link, too.
        if stands != new and (there is None or stands == old):
            relocate(tx, known, here, new, reasons)
        return
    if here.entity_id is not None and there.entity_id not in (None, here.entity_id):
        _meet(tx, here, there, at, reasons)
    elif here.entity_id is not None and there.entity_id is None:
        take_over(tx, known, [(here, there)], reasons)
    elif in_flight(tx, here.id):
        _entomb(tx, here, at)
        because(reasons, here.entity_id, "moved")
    else:
        absorb(tx, {here.id: there.id})
        remember_alias(tx, old, there.id)
        because(reasons, there.entity_id, "moved")


def lead_to_new(tx: Tx, known: Streams, landing: Landing, stream_id: int, reasons: Reasons) -> None:
    """Records that went into one which this landing brings, and of which neither was known before it: who
    points at the old one means the new one."""
    brought = {record.id for record in landing.records if record.successor is None and not record.deleted}
    for record in landing.records:
        if record.successor in brought and not record.successor_object:
            old, there = (stream_id, record.id), stands_at(tx, known, (stream_id, record.successor))
            if there is not None and stands_at(tx, known, old) is None:
                _lead(tx, old, there.id, reasons)


def _lead(tx: Tx, old: Place, link_id: int, reasons: Reasons) -> None:
    """An id that nobody knew leads to this link, for whoever pointed at it, too."""
    remember_alias(tx, old, link_id)
    for referrer in referrers_of_places(tx, [old]):
        because(reasons, referrer, "reference")


def relocate(tx: Tx, known: Streams, link: Link, new: Place, reasons: Reasons) -> None:
    """Give a link its new id. The version belonged to the old one; so did the fields of another object."""
    old_stream = known.ids[link.stream]
    tx.run(
        "update links set stream_id = ?, remote_id = ?, version = null, digest = null, rev = rev + 1,"
        " state = 'live', buried = null, buried_at = null where id = ?",
        new[0],
        new[1],
        link.id,
    )
    if old_stream != new[0]:
        write_contents(tx, [_blank(link)])
        tx.run("update links set fresh = 1 where id = ?", link.id)
    tx.run("delete from link_aliases where stream_id = ? and remote_id = ?", *new)
    if link.remote_id is not None:
        remember_alias(tx, (old_stream, link.remote_id), link.id)
    because(reasons, link.entity_id, "moved")
    for referrer in (*referrers_of_places(tx, [new]), *_referrers_of(tx, [link])):
        because(reasons, referrer, "reference")


def _blank(link: Link) -> Link:
    """A link of which nothing is known at its new object."""
    return replace(link, observed={}, base={}, agreed={}, assumed={}, quarantine={}, published={})


def take_over(tx: Tx, known: Streams, pairs: Sequence[tuple[Link, Link]], reasons: Reasons) -> None:
    """Links with an entity take the places, and what was seen there, of strangers, which have none."""
    strangers = {stranger.id: stranger for _, stranger in pairs}
    sql = "select id, listing from links where id in ints(?)"
    listings: dict[int, int] = dict(tx.rows(sql, sorted(strangers)))
    absorb(tx, {stranger.id: link.id for link, stranger in pairs})
    seen = [_as_seen(link, stranger) for link, stranger in pairs]
    places = [(known.ids[link.stream], link.remote_id or "") for link in seen]
    _drop_aliases(tx, places)
    rows = [
        (*_standing(link, place), listings[stranger.id])
        for link, place, (_, stranger) in zip(seen, places, pairs, strict=True)
    ]
    tx.update("links", ("id",), _STANDING, rows)
    write_contents(tx, seen)
    before = ((known.ids[link.stream], link.remote_id, link.id) for link, _ in pairs)
    _remember_aliases(tx, [((stream_id, id), link) for stream_id, id, link in before if id is not None])
    for link, _ in pairs:
        because(reasons, link.entity_id, "moved")
    for referrer in (*referrers_of_places(tx, places), *_referrers_of(tx, [link for link, _ in pairs])):
        because(reasons, referrer, "reference")


def _as_seen(link: Link, stranger: Link) -> Link:
    """The link after the reading that brought the stranger. Another object has other fields."""
    assert stranger.remote_id is not None
    record = Record(stranger.remote_id, stranger.observed, stranger.version, stranger.changed_at)
    if stranger.stream != link.stream:
        link = replace(_blank(link), connection=stranger.connection, object=stranger.object, fresh=True)
    at = stranger.seen_at or stranger.changed_at
    seen = link if at is None else observe(link, record, at)
    return replace(
        seen,
        remote_id=stranger.remote_id,
        state=LinkState.LIVE,
        version=stranger.version,
        changed_at=stranger.changed_at,
        seen_at=stranger.seen_at,
    )


_STANDING = (
    *("stream_id", "remote_id", "state", "fresh", "version", "rev", "changed_at", "seen_at"),
    *("buried", "buried_at", "listing"),
)


def _standing(link: Link, place: Place) -> Row:
    """`_STANDING` of a link at its new place, but for the listing that brought it."""
    changed_at, seen_at = micros_or_none(link.changed_at), micros_or_none(link.seen_at)
    at = (*place, str(link.state), int(link.fresh), link.version, link.rev + 1, changed_at, seen_at)
    return (link.id, *at, None, None)


def _meet(tx: Tx, here: Link, there: Link, at: datetime, reasons: Reasons) -> None:
    """The system joined records of two entities: both stay, and the engine is told once they are the same."""
    _entomb(tx, here, at)
    told_before = tx.row(
        "select 1 from match_decisions where left_id = ? and right_id = ? and author = ?",
        here.id,
        there.id,
        f"system:{here.connection}",
    )
    if told_before is not None:
        return
    columns = ("left_id", "right_id", "verdict", "score", "evidence", "author", "at")
    told = dumps({"merged_in": here.connection})
    author = f"system:{here.connection}"
    row = (here.id, there.id, str(Verdict.SAME), 1.0, told, author, micros(at))
    tx.insert("match_decisions", columns, [row])
    because(reasons, here.entity_id, "merged")
    because(reasons, there.entity_id, "merged")


def _entomb(tx: Tx, link: Link, at: datetime) -> None:
    if link.state is not LinkState.TOMBSTONE:
        tx.run(
            "update links set state = 'tombstone', buried = 'merged', buried_at = ?, version = null,"
            " rev = rev + 1 where id = ?",
            micros(at),
            link.id,
        )


def in_flight(tx: Tx, link_id: int) -> bool:
    found = tx.row(
        "select 1 from deliveries where open = 1 and link_id = ? and state in ('sent', 'doubt', 'waiting')",
        link_id,
    )
    return found is not None


def absorb(tx: Tx, heirs: Mapping[int, int]) -> None:
    """Remove links that have nothing in flight; what points at one points at its heir."""
    lost = sorted(heirs)
    supersede(tx, "link_id in ints(?)", lost)
    for table, column in _POINTING:
        found = tx.rows(f"select distinct {column} from {table} where {column} in ints(?)", lost)
        for (id,) in found:
            tx.run(f"update {table} set {column} = ? where {column} = ?", heirs[id], id)
    kept = sorted(set(heirs.values()))
    tx.run("delete from match_decisions where left_id = right_id and left_id in ints(?)", kept)
    erase(tx, lost)


_POINTING = (
    *(("deliveries", "link_id"), ("link_aliases", "link_id")),
    *(("match_decisions", "left_id"), ("match_decisions", "right_id")),
)


def forget(tx: Tx, ids: Sequence[int]) -> None:
    """Remove links whose record was never made, with the deliveries that would have made it."""
    if not ids:
        return
    links = list(ids)
    its = "select id from deliveries where link_id in ints(?)"
    tx.run(f"delete from delivery_docs where delivery_id in ({its})", links)
    tx.run("delete from deliveries where link_id in ints(?)", links)
    erase(tx, links)


def erase(tx: Tx, links: list[int]) -> None:
    """Remove links that no write names, with all that is kept about them."""
    if not links:
        return
    for table in ("dangling", "match_keys", "link_aliases", "link_missed", "link_notes", "link_docs"):
        tx.run(f"delete from {table} where link_id in ints(?)", links)
    for column in ("left_id", "right_id"):
        tx.run(f"delete from match_decisions where {column} in ints(?)", links)
    tx.run("delete from links where id in ints(?)", links)


def supersede(tx: Tx, condition: str, *values: object) -> int:
    """Close deliveries that were never sent; how many."""
    unsent = f"select id from deliveries where open = 1 and state in {UNSENT} and {condition}"
    found = tx.rows(unsent, *values)
    return close(tx, [id for (id,) in found], "superseded")


def close(tx: Tx, ids: list[int], state: str) -> int:
    """End these deliveries: what they were to write is not needed any more."""
    if not ids:
        return 0
    tx.run("delete from delivery_docs where delivery_id in ints(?)", ids)
    return tx.run("update deliveries set state = ?, open = 0 where id in ints(?)", state, ids)


def _drop_aliases(tx: Tx, places: Sequence[Place]) -> None:
    """These places are links' own now."""
    for stream_id in sorted({stream for stream, _ in places}):
        ids = [id for stream, id in places if stream == stream_id]
        sql = "delete from link_aliases where stream_id = ? and remote_id in texts(?)"
        tx.run(sql, stream_id, ids)


def remember_alias(tx: Tx, place: Place, link_id: int) -> None:
    """An old id leads here. Never where the id is that of a link: an alias is no link's own id."""
    _remember_aliases(tx, [(place, link_id)])


def _remember_aliases(tx: Tx, leads: Sequence[tuple[Place, int]]) -> None:
    sql = "select stream_id, remote_id from links where stream_id = ? and remote_id in texts(?)"
    taken: set[Row] = set()
    for stream_id in sorted({stream for (stream, _), _ in leads}):
        taken.update(tx.rows(sql, stream_id, [id for (stream, id), _ in leads if stream == stream_id]))
    rows = [(*place, link) for place, link in leads if place not in taken]
    tx.upsert("link_aliases", ("stream_id", "remote_id"), ("link_id",), rows)


def free_ids(tx: Tx, known: Streams, stream_id: int, ids: Sequence[str]) -> None:
    """These old ids are those of other records now. What was heard of consent under them stays with the links
    that they led to."""
    found = tx.rows(
        "select a.remote_id, l.stream_id, l.remote_id from link_aliases a join links l on l.id = a.link_id"
        " where a.stream_id = ? and a.remote_id in texts(?) and l.remote_id is not null",
        stream_id,
        ids,
    )
    refs = {known.ref(stream_id, old): known.ref(stream, now) for old, stream, now in found}
    repeat_consent(tx, refs)
    tx.run("delete from link_aliases where stream_id = ? and remote_id in texts(?)", stream_id, ids)


def write_contents(tx: Tx, links: Sequence[Link]) -> None:
    """Store all that is remembered about these links."""
    texts = {link.id: dumps(link.observed) for link in links}
    tx.upsert("link_docs", ("link_id",), ("observed",), list(texts.items()))
    tx.run("delete from link_notes where link_id in ints(?)", list(texts))
    notes = [
        (link.id, *notes_of(link.base, link.agreed, link.assumed, link.quarantine, link.published))
        for link in links
    ]
    tx.insert("link_notes", ("link_id", *NOTES), [row for row in notes if any(row[1:])])
    settled = [(link.id, None if link.assumed else digest(texts[link.id])) for link in links]
    tx.update("links", ("id",), ("digest",), settled)


def notes_of(
    base: Mapping[str, Json],
    agreed: Mapping[str, Agreed],
    assumed: Mapping[str, Json],
    quarantine: Mapping[str, Quarantine],
    published: Mapping[str, datetime],
) -> tuple[str | int | None, ...]:
    """The columns `NOTES` of `link_notes`; None for what is empty."""
    return (
        dumps_or_none(base),
        write_agreed(agreed),
        dumps_or_none(assumed),
        write_quarantine(quarantine),
        write_times(published),
        micros_or_none(look_at(assumed)),
    )


NOTES = ("base", "agreed", "assumed", "quarantine", "published", "look_at")


def referrers_of_places(tx: Tx, places: list[Place]) -> list[int]:
    """Entities with a record that points at one of these ids, which nobody knew so far."""
    groups: Mapping[int, list[str]] = {stream: [] for stream, _ in places}
    for stream, remote_id in places:
        groups[stream].append(remote_id)
    found = {
        entity
        for stream, ids in groups.items()
        for (entity,) in tx.rows(
            "select distinct l.entity_id from dangling g join links l on l.id = g.link_id"
            " where g.stream_id = ? and g.remote_id in texts(?) and l.entity_id is not null",
            stream,
            ids,
        )
    }
    return sorted(found)


def referrers_of(tx: Tx, entities: Iterable[int]) -> list[int]:
    """Entities that refer to one of these, of which another record is there now, or says something else."""
    asked = sorted(entities)
    if not asked:
        return []
    found = tx.rows(
        "select distinct entity_id from entity_references where target_id in ints(?) order by entity_id",
        asked,
    )
    return [id for (id,) in found]


def _referrers_of(tx: Tx, links: Sequence[Link]) -> list[int]:
    return referrers_of(tx, {link.entity_id for link in links if link.entity_id is not None})
