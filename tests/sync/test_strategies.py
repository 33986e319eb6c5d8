"""Who wins, strategy by strategy, where the order or the form of values could mislead."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub, with_policy
from trueup.errors import Transient
from trueup.model.fields import Field, Kind, Strategy
from trueup.model.values import Type, Value
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import FieldPolicy
from trueup.sync.rules.verdict import Question, judge


def judged(type: Type, strategy: Strategy, current: Value, *claimed: Value) -> Value:
    field = Field("x", type, strategy)
    claims = [Claim("x", value, "a", f"a/people/{n}") for n, value in enumerate(claimed, 1)]
    return judge(
        Question(field, current, None, claims, FieldPolicy(strategy, lambda stage: ("a",)), None)
    ).value


@pytest.mark.parametrize("claimed", [(True,), (True, False), (False, True)])
def test_of_a_flag_yes_is_the_stricter(claimed: tuple[Value, ...]) -> None:
    assert judged(Type.BOOL, Strategy.MOST_RESTRICTIVE, False, *claimed) is True


def test_a_flag_that_is_set_is_not_loosened_by_an_edit() -> None:
    assert judged(Type.BOOL, Strategy.MOST_RESTRICTIVE, True, False) is True


@pytest.mark.parametrize(
    ("strategy", "current", "claimed", "expected"),
    [
        (Strategy.MAX, "9007199254740992", "9007199254740993", "9007199254740993"),
        (Strategy.MIN, "9007199254740993", "9007199254740992", "9007199254740992"),
        (Strategy.MAX, "9", "10", "10"),
        (Strategy.MIN, "-0.1", "-0.10000000000000000001", "-0.10000000000000000001"),
    ],
)
def test_the_highest_and_lowest_of_money_is_exact(
    strategy: Strategy, current: str, claimed: str, expected: str
) -> None:
    assert judged(Type.DECIMAL, strategy, current, claimed) == expected


@pytest.mark.parametrize(
    ("strategy", "expected"), [(Strategy.MAX, "2025-03-01"), (Strategy.MIN, "2024-12-31")]
)
def test_the_highest_and_lowest_of_dates(strategy: Strategy, expected: str) -> None:
    assert judged(Type.DATE, strategy, "2025-01-01", "2024-12-31", "2025-03-01") == expected


# -- latest --------------------------------------------------------------------------------------------


def latest(folder: Path) -> SmallHub:
    clock = Clock()
    hub = small_hub(folder, clock, {name: Memory(clock) for name in "ab"})
    policy, judge = hub.parts.policy, hub.parts.policy.fields
    with_policy(
        hub, replace(policy, fields=lambda kind, name: replace(judge(kind, name), strategy=Strategy.LATEST))
    )
    for system in hub.systems.values():
        system.add(email="ann@example.com", first_name="Ann", job_title="x")
    hub.sync()
    hub.release()
    hub.sync()
    return hub


@pytest.mark.parametrize("late", ["a", "b", "neither"])
def test_the_latest_edit_wins_also_when_the_older_one_is_read_later(late: str, tmp_path: Path) -> None:
    hub = latest(tmp_path)
    hub.systems["a"].edit("1", job_title="older")
    hub.parts.clock.sleep(100)
    hub.systems["b"].edit("1", job_title="newer")
    if late != "neither":
        hub.systems[late].broken = [Transient("down")]
    for _ in range(3):
        hub.parts.clock.sleep(60)
        hub.sync()
    assert [system.values("1")["job_title"] for system in hub.systems.values()] == ["newer", "newer"]


def test_an_edit_after_the_latest_one_wins_again(tmp_path: Path) -> None:
    hub = latest(tmp_path)
    for name, word in (("a", "one"), ("b", "two"), ("a", "three")):
        hub.parts.clock.sleep(100)
        hub.systems[name].edit("1", job_title=word)
        hub.sync()
    hub.sync()
    assert hub.systems["b"].values("1")["job_title"] == "three"


# -- edits in the hub ----------------------------------------------------------------------------------


def tagged(folder: Path) -> tuple[SmallHub, str]:
    clock = Clock()
    hub = small_hub(folder, clock, {name: Memory(clock) for name in "ab"})
    for system in hub.systems.values():
        system.add(email="ann@example.com", first_name="Ann", tags=["x", "y"])
    hub.sync()
    hub.release()
    hub.sync()
    return hub, hub.store.find(Kind.CONTACT, "ann@example.com", 1)[0]


def test_a_set_edited_in_the_hub_and_in_a_system_keeps_both_edits(tmp_path: Path) -> None:
    hub, ann = tagged(tmp_path)
    hub.systems["a"].edit("1", tags=["x", "y", "vip"])
    hub.store.edit(ann, {"tags": ["press", "x"]}, "ops", hub.parts.now(), False)
    hub.parts.clock.sleep(60)
    hub.sync()
    assert [sorted(system.values("1")["tags"]) for system in hub.systems.values()] == [
        ["press", "vip", "x"]
    ] * 2


def test_of_one_persons_two_edits_of_a_set_the_last_counts(tmp_path: Path) -> None:
    hub, ann = tagged(tmp_path)
    for tags in (["press", "x", "y"], ["x", "y"]):
        hub.parts.clock.sleep(1)
        hub.store.edit(ann, {"tags": tags}, "ops", hub.parts.now(), False)
    hub.sync()
    assert hub.contact("ann@example.com")["tags"] == ["x", "y"]


@pytest.mark.parametrize("order", list(permutations(["ann", "bob"])))
def test_of_two_peoples_edits_of_a_set_both_stay(order: tuple[str, ...], tmp_path: Path) -> None:
    hub, ann = tagged(tmp_path)
    said = {"ann": ["x"], "bob": ["press", "x", "y"]}
    for user in order:
        hub.parts.clock.sleep(1)
        hub.store.edit(ann, {"tags": said[user]}, user, hub.parts.now(), False)
    hub.sync()
    assert hub.contact("ann@example.com")["tags"] == ["press", "x"]


def test_emptiness_that_a_person_pinned_is_not_filled_by_a_first_sight(tmp_path: Path) -> None:
    clock = Clock()
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in "abc"})
    hub.systems["a"].add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    (ann,) = hub.store.find(Kind.CONTACT, "ann@example.com", 2)
    hub.store.edit(ann, {"job_title": None}, "ops", clock.now(), True)
    hub.sync()
    hub.systems["b"].add(email="ann@example.com", job_title="Boss")
    clock.tick(60)
    hub.sync()
    assert hub.contact("ann@example.com").get("job_title") is None
