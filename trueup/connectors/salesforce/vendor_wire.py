"""Requests and answers of the stand-in org in their shapes: bodies, headers, error lists."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from trueup.connectors.salesforce.vendor_org import Author
from trueup.connectors.salesforce.vendor_rules import Fail, Problem, Row, refuse
from trueup.sandbox.standin import Match

MOST_RECORDS = 200


def errors(status: int, problems: Iterable[Problem]) -> httpx.Response:
    body = []
    for problem in problems:
        entry: Row = {"message": problem.message, "errorCode": problem.code, **problem.more}
        if problem.fields:
            entry["fields"] = list(problem.fields)
        body.append(entry)
    return httpx.Response(status, json=body)


def oauth_error(code: str, text: str) -> httpx.Response:
    return httpx.Response(400, json={"error": code, "error_description": text})


def one_of_many(act: Callable[[str, str, Row], Row], object: str, id: str, values: Row, details: bool) -> Row:
    """One item's result in a collection. `details`: its errors say as much as those of a single write."""
    try:
        return act(object, id, values)
    except Fail as fail:
        errors = [
            {"statusCode": problem.code, "message": problem.message, "fields": list(problem.fields)}
            | (dict(problem.more) if details else {})
            for problem in map(_in_collection, fail.problems)
        ]
        told = {"id": id} if id else {}
        return told | {"success": False, "errors": errors}


def _in_collection(problem: Problem) -> Problem:
    """A collection calls an unknown record a bad reference."""
    if problem.code == "NOT_FOUND":
        return Problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    return problem


def collection(body: Any) -> list[Any]:
    if not isinstance(body, dict) or not isinstance(body.get("records"), list):
        raise refuse("JSON_PARSER_ERROR", "a list of records was expected")
    if body.get("allOrNone"):
        raise refuse("FUNCTIONALITY_NOT_ENABLED", "this org does not offer allOrNone: true")
    records: list[Any] = body["records"]
    check_size(records)
    return records


def check_size(items: list[Any]) -> None:
    if not 1 <= len(items) <= MOST_RECORDS:
        raise refuse("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_RECORDS}")


def item_of(raw: Any) -> tuple[str, str, Row]:
    """Object, id (empty if none) and values of one record of a collection."""
    if not isinstance(raw, dict) or not (raw.get("attributes") or {}).get("type"):
        raise refuse("INVALID_TYPE", "The type of a record is missing in its attributes")
    id = next((str(value) for name, value in raw.items() if name.lower() == "id" and value), "")
    values = {name: value for name, value in raw.items() if name.lower() not in ("id", "attributes")}
    return raw["attributes"]["type"], id, values


def values_of(body: Any) -> Row:
    if not isinstance(body, dict):
        raise refuse("JSON_PARSER_ERROR", "an object was expected")
    return {name: value for name, value in body.items() if name != "attributes"}


def author_of(request: httpx.Request) -> Author:
    rule = request.headers.get("Sforce-Duplicate-Rule-Header", "").replace(" ", "").lower()
    assign = request.headers.get("Sforce-Auto-Assign", "TRUE").upper()
    return Author("api", "allowsave=true" in rule.split(";"), assign != "FALSE")


def client_of(request: httpx.Request, form: Mapping[str, str]) -> tuple[str, str]:
    basic = request.headers.get("Authorization", "")
    if basic.startswith("Basic "):
        id, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
        return id, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def unmodified(request: httpx.Request, row: Row) -> bool:
    header = request.headers.get("If-Unmodified-Since")
    if header is None:
        return True
    try:
        limit = parsedate_to_datetime(header)
    except ValueError:
        raise refuse("INVALID_HEADER", "If-Unmodified-Since is no HTTP date") from None
    return datetime.fromisoformat(row["SystemModstamp"]) <= limit


def batch_size(request: httpx.Request) -> int:
    found = re.search(r"batchSize=(\d+)", request.headers.get("Sforce-Query-Options", ""))
    return min(max(int(found[1]), 200), 2000) if found else 2000


def base_of(match: Match) -> str:
    return f"/services/data/{match.path['version']}"


def header_bytes(request: httpx.Request) -> int:
    return sum(len(name) + len(value) + 4 for name, value in request.headers.raw)
