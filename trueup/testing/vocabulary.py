"""The manifest of a simulated system: its traits, said as a connector's author would say them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from trueup.connectors.manifest import Manifest
from trueup.testing.sorts import COMPANIES, EMPLOYER, PEOPLE, Sort
from trueup.testing.system import HUB_ID
from trueup.testing.traits import OPT_OUT, Traits

OBJECT = PEOPLE.object
SECRET = "s3cr3t-of-the-world"
TOKEN = "t0k3n-of-the-world"
"""How every token begins that a system gives for it."""
_LATE = 30.0
"""Seconds that a request which timed out may still be under way: what doubt has to wait at least."""


@lru_cache(maxsize=4096)
def manifest_of(traits: Traits, off: float = 0.0) -> Manifest:
    """What is needed to speak to this system, for a hub whose clock may be so many seconds off. What it waits
    for lies between two looks at that clock, which may be off both ways; where a reading goes on between one
    look and the stamps of the system."""
    return Manifest.model_validate(
        {
            "name": traits.name,
            "title": f"System {traits.name}",
            "base_url": f"https://{traits.name}.example",
            "settings": {"token": {"pattern": ".+"}},
            "auth": [_auth(traits)],
            "timeout": 30.0,
            "formats": {"datetime": "iso_ms", "multi_choice": "list"},
            "errors": {
                "body": {"code": "code", "message": "message", "fields": "fields"},
                "rules": [
                    {
                        "code": ["exists"],
                        "kind": "refused",
                        "existing_id": "existing",
                        "tu_code": "TU-ID-409",
                    },
                    {"code": ["stale"], "kind": "stale"},
                    {"code": ["page expired"], "kind": "expired_paging"},
                    {"code": ["gone"], "kind": "gone"},
                ],
            },
            "whoami": {"request": {"path": "/me"}, "name": "name"},
            "objects": {sort.object: _object(traits, off, sort) for sort in sorts_of(traits)},
        }
    )


def _auth(traits: Traits) -> dict[str, Any]:
    if not traits.tokens:
        return {"kind": "bearer", "token": "{token}"}
    return {
        "kind": "client_credentials",
        "url": f"https://{traits.name}.example/token",
        "form": {"client_secret": "{token}"},
        "encoding": "json",
    }


def sorts_of(traits: Traits) -> tuple[Sort, ...]:
    """What this system keeps."""
    return (PEOPLE, COMPANIES) if traits.companies else (PEOPLE,)


def _object(traits: Traits, off: float, sort: Sort) -> dict[str, Any]:
    path = sort.path
    return {
        "kind": sort.kind.value,
        "capabilities": sorted(_capabilities(traits)),
        "lag": max(traits.lag, _LATE) + 2 * off,
        "keys": [HUB_ID, sort.key] if traits.upsert else [sort.key],
        "record": {
            "id": "id",
            "values": "fields",
            "version": "version",
            "changed_at": "changed",
            "deleted": "deleted",
            "successor": "successor",
        },
        "listing": {
            "request": {"path": f"{path}/list", "query": {"limit": "{limit}", "after": "{after}"}},
            "records": "items",
            "size": max(2, traits.page) if traits.offset else traits.page,
            "paging": {"kind": "offset"} if traits.offset else {"kind": "cursor", "token": "next"},
        },
        "changes": _changes(traits, off, path),
        "read": {
            "many": {
                "request": {"method": "POST", "path": f"{path}/read", "body": {"ids": "{ids}"}},
                "records": "items",
                "batch": traits.batch,
            },
            "missing": "gone",
        },
        "find": [
            {
                "keys": ["*"],
                "request": {
                    "method": "POST",
                    "path": f"{path}/find",
                    "body": {"key": "{key}", "values": "{values}"},
                },
                "records": "items",
                "batch": 10,
            }
        ],
        "write": _writes(traits, path),
        "fields": {name: {"type": "text"} for name in sort.fields if name != "labels"}
        | (_of_people(traits) if sort is PEOPLE else {}),
    }


def _of_people(traits: Traits) -> dict[str, Any]:
    found: dict[str, Any] = {"labels": {"type": "object"}}
    found[OPT_OUT] = {"type": "object" if traits.dated else "bool"}
    if traits.companies:
        found[EMPLOYER] = {"type": "reference", "reference_to": [COMPANIES.object]}
    return found


def _capabilities(traits: Traits) -> set[str]:
    said = {
        "complete_listing": not traits.offset,
        "ordered_by_change": traits.ordered,
        "deletes_visible": traits.feed,
        "conditional_write": traits.versions,
        "upsert_by_key": traits.upsert,
        "answers_with_record": traits.answers,
        "read_your_writes": traits.lag == 0.0,
    }
    always = {"incremental", "batch_read", "lookup_by_key", "batch_write"}
    return always | {name for name, able in said.items() if able}


def _changes(traits: Traits, off: float, path: str) -> dict[str, Any]:
    query = {"since": "{since}", "after": "{after}", "limit": "{limit}"}
    slack = traits.lag + abs(traits.skew) + off + 2 * 0.001
    since: dict[str, Any] = {"format": "iso_ms", "granularity": traits.grain}
    if traits.ordered:
        query["after_stamp"] = "{after_stamp}"
        since |= {"position": "newest", "lookback": slack}
    else:
        since |= {"position": "start_of_run", "lag": slack}
    return {
        "request": {"path": f"{path}/changes", "query": query},
        "records": "items",
        "size": traits.page,
        "paging": {"kind": "keyset", "start": "", "end": "empty" if traits.uneven else "short"},
        "since": since,
    }


def _writes(traits: Traits, path: str) -> dict[str, Any]:
    results = {
        "items": "results",
        "match": "tag",
        "tag": "tag",
        "failed": "problem",
        "record": "record" if traits.answers else "",
        "error": {
            "code": "problem.code",
            "message": "problem.message",
            "fields": "problem.fields",
            "existing_id": "problem.existing",
        },
    }
    record = "record" if traits.answers else ""

    def batch(route: str, item: dict[str, str]) -> dict[str, Any]:
        request = {"method": "POST", "path": f"{path}/{route}", "body": {"items": "{items}"}, "item": item}
        return {"request": request, "batch": max(2, traits.batch), "results": results}

    one = {
        "request": {
            "method": "POST",
            "path": f"{path}/update/one",
            "body": {"id": "{id}", "tag": "{key}", "values": "{values}"},
        },
        "guard": {"header": "If-Match"},
        "id": "id",
        "record": record,
    }
    found = {
        "create": batch("create", {"tag": "{key}", "values": "{values}"}),
        "update": one
        if traits.versions
        else batch("update", {"tag": "{key}", "id": "{id}", "values": "{values}"}),
    }
    if traits.upsert:
        request = {
            "method": "POST",
            "path": f"{path}/upsert",
            "body": {HUB_ID: "{upsert_value}", "values": "{values}"},
        }
        found["upsert"] = {"request": request, "id": "id", "record": record}
    return found
