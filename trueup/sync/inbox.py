"""Land: what the systems say is stored as observed, page by page, with the position in the stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from trueup.connectors.base import Capability, GoneItem
from trueup.connectors.verdict import discreet
from trueup.mapping.apply import observe
from trueup.model.consent import ConsentEvent
from trueup.model.counting import counted
from trueup.model.delivery import Lane
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.landing import Landed, Landing, StreamState
from trueup.model.record import Page, Reading, Record
from trueup.model.run import Fence
from trueup.sync.facts import facts
from trueup.sync.pages import pages
from trueup.sync.parts import Parts
from trueup.sync.rules import ledger
from trueup.sync.rules.founding import makes_companies
from trueup.sync.rules.guard import Fuse, too_many_missing
from trueup.sync.rules.policy import Stream
from trueup.sync.rules.recognise import recognised
from trueup.sync.tally import Tally


def land(parts: Parts, stream: Stream, tally: Tally, fence: Fence | None) -> None:
    """Read one stream to its end and store all of it.

    The first time, after a new field was mapped, when a full listing is due, after a person accepted what
    the last one lacked, or where the system cannot tell changes, everything is listed; else only what changed
    since the cursor. A reading that was broken off goes on where it was; what was edited since behind that
    place is in the changes since it began. Who went is told by a listing that lacks him; where none is whole,
    the changes up to it are read first, for it takes the place of the cursor.
    """
    state = parts.store.stream(*stream)
    if _needs_listing(parts, stream, state):
        if state.cursor is not None and _only_changes_tell(parts, stream):
            _read_changes(parts, stream, state, tally, fence)
            state = parts.store.stream(*stream)
        _list_all(parts, stream, state, tally, fence)
        goes_on = state.listing_cursor is not None and parts.can(stream, Capability.INCREMENTAL)
    else:
        _read_changes(parts, stream, state, tally, fence)
        goes_on = state.broken_off is not None
    if goes_on:
        _read_changes(parts, stream, parts.store.stream(*stream), tally, fence)


def asked_fields(parts: Parts, stream: Stream) -> tuple[str, ...]:
    """Every remote path that this stream is read for."""
    return parts.policy.asked(stream)


def _needs_listing(parts: Parts, stream: Stream, state: StreamState) -> bool:
    if state.listed_at is None or state.listing_cursor is not None or state.accepted:
        return True
    if not parts.can(stream, Capability.INCREMENTAL):
        return True
    if set(asked_fields(parts, stream)) - set(state.fields):
        return True
    every = parts.pace(stream[0]).full_listing
    return every is not None and parts.now() - state.listed_at >= every


def _only_changes_tell(parts: Parts, stream: Stream) -> bool:
    """Whether a deletion is told by the changes, and by no listing."""
    told = (Capability.INCREMENTAL, Capability.DELETES_VISIBLE)
    return all(parts.can(stream, one) for one in told) and not parts.can(stream, Capability.COMPLETE_LISTING)


def _list_all(parts: Parts, stream: Stream, state: StreamState, tally: Tally, fence: Fence | None) -> None:
    fields, began = asked_fields(parts, stream), parts.now()
    read_for_all = set(fields) <= set(state.listing_fields)  # or one was mapped since it was broken off
    cursor, number = (state.listing_cursor if read_for_all else None), state.listing
    if cursor is None:
        number = parts.store.begin_listing(*stream, began)
    for at, page in pages(parts, stream, Reading.LISTING, cursor, fields):
        if page.anew:
            number, began = parts.store.begin_listing(*stream, at), at
        _store(parts, stream, page, tally, fence, number, fields, began)


def _read_changes(
    parts: Parts, stream: Stream, state: StreamState, tally: Tally, fence: Fence | None
) -> None:
    fields, began = asked_fields(parts, stream), parts.now()
    for _, page in pages(parts, stream, Reading.CHANGES, state.cursor, fields):
        _store(parts, stream, page, tally, fence, None, fields, began)


def _store(
    parts: Parts,
    stream: Stream,
    page: Page,
    tally: Tally,
    fence: Fence | None,
    listing: int | None,
    fields: Sequence[str],
    began: datetime,
) -> None:
    for where, why in page.rejected:
        tally.add(stream, "read")
        tally.add(stream, "rejected")
        tally.notes.append(discreet(f"{stream[0]} {stream[1]} {where}: {why}"))
    page, late = _without_late(parts, stream, page, began, tally, fence)
    kept, at = _taken(parts, stream, page.records, tally), parts.now()
    rules = parts.policy.rules[stream]
    unreadable, unnamed = _rejected(parts, stream, page)
    landing = Landing(
        stream[0],
        stream[1],
        rules.kind or Kind.CONTACT,
        tuple(kept) if rules.kind is not None else (),
        at,
        cursor=page.cursor,
        listing=listing,
        complete=listing is not None and not page.more,
        ended=not page.more,
        began=began,
        implausible=_implausible(parts, stream),
        opens=_opens(parts, stream),
        fields=tuple(fields),
        consent=tuple(_last_words(parts, stream, page.records, kept, at)),
        unreadable=(*unreadable, *late),
        rejected=unnamed,
        recognise=_recognise(parts, stream),
    )
    if rules.kind is None:
        landed = parts.store.land_facts(stream[0], facts(rules, kept), parts.now())
        tally.add(stream, "read", len(kept))
        tally.add(stream, "new", landed.new)
        tally.add(stream, "changed", landed.changed)
        tally.add(stream, "same", len(kept) - landed.new - landed.changed)
        parts.store.land(landing, fence)
    else:
        _count(stream, parts.store.land(landing, fence), tally)
    parts.progress("read", *stream, len(page.records))


def _without_late(
    parts: Parts, stream: Stream, page: Page, began: datetime, tally: Tally, fence: Fence | None
) -> tuple[Page, Sequence[str]]:
    """The page without views that may be older than what the system itself told of these records (its list
    lags, or it was brought back in the same step of its stamps in which it was deleted), or than our own
    writes; they are read by id, before the place in the stream moves on. And their ids."""
    if not page.records:
        return page, ()
    late = parts.store.late(*stream, page.records, began, timedelta(seconds=parts.specs[stream].lag))
    if not late:
        return page, ()
    reread(parts, stream, late, fence)
    others = tuple(record for record in page.records if record.id not in late)
    for what in ("read", "older"):
        tally.add(stream, what, len(page.records) - len(others))
    return replace(page, records=others), late


def _opens(parts: Parts, stream: Stream) -> tuple[Kind, ...]:
    """The kinds of which something may be made once this stream was listed to its end."""
    kind, kinds = parts.policy.rules[stream].kind, []
    if kind is not None and stream in parts.policy.create:
        kinds.append(kind)
    if kind is Kind.COMPANY and makes_companies(parts.policy):
        kinds.append(Kind.CONTACT)  # whose companies could not be made so far
    return tuple(kinds)


def _rejected(parts: Parts, stream: Stream, page: Page) -> tuple[tuple[str, ...], int]:
    """Of the rows that could not be read: known records that they are named by (`id`, or `id.field`), and how
    many of them name none."""
    here = {record.id for record in page.records}
    names = [{where, where.rpartition(".")[0]} for where, _ in page.rejected]
    asked = sorted({name for some in names for name in some if name} - here)
    known = set(parts.store.known(*stream, asked)) if asked else set()
    unnamed = sum(not some & (here | known) for some in names)
    return tuple(sorted(known)), unnamed


def _last_words(
    parts: Parts, stream: Stream, records: Sequence[Record], kept: Sequence[Record], at: datetime
) -> list[ConsentEvent]:
    """What those that went or are left out tell of consent: it is outside every filter. And what no decision
    would find: an opt-out that was taken back and said again since the last one."""
    mapping = parts.policy.mappings.get(stream)
    if mapping is None or not any(binding.consent for binding in mapping.bindings):
        return []
    taken = {record.id for record in kept}
    unread = [one for one in records if one.deleted or one.successor is not None or one.id not in taken]
    gone = {record.id for record in unread}
    out = [one for one in records if one.id not in gone and ledger.tells_out(mapping, one)]
    asked = [record.id for record in (*unread, *out)]
    known = parts.store.known(*stream, asked) if asked else {}
    found = [event for one in unread for event in ledger.last_words(mapping, one, known.get(one.id), at)]
    again = ((one, known[one.id]) for one in out if one.id in known)
    return found + [event for one, link in again for event in ledger.said_again(mapping, one, link, at)]


def _taken(parts: Parts, stream: Stream, records: Sequence[Record], tally: Tally) -> list[Record]:
    """Records that `take` lets in; one that is linked already is always let in."""
    condition = parts.policy.take.get(stream)
    mapping = parts.policy.mappings.get(stream)
    if condition is None or mapping is None:
        return list(records)
    known: Mapping[str, object] = parts.store.known(*stream, [record.id for record in records])
    kept = [
        record
        for record in records
        if record.id in known or condition.met(observe(mapping, record.values).values, parts.now()).met
    ]
    tally.add(stream, "read", len(records) - len(kept))
    tally.add(stream, "filtered", len(records) - len(kept))
    return kept


def _implausible(parts: Parts, stream: Stream) -> Callable[[int, int], bool] | None:
    """How many absences are too many to be deletions; None where a listing does not tell them."""
    if parts.policy.rules[stream].kind is None or not parts.can(stream, Capability.COMPLETE_LISTING):
        return None
    return partial(too_many_missing, fuse=parts.fuses.get("delete", Fuse()))


def _recognise(parts: Parts, stream: Stream) -> Callable[..., Sequence[tuple[Link, Link]]] | None:
    """How an edited record is known again where its id is made of its content; None where ids last."""
    if stream not in parts.policy.mappings or not parts.can(stream, Capability.CONTENT_IDS):
        return None
    return partial(recognised, parts.policy.mappings[stream].bindings)


def _count(stream: Stream, landed: Landed, tally: Tally) -> None:
    tally.landed(stream, landed)
    if landed.unread:
        tally.notes.append(
            f"{stream[0]} {stream[1]}: {counted(landed.unread, 'row')} could not be read, nor told whose "
            f"{'it is' if landed.unread == 1 else 'they are'}; so of the known records that this listing "
            f"lacks ({landed.doubted:,}) none was treated as deleted"
        )
    elif landed.doubted:
        tally.add(stream, "held missing", landed.doubted)
        known = counted(landed.living, "known record")
        tally.notes.append(
            f"{stream[0]} {stream[1]}: {landed.doubted:,} of {known} {'is' if landed.doubted == 1 else 'are'}"
            " missing from a complete listing; that is more than may be believed, so nobody was treated as"
            " deleted"
        )


def reread(
    parts: Parts, stream: Stream, ids: Sequence[str], fence: Fence | None, lane: Lane = Lane.NORMAL
) -> None:
    """Read single records now and land them: guards, webhooks and doubts look through here."""
    spec = parts.specs[stream]
    for start in range(0, len(ids), spec.read_batch):
        chunk = list(ids[start : start + spec.read_batch])
        connector = parts.connector(stream[0], lane)
        answers = connector.read(stream[1], chunk, asked_fields(parts, stream))
        if parts.can(stream, Capability.CONTENT_IDS):  # what is not there under this id may have been edited
            here = [one for one in zip(chunk, answers, strict=True) if isinstance(one[1], Record)]
            chunk, answers = [id for id, _ in here], [record for _, record in here]
        records, moved = _answers(chunk, answers)
        kind = parts.policy.rules[stream].kind
        if kind is not None:
            at = parts.now()
            heard = tuple(_last_words(parts, stream, records, records, at))
            landing = Landing(*stream, kind, tuple(records), at, moved=tuple(moved), consent=heard)
            told_at = at if spec.lag else None
            by = parts.policy.config_version if fence is None else ""
            landing = replace(landing, asked=tuple(chunk), told_at=told_at, config_version=by)
            parts.store.land(landing, fence)


def look_again(parts: Parts, connection: str, fence: Fence | None) -> None:
    """Read by id, once, what a reading within the lag of our write showed as it was before. Whoever put the
    old value back meanwhile changes nothing any more, so no reading of changes brings that record again. One
    that answers only that it moved is read under its new id."""
    asked: set[tuple[Stream, str]] = set()
    while _look_once(parts, connection, asked, fence):
        continue


def _look_once(parts: Parts, connection: str, asked: set[tuple[Stream, str]], fence: Fence | None) -> bool:
    """Read all that is hidden and not `asked` for yet; whether there was any."""
    before, after = len(asked), 0
    while links := parts.store.hidden(parts.now(), [connection], after, SOME):
        after = links[-1].id
        places = [(one.stream, one.remote_id) for one in links if one.remote_id is not None]
        new = [place for place in places if place not in asked]
        asked.update(new)
        for stream in parts.streams(connection):
            reread(parts, stream, [id for its, id in new if its == stream], fence)
    return len(asked) > before


SOME = 1000
"""Links that are looked at together."""


def _answers(
    ids: Sequence[str], answers: Sequence[Record | GoneItem]
) -> tuple[list[Record], list[tuple[str, int]]]:
    records: list[Record] = []
    moved: list[tuple[str, int]] = []
    for asked, answer in zip(ids, answers, strict=True):
        if isinstance(answer, GoneItem):
            gone = Record(asked, {}, deleted=answer.successor is None, successor=answer.successor)
            records.append(replace(gone, successor_object=answer.successor_object))
        else:
            if answer.id != asked:
                moved.append((asked, len(records)))
            records.append(answer)
    return records, moved
