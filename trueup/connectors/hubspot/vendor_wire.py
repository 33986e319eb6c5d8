"""The shapes of HubSpot's answers and what it checks in questions, for the stand-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx
import orjson

from trueup.connectors.hubspot.vendor_portal import Portal, Taken
from trueup.connectors.hubspot.vendor_properties import Definition, Invalid
from trueup.sandbox.standin import Match

SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal"}
CORRELATION = "00000000-0000-4000-8000-000000000000"
HTML = {"content-type": "text/html"}
STATES = ("SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED")
LINK: dict[str, Any] = {"category": "HUBSPOT_DEFINED", "typeId": 279}
PRIMARY: dict[str, Any] = {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}


class Desk(Protocol):
    """What the parts of the stand-in need of it."""

    portal: Portal
    now: Callable[[], datetime]
    owners: list[Owner]
    empty: str

    def rate_headers(self) -> dict[str, str]:
        """What answers say of the rate limit."""
        ...

    def batch(self, results: list[Any], errors: list[Any], good: int) -> httpx.Response:
        """The answer to a batch: `good`, or 207 with errors."""
        ...

    def note(
        self, by: str, action: str, object: str, id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """Into the ledger."""
        ...

    def event(self, by: str, object: str, what: str, id: str, **more: Any) -> None:
        """Into the queue of webhooks."""
        ...


@dataclass(frozen=True, slots=True)
class Owner:
    id: str
    email: str
    first_name: str = ""
    last_name: str = ""


def failure(status: int, category: str, message: str, state: str = "error") -> httpx.Response:
    body = {"status": state, "message": message, "correlationId": CORRELATION, "category": category}
    return httpx.Response(status, json=body)


def refusal(invalid: Invalid) -> httpx.Response:
    details = [{"isValid": False, "message": m, "error": c, "name": n} for n, c, m in invalid.problems]
    return httpx.Response(
        400,
        json={
            "status": "error",
            "message": f"Property values were not valid: {orjson.dumps(details).decode()}",
            "correlationId": CORRELATION,
            "category": "VALIDATION_ERROR",
            "errors": _details(invalid),
        },
    )


def _details(invalid: Invalid) -> list[dict[str, Any]]:
    return [{"message": m, "code": c, "context": {"propertyName": [n]}} for n, c, m in invalid.problems]


def item_error(
    category: str,
    message: str,
    one: Mapping[str, Any] | None = None,
    ids: Sequence[str] = (),
    errors: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    context: dict[str, list[str]] = {}
    if ids:
        context["ids"] = list(ids)
    if one and one.get("objectWriteTraceId"):
        context["objectWriteTraceId"] = [one["objectWriteTraceId"]]
    return {
        "status": "error",
        "category": category,
        "message": message,
        "context": context,
        "errors": list(errors),
        "links": {},
    }


def invalid_item(invalid: Invalid, one: Mapping[str, Any]) -> dict[str, Any]:
    message = "; ".join(sentence for _, _, sentence in invalid.problems)
    return item_error("VALIDATION_ERROR", message, one, errors=_details(invalid))


def taken_item(taken: Taken, one: Mapping[str, Any]) -> dict[str, Any]:
    return item_error("CONFLICT", exists(taken), one)


def exists(taken: Taken) -> str:
    return f"{SINGULAR[taken.object].capitalize()} already exists. Existing ID: {taken.id}"


def too_many(count: int) -> httpx.Response:
    return failure(400, "VALIDATION_ERROR", f"The batch holds {count} inputs; the maximum is 100")


def body_of(match: Match) -> dict[str, Any]:
    body = match.json()
    return body if isinstance(body, dict) else {}


def number_in(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def listed(values: Sequence[str]) -> list[str]:
    return [name for value in values for name in value.split(",") if name]


def told_owner(owner: Owner) -> dict[str, Any]:
    return {
        "id": owner.id,
        "email": owner.email,
        "type": "PERSON",
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "userId": int(owner.id) + 1000,
        "createdAt": "2025-01-01T00:00:00.000Z",
        "updatedAt": "2025-01-01T00:00:00.000Z",
        "archived": False,
    }


def told_definition(definition: Definition) -> dict[str, Any]:
    options = [
        {"label": option.replace("_", " ").title(), "value": option, "displayOrder": index, "hidden": False}
        for index, option in enumerate(definition.options)
    ]
    return {
        "name": definition.name,
        "label": definition.label or definition.name.replace("_", " ").title(),
        "type": definition.type,
        "fieldType": definition.field_type,
        "description": "",
        "groupName": "information",
        "options": options,
        "hasUniqueValue": definition.unique,
        "calculated": False,
        "hidden": False,
        "displayOrder": -1,
        "formField": True,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": definition.read_only,
        },
    }


def told_link(
    kind: str, one: str, other: str, pair: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """An association that was made: the two endpoints tell of it in different shapes."""
    if kind == "links_create":
        ends = {"fromObjectTypeId": one, "toObjectTypeId": other, "labels": []}
        return {**ends, "fromObjectId": pair["from"]["id"], "toObjectId": pair["to"]["id"]}
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kinds[0]["associationTypeId"]}
    return {"from": pair["from"], "to": pair["to"], "associationSpec": spec}
