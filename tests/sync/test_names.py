"""Names survive together: half a name never breaks a whole one."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import rules, small_hub
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
