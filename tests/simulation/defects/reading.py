"""Mistakes in reading: positions, pages, older views, records that move or go."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.defects.base import always, defect, instead
from tests.simulation.defects.histories import (
    ALPHA,
    BETA,
    RUN,
    SETTLED,
    SILENT,
    Event,
    goes_wrong,
    history,
    killed,
    newcomer,
    typed,
)
from trueup.connectors import paging
from trueup.connectors import reading as pages
from trueup.connectors.base import GoneItem
from trueup.connectors.rest import RestConnector
from trueup.model.landing import Landing
from trueup.store import land as landing
from trueup.store import moves
from trueup.sync import inbox, outbox
from trueup.sync.rules import observe
from trueup.testing.traits import Traits


def _later(original: Any, words: Any, moment: Any) -> Any:
    return original(words, moment + timedelta(seconds=0.5))


def _without_overlap(original: Any, words: Any, moment: Any) -> Any:
    return original(words.model_copy(update={"lookback": 0.0, "granularity": 0.0}), moment)


def _from_the_end(original: Any, *args: Any) -> Any:
    cursor, more = original(*args)
    if not more and cursor and "since" in cursor:
        later = datetime.fromisoformat(cursor["since"]) + timedelta(seconds=90)
        cursor = {**cursor, "since": later.isoformat()}
    return cursor, more


def _position_first(
    original: Any, parts: Any, stream: Any, page: Any, tally: Any, fence: Any, listing: Any, *rest: Any
) -> Any:
    """The position is stored before the records that it covers."""
    if listing is None:
        kind = parts.policy.rules[stream].kind
        parts.store.land(Landing(*stream, kind, (), parts.now(), cursor=page.cursor), fence)
    return original(parts, stream, page, tally, fence, listing, *rest)


def _one_page(original: Any, *args: Any) -> Any:
    cursor, more = original(*args)
    if not more:
        return cursor, more
    at_rest = {name: value for name, value in cursor.items() if name in ("since", "swept")}
    return {"since": cursor["started"], **at_rest} | {"since": cursor["started"]}, False


def _short_page(original: Any, *args: Any) -> Any:
    """The last record of a full page is taken for the first of the next."""
    found = original(*args)
    return found[:-1] if len(found) > 2 else found


def _one_empty_answer(original: Any, self: Any, object: str, ids: Any, fields: Any) -> Any:
    """What one batch does not bring is gone."""
    session = self._session
    spec = session.object(object)
    found = pages._read_many(session, object, spec, spec.read.many, list(dict.fromkeys(ids)), fields)
    return [pages._gone_if_deleted(found.get(id, GoneItem())) for id in ids]


def _older_counts(original: Any, found: Any, record: Any, row: Any, page: Any) -> None:
    """An older view of a record is as good as a newer one."""
    original(found, record, (*row[:5], None, *row[6:]), page)


def _missed_is_deleted(original: Any, found: Any, record: Any, row: Any, changed: Any, page: Any) -> None:
    """What was not there under its id is as dead as what its system says was deleted."""
    original(found, record, row, changed, replace(page, asked=()))


def _stamp_tells_all(original: Any, found: Any, record: Any, row: Any, page: Any) -> None:
    """A record whose stamp did not move did not change."""
    if record.changed_at is not None and row[3] == "live" and landing.micros(record.changed_at) == row[5]:
        found.listed.append(row[0])
        found.same += 1
    else:
        original(found, record, row, page)


def _not_moved(original: Any, ids: Any, answers: Any) -> Any:
    records, _ = original(ids, answers)
    return [
        replace(one, successor=None, deleted=one.deleted or one.successor is not None) for one in records
    ], []


def _version_of_the_page(original: Any, *args: Any) -> Any:
    """All records of a page are told with the version of its first one."""
    found = original(*args)
    return replace(
        found, records=tuple(replace(one, version=found.records[0].version) for one in found.records)
    )


def _our_own_time(original: Any, spec: Any, *rest: Any) -> Any:
    """A reading goes on from when the last one began, by our own clock and by no other."""
    since = spec.changes.since.model_copy(update={"lag": 0.0})
    changes = spec.changes.model_copy(update={"since": since})
    return original(spec.model_copy(update={"changes": changes}), *rest)


def _place_moves(original: Any, parts: Any, stream: Any, ids: Any, fence: Any, *rest: Any) -> None:
    """Whoever is told of one record by a hint has read all until now."""
    original(parts, stream, ids, fence, *rest)
    cursor = parts.store.stream(*stream).cursor
    if fence is None and cursor and "phase" not in cursor:
        moved = {**cursor, "since": parts.now().isoformat()}
        kind = parts.policy.rules[stream].kind
        parts.store.land(Landing(*stream, kind, (), parts.now(), cursor=moved), fence)


def _keeps_base(original: Any, link: Any, record: Any, *at: Any) -> Any:
    """What a record held when both sides last agreed is not remembered."""
    return replace(original(link, record, *at), base=link.base)


SAFE = "cursor safety"
LOST = "no lost update, no lost element, no resurrection, convergence, opt-outs hold"

READING = (
    defect("strict > instead of >=", 13, f"{SAFE}, {LOST}", (pages, "filter_stamp", instead(_later))),
    defect("no overlap", 5, f"{SAFE}, {LOST}", (pages, "filter_stamp", instead(_without_overlap))),
    defect(
        "position from the end of the reading",
        0,
        f"{SAFE}, {LOST}",
        (pages, "_moved_on", instead(_from_the_end)),
    ),
    defect("position before its page", 0, f"{SAFE}, {LOST}", (inbox, "_store", instead(_position_first))),
    defect(
        "the first page is all",
        1,
        f"{SAFE}, {LOST}, links are sane",
        (pages, "_moved_on", instead(_one_page)),
    ),
    defect(
        "the last of a page is left out",
        0,
        f"{SAFE}, {LOST}, links are sane",
        (
            pages,
            "read_rows",
            instead(
                lambda original, rows, read: (
                    original(rows, read)[0][:-1] if len(rows) > 2 else original(rows, read)[0],
                    original(rows, read)[1],
                )
            ),
        ),
    ),
    defect(
        "one empty answer buries",
        history(
            newcomer(ALPHA, BETA),
            *SETTLED,
            typed(ALPHA, 110),
            goes_wrong(BETA, "read", "empty"),
            RUN,
            beta=SILENT,
        ),
        f"links are sane, {LOST}",
        (RestConnector, "read", instead(_one_empty_answer)),
    ),
    defect(
        "what was missed once is deleted",
        "a-reading-by-id-denies-a-record-twice",
        "links are sane",
        (landing, "_bury_one", instead(_missed_is_deleted)),
    ),
    defect(
        "an older view counts",
        11,
        f"winners are people, {LOST}, silence, bounded cost",
        (landing, "_compare", instead(_older_counts)),
    ),
    defect(
        "an older view of our write is waited for",
        "put-back-and-typed-anew-within-the-lag",
        LOST,
        (landing, "shows_before", always(False)),
    ),
    defect("the same stamp, so nothing changed", 1, LOST, (landing, "_compare", instead(_stamp_tells_all))),
    defect("what was read makes nobody due", 0, LOST, (landing, "because", always(None))),
    defect("deletions are not noticed", 22, "convergence, silence", (landing, "_bury_one", always(None))),
    defect(
        "a page with less than was asked for is the last",
        history(
            *(newcomer(ALPHA, token=token) for token in range(101, 106)),
            *SETTLED,
            *(replace(typed(ALPHA, 110 + place), pick=place) for place in range(5)),
            RUN,
            alpha=Traits("alpha", uneven=True),
        ),
        f"{SAFE}, {LOST}, links are sane",
        (paging, "_goes_on", instead(lambda original, end, rows, size: len(rows) >= size)),
    ),
    defect(
        "whoever comes back stays buried",
        history(newcomer(ALPHA, BETA), *SETTLED, Event("archive"), *SETTLED, Event("revive"), RUN),
        "links are sane",
        (landing, "_restores", always(False)),
    ),
    defect(
        "whoever comes back in the same step of the stamps stays buried",
        "archived-and-brought-back-in-one-step-of-the-stamps",
        "links are sane",
        (landing, "_perhaps_brought_back", always(())),
    ),
    defect(
        "a stamp far ahead is believed",
        history(
            newcomer(ALPHA, BETA),
            *SETTLED,
            Event("misdate", field="title", token=110, what="2099-07-01T12:00:00+00:00"),
            *SETTLED,
            typed(ALPHA, 111),
            RUN,
        ),
        LOST,
        (landing, "_DAY", lambda original: 10**17),
    ),
    defect(
        "a stamp far ahead tells which view is older",
        "a-stamp-far-ahead-in-a-list-that-lags",
        "winners are people",
        (landing, "_older_than_told", instead(lambda original, *args: original(*args[:-1], 10**17))),
    ),
    defect(
        "the second step of a chain of merges is not looked for",
        history(
            newcomer(ALPHA, BETA),
            Event("chain", at=BETA),
            RUN,
            Event("chain", at=BETA, pick=2),
            RUN,
            beta=Traits("gamma", lag=30.0),
        ),
        "convergence",
        (moves, "_look_there", always(None)),
    ),
    defect(
        "a reading goes on from our own time",
        history(
            newcomer(ALPHA, BETA),
            *SETTLED,
            Event("clock", seconds=30.0),
            RUN,
            typed(ALPHA, 110),
            Event("clock", seconds=-30.0),
            RUN,
        ),
        f"{SAFE}, {LOST}",
        (pages, "_at_rest", instead(_our_own_time)),
    ),
    defect(
        "a hint moves the place in the stream",
        history(
            newcomer(ALPHA, BETA),
            newcomer(ALPHA, BETA, token=102),
            *SETTLED,
            *(replace(typed(ALPHA, 110 + place), pick=place % 2) for place in range(4)),
            RUN,
            alpha=Traits("alpha", hints=True),
        ),
        f"{SAFE}, {LOST}",
        (inbox, "reread", instead(_place_moves)),
    ),
    defect(
        "redirects are ignored",
        77,
        f"links are sane, {LOST}",
        (landing, "follow_moves", always({})),
    ),
    defect(
        "a version is that of the page",
        2,
        "versions are of their record",
        (RestConnector, "pull", instead(_version_of_the_page)),
    ),
    defect("what the guard read is thrown away", 3, LOST, (outbox, "reread", always(None))),
    defect(
        "what was agreed is not remembered",
        0,
        LOST,
        (landing, "observe", instead(_keeps_base)),
        (observe, "observe", instead(_keeps_base)),
    ),
    defect(
        "last words are not heard",
        history(
            newcomer(ALPHA, BETA),
            *SETTLED,
            Event("opt out"),
            killed(34),
            Event("delete"),
            Event("wait", seconds=4000.0),
            RUN,
        ),
        "opt-outs hold, opt-outs only tighten",
        (inbox, "_last_words", always([])),
    ),
    defect(
        "nobody is found by a key",
        history(newcomer(ALPHA), goes_wrong(BETA, "create", "lost answer"), *SETTLED),
        "no duplicate, links are sane, convergence, nothing waits for nobody, silence",
        (RestConnector, "find", always([])),
    ),
    defect(
        "older records are not counted",
        5,
        "counts add up",
        (landing, "Landed", instead(lambda original, **counts: original(**{**counts, "older": 0}))),
    ),
)
