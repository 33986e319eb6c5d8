"""On which terms the fields of each stream take what is written to them, and who waits for others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from trueup.model.fields import Kind
from trueup.model.jsontext import dumps, loads
from trueup.store.codec import read_agreed
from trueup.store.marks import mark_due
from trueup.store.sql import Tx
from trueup.store.streams import ensure, streams

CHUNK = 5_000
"""So many records are looked at at once."""


def heed_terms(tx: Tx, terms: Mapping[tuple[str, str], Mapping[str, str]], telling: Collection[str]) -> int:
    """See `Store.heed_terms`. Where nothing is another it costs one query."""
    known = streams(tx)
    ids = {ensure(tx, known, *stream): dict(one) for stream, one in sorted(terms.items())}
    sql = "select id, terms from streams where id in ints(?) order by id" + tx.lock
    before = {id: loads(text) for id, text in tx.rows(sql, sorted(ids))}
    moved = {id: now for id, now in sorted(ids.items()) if now != before[id]}
    waiting: set[int] = set()
    for id, now in moved.items():
        keys = {key for key in {*now, *before[id]} if now.get(key) != before[id].get(key)}
        waiting.update(_waiting(tx, id, keys))
        if any(before[id].get(key) for key in keys.intersection(telling)):
            waiting.update(_without(tx, id))
        tx.run("update streams set terms = ? where id = ?", dumps(now), id)
    return mark_due(tx, sorted(waiting), "terms")


def _waiting(tx: Tx, stream_id: int, keys: set[str]) -> Iterator[int]:
    """Entities with a record in this stream that lacks something in one of these fields: a value was set
    aside, or it is remembered that the hub's never came there. What waits for a release waits on."""
    sql = (
        "select l.id, l.entity_id, n.agreed, n.quarantine from links l join link_notes n on n.link_id = l.id"
        " where l.stream_id = ? and l.id > ? and l.entity_id is not null"
        " and (n.quarantine is not null or n.agreed is not null) order by l.id limit ?"
    )
    after = 0
    while rows := tx.rows(sql, stream_id, after, CHUNK):
        after = rows[-1][0]
        for _, entity, agreed, quarantine in rows:
            lacks = {key for key, one in read_agreed(agreed).items() if not (one.withheld or one.left)}
            if not keys.isdisjoint(lacks | loads(quarantine).keys()):
                yield entity


def _without(tx: Tx, stream_id: int) -> Iterator[int]:
    """Contacts that have no record in this stream."""
    sql = (
        "select e.id from entities e where e.kind = ? and not exists"
        " (select 1 from links l where l.entity_id = e.id and l.stream_id = ?)"
    )
    yield from (id for (id,) in tx.rows(sql, str(Kind.CONTACT), stream_id))
