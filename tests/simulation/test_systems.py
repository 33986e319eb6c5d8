"""What a simulated system does by itself: fields that drift, workflows, tokens, requests that land late."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from trueup.testing.plan import Event, Plan
from trueup.testing.ports import WorldClock
from trueup.testing.system import HUB, ROBOT, Problem, System
from trueup.testing.traits import Traits
from trueup.testing.trial import tried
from trueup.testing.wire import LATE, Fault, Wire

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> WorldClock:
    return WorldClock(START)


def system(clock: WorldClock, **traits: object) -> System:
    found = System(Traits("alpha", **traits), clock.now, itertools.count(1))  # type: ignore[arg-type]
    clock.next_due = lambda: min(found.due(), default=None)
    clock.passed = found.automations
    return found


def test_a_field_that_was_removed_is_refused_until_it_is_back(
    clock: WorldClock,
) -> None:
    alpha = system(clock)
    row = alpha.user_create("p1", {"title": "Clerk", "unit": "Sales"})
    alpha.drift("title", "removed")
    assert alpha.update(row.id, {"title": "Head"}, None) == Problem("invalid", field="title")
    assert not alpha.shows("title")
    alpha.mend()
    assert alpha.update(row.id, {"title": "Head"}, None) is row


def test_a_field_that_is_shorter_takes_short_values_only(clock: WorldClock) -> None:
    alpha = system(clock)
    row = alpha.user_create("p1", {"unit": "Sales"})
    alpha.drift("unit", "short")
    assert alpha.update(row.id, {"unit": "Marketing"}, None) == Problem("invalid", field="unit")
    assert alpha.update(row.id, {"unit": "IT"}, None) is row


def test_a_workflow_rewrites_a_value_once_some_seconds_after_it_was_written(clock: WorldClock) -> None:
    alpha = system(clock, robot="title")
    row = alpha.create({"title": "Clerk"}, "p1")
    clock.advance(400.0)
    assert not isinstance(row, Problem)
    assert [(act.by, act.after["title"], act.at) for act in alpha.acts] == [
        (HUB, "Clerk", START),
        (ROBOT, "Clerk r", START + timedelta(seconds=10)),
    ]


def test_a_request_lands_when_it_is_due_also_if_nobody_looks_for_long(clock: WorldClock) -> None:
    alpha = system(clock)
    wire = Wire(alpha, clock.now, lambda address: "p1")
    clock.next_due, clock.passed = lambda: min(wire.due(), default=None), wire.land_late
    wire.plan(Fault("create", 1, "late"))
    items = {"items": [{"tag": "1", "values": {"email": "ann@people.example"}}]}
    with pytest.raises(httpx.ReadTimeout):
        wire.handle_request(httpx.Request("POST", "https://alpha.example/create", json=items))
    clock.advance(4_000.0)
    assert [act.at for act in alpha.acts] == [START + LATE]


def test_tokens_expire_in_the_middle_of_a_run_and_it_ends_well() -> None:
    events = (
        *(Event("create", of=(0, 1), token=token) for token in range(101, 105)),
        Event("run", of=(0, 1)),
    )
    trial = tried(Plan(-1, "by hand", (Traits("alpha", tokens=1, page=1), Traits("beta")), events))
    assert not trial.wrong
    assert trial.seen["token expiry"] > 4
