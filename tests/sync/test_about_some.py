"""A run about some contacts waits for their writes, is judged by them, and asks the fuses about them only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.demands.hubs import OPT_OUT, Setting, hub_of, person
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from tests.sync.test_founding import ann as ann_of_acme
from tests.sync.test_founding import bob, firms, hub_with
from trueup.connectors.base import WriteItem
from trueup.model.run import Gate, RunOutcome
from trueup.services.scope import Scope
from trueup.sync.engine import Order, Report, run
from trueup.sync.rules.guard import Fuse

PEOPLE = 4
ANN = "p0@example.com"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock) -> SmallHub:
    """Some people in two systems, in step."""
    systems = {name: Memory(clock) for name in ("sales", "marketing")}
    objects = [(name, rules(consent=(OPT_OUT,))) for name in systems]
    hub = hub_of(folder, clock, systems, Setting(objects))
    for number in range(PEOPLE):
        for system in systems.values():
            system.add(**person(number, job_title="old"), no_mail=False)
    hub.sync()
    hub.release()
    hub.sync()
    return hub


def about(hub: SmallHub, who: str = ANN) -> Report:
    chosen = Scope(only=who).about(hub.store)
    return run(hub.parts, Order(tuple(hub.systems), user="test", about=chosen))


def locked(*ids: str) -> object:
    return lambda item: item.id in ids


def titles(hub: SmallHub, name: str = "marketing") -> list[object]:
    return [row.get("job_title") for row in hub.systems[name].living().values()]


def bobs_waits(hub: SmallHub, **edit: object) -> None:
    """What somebody changed of another person could not be written for now."""
    hub.systems["marketing"].locked = locked("2")  # type: ignore[assignment]
    hub.systems["sales"].edit("2", **edit)
    assert hub.sync().outcome is RunOutcome.PARTIAL


def test_it_neither_waits_for_the_writes_of_others_nor_is_judged_by_them(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    bobs_waits(hub, job_title="new")
    hub.parts = replace(hub.parts, timing=replace(hub.parts.timing, patience=1e6))
    began = clock.now()
    assert about(hub).outcome is RunOutcome.COMPLETED
    assert (clock.now() - began).total_seconds() < 1


def test_it_is_judged_by_the_opt_outs_of_others_which_it_passes_on(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    bobs_waits(hub, no_mail=True)
    assert about(hub).outcome is RunOutcome.PARTIAL


def test_it_is_judged_by_the_writes_of_those_it_is_about(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    bobs_waits(hub, job_title="new")
    assert about(hub, "p1@example.com").outcome is RunOutcome.PARTIAL


def all_cleared(hub: SmallHub) -> None:
    """Somebody empties the job of everybody, which is more than the fuse lets go."""
    hub.parts = replace(hub.parts, fuses={"clear": Fuse(count=2)})
    for id in hub.systems["sales"].living():
        hub.systems["sales"].edit(id, job_title=None)
    assert hub.sync().outcome is RunOutcome.HELD
    assert titles(hub) == ["old"] * PEOPLE


def test_what_is_held_of_others_holds_back_no_clearing_of_one_person(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    all_cleared(hub)
    hub.systems["sales"].edit("1", department=None)
    report = about(hub)
    assert titles(hub) == [None, "old", "old", "old"]
    assert report.outcome is RunOutcome.COMPLETED
    assert hub.store.gates() == {("marketing", "clear"): Gate(PEOPLE - 1, True)}


def test_more_clearings_than_its_fuse_allows_are_held_of_a_few_too(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.parts = replace(hub.parts, fuses={"clear": Fuse(count=2)})
    for id in hub.systems["sales"].living():
        hub.systems["sales"].edit(id, job_title=None)
    some = Scope(limit=PEOPLE - 1).about(hub.store)
    report = run(hub.parts, Order(tuple(hub.systems), user="test", about=some))
    assert report.outcome is RunOutcome.HELD
    assert titles(hub) == ["old"] * PEOPLE


def written_people(hub: SmallHub) -> list[WriteItem]:
    people: Memory = hub.systems["sales"]["people"]  # type: ignore[index]
    return people.written


def test_a_company_that_is_made_for_a_chosen_contact_is_written_before_it(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock)
    hub.sync()
    hub.systems["marketing"].add(**ann_of_acme(employer="Acme"))
    hub.systems["marketing"].add(**bob(email="bob@bolt.example", employer="Bolt"))
    assert about(hub, "ann@acme.example").outcome is RunOutcome.COMPLETED
    assert [one["name"] for one in firms(hub)] == ["Acme"]
    assert [one.values.get("firm_id") for one in written_people(hub)] == ["1"]


def test_a_company_that_others_know_is_written_before_the_chosen_contact(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock, erp=Memory(clock, "firms", "company", keys=("name",)))
    hub.sync()
    hub.systems["erp"].add(name="Acme", domain="acme.example")
    hub.systems["erp"].add(name="Bolt", domain="bolt.example")
    hub.systems["marketing"].add(**ann_of_acme(employer="Acme"))
    assert about(hub, "ann@acme.example").outcome is RunOutcome.COMPLETED
    assert [one["name"] for one in firms(hub)] == ["Acme"]
    assert [one.values.get("firm_id") for one in written_people(hub)] == ["1"]
