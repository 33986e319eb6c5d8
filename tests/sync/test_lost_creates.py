"""A create without an answer, in a system that finds nobody by a key: which of the rows that came is it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, hub_of, told
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules, with_policy
from trueup.connectors.base import Capability, Outcome, WriteItem
from trueup.errors import OutcomeUnknown
from trueup.mapping.schema import Direction, FieldRule
from trueup.model.entity import public_id

DAN = {"first_name": "Dan", "last_name": "Oak", "job_title": "Boss"}
NAMES = ("first_name", "last_name", "job_title")
STAGE = FieldRule("stage", "phase", direction=Direction.OUT)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock) -> SmallHub:
    """Dan becomes known and is to be made in the target, where only the hub says a stage; the call fails
    before it arrives."""
    target = Memory(clock, capabilities=ALL - {Capability.LOOKUP_BY_KEY}, keys=())
    systems = {"source": Memory(clock), "target": target}
    objects = [("source", rules(fields=(*NAMES, "stage"))), ("target", rules(fields=(*NAMES, STAGE)))]
    hub = hub_of(folder, clock, systems, Setting(objects, create=("target",)))
    hub.sync()
    systems["source"].add(**DAN, stage="lead")
    return hub


def lost(hub: SmallHub, clock: Clock, arrives: bool) -> None:
    """The create leaves, and no answer comes."""
    target: Memory = hub.systems["target"]
    write = target.write

    def fails(object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        clock.tick(1)
        target.write = write  # type: ignore[method-assign]
        if arrives:
            write(object, items, fields)
        raise OutcomeUnknown("no answer")

    target.write = fails  # type: ignore[method-assign]
    hub.sync()


def later(hub: SmallHub, clock: Clock) -> None:
    for _ in range(3):
        clock.tick(3600)
        hub.sync()


def test_the_row_that_says_all_that_was_sent_is_the_one(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    lost(hub, clock, arrives=True)
    later(hub, clock)
    assert told(hub.systems["target"], "phase") == ["lead"]


def test_a_row_of_the_same_name_that_lacks_what_only_the_hub_says_there_is_not(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    lost(hub, clock, arrives=False)
    hub.systems["target"].add(**DAN)
    later(hub, clock)
    assert told(hub.systems["target"], "phase") == [None, "lead"]


def test_a_row_from_before_the_create_was_decided_is_not(tmp_path: Path, clock: Clock) -> None:
    """It was out of sight, and came back with the stamp that it had."""
    hub = pair(tmp_path, clock)
    lost(hub, clock, arrives=False)
    target = hub.systems["target"]
    target.add(**DAN, phase="lead")
    target.rows["1"].stamp = clock.now() - timedelta(days=400)
    later(hub, clock)
    assert told(target, "phase") == ["lead", "lead"]


def test_a_row_that_bears_another_key_of_a_hub_is_not(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    with_policy(hub, replace(hub.parts.policy, upsert={("target", "people"): "hub_id"}))
    lost(hub, clock, arrives=True)
    target = hub.systems["target"]
    mine = target.values("1")["hub_id"]
    target.put("0", **DAN, phase="lead", hub_id=f"{mine}0")
    target.edit("1", phase="lead")  # the other one is read first
    later(hub, clock)
    dan = next(one for one in hub.store.known("target", "people", ["1"]).values())
    assert public_id(dan.kind, dan.entity_id or 0) == mine
    assert len(target.living()) == 2
