"""A marketing portal without latency: ready bytes behind `httpx.MockTransport`, in HubSpot's wire form.

It does no more than a server must, so that what is measured is the hub. Contacts have 20 properties of
realistic lengths, about 1 kB on the wire.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import orjson

STAMP = "2026-01-01T00:00:00.000Z"
PAGE = 100
_FIRST = ("Anna", "Bernd", "Chiara", "Dmytro", "Elif", "Farid", "Greta", "Hiro", "Ivana", "Jonas")
_LAST = ("Meyer", "Kowalska", "Rossi", "Shevchenko", "Yilmaz", "Haddad", "Larsson", "Tanaka", "Novak")


def contact(number: int, chance: random.Random) -> dict[str, str]:
    """One contact's properties."""
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    return {
        "email": f"{first}.{last}.{number}@example{number % 977}.com".lower(),
        "firstname": first,
        "lastname": f"{last}{number}",
        "jobtitle": chance.choice(("Head of Sales", "Buyer", "Engineer", "CEO", "Office manager")),
        "phone": f"+4930{20000000 + number}",
        "mobilephone": f"+4917{610000000 + number}",
        "address": f"Hauptstrasse {number % 200 + 1}",
        "city": chance.choice(("Berlin", "Hamburg", "Wien", "Zürich", "Kyiv")),
        "zip": f"{10000 + number % 89999}",
        "country": "Germany",
        "website": f"https://www.example{number % 977}.com/people/{number}",
        "company": f"Example {number % 977} GmbH",
        "lifecyclestage": chance.choice(("subscriber", "lead", "opportunity", "customer")),
    }


class Portal:
    """One account. `fill` before use; answers listings, searches, batch reads, creates and updates."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}
        self.pages: list[bytes] = []
        self.calls = 0
        self.created = 0

    def fill(self, count: int, seed: int = 7) -> None:
        chance = random.Random(seed)
        for number in range(1, count + 1):
            self.rows[str(number)] = _record(str(number), contact(number, chance))
        self._paginate()

    def _paginate(self) -> None:
        rows = list(self.rows.values())
        self.pages = []
        for start in range(0, max(len(rows), 1), PAGE):
            body = b'{"results":[' + b",".join(rows[start : start + PAGE]) + b"]"
            if start + PAGE < len(rows):
                body += b',"paging":{"next":{"after":"%d"}}' % (start + PAGE)
            self.pages.append(body + b"}")

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        path = request.url.path
        if request.method == "GET" and path == "/crm/v3/objects/contacts":
            if request.url.params.get("archived") == "true":
                return _answer(b'{"results":[]}')
            after = int(request.url.params.get("after") or 0)
            return _answer(self.pages[after // PAGE])
        if path.endswith("/search"):
            return _answer(b'{"total":0,"results":[]}')
        if path.endswith("/batch/create"):
            return self._create(request)
        return httpx.Response(404, json={"status": "error", "message": path, "category": "OBJECT_NOT_FOUND"})

    def _create(self, request: httpx.Request) -> httpx.Response:
        answers = []
        for item in orjson.loads(request.content)["inputs"]:
            self.created += 1
            answers.append(
                _record(str(1_000_000 + self.created), item["properties"], item.get("objectWriteTraceId"))
            )
        return _answer(b'{"status":"COMPLETE","results":[' + b",".join(answers) + b"]}", 201)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)


def _record(id: str, properties: Mapping[str, str], trace: str | None = None) -> bytes:
    record = {
        "id": id,
        "properties": {**properties, "hs_object_id": id, "createdate": STAMP, "lastmodifieddate": STAMP},
        "createdAt": STAMP,
        "updatedAt": STAMP,
        "archived": False,
    }
    if trace:
        record["objectWriteTraceId"] = trace
    return orjson.dumps(record)


def _answer(body: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=body, headers={"content-type": "application/json"})


def today() -> datetime:
    """The day the portal lives in."""
    return datetime(2026, 1, 2, tzinfo=UTC)
