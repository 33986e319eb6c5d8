"""Due marks: which entities must be decided, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trueup.model.fields import Kind
from trueup.store.codec import unique
from trueup.store.sql import Tx


def mark_due(tx: Tx, ids: Iterable[int], reason: str) -> int:
    """Make these entities due for one reason; how many."""
    return mark_each(tx, {id: {reason} for id in ids})


def mark_kind_due(tx: Tx, kind: str, reason: str) -> int:
    """Make every entity of a kind due; how many were not yet. Decisions under way are made again too."""
    renew(tx, [id for (id,) in tx.rows("select entity_id from due where kind = ?", str(kind))])
    return tx.run(
        "insert into due (kind, entity_id, reasons, not_before)"
        " select e.kind, e.id, ?, 0 from entities e where e.kind = ?"
        " and not exists (select 1 from due d where d.kind = e.kind and d.entity_id = e.id)"
        " order by e.id",
        reason,
        str(kind),
    )


def mark_each(tx: Tx, reasons: Mapping[int, Iterable[str]]) -> int:
    """Make entities due, each for its reasons. A renewed mark has a new number and keeps old reasons."""
    if not reasons:
        return 0
    found = tx.rows(
        "select e.kind, e.id, d.reasons from entities e"
        " left join due d on d.kind = e.kind and d.entity_id = e.id where e.id in ints(?) order by e.id",
        unique(reasons),
    )
    marks = tx.allocate("due", len(found))
    rows = [
        (kind, id, mark, _joined(old, reasons[id]), 0)
        for mark, (kind, id, old) in zip(marks, found, strict=True)
    ]
    tx.upsert("due", ("kind", "entity_id"), ("mark", "reasons", "not_before"), rows)
    return len(rows)


_KINDS = [str(kind) for kind in Kind]
"""All of them: the index of marks begins with the kind."""


def _joined(old: str | None, more: Iterable[str]) -> str:
    return " ".join(sorted({*(old.split(" ") if old else ()), *more}))


def renew(tx: Tx, ids: Iterable[int]) -> None:
    """Entities that are being decided right now saw an older state: their marks stay."""
    found = tx.rows(
        "select kind, entity_id from due where kind in texts(?) and entity_id in ints(?) order by entity_id",
        _KINDS,
        unique(ids),
    )
    if found:
        marks = tx.allocate("due", len(found))
        rows = [(kind, id, mark) for mark, (kind, id) in zip(marks, found, strict=True)]
        tx.update("due", ("kind", "entity_id"), ("mark",), rows)
