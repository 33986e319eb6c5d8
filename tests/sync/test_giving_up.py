"""How long a write is tried again: limits and logins are no attempts, and consent is never given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.errors import ConnectorError, RateLimited, Unauthorized
from trueup.mapping.schema import ConsentRule
from trueup.model.delivery import Delivery, DeliveryState

OPT_OUT = ConsentRule("email", "marketing", "optout", opted_out=True)


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    """Ann in two systems that agree."""
    clock = Clock()
    objects = {name: rules(consent=(OPT_OUT,)) for name in ("source", "target")}
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in objects}, objects=objects)
    for system in hub.systems.values():
        system.add(email="ann@example.com", first_name="Ann", optout=False)
    hub.sync()
    hub.release()
    return hub


def run(hub: SmallHub, every: timedelta, times: int) -> None:
    for _ in range(times):
        hub.systems["source"].clock.tick(every.total_seconds())
        hub.sync()


def parked(hub: SmallHub) -> Sequence[Delivery]:
    return hub.store.deliveries([DeliveryState.PARKED], None, 9)


def closed(error: ConnectorError) -> Callable[..., None]:
    def write(*_: object) -> None:
        raise error

    return write


@pytest.mark.parametrize("error", [RateLimited("daily limit", retry_after=3600.0), Unauthorized("expired")])
def test_a_system_that_lets_nobody_in_for_days_costs_no_write_its_attempts(
    error: ConnectorError, hub: SmallHub
) -> None:
    target = hub.systems["target"]
    hub.systems["source"].edit("1", job_title="CTO")
    target.write = closed(error)  # type: ignore[method-assign, assignment]
    run(hub, timedelta(hours=6), 30)
    (waits,) = hub.store.deliveries([DeliveryState.DUE], None, 9)
    assert waits.attempts == 0
    del target.write
    run(hub, timedelta(hours=2), 1)
    assert target.values("1")["job_title"] == "CTO"


def test_an_outage_of_a_night_parks_nothing_however_often_it_is_tried(hub: SmallHub) -> None:
    target = hub.systems["target"]
    target.locked = lambda item: True
    hub.systems["source"].edit("1", job_title="CTO")
    run(hub, timedelta(minutes=15), 40)
    assert parked(hub) == []
    target.locked = lambda item: False
    run(hub, timedelta(hours=2), 1)
    assert target.values("1")["job_title"] == "CTO"


def test_what_cannot_be_applied_for_days_waits_for_a_person_and_is_tried_as_long_again(
    hub: SmallHub,
) -> None:
    hub.systems["target"].locked = lambda item: True
    hub.systems["source"].edit("1", job_title="CTO")
    run(hub, timedelta(hours=12), 6)
    assert parked(hub) == []
    run(hub, timedelta(hours=12), 1)
    (one,) = parked(hub)
    assert (one.code, one.error) == ("TU-CON-012", "gave up after 3 days: the row is locked")
    hub.store.retry([one.id], "ops", hub.parts.now())
    run(hub, timedelta(hours=12), 5)
    assert parked(hub) == []


def test_a_write_that_was_held_for_weeks_is_tried_as_long_as_any_other(hub: SmallHub) -> None:
    target = hub.systems["target"]
    hub.systems["source"].edit("1", job_title="CTO")
    target.write = closed(Unauthorized("expired"))  # type: ignore[method-assign, assignment]
    run(hub, timedelta(days=7), 3)
    del target.write
    target.locked = lambda item: True
    run(hub, timedelta(hours=12), 3)
    assert parked(hub) == []


def test_an_opt_out_is_tried_until_it_is_delivered(hub: SmallHub) -> None:
    target = hub.systems["target"]
    target.locked = lambda item: True
    hub.systems["source"].edit("1", optout=True)
    run(hub, timedelta(days=1), 20)
    assert parked(hub) == []
    target.locked = lambda item: False
    run(hub, timedelta(days=1), 1)
    assert target.values("1")["optout"] is True
