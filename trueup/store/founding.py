"""Companies that contacts name and nobody holds yet, made under a lock on their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trueup.model.entity import Source
from trueup.model.fields import Kind
from trueup.model.plan import Founding
from trueup.model.run import Fence
from trueup.store.codec import micros, write_sources, write_values
from trueup.store.commit import title
from trueup.store.history import told_of_new
from trueup.store.identify import add_keys, holders_of, lock_of
from trueup.store.leases import check
from trueup.store.marks import mark_each
from trueup.store.moves import Reasons, because
from trueup.store.sql import Tx
from trueup.store.streams import ensure, streams

KIND = str(Kind.COMPANY)


def found(tx: Tx, foundings: Sequence[Founding], run_id: int, at: datetime, fence: Fence | None) -> list[int]:
    """See `Store.found`. Of those that share a key the first is made, and the others belong to it."""
    check(tx, fence)
    keys = sorted({key for one in foundings for key in one.keys})
    tx.hold(sorted({lock_of(KIND, key) for key in keys}))
    held = {key for key, holders in holders_of(tx, KIND, keys).items() if holders}
    free = [one for one in foundings if not held.intersection(one.keys)]
    new, taken = [], set[tuple[str, str]]()
    for one in free:
        if not taken.intersection(one.keys):
            new.append(one)
        taken.update(one.keys)
    reasons: Reasons = {}
    for id in _make(tx, new, run_id, at):
        because(reasons, id, "named")
    for one in foundings:
        because(reasons, one.contact_id, "company")
    mark_each(tx, reasons)
    return sorted(one.contact_id for one in free)


def _make(tx: Tx, new: Sequence[Founding], run_id: int, at: datetime) -> list[int]:
    known, now = streams(tx), micros(at)
    ids = list(tx.allocate("entities", len(new)))
    links = list(tx.allocate("links", len(new)))
    tx.insert(
        "entities",
        ("id", "kind", "revision", "data", "sources", "title", "created_at", "updated_at"),
        [
            (id, KIND, 1, write_values(one.values), _sources(one, at), title(one.values), now, now)
            for id, one in zip(ids, new, strict=True)
        ],
    )
    tx.insert(
        "links",
        ("id", "stream_id", "entity_id", "kind", "state", "entered"),
        [
            (link, ensure(tx, known, one.connection, one.object), id, KIND, "wanted", 1)
            for link, id, one in zip(links, ids, new, strict=True)
        ],
    )
    add_keys(tx, [(link, KIND, one.keys) for link, one in zip(links, new, strict=True)])
    rows = [
        (id, now, run_id, 1, told_of_new(one.values, one.named_by, "company of a contact"))
        for id, one in zip(ids, new, strict=True)
    ]
    tx.insert("history", ("entity_id", "at", "run_id", "revision", "data"), rows)
    return ids


def _sources(one: Founding, at: datetime) -> str:
    """A first sight by nobody in particular: any system that may decide the field knows it better."""
    return write_sources(dict.fromkeys(one.values, Source("rule", "first", at, ref=one.named_by)), one.values)
