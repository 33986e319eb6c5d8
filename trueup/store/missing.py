"""The end of a complete listing: what it lacks was deleted, is there under another id, or is not believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trueup.model.entity import Link
from trueup.model.landing import Landing
from trueup.store.absences import accepted, believed
from trueup.store.codec import micros
from trueup.store.marks import mark_due, mark_each
from trueup.store.moves import Reasons, erase, take_over
from trueup.store.rows import links_where
from trueup.store.sql import Tx
from trueup.store.streams import Streams


@dataclass(frozen=True, slots=True)
class Missing:
    """What became of the known records that a complete listing lacks: as in `Landed`."""

    recognised: int = 0
    vanished: int = 0
    doubted: int = 0
    living: int = 0
    unread: int = 0


_MISSING = (
    " l.stream_id = ? and l.state = 'live' and l.listing <> ? and (l.seen_at is null or l.seen_at <"
    " (select listing_began_at from streams where id = l.stream_id))"
)


def account_for_missing(tx: Tx, known: Streams, landing: Landing, stream_id: int) -> Missing:
    """Absence means deletion only after a complete listing, and only up to what may be believed."""
    unread = _left_unread(tx, stream_id)
    absent, recognised = _absent(tx, landing, stream_id), 0
    if landing.recognise is not None:
        absent = _without_nobody(tx, absent)
        edited = _follow_edits(tx, known, landing, stream_id, list(absent), unread)
        absent, recognised = {id: absent[id] for id in absent if id not in edited}, len(edited)
    if landing.implausible is None:
        return Missing(recognised)
    count = tx.row("select count(*) from links where stream_id = ? and state = 'live'", stream_id)
    assert count is not None
    living = int(count[0])
    if absent and unread:
        return Missing(recognised, 0, len(absent), living, unread)
    gone = accepted(tx, stream_id, absent)
    doubted = len(absent) - len(gone)
    if doubted and landing.implausible(doubted, living - len(gone)):
        absent = {id: absent[id] for id in absent if id in gone}
    else:
        doubted = 0
        believed(tx, stream_id)
    _bury(tx, landing, absent)
    return Missing(recognised, len(absent), doubted, living)


def _bury(tx: Tx, landing: Landing, absent: Mapping[int, int | None]) -> None:
    tx.run(
        "update links set state = 'tombstone', buried = 'missing', buried_at = ?, digest = null,"
        " rev = rev + 1 where id in ints(?)",
        micros(landing.at),
        list(absent),
    )
    mark_due(tx, [entity for entity in absent.values() if entity is not None], "deleted")


def _absent(tx: Tx, landing: Landing, stream_id: int) -> dict[int, int | None]:
    """The links that the listing lacks, locked, and whose they are."""
    sql = f"select l.id, l.entity_id from links l where{_MISSING} order by l.id{tx.lock}"
    return dict(tx.rows(sql, stream_id, landing.listing))


def _left_unread(tx: Tx, stream_id: int) -> int:
    """How many rows of this listing could not be read, nor told whose they are."""
    found = tx.row("select listing_rejected from streams where id = ?", stream_id)
    return 0 if found is None else int(found[0])


# -- ids that are made of the content -------------------------------------------------------------------


def _without_nobody(tx: Tx, absent: Mapping[int, int | None]) -> dict[int, int | None]:
    """Whoever came, was given to nobody and is not there any more was the row before an edit: it is removed.
    One that a write names (its connection was removed once) is kept with it."""
    strangers = [id for id, entity in absent.items() if entity is None]
    named = tx.rows("select distinct link_id from deliveries where link_id in ints(?)", strangers)
    nobody = set(strangers) - {id for (id,) in named}
    erase(tx, sorted(nobody))
    return {id: entity for id, entity in absent.items() if id not in nobody}


def _follow_edits(
    tx: Tx, known: Streams, landing: Landing, stream_id: int, absent: Sequence[int], unread: int
) -> frozenset[int]:
    """Where an id is made of the content: the absent links that were edited, and so are strangers now, get
    their new id and what was read there. Which they are."""
    pairs = _pairs(tx, known, landing, stream_id, absent, unread) if absent else ()
    if pairs:
        reasons: Reasons = {}
        take_over(tx, known, pairs, reasons)
        mark_each(tx, reasons)
    newest = "select coalesce(max(id), 0) from links where stream_id = ? and remote_id is not null"
    tx.run(f"update streams set newest = ({newest}) where id = ?", stream_id, stream_id)
    return frozenset(link.id for link, _ in pairs)


def _pairs(
    tx: Tx, known: Streams, landing: Landing, stream_id: int, absent: Sequence[int], unread: int
) -> Sequence[tuple[Link, Link]]:
    """Nothing is loaded where one side is empty: of a first listing everybody is a stranger."""
    assert landing.recognise is not None
    came = "l.stream_id = ? and l.entity_id is null and l.state = 'live' and l.listing = ? and l.id >"
    sql = f"{came} (select newest from streams where id = l.stream_id) order by l.id"
    come = links_where(tx, known, sql, stream_id, landing.listing)
    if not come:
        return ()
    gone = links_where(tx, known, "l.entity_id is not null and l.id in ints(?) order by l.id", list(absent))
    return landing.recognise(gone, come, unread) if gone else ()
