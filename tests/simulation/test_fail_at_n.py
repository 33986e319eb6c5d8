"""Every job of the hub survives a kill, a failing database and a failing system at each of its steps."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import pytest

from tests.simulation.scenarios import SCENARIOS
from trueup.testing.plan import Event, Plan
from trueup.testing.trial import Trial, tried

SHARE = int(os.environ.get("TRUEUP_FAIL_AT_PERCENT", "8"))
"""How much of all that can go wrong is lived; 100: all of it."""
EVERY = max(1, 100 // SHARE)
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


def last_run(plan: Plan) -> int:
    return max(place for place, event in enumerate(plan.events) if event.do == "run")


def with_job(plan: Plan, *before: Event, **changes: int) -> Plan:
    """The plan with other things happening in its last run, and misfortunes planned right before it."""
    place = last_run(plan)
    job = replace(plan.events[place], **changes)
    return replace(plan, events=(*plan.events[:place], *before, job, *plan.events[place + 1 :]))


@lru_cache
def steps(name: str) -> tuple[Step, ...]:
    """The steps of the job, as it goes when nothing goes wrong."""
    plan = SCENARIOS[name]
    runs = sum(event.do == "run" for event in plan.events)
    found: list[Step] = []
    calls: Counter[str] = Counter()
    for line in journal(plan):
        step = _STEP.fullmatch(line)
        if step is not None and step["worker"].endswith(f"-{runs}"):
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
        yield f"killed {where}", with_job(plan, crash=step.number)
        if step.is_stored:
            yield f"the database fails {where}", with_job(plan, fail=step.number)
        elif step.is_call:
            system = place[step.what.partition(" ")[0]]
            for what in _FAULTS[step.phase]:
                fault = Event("fault", at=system, route="any", nth=step.call, what=what)
                yield f"{what} {where}", with_job(plan, fault)


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
