"""The embedded rate budget: token buckets per account, in this process (HARD-CASES 20).

A lane sees capacity minus what is reserved for higher lanes, so opt-outs and transitions always find
room. What a vendor's headers say only ever lowers what is left; when nothing is left, no call goes out
before the time at which the vendor counts anew.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from trueup.ports import Clock

DEFAULT_GROUP = "default"
ACCOUNT = "account"
"""The group of limits that count every call of an account, whatever its own group."""
NOTHING = 1e-3
"""So little of a call is not waited for: the wait might be shorter than a clock can tell."""
SLOW = 60.0
"""Seconds: what takes longer to fill is the allowance of a long time."""
WORTH_IT = 1 / 24
"""Share of a slow allowance that is waited for once it is used up: of a day's the calls of an hour."""


@dataclass(slots=True)
class Bucket:
    """`capacity` calls, refilled evenly over `seconds`. `shut`: until then the system takes none at all."""

    capacity: float
    seconds: float
    left: float
    at: float
    shut: float = 0.0

    def refill(self, now: float) -> None:
        gained = (now - self.at) * self.capacity / self.seconds
        self.left = min(self.capacity, self.left + max(0.0, gained))
        self.at = max(now, self.at)

    def wait(self, cost: float, reserved: float) -> float:
        """Seconds until `cost` may be taken while `reserved` stays; 0: now.

        Of a slow bucket until a good part is there again: waiting for one call of a day's allowance after
        another would drag a run out over hours.
        """
        closed = max(0.0, self.shut - self.at)
        lacking = min(cost, self.capacity - reserved) + reserved - self.left
        if lacking <= NOTHING:
            return closed
        wait = max(closed, lacking * self.seconds / self.capacity)
        return wait if self.seconds <= SLOW else max(wait, self.seconds * WORTH_IT)


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit of one account: `calls` per `seconds` for a group of endpoints."""

    connection: str
    calls: float
    seconds: float
    group: str = DEFAULT_GROUP


class TokenBudget:
    """The Budget port for one process. An account without allowances is not limited by us.

    `patience`: seconds that this process may spend waiting for a call, because it has nothing else to do. No
    limit of a second or a minute takes longer than a minute; what does (a day's) is answered at once.
    """

    def __init__(
        self, clock: Clock, allowances: Sequence[Allowance], reserve: float = 0.10, patience: float = 0.0
    ) -> None:
        self._clock = clock
        self._patience = patience
        self._reserve = {"urgent": 0.0, "normal": reserve}
        self._lock = threading.Lock()
        start = clock.now().timestamp()
        self._buckets: dict[tuple[str, str], list[Bucket]] = {}
        for one in allowances:
            bucket = Bucket(one.calls, one.seconds, one.calls, start)
            self._buckets.setdefault((one.connection, one.group), []).append(bucket)

    def ask(self, connection: str, group: str, lane: str, cost: float) -> float:
        while 0.0 < (wait := self._taken(connection, group, lane, cost)) <= self._patience:
            self._clock.sleep(wait)
        return wait

    def _taken(self, connection: str, group: str, lane: str, cost: float) -> float:
        """0.0 where the call was taken from every bucket, else how long it has to wait."""
        with self._lock:
            now = self._clock.now().timestamp()
            buckets = self._of(connection, group)
            for bucket in buckets:
                bucket.refill(now)
            share = self._reserve[lane]
            wait = max((bucket.wait(cost, share * bucket.capacity) for bucket in buckets), default=0.0)
            if wait == 0.0:
                for bucket in buckets:
                    bucket.left -= cost
            return wait

    def learn(self, connection: str, group: str, remaining: float | None, reset_in: float | None) -> None:
        if remaining is None:
            return
        with self._lock:
            now = self._clock.now().timestamp()
            for bucket in self._own(connection, group)[:1]:
                bucket.left = min(bucket.left, remaining)
                if remaining < 1.0 and reset_in is not None:  # before that every call is in vain
                    bucket.shut = now + reset_in

    def _of(self, connection: str, group: str) -> list[Bucket]:
        return [*self._own(connection, group), *self._buckets.get((connection, ACCOUNT), [])]

    def _own(self, connection: str, group: str) -> list[Bucket]:
        return self._buckets.get((connection, group)) or self._buckets.get((connection, DEFAULT_GROUP), [])
