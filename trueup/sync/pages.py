"""The pages of one reading, one after another, as far as they lead on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from trueup.errors import Malformed
from trueup.model.jsontext import digest
from trueup.model.record import Cursor, Page, Reading, Record
from trueup.sync.parts import Parts
from trueup.sync.rules.policy import Stream


def pages(
    parts: Parts, stream: Stream, reading: Reading, cursor: Cursor | None, fields: Sequence[str]
) -> Iterator[tuple[datetime, Page]]:
    """Each page from `cursor` on, with the moment at which it was asked for.

    Malformed where a system would be asked for ever: its page is the page before once more (it ignores the
    place that it is asked for), or leads to a place where this reading was already (a circle of places).
    """
    connector = parts.connectors[stream[0]]
    before: tuple[Record, ...] = ()
    been = {digest(cursor)}
    while True:
        at = parts.now()
        page = connector.pull(stream[1], reading, cursor, fields)
        if page.anew:
            been, before = set(), ()
        place = digest(page.cursor)
        if page.more and (place in been or (page.records and page.records == before)):
            said = "the pages that follow are pages that this reading had already"
            raise Malformed(said, connection=stream[0], operation=f"{stream[1]}.{reading}")
        yield at, page
        if not page.more:
            return
        been.add(place)
        cursor, before = page.cursor, page.records
