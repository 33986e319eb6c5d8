"""Back-fills: the effect of a changed mapping, in a stated direction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.demands.hubs import Setting, ann, hub_of, policy_of, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import FieldRule
from trueup.model.fields import Kind
from trueup.model.plan import Plan
from trueup.sync.preview import preview
from trueup.sync.rules.backfill import Backfill, Way, asked, read_reason
from trueup.sync.rules.guard import Fuse
from trueup.sync.tally import Tally

BASE = ("email", "first_name", "last_name")
TITLE = FieldRule("job_title", "title")
PUSH = Backfill("sales", "people", "title", Way.PUSH)
PULL = Backfill("sales", "people", "title", Way.PULL)


def remapped(hub: SmallHub, rule: FieldRule) -> SmallHub:
    """The same hub after the mapping of sales was changed; everything has been decided with it."""
    names = {name: [FieldRule(one, one) for one in BASE] for name in hub.systems}
    names["sales"].append(rule)
    names["marketing"].append(FieldRule("job_title", "title"))
    names["marketing"].append(FieldRule("department", "unit"))
    objects = [(name, rules(fields=fields)) for name, fields in names.items()]
    policy = policy_of(hub.systems, Setting(objects, order=("sales", "marketing"), version="v2"))
    hub.parts = replace(hub.parts, policy=policy)
    hub.sync()
    return hub


def titled(folder: Path, clock: Clock, sales: str | None, rule: FieldRule = TITLE) -> SmallHub:
    """Ann in both systems. Sales' `title` stood for her department so far; now it is her job title, CTO."""
    systems = {"sales": Memory(clock), "marketing": Memory(clock)}
    base = [FieldRule(one, one) for one in BASE]
    objects = [
        ("sales", rules(fields=[*base, FieldRule("department", "title")])),
        ("marketing", rules(fields=[*base, TITLE, FieldRule("department", "unit")])),
    ]
    hub = hub_of(folder, clock, systems, Setting(objects, order=("sales", "marketing")))
    systems["sales"].add(**ann(title=sales))
    systems["marketing"].add(**ann(title="CTO", unit=sales))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return remapped(hub, rule)


def foretold(hub: SmallHub, fill: Backfill) -> list[Plan]:
    plans = [plan for _, plan in preview(hub.parts, Tally().undecided, fills=[fill])]
    return [plan for plan in plans if plan.writes or plan.changes or plan.withheld]


def carried_out(hub: SmallHub, fill: Backfill) -> None:
    hub.store.mark_due(hub.store.holders(*fill.stream, 0, 100), fill.reason)
    hub.sync()


def test_a_reason_tells_its_back_fill_whatever_the_names_are() -> None:
    odd = Backfill("my crm", "a/b", "First name: 100 %", Way.PULL)
    assert " " not in odd.reason
    assert read_reason(odd.reason) == odd
    assert asked(("read", "config", odd.reason)) == {("my crm", "a/b", "First name: 100 %"): Way.PULL}


def test_a_changed_mapping_alone_moves_nothing(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales")
    assert hub.systems["sales"].values("1")["title"] == "Sales"
    assert hub.systems["marketing"].values("1")["title"] == "CTO"


def test_a_back_fill_is_foretold_without_changing_anything(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales")
    before = written(hub)
    for fill in (PUSH, PULL):
        assert len(foretold(hub, fill)) == 1
    assert hub.store.due([Kind.CONTACT], clock.now(), 0, 10) == []
    hub.sync()
    assert written(hub) == before


def test_a_push_writes_the_hubs_value_where_it_differs(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales")
    carried_out(hub, PUSH)
    assert hub.systems["sales"].values("1")["title"] == "CTO"
    until_quiet(hub, clock, most=1)
    assert hub.contact("ann@example.com")["department"] == "Sales"


def test_a_push_of_a_value_that_is_there_writes_nothing(tmp_path: Path) -> None:
    hub = titled(tmp_path, Clock(), "CTO")
    assert foretold(hub, PUSH) == []


def test_an_empty_value_is_not_pushed_over_anything(tmp_path: Path) -> None:
    hub = titled(tmp_path, Clock(), "Sales", FieldRule("middle_name", "title"))
    assert foretold(hub, PUSH) == []


def test_a_push_is_withheld_until_the_connection_is_released(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales")
    hub.parts = replace(hub.parts, store=Unreleased(hub.store))  # type: ignore[arg-type]
    assert [len(plan.withheld) for plan in foretold(hub, PUSH)] == [1]
    assert [plan.writes for plan in foretold(hub, PUSH)] == [()]


def test_a_push_beyond_what_one_run_may_change_is_held(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales")
    hub.parts = replace(hub.parts, fuses={**hub.parts.fuses, "change": Fuse(count=0)})
    carried_out(hub, PUSH)
    assert hub.systems["sales"].values("1")["title"] == "Sales"
    assert hub.reports[-1].held == {("sales", "change"): 1}


def test_a_push_that_was_begun_is_finished_by_the_next_run(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales")
    hub.systems["sales"].locked = lambda item: True
    carried_out(hub, PUSH)
    hub.systems["sales"].locked = lambda item: False
    hub.systems["sales"].edit("1", last_name="Leigh")
    clock.tick(3600)
    hub.sync()
    assert hub.systems["sales"].values("1")["title"] == "CTO"


def test_an_edit_there_that_nobody_has_read_yet_is_judged_before_a_push(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales")
    hub.systems["sales"].edit("1", title="COO")
    carried_out(hub, PUSH)
    assert hub.systems["marketing"].values("1")["title"] == "COO"


def test_a_pull_takes_the_value_of_the_stronger_system_and_passes_it_on(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "COO")
    carried_out(hub, PULL)
    assert hub.contact("ann@example.com")["job_title"] == "COO"
    assert hub.systems["marketing"].values("1")["title"] == "COO"


def test_a_pull_never_displaces_what_a_person_said_and_writes_nothing_back(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "COO")
    hub.store.edit("c-1", {"job_title": "CTO"}, "al", clock.now(), False)
    hub.sync()
    carried_out(hub, PULL)
    assert hub.contact("ann@example.com")["job_title"] == "CTO"
    assert hub.systems["sales"].values("1")["title"] == "COO"


def test_an_edit_there_that_nobody_has_read_yet_stays_an_edit_in_a_pull(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "COO")
    hub.store.edit("c-1", {"job_title": "CTO"}, "al", clock.now(), False)
    hub.sync()
    hub.systems["sales"].edit("1", title="Founder")
    carried_out(hub, PULL)
    assert hub.contact("ann@example.com")["job_title"] == "Founder"


def test_a_pull_corrects_what_the_same_system_said_before(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, "Sales", FieldRule("department", "title", values={"Selling": ("Sales",)}))
    assert hub.contact("ann@example.com")["department"] == "Sales"
    carried_out(hub, PULL)
    assert hub.contact("ann@example.com")["department"] == "Selling"
    until_quiet(hub, clock, most=2)
    assert hub.systems["sales"].values("1")["title"] == "Sales"


def test_a_pull_of_an_empty_field_takes_nothing_away(tmp_path: Path) -> None:
    hub = titled(tmp_path, Clock(), None)
    assert foretold(hub, PULL) == []


class Unreleased:
    """A store in which no connection was released."""

    def __init__(self, store: object) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def released(self) -> frozenset[str]:
        return frozenset()


# -- a field that was never mapped ------------------------------------------------------------------


def untitled(folder: Path, clock: Clock, sales: str | None, marketing: str | None) -> SmallHub:
    """Ann in both systems. Nothing was mapped to sales' `title` so far; now it is her job title."""
    systems = {"sales": Memory(clock), "marketing": Memory(clock)}
    base = [FieldRule(one, one) for one in BASE]
    objects = [("sales", rules(fields=base)), ("marketing", rules(fields=[*base, TITLE]))]
    hub = hub_of(folder, clock, systems, Setting(objects, order=("sales", "marketing")))
    systems["sales"].add(**ann(title=sales))
    systems["marketing"].add(**ann(title=marketing))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return remapped(hub, TITLE)


def test_a_field_that_is_mapped_for_the_first_time_is_not_filled_by_itself(tmp_path: Path) -> None:
    clock = Clock()
    hub = untitled(tmp_path, clock, None, "CTO")
    until_quiet(hub, clock)
    assert hub.systems["sales"].values("1")["title"] is None
    assert [plan.writes[0].values for plan in foretold(hub, PUSH)] == [{"title": "CTO"}]


def test_what_moves_after_a_field_was_mapped_for_the_first_time_is_written(tmp_path: Path) -> None:
    clock = Clock()
    hub = untitled(tmp_path, clock, None, "CTO")
    hub.systems["marketing"].edit("1", title="CFO")
    until_quiet(hub, clock)
    assert hub.systems["sales"].values("1")["title"] == "CFO"


def test_a_field_that_is_mapped_for_the_first_time_is_read(tmp_path: Path) -> None:
    clock = Clock()
    hub = untitled(tmp_path, clock, "CTO", None)
    until_quiet(hub, clock)
    assert hub.systems["marketing"].values("1")["title"] == "CTO"
