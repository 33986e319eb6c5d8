"""Fuses over several rounds and runs: no part of what one run would do passes, and nothing passes later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.model.run import RunOutcome
from trueup.sync.rules.guard import Fuse

PEOPLE = 4


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock) -> SmallHub:
    """People in two systems that agree; a run may clear one value."""
    hub = small_hub(folder, clock, {name: Memory(clock) for name in ("sales", "marketing")})
    for system in hub.systems.values():
        for n in range(1, PEOPLE + 1):
            system.add(email=f"p{n}@example.com", first_name="Ann", last_name=f"Lee{n}", job_title="Old")
    hub.sync()
    hub.release()
    hub.sync()
    hub.parts = replace(hub.parts, fuses={"clear": Fuse(count=1)})
    return hub


def titles(hub: SmallHub) -> list[object]:
    return [hub.systems["marketing"].values(str(n))["job_title"] for n in range(1, PEOPLE + 1)]


def later(hub: SmallHub) -> None:
    hub.systems["sales"].clock.tick(60)
    hub.sync()


def emptied(hub: SmallHub, *ids: int) -> None:
    for id in ids:
        hub.systems["sales"].edit(str(id), job_title=None)


def test_clearings_that_go_behind_other_writes_count_with_those_that_go_by_themselves(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    emptied(hub, 1, 2)
    hub.systems["sales"].edit("2", department="IT")
    later(hub)
    assert titles(hub) == ["Old"] * PEOPLE
    assert hub.systems["marketing"].values("2")["department"] == "IT"
    assert hub.reports[-1].held == {("marketing", "clear"): 2}


def test_clearings_within_the_allowance_leave_behind_other_writes_in_the_same_run(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    emptied(hub, 2)
    hub.systems["sales"].edit("2", department="IT")
    later(hub)
    assert titles(hub) == ["Old", None, "Old", "Old"]
    assert hub.systems["marketing"].values("2")["department"] == "IT"
    assert hub.reports[-1].outcome is RunOutcome.COMPLETED


def test_what_a_run_held_back_waits_for_a_person_though_less_of_it_is_left(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    emptied(hub, 1, 2)
    later(hub)
    hub.systems["sales"].edit("1", job_title="Old")
    later(hub)
    later(hub)
    assert titles(hub) == ["Old"] * PEOPLE
    assert hub.reports[-1].outcome is RunOutcome.HELD
    assert hub.reports[-1].held == {("marketing", "clear"): 1}


def test_what_comes_while_others_are_held_back_waits_with_them_and_leaves_with_their_approval(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    emptied(hub, 1, 2)
    later(hub)
    hub.systems["sales"].edit("1", job_title="Old")
    later(hub)
    emptied(hub, 3)
    later(hub)
    assert hub.reports[-1].held == {("marketing", "clear"): 2}
    hub.store.open_gates("marketing", "clear", "boss", hub.parts.now())
    later(hub)
    assert titles(hub) == ["Old", None, None, "Old"]
    emptied(hub, 4)
    later(hub)
    assert titles(hub) == ["Old", None, None, None]


def test_what_was_held_back_stays_so_after_a_run_that_was_interrupted(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    emptied(hub, 1, 2)
    later(hub)
    emptied(hub, 3)
    hub.systems["sales"].edit("4", department="IT")
    interrupted_while_it_writes(hub)
    later(hub)
    for id in ("1", "3"):
        hub.systems["sales"].edit(id, job_title="Old")
    for _ in range(2):
        later(hub)
    assert titles(hub) == ["Old"] * PEOPLE
    assert hub.reports[-1].held == {("marketing", "clear"): 1}


def interrupted_while_it_writes(hub: SmallHub) -> None:
    marketing = hub.systems["marketing"]

    def interrupt() -> None:
        if marketing.calls[-1] == "write":
            marketing.between = lambda: None
            raise KeyboardInterrupt

    marketing.between = interrupt
    with pytest.raises(KeyboardInterrupt):
        later(hub)


def test_what_a_run_let_through_and_leaves_only_later_counts_in_the_run_in_which_it_leaves(
    tmp_path: Path, clock: Clock
) -> None:
    """A run about another system cannot deliver it, and the next one adds as many of its own."""
    hub = pair(tmp_path, clock)
    emptied(hub, 1)
    clock.tick(60)
    hub.sync(["sales"])
    emptied(hub, 2)
    later(hub)
    assert titles(hub) == [None, "Old", "Old", "Old"]
    assert hub.reports[-1].held == {("marketing", "clear"): 1}


def test_what_a_person_let_through_counts_no_more(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    emptied(hub, 1, 2)
    clock.tick(60)
    hub.sync(["sales"])
    assert hub.store.open_gates("marketing", "clear", "ann", hub.parts.now()) == 2
    emptied(hub, 3)
    later(hub)
    assert titles(hub) == [None, None, None, "Old"]
    assert hub.reports[-1].outcome is RunOutcome.COMPLETED
