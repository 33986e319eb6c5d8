"""Somebody's address changes, and a newcomer bears the new one: it is the same person, whichever of the two
is decided first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.model.entity import Link
from trueup.model.fields import Kind


def two(folder: Path) -> SmallHub:
    clock = Clock()
    hub = small_hub(folder, clock, {name: Memory(clock) for name in ("sales", "shop")}, create=("shop",))
    hub.systems["sales"].add(email="old@example.com", job_title="CTO")
    hub.systems["shop"].add(email="bob@example.com")
    hub.sync()
    hub.release()
    return hub


def contacts(hub: SmallHub) -> list[str]:
    """Who holds the new address."""
    return list(hub.store.find(Kind.CONTACT, "new@example.com", 10))


@pytest.mark.parametrize("decided_before", [True, False])
def test_a_newcomer_with_somebodys_new_address_is_that_person(tmp_path: Path, decided_before: bool) -> None:
    hub = two(tmp_path)
    hub.systems["sales"].edit("1", email="new@example.com")
    if decided_before:
        hub.sync(["sales"])
    hub.systems["sales"].add(email="new@example.com", department="IT")
    hub.sync()
    assert len(contacts(hub)) == 1
    assert [link.remote_id for link in links(hub) if link.connection == "sales"] == ["1", "2"]


def test_a_newcomer_with_somebodys_old_address_is_that_person_too(tmp_path: Path) -> None:
    hub = two(tmp_path)
    hub.systems["sales"].edit("1", email="new@example.com")
    hub.systems["sales"].add(email="old@example.com", department="IT")
    hub.sync()
    assert [link.remote_id for link in links(hub) if link.connection == "sales"] == ["1", "2"]


def links(hub: SmallHub) -> list[Link]:
    (who,) = contacts(hub)
    return sorted(hub.store.case(who).links, key=lambda one: one.id)
