"""Every job of the hub survives a kill, a failing database and a failing system at each of its steps."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import pytest

from tests.simulation.scenarios import AFTERWARDS, SCENARIOS
from trueup.testing.plan import Event, Plan
from trueup.testing.trial import Trial, tried

SHARE = int(os.environ.get("TRUEUP_FAIL_AT_PERCENT", "8"))
"""How much of all that can go wrong is lived; 100: all of it."""
EVERY = max(1, 100 // SHARE)
STARTED = ("run", "plan", "apply")
_STEP = re.compile(r"\S+ (?P<worker>w\d+-\d+) (?P<number>\d+) (?P<phase>before|after) (?P<what>.+)")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a job: before or after a call of a port. `call`: which of the calls of its system it is."""

    number: int
    phase: str
    what: str
    call: int = 0

    @property
    def is_call(self) -> bool:
        return "/" in self.what

    @property
    def is_stored(self) -> bool:
        return not self.is_call and self.what != "sleep"


def with_job(name: str, *before: Event, **changes: int) -> Plan:
    """The history with other things happening in its job, misfortunes planned right before it, and what is
    done afterwards."""
    plan = SCENARIOS[name]
    *events, job = plan.events
    after = AFTERWARDS.get(name, ())
    return replace(plan, events=(*events, *before, replace(job, **changes), *after))


@lru_cache
def steps(name: str) -> tuple[Step, ...]:
    """The steps of the job, as it goes when nothing goes wrong."""
    plan = SCENARIOS[name]
    started = sum(event.do in STARTED for event in plan.events)
    found: list[Step] = []
    calls: Counter[str] = Counter()
    for line in journal(plan):
        step = _STEP.fullmatch(line)
        if step is not None and step["worker"].endswith(f"-{started}"):
            system = step["what"].partition(" ")[0]
            calls[system] += step["phase"] == "before"
            found.append(Step(int(step["number"]), step["phase"], step["what"], calls[system]))
    return tuple(found)


def journal(plan: Plan) -> list[str]:
    lines: list[str] = []
    trial = tried(plan, journal=lines.append)
    assert not trial.wrong, trial.wrong
    return lines


def misfortunes(name: str) -> Iterator[tuple[str, Plan]]:
    """The plan once for each way in which it can fail at each of its steps."""
    plan = SCENARIOS[name]
    place = {one.name: number for number, one in enumerate(plan.systems)}
    for step in steps(name):
        where = f"{step.phase} step {step.number}, {step.what}"
        yield f"killed {where}", with_job(name, crash=step.number)
        if step.is_stored:
            yield f"the database fails {where}", with_job(name, fail=step.number)
        elif step.is_call:
            system = place[step.what.partition(" ")[0]]
            for what in _FAULTS[step.phase]:
                fault = Event("fault", at=system, route="any", nth=step.call, what=what)
                yield f"{what} {where}", with_job(name, fault)


_FAULTS = {
    "before": ("lost request", "500", "429", "401", "html", "truncated", "empty"),
    "after": ("lost answer", "500 after", "400 after", "html after", "late", "twice"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_job_survives_every_failure_at_every_step(name: str) -> None:
    every = list(misfortunes(name))
    offset = sum(name.encode()) % EVERY
    wrong = [f"{how}: {trial.wrong[:3]}" for how, trial in lived(every[offset::EVERY]) if trial.wrong]
    assert not wrong, f"{len(wrong)} of {len(every[offset::EVERY])}\n" + "\n".join(wrong[:10])


def lived(plans: list[tuple[str, Plan]]) -> Iterator[tuple[str, Trial]]:
    for how, plan in plans:
        yield how, tried(plan)


WRITES = ("/create", "/update")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("the saving of a plan", []),
        (
            "the apply of a saved plan",
            ["alpha /create", "alpha /update", "beta /create", "beta /update"],
        ),
        (
            "the apply of a saved plan of which a part is outdated",
            ["alpha /create", "alpha /update", "beta /create"],
        ),
    ],
)
def test_what_nobody_disturbs_writes_just_what_a_plan_says(name: str, written: list[str]) -> None:
    asked = [one.what for one in steps(name) if one.is_call and one.phase == "before"]
    assert sorted(one for one in asked if one.endswith(WRITES)) == written


def test_there_are_jobs_of_every_sort_and_each_has_calls_and_commits() -> None:
    assert len(SCENARIOS) >= 30
    for name in SCENARIOS:
        kinds = Counter((one.is_call, one.is_stored) for one in steps(name))
        assert kinds[True, False] >= 4 and kinds[False, True] >= 10, (name, kinds)


def test_a_failure_strikes_where_it_was_meant_to() -> None:
    for how, plan in list(misfortunes("a create"))[::EVERY]:
        seen = tried(plan).seen
        expected = {"killed": "crash", "the": "database fails"}.get(how.split()[0], "fault")
        assert any(number for what, number in seen.items() if what.startswith(expected)), (how, seen)
