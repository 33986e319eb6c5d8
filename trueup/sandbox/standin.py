"""What every stand-in is built on: routes, a ledger, planned faults, a clock that is handed in.

A stand-in is judged by its ledger, which it keeps itself and which the hub never sees: every request
that arrived, what was answered, and every effect on a record with who caused it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of one record. `by` is `api` for what came over the API, else the user's name."""

    at: datetime
    by: str
    action: str  # create | update | delete | merge | restore | convert | consent
    object: str
    id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived. `kind` is the route's name; `status` 0 means no answer left us."""

    at: datetime
    number: int
    kind: str
    method: str
    path: str
    status: int


@dataclass(slots=True)
class Ledger:
    """All that a stand-in was asked and did."""

    asked: list[Asked] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def calls(self, kind: str | None = None) -> int:
        """How many requests arrived, of one route or of all."""
        return sum(1 for entry in self.asked if kind is None or entry.kind == kind)

    def writes(self, by: str = "api") -> list[Effect]:
        """Every effect that this author caused."""
        return [effect for effect in self.effects if effect.by == by]


@dataclass(frozen=True, slots=True)
class Fault:
    """A planned misfortune: it strikes the `nth` request (from 1) of route `kind` (`*`: any).

    `what`: `lost_request` (connection error, nothing done), `lost_answer` (done, then a read timeout),
    `status` (nothing done, answers `status` with `headers` and `body`), `status_after` (done, then
    answers `status`), `body_after` (done, answers 200 with the raw `body`), `body` (nothing done, 200
    with the raw `body`).
    """

    kind: str
    nth: int
    what: str
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Handler = Callable[[httpx.Request, "Match"], httpx.Response]


@dataclass(frozen=True, slots=True)
class Match:
    """What a route's pattern caught, with the parsed query and body at hand."""

    kind: str
    path: Mapping[str, str]
    query: httpx.QueryParams
    request: httpx.Request

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none."""
        return orjson.loads(self.request.content) if self.request.content else None


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    kind: str
    handler: Handler


class StandIn:
    """A vendor's imitation: holds records, answers requests, keeps its ledger.

    Subclasses call `self.route(...)` in `__init__` for each endpoint, implement `authorize`,
    `sign_in` and `not_found`, and offer what people do in the vendor's own screens as methods `user_*`.
    """

    name = "standin"

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self.now = now or (lambda: datetime.now(UTC))
        self.ledger = Ledger()
        self.faults: list[Fault] = []
        self._routes: list[Route] = []
        self._seen: dict[str, int] = {}

    # -- for subclasses ---------------------------------------------------------------------------

    def route(self, method: str, path: str, kind: str, handler: Handler) -> None:
        """Answer `method` on `path` (`{name}` catches one segment) with `handler`."""
        pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$")
        self._routes.append(Route(method, pattern, kind, handler))

    def sign_in(self, url: str) -> str:
        """A call that signs in where this stand-in listens at `url`, as a shell takes it."""
        raise NotImplementedError

    def authorize(self, request: httpx.Request, kind: str) -> httpx.Response | None:
        """None when the caller may go on, else the vendor's refusal (also: its rate limit)."""
        raise NotImplementedError

    def not_found(self, request: httpx.Request) -> httpx.Response:
        """The vendor's answer to a path that it does not know."""
        return httpx.Response(404, json={"message": "not found"})

    def record(self, effect: Effect) -> None:
        self.ledger.effects.append(effect)

    # -- answering --------------------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; the handler for `httpx.MockTransport` and for the loopback server.

        Raises httpx.ConnectError or httpx.ReadTimeout where a fault says so.
        """
        request.read()
        route, caught = self._find(request)
        kind = route.kind if route else "unknown"
        fault = self._due_fault(kind)
        if fault is not None and fault.what == "lost_request":
            self._asked(request, kind, 0)
            raise httpx.ConnectError("connection refused by plan", request=request)
        if fault is not None and fault.what in ("status", "body"):
            response = self._faulty(fault)
        else:
            response = self._answer(request, route, caught)
        if fault is not None and fault.what == "lost_answer":
            self._asked(request, kind, 0)
            raise httpx.ReadTimeout("answer lost by plan", request=request)
        if fault is not None and fault.what in ("status_after", "body_after"):
            response = self._faulty(fault)
        self._asked(request, kind, response.status_code)
        response.request = request
        return response

    def transport(self) -> httpx.MockTransport:
        """This stand-in as an httpx transport, in process."""
        return httpx.MockTransport(self.handle)

    def _find(self, request: httpx.Request) -> tuple[Route | None, Mapping[str, str]]:
        for route in self._routes:
            if route.method == request.method:
                caught = route.pattern.match(request.url.path)
                if caught:
                    return route, caught.groupdict()
        return None, {}

    def _answer(
        self, request: httpx.Request, route: Route | None, caught: Mapping[str, str]
    ) -> httpx.Response:
        refusal = self.authorize(request, route.kind if route else "unknown")
        if refusal is not None:
            return refusal
        if route is None:
            return self.not_found(request)
        return route.handler(request, Match(route.kind, caught, request.url.params, request))

    def _due_fault(self, kind: str) -> Fault | None:
        self._seen[kind] = self._seen.get(kind, 0) + 1
        self._seen["*"] = self._seen.get("*", 0) + 1
        for fault in self.faults:
            if fault.kind in (kind, "*") and self._seen[fault.kind] == fault.nth:
                return fault
        return None

    def _faulty(self, fault: Fault) -> httpx.Response:
        status = 200 if fault.what in ("body", "body_after") else fault.status
        return httpx.Response(status, headers=dict(fault.headers), content=fault.body)

    def _asked(self, request: httpx.Request, kind: str, status: int) -> None:
        number = len(self.ledger.asked) + 1
        entry = Asked(self.now(), number, kind, request.method, request.url.path, status)
        self.ledger.asked.append(entry)


def batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    """Slices of at most `size` items, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
