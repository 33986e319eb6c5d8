"""A new record of which the system refuses what tells who it is: none is made without that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, hub_of, person
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import Outcome, RefusedItem, WriteItem
from trueup.model.delivery import Delivery, DeliveryState, WriteKind
from trueup.model.entity import public_id
from trueup.model.record import Json

TAKEN = "is already being used by another user"


@dataclass
class Strict(Memory):
    """No two of its records have one address. It says so, and not whose it is."""

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        return [self._one(object, item, fields) for item in items]

    def _one(self, object: str, item: WriteItem, fields: Sequence[str]) -> Outcome:
        address = item.values.get("email")
        if item.kind is WriteKind.CREATE and address in [row["email"] for row in self.living().values()]:
            return RefusedItem(TAKEN, {"email": TAKEN}, code="TU-REF-011")
        return super().write(object, [item], fields)[0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock, target: Memory) -> SmallHub:
    systems = {"source": Memory(clock, page=100), "target": target}
    return hub_of(folder, clock, systems, Setting(create=("target",)))


def waiting(hub: SmallHub) -> Delivery:
    (one,) = hub.store.deliveries([DeliveryState.PARKED], None, 10)
    return one


def refusing(path: str, value: Json) -> Callable[[Mapping[str, Json]], dict[str, str]]:
    return lambda values: {path: "not of this form"} if values.get(path) == value else {}


def test_of_two_people_with_one_mailbox_the_second_is_not_made_without_it(
    tmp_path: Path, clock: Clock
) -> None:
    target = Strict(clock)
    hub = pair(tmp_path, clock, target)
    for number in (1, 2):
        hub.systems["source"].add(**person(number, email="sales@corp.example"))
    hub.sync()
    hub.sync()
    ((_, made),) = target.living().items()
    assert (made["email"], made["first_name"]) == ("sales@corp.example", "First1")
    assert list(hub.store.quarantined("target", 10)) == []


def test_the_contact_that_holds_the_mailbox_there_is_named(tmp_path: Path, clock: Clock) -> None:
    target = Strict(clock)
    hub = pair(tmp_path, clock, target)
    for number in (1, 2):
        hub.systems["source"].add(**person(number, email="sales@corp.example"))
    hub.sync()
    holder = hub.store.known("target", "people", ["1"])["1"]
    assert waiting(hub).code == "TU-ID-409"
    assert f"it belongs to {public_id(holder.kind, holder.entity_id or 0)}" in waiting(hub).error


def test_a_mailbox_that_somebody_unknown_holds_there_waits_for_a_person(tmp_path: Path, clock: Clock) -> None:
    target = Strict(clock)
    hub = pair(tmp_path, clock, target)
    hub.sync()
    hub.systems["source"].add(**ann())
    target.write = lambda object, items, fields: [  # type: ignore[method-assign]
        RefusedItem(TAKEN, {"email": TAKEN}, code="TU-REF-011") for _ in items
    ]
    hub.sync()
    assert (waiting(hub).code, target.living()) == ("TU-REF-011", {})


def test_an_address_that_the_system_finds_ill_formed_refuses_the_new_record(
    tmp_path: Path, clock: Clock
) -> None:
    target = Memory(clock, refuse=refusing("email", "ann@example.com"))
    hub = pair(tmp_path, clock, target)
    hub.systems["source"].add(**ann())
    hub.sync()
    assert (waiting(hub).code, target.living()) == ("TU-REF-001", {})


def test_a_corrected_address_makes_the_record_by_itself(tmp_path: Path, clock: Clock) -> None:
    target = Memory(clock, refuse=refusing("email", "ann@example.com"))
    hub = pair(tmp_path, clock, target)
    hub.systems["source"].add(**ann())
    hub.sync()
    hub.systems["source"].edit("1", email="ann.lee@example.com")
    hub.sync()
    assert [one["email"] for one in target.living().values()] == ["ann.lee@example.com"]
    assert list(hub.store.deliveries([DeliveryState.PARKED], None, 10)) == []


def test_a_refused_field_that_tells_nobody_apart_is_left_out_of_the_new_record(
    tmp_path: Path, clock: Clock
) -> None:
    target = Memory(clock, refuse=refusing("department", "R&D"))
    hub = pair(tmp_path, clock, target)
    hub.systems["source"].add(**ann(department="R&D"))
    hub.sync()
    assert [one["email"] for one in target.living().values()] == ["ann@example.com"]


def test_an_address_refused_to_a_record_that_is_there_is_set_aside(tmp_path: Path, clock: Clock) -> None:
    target = Memory(clock, refuse=refusing("email", "lee@example.com"))
    hub = pair(tmp_path, clock, target)
    hub.systems["source"].add(**ann())
    hub.sync()
    hub.release()
    hub.systems["source"].edit("1", email="lee@example.com", department="R&D")
    hub.sync()
    assert target.values("1")["department"] == "R&D"
    assert [key for _, key, _ in hub.store.quarantined("target", 10)] == ["email"]
