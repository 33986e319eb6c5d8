"""F053 to F063: positions, intents and effects in the order in which they survive a crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.demands.crashes import Crash, Wire, reborn, wired
from tests.demands.hubs import Setting, Several, hub_of, mapped, person, policy_of, told, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import NotApplied, Outcome, WriteItem
from trueup.errors import Held, Transient
from trueup.model.delivery import DeliveryState
from trueup.model.fields import Kind

ALL_STATES = list(DeliveryState)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock, people: int) -> SmallHub:
    """A source that is read and a target that contacts are created in."""
    systems = {"source": Memory(clock, page=100), "target": Memory(clock, page=100)}
    hub = hub_of(folder, clock, systems, Setting(create=("target",)))
    for number in range(people):
        systems["source"].add(**person(number, job_title="old"))
    return hub


def test_f054_two_objects_of_a_system_have_places_of_their_own(tmp_path: Path, clock: Clock) -> None:
    rooms = {"people": Memory(clock), "firms": Memory(clock, name="firms", kind="company", keys=("domain",))}
    crm = Several(rooms)
    objects = [
        ("crm", rules(fields=mapped("email", "first_name", "last_name"))),
        ("crm", rules("firms", mapped("name", "domain"), Kind.COMPANY)),
    ]
    hub = hub_of(tmp_path, clock, {"crm": crm}, Setting(objects))
    rooms["people"].add(**person(1))
    rooms["firms"].add(name="Acme", domain="acme.example")
    hub.sync()
    before = {name: hub.store.stream("crm", name).cursor for name in rooms}
    rooms["people"].add(**person(2))
    rooms["firms"].add(name="Beta", domain="beta.example")
    rooms["people"].broken = [Transient("down")]
    hub.sync()
    after = {name: hub.store.stream("crm", name).cursor for name in rooms}
    assert after["people"] == before["people"] and after["firms"] != before["firms"]
    hub.sync()
    assert set(hub.store.known("crm", "people", ["1", "2"])) == {"1", "2"}
    assert set(hub.store.known("crm", "firms", ["1", "2"])) == {"1", "2"}


def test_f055_a_reading_that_brings_nothing_keeps_the_place(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, 3)
    hub.sync()
    hub.sync()
    before = hub.store.stream("source", "people").cursor
    assert before and before["since"] == hub.systems["source"].sequence
    assert hub.sync().tally.get("read", "source") == 0
    assert hub.store.stream("source", "people").cursor == before


def test_f056_what_comes_after_the_one_that_failed_in_a_batch_is_still_due(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, 100)
    target = hub.systems["target"]
    write = target.write

    def half(object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        target.write = write  # type: ignore[method-assign]
        return [*write(object, items[:50], fields), *[NotApplied("broke off") for _ in items[50:]]]

    target.write = half  # type: ignore[method-assign]
    hub.sync()
    until_quiet(hub, clock)
    assert len(target.rows) == len(target.written) == 100


def _one_edit(folder: Path) -> SmallHub:
    clock = Clock()
    hub = pair(folder, clock, 1)
    hub.sync()
    hub.release()
    hub.systems["source"].edit("1", job_title="new")
    return hub


def test_f061_what_was_intended_by_a_process_that_died_is_sent_by_the_next_run(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    hub, wire = _one_edit(quiet), Wire()
    wired(hub, wire)
    hub.sync()
    at = wire.steps.index("after commit") + 1
    hub = _one_edit(tmp_path)
    wired(hub, Wire(at))
    with pytest.raises(Crash):
        hub.sync()
    hub = reborn(hub, tmp_path, hub.systems["source"].clock)
    assert len(hub.store.deliveries([DeliveryState.DUE], "target", 9)) == 1
    assert told(hub.systems["target"], "job_title") == ["old"]
    hub.sync()
    assert told(hub.systems["target"], "job_title") == ["new"]


def test_f063_a_run_goes_by_the_configuration_that_it_began_with_and_every_write_names_it(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, 3)
    objects = [(name, rules(fields=mapped("email", first_name="last_name"))) for name in hub.systems]
    other = policy_of(hub.systems, Setting(objects, create=("target",), version="v2"))
    rival = SmallHub(hub.systems, hub.store, replace(hub.parts, policy=other, worker="rival"))
    refused: list[str] = []

    def reloaded() -> None:
        hub.systems["target"].between = lambda: None
        with pytest.raises(Held) as held:
            rival.sync()
        refused.append(held.value.code)

    hub.systems["target"].between = reloaded
    hub.sync()
    assert refused == ["TU-RUN-011"]
    deliveries = hub.store.deliveries(ALL_STATES, "target", 9)
    assert [one.config_version for one in deliveries] == ["v1"] * 3
    assert {one["first_name"] for one in hub.systems["target"].living().values()} == {
        "First0",
        "First1",
        "First2",
    }
    hub.systems["source"].add(**person(7))
    rival.sync()
    assert {one.config_version for one in hub.store.deliveries(ALL_STATES, "target", 99)} == {"v1", "v2"}
