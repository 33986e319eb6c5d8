"""More records are missing than is believed to be deleted: a person may say that they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.test_flow import LISTS_ONLY, pair
from tests.sync.memory import Clock
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import Capability
from trueup.model.run import RunOutcome
from trueup.sync.engine import Report


def shrunk(folder: Path, clock: Clock, capabilities: frozenset[Capability] = LISTS_ONLY) -> SmallHub:
    """40 of 100 records went, and a run saw it."""
    hub = pair(folder, clock, people=100, capabilities=capabilities)
    vanish(hub, 40)
    assert later(hub, clock).outcome is RunOutcome.HELD
    return hub


def later(hub: SmallHub, clock: Clock) -> Report:
    clock.tick(60)
    return hub.sync()


def vanish(hub: SmallHub, number: int) -> None:
    rows = hub.systems["source"].rows
    for id in list(rows)[:number]:
        del rows[id]


def accept(hub: SmallHub) -> int:
    (found,) = hub.store.absences()
    return hub.store.accept_absences(found.run_id, "ann", hub.parts.now())


def living(hub: SmallHub) -> int:
    return hub.store.count_links()["source", "people", "live"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_every_run_stays_held_until_a_person_decides(tmp_path: Path, clock: Clock) -> None:
    hub = shrunk(tmp_path, clock)
    assert (later(hub, clock).outcome, living(hub)) == (RunOutcome.HELD, 100)
    (found,) = hub.store.absences()
    assert (found.run_id, found.connection, found.number) == (hub.reports[-1].run_id, "source", 40)


def test_what_was_accepted_is_deleted_at_the_next_reading(tmp_path: Path, clock: Clock) -> None:
    hub = shrunk(tmp_path, clock)
    assert accept(hub) == 40
    assert living(hub) == 100
    report = later(hub, clock)
    assert (report.tally.get("gone", "source"), living(hub)) == (40, 60)
    assert hub.store.absences() == []


def test_the_acceptance_is_recorded_with_the_name_of_the_person(tmp_path: Path, clock: Clock) -> None:
    hub = shrunk(tmp_path, clock)
    accept(hub)
    (row,) = hub.store.audit(f"run {hub.reports[-1].run_id}", 10)
    assert (row.user, row.action, row.details["missing"]) == ("ann", "runs approve", 40)


def test_what_came_back_meanwhile_is_not_deleted(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, people=100, capabilities=LISTS_ONLY)
    rows = hub.systems["source"].rows
    before = dict(rows)
    vanish(hub, 40)
    later(hub, clock)
    accept(hub)
    rows.update({id: before[id] for id in list(before)[:10]})
    later(hub, clock)
    assert living(hub) == 70


def test_what_vanished_only_after_the_acceptance_is_weighed_anew(tmp_path: Path, clock: Clock) -> None:
    hub = shrunk(tmp_path, clock)
    accept(hub)
    vanish(hub, 30)
    report = later(hub, clock)
    assert (living(hub), report.outcome) == (60, RunOutcome.HELD)
    assert [(one.run_id, one.number) for one in hub.store.absences()] == [(report.run_id, 30)]


def test_an_acceptance_counts_once(tmp_path: Path, clock: Clock) -> None:
    hub = shrunk(tmp_path, clock)
    accept(hub)
    later(hub, clock)
    vanish(hub, 30)
    assert (later(hub, clock).outcome, living(hub)) == (RunOutcome.HELD, 60)


def test_where_only_changes_are_read_the_acceptance_is_followed_by_a_listing(
    tmp_path: Path, clock: Clock
) -> None:
    hub = shrunk(tmp_path, clock)
    for system in hub.systems.values():
        system.capabilities = LISTS_ONLY | {Capability.INCREMENTAL}
    assert later(hub, clock).outcome is RunOutcome.HELD
    accept(hub)
    later(hub, clock)
    assert living(hub) == 60
