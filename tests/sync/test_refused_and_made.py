"""New records that a system calls bad and makes nevertheless, where what is new shows late."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, hub_of
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import Outcome, RefusedItem, WriteItem
from trueup.model.delivery import DeliveryState
from trueup.model.run import RunOutcome
from trueup.services import standing

LAG = 30.0
DAN = {"email": "dan@acme.example", "first_name": "Dan", "last_name": "Oak", "job_title": "Boss"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refusing(folder: Path, clock: Clock, makes: bool, lag: float = LAG) -> SmallHub:
    """Dan is to be made in the target, which says no to the first request, and names no field."""
    target = Memory(clock, lag=lag)
    systems = {"source": Memory(clock), "target": target}
    hub = hub_of(folder, clock, systems, Setting(create=("target",)))
    hub.sync()
    for name in systems:
        hub.store.release(name, "ann", clock.now())
    systems["source"].add(**DAN)
    write = target.write

    def refuses(object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        if makes:
            write(object, items, fields)
        target.write = write  # type: ignore[method-assign]
        return [RefusedItem("bad request") for _ in items]

    target.write = refuses  # type: ignore[method-assign]
    return hub


def states(hub: SmallHub) -> list[DeliveryState]:
    return [one.state for one in hub.store.deliveries(list(DeliveryState), "target", 10)]


def test_what_cannot_be_seen_yet_is_looked_for_later_and_the_run_does_not_wait_for_it(
    tmp_path: Path, clock: Clock
) -> None:
    hub = refusing(tmp_path, clock, makes=True)
    began = clock.now()
    assert hub.sync().outcome is RunOutcome.WITH_ERRORS  # people are told at once
    assert (clock.now() - began).total_seconds() < LAG
    assert states(hub) == [DeliveryState.DOUBT]
    (open,) = hub.store.case("c-1").open
    word, sentence, _ = standing.of_open_write(hub.parts.store, open, "target")
    assert (word, "bad request" in sentence, "looked for first" in sentence) == ("in doubt", True, True)
    clock.tick(LAG)
    hub.sync()
    assert states(hub) == [DeliveryState.DONE]
    assert len(hub.systems["target"].living()) == 1


def test_nobody_is_made_twice_whatever_is_decided_meanwhile(tmp_path: Path, clock: Clock) -> None:
    hub = refusing(tmp_path, clock, makes=True)
    hub.sync()
    hub.systems["source"].edit("1", job_title="Chief")
    hub.sync()
    clock.tick(LAG)
    hub.sync()
    (dan,) = hub.systems["target"].living().values()
    assert dan["job_title"] == "Chief"


def test_what_was_cleared_before_it_is_found_stays_cleared(tmp_path: Path, clock: Clock) -> None:
    hub = refusing(tmp_path, clock, makes=True)
    hub.sync()
    hub.systems["source"].edit("1", job_title=None)
    clock.tick(LAG)
    hub.sync()
    assert hub.systems["source"].values("1")["job_title"] is None
    (dan,) = hub.systems["target"].living().values()
    assert dan["job_title"] is None


def test_what_was_refused_and_is_not_there_waits_for_a_person_with_the_reason(
    tmp_path: Path, clock: Clock
) -> None:
    hub = refusing(tmp_path, clock, makes=False)
    assert hub.sync().tally.counts[("target", "people", "failed")] == 1
    clock.tick(LAG)
    assert hub.sync().tally.counts[("target", "people", "failed")] == 0  # it was told of before
    (one,) = hub.store.deliveries([DeliveryState.PARKED], "target", 10)
    assert (one.error, one.code) == ("bad request", "TU-REF-001")
    assert hub.systems["target"].living() == {}


@pytest.mark.parametrize("makes", [True, False])
def test_what_is_tried_again_before_it_was_looked_for_is_looked_for_first(
    makes: bool, tmp_path: Path, clock: Clock
) -> None:
    hub = refusing(tmp_path, clock, makes=makes)
    hub.sync()
    (one,) = hub.store.deliveries([DeliveryState.DOUBT], "target", 10)
    assert hub.store.retry([one.id], "ann", clock.now()) == 1
    assert hub.sync().outcome is RunOutcome.COMPLETED
    assert len(hub.systems["target"].living()) == 1


def test_what_is_given_up_before_it_was_looked_for_is_not_made(tmp_path: Path, clock: Clock) -> None:
    hub = refusing(tmp_path, clock, makes=False)
    hub.sync()
    (one,) = hub.store.deliveries([DeliveryState.DOUBT], "target", 10)
    assert hub.store.discard([one.id], "ann", clock.now()) == 1
    clock.tick(LAG)
    assert hub.sync().outcome is RunOutcome.COMPLETED
    assert hub.systems["target"].living() == {}


@pytest.mark.parametrize("cased", [False, True])
def test_many_are_looked_for_together(cased: bool, tmp_path: Path, clock: Clock) -> None:
    """Each is found whatever form the system gives to what it is found by."""
    hub = refusing(tmp_path, clock, makes=True)
    target: Memory = hub.systems["target"]
    target.keeps = lambda path, value: f"<{value}>" if cased and path == "email" else value
    find = target.find
    target.find = lambda object, key, values, fields: find(  # type: ignore[method-assign]
        object, key, [f"<{value}>" if cased else value for value in values], fields
    )
    for number in range(9):
        hub.systems["source"].add(**{**DAN, "email": f"p{number}@acme.example", "first_name": f"P{number}"})
    hub.sync()
    before = target.calls.count("find")
    clock.tick(LAG)
    hub.sync()
    assert len(target.living()) == hub.store.count_links()[("target", "people", "live")] == 10
    assert target.calls.count("find") - before == (11 if cased else 1)


def test_where_all_shows_at_once_it_waits_for_a_person_at_once(tmp_path: Path, clock: Clock) -> None:
    hub = refusing(tmp_path, clock, makes=False, lag=0.0)
    hub.sync()
    assert states(hub) == [DeliveryState.PARKED]
