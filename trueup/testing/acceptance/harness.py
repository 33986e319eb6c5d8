"""What the author of a connector brings, so that the suite can play with the system behind it.

The system may be an imitation or the real thing; the suite asks it directly what it holds, never through
the connector that it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from trueup.connectors.base import Connector, WebhookRequest
from trueup.model.record import Json
from trueup.ports import Budget

SHOUTED = "the credential given was {secret}"
"""What systems say of a secret in their errors, when the suite makes them talkative."""


class Trouble(StrEnum):
    """What may happen between a connector and its system."""

    LOST_REQUEST = "lost_request"  # no connection: nothing was done
    LOST_ANSWER = "lost_answer"  # done, and the answer never came
    RATE_LIMITED = "rate_limited"  # refused, with the time to wait: `WAIT` seconds
    UNAUTHORIZED = "unauthorized"  # the credentials are not taken
    SERVER_ERROR = "server_error"  # 500: reads may be asked again, of writes nobody knows
    HTML = "html"  # a login or maintenance page with status 200, nothing done
    HALF = "half"  # an answer that breaks off in the middle, nothing done
    OTHER_FORM = "other_form"  # JSON, but not of the form that is described; nothing done
    ELSEWHERE = "elsewhere"  # a redirect, or a next page, on another host


WAIT = 240.0
"""Seconds that a system names under `RATE_LIMITED`: too long to be slept in a call."""


class CannotPlay(Exception):
    """The harness has no way to do this. The check counts as not passed: `quality.yaml` says why it is
    exempt."""


class Way(Protocol):
    """What lies between a connector and its system, watched and disturbed. `HttpWay` is one."""

    calls: int
    """How many calls were made so far, those that only sign in left out."""
    writes: int
    """How many of them may have changed something."""
    reached: Set[str]
    """Hosts that were spoken to; empty where there are none."""
    patience: float | None
    """The longest time in seconds that a call may take; None where one has no limit. CannotPlay where
    nobody can tell."""

    def strike(self, trouble: Trouble, says: str) -> None:
        """From now on every call meets this trouble (those that only lose an answer or a request: every
        call that may write; reads under LOST_REQUEST too). `says` stands in the system's words. CannotPlay
        where the system knows no such thing."""
        ...

    def heal(self) -> None:
        """Everything works again."""
        ...

    def held(self) -> int:
        """How many connections or files are open because of the connector."""
        ...


class System(Protocol):
    """One running system with an account of its own, and what people do in it behind the connector's back."""

    way: Way
    secrets: Sequence[str]
    """What stands in the settings and must never be shown."""

    def connect(self, budget: Budget) -> Connector:
        """A new connector for the account, as another process would have it. It speaks over `way`."""
        ...

    def make(self, values: Mapping[str, Json]) -> str:
        """Somebody makes a record; its id as the connector names it."""
        ...

    def edit(self, id: str, values: Mapping[str, Json]) -> None:
        """Somebody changes these fields; None empties one."""
        ...

    def delete(self, id: str) -> None: ...

    def merge(self, loser: str, winner: str) -> str:
        """Somebody joins two records; the id of the one that stays. CannotPlay where nobody can."""
        ...

    def look(self, id: str) -> Mapping[str, Json] | None:
        """What the system itself holds, with at least the fields of the harness; None if it is not there."""
        ...

    def ids(self) -> Set[str]:
        """Every living record."""
        ...

    def webhooks(self) -> Sequence[WebhookRequest]:
        """What the system would now send for what happened so far, signed. CannotPlay where there is none."""
        ...

    def wait(self, seconds: float) -> None:
        """Let this time pass, for the system and for the connector."""
        ...


@dataclass(frozen=True, slots=True)
class Harness:
    """How to play one connector.

    `start` runs a fresh, empty system for one check. `values(n)`: remote values of the n-th record, all that
    a create needs, with a distinct value of every key; `field` and `other`: two of those fields, plain text,
    that can be edited and emptied. `wrong`: values that the system refuses in an update, for a reason that
    it can lay on one field (the first named). `many`: so many records that readings have several pages.
    `settled`: seconds after which a change is surely seen (also a deletion in a feed that is asked rarely).
    `quality`: the file of exemptions, or None.
    """

    name: str
    object: str
    start: Callable[[], AbstractContextManager[System]]
    values: Callable[[int], Mapping[str, Json]]
    field: str
    other: str
    wrong: Mapping[str, Json]
    many: int
    settled: float = 0.0
    quality: Path | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The remote paths that the suite reads."""
        return tuple(self.values(0))
