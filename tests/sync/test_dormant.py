"""A connection that is taken out of the configuration and put back hears of all that happened meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.consenting import ann, both_have_ann, later, opted_out, two
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.sync.parts import Parts


def asleep(parts: Parts, name: str) -> Parts:
    """The same hub without this connection."""
    policy = parts.policy
    without = replace(
        policy,
        mappings={place: one for place, one in policy.mappings.items() if place[0] != name},
        rules={place: one for place, one in policy.rules.items() if place[0] != name},
        config_version=f"without {name}",
    )
    others = {one: system for one, system in parts.connectors.items() if one != name}
    return replace(parts, connectors=others, policy=without)


def test_an_opt_out_of_that_time_is_written(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    both_have_ann(hub)
    awake, hub.parts = hub.parts, asleep(hub.parts, "target")
    hub.systems["source"].edit("1", optout=True)
    hub.sync(["source"])
    hub.parts = awake
    later(hub, clock)
    assert (opted_out(hub), hub.systems["target"].values("1")["optout"]) == (True, True)


def ann_in_both(folder: Path, clock: Clock) -> SmallHub:
    hub = small_hub(folder, clock, {name: Memory(clock) for name in ("a", "b")})
    for system in hub.systems.values():
        system.add(**ann(job_title="Old", department="Old"))
    hub.sync()
    hub.release()
    hub.sync()
    return hub


@pytest.mark.parametrize("between", [1, 3], ids=["one change", "several changes"])
def test_edits_of_that_time_are_written_and_its_own_edits_count(tmp_path: Path, between: int) -> None:
    clock = Clock()
    hub = ann_in_both(tmp_path, clock)
    awake, hub.parts = hub.parts, asleep(hub.parts, "b")
    for turn in range(between):
        hub.systems["a"].edit("1", job_title=f"New {turn}")
        clock.tick(60)
        hub.sync(["a"])
    hub.systems["b"].edit("1", department="New")
    hub.parts = awake
    later(hub, clock)
    both = [system.values("1") for system in hub.systems.values()]
    assert [(one["job_title"], one["department"]) for one in both] == [(f"New {between - 1}", "New")] * 2
    writes = hub.writes()
    later(hub, clock)
    assert hub.writes() == writes


def test_a_value_that_came_back_to_what_it_was_is_not_written(tmp_path: Path) -> None:
    clock = Clock()
    hub = ann_in_both(tmp_path, clock)
    awake, hub.parts = hub.parts, asleep(hub.parts, "b")
    for title in ("New", "Old"):
        hub.systems["a"].edit("1", job_title=title)
        clock.tick(60)
        hub.sync(["a"])
    hub.parts = awake
    later(hub, clock)
    assert hub.systems["b"].written == []


def test_a_deleted_record_that_is_restored_hears_what_changed_meanwhile(tmp_path: Path) -> None:
    clock = Clock()
    hub = ann_in_both(tmp_path, clock)
    b = hub.systems["b"]
    b.delete("1")
    later(hub, clock)
    hub.systems["a"].edit("1", job_title="New")
    later(hub, clock)
    b.edit("1")
    for _ in range(2):
        later(hub, clock)
    assert b.values("1")["job_title"] == "New"
