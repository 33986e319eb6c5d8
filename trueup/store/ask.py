"""What people ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from trueup.dedupe.normalise import KEY_KINDS
from trueup.errors import NotFound
from trueup.model.canonical.text import clean
from trueup.model.entity import Link, Quarantine
from trueup.model.fields import Kind
from trueup.model.landing import Backlog
from trueup.store.codec import key_digest, name_of, parse_public_id
from trueup.store.decide import home
from trueup.store.rows import links_where
from trueup.store.sql import Tx
from trueup.store.streams import connection_id, streams


def find(tx: Tx, kind: Kind, text: str, limit: int) -> list[str]:
    """Best first: the public id itself, a match key, a remote id, then names that begin or contain it.

    Ids are compared as they were typed, keys and names as they are kept: clean and composed.
    """
    return _found(kind, limit, lambda typed: _searches(tx, str(kind), typed, limit), text)


def named(tx: Tx, kind: Kind, text: str, limit: int) -> list[str]:
    """See `Store.named`."""
    return _found(kind, limit, lambda typed: _exactly(tx, str(kind), typed, limit), text)


def _found(kind: Kind, limit: int, search: Callable[[str], Iterable[list[int]]], text: str) -> list[str]:
    typed = text.strip()
    if not clean(typed):
        return []
    ids: dict[int, None] = {}
    for found in search(typed):
        ids.update(dict.fromkeys(found))
        if len(ids) >= limit:
            break
    return [name_of(str(kind), id) for id in list(ids)[:limit]]


def _searches(tx: Tx, kind: str, typed: str, limit: int) -> Iterable[list[int]]:
    yield from _exactly(tx, kind, typed, limit)
    folded = clean(typed).casefold()
    named = "select id from entities where kind = ? and title like ? escape '!' order by id limit ?"
    for pattern in (f"{_escaped(folded)}%", f"%{_escaped(folded)}%"):
        yield _ids(tx, named, kind, pattern, limit)


def _exactly(tx: Tx, kind: str, typed: str, limit: int) -> Iterable[list[int]]:
    folded = clean(typed).casefold()
    yield _by_public_id(tx, kind, typed)
    yield _ids(
        tx,
        "select distinct l.entity_id from match_keys k join links l on l.id = k.link_id"
        " where k.digest in ints(?) and l.entity_id is not null order by l.entity_id limit ?",
        sorted({key_digest(kind, key_kind, text) for key_kind in KEY_KINDS for text in (typed, folded)}),
        limit,
    )
    yield _ids(
        tx,
        "select distinct entity_id from links where kind = ? and remote_id = ?"
        " and stream_id in (select id from streams) and entity_id is not null order by entity_id limit ?",
        kind,
        typed,
        limit,
    )
    yield _by_ref(tx, kind, typed)


def _ids(tx: Tx, sql: str, *values: object) -> list[int]:
    return [id for (id,) in tx.rows(sql, *values)]


def _by_public_id(tx: Tx, kind: str, typed: str) -> list[int]:
    try:
        named, _ = parse_public_id(typed)
        return [home(tx, typed)] if str(named) == kind else []
    except NotFound:
        return []


def _by_ref(tx: Tx, kind: str, typed: str) -> list[int]:
    """Of a record as it is shown, `crm/contacts/2325`; ids may hold the sign themselves."""
    connection, _, rest = typed.partition("/")
    object, _, remote_id = rest.partition("/")
    stream = streams(tx).ids.get((connection, object))
    if stream is None:
        return []
    sql = "select entity_id from links where kind = ? and stream_id = ? and remote_id = ?"
    return _ids(tx, f"{sql} and entity_id is not null", kind, stream, remote_id)


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def quarantined(tx: Tx, connection: str | None, limit: int) -> list[tuple[Link, str, Quarantine]]:
    known = streams(tx)
    chosen = sorted(known.names) if connection is None else known.of([connection])
    links = links_where(
        tx,
        known,
        "n.quarantine is not null and l.stream_id in ints(?) order by l.id limit ?",
        chosen,
        limit,
    )
    found = [(link, key, why) for link in links for key, why in sorted(link.quarantine.items())]
    return found[:limit]


def withheld(tx: Tx, connection: str, object: str, after: int, limit: int) -> list[int]:
    id = connection_id(tx, connection)
    return _ids(
        tx,
        "select distinct entity_id from links where withheld > 0 and entity_id > ?"
        " and stream_id in (select id from streams where connection_id = ? and object = ?)"
        " order by entity_id limit ?",
        after,
        id,
        object,
        limit,
    )


def holders(tx: Tx, connection: str, object: str, after: int, limit: int) -> list[int]:
    return _ids(
        tx,
        "select distinct entity_id from links where stream_id = ? and state = 'live' and entity_id > ?"
        " order by entity_id limit ?",
        streams(tx).ids.get((connection, object), 0),
        after,
        limit,
    )


def count_links(tx: Tx) -> dict[tuple[str, str, str], int]:
    found = tx.rows(
        "select c.name, s.object, l.state, count(*) from links l join streams s on s.id = l.stream_id"
        " join connections c on c.id = s.connection_id"
        " where l.entity_id is not null or l.state <> 'dormant'"
        " group by c.name, s.object, l.state order by 1, 2, 3"
    )
    return {(connection, object, state): count for connection, object, state, count in found}


def backlog(tx: Tx) -> Backlog:
    """See `Store.backlog`."""
    found = tx.rows(
        "select c.name, s.object, count(*) from links l join streams s on s.id = l.stream_id"
        " join connections c on c.id = s.connection_id"
        " where l.entity_id is null and l.state = 'live' group by c.name, s.object order by 1, 2"
    )
    strangers = {(connection, object): number for connection, object, number in found}
    marked = tx.row("select count(*) from due")
    return Backlog(strangers, marked[0] if marked else 0)


def links(tx: Tx, ids: Sequence[int]) -> list[Link]:
    return links_where(tx, streams(tx), "l.id in ints(?) order by l.id", list(ids))
