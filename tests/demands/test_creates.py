"""P01, P02: nobody is made twice, whatever happens between the request and the link."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.demands.crashes import Crash, Wire, reborn, wired
from tests.demands.hubs import Setting, ann, contacts, hub_of, links, person
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import Capability, RefusedItem, WriteItem
from trueup.errors import Transient
from trueup.model.delivery import DeliveryState, WriteKind
from trueup.model.run import RunOutcome

CREATES = int(os.environ.get("TRUEUP_CREATES", "1000"))
KILLED = 20
"""How many people are created, and how many processes die over it."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock, target: Memory) -> SmallHub:
    systems = {"source": Memory(clock, page=100), "target": target}
    return hub_of(folder, clock, systems, Setting(create=("target",)))


@pytest.mark.parametrize("look_up", [True, False])
def test_p01_lost_answers_of_creates_make_no_second_record(
    look_up: bool, tmp_path: Path, clock: Clock
) -> None:
    dice = random.Random(1)
    capabilities = ALL if look_up else ALL - {Capability.LOOKUP_BY_KEY}
    target = Memory(clock, page=100, lag=30.0, capabilities=capabilities)
    target.loses = lambda item: dice.random() < 0.05
    hub = pair(tmp_path, clock, target)
    for number in range(200):
        hub.systems["source"].add(**person(number))
    for _ in range(4):
        hub.sync()
        clock.tick(60)
    assert len(target.living()) == 200
    assert len({values["email"] for values in target.living().values()}) == 200
    assert hub.store.count_links()[("target", "people", "live")] == 200
    assert hub.sync().outcome is RunOutcome.COMPLETED


def test_p01_a_whole_base_created_with_lost_answers_a_late_index_and_kills_is_there_once(
    tmp_path: Path, clock: Clock
) -> None:
    """One answer in a hundred is lost, look-ups know a record after 30 s, and processes die over and over."""
    dice = random.Random(1)
    target = Memory(clock, page=1_000, lag=30.0)
    lost: list[str] = []

    def loses(item: WriteItem) -> bool:
        if dice.random() < 0.01:
            lost.append(item.key)
        return bool(lost) and lost[-1] == item.key

    target.loses = loses
    hub = pair(tmp_path, clock, target)
    for number in range(CREATES):
        hub.systems["source"].add(**person(number))
    amid: list[int] = []
    for _ in range(KILLED):
        wired(hub, Wire(dice.randint(1, 60 + CREATES // 20)))
        with suppress(Crash):
            hub.sync()
        amid.append(len(target.rows))
        hub = reborn(hub, tmp_path, clock)
    while hub.sync().outcome is not RunOutcome.COMPLETED:
        assert len(hub.reports) < 10
        clock.tick(60)
    wanted = {person(number)["email"] for number in range(CREATES)}
    made = [values["email"] for values in target.living().values()]
    assert (len(made), set(made)) == (CREATES, wanted)
    assert hub.store.count_links() == {
        ("source", "people", "live"): CREATES,
        ("target", "people", "live"): CREATES,
    }
    assert len(lost) >= CREATES // 200
    assert any(0 < number < CREATES for number in amid), "nobody died while people were created"


def test_p01_a_look_up_waits_until_the_index_can_know_the_record(tmp_path: Path, clock: Clock) -> None:
    target = Memory(clock, lag=30.0)
    target.loses = lambda item: item.kind is WriteKind.CREATE
    hub = pair(tmp_path, clock, target)
    hub.systems["source"].add(**ann())
    begun = clock.now()
    hub.sync()
    assert len(target.living()) == 1
    assert (clock.now() - begun).total_seconds() >= 30
    assert ("target", "people", "1") in links(hub, "ann@example.com")


def test_p01_an_answer_that_it_exists_already_becomes_the_link(tmp_path: Path, clock: Clock) -> None:
    target = Memory(clock)
    hub = pair(tmp_path, clock, target)
    hub.systems["source"].add(**ann(job_title="CTO"))
    hub.sync(connections=("target",))
    there = target.add(**ann(department="R&D"))
    original = target.write

    def knows(object, items, fields):  # type: ignore[no-untyped-def]
        creates = [item for item in items if item.kind is WriteKind.CREATE]
        if creates:
            return [RefusedItem("exists", {"email": "taken"}, existing_id=there) for _ in items]
        return original(object, items, fields)

    target.write = knows  # type: ignore[method-assign]
    target.pull = _without_new(target)  # type: ignore[method-assign]
    hub.sync()
    hub.sync()
    assert links(hub, "ann@example.com") == {("source", "people", "1"), ("target", "people", there)}
    assert target.values(there)["job_title"] == "CTO"
    assert hub.systems["source"].values("1")["department"] == "R&D"


def test_p01_a_found_record_that_cannot_be_read_now_stops_nobody_else(tmp_path: Path, clock: Clock) -> None:
    target = Memory(clock)
    hub = pair(tmp_path, clock, target)
    hub.sync()
    hub.systems["source"].add(**ann(job_title="CTO"))
    there, read, write = "1", target.read, target.write

    def knows(object, items, fields):  # type: ignore[no-untyped-def]
        target.add(**ann(department="R&D"))
        target.write = write  # type: ignore[method-assign]
        return [RefusedItem("exists", {"email": "taken"}, existing_id=there) for _ in items]

    def broken(object, ids, fields):  # type: ignore[no-untyped-def]
        raise Transient("down")

    target.write, target.read = knows, broken  # type: ignore[method-assign]
    report = hub.sync()
    assert list(report.failed) == ["target"]
    target.read = read  # type: ignore[method-assign]
    hub.sync()
    assert target.values(there) | {"job_title": "CTO", "department": "R&D"} == target.values(there)
    assert hub.systems["source"].values("1")["department"] == "R&D"


def test_p01_a_record_that_is_somebody_elses_is_a_question_and_not_counted_as_done(
    tmp_path: Path, clock: Clock
) -> None:
    target = Memory(clock)
    hub = pair(tmp_path, clock, target)
    target.add(**person(7))
    hub.sync()
    hub.systems["source"].add(**ann())

    def knows(object, items, fields):  # type: ignore[no-untyped-def]
        return [RefusedItem("exists", {"email": "taken"}, existing_id="1") for _ in items]

    target.write = knows  # type: ignore[method-assign]
    report = hub.sync()
    counted = {what: report.tally.get(what, "target") for what in ("creates", "done", "failed")}
    assert counted == {"creates": 1, "done": 0, "failed": 1}
    assert report.outcome is RunOutcome.WITH_ERRORS
    (waiting,) = hub.store.deliveries([DeliveryState.PARKED], None, 10)
    assert waiting.code == "TU-ID-409"


def _without_new(target: Memory):  # type: ignore[no-untyped-def]
    """A change feed that is late: it does not show yet what a person has just made there."""
    original = target.pull

    def pull(object, reading, cursor, fields):  # type: ignore[no-untyped-def]
        page = original(object, reading, cursor, fields)
        return type(page)((), cursor or page.cursor, False)

    return pull


# -- P02 ------------------------------------------------------------------------------------------


def scene(folder: Path) -> SmallHub:
    clock = Clock()
    systems = {"source": Memory(clock), "target": Memory(clock)}
    systems["source"].add(**ann(job_title="CTO"))
    systems["source"].add(**person(2))
    return hub_of(folder, clock, systems, Setting(create=("target",)))


def steps(folder: Path) -> list[str]:
    """Every moment of a run that creates two records."""
    hub, wire = scene(folder), Wire()
    wired(hub, wire)
    hub.sync()
    hub.store.close()
    return wire.steps


def test_p02_a_crash_at_any_step_of_a_create_leaves_one_record_and_one_link(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    for at in range(1, len(steps(quiet)) + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        _killed_at(at, folder)


def _killed_at(at: int, folder: Path) -> None:
    hub, wire = scene(folder), Wire(at)
    clock = hub.systems["source"].clock
    wired(hub, wire)
    with pytest.raises(Crash):
        hub.sync()
    hub = reborn(hub, folder, clock)
    hub.sync()
    clock.tick(60)
    report = hub.sync()
    where = f"killed {wire.steps[at - 1]} (step {at})"
    assert [one["email"] for one in hub.systems["target"].living().values()] == [
        "ann@example.com",
        "p2@example.com",
    ], where
    for text in ("ann@example.com", "p2@example.com"):
        assert {one[0] for one in links(hub, text)} == {"source", "target"}, where
    assert report.outcome is RunOutcome.COMPLETED, where
    hub.store.close()


def test_p02_a_run_killed_again_and_again_ends_with_everybody_once(tmp_path: Path) -> None:
    clock, dice = Clock(), random.Random(7)
    systems = {"source": Memory(clock, page=7), "target": Memory(clock, page=7)}
    hub = hub_of(tmp_path, clock, systems, Setting(create=("target",)))
    for number in range(60):
        systems["source"].add(**person(number))
    for at in _moments(dice):
        wired(hub, Wire(at))
        try:
            hub.sync()
        except Crash:
            hub = reborn(hub, tmp_path, clock)
    hub = reborn(hub, tmp_path, clock)
    hub.sync()
    assert sorted(one["email"] for one in systems["target"].living().values()) == sorted(
        person(number)["email"] for number in range(60)
    )
    assert len(contacts(hub)) == 60


def _moments(dice: random.Random) -> Iterator[int]:
    for _ in range(15):
        yield dice.randint(5, 120)
