"""One plan lived and judged: what the seeds, the corpus, the shrinker and the soak all ask."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trueup.testing.findings import typed_values
from trueup.testing.oracle import verdict
from trueup.testing.plan import Plan
from trueup.testing.story import Story
from trueup.testing.watch import Invariants
from trueup.testing.world import World, lived

Told = Callable[[str], None]
"""Who hears a story, line by line."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a history ended. `wrong`: `check: what`, empty where all is well. `seen`: how often what happened;
    `exempt`: how often which predicate let something pass; `asked`: how often which step check was asked;
    `digest`: of the whole journal."""

    plan: Plan
    wrong: tuple[str, ...]
    seen: Counter[str] = field(default_factory=Counter)
    exempt: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    digest: str = ""

    @property
    def checks(self) -> frozenset[str]:
        """The names of the checks that found something."""
        return frozenset(one.partition(":")[0] for one in self.wrong)


def tried(plan: Plan, told: Told | None = None, journal: Told | None = None) -> Trial:
    """Live this plan on a new store and judge it; tell its story and its journal, if somebody listens."""
    invariants, story = Invariants(), Story()
    watch = invariants.watch()
    with (
        tempfile.TemporaryDirectory(dir=_memory()) as folder,
        lived(plan, Path(folder), watch if told is None else story.beside(watch)) as world,
    ):
        if journal is not None:
            for line in world.journal:
                journal(line)
        wrong, exempt = verdict(world)
        if told is not None:
            for line in story.told(world, wrong):
                told(line)
        return Trial(plan, tuple(wrong), activity(world), exempt, Counter(invariants.asked), world.digest())


def activity(world: World) -> Counter[str]:
    """What the history was made of: a soak that did nothing proves nothing."""
    found = Counter(world.seen)
    for system in world.all:
        for act in system.acts:
            found[f"{act.by} {act.what}"] += 1
            if act.by == "hub" and act.what == "update":
                found["hub clears"] += any(value in (None, []) for value in act.after.values())
        found["redirects"] += sum(1 for row in system.rows.values() if row.now.successor)
    for wire in world.wires.values():
        found["token expiry"] += wire.expired
        found.update(wire.odd)
        for (route, what), number in wire.struck.items():
            found[f"fault {what}"] += number
            found[f"{what} at {route}"] += number
    found["values typed"] = typed_values(world)
    found["conflicts"] += sum(report.tally.conflicts for report in world.reports)
    found["runs"] += len(world.reports)
    return found


def _memory() -> str | None:
    """A folder in memory, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
