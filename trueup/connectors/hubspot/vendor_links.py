"""Associations of the HubSpot stand-in (associations v4)."""

from __future__ import annotations

from typing import Any

import httpx

from trueup.connectors.hubspot.vendor_wire import (
    LINK,
    PRIMARY,
    Desk,
    body_of,
    failure,
    item_error,
    told_link,
)
from trueup.sandbox.standin import Match


class Links:
    """Answers about which records belong together; the first company is the primary one by itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def read(self, request: httpx.Request, match: Match) -> httpx.Response:
        one, other = match.path["object"], match.path["other"]
        results, errors = [], []
        for asked in body_of(match)["inputs"]:
            ends = self._desk.portal.linked(one, other, asked["id"])
            if ends:
                to = [
                    {"toObjectId": end, "associationTypes": self._kinds(one, other, asked["id"], end)}
                    for end in ends
                ]
                results.append({"from": {"id": asked["id"]}, "to": to})
            else:
                error = item_error("OBJECT_NOT_FOUND", "No associations found", ids=[asked["id"]])
                errors.append({**error, "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"})
        return self._desk.batch(results, errors, 200)

    def write(self, request: httpx.Request, match: Match) -> httpx.Response:
        one, other = match.path["object"], match.path["other"]
        inputs = body_of(match)["inputs"]
        for pair in inputs:
            missing = [
                side
                for side, object in (("from", one), ("to", other))
                if self._desk.portal.find(object, pair[side]["id"]) is None
            ]
            if missing:
                return failure(400, "VALIDATION_ERROR", f"{pair[missing[0]]['id']} is no valid object id")
        results = []
        for pair in inputs:
            start, end = pair["from"]["id"], pair["to"]["id"]
            kinds = pair.get("types") or [{"associationTypeId": LINK["typeId"]}]
            primary = any(kind["associationTypeId"] == PRIMARY["typeId"] for kind in kinds)
            self._desk.portal.link(one, other, start, end, primary)
            self.touched(one, start, "api")
            results.append(told_link(match.kind, one, other, pair, kinds))
        return self._desk.batch(results, [], 201 if match.kind == "links_create" else 200)

    def _kinds(self, one: str, other: str, id: str, end: str) -> list[dict[str, Any]]:
        return [PRIMARY, LINK] if self._desk.portal.is_primary(one, other, id, end) else [LINK]

    def labels(self, request: httpx.Request, match: Match) -> httpx.Response:
        kinds = [PRIMARY, LINK] if match.path["other"] == "companies" else [LINK]
        return httpx.Response(200, json={"results": kinds})

    def archive(self, request: httpx.Request, match: Match) -> httpx.Response:
        one, other = match.path["object"], match.path["other"]
        for pair in body_of(match)["inputs"]:
            for end in pair["to"]:
                self._desk.portal.unlink(one, other, pair["from"]["id"], end["id"])
            self.touched(one, pair["from"]["id"], "api")
        return httpx.Response(204)

    def touched(self, object: str, id: str, by: str) -> None:
        row = self._desk.portal.find(object, id)
        if row is not None:
            self._desk.portal.touch(object, row, self._desk.now())
            links = {"associations": self._desk.portal.linked(object, "companies", id)}
            self._desk.note(by, "update", object, id, {}, links)
            self._desk.event(by, object, "associationChange", id)
