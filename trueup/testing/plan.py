"""A history as a plan: what happens, in order, made first and then carried out. It can be kept, cut and told.

Nothing in an event depends on what came before it: who is meant is chosen by a number among those there
are, a misfortune strikes the k-th call of a kind, and each value that is typed has a number of its own. So
any event can be taken out and the rest still means something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from trueup.testing.traits import Traits


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens. `do` names it; the rest is what that needs. A process is started for a `run`,
    to save a `plan`, or to `apply` the one that was saved last.

    `at`: a system by its place; `of`: several. `pick`, `other`: who, counted round among those there.
    `token`: the number in a typed value. `worker`: which process. `seconds`: how long. `route`, `nth`,
    `what`: a misfortune. `during`: what happens while a run is under way, each at its k-th step. `crash`,
    `pause`: the step at which the process is killed, or stands still until it is resumed. `fail`: the step
    at which the database fails it; one that is no call of the database does not fail.
    """

    do: str
    at: int = 0
    of: tuple[int, ...] = ()
    pick: int = 0
    other: int = 0
    field: str = ""
    token: int = 0
    worker: int = 0
    seconds: float = 0.0
    route: str = ""
    nth: int = 0
    what: str = ""
    crash: int = 0
    pause: int = 0
    fail: int = 0
    during: tuple[tuple[int, Event], ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON: only what was said."""
        found: dict[str, Any] = {"do": self.do}
        for one in fields(self)[1:]:
            value = getattr(self, one.name)
            if value != one.default and one.name != "during":
                found[one.name] = list(value) if isinstance(value, tuple) else value
        if self.during:
            found["during"] = [[step, event.document()] for step, event in self.during]
        return found

    @staticmethod
    def of_document(said: Mapping[str, Any]) -> Event:
        during = tuple((step, Event.of_document(one)) for step, one in said.get("during", ()))
        rest = {name: value for name, value in said.items() if name != "during"}
        if "of" in rest:
            rest["of"] = tuple(rest["of"])
        return Event(**rest, during=during)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole history: the systems there are, and what happens. `tight`: fuses of a few writes.
    `apart`: processes run on several machines, so that none can tell whether another has ended."""

    seed: int
    profile: str
    systems: tuple[Traits, ...]
    events: tuple[Event, ...]
    tight: bool = False
    apart: bool = False

    @property
    def unsteady(self) -> bool:
        """Whether the hub's own clock is set while it works."""
        return any(one.do == "clock" for event in self.events for one in (event, *_within(event)))

    def document(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "profile": self.profile,
            "tight": self.tight,
            "apart": self.apart,
            "systems": [_said(one) for one in self.systems],
            "events": [event.document() for event in self.events],
        }

    @staticmethod
    def of_document(said: Mapping[str, Any]) -> Plan:
        systems = tuple(_traits(one) for one in said["systems"])
        events = tuple(Event.of_document(one) for one in said["events"])
        return Plan(said["seed"], said["profile"], systems, events, said["tight"], said["apart"])


def _within(event: Event) -> list[Event]:
    return [one for _, one in event.during]


def _said(traits: Traits) -> dict[str, Any]:
    plain = {one.name: one.default for one in fields(Traits)}
    said = asdict(traits)
    said["habits"] = dict(traits.habits)
    return {name: value for name, value in said.items() if name == "name" or value not in (plain[name], {})}


def _traits(said: Mapping[str, Any]) -> Traits:
    habits: Sequence[tuple[str, str]] = tuple(sorted(said.get("habits", {}).items()))
    return Traits(**{**said, "habits": tuple(habits)})
