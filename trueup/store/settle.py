"""Settle: how attempts ended, and what the systems hold now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.errors import NotFound
from trueup.model.entity import NEVER, Agreed, Link, LinkState, public_id
from trueup.model.plan import OPEN_STATES, Delivery, DeliveryState, Fence, MatchDecision, Settlement, Verdict
from trueup.model.record import Json, Record
from trueup.store.codec import micros, micros_or_none
from trueup.store.identify import remember_decisions
from trueup.store.land import fingerprint, stream_locks
from trueup.store.leases import check
from trueup.store.marks import mark_each, renew
from trueup.store.moves import (
    Place,
    Reasons,
    absorb,
    because,
    move,
    notes_of,
    referrers_of_places,
    stands_at,
)
from trueup.store.rows import deliveries_where, links_where
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams, ensure, streams
from trueup.sync.rules.observe import observe


@dataclass(slots=True)
class _Rows:
    """What is written, collected over all settlements of the call."""

    deliveries: list[Row] = field(default_factory=list)
    links: list[Row] = field(default_factory=list)
    docs: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    noteless: list[int] = field(default_factory=list)
    reasons: Reasons = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)  # entities
    linked: list[Place] = field(default_factory=list)
    met: set[int] = field(default_factory=set)  # entities that got a link


def settle(tx: Tx, settlements: Sequence[Settlement], at: datetime, fence: Fence | None) -> None:
    """See `Store.settle`. What is closed already stays as it is: settling twice is settling once."""
    check(tx, fence)
    known = streams(tx)
    tx.hold(stream_locks(_moving(tx, known, settlements)))
    found = _load(tx, known, settlements)
    revisions = _revisions(tx, found.values())
    rows = _Rows()
    links: dict[int, Link] = {}
    for one in settlements:
        delivery = found[one.delivery_id]
        if delivery.state in OPEN_STATES:
            link = links.get(delivery.link.id, delivery.link)
            moved_on = revisions.get(delivery.entity_id) != delivery.entity_revision
            links[link.id] = _settle_one(tx, known, rows, one, delivery, link, moved_on, at)
    _write(tx, rows, at)


def _moving(tx: Tx, known: Streams, settlements: Sequence[Settlement]) -> set[int]:
    """Streams in which links get new ids."""
    moving = [one for one in settlements if one.remote_id is not None]
    if not moving:
        return set()
    found = tx.rows(
        "select id, stream_id from deliveries where id in ints(?)", [one.delivery_id for one in moving]
    )
    at = {row[0]: row[1] for row in found}
    ids = set(at.values())
    for one in moving:
        if one.object is not None and one.delivery_id in at:
            connection = known.names[at[one.delivery_id]][0]
            ids.add(ensure(tx, known, connection, one.object))
    return ids


def _load(tx: Tx, known: Streams, settlements: Sequence[Settlement]) -> dict[int, Delivery]:
    """The deliveries with their links. Rows are locked in the order entities, links, deliveries."""
    ids = [one.delivery_id for one in settlements]
    if tx.lock:
        for table, key in (("entities", "entity_id"), ("links", "link_id")):
            tx.rows(
                f"select id from {table} where id in (select {key} from deliveries where id in ints(?))"
                " order by id" + tx.lock,
                ids,
            )
        tx.rows("select id from deliveries where id in ints(?) order by id" + tx.lock, ids)
    found = {one.id: one for one in deliveries_where(tx, known, "v.id in ints(?) order by v.id", ids)}
    for id in ids:
        if id not in found:
            raise NotFound(f"there is no delivery {id}")
    return found


def _revisions(tx: Tx, deliveries: Iterable[Delivery]) -> dict[int, int]:
    ids = sorted({one.entity_id for one in deliveries})
    found = tx.rows("select id, revision from entities where id in ints(?)", ids)
    return {row[0]: row[1] for row in found}


def _settle_one(
    tx: Tx,
    known: Streams,
    rows: _Rows,
    one: Settlement,
    delivery: Delivery,
    link: Link,
    moved_on: bool,
    at: datetime,
) -> Link:
    """The link after this settlement; the delivery's own end is put down."""
    read: Record | None = None
    if one.remote_id is not None and one.remote_id != link.remote_id:
        joined = _moved(tx, known, rows, one, delivery, link, at)
        if joined is None:
            return link
        link, read = joined
    rows.touched.add(delivery.entity_id)
    after = _after(link, one, delivery, moved_on, at)
    if read is not None:
        after = observe(after, read, at)
    if one.due:
        because(rows.reasons, delivery.entity_id, one.due)
    if after.base != link.base:
        because(rows.reasons, delivery.entity_id, "read")
    if moved_on and one.state not in OPEN_STATES:
        because(rows.reasons, delivery.entity_id, "settled")
    _put_down(rows, one, delivery, after.id, at)
    if after != link or one.remote_id is not None:
        after = replace(after, rev=link.rev + 1)
        _put_link(rows, link, after, one, at)
    return after


# -- a new id ------------------------------------------------------------------------------------------


def _moved(
    tx: Tx, known: Streams, rows: _Rows, one: Settlement, delivery: Delivery, link: Link, at: datetime
) -> tuple[Link, Record | None] | None:
    """The link under its new id and what was read there meanwhile; None when it belongs to another."""
    assert one.remote_id is not None
    stream_id = known.ids[link.connection, one.object or link.object]
    place = (stream_id, one.remote_id)
    if link.remote_id is not None:
        move(tx, known, (known.ids[link.stream], link.remote_id), place, at, rows.reasons)
        now = "l.id = (select link_id from deliveries where id = ?)"
        return links_where(tx, known, now, delivery.id)[0], None
    there = stands_at(tx, known, place)
    if there is not None and there.entity_id not in (None, delivery.entity_id):
        _park(tx, rows, one, delivery, there, at)
        return None
    rows.linked.append(place)
    rows.met.add(delivery.entity_id)
    return _born(tx, link, place, there)


def _born(tx: Tx, link: Link, place: Place, there: Link | None) -> tuple[Link, Record | None]:
    """A wanted link gets its id. If the record was read before this answer came, both rows become one."""
    if there is not None and there.entity_id is not None:
        absorb_wanted(tx, link.id, there.id)
        return replace(there, state=LinkState.LIVE), None
    if there is not None:
        absorb(tx, there.id, link.id)
    tx.run("delete from link_aliases where stream_id = ? and remote_id = ?", *place)
    tx.run("update links set stream_id = ?, remote_id = ?, state = 'live' where id = ?", *place, link.id)
    born = replace(link, remote_id=place[1], state=LinkState.LIVE)
    if there is None:
        return born, None
    return born, Record(place[1], there.observed, there.version, there.changed_at)


def absorb_wanted(tx: Tx, wanted: int, there: int) -> None:
    """Fold a wanted link into the link that its own entity has there already."""
    tx.run("update deliveries set open = 0, state = 'superseded' where link_id = ? and open = 1", wanted)
    absorb(tx, wanted, there)


def _park(tx: Tx, rows: _Rows, one: Settlement, delivery: Delivery, there: Link, at: datetime) -> None:
    """The record is another entity's: nothing is lost, a person decides."""
    assert there.entity_id is not None
    owner = public_id(there.kind, there.entity_id)
    why = f"{delivery.write.connection} says that this record exists already; it belongs to {owner}"
    parked = replace(one, state=DeliveryState.PARKED, error=why, code="TU-ID-409", not_before=None)
    _put_down(rows, parked, delivery, delivery.link.id, at)
    rows.touched.add(delivery.entity_id)
    decision = MatchDecision(
        left=delivery.link.id,
        right=there.id,
        verdict=Verdict.UNSURE,
        score=0.0,
        evidence={"exists_in": delivery.write.connection},
        author=f"system:{delivery.write.connection}",
        at=at,
    )
    remember_decisions(tx, [decision])


# -- what the link becomes -----------------------------------------------------------------------------


def _after(link: Link, one: Settlement, delivery: Delivery, moved_on: bool, at: datetime) -> Link:
    """The link with what the system now holds, and what was agreed by that."""
    version = None if one.drops_version else one.version or link.version
    state = LinkState.TOMBSTONE if one.tombstone else link.state
    after = replace(
        link,
        observed={**link.observed, **one.observed},
        base=_without(link.base, one.observed),
        assumed={**_without(link.assumed, one.observed), **one.assumed},
        agreed=_agreed(link, one, delivery, moved_on),
        quarantine={**_without(link.quarantine, _kept(one)), **one.quarantine},
        version=version if one.version is None else one.version,
        changed_at=one.changed_at or link.changed_at,
        state=state,
        active=link.active if one.active is None else one.active,
        fresh=one.fresh or (link.fresh and one.state is not DeliveryState.DONE),
    )
    if not one.said:
        return after
    said = Record(link.remote_id or "", one.said, after.version, after.changed_at)
    return replace(observe(after, said, at), state=state)


def _without(mapping: Mapping[str, Json], keys: Mapping[str, object]) -> Mapping[str, Json]:
    if not mapping or not keys:
        return mapping
    return {key: value for key, value in mapping.items() if key not in keys}


def _kept(one: Settlement) -> Mapping[str, object]:
    """Bindings that went out well: what kept them aside is over."""
    return one.agreed if one.state is DeliveryState.DONE else {}


def _agreed(link: Link, one: Settlement, delivery: Delivery, moved_on: bool) -> Mapping[str, Agreed]:
    """Exceptions only: what was agreed at the entity's present value is the default and not stored."""
    if not one.agreed:
        return link.agreed
    agreed = dict(link.agreed)
    for key, pair in one.agreed.items():
        plain = not (pair.withheld or pair.left) and pair.hub is not NEVER
        wanted = delivery.write.wants.get(key)
        if one.state is DeliveryState.DONE and plain and not moved_on and pair.hub == wanted:
            agreed.pop(key, None)
        else:
            agreed[key] = pair
    return agreed


# -- rows ----------------------------------------------------------------------------------------------


def _put_down(rows: _Rows, one: Settlement, delivery: Delivery, link_id: int, at: datetime) -> None:
    is_open = one.state in OPEN_STATES
    rows.deliveries.append(
        (
            delivery.id,
            link_id,
            str(one.state),
            int(is_open),
            micros(one.not_before if one.not_before is not None else at),
            micros(at),
            one.job if one.job is not None else delivery.job,
            one.error,
            one.code,
        )
    )


def _put_link(rows: _Rows, link: Link, after: Link, one: Settlement, at: datetime) -> None:
    text, said = fingerprint(after.observed)
    rows.docs.append((after.id, text))
    if after.base or after.agreed or after.assumed or after.quarantine:
        rows.notes.append((after.id, *notes_of(after)))
    else:
        rows.noteless.append(after.id)
    buried = after.state is LinkState.TOMBSTONE
    rows.links.append(
        (
            after.id,
            str(after.state),
            int(after.fresh),
            int(after.active),
            after.version,
            after.rev,
            None if after.assumed else said,
            micros_or_none(after.changed_at),
            micros(at),
            "deleted" if buried else None,
            micros(at) if buried else None,
        )
    )


_DELIVERY = ("link_id", "state", "open", "not_before", "ended_at", "job", "error", "code")
_LINK = (
    *("state", "fresh", "active", "version", "rev", "digest", "changed_at", "seen_at"),
    *("buried", "buried_at"),
)


def _write(tx: Tx, rows: _Rows, at: datetime) -> None:
    tx.update("deliveries", ("id",), _DELIVERY, rows.deliveries)
    closed = [row[0] for row in rows.deliveries if not row[3]]
    tx.run("update deliveries set payload = null where id in ints(?)", closed)
    last = {row[0]: row for row in rows.links}  # several settlements of one link: the last holds all
    tx.update("links", ("id",), _LINK, list(last.values()))
    tx.upsert("link_docs", ("link_id",), ("observed",), list({row[0]: row for row in rows.docs}.values()))
    _write_notes(tx, rows)
    renew(tx, rows.touched)
    for entity in referrers_of_places(tx, rows.linked):
        because(rows.reasons, entity, "reference")
    for entity in _referrers(tx, rows.met):
        because(rows.reasons, entity, "reference")
    mark_each(tx, rows.reasons)


def _write_notes(tx: Tx, rows: _Rows) -> None:
    if rows.noteless:
        tx.run("delete from link_notes where link_id in ints(?)", rows.noteless)
    columns = ("base", "agreed", "assumed", "quarantine")
    tx.upsert("link_notes", ("link_id",), columns, list({row[0]: row for row in rows.notes}.values()))


def _referrers(tx: Tx, entities: set[int]) -> list[int]:
    """Who points at entities that are in a system now where they were not: those fields waited."""
    if not entities:
        return []
    found = tx.rows(
        "select distinct entity_id from entity_references where target_id in ints(?)", sorted(entities)
    )
    return sorted(id for (id,) in found)
