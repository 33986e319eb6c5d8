"""What the HubSpot stand-in answers when it is read: records, searches, owners, properties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from trueup.connectors.hubspot.vendor_portal import Row
from trueup.connectors.hubspot.vendor_properties import DEFAULTS, MODIFIED, Properties, iso
from trueup.connectors.hubspot.vendor_searching import meets, order, search_problem, sort_of
from trueup.connectors.hubspot.vendor_wire import (
    Desk,
    body_of,
    failure,
    item_error,
    listed,
    number_in,
    told_definition,
    told_owner,
    too_many,
)
from trueup.sandbox.standin import Match

_WINDOW = 10_000  # records that one search shows at most


class Records:
    """Answers about records as they are, and as the search sees them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listing(self, request: httpx.Request, match: Match) -> httpx.Response:
        object = match.path["object"]
        limit = number_in(match.query.get("limit", "10"))
        if object not in DEFAULTS or limit is None or not 1 <= limit <= 100:
            return failure(400, "VALIDATION_ERROR", f"limit must be between 1 and 100, not {limit}")
        archived = match.query.get("archived") == "true"
        after = int(match.query.get("after", "0") or 0)
        rows = [
            row
            for row in self._desk.portal.rows[object].values()
            if (row.archived is not None) == archived and int(row.id) > after
        ]
        names = listed(match.query.get_list("properties"))
        results = [self.told(object, row, names) for row in rows[:limit]]
        return self._page(results, results[-1]["id"] if len(rows) > limit else None)

    def _page(self, results: list[Any], after: str | None, **more: Any) -> httpx.Response:
        body = {"results": results, **more}
        if after is not None:
            body["paging"] = {"next": {"after": after, "link": f"https://api.hubapi.com/?after={after}"}}
        return httpx.Response(200, json=body, headers={} if "total" in more else self._desk.rate_headers())

    def told(
        self, object: str, row: Row, names: Sequence[str], state: Properties | None = None, trace: str = ""
    ) -> dict[str, Any]:
        """A record as it is answered: default properties and those that were asked for."""
        properties = row.properties if state is None else state
        known = self._desk.portal.definitions[object]
        asked = dict.fromkeys([*DEFAULTS[object], *names])
        wanted = [name for name in asked if state is not None or name in known]
        told: dict[str, Any] = {name: properties.get(name) for name in wanted}
        if self._desk.empty == "omit":
            told = {name: value for name, value in told.items() if value is not None}
        answer: dict[str, Any] = {
            "id": row.id,
            "properties": told,
            "createdAt": iso(row.created),
            "updatedAt": iso(row.updated) if state is None else state[MODIFIED[object]],
            "archived": row.archived is not None,
        }
        if row.archived is not None:
            answer["archivedAt"] = iso(row.archived)
        if trace:
            answer["objectWriteTraceId"] = trace
        return answer

    def search(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, body = match.path["object"], body_of(match)
        problem = search_problem(body, len(request.content))
        if object not in DEFAULTS or problem:
            return failure(400, "VALIDATION_ERROR", problem or f"unknown object {object}")
        limit, after = int(body.get("limit", 10)), int(body.get("after") or 0)
        found = [
            (row, state)
            for row, state in self._desk.portal.indexed(object, self._desk.now())
            if meets(body.get("filterGroups") or [], state)
        ]
        for sort in body.get("sorts") or []:
            name, descending = sort_of(sort)
            found.sort(key=lambda pair: order(pair[1].get(name, "")), reverse=descending)
        if after + limit > _WINDOW:
            return failure(400, "VALIDATION_ERROR", f"paging ends at {_WINDOW} records")
        names = body.get("properties") or []
        results = [self.told(object, row, names, state) for row, state in found[after : after + limit]]
        following = str(after + limit) if len(found) > after + limit else None
        return self._page(results, following, total=len(found))

    def batch_read(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, body = match.path["object"], body_of(match)
        inputs = body.get("inputs") or []
        if len(inputs) > 100:
            return too_many(len(inputs))
        results: list[dict[str, Any]] = []
        missing: list[str] = []
        for one in inputs:
            row = self._by(object, body.get("idProperty"), str(one["id"]))
            if row is None:
                missing.append(str(one["id"]))
            elif row.id not in {told["id"] for told in results}:
                results.append(self.told(object, row, body.get("properties") or []))
        error = item_error("OBJECT_NOT_FOUND", "Could not get some objects", ids=missing)
        return self._desk.batch(results, [error] if missing else [], 200)

    def _by(self, object: str, property: str | None, value: str) -> Row | None:
        if property:
            return self._desk.portal.holder(object, property, value.strip().lower())
        row = self._desk.portal.rows[object].get(value)
        return row if row is not None and row.archived is None else None

    def read(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, id = match.path["object"], match.path["id"]
        property = match.query.get("idProperty")
        row = self._by(object, property, id) if property else self._desk.portal.find(object, id)
        if row is None:
            return failure(404, "OBJECT_NOT_FOUND", f"Object not found. objectId: {id}")
        names = listed(match.query.get_list("properties"))
        return httpx.Response(200, json=self.told(object, row, names), headers=self._desk.rate_headers())

    def owners(self, request: httpx.Request, match: Match) -> httpx.Response:
        limit, email = int(match.query.get("limit", "100")), match.query.get("email")
        after = int(match.query.get("after", "0") or 0)
        known = [
            owner for owner in self._desk.owners if email is None or owner.email.lower() == email.lower()
        ]
        if match.query.get("archived") == "true":
            known = []
        results = [told_owner(owner) for owner in known[after : after + limit]]
        return self._page(results, str(after + limit) if len(known) > after + limit else None)

    def owner(self, request: httpx.Request, match: Match) -> httpx.Response:
        for owner in self._desk.owners:
            if owner.id == match.path["id"]:
                return httpx.Response(200, json=told_owner(owner))
        return failure(404, "OBJECT_NOT_FOUND", "No owner with this id")

    def properties(self, request: httpx.Request, match: Match) -> httpx.Response:
        definitions = self._desk.portal.definitions.get(match.path["object"])
        if definitions is None:
            return failure(404, "OBJECT_NOT_FOUND", "unknown object type")
        return httpx.Response(200, json={"results": [told_definition(one) for one in definitions.values()]})
