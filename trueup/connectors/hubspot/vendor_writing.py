"""What the HubSpot stand-in does when it is written to: batches, deletions, merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from trueup.connectors.hubspot.vendor_portal import Row, Taken
from trueup.connectors.hubspot.vendor_properties import Invalid, Properties
from trueup.connectors.hubspot.vendor_reading import Records
from trueup.connectors.hubspot.vendor_wire import (
    Desk,
    body_of,
    exists,
    failure,
    invalid_item,
    item_error,
    refusal,
    taken_item,
    too_many,
)
from trueup.sandbox.standin import Match

_NEEDS = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
    "deals": ("dealname",),
}


class Changes:
    """Changes of records, over the API and by people, with what the ledger and webhooks say of them."""

    def __init__(self, desk: Desk, records: Records) -> None:
        self._desk = desk
        self._records = records

    def batch_create(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, inputs = match.path["object"], body_of(match).get("inputs") or []
        if len(inputs) > 100:
            return too_many(len(inputs))
        traced = all(one.get("objectWriteTraceId") for one in inputs)
        if not traced:
            refusal = self._first_refusal(object, inputs)
            if refusal is not None:
                return refusal
        results, errors = [], []
        for one in inputs:
            try:
                results.append(self._create_one(object, one))
            except Invalid as invalid:
                errors.append(invalid_item(invalid, one))
            except Taken as taken:
                errors.append(taken_item(taken, one))
        return self._desk.batch(results, errors, 201)

    def _first_refusal(self, object: str, inputs: Sequence[Mapping[str, Any]]) -> httpx.Response | None:
        """Without trace ids one bad input fails them all."""
        for one in inputs:
            try:
                properties = self._complete(object, one.get("properties") or {})
                self._desk.portal.check_unique(object, properties, None)
            except Invalid as invalid:
                return refusal(invalid)
            except Taken as taken:
                return failure(409, "CONFLICT", exists(taken))
        return None

    def _complete(self, object: str, given: Mapping[str, Any]) -> Properties:
        properties = self._desk.portal.checked(object, given)
        if not any(properties.get(name) for name in _NEEDS[object]):
            name = _NEEDS[object][0]
            raise Invalid(((name, "REQUIRED_PROPERTY", f"one of {', '.join(_NEEDS[object])} is needed"),))
        return properties

    def _create_one(self, object: str, one: Mapping[str, Any]) -> dict[str, Any]:
        properties = self._complete(object, one.get("properties") or {})
        row = self._desk.portal.create(object, properties, self._desk.now())
        self._desk.note("api", "create", object, row.id, {}, row.properties)
        self._desk.event("api", object, "creation", row.id)
        return self._records.told(object, row, list(properties), trace=one.get("objectWriteTraceId", ""))

    def batch_update(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, inputs = match.path["object"], body_of(match).get("inputs") or []
        if len(inputs) > 100:
            return too_many(len(inputs))
        ids = [str(one["id"]) for one in inputs]
        if len(set(ids)) < len(ids):
            return failure(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
        try:
            checked = [self._desk.portal.checked(object, one.get("properties") or {}) for one in inputs]
        except Invalid as invalid:
            return refusal(invalid)
        results, errors = [], []
        for one, properties in zip(inputs, checked, strict=True):
            try:
                results.append(self._update_one(object, one, properties))
            except KeyError:
                errors.append(item_error("OBJECT_NOT_FOUND", "Could not find object", one, [str(one["id"])]))
            except Taken as taken:
                errors.append(taken_item(taken, one))
        return self._desk.batch(results, errors, 200)

    def _update_one(self, object: str, one: Mapping[str, Any], properties: Properties) -> dict[str, Any]:
        row = self._desk.portal.find(object, str(one["id"]))
        if row is None:
            raise KeyError(one["id"])
        self.update(object, row, properties, "api")
        return self._records.told(object, row, list(properties), trace=one.get("objectWriteTraceId", ""))

    def update(self, object: str, row: Row, properties: Properties, by: str) -> None:
        before = dict(row.properties)
        self._desk.portal.update(object, row, properties, self._desk.now())
        self._desk.note(by, "update", object, row.id, before, row.properties)
        for name in properties:
            if before.get(name) != row.properties.get(name):
                self._desk.event(by, object, "propertyChange", row.id, propertyName=name)

    def delete(self, request: httpx.Request, match: Match) -> httpx.Response:
        row = self._desk.portal.find(match.path["object"], match.path["id"])
        if row is not None:
            self.archive(match.path["object"], row, "api")
        return httpx.Response(204)

    def archive(self, object: str, row: Row, by: str) -> None:
        before = dict(row.properties)
        self._desk.portal.archive(object, row, self._desk.now())
        self._desk.note(by, "delete", object, row.id, before, {})
        self._desk.event(by, object, "deletion", row.id)

    def merge(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, body = match.path["object"], body_of(match)
        primary = self._desk.portal.find(object, str(body["primaryObjectId"]))
        other = self._desk.portal.find(object, str(body["objectIdToMerge"]))
        if primary is None or other is None:
            return failure(404, "OBJECT_NOT_FOUND", "a record of this merge does not exist")
        if primary is other:
            return failure(400, "VALIDATION_ERROR", "Cannot merge a record with itself")
        row = self.join(object, primary, other, "api")
        return httpx.Response(200, json=self._records.told(object, row, list(row.properties)))

    def join(self, object: str, primary: Row, other: Row, by: str) -> Row:
        before = {"primary": primary.id, "merged": other.id}
        row = self._desk.portal.merge(object, primary, other, self._desk.now())
        self._desk.note(by, "merge", object, row.id, before, row.properties)
        more = {
            "primaryObjectId": int(primary.id),
            "mergedObjectIds": [int(primary.id), int(other.id)],
            "newObjectId": int(row.id),
        }
        self._desk.event(by, object, "merge", row.id, **more)
        return row

    def living(self, object: str, id: str) -> Row:
        row = self._desk.portal.find(object, id)
        if row is None:
            raise KeyError(f"there is no {object} {id}")
        return row
