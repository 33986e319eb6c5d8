"""What else a simulated system does: hints, consent with its evidence, archives; and the hub's own clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.defects.histories import ALPHA, BETA, RUN, SETTLED, history, newcomer, typed
from trueup.model.record import Json
from trueup.testing.drawing import plan_of
from trueup.testing.plan import Event, Plan
from trueup.testing.ports import STEP, WorldClock
from trueup.testing.traits import OPT_OUT, Traits
from trueup.testing.trial import tried
from trueup.testing.world import START, lived

DATED = Traits("alpha", dated=True)
OUT = (newcomer(ALPHA, BETA), *SETTLED, Event("opt out", at=BETA), *SETTLED)


def ending(plan: Plan, folder: Path) -> dict[tuple[str, str], dict[str, Json]]:
    """What every living record holds in the end."""
    folder.mkdir()
    with lived(plan, folder) as world:
        return {
            (name, row.id): dict(row.now.values)
            for name, system in world.systems.items()
            for row in system.living()
        }


def quiet(seed: int, hints: bool) -> Plan:
    """The acts of this seed's people, each heard of before the next, by hints or not; nothing goes wrong."""
    plan = plan_of(seed)
    systems = tuple(replace(one, hints=hints, robot="") for one in plan.systems)
    some = [one for one in plan.events if one.do in ("create", "edit", "clear", "label", "delete", "archive")]
    whole = Event("run", of=tuple(range(len(systems))))
    events = [Event("release"), whole]
    for one in some:
        events += [one, Event("wait", seconds=400.0), whole]
    return replace(plan, systems=systems, events=tuple(events), tight=False)


@pytest.mark.parametrize("seed", range(12))
def test_a_life_with_hints_ends_as_one_that_only_polls(seed: int, tmp_path: Path) -> None:
    told = ending(quiet(seed, hints=True), tmp_path / "told")
    assert told == ending(quiet(seed, hints=False), tmp_path / "polled")
    assert told


def test_hints_are_lost_late_twice_and_of_nobody() -> None:
    edits = [typed(ALPHA, 110 + number) for number in range(20)]
    plan = history(newcomer(ALPHA, BETA), *SETTLED, *edits, RUN, alpha=Traits("alpha", hints=True))
    seen = tried(plan).seen
    assert 0 < seen["hint twice"] < seen["hint"] < 2 * len(edits)
    assert seen["hint of nobody"]


@pytest.mark.parametrize(("other", "lifted"), [(1, True), (4, False)])
def test_only_an_opt_in_with_evidence_lifts_an_opt_out(other: int, lifted: bool, tmp_path: Path) -> None:
    plan = history(*OUT, Event("opt in", other=other), RUN, alpha=DATED)
    assert not tried(plan).wrong
    rows = ending(plan, tmp_path / "world").values()
    assert {one[OPT_OUT] for one in rows} == {not lifted}


def test_a_record_that_comes_back_is_the_same_one(tmp_path: Path) -> None:
    before = (newcomer(ALPHA, BETA), *SETTLED, Event("archive"), *SETTLED, typed(BETA, 110), *SETTLED)
    plan = history(*before, Event("revive"), RUN)
    assert not tried(plan).wrong
    found = ending(plan, tmp_path / "world")
    assert set(found) == {("alpha", "a001"), ("beta", "b001")}
    assert found["alpha", "a001"]["title"] == "T110 officer"


def test_the_hubs_clock_is_never_further_off_than_one_step() -> None:
    clock = WorldClock(START)
    for _ in range(3):
        clock.step(STEP)
    assert (clock.hubs() - clock.now()).total_seconds() == STEP
    clock.step(-STEP)
    assert clock.hubs() == clock.now()
