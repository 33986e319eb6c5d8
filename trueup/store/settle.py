"""Settle: how attempts ended, and what the systems hold now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.errors import NotFound
from trueup.mapping.compiled import remote_path
from trueup.model.delivery import OPEN_STATES, UNDER_WAY_STATES, DeliveryState, Settlement
from trueup.model.entity import NEVER, Agreed, Link, LinkState, Quarantine, stood
from trueup.model.fields import Kind
from trueup.model.record import Json, Record
from trueup.model.run import Fence
from trueup.model.values import Absent
from trueup.store.codec import micros, micros_or_none, moment_or_none
from trueup.store.land import fingerprint, is_later
from trueup.store.leases import check
from trueup.store.marks import mark_each, renew
from trueup.store.moves import NOTES, Place, Reasons, because, notes_of, referrers_of, referrers_of_places
from trueup.store.newcomers import Newcomers, hold_streams, take_places
from trueup.store.rows import LINK, content_of
from trueup.store.sql import Row, T, Tx
from trueup.store.streams import Streams, streams
from trueup.sync.rules.acknowledge import ARRIVED, UNSEEN
from trueup.sync.rules.formats import is_usual
from trueup.sync.rules.observe import observe


@dataclass(slots=True)
class _Holding:
    """A link while it is settled."""

    row: Row
    state: str
    fresh: int
    active: int
    version: str | None
    changed_at: int | None
    observed: Mapping[str, Json]
    base: Mapping[str, Json]
    agreed: Mapping[str, Agreed]
    assumed: Mapping[str, Json]
    quarantine: Mapping[str, Quarantine]
    published: Mapping[str, datetime]
    place: Place | None = None  # where it is from now on


@dataclass(slots=True)
class _Rows:
    """What is written, collected over all settlements of the call."""

    deliveries: list[Row] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    untried: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)  # links of which the system itself told just now
    failing: list[Row] = field(default_factory=list)
    links: dict[int, _Holding] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)  # entities
    met: dict[Place, int] = field(default_factory=dict)  # new links, and whose they are


def settle(tx: Tx, settlements: Sequence[Settlement], at: datetime, fence: Fence | None) -> frozenset[int]:
    """See `Store.settle`. What is closed already stays as it is: settling twice is settling once."""
    check(tx, fence)
    known = streams(tx)
    hold_streams(tx, known, settlements)
    found = _load(tx, [one.delivery_id for one in settlements])
    settlements = _seen_meanwhile(tx, settlements)
    own = {id: (row[6], row[1], row[7], row[8]) for id, row in found.items() if row[3] in _OPEN}
    newcomers = take_places(tx, known, settlements, own, at)
    if newcomers.stirred:
        found |= _load(tx, sorted(newcomers.stirred))
    rows = _Rows(reasons=newcomers.reasons)
    for one in settlements:
        row = found[one.delivery_id]
        if one.delivery_id in newcomers.parked:
            rows.deliveries.append(_end(newcomers.parked[one.delivery_id], row, at))
            rows.touched.add(row[1])
            if row[2] != row[5]:
                because(rows.reasons, row[1], "settled")
        elif row[3] in _OPEN or one.delivery_id in newcomers.folded:
            _settle_one(known, rows, newcomers, one, row, at)
    _write(tx, rows, at)
    return frozenset(newcomers.parked)


def _seen_meanwhile(tx: Tx, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
    """A reading may have shown that a write arrived before nobody waits for its answer any more."""
    asked = [one.delivery_id for one in settlements if _in_doubt(one)]
    if not asked:
        return settlements
    rows = tx.rows("select id from deliveries where id in ints(?) and code = ?", asked, ARRIVED)
    seen = {id for (id,) in rows}
    return [
        replace(one, code=ARRIVED) if one.delivery_id in seen and _in_doubt(one) else one
        for one in settlements
    ]


def _in_doubt(one: Settlement) -> bool:
    """Without a usable answer; one that was taken, and only has to show, is none."""
    return one.state is DeliveryState.DOUBT and one.code != UNSEEN


_OPEN = {str(state) for state in OPEN_STATES}
_OWN = "v.id, v.entity_id, v.entity_revision, v.state, v.job, e.revision"


def _load(tx: Tx, ids: list[int]) -> dict[int, Row]:
    """Deliveries with their links. Rows are locked in the order entities, links, deliveries."""
    if tx.lock:
        for table, key in (("entities", "entity_id"), ("links", "link_id")):
            tx.rows(
                f"select id from {table} where id in (select {key} from deliveries where id in ints(?))"
                " order by id" + tx.lock,
                ids,
            )
        tx.rows("select id from deliveries where id in ints(?) order by id" + tx.lock, ids)
    found = tx.rows(
        f"select {_OWN}, {LINK} from deliveries v join entities e on e.id = v.entity_id"
        " join links l on l.id = v.link_id left join link_docs d on d.link_id = l.id"
        " left join link_notes n on n.link_id = l.id where v.id in ints(?) order by v.id",
        ids,
    )
    rows = {row[0]: row for row in found}
    for id in ids:
        if id not in rows:
            raise NotFound(f"there is no delivery {id}")
    return rows


def _settle_one(
    known: Streams, rows: _Rows, newcomers: Newcomers, one: Settlement, row: Row, at: datetime
) -> None:
    """Put down the delivery's own end, and what follows for its link and entity."""
    entity, moved_on = row[1], row[2] != row[5]
    link = rows.links.get(row[6]) or _holding(row[6:])
    if one.fresh and one.delivery_id in newcomers.folded:
        one = _seen_there(one, link)
    if one.state is DeliveryState.DUE and link.state == LinkState.TOMBSTONE:
        # The record went while nobody knew whether the write had arrived: there is nothing to send it to.
        one = replace(one, state=DeliveryState.SUPERSEDED, not_before=None, due="gone")
    before = link.base
    one = _with_unheard(link, one)
    newer = _newer_reading(link, one, at)
    changed = _apply(link, one, moved_on)
    if one.delivery_id in newcomers.folded:
        link.state = "live"
    elif one.remote_id is not None and link.row[2] is None:
        link.place = (newcomers.streams[one.delivery_id], one.remote_id)
        link.state, changed = "live", True
        rows.met[link.place] = entity
    for record in (_said(link, one), newer, newcomers.read.get(one.delivery_id)):
        if record is not None:
            _observe(link, record, known, at)
    rows.touched.add(entity)
    if one.due:
        because(rows.reasons, entity, one.due)
    if link.base != before and any(path not in before for path in link.base):
        because(rows.reasons, entity, "read")
    if moved_on and one.state not in UNDER_WAY_STATES:
        because(rows.reasons, entity, "settled")
    rows.deliveries.append(_end(one, row, at))
    if one.untried:
        rows.untried.append(one.delivery_id)
    if one.told:
        rows.told.append(row[6])
    if one.failing_since is not None:
        rows.failing.append((one.delivery_id, micros(one.failing_since)))
    if one.state not in OPEN_STATES:
        rows.closed.append(one.delivery_id)
    if changed or one.said or one.delivery_id in newcomers.read:
        rows.links[row[6]] = link


def _holding(row: Row) -> _Holding:
    return _Holding(row, row[5], row[7], row[8], row[9], row[12], *content_of(row))


def _apply(link: _Holding, one: Settlement, moved_on: bool) -> bool:
    """Whether this settlement says anything about the link."""
    done = one.state is DeliveryState.DONE
    link.observed = {**link.observed, **one.observed}
    link.base = _without(link.base, one.observed)
    link.assumed = {**_without(link.assumed, one.observed), **one.assumed}
    link.agreed = _agreed(link, one, moved_on)
    kept = _without(link.quarantine, one.agreed) if done else link.quarantine
    link.quarantine = {**kept, **one.quarantine}
    link.published = {**link.published, **one.published}
    if one.drops_version or one.version is not None:
        link.version = one.version
    if one.changed_at is not None:
        link.changed_at = micros(one.changed_at)
    if one.tombstone:
        link.state = "tombstone"
    if one.active is not None:
        link.active = int(one.active)
    link.fresh = int(one.fresh or (link.fresh == 1 and not done))
    says = one.observed or one.assumed or one.agreed or one.quarantine or one.drops_version or one.tombstone
    return done or bool(says) or one.version is not None or one.active is not None


def _seen_there(one: Settlement, link: _Holding) -> Settlement:
    """A record that stood with the entity already: what was agreed with it stays, the rest is a reading."""
    return replace(one, observed={}, agreed={}, said={**one.said, **one.observed}, fresh=link.fresh == 1)


def _with_unheard(link: _Holding, one: Settlement) -> Settlement:
    """The settlement with what was read of the record and is not judged yet, where our write stands now: the
    next decision tells the history of it, and hears of elements that a list held then. What a system may have
    made of our write is no such thing."""
    found: dict[str, Agreed] = {}
    for key, pair in one.agreed.items():
        path = remote_path(key, one.observed)
        there = link.observed.get(path)
        before = stood(link.agreed.get(key), link.base, link.observed, path)
        if path not in one.observed or there == before or isinstance(there, dict):
            continue
        ours = one.observed[path]
        if _gained(ours, before, there) if isinstance(there, list) else not is_usual(ours, there):
            found[key] = pair._replace(unheard=there)
    return replace(one, agreed={**one.agreed, **found}, due=one.due or "read") if found else one


def _gained(ours: Json, before: Json, there: Sequence[Json]) -> bool:
    """Whether a list held elements that neither stood there before nor are what a system makes of ours."""
    known = [*(before if isinstance(before, list) else ()), *(ours if isinstance(ours, list) else ())]
    return any(not any(one == other or is_usual(other, one) for other in known) for one in there)


def _newer_reading(link: _Holding, one: Settlement, at: datetime) -> Record | None:
    """What was read after the answer was given, of the paths it speaks of: somebody's later edits."""
    if not is_later(link.changed_at, micros_or_none(one.changed_at), at):
        return None
    values = {path: link.observed[path] for path in (*one.observed, *one.said) if path in link.observed}
    return Record(link.row[2] or "", values, link.version, moment_or_none(link.changed_at))


def _without(mapping: Mapping[str, T], keys: Mapping[str, object]) -> Mapping[str, T]:
    if not mapping or not keys:
        return mapping
    return {key: value for key, value in mapping.items() if key not in keys}


def _agreed(link: _Holding, one: Settlement, moved_on: bool) -> Mapping[str, Agreed]:
    """Exceptions only: what was agreed at the entity's present value is the default and not stored. Of a
    record that is seen for the first time nothing is agreed by default."""
    if not one.agreed:
        return link.agreed
    default = one.state is DeliveryState.DONE and not moved_on and not one.fresh
    stored = {
        key: pair
        for key, pair in one.agreed.items()
        if not default
        or pair.hub is NEVER
        or pair.withheld
        or pair.left
        or not isinstance(pair.unheard, Absent)
    }
    return {**_without(link.agreed, one.agreed), **stored}


def _said(link: _Holding, one: Settlement) -> Record | None:
    """What else the answer told, if any of it is news."""
    held = link.observed
    news = any(path not in held or held[path] != value for path, value in one.said.items())
    if not news and not any(path in link.assumed for path in one.said):
        return None
    return Record(link.row[2] or "", one.said, link.version, moment_or_none(link.changed_at))


def _observe(link: _Holding, record: Record, known: Streams, at: datetime) -> None:
    connection, object = known.names[link.row[1]]
    before = Link(
        link.row[0],
        connection,
        object,
        link.row[2],
        link.row[3],
        Kind(link.row[4]),
        LinkState(link.state),
        version=link.version,
        changed_at=moment_or_none(link.changed_at),
        observed=link.observed,
        base=link.base,
        assumed=link.assumed,
    )
    after = observe(before, record, at)
    link.observed, link.base, link.assumed = after.observed, after.base, after.assumed
    link.version, link.changed_at = after.version, micros_or_none(after.changed_at)


# -- rows ----------------------------------------------------------------------------------------------


def _end(one: Settlement, row: Row, at: datetime) -> Row:
    return (
        one.delivery_id,
        str(one.state),
        int(one.state in OPEN_STATES),
        micros(one.not_before if one.not_before is not None else at),
        micros(at),
        one.job if one.job is not None else row[4],
        one.error,
        one.code,
    )


_DELIVERY = ("state", "open", "not_before", "ended_at", "job", "error", "code")
_HELD = ("state", "fresh", "active", "version", "rev", "digest", "changed_at", "seen_at")
_LINK = (*_HELD, "buried", "buried_at")


def _write(tx: Tx, rows: _Rows, at: datetime) -> None:
    tx.update("deliveries", ("id",), _DELIVERY, rows.deliveries)
    tx.update("deliveries", ("id",), ("failing_since",), rows.failing)
    if rows.untried:
        tx.run("update deliveries set attempts = attempts - 1 where id in ints(?)", rows.untried)
    if rows.closed:
        tx.run("delete from delivery_docs where delivery_id in ints(?)", rows.closed)
    _write_links(tx, rows.links, micros(at))
    if rows.told:
        tx.run("update links set told_at = ? where id in ints(?)", micros(at), sorted(set(rows.told)))
    renew(tx, rows.touched)
    for entity in referrers_of_places(tx, list(rows.met)):
        because(rows.reasons, entity, "reference")
    for entity in referrers_of(tx, set(rows.met.values())):
        because(rows.reasons, entity, "reference")
    mark_each(tx, rows.reasons)


def _write_links(tx: Tx, links: Mapping[int, _Holding], at: int) -> None:
    texts = {id: fingerprint(link.observed) for id, link in links.items()}
    rows = {id: _link_row(id, link, texts[id][1], at) for id, link in links.items() if link.place is None}
    gone = [id for id in rows if links[id].state == "tombstone" == links[id].row[5]]
    placed = [
        _link_row(id, link, texts[id][1], at) + link.place
        for id, link in links.items()
        if link.place is not None
    ]
    tx.update(
        "links", ("id",), _HELD, [rows.pop(id)[: 1 + len(_HELD)] for id in gone]
    )  # why, and when, stays
    tx.update("links", ("id",), _LINK, list(rows.values()))
    tx.update("links", ("id",), (*_LINK, "stream_id", "remote_id"), placed)
    new = [(id, text) for id, (text, _) in texts.items() if links[id].row[13] is None]
    tx.upsert("link_docs", ("link_id",), ("observed",), new)
    known = [(id, text) for id, (text, _) in texts.items() if links[id].row[13] is not None]
    tx.update("link_docs", ("link_id",), ("observed",), known)
    noted = {
        id: notes_of(link.base, link.agreed, link.assumed, link.quarantine, link.published)
        for id, link in links.items()
    }
    bare = [id for id, notes in noted.items() if not any(notes) and _had_notes(links[id])]
    if bare:
        tx.run("delete from link_notes where link_id in ints(?)", bare)
    kept = [(id, *notes) for id, notes in noted.items() if any(notes)]
    tx.upsert("link_notes", ("link_id",), NOTES, kept)


def _had_notes(link: _Holding) -> bool:
    return any(text is not None for text in link.row[14:19])


def _link_row(id: int, link: _Holding, said: bytes, at: int) -> Row:
    buried = link.state == "tombstone"
    return (
        id,
        link.state,
        link.fresh,
        link.active,
        link.version,
        link.row[10] + 1,
        None if link.assumed else said,
        link.changed_at,
        at,
        "deleted" if buried else None,
        at if buried else None,
    )
