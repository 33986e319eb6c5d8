"""Queries over the stand-in org's API: pages behind locators, and records by id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from trueup.connectors.salesforce.vendor_org import Org
from trueup.connectors.salesforce.vendor_query import find, object_type, render
from trueup.connectors.salesforce.vendor_rules import long_id, refuse
from trueup.connectors.salesforce.vendor_soql import Malformed, Query, parse
from trueup.connectors.salesforce.vendor_wire import base_of, batch_size
from trueup.sandbox.standin import Match

LOCATOR_LIFE = timedelta(days=2)


@dataclass(slots=True)
class Open:
    """A query whose rows are not all fetched yet: ids as found, values as they are at the fetch."""

    query: Query
    ids: list[str]
    deleted: bool
    since: datetime


class Pages:
    """The queries of one org that are not fetched to their end; a page holds at most `cap` rows."""

    def __init__(self, org: Org, cap: int) -> None:
        self.org = org
        self.cap = cap
        self._open: dict[str, Open] = {}
        self._opened = 0

    def forget(self) -> None:
        """No locator is known any more."""
        self._open.clear()

    def query(self, request: httpx.Request, match: Match) -> httpx.Response:
        return self._first_page(request, match, deleted=False)

    def query_all(self, request: httpx.Request, match: Match) -> httpx.Response:
        return self._first_page(request, match, deleted=True)

    def _first_page(self, request: httpx.Request, match: Match, deleted: bool) -> httpx.Response:
        try:
            query = parse(match.query.get("q", ""))
        except Malformed as wrong:
            raise refuse("MALFORMED_QUERY", f"\n{wrong}") from None
        ids = find(self.org, query, deleted)
        if query.count:
            return httpx.Response(200, json={"totalSize": len(ids), "done": True, "records": []})
        return self._page(request, match, Open(query, ids, deleted, self.org.now()), 0, "")

    def query_more(self, request: httpx.Request, match: Match) -> httpx.Response:
        locator, _, start = match.path["locator"].partition("-")
        found = self._open.get(locator)
        if found is None or not start.isdigit() or self.org.now() - found.since >= LOCATOR_LIFE:
            raise refuse("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(request, match, found, int(start), locator)

    def _page(
        self, request: httpx.Request, match: Match, cursor: Open, start: int, locator: str
    ) -> httpx.Response:
        end = start + min(batch_size(request), self.cap)
        table = self.org.rows[object_type(self.org, cursor.query.object).name]
        rows = (table.get(id) for id in cursor.ids[start:end])
        shown = [
            render(self.org, cursor.query, row, base_of(match))
            for row in rows
            if row is not None and (cursor.deleted or not row["IsDeleted"])
        ]
        answer = {"totalSize": len(cursor.ids), "done": end >= len(cursor.ids), "records": shown}
        if end < len(cursor.ids):
            locator = locator or self._remember(cursor)
            answer["nextRecordsUrl"] = f"{base_of(match)}/query/{locator}-{end}"
        return httpx.Response(200, json=answer)

    def retrieve(self, request: httpx.Request, match: Match) -> httpx.Response:
        type = self.org.type(match.path["object"])
        fields = tuple(name for name in match.query.get("fields", "").split(",") if name)
        ids = [id for id in match.query.get("ids", "").split(",") if id]
        if not fields or not ids:
            raise refuse("MISSING_ARGUMENT", "The ids and fields parameters are required")
        for name in fields:
            if type.find(name) is None:
                raise refuse("INVALID_FIELD", f"No such column '{name}' on sobject of type {type.name}")
        query = Query(type.name, fields)
        rows = (self.org.rows[type.name].get(long_id(id)) for id in ids)
        shown = [
            None if row is None or row["IsDeleted"] else render(self.org, query, row, base_of(match))
            for row in rows
        ]
        return httpx.Response(200, json=shown)

    def _remember(self, cursor: Open) -> str:
        self._opened += 1
        locator = f"01gKp{self._opened:010d}"
        self._open[locator] = cursor
        return locator
