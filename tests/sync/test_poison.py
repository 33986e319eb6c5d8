"""One record that nothing can be made of: it is set aside or left out, and everybody else goes on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub, with_policy
from trueup.errors import Broken as DatabaseRefuses
from trueup.mapping.schema import ConsentRule
from trueup.model.fields import Kind
from trueup.model.plan import Plan
from trueup.model.record import Json
from trueup.model.run import RunOutcome
from trueup.sync.tally import Tally, Undecided

FIELDS = ("email", "first_name", "birthday")


def two(folder: Path, *consent: ConsentRule) -> SmallHub:
    clock = Clock()
    systems = {name: Memory(clock) for name in "ab"}
    objects = {"a": rules(fields=FIELDS, consent=consent), "b": rules(fields=FIELDS)}
    return small_hub(folder, clock, systems, objects=objects, create=("b",))


@pytest.mark.parametrize("bad", [2**70, "\ud800"], ids=["more than 64 bits", "half a surrogate pair"])
def test_a_value_that_is_hardly_json_stops_nobody_else(bad: Json, tmp_path: Path) -> None:
    hub = two(tmp_path)
    hub.systems["a"].add(email="ann@example.com", birthday=bad)
    hub.systems["a"].add(email="bob@example.com")
    hub.sync()
    assert sorted(str(one["email"]) for one in hub.systems["b"].living().values()) == [
        "ann@example.com",
        "bob@example.com",
    ]


@pytest.mark.parametrize("at", ["2025-12-01T10:00:00", "2025-12-01", "Mon, 1 Dec", 1764583200000])
def test_an_opt_in_with_an_odd_time_stops_nobody(at: Json, tmp_path: Path) -> None:
    rule = ConsentRule("sms", "marketing", "sms", opted_out=True, evidence=("time",))
    hub = two(tmp_path, rule)
    hub.systems["a"].add(email="ann@example.com", sms={"status": "SUBSCRIBED", "at": at, "source": "form"})
    hub.systems["a"].add(email="bob@example.com")
    hub.sync()
    assert len(hub.systems["b"].living()) == 2


def test_an_edit_of_a_field_that_was_taken_out_of_the_configuration_is_told_in_the_history(
    tmp_path: Path,
) -> None:
    hub = two(tmp_path)
    hub.systems["a"].add(email="ann@example.com")
    hub.sync()
    (ann,) = hub.store.find(Kind.CONTACT, "ann@example.com", 2)
    hub.store.edit(ann, {"shoe_size": "38"}, "ops", hub.parts.now(), False)
    hub.sync()
    (told,) = [one for row in hub.store.history(ann, 10) for one in row.conflicts]
    assert (told.field, told.lost, told.rule) == ("shoe_size", "38", "no such field is configured")


class Broken:
    """A condition with a mistake in it that only one contact meets."""

    def met(self, values: dict[str, object], now: object) -> bool:
        if values["email"] == "ann@example.com":
            raise ZeroDivisionError(f"{values['email']} divided by nothing")
        raise AssertionError("only ann is asked")

    def next_change(self, values: dict[str, object], now: object) -> None:
        if values["email"] == "ann@example.com":
            raise ZeroDivisionError(f"{values['email']} divided by nothing")


def broken(hub: SmallHub) -> None:
    with_policy(hub, replace(hub.parts.policy, create={("b", "people"): Broken()}))  # type: ignore[dict-item]


def edited(tmp_path: Path, number: int) -> SmallHub:
    """So many contacts in two systems, each edited in one of them."""
    hub = two(tmp_path)
    for system in hub.systems.values():
        for one in range(1, number + 1):
            system.add(email=f"p{one}@example.com", first_name=f"n{one}")
    hub.sync()
    hub.release()
    for one in range(1, number + 1):
        hub.systems["a"].edit(f"{one}", first_name=f"new{one}")
    return hub


def test_a_contact_that_our_own_mistake_makes_undecidable_is_left_and_named_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    hub = two(tmp_path)
    for system in hub.systems.values():
        for name in ("ann", "bob"):
            system.add(email=f"{name}@example.com", first_name=name)
    hub.sync()
    hub.release()
    broken(hub)
    for id in ("1", "2"):
        hub.systems["a"].edit(id, first_name=f"new{id}")
    report = hub.sync()
    assert [hub.systems["b"].values(id)["first_name"] for id in ("1", "2")] == ["ann", "new2"]
    assert report.outcome is RunOutcome.WITH_ERRORS
    (note,) = report.tally.notes
    assert note.startswith("c-1 could not be decided and is left as it was (ZeroDivisionError in tests.sync.")
    assert "ann@example.com" not in note


def test_it_is_decided_when_the_mistake_is_mended(tmp_path: Path) -> None:
    hub = two(tmp_path)
    for system in hub.systems.values():
        system.add(email="ann@example.com", first_name="ann")
    hub.sync()
    hub.release()
    whole = hub.parts.policy
    broken(hub)
    hub.systems["a"].edit("1", first_name="new")
    hub.sync()
    with_policy(hub, whole)
    assert hub.sync().outcome is RunOutcome.COMPLETED
    assert hub.systems["b"].values("1")["first_name"] == "new"


def refusing(hub: SmallHub, entities: Collection[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The database takes no decision about these."""
    commit = hub.store.commit

    def refuse(plans: Sequence[Plan], *rest: Any) -> Sequence[int]:
        if any(plan.before.id in entities for plan in plans):
            raise DatabaseRefuses("the database refused a statement: no such letter")
        return commit(plans, *rest)

    monkeypatch.setattr(hub.store, "commit", refuse)


def test_what_the_database_refuses_of_one_contact_is_left_and_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = edited(tmp_path, 4)
    refusing(hub, {3}, monkeypatch)
    report = hub.sync()
    said = [hub.systems["b"].values(id)["first_name"] for id in ("1", "2", "3", "4")]
    assert said == ["new1", "new2", "n3", "new4"]
    assert report.outcome is RunOutcome.WITH_ERRORS
    (note,) = report.tally.notes
    assert note.startswith("c-3 could not be decided and is left as it was (Broken in ")


def test_a_database_that_refuses_everybody_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = edited(tmp_path, 8)
    refusing(hub, range(1, 9), monkeypatch)
    with pytest.raises(DatabaseRefuses):
        hub.sync()


def test_who_could_not_be_decided_in_several_rounds_is_named_once() -> None:
    tally = Tally()
    for _ in range(3):
        tally.undecided(Undecided("c-1", "TypeError in x, line 1"))
    assert (len(tally.notes), tally.lost) == (1, {"c-1"})
