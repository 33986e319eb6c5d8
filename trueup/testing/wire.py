"""The way to a simulated system: its HTTP answers, and the misfortunes that strike on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from trueup.model.record import Json
from trueup.testing.answers import Answers, body_of
from trueup.testing.sorts import COMPANIES, PEOPLE, Sort
from trueup.testing.system import System
from trueup.testing.traits import plain_address
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
COMMON = (*BEFORE, *AFTER, *OF_LISTS)
"""What every history may hold; the rarer ones only some (`drawing_wires`)."""
REFUSING = ("redirect", "spent", "revoked")
"""Nothing was done there, either: the way leads elsewhere, the quota of the day is used up, the grant is
gone. The last two stay: until the quota is renewed, until somebody grants anew."""
RARE = (*REFUSING, "slow", "again")
"""`slow`: done, and the answer breaks off in the middle. `again`: a page comes once more."""
FAULTS = (*COMMON, *RARE)
STRIKES = tuple(
    (route, what) for route in ROUTES for what in FAULTS if what not in (*OF_LISTS, "again") or route in LISTS
)
"""Every way to a system with what can strike there."""
RENEWED = timedelta(hours=5)
"""So long after a quota was used up there is a new one."""
LATE = timedelta(seconds=20)
"""So long a request that timed out may still take to be applied: less than the lag that doubt waits out."""


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
    late. `doubled`: records that a second request of two made; `denied`: of what a look-up said that nobody
    has it."""

    def __init__(self, system: System, now: Callable[[], datetime], person_of: Callable[[str], str]) -> None:
        self.system = system
        self.calls: Counter[str] = Counter()
        self.struck: Counter[tuple[str, str]] = Counter()
        self.later: list[tuple[datetime, httpx.Request]] = []
        self.arriving: Callable[[str, str, Mapping[str, Any]], None] = lambda object, route, body: None
        self.odd: Counter[str] = Counter()
        self.expired = 0
        self.doubled: set[str] = set()
        self.denied: set[str] = set()
        self._good: dict[str, tuple[int, datetime | None]] = {}
        self._now = now
        kept = [one for one in (system, system.companies) if one is not None]
        self._answers = {one.sort.object: Answers(one, now, person_of, self.calls, self.odd) for one in kept}
        self._waiting: list[_Waiting] = []
        self._renewed: datetime | None = None
        self._revoked = False
        self._pages: dict[tuple[str, str], httpx.Response] = {}

    def plan(self, fault: Fault) -> None:
        self._waiting.append(_Waiting(fault, fault.nth))

    def forgive(self) -> None:
        """From now on nothing goes wrong any more; what is under way still lands."""
        self._waiting.clear()
        self.grant()

    def grant(self) -> None:
        """Somebody lets the hub in again, and asks for no quota any more."""
        self._renewed, self._revoked = None, False

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
        self.arriving(_sort(request).object, route, body_of(request))
        response = self._refused(request, route) or self._met(request, route)
        response.request = request
        return response

    def _met(self, request: httpx.Request, route: str) -> httpx.Response:
        if route in LISTS and not request.url.params.get("after"):
            self._pages.pop(self._place(request, route), None)  # another reading begins
        what = self._fault(request, route) or self._stays()
        if what is None:
            return self._paged(request, route)
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

    def _stays(self) -> str | None:
        """What meets every call now."""
        if self._renewed is not None and self._now() >= self._renewed:
            self._renewed = None
        return "revoked" if self._revoked else "spent" if self._renewed is not None else None

    def _has_page(self, request: httpx.Request, route: str) -> bool:
        """Whether the page before may come again, within one reading. Where pages are counted that would hide
        another, as a page cut short does."""
        goes_on = route in LISTS and bool(request.url.params.get("after"))
        return goes_on and self._place(request, route) in self._pages and not self.system.traits.offset

    def _place(self, request: httpx.Request, route: str) -> tuple[str, str]:
        return _sort(request).object, route

    def _paged(self, request: httpx.Request, route: str) -> httpx.Response:
        answer = self._answer(request)
        if route in LISTS:
            self._pages[self._place(request, route)] = answer
        return answer

    # -- misfortune ---------------------------------------------------------------------------------------

    def _fault(self, request: httpx.Request, route: str) -> str | None:
        struck = None
        for one in self._waiting:
            able = one.fault.what != "again" or self._has_page(request, route)
            if able and one.fault.route in (route, "any"):
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
                self.denied |= {
                    plain_address(one) for one in body_of(request).get("values", ()) if route == "find"
                }
                return httpx.Response(200, json={} if route in WRITES else {"items": []})
            case "redirect":
                place = {"Location": f"https://elsewhere.example{request.url.path}"}
                return httpx.Response(_MOVED[self.struck[(route, what)] % len(_MOVED)], headers=place)
            case "spent":
                self._renewed = self._renewed or self._now() + RENEWED
                wait = {"Retry-After": str(int((self._renewed - self._now()).total_seconds()) + 1)}
                return httpx.Response(429, headers=wait, json={"message": "enough for today"})
            case "revoked":
                self._revoked = True
                return httpx.Response(401, json={"message": f"{given} is not welcome any more"})
            case "again":
                return httpx.Response(200, content=self._pages[self._place(request, route)].content)
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
            case "slow":
                return httpx.Response(200, stream=_BreaksOff(answer.content, request))
            case "500 after":
                return httpx.Response(500, json={"message": f"{given}: something went wrong"})
            case "400 after":
                return httpx.Response(400, json={"message": "bad request"})
            case "html after":
                return httpx.Response(200, content=b"<html></html>")
            case _:
                return self._answered_twice(request) if route in WRITES else answer

    def _answered_twice(self, request: httpx.Request) -> httpx.Response:
        system = self._answers[_sort(request).object].system
        before = set(system.rows)
        answer = self._answer(request)
        self.doubled |= system.rows.keys() - before
        return answer

    # -- answering ----------------------------------------------------------------------------------------

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.strip("/")
        if path == TOKENS:
            return self._token()
        if path == "me":
            return httpx.Response(200, json={"name": self.system.traits.name})
        sort = _sort(request)
        return self._answers[sort.object].answer(request, path.removeprefix(sort.path.strip("/")).strip("/"))


_MOVED = (301, 302, 307, 308)


@dataclass(frozen=True, slots=True)
class _BreaksOff(httpx.SyncByteStream):
    """An answer of which half comes, and no more in time."""

    content: bytes
    request: httpx.Request

    def __iter__(self) -> Iterator[bytes]:
        yield self.content[: len(self.content) // 2]
        raise httpx.ReadTimeout("the answer does not go on", request=self.request)


def _sort(request: httpx.Request) -> Sort:
    return COMPANIES if request.url.path.startswith(f"{COMPANIES.path}/") else PEOPLE


def _route(request: httpx.Request) -> str:
    return request.url.path.removeprefix(_sort(request).path).strip("/").partition("/")[0]
