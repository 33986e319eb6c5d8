"""D3, D8, P35: stages, who may decide in which, and what travels in both directions."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, hub_of, mapped, public, told, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.model.fields import TABLES, Kind, Strategy
from trueup.model.history import Conflict
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import FieldPolicy
from trueup.sync.rules.verdict import Question, judge

NAMES = ("sales", "marketing")
FIELDS = ("email", "first_name", "last_name", "job_title", "stage", "tags", "interests")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def by_stage(kind: Kind, name: str) -> FieldPolicy:
    """Marketing decides on a name, sales from an opportunity on; the stage and the sets are everybody's."""
    strategy = TABLES[kind][name].strategy
    if name in ("stage", "tags", "interests"):
        return FieldPolicy(strategy, lambda stage: NAMES)

    def leads(stage: str | None) -> tuple[str, ...]:
        return ("sales",) if stage in ("opportunity", "customer") else ("marketing",)

    return FieldPolicy(strategy, leads)


def house(folder: Path, clock: Clock, judged: object = None, names: tuple[str, ...] = NAMES) -> SmallHub:
    systems = {name: Memory(clock) for name in names}
    objects = [(name, rules(fields=mapped(*FIELDS))) for name in names]
    setting = Setting(objects, create=names, judged=judged)  # type: ignore[arg-type]
    hub = hub_of(folder, clock, systems, setting)
    systems["marketing"].add(**ann(job_title="CTO", stage="name"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def conflicts(hub: SmallHub) -> list[Conflict]:
    history = hub.store.history(public(hub, "ann@example.com"), 100)
    return [conflict for row in history for conflict in row.conflicts]


# -- D3 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "leader", "other"), [("name", "marketing", "sales"), ("opportunity", "sales", "marketing")]
)
def test_d3_who_leads_in_the_stage_decides_and_the_other_is_refused_with_the_reason(
    stage: str, leader: str, other: str, tmp_path: Path, clock: Clock
) -> None:
    hub = house(tmp_path, clock, by_stage)
    hub.systems["sales"].edit("1", stage=stage)
    until_quiet(hub, clock)
    hub.systems[other].edit("1", job_title="refused")
    until_quiet(hub, clock)
    assert [told(hub.systems[name], "job_title") for name in NAMES] == [["CTO"], ["CTO"]]
    (refused,) = conflicts(hub)
    assert (refused.lost, refused.kept) == ("refused", "CTO")
    assert "not an authority" in refused.rule
    hub.systems[leader].edit("1", job_title="accepted")
    until_quiet(hub, clock)
    assert [told(hub.systems[name], "job_title") for name in NAMES] == [["accepted"], ["accepted"]]


def test_d3_an_edit_that_comes_with_its_stage_is_judged_in_the_new_stage(
    tmp_path: Path, clock: Clock
) -> None:
    hub = house(tmp_path, clock, by_stage)
    hub.systems["sales"].edit("1", stage="opportunity", job_title="by sales")
    until_quiet(hub, clock)
    assert told(hub.systems["marketing"], "job_title") == ["by sales"]
    assert conflicts(hub) == []


def test_d3_a_change_of_stage_calls_no_refused_edit_back(tmp_path: Path, clock: Clock) -> None:
    hub = house(tmp_path, clock, by_stage)
    hub.systems["sales"].edit("1", job_title="too early")
    until_quiet(hub, clock)
    hub.systems["sales"].edit("1", stage="opportunity")
    until_quiet(hub, clock)
    assert [told(hub.systems[name], "job_title") for name in NAMES] == [["CTO"], ["CTO"]]


# -- D8 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["tags", "interests"])
def test_d8_elements_added_in_two_systems_in_one_cycle_are_both_kept(
    field: str, tmp_path: Path, clock: Clock
) -> None:
    hub = house(tmp_path, clock)
    hub.systems["sales"].edit("1", **{field: ["golf"]})
    hub.systems["marketing"].edit("1", **{field: ["tennis"]})
    until_quiet(hub, clock)
    assert [sorted(told(hub.systems[name], field)[0]) for name in NAMES] == [["golf", "tennis"]] * 2


def test_d8_a_removal_removes_one_element_and_replaces_no_list(tmp_path: Path, clock: Clock) -> None:
    hub = house(tmp_path, clock)
    hub.systems["sales"].edit("1", tags=["a", "b", "c"])
    until_quiet(hub, clock)
    hub.systems["sales"].edit("1", tags=["a", "c"])
    hub.systems["marketing"].edit("1", tags=["a", "b", "c", "d"])
    until_quiet(hub, clock)
    assert [sorted(told(hub.systems[name], "tags")[0]) for name in NAMES] == [["a", "c", "d"]] * 2


@pytest.mark.parametrize(("clash", "kept"), [("add", ["a", "b"]), ("remove", ["a"])])
def test_d8_an_element_added_and_removed_in_one_decision_follows_the_declared_side(
    clash: str, kept: list[str]
) -> None:
    adds = Claim("tags", ["a", "b"], "sales", "sales/people/1", added=frozenset({"b"}))
    removes = Claim("tags", ["a"], "marketing", "marketing/people/1", removed=frozenset({"b"}))
    rule = FieldPolicy(Strategy.UNION, lambda stage: NAMES, on_clash=clash)
    for claims in permutations([adds, removes]):
        asked = Question(TABLES[Kind.CONTACT]["tags"], ["a", "b"], None, claims, rule, None)
        assert judge(asked).value == kept


# -- P35 ------------------------------------------------------------------------------------------


def test_p35_an_earlier_stage_never_lowers_a_later_one(tmp_path: Path, clock: Clock) -> None:
    hub = house(tmp_path, clock)
    hub.systems["sales"].edit("1", stage="customer")
    until_quiet(hub, clock)
    hub.systems["marketing"].edit("1", stage="lead")
    until_quiet(hub, clock)
    assert [told(hub.systems[name], "stage") for name in NAMES] == [["customer"], ["customer"]]
    (refused,) = conflicts(hub)
    assert (refused.field, refused.lost, refused.rule) == ("stage", "lead", "a stage does not go back")


def test_p35_stage_moves_in_any_order_end_in_the_same_stage(tmp_path: Path, clock: Clock) -> None:
    moves = [("marketing", "mql"), ("sales", "opportunity"), ("marketing", "lead")]
    ends = set()
    for number, order in enumerate(permutations(moves)):
        folder = tmp_path / str(number)
        folder.mkdir()
        hub = house(folder, clock)
        for name, stage in order:
            hub.systems[name].edit("1", stage=stage)
            hub.sync()
        until_quiet(hub, clock)
        ends.add(tuple(told(hub.systems[name], "stage")[0] for name in NAMES))
        hub.store.close()
    assert ends == {("opportunity", "opportunity")}


def test_p35_the_last_stage_is_written_once_and_then_left_alone(tmp_path: Path, clock: Clock) -> None:
    hub = house(tmp_path, clock)
    before = written(hub)
    hub.systems["sales"].edit("1", stage="opportunity")
    until_quiet(hub, clock)
    hub.sync()
    assert written(hub) == before + 1
