"""A marketing portal without latency: ready bytes behind `httpx.MockTransport`, in HubSpot's wire form.

It does no more than a server must, so that what is measured is the hub; the CPU that it takes itself is in
`Portal.spent` and taken off. Contacts have 20 properties of realistic lengths, about 1 kB on the wire.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import httpx
import orjson

STAMP = "2026-01-01T00:00:00.000Z"
PAGE = 100
_FIRST = ("Anna", "Bernd", "Chiara", "Dmytro", "Elif", "Farid", "Greta", "Hiro", "Ivana", "Jonas")
_LAST = ("Meyer", "Kowalska", "Rossi", "Shevchenko", "Yilmaz", "Haddad", "Larsson", "Tanaka", "Novak")
_CONTACTS = "/crm/v3/objects/contacts"


def contact(number: int, chance: random.Random) -> dict[str, str]:
    """One contact's properties."""
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    return {
        "email": f"{first}.{last}.{number}@example{number % 977}.com".lower(),
        "firstname": first,
        "lastname": f"{last}{number}",
        "salutation": "Dr.",
        "jobtitle": chance.choice(("Head of Sales", "Buyer", "Engineer", "COO", "Office manager")),
        "phone": f"+4930{20000000 + number}",
        "mobilephone": f"+4917{610000000 + number}",
        "fax": f"+4930{30000000 + number}",
        "address": f"Hauptstrasse {number % 200 + 1}",
        "city": chance.choice(("Berlin", "Hamburg", "Wien", "Zürich", "Kyiv")),
        "state": chance.choice(("Berlin", "Bayern", "Hessen")),
        "zip": f"{10000 + number % 89999}",
        "country": "Germany",
        "website": f"https://www.example{number % 977}.com/people/{number}",
        "company": f"Example {number % 977} GmbH",
        "department": chance.choice(("Sales", "Purchasing", "Development")),
        "interests": chance.choice(("golf", "sailing;wine", "beach")),
        "source": chance.choice(("web", "fair", "partner")),
        "partner_name": f"Partner {number % 50}",
        "lifecyclestage": chance.choice(("subscriber", "lead", "opportunity", "customer")),
    }


def nobody_knows() -> datetime:
    """The time in a portal that nobody told it."""
    return today()


class Portal:
    """One account. Answers listings, searches by change, batch reads, creates and updates.

    `fill` makes contacts; with `made_up` so many are made up while they are read, and one that `forgets`
    keeps nothing that it was sent: then a measurement of memory does not measure the portal.
    """

    def __init__(self, now: Callable[[], datetime] = nobody_knows) -> None:
        self.now = now
        self.rows: dict[str, bytes] = {}
        self.pages: list[bytes] = []
        self.calls = 0
        self.created = 0
        self.updated = 0
        self.spent = 0.0
        self.made_up = 0
        self.forgets = False
        self._changes: list[tuple[int, int]] = []  # (epoch ms, id), oldest first
        self._found: tuple[int, list[int]] = (-1, [])

    def fill(self, count: int, seed: int = 7) -> None:
        chance = random.Random(seed)
        for number in range(1, count + 1):
            self.rows[str(number)] = _record(str(number), contact(number, chance), STAMP)
        self._paginate()

    def _paginate(self) -> None:
        rows = list(self.rows.values())
        starts = range(0, max(len(rows), 1), PAGE)
        self.pages = [_page(rows[start : start + PAGE], start + PAGE, len(rows)) for start in starts]

    def touch(self, ids: Sequence[str], job: str) -> None:
        """People get another job title."""
        for id in ids:
            self._change(id, {"jobtitle": job})

    # -- answering --------------------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        began = time.process_time()
        self.calls += 1
        answer = self._answer(request)
        self.spent += time.process_time() - began
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        if method == "GET" and path == _CONTACTS:
            if request.url.params.get("archived") == "true":
                return _answer(b'{"results":[]}')
            return _answer(self._listed(int(request.url.params.get("after") or 0)))
        if path == "/crm/v3/properties/contacts":
            return _answer(_PROPERTIES)
        for tail, act in (
            ("/search", self._search),
            ("/batch/create", self._create),
            ("/batch/update", self._update),
            ("/batch/read", self._read),
        ):
            if path == _CONTACTS + tail:
                return act(orjson.loads(request.content))
        return httpx.Response(404, json={"status": "error", "message": path, "category": "OBJECT_NOT_FOUND"})

    def _listed(self, after: int) -> bytes:
        if not self.made_up:
            return self.pages[after // PAGE] if self.pages else b'{"results":[]}'
        chance = random.Random(after)
        numbers = range(after + 1, min(after + PAGE, self.made_up) + 1)
        rows = [_record(str(number), contact(number, chance), STAMP) for number in numbers]
        return _page(rows, after + PAGE, self.made_up)

    def _search(self, body: dict[str, object]) -> httpx.Response:
        filters = {one["propertyName"]: one["value"] for one in body["filterGroups"][0]["filters"]}  # type: ignore[index]
        since, after = int(filters["lastmodifieddate"]), int(filters.get("hs_object_id") or 0)
        if self._found[0] != since or after == 0:
            at = bisect_left(self._changes, (since, 0))
            self._found = (since, sorted({id for _, id in self._changes[at:]}))
        ids = self._found[1]
        start = bisect_left(ids, after + 1)
        size = int(body.get("limit") or 100)  # type: ignore[call-overload]
        some = ids[start : start + size]
        rows = b",".join(self.rows[str(id)] for id in some)
        more = b',"paging":{"next":{"after":"%d"}}' % size if start + size < len(ids) else b""
        return _answer(b'{"total":%d,"results":[%s]%s}' % (len(ids) - start, rows, more))

    def _create(self, body: dict[str, list[dict[str, object]]]) -> httpx.Response:
        answers = []
        for item in body["inputs"]:
            self.created += 1
            id = 1_000_000 + self.created
            row = _record(str(id), item["properties"], self._stamp(), item.get("objectWriteTraceId"))  # type: ignore[arg-type]
            answers.append(row)
            if not self.forgets:
                self.rows[str(id)] = row
                self._changes.append((self._ms(), id))
        return _answer(b'{"status":"COMPLETE","results":[' + b",".join(answers) + b"]}", 201)

    def _update(self, body: dict[str, list[dict[str, object]]]) -> httpx.Response:
        answers = []
        for item in body["inputs"]:
            self.updated += 1
            answers.append(self._change(str(item["id"]), item["properties"], item.get("objectWriteTraceId")))  # type: ignore[arg-type]
        return _answer(b'{"status":"COMPLETE","results":[' + b",".join(answers) + b"]}")

    def _read(self, body: dict[str, list[dict[str, object]]]) -> httpx.Response:
        rows = [self.rows[str(item["id"])] for item in body["inputs"] if str(item["id"]) in self.rows]
        return _answer(b'{"status":"COMPLETE","results":[' + b",".join(rows) + b"]}")

    def _change(self, id: str, values: Mapping[str, str], trace: str | None = None) -> bytes:
        held = orjson.loads(self.rows[id])["properties"]
        row = _record(id, {**held, **values}, self._stamp(), trace)
        self.rows[id] = row
        self._changes.append((self._ms(), int(id)))
        return row

    def _ms(self) -> int:
        return int(self.now().timestamp() * 1000)

    def _stamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.now().microsecond // 1000:03d}Z"

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)


def _page(rows: Sequence[bytes], next: int, total: int) -> bytes:
    more = b',"paging":{"next":{"after":"%d"}}' % next if next < total else b""
    return b'{"results":[' + b",".join(rows) + b"]" + more + b"}"


def _record(id: str, properties: Mapping[str, str], stamp: str, trace: str | None = None) -> bytes:
    record = {
        "id": id,
        "properties": {**properties, "hs_object_id": id, "createdate": STAMP, "lastmodifieddate": stamp},
        "createdAt": STAMP,
        "updatedAt": stamp,
        "archived": False,
    }
    if trace:
        record["objectWriteTraceId"] = trace
    return orjson.dumps(record)


_NAMES = tuple(contact(1, random.Random(1)))
_PROPERTIES = orjson.dumps(
    {
        "results": [
            {
                "name": name,
                "label": name.capitalize(),
                "type": "string",
                "fieldType": "text",
                "options": [],
                "calculated": False,
                "hasUniqueValue": name == "email",
                "modificationMetadata": {"readOnlyValue": False},
            }
            for name in _NAMES
        ]
    }
)


def _answer(body: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=body, headers={"content-type": "application/json"})


def today() -> datetime:
    """The day the portals live in."""
    return datetime(2026, 1, 2, tzinfo=UTC)
