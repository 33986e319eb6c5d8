"""Fields that were set aside are given back to the rules by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trueup.model.counting import counted
from trueup.model.jsontext import dumps
from trueup.store.audit import note
from trueup.store.codec import micros, write_quarantine
from trueup.store.marks import mark_due
from trueup.store.rows import links_where
from trueup.store.sql import Row, Tx
from trueup.store.streams import streams


def give_back(tx: Tx, places: Sequence[tuple[int, str]], user: str, at: datetime) -> int:
    """See `Store.give_back`. The history tells who did it: what was said before does not count any more."""
    keys: dict[int, set[str]] = {}
    for link_id, key in places:
        keys.setdefault(link_id, set()).add(key)
    ids = sorted(keys)
    tx.rows("select id from links where id in ints(?) order by id" + tx.lock, ids)
    links = links_where(tx, streams(tx), "l.id in ints(?) and n.quarantine is not null order by l.id", ids)
    notes: list[Row] = []
    told: dict[int, list[list[str]]] = {}
    for link in links:
        given = sorted(keys[link.id] & link.quarantine.keys())
        if given and link.entity_id is not None:
            rest = {key: why for key, why in link.quarantine.items() if key not in given}
            notes.append((link.id, write_quarantine(rest)))
            record = f"{link.connection}/{link.object}/{link.remote_id}"
            told.setdefault(link.entity_id, []).extend([record, key, user] for key in given)
    tx.update("link_notes", ("link_id",), ("quarantine",), notes)
    tx.run("update links set rev = rev + 1 where id in ints(?)", [id for id, _ in notes])
    _tell(tx, told, micros(at))
    mark_due(tx, told, "retried")
    count = sum(len(given) for given in told.values())
    if count:
        fields = sorted({key for given in told.values() for _, key, _ in given})
        note(tx, user, "failures retry", counted(count, "field"), {"fields": fields}, at)
    return count


def _tell(tx: Tx, told: dict[int, list[list[str]]], at: int) -> None:
    sql = "select id, revision from entities where id in ints(?) order by id"
    revisions: dict[int, int] = dict(tx.rows(sql, sorted(told)))
    rows = [(id, at, 0, revisions[id], dumps({"released": given})) for id, given in sorted(told.items())]
    tx.insert("history", ("entity_id", "at", "run_id", "revision", "data"), rows)
