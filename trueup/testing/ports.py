"""The ports of a simulated worker: each call of one is a place where the world may act, pause or kill it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from trueup.ports import Store

STEP = 30.0
"""By so many seconds the hub's own clock is set at once."""
Point = Callable[[str, str], None]
"""Told before and after each call of a port: (`before` or `after`, what is called)."""
Stored = Callable[[str, tuple[Any, ...], Any], None]
"""Told what a verb of the store was given, and what it answered."""


class Crash(BaseException):
    """The process is gone. No `except Exception` holds it, as none holds SIGKILL."""


class DatabaseFails(Exception):
    """The disk is full, or the connection is gone: before a transaction, or after it with its answer."""


class WorldClock:
    """Time of the world: it stands still until somebody lets it go on. It stops wherever `next_due` says that
    something happens before the end of a wait; `passed` is told each time. `off`: how far the hub's own clock
    is ahead of it, in seconds."""

    def __init__(self, start: datetime) -> None:
        self.time = start
        self.off = 0.0
        self.passed: Callable[[], None] = lambda: None
        self.next_due: Callable[[], datetime | None] = lambda: None

    def now(self) -> datetime:
        return self.time

    def hubs(self) -> datetime:
        """What the hub takes the time for."""
        return self.time + timedelta(seconds=self.off)

    def step(self, seconds: float) -> None:
        """Somebody sets the hub's clock, which is never further off than STEP."""
        self.off = max(-STEP, min(STEP, self.off + seconds))

    def advance(self, seconds: float) -> None:
        end = self.time + timedelta(seconds=max(0.0, seconds))
        while (due := self.next_due()) is not None and due < end:
            self.time = max(self.time, due)
            self.passed()
        self.time = end
        self.passed()


class WorkerClock:
    """The hub's clock as one worker has it: who sleeps lets time go on."""

    def __init__(self, clock: WorldClock, point: Point) -> None:
        self._clock, self._point = clock, point

    def now(self) -> datetime:
        return self._clock.hubs()

    def sleep(self, seconds: float) -> None:
        self._point("before", "sleep")
        self._clock.advance(seconds)
        self._point("after", "sleep")


class WorkerTransport(httpx.BaseTransport):
    """The way to a system, as one worker has it."""

    def __init__(self, inner: httpx.BaseTransport, name: str, point: Point) -> None:
        self._inner, self._name, self._point = inner, name, point

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        what = f"{self._name} {request.url.path}"
        self._point("before", what)
        response = self._inner.handle_request(request)
        self._point("after", what)
        return response


class WorkerStore:
    """The real store, as one worker has it. Each verb is one transaction: killed before it, nothing of it is
    there; killed after it, all. `told` gets what a verb was given and what it answered, once it is stored."""

    def __init__(self, inner: Store, point: Point, told: Stored) -> None:
        self._inner, self._point, self._told = inner, point, told

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._inner, verb)
        if verb == "close" or not callable(found):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            self._point("before", verb)
            answer = found(*args, **kwargs)
            self._told(verb, args, answer)
            self._point("after", verb)
            return answer

        return called


class Jitter:
    """The same jitter every time."""

    def random(self) -> float:
        return 0.5
