"""Match keys that another version of the normaliser made, and those that take their place."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.model.entity import Entity, Link
from trueup.model.fields import Kind
from trueup.model.matching import Rekeyed
from trueup.model.run import Fence
from trueup.store.codec import key_digest
from trueup.store.commit import awaited
from trueup.store.identify import write_keys
from trueup.store.leases import check
from trueup.store.marks import mark_due
from trueup.store.rows import links_where
from trueup.store.sql import Tx
from trueup.store.streams import streams


def stale_keys(tx: Tx, connection: str, object: str, version: int, limit: int) -> list[Link] | None:
    """See `Store.stale_keys`."""
    known = streams(tx)
    stream_id = known.ids.get((connection, object))
    row = tx.row("select keys_version, keys_after from streams where id = ?", stream_id)
    if row is None or row == (version, None):
        return None
    after = row[1] if row[0] == version else 0
    return links_where(
        tx,
        known,
        "+l.stream_id = ? and l.entity_id is not null and l.id > ? order by l.id limit ?",
        stream_id,
        after,
        limit,
    )


def rekey(tx: Tx, made: Rekeyed, fence: Fence | None) -> None:
    """See `Store.rekey`."""
    check(tx, fence)
    write_keys(tx, [(one.link_id, str(one.kind), one.keys) for one in made.keys])
    _await_anew(tx, [one for one in made.entities if one.kind is Kind.CONTACT])
    tx.run(
        "update streams set keys_version = ?, keys_after = ? where id = ?",
        made.version,
        made.upto,
        streams(tx).ids[made.connection, made.object],
    )


def _await_anew(tx: Tx, contacts: Sequence[Entity]) -> None:
    """The keys of the companies' names that these contacts say. Whose key is another now is decided again:
    there may be a company of that name already."""
    ids = [one.id for one in contacts]
    names = {one.id: awaited(one) for one in contacts}
    now = {(key_digest(Kind.COMPANY, "name", name), id) for id, name in names.items() if name}
    before = set(tx.rows("select digest, entity_id from awaited_companies where entity_id in ints(?)", ids))
    moved = sorted({id for _, id in now ^ before})
    if moved:
        tx.run("delete from awaited_companies where entity_id in ints(?)", moved)
        tx.insert("awaited_companies", ("digest", "entity_id"), sorted(one for one in now if one[1] in moved))
        mark_due(tx, moved, "company")
