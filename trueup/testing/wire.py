"""The way to a simulated system: its HTTP answers, and the misfortunes that strike on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from trueup.connectors.stamps import EPOCH, parse_stamp, write_stamp
from trueup.model.record import Json
from trueup.testing.system import HUB_ID, Problem, Row, System, Version
from trueup.testing.traits import OPT_OUT, OPTED_IN, subscription
from trueup.testing.vocabulary import TOKEN

READS = ("list", "changes", "read", "find")
WRITES = ("create", "update", "upsert")
TOKENS = "token"
ROUTES = (*READS, *WRITES, TOKENS)
BEFORE = ("lost request", "500", "429", "429 long", "401", "html", "truncated", "empty")
"""Nothing was done there."""
AFTER = ("lost answer", "500 after", "400 after", "html after", "late", "twice")
"""It was done, or will be."""
LISTS = ("list", "changes")
OF_LISTS = ("expired", "partial")
"""What strikes only them: where the next page begins is forgotten; half of a page comes as if it were all."""
FAULTS = (*BEFORE, *AFTER, *OF_LISTS)
STRIKES = tuple(
    (route, what) for route in ROUTES for what in FAULTS if what not in OF_LISTS or route in LISTS
)
"""Every way to a system with what can strike there."""
LATE = timedelta(seconds=20)
"""So long a request that timed out may still take to be applied: less than the lag that doubt waits out."""

_SIZES = (-1, 2, 0, -2, 1)
"""How many more than asked for the pages of a system hold where they are uneven, one after another."""

_STATUS = {"stale": 412, "gone": 410, "exists": 409, "invalid": 422}


@dataclass(frozen=True, slots=True)
class Fault:
    """A misfortune that strikes the `nth` call from now on (from 1) of a route (`any`: of all)."""

    route: str
    nth: int
    what: str


@dataclass(slots=True)
class _Waiting:
    fault: Fault
    left: int


class Wire(httpx.BaseTransport):
    """One account's transport. `struck` counts the faults that happened, `expired` the calls that came with a
    token that was not good any more; `odd` counts what its habits made of answers; `later` is what lands
    late."""

    def __init__(self, system: System, now: Callable[[], datetime], person_of: Callable[[str], str]) -> None:
        self.system = system
        self.calls: Counter[str] = Counter()
        self.struck: Counter[tuple[str, str]] = Counter()
        self.later: list[tuple[datetime, httpx.Request]] = []
        self.arriving: Callable[[str, Mapping[str, Any]], None] = lambda route, body: None
        self.odd: Counter[str] = Counter()
        self.expired = 0
        self._good: dict[str, tuple[int, datetime | None]] = {}
        self._now = now
        self._person_of = person_of
        self._waiting: list[_Waiting] = []

    def plan(self, fault: Fault) -> None:
        self._waiting.append(_Waiting(fault, fault.nth))

    def forgive(self) -> None:
        """From now on nothing goes wrong any more; what is under way still lands."""
        self._waiting.clear()

    def due(self) -> Iterator[datetime]:
        """When what timed out arrives."""
        yield from (at for at, _ in self.later)

    def land_late(self) -> None:
        """Apply what timed out and arrives only now."""
        due = [request for at, request in self.later if at <= self._now()]
        self.later = [(at, request) for at, request in self.later if at > self._now()]
        for request in due:
            self._answer(request)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        route = _route(request)
        self.calls[route] += 1
        self.arriving(route, _body(request))
        response = self._refused(request, route) or self._met(request, route)
        response.request = request
        return response

    def _met(self, request: httpx.Request, route: str) -> httpx.Response:
        what = self._fault(route)
        if what is None:
            return self._answer(request)
        self.struck[(route, what)] += 1
        return self._struck(request, what, route)

    # -- tokens -------------------------------------------------------------------------------------------

    def _refused(self, request: httpx.Request, route: str) -> httpx.Response | None:
        """What a call is told whose token has expired, whatever else might have met it."""
        if not self.system.traits.tokens or route == TOKENS:
            return None
        given = request.headers.get("Authorization", "")
        left, until = self._good.get(given, (0, None))
        if left and (until is None or self._now() < until):
            self._good[given] = (left - 1, until)
            return None
        self.expired += 1
        return httpx.Response(401, json={"code": "expired", "message": f"{given} has expired"})

    def _token(self) -> httpx.Response:
        traits, token = self.system.traits, f"{TOKEN}-{len(self._good) + 1}"
        until = self._now() + timedelta(seconds=traits.lives) if traits.lives else None
        self._good[f"Bearer {token}"] = (traits.tokens, until)
        said: dict[str, Json] = {"access_token": token}
        return httpx.Response(200, json=said | ({"expires_in": traits.lives} if until else {}))

    # -- misfortune ---------------------------------------------------------------------------------------

    def _fault(self, route: str) -> str | None:
        struck = None
        for one in self._waiting:
            if one.fault.route in (route, "any"):
                one.left -= 1
                if one.left == 0 and struck is None:
                    struck = one.fault.what
        self._waiting = [one for one in self._waiting if one.left > 0]
        return struck

    def _struck(self, request: httpx.Request, what: str, route: str) -> httpx.Response:
        given = request.headers.get("Authorization", "")  # talkative systems repeat it
        match what:
            case "lost request":
                raise httpx.ConnectError("connection refused", request=request)
            case "500":
                return httpx.Response(500, json={"message": f"down, for {given}, too"})
            case "429":
                return httpx.Response(
                    429, headers={"Retry-After": "3"}, json={"message": f"too many of {given}"}
                )
            case "429 long":
                return httpx.Response(429, headers={"Retry-After": "86400000"}, json={"message": "too many"})
            case "401":
                return httpx.Response(401, json={"message": f"{given} is not known"})
            case "expired":
                return httpx.Response(400, json={"code": "page expired", "message": "start again"})
            case "html":
                return httpx.Response(200, content=b"<html><body>Maintenance</body></html>")
            case "truncated":
                return httpx.Response(200, content=b'{"items": [{"id": "x')
            case "empty":
                return httpx.Response(200, json={} if route in WRITES else {"items": []})
            case "late":
                if route in WRITES:
                    self.later.append((self._now() + LATE, request))
                raise httpx.ReadTimeout("no answer", request=request)
        answer = self._answer(request)
        match what:
            case "lost answer":
                raise httpx.ReadTimeout("no answer", request=request)
            case "partial":
                said = orjson.loads(answer.content)
                return httpx.Response(200, json={"items": said["items"][: len(said["items"]) // 2]})
            case "500 after":
                return httpx.Response(500, json={"message": f"{given}: something went wrong"})
            case "400 after":
                return httpx.Response(502, json={"message": "bad gateway"})
            case "html after":
                return httpx.Response(200, content=b"<html></html>")
            case _:
                return self._answer(request) if route in WRITES else answer

    # -- answering ----------------------------------------------------------------------------------------

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = _body(request)
        match request.url.path.strip("/"):
            case "token":
                return self._token()
            case "me":
                return httpx.Response(200, json={"name": self.system.traits.name})
            case "list":
                return self._listed(request.url.params)
            case "changes":
                return self._changed(request.url.params)
            case "read":
                rows = [self.system.rows.get(str(id)) for id in body["ids"]]
                return self._said([row for row in rows if row is not None and row.living])
            case "find":
                return self._said(self._found(body["key"], body["values"]))
            case "create" | "update" as route:
                return self._written(route, body["items"])
            case "upsert":
                return self._upserted(body)
            case "update/one":
                item = {"id": body["id"], "values": body["values"], "tag": body["tag"]}
                return self._single(self._one("update", item, request.headers.get("If-Match")))
        return httpx.Response(404, json={"message": "no such place"})

    def _listed(self, query: httpx.QueryParams) -> httpx.Response:
        now, size = self._now(), self._size(int(query["limit"]))
        shown = [
            (row, version) for row in self._rows() if (version := row.shown(now)) and not version.deleted
        ]
        if self.system.traits.offset:
            start = int(query.get("after") or 0)
            return self._page(shown[start : start + size], None)
        after = query.get("after") or ""
        rest = [pair for pair in shown if pair[0].id > after]
        return self._page(rest[:size], rest[size - 1][0].id if len(rest) > size else None)

    def _changed(self, query: httpx.QueryParams) -> httpx.Response:
        now, size, after = self._now(), self._size(int(query["limit"])), query.get("after") or ""
        since = parse_stamp(query["since"], "iso") or EPOCH
        found = [
            (row, version)
            for row in self._rows()
            if (version := row.shown(now)) and version.stamp >= since
            if self.system.traits.feed or not version.deleted
        ]
        if self.system.traits.ordered:
            found.sort(key=lambda pair: (pair[1].stamp, pair[0].id))
            mark = query.get("after_stamp")
            stamp = parse_stamp(mark, "iso") if mark else None
            rest = [
                one
                for one in found
                if not after or stamp is None or (one[1].stamp, one[0].id) > (stamp, after)
            ]
        else:
            rest = [one for one in found if one[0].id > after]
        return self._page(rest[:size], None)

    def _size(self, asked: int) -> int:
        """How many records a page holds: where pages are uneven another number each time."""
        if not self.system.traits.uneven:
            return asked
        number = max(1, asked + _SIZES[self.calls.total() % len(_SIZES)])
        self.odd["uneven page"] += number != asked
        return number

    def _rows(self) -> list[Row]:
        return sorted(self.system.rows.values(), key=lambda row: row.id)

    def _found(self, key: str, values: Sequence[Json]) -> list[Row]:
        wanted = {str(value).lower() for value in values}
        now = self._now()
        return [
            row
            for row in self._rows()
            if (version := row.shown(now)) is not None and row.living and not version.deleted
            if str(version.values.get(key) or "").lower() in wanted
        ]

    def _page(self, pairs: Sequence[tuple[Row, Version]], next_one: str | None) -> httpx.Response:
        body: dict[str, Json] = {"items": [self._record(row, version) for row, version in pairs]}
        if next_one is not None:
            body["next"] = next_one
        return httpx.Response(200, content=orjson.dumps(body))

    def _said(self, rows: Iterable[Row]) -> httpx.Response:
        return self._page([(row, row.now) for row in rows], None)

    def _record(self, row: Row, version: Version) -> dict[str, Json]:
        row.served.add(version.number)
        return {
            "id": row.id,
            "version": version.number,
            "changed": write_stamp(version.stamp, "iso_ms"),
            "deleted": version.deleted and version.successor is None,
            "successor": version.successor,
            "fields": {} if version.deleted else self._shown(version.values),
        }

    def _shown(self, values: Mapping[str, Json]) -> dict[str, Json]:
        shown = {name: value for name, value in values.items() if self.system.shows(name)}
        del shown[OPTED_IN]
        return shown | ({OPT_OUT: subscription(values)} if self.system.traits.dated else {})

    # -- writing ------------------------------------------------------------------------------------------

    def _written(self, route: str, items: Sequence[Mapping[str, Any]]) -> httpx.Response:
        problems = [problem for item in items if (problem := self._trial(route, item)) is not None]
        if self.system.traits.whole and problems:
            named = _told(problems[0]) if problems[0].what == "invalid" and len(items) == 1 else {}
            return httpx.Response(422, json={**named, "message": "one of them cannot be taken"})
        said: dict[str, Json] = {"results": [one for one in self._results(route, items) if one is not None]}
        if self.system.traits.forgets:
            said["summary"] = {"status": "completed", "done": len(items), "failed": 0}
        return httpx.Response(200, content=orjson.dumps(said))

    def _results(self, route: str, items: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Json] | None]:
        """What is told of each item; None: nothing. Every second that is forgotten was not done, either."""
        forgotten = self._forgotten(len(items))
        for place, item in enumerate(items):
            if place == forgotten:
                self.odd["forgotten item"] += 1
                if self.odd["forgotten item"] % 2:
                    self._result(route, item)
                yield None
            else:
                yield self._result(route, item)

    def _forgotten(self, number: int) -> int | None:
        """The place of the item that this answer leaves out; of every third batch it leaves out none."""
        batch = sum(self.calls[route] for route in ("create", "update"))
        if not self.system.traits.forgets or number < 2 or batch % 3 == 0:
            return None
        return batch % number

    def _trial(self, route: str, item: Mapping[str, Any]) -> Problem | None:
        """What is wrong with an item, found out without doing anything."""
        row = self.system.rows.get(item.get("id", ""))
        if route == "update" and (row is None or not row.living):
            return Problem("gone")
        return self.system.problem(item["values"], row)

    def _result(self, route: str, item: Mapping[str, Any]) -> dict[str, Json]:
        done = self._one(route, item, None)
        if isinstance(done, Problem):
            return {"tag": item["tag"], "problem": _told(done)}
        return {"tag": item["tag"], **self._done(done)}

    def _one(self, route: str, item: Mapping[str, Any], version: str | None) -> Row | Problem:
        if route == "create":
            return self.system.create(item["values"], self._person_of(str(item["values"].get("email") or "")))
        return self.system.update(str(item["id"]), item["values"], version)

    def _done(self, row: Row) -> dict[str, Json]:
        if not self.system.traits.answers:
            return {"id": row.id}
        return {"id": row.id, "record": self._record(row, row.now)}

    def _single(self, done: Row | Problem) -> httpx.Response:
        if isinstance(done, Problem):
            return httpx.Response(_STATUS[done.what], json=_told(done))
        return httpx.Response(200, content=orjson.dumps(self._done(done)))

    def _upserted(self, body: Mapping[str, Any]) -> httpx.Response:
        person = self._person_of(str(body["values"].get("email") or ""))
        return self._single(self.system.upsert(str(body[HUB_ID]), body["values"], person))


def _told(problem: Problem) -> dict[str, Json]:
    return {"code": problem.what, "message": problem.what, "existing": problem.id, "fields": [problem.field]}


def _route(request: httpx.Request) -> str:
    return request.url.path.strip("/").partition("/")[0]


def _body(request: httpx.Request) -> Mapping[str, Any]:
    return orjson.loads(request.content) if request.content else {}
