"""The simulated world: fresh histories, those that failed once, and that one seed is one history."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from trueup.testing.drawing import PROFILES, plan_of
from trueup.testing.plan import Event, Plan
from trueup.testing.shrink import least, shrunk
from trueup.testing.soak import FLOOR, PAIRS_FROM, Soak
from trueup.testing.trial import Trial, tried
from trueup.testing.watch import STEP_CHECKS
from trueup.testing.wire import FAULTS

SEEDS = int(os.environ.get("TRUEUP_WORLD_SEEDS", "1000"))
CHUNK = 25
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


def test_a_seed_is_the_same_history_in_every_process() -> None:
    told = {_journal(seed=6, hashes=hashes) for hashes in ("1", "2")}
    assert told == {f"seed 6: every check holds; journal {tried(plan_of(6)).digest}\n"}


def _journal(seed: int, hashes: str) -> str:
    """What a process says of the journal that puts sets in an order of its own."""
    command = [sys.executable, "-m", "trueup.testing.command", "--seed", str(seed)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": hashes}
    )
    return done.stderr


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_can_be_kept_and_lived_again(seed: int) -> None:
    plan = plan_of(seed)
    kept = Plan.of_document(json.loads(json.dumps(plan.document())))
    assert kept.document() == plan.document()
    assert (kept.events, kept.tight, kept.apart) == (plan.events, plan.tight, plan.apart)


BEFORE = {0: "3fc6ddb42e5aa155", 1: "62082c0d73ead772", 2: "890f14947b081ff4", 3: "0cc8c7a2edea57de"}
"""Plans as they were drawn before histories saved plans: what is drawn beside them moves no other history."""


@pytest.mark.parametrize("seed", BEFORE)
def test_what_is_drawn_beside_a_history_moves_no_other(seed: int) -> None:
    said = json.dumps(plan_of(seed).document()).encode()
    assert hashlib.blake2b(said, digest_size=8).hexdigest() == BEFORE[seed]


def test_one_history_in_ten_saves_plans_and_applies_them() -> None:
    acts = [[event.do for event in plan_of(seed).events] for seed in range(400)]
    some = [one for one in acts if "apply" in one]
    assert 20 <= len(some) <= 60
    assert all(one.count("plan") == one.count("apply") for one in some)


def test_one_history_in_five_has_companies_in_some_systems() -> None:
    kept = [[one.companies for one in plan_of(seed).systems] for seed in range(400)]
    some = [one for one in kept if any(one)]
    assert 50 <= len(some) <= 110
    assert {way for one in some for way in one} == {"", "kept", "made"}


def test_any_event_may_be_left_out() -> None:
    plan = plan_of(2)
    for place in range(0, len(plan.events), 5):
        some = plan.events[:place] + plan.events[place + 1 :]
        tried(Plan(plan.seed, plan.profile, plan.systems, some, plan.tight, plan.apart))


def test_histories_are_made_of_enough_to_prove_something_and_little_is_excused() -> None:
    found, profiles = Soak(), set[str]()
    for trial in lived(range(SEEDS, SEEDS + 200)):
        found.add(trial)
        profiles.add(trial.plan.profile)
    assert profiles == set(PROFILES)
    assert [*found.lacking(), *found.excused_too_much()] == []


def test_a_soak_that_did_too_little_says_so() -> None:
    trial = tried(plan_of(1))
    idle = Soak(lived=999)
    seen, exempt = Counter({"values typed": 100}), Counter({"a lie": 9})
    idle.add(replace(trial, seen=seen, exempt=exempt, asked=Counter(), wrong=()))
    assert len(idle.lacking()) == len(FLOOR) + len(FAULTS) + len(STEP_CHECKS)
    assert idle.excused_too_much() == ["9 of 100 typed values are excused: {'a lie': 9}"]
    assert replace(idle, exempt=Counter({"a lie": 2})).excused_too_much() == []  # may be chance
    many = Soak(lived=PAIRS_FROM, seen=trial.seen)
    assert any("never struck where they could" in said for said in many.lacking())


def test_what_is_not_needed_to_fail_is_left_out() -> None:
    assert least(list(range(50)), lambda some: {7, 31} <= set(some)) == [7, 31]


def test_a_failing_plan_is_made_short() -> None:
    plan = plan_of(5)
    short = shrunk(plan, lambda one: any(event.do == "clear" for event in one.events))
    assert [event.do for event in short.events] == ["clear"]


def test_kills_pauses_and_what_happens_meanwhile_are_left_out_where_they_are_not_needed() -> None:
    plan = plan_of(0)
    run = Event("run", of=(0,), crash=50, pause=20, during=((3, Event("wait")), (5, Event("wait"))))
    short = shrunk(replace(plan, events=(run,)), lambda one: any(event.do == "run" for event in one.events))
    assert short.events == (Event("run", of=(0,)),)
