"""The simulated world: fresh histories, those that failed once, and that one seed is one history."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from trueup.testing.drawing import PROFILES, plan_of
from trueup.testing.plan import Event, Plan
from trueup.testing.shrink import least, shrunk
from trueup.testing.trial import Trial, tried
from trueup.testing.wire import FAULTS

SEEDS = int(os.environ.get("TRUEUP_WORLD_SEEDS", "300"))
CHUNK = 25
LEAST = {
    "hub update": 300,
    "hub create": 50,
    "user clear": 40,
    "conflicts": 50,
    "crash": 20,
    "resumed": 5,
    "Held": 5,
}
"""What sixty histories must be made of: a test that does nothing proves nothing."""
CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


def lived(seeds: range) -> list[Trial]:
    return [tried(plan_of(seed)) for seed in seeds]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_fresh_histories_break_nothing(first: int) -> None:
    trials = lived(range(first, min(first + CHUNK, SEEDS)))
    wrong = [f"seed {one.plan.seed} ({one.plan.profile}): {said}" for one in trials for said in one.wrong]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_a_history_that_failed_once_breaks_nothing_any_more(file: Path) -> None:
    trial = tried(Plan.of_document(json.loads(file.read_text("utf-8"))))
    assert not trial.wrong, "\n".join(trial.wrong)


@pytest.mark.parametrize("seed", [1, 2, 5, 6, 9])
def test_the_same_seed_is_the_same_history_byte_for_byte(seed: int) -> None:
    assert tried(plan_of(seed)).digest == tried(plan_of(seed)).digest


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_can_be_kept_and_lived_again(seed: int) -> None:
    plan = plan_of(seed)
    kept = Plan.of_document(json.loads(json.dumps(plan.document())))
    assert kept.document() == plan.document()
    assert (kept.events, kept.tight, kept.apart) == (plan.events, plan.tight, plan.apart)


def test_any_event_may_be_left_out() -> None:
    plan = plan_of(2)
    for place in range(0, len(plan.events), 5):
        some = plan.events[:place] + plan.events[place + 1 :]
        tried(Plan(plan.seed, plan.profile, plan.systems, some, plan.tight, plan.apart))


def test_histories_of_every_profile_come_and_every_misfortune_strikes() -> None:
    trials = lived(range(60))
    seen = sum((one.seen for one in trials), Counter[str]())
    assert {one.plan.profile for one in trials} == set(PROFILES)
    assert not [what for what in FAULTS if not seen[f"fault {what}"]]
    for what, least_often in LEAST.items():
        assert seen[what] >= least_often, (what, seen[what])


def test_what_nobody_could_observe_is_rare() -> None:
    trials = lived(range(100, 160))
    typed = sum(one.seen["user edit"] for one in trials)
    exempt = sum((one.exempt for one in trials), Counter[str]())
    assert sum(exempt.values()) <= 0.1 * typed, exempt


def test_what_is_not_needed_to_fail_is_left_out() -> None:
    assert least(list(range(50)), lambda some: {7, 31} <= set(some)) == [7, 31]


def test_a_failing_plan_is_made_short() -> None:
    plan = plan_of(4)
    short = shrunk(plan, lambda one: any(event.do == "clear" for event in one.events))
    assert [event.do for event in short.events] == ["clear"]


def test_kills_pauses_and_what_happens_meanwhile_are_left_out_where_they_are_not_needed() -> None:
    plan = plan_of(0)
    run = Event("run", of=(0,), crash=50, pause=20, during=((3, Event("wait")), (5, Event("wait"))))
    short = shrunk(replace(plan, events=(run,)), lambda one: any(event.do == "run" for event in one.events))
    assert short.events == (Event("run", of=(0,)),)
