"""A new record of which the system refuses what tells who it is: none is made without that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass
class Taken(Memory):
    """It refuses the third person, with these fields."""

    fields_said: Mapping[str, str] = field(default_factory=dict)

    def _answer(self, item: WriteItem, fields: Sequence[str]) -> Outcome:
        if item.values.get("first_name") == "First3":
            return RefusedItem(TAKEN, self.fields_said, code="TU-REF-011")
        return super()._answer(item, fields)


OFFICE = ("info@gmail.com", "info+shop@gmail.com")
"""Two spellings of one mailbox, which is nobody in particular."""


def two_of_one_mailbox(folder: Path, clock: Clock, sent: str, fields: Mapping[str, str]) -> SmallHub:
    """Of three people of one mailbox two are made there, each with a spelling; the third one is refused."""
    hub = pair(folder, clock, Taken(clock, fields_said=fields))
    for number, address in enumerate((*OFFICE, sent), 1):
        hub.systems["source"].add(**person(number, email=address))
    hub.sync()
    return hub


@pytest.mark.parametrize("held", [0, 1])
def test_of_several_who_may_hold_the_mailbox_the_one_with_that_very_spelling_does(
    held: int, tmp_path: Path, clock: Clock
) -> None:
    hub = two_of_one_mailbox(tmp_path, clock, OFFICE[held], {"email": TAKEN})
    holder = hub.store.known("target", "people", [str(held + 1)])[str(held + 1)]
    assert waiting(hub).code == "TU-ID-409"
    assert f"it belongs to {public_id(holder.kind, holder.entity_id or 0)}" in waiting(hub).error


def test_where_several_may_hold_the_mailbox_none_is_taken_by_chance(tmp_path: Path, clock: Clock) -> None:
    hub = two_of_one_mailbox(tmp_path, clock, "info+press@gmail.com", {"email": TAKEN})
    assert waiting(hub).code == "TU-REF-011"
    assert waiting(hub).error == f"{TAKEN}; of the records there 1, 2 may hold it"


@pytest.mark.parametrize("fields", [{}, {"": TAKEN}])
def test_a_system_that_does_not_say_which_value_is_taken_means_what_tells_who_it_is(
    fields: Mapping[str, str], tmp_path: Path, clock: Clock
) -> None:
    hub = two_of_one_mailbox(tmp_path, clock, OFFICE[1], fields)
    holder = hub.store.known("target", "people", ["2"])["2"]
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
