"""Names survive together: half a name never breaks a whole one."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.model.fields import Kind

SAID = {"a": {"last_name": "Ann"}, "b": {"first_name": "Ann", "last_name": "Lee"}}


@pytest.mark.parametrize("order", list(permutations("ab")))
def test_half_a_name_of_the_highest_rank_takes_the_place_of_no_whole_one(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    clock = Clock()
    systems = {name: Memory(clock) for name in "ab"}
    objects = {name: rules(fields=("email", "first_name", "last_name")) for name in systems}
    hub = small_hub(tmp_path, clock, systems, objects=objects)
    for name in order:
        systems[name].add(email="ann@example.com", **SAID[name])
        hub.sync()
    found = hub.contact("ann@example.com")
    assert (found["first_name"], found["last_name"]) == ("Ann", "Lee")


def test_an_edit_to_half_a_name_is_an_edit(tmp_path: Path) -> None:
    clock = Clock()
    systems = {name: Memory(clock) for name in "ab"}
    hub = small_hub(tmp_path, clock, systems)
    for system in systems.values():
        system.add(email="ann@example.com", first_name="Ann", last_name="Lee")
    hub.sync()
    hub.release()
    systems["a"].edit("1", last_name="Miller")
    hub.sync()
    assert hub.contact("ann@example.com")["last_name"] == "Miller"
    assert systems["b"].values("1")["last_name"] == "Miller"


def test_what_half_a_name_says_otherwise_is_told_as_the_loser(tmp_path: Path) -> None:
    clock = Clock()
    systems = {name: Memory(clock) for name in "ab"}
    hub = small_hub(tmp_path, clock, systems, order="ab")
    systems["a"].add(email="ann@example.com", first_name="Ann", last_name="Lee")
    hub.sync()
    systems["b"].add(email="ann@example.com", first_name="Anna")
    hub.sync()
    (contact,) = hub.store.find(Kind.CONTACT, "ann@example.com", 2)
    lost = [(one.field, one.lost, one.kept) for row in hub.store.history(contact, 9) for one in row.conflicts]
    assert ("first_name", "Anna", "Ann") in lost


def strangers(folder: Path, **said: str) -> SmallHub:
    """`b`, which has the say, is about to be read for the first time; `a` was read and filled the hub."""
    clock = Clock()
    hub = small_hub(folder, clock, {name: Memory(clock) for name in "ab"}, order="ba")
    hub.systems["a"].add(email="ann@example.com", first_name="Ann", last_name="Lee")
    hub.sync()
    hub.systems["b"].add(email="ann@example.com", **said)
    return hub


def edit_in_the_hub(hub: SmallHub, name: str, value: str | None, *, pin: bool) -> None:
    (contact,) = hub.store.find(Kind.CONTACT, "ann@example.com", 2)
    hub.store.edit(contact, {name: value}, "eve", hub.parts.now(), pin)


@pytest.mark.parametrize("pin", [True, False], ids=["pinned", "typed"])
@pytest.mark.parametrize("runs", [0, 1], ids=["in one decision", "decided before"])
def test_no_first_sight_displaces_half_a_name_that_a_person_set(pin: bool, runs: int, tmp_path: Path) -> None:
    hub = strangers(tmp_path, first_name="Anna", last_name="Leigh")
    edit_in_the_hub(hub, "last_name", "Miller", pin=pin)
    for _ in range(runs):
        hub.sync(["a"])
    hub.sync()
    found = hub.contact("ann@example.com")
    assert (found["first_name"], found["last_name"]) == ("Ann", "Miller")


def test_no_first_sight_displaces_half_a_name_that_is_edited_in_the_same_decision(tmp_path: Path) -> None:
    hub = strangers(tmp_path, first_name="Anna", last_name="Leigh")
    hub.systems["a"].edit("1", last_name="Miller")
    hub.sync()
    assert hub.contact("ann@example.com")["last_name"] == "Miller"


@pytest.mark.parametrize("runs", [0, 1], ids=["in one decision", "decided before"])
def test_half_a_name_that_a_person_keeps_empty_is_filled_by_nobody(runs: int, tmp_path: Path) -> None:
    hub = strangers(tmp_path, first_name="Anna", last_name="Leigh")
    edit_in_the_hub(hub, "first_name", None, pin=True)
    for _ in range(runs):
        hub.sync(["a"])
    hub.sync()
    found = hub.contact("ann@example.com")
    assert (found.get("first_name"), found["last_name"]) == (None, "Lee")


def test_people_in_the_hub_edit_one_name_together_and_of_a_half_the_last_edit_counts(
    tmp_path: Path,
) -> None:
    clock = Clock()
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in "ab"})
    for name in "ab":
        hub.systems[name].add(email="ann@example.com", first_name="Ann", last_name="Lee")
    hub.sync()
    hub.release()
    (contact,) = hub.store.find(Kind.CONTACT, "ann@example.com", 2)
    for user, name, value in (
        ("eve", "last_name", "Miller"),
        ("bob", "first_name", "Anna"),
        ("kim", "last_name", "Moller"),
    ):
        hub.store.edit(contact, {name: value}, user, clock.now(), False)
        clock.tick(-30)
    clock.tick(600)
    hub.systems["a"].edit("1", first_name="Annie")
    hub.sync()
    for system in hub.systems.values():
        shown = system.values("1")
        assert (shown["first_name"], shown["last_name"]) == ("Anna", "Moller")
    lost = [(one.field, one.lost, one.kept) for row in hub.store.history(contact, 9) for one in row.conflicts]
    assert ("last_name", "Miller", "Moller") in lost
