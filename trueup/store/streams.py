"""Connections and their streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.dedupe.normalise import NORMALISER_VERSION
from trueup.errors import NotFound
from trueup.model.fields import Kind
from trueup.model.jsontext import loads
from trueup.model.landing import StreamState
from trueup.store.audit import note
from trueup.store.codec import micros, moment_or_none
from trueup.store.marks import mark_due, mark_kind_due
from trueup.store.sql import Row, Tx


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams that exist, by name and by id."""

    ids: dict[tuple[str, str], int]
    names: dict[int, tuple[str, str]]

    def of(self, connections: Sequence[str]) -> list[int]:
        """Ids of the streams of these connections, ascending."""
        wanted = set(connections)
        return sorted(id for id, (connection, _) in self.names.items() if connection in wanted)

    def ref(self, stream_id: int, remote_id: str) -> str:
        """A record as the ledger of consent names it."""
        return "/".join((*self.names[stream_id], remote_id))


def streams(tx: Tx) -> Streams:
    """All streams; few, so they are read anew in every transaction and never stale."""
    found = tx.rows(
        "select s.id, c.name, s.object from streams s join connections c on c.id = s.connection_id"
        " order by s.id"
    )
    names = {id: (connection, object) for id, connection, object in found}
    return Streams({name: id for id, name in names.items()}, names)


def ensure(tx: Tx, known: Streams, connection: str, object: str) -> int:
    """The id of this stream, which is made at its first use."""
    id = known.ids.get((connection, object))
    if id is not None:
        return id
    tx.insert_new("connections", ("name",), [(connection,)])
    owner = tx.row("select id from connections where name = ?", connection)
    assert owner is not None
    made = (owner[0], object, NORMALISER_VERSION)
    tx.insert_new("streams", ("connection_id", "object", "keys_version"), [made])
    found = tx.row("select id from streams where connection_id = ? and object = ?", owner[0], object)
    assert found is not None
    known.ids[connection, object] = found[0]
    known.names[found[0]] = (connection, object)
    return int(found[0])


def registered(tx: Tx) -> str:
    """The version of the configuration that the latest run began with; empty before the first."""
    found = tx.row("select value from settings where name = 'config_version'")
    return "" if found is None else str(found[0])


def register(tx: Tx, connections: Sequence[str], config_version: str) -> bool:
    """See `Store.register`."""
    before = registered(tx)
    tx.insert_new("connections", ("name",), [(name,) for name in sorted(set(connections))])
    tx.upsert("settings", ("name",), ("value",), [("config_version", config_version)])
    wanted = set(connections)
    for id, name, configured in tx.rows("select id, name, configured from connections order by id"):
        if (name in wanted) != bool(configured):
            _configure(tx, id, name in wanted)
    changed = bool(before) and before != config_version
    if changed:
        for kind in Kind:
            mark_kind_due(tx, kind, "config")
    return changed


def _configure(tx: Tx, connection_id: int, configured: bool) -> None:
    tx.run("update connections set configured = ? where id = ?", int(configured), connection_id)
    before, after = ("dormant", "live") if configured else ("live", "dormant")
    tx.run(
        "update links set state = ?, rev = rev + 1 where state = ? and remote_id is not null"
        " and stream_id in (select id from streams where connection_id = ?)",
        after,
        before,
        connection_id,
    )


def released(tx: Tx) -> frozenset[str]:
    found = tx.rows("select name from connections where released_at is not null order by id")
    return frozenset(name for (name,) in found)


def release(tx: Tx, connection: str, user: str, at: datetime) -> int:
    id = connection_id(tx, connection)
    tx.run("update connections set released_at = ?, released_by = ? where id = ?", micros(at), user, id)
    found = tx.rows(
        "select distinct entity_id from links where withheld > 0 and entity_id is not null"
        " and stream_id in (select id from streams where connection_id = ?) order by entity_id",
        id,
    )
    due = mark_due(tx, [entity for (entity,) in found], "released")
    note(tx, user, "connections release", connection, {"due": due}, at)
    return due


def remembered(tx: Tx) -> frozenset[str]:
    return frozenset(name for (name,) in tx.rows("select name from connections order by id"))


def approved(tx: Tx) -> frozenset[str]:
    found = tx.rows("select name from connections where approved_at is not null order by id")
    return frozenset(name for (name,) in found)


def approve(tx: Tx, connections: Sequence[str], user: str, at: datetime) -> None:
    """The first approval stays the one that is recorded."""
    allowed = "update connections set approved_at = ?, approved_by = ? where id = ? and approved_at is null"
    new = [
        name
        for name in sorted(set(connections))
        if tx.run(allowed, micros(at), user, connection_id(tx, name))
    ]
    for name in new:
        note(tx, user, "sync --approve-first", name, {}, at)


def connection_id(tx: Tx, name: str) -> int:
    found = tx.row("select id from connections where name = ?", name)
    if found is None:
        raise NotFound(f"no connection {name!r} is known to the hub")
    return int(found[0])


_STATE = (
    "select s.cursor, s.listing_cursor, s.listing, s.listed_at, s.read_at, s.read_since, s.fields,"
    " s.listing_rejected, s.missing_accepted, s.broken_off, s.listing_fields"
    " from streams s join connections c on c.id = s.connection_id where c.name = ? and s.object = ?"
)


def stream(tx: Tx, connection: str, object: str) -> StreamState:
    found = tx.row(_STATE, connection, object)
    return StreamState(connection, object) if found is None else _state(connection, object, found)


def _state(connection: str, object: str, row: Row) -> StreamState:
    cursor, listing_cursor, listing, listed_at, read_at, read_since, fields, *rest = row
    rejected, accepted, broken_off, listing_fields = rest
    return StreamState(
        connection,
        object,
        cursor=None if cursor is None else loads(cursor),
        listing_cursor=None if listing_cursor is None else loads(listing_cursor),
        listing=listing,
        listed_at=moment_or_none(listed_at),
        read_at=moment_or_none(read_at),
        read_since=moment_or_none(read_since),
        fields=tuple(loads(fields)),
        rejected=rejected,
        accepted=bool(accepted),
        broken_off=moment_or_none(broken_off),
        listing_fields=tuple(loads(listing_fields)),
    )


def begin_listing(tx: Tx, connection: str, object: str, at: datetime) -> int:
    id = ensure(tx, streams(tx), connection, object)
    found = tx.row("select listing from streams where id = ?" + tx.lock, id)
    assert found is not None
    number = int(found[0]) + 1
    tx.run(
        "update streams set listing = ?, listing_cursor = null, listing_began_at = ?,"
        " listing_rejected = 0 where id = ?",
        number,
        micros(at),
        id,
    )
    return number


def gates_open(tx: Tx) -> dict[tuple[str, str], bool]:
    """See `Store.gates_open`."""
    found = tx.rows(
        "select c.name, s.object, exists (select 1 from links l"
        " where l.stream_id = s.id and l.entity_id is null and l.state = 'live')"
        " from streams s join connections c on c.id = s.connection_id"
        " where s.listed_at is not null order by s.id"
    )
    return {(connection, object): not strangers for connection, object, strangers in found}
