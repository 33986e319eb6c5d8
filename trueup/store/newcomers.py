"""Links that get another id by what an attempt answered: new records, records found there, moved ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from trueup.model.delivery import DeliveryState, Settlement
from trueup.model.entity import Link
from trueup.model.matching import MatchDecision, Verdict
from trueup.model.record import Record
from trueup.store.codec import name_of
from trueup.store.identify import remember_decisions
from trueup.store.land import stream_locks
from trueup.store.moves import Place, Reasons, absorb, because, free_ids, move, stands_at
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams, ensure


@dataclass(slots=True)
class Newcomers:
    """What the new ids of one call lead to.

    `streams`: delivery id to the stream where its link is from now on. `parked`: settlements that
    became something else, because the record is another entity's. `read`: what had been read of a
    record before the answer to its create came. `folded`: the entity had a link there already.
    `stirred`: deliveries whose rows changed here.
    """

    streams: dict[int, int] = field(default_factory=dict)
    parked: dict[int, Settlement] = field(default_factory=dict)
    read: dict[int, Record] = field(default_factory=dict)
    folded: set[int] = field(default_factory=set)
    stirred: set[int] = field(default_factory=set)
    reasons: Reasons = field(default_factory=dict)


def hold_streams(tx: Tx, known: Streams, settlements: Sequence[Settlement]) -> None:
    """Where others may write at the same time: hold the streams in which links get new ids."""
    moving = {one.delivery_id: one for one in settlements if one.remote_id is not None}
    if not tx.lock or not moving:
        return
    found = tx.rows("select id, stream_id from deliveries where id in ints(?)", sorted(moving))
    streams = {stream_id for _, stream_id in found}
    streams |= {_target(tx, known, moving[id], stream_id) for id, stream_id in found}
    tx.hold(stream_locks(streams))


def take_places(
    tx: Tx, known: Streams, settlements: Sequence[Settlement], rows: Mapping[int, Row], at: datetime
) -> Newcomers:
    """Prepare the place of every link that gets a new id; afterwards each of them is free or its own.

    `rows`: by delivery id, its link id, entity id, stream id and remote id, of those that are open.
    """
    moving = {one.delivery_id: one for one in settlements if one.remote_id is not None}
    answer = Newcomers()
    for id, one in moving.items():
        if id in rows:
            answer.streams[id] = _target(tx, known, one, rows[id][2])
    places = {id: (stream_id, moving[id].remote_id or "") for id, stream_id in answer.streams.items()}
    taken = _taken(tx, list(places.values()))
    given: set[Place] = set()
    for id, place in places.items():
        _, _, stream_id, remote_id = rows[id]
        if moving[id].content_id and place in taken and place not in given:
            _free(tx, known, place, taken)
        if remote_id is None:
            if place in taken:
                _meet(tx, known, answer, moving[id], rows[id], at)
        elif moving[id].content_id and _is_anothers(tx, known, place):
            continue  # whose row was edited meanwhile; the next listing tells them apart
        elif (stream_id, remote_id) != place:
            move(tx, known, (stream_id, remote_id), place, at, answer.reasons)
            answer.stirred.add(id)
            if moving[id].content_id:
                taken.add((stream_id, remote_id))  # an old id from now on
        taken.add(place)
        given.add(place)
    return answer


def _free(tx: Tx, known: Streams, place: Place, taken: set[Place]) -> None:
    """An id that is made of the content is no old id of whoever said the same before."""
    free_ids(tx, known, place[0], [place[1]])
    if stands_at(tx, known, place) is None:
        taken.discard(place)


def _is_anothers(tx: Tx, known: Streams, place: Place) -> bool:
    there = stands_at(tx, known, place)
    return there is not None and there.entity_id is not None


def _target(tx: Tx, known: Streams, one: Settlement, stream_id: int) -> int:
    if one.object is None:
        return stream_id
    return ensure(tx, known, known.names[stream_id][0], one.object)


def _taken(tx: Tx, places: Sequence[Place]) -> set[Place]:
    """Places where a link stands, or stood."""
    found: set[Place] = set()
    for stream_id in sorted({stream for stream, _ in places}):
        ids = sorted(id for stream, id in places if stream == stream_id)
        for table in ("links", "link_aliases"):
            sql = f"select remote_id from {table} where stream_id = ? and remote_id in texts(?)"
            found.update((stream_id, id) for (id,) in tx.rows(sql, stream_id, ids))
    return found


def _meet(tx: Tx, known: Streams, answer: Newcomers, one: Settlement, row: Row, at: datetime) -> None:
    """A created record that is known already joins its links, or a person decides whose it is."""
    id, (link_id, entity_id, _, _) = one.delivery_id, row
    answer.stirred.add(id)
    place = (answer.streams[id], one.remote_id or "")
    there = stands_at(tx, known, place)
    if there is None:  # another create of this call answered with the same record
        answer.parked[id] = _parked(one, known.names[place[0]][0], "another record of this run")
    elif there.entity_id is None:
        answer.read[id] = Record(place[1], there.observed, there.version, there.changed_at)
        absorb(tx, {there.id: link_id})
        tx.run("delete from link_aliases where stream_id = ? and remote_id = ?", *place)
    elif there.entity_id == entity_id:
        answer.folded.add(id)
        _fold(tx, id, link_id, there.id)
    else:
        owner = name_of(str(there.kind), there.entity_id)
        answer.parked[id] = _parked(one, there.connection, owner)
        _ask_steward(tx, link_id, there, at)
        because(answer.reasons, entity_id, "unsure")
        because(answer.reasons, there.entity_id, "unsure")


def _parked(one: Settlement, connection: str, owner: str) -> Settlement:
    why = f"{connection} says that this record exists already; it belongs to {owner}"
    return Settlement(one.delivery_id, DeliveryState.PARKED, error=why, code="TU-ID-409")


def _ask_steward(tx: Tx, wanted: int, there: Link, at: datetime) -> None:
    author = f"system:{there.connection}"
    evidence = {"exists_in": there.connection}
    remember_decisions(tx, [MatchDecision(wanted, there.id, Verdict.UNSURE, 0.0, evidence, author, at)])


def _fold(tx: Tx, delivery_id: int, wanted: int, there: int) -> None:
    """The entity's own record stands there: the wanted link and its delivery become part of it."""
    tx.run("update deliveries set open = 0, state = 'superseded' where id = ?", delivery_id)
    absorb(tx, {wanted: there})
