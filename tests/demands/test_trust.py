"""P42, D16, A04, A05, D1, D9, D14: every value can be explained, every run foretold, every tool exchanged."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.demands.hubs import (
    OPT_OUT,
    Setting,
    When,
    ann,
    contacts,
    hub_of,
    mapped,
    person,
    public,
    told,
    until_quiet,
    written,
)
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.model.record import Json
from trueup.services.asking import why_values
from trueup.sync.engine import Report, landing
from trueup.sync.preview import preview
from trueup.sync.tally import Tally, Undecided

NAMES = ("sales", "marketing", "support")
FIELDS = ("email", "first_name", "last_name", "job_title", "department", "tags", "interests")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def three(folder: Path, clock: Clock, create: tuple[str, ...] = NAMES, **more: Any) -> SmallHub:
    systems = {name: Memory(clock, page=50) for name in NAMES}
    objects = [(name, rules(fields=mapped(*FIELDS), consent=(OPT_OUT,))) for name in NAMES]
    return hub_of(folder, clock, systems, Setting(objects, create=create, **more))


# -- P42, D16, A05 --------------------------------------------------------------------------------


def test_p42_a_value_names_its_source_time_rule_and_what_it_replaced(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    clock.tick(3600)
    hub.systems["support"].edit("1", job_title="COO")
    hub.sync()
    case = hub.store.case(public(hub, "ann@example.com"))
    (why,) = why_values(hub, case, "job_title")  # type: ignore[arg-type]
    assert (why.value, why.replaced, why.rule) == ("COO", "CTO", "authority")
    assert why.source.startswith("support")
    assert why.run == hub.reports[-1].run_id
    assert why.at is not None and (clock.now() - why.at).total_seconds() < 60


def test_p42_a_value_that_lost_is_named_with_its_source(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    for name in NAMES:
        hub.systems[name].edit("1", job_title=f"from {name}")
    hub.sync()
    case = hub.store.case(public(hub, "ann@example.com"))
    (why,) = why_values(hub, case, "job_title")  # type: ignore[arg-type]
    assert why.value == "from sales"
    assert {(one.value, one.source.split("/")[0]) for one in why.losers} == {
        ("from marketing", "marketing"),
        ("from support", "support"),
    }


@pytest.mark.parametrize("seed", range(4))
def test_a05_the_history_of_a_random_life_rebuilds_every_value(
    seed: int, tmp_path: Path, clock: Clock
) -> None:
    dice, hub = random.Random(seed), three(tmp_path, clock)
    _live(hub, clock, dice)
    for id, values in contacts(hub).items():
        case = hub.store.case(id)
        rebuilt: dict[str, object] = {}
        for row in reversed(hub.store.history(id, 10_000)):
            for change in row.changes:
                assert change.source and change.rule and row.run_id
                assert rebuilt.get(change.field) == change.old
                rebuilt[change.field] = change.new
        assert {name: value for name, value in rebuilt.items() if value is not None} == dict(values)
        assert {why.field for why in why_values(hub, case) if why.rule} >= set(values)  # type: ignore[arg-type]


def _live(hub: SmallHub, clock: Clock, dice: random.Random) -> None:
    for number in range(6):
        for name in dice.sample(NAMES, dice.randint(1, 3)):
            hub.systems[name].add(**person(number, job_title=f"w{dice.random()}", tags=dice.sample("abc", 2)))
    hub.sync()
    hub.release()
    for turn in range(25):
        system = hub.systems[dice.choice(NAMES)]
        id = dice.choice(sorted(system.living()))
        edits: list[dict[str, Json]] = [{"job_title": f"e{turn}"}, {"department": None}]
        edits.append({"department": f"d{turn}"})
        edits += [{"tags": dice.sample("abcd", 2)}, {"no_mail": True}, {"email": f"new{turn}@example.com"}]
        system.edit(id, **dice.choice(edits))
        if dice.random() < 0.5:
            hub.sync()
    until_quiet(hub, clock, most=10)


# -- A04 ------------------------------------------------------------------------------------------


def _everybody_is_decided(undecided: Undecided) -> None:
    raise AssertionError(str(undecided))


def test_a04_a_plan_foretells_what_the_sync_does_and_changes_nothing(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    for number in range(20):
        hub.systems["sales"].add(**person(number, job_title="x"))
        if number % 2:
            hub.systems["marketing"].add(**person(number, department="y"))
    foretold = Tally()
    landing(hub.parts, NAMES, Report(0), None)
    for _, plan in preview(hub.parts, foretold.undecided):
        foretold.planned(plan)
    assert written(hub) == 0
    assert contacts(hub) == {}
    report = hub.sync()
    for what in ("creates", "updates", "fills", "replaces", "clears"):
        for name in NAMES:
            assert foretold.get(what, name) == report.tally.get(what, name), (what, name)
    assert report.tally.get("creates") == 30


# -- D1 -------------------------------------------------------------------------------------------


def test_d1_names_that_do_not_qualify_stay_out_of_sales_and_cost_no_call(
    tmp_path: Path, clock: Clock
) -> None:
    qualifies = {("sales", "people"): When("job_title", "qualified")}
    hub = three(tmp_path, clock, create=(), conditions=qualifies)
    for number in range(500):
        title = "qualified" if number % 33 == 0 else "name"
        hub.systems["marketing"].add(**person(number, job_title=title))
    hub.sync()
    assert set(told(hub.systems["sales"], "job_title")) == {"qualified"}
    assert len(hub.systems["sales"].living()) == len(hub.systems["sales"].written) == 16
    assert hub.systems["sales"].calls.count("write") == 1


def test_d1_a_name_that_qualifies_later_is_created_then_once(tmp_path: Path, clock: Clock) -> None:
    qualifies = {("sales", "people"): When("job_title", "qualified")}
    hub = three(tmp_path, clock, create=(), conditions=qualifies)
    hub.systems["marketing"].add(**ann(job_title="name"))
    hub.sync()
    assert hub.systems["sales"].living() == {}
    hub.systems["marketing"].edit("1", job_title="qualified")
    hub.sync()
    hub.systems["marketing"].edit("1", job_title="name again")
    hub.release()
    until_quiet(hub, clock)
    hub.systems["marketing"].edit("1", job_title="qualified")
    until_quiet(hub, clock)
    assert len(hub.systems["sales"].rows) == 1


# -- D9 -------------------------------------------------------------------------------------------


def test_d9_an_interest_that_sales_noted_is_in_marketing_after_the_next_run(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock)
    hub.systems["marketing"].add(**ann(interests=["golf"]))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    hub.systems["sales"].edit("1", interests=["golf", "boats"])
    hub.sync()
    assert sorted(told(hub.systems["marketing"], "interests")[0]) == ["boats", "golf"]
    (row, *_) = hub.store.history(public(hub, "ann@example.com"), 5)
    assert [change.source for change in row.changes if change.field == "interests"] == ["sales/people/1"]


# -- D14 ------------------------------------------------------------------------------------------


def test_d14_records_of_the_new_tool_that_fit_two_contacts_are_reported_not_guessed(
    tmp_path: Path, clock: Clock
) -> None:
    fields = mapped("email", "first_name", "last_name", **{"emails.other": "other"})
    systems = {"old_crm": Memory(clock), "new_crm": Memory(clock)}
    objects = [(name, rules(fields=fields)) for name in systems]
    hub = hub_of(tmp_path, clock, systems, Setting(objects))
    systems["old_crm"].add(**person(1))
    systems["old_crm"].add(**person(2))
    hub.sync()
    systems["new_crm"].add(**person(1, other="p2@example.com"))
    hub.sync()
    assert len(hub.store.unsure(10)) == 2
    assert written(hub) == 0


def test_d14_one_tool_is_exchanged_for_another_and_everybody_keeps_id_history_and_consent(
    tmp_path: Path, clock: Clock
) -> None:
    systems = {name: Memory(clock, page=50) for name in ("old_crm", "marketing")}
    objects = [(name, rules(fields=mapped(*FIELDS), consent=(OPT_OUT,))) for name in (*systems, "new_crm")]
    hub = hub_of(tmp_path, clock, systems, Setting(objects[:2], create=("marketing",)))
    for number in range(20):
        systems["old_crm"].add(**person(number, job_title="x", no_mail=number == 3))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    before, history = contacts(hub), {id: len(hub.store.history(id, 99)) for id in contacts(hub)}
    marketing = len(systems["marketing"].written)
    hub.store.remove_connection("old_crm", "ann", clock.now())
    new = {"new_crm": Memory(clock, page=50), "marketing": systems["marketing"]}
    for number in range(20):
        new["new_crm"].add(**person(number, job_title="x"))
    setting = Setting([objects[2], objects[1]], create=("marketing",), version="v2")
    hub = hub_of(tmp_path, clock, new, setting, hub.store)
    report = hub.sync()
    until_quiet(hub, clock)
    assert contacts(hub) == before
    assert {id: len(hub.store.history(id, 99)) for id in before} == history
    assert report.tally.get("creates") == 0
    assert len(systems["marketing"].written) == marketing
    assert told(new["new_crm"], "no_mail").count(True) == 1
    assert new["new_crm"].values("4")["no_mail"] is True
