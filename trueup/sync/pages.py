"""The pages of one reading, one after another, as far as they lead on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from trueup.errors import Malformed
from trueup.model.jsontext import digest
from trueup.model.record import Cursor, Page, Reading, Record
from trueup.sync.parts import Parts
from trueup.sync.rules.policy import Stream

Content: TypeAlias = tuple[tuple[Record, ...], tuple[tuple[str, str], ...]]

MOST = {Reading.LISTING: 1, Reading.CHANGES: 10}
"""The how manieth page in a row that says just the same is one too many. A listing brings every record once;
changes may be told again, and go on then."""


def _most(reading: Reading, page: Page) -> int:
    """Rows that nobody can read may look alike on several pages."""
    return MOST[reading if page.records else Reading.CHANGES]


def pages(
    parts: Parts, stream: Stream, reading: Reading, cursor: Cursor | None, fields: Sequence[str]
) -> Iterator[tuple[datetime, Page]]:
    """Each page from `cursor` on, with the moment at which it was asked for. One that says just what the page
    before said is passed over: nothing is known to be read up to there before something else follows.

    Malformed where a system would be asked for ever: it answers with one page again and again (it ignores the
    place that it is asked for), or leads to a place where this reading was already (a circle of places).
    """
    connector = parts.connectors[stream[0]]
    before: Content = ((), ())
    again = 0
    been = {digest(cursor)}
    while True:
        at = parts.now()
        page = connector.pull(stream[1], reading, cursor, fields)
        if page.anew:
            been, before = set(), ((), ())
        place = digest(page.cursor)
        content = (page.records, page.rejected)
        again = again + 1 if any(content) and content == before else 0
        if page.more and (place in been or again >= _most(reading, page)):
            said = "the pages that follow are pages that this reading had already"
            raise Malformed(said, connection=stream[0], operation=f"{stream[1]}.{reading}")
        if not (again and page.more):
            yield at, page
        if not page.more:
            return
        been.add(place)
        cursor, before = page.cursor, content
