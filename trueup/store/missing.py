"""The end of a complete listing: what it lacks was deleted, is there under another id, or is not believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trueup.model.entity import Link
from trueup.model.jsontext import dumps
from trueup.model.landing import Landing
from trueup.model.record import Record
from trueup.store.codec import digest, micros, micros_or_none
from trueup.store.marks import mark_due, mark_each
from trueup.store.moves import NOTES, Reasons, because, notes_of, referrers_of_places
from trueup.store.rows import links_where
from trueup.store.sql import Tx
from trueup.store.streams import Streams
from trueup.sync.rules.observe import observe


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
    recognised = _follow_edits(tx, known, landing, stream_id)
    if landing.implausible is None:
        return Missing(recognised)
    sql = f"select l.id, l.entity_id from links l where{_MISSING} order by l.id"
    absent = tx.rows(sql, stream_id, landing.listing)
    count = tx.row("select count(*) from links where stream_id = ? and state = 'live'", stream_id)
    assert count is not None
    living = int(count[0])
    unread = _left_unread(tx, stream_id) if absent else 0
    if unread or landing.implausible(len(absent), living):
        return Missing(recognised, 0, len(absent), living, unread)
    tx.run(
        "update links set state = 'tombstone', buried = 'missing', buried_at = ?, digest = null,"
        " rev = rev + 1 where id in ints(?)",
        micros(landing.at),
        [id for id, _ in absent],
    )
    mark_due(tx, [entity for _, entity in absent if entity is not None], "deleted")
    return Missing(recognised, len(absent), 0, living)


def _left_unread(tx: Tx, stream_id: int) -> int:
    """How many rows of this listing could not be read, nor told whose they are."""
    found = tx.row("select listing_rejected from streams where id = ?", stream_id)
    return 0 if found is None else int(found[0])


# -- ids that are made of the content -------------------------------------------------------------------


def _follow_edits(tx: Tx, known: Streams, landing: Landing, stream_id: int) -> int:
    """Where an id is made of the content: the known records that were edited, and so are strangers now, get
    their new id and what was read there. How many they are."""
    if landing.recognise is None:
        return 0
    came = "l.stream_id = ? and l.entity_id is null and l.state = 'live' and l.listing = ? and l.id >"
    sql = f"{came} (select newest from streams where id = l.stream_id) order by l.id"
    come = links_where(tx, known, sql, stream_id, landing.listing)
    gone = _gone(tx, known, stream_id, landing.listing) if come else []
    pairs = landing.recognise(gone, come) if gone else ()
    if pairs:
        _take_places(tx, stream_id, pairs, landing)
    newest = "select coalesce(max(id), 0) from links where stream_id = ? and remote_id is not null"
    tx.run(f"update streams set newest = ({newest}) where id = ?", stream_id, stream_id)
    return len(pairs)


def _gone(tx: Tx, known: Streams, stream_id: int, listing: int | None) -> list[Link]:
    """Known records that the listing lacks, locked."""
    sql = f"select l.id from links l where l.entity_id is not null and{_MISSING} order by l.id{tx.lock}"
    ids = [id for (id,) in tx.rows(sql, stream_id, listing)]
    return links_where(tx, known, "l.id in ints(?) order by l.id", ids)


def _take_places(tx: Tx, stream_id: int, pairs: Sequence[tuple[Link, Link]], landing: Landing) -> None:
    """Each link takes the place of the stranger that it became, and what was seen there."""
    _absorb(tx, [stranger.id for _, stranger in pairs])
    seen = [_as_read(link, stranger) for link, stranger in pairs]
    _write_links(tx, seen, landing)
    _remember(tx, stream_id, pairs)
    reasons: Reasons = {}
    for link in seen:
        because(reasons, link.entity_id, "read")
    places = [(stream_id, stranger.remote_id or "") for _, stranger in pairs]
    for referrer in referrers_of_places(tx, places):
        because(reasons, referrer, "reference")
    mark_each(tx, reasons)


def _as_read(link: Link, stranger: Link) -> Link:
    """The link after the reading that brought the stranger."""
    assert stranger.remote_id is not None and stranger.seen_at is not None
    record = Record(stranger.remote_id, stranger.observed, stranger.version, stranger.changed_at)
    return replace(observe(link, record, stranger.seen_at), remote_id=stranger.remote_id)


def _absorb(tx: Tx, strangers: list[int]) -> None:
    """Remove the links of strangers. They belonged to nobody, so no decision and no write names them."""
    for table in ("dangling", "match_keys", "link_aliases", "link_missed", "link_notes", "link_docs"):
        tx.run(f"delete from {table} where link_id in ints(?)", strangers)
    tx.run("delete from links where id in ints(?)", strangers)


_LINK = ("remote_id", "version", "rev", "digest", "changed_at", "seen_at", "listing")


def _write_links(tx: Tx, links: Sequence[Link], landing: Landing) -> None:
    texts = {link.id: dumps(link.observed) for link in links}
    tx.update(
        "links",
        ("id",),
        _LINK,
        [
            (
                link.id,
                link.remote_id,
                link.version,
                link.rev + 1,
                None if link.assumed else digest(texts[link.id]),
                micros_or_none(link.changed_at),
                micros_or_none(link.seen_at),
                landing.listing,
            )
            for link in links
        ],
    )
    tx.upsert("link_docs", ("link_id",), ("observed",), list(texts.items()))
    notes = [
        (link.id, *notes_of(link.base, link.agreed, link.assumed, link.quarantine, link.published))
        for link in links
    ]
    tx.upsert("link_notes", ("link_id",), NOTES, notes)


def _remember(tx: Tx, stream_id: int, pairs: Sequence[tuple[Link, Link]]) -> None:
    """The old ids lead to the links; none of them is a row any more, or the listing had brought it."""
    rows = [(stream_id, link.remote_id, link.id) for link, _ in pairs]
    tx.upsert("link_aliases", ("stream_id", "remote_id"), ("link_id",), rows)
