"""Edits of postal addresses: what somebody said is held, what nobody said is not written, and what stands in
another place follows only who may decide there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, contacts, hub_of, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, with_policy
from tests.sync.test_postal_elements import ADA, HILL, PARCEL, SEA, ada, crm, edit, on, remove, three
from trueup.model.fields import TABLES, Kind
from trueup.model.history import Conflict
from trueup.model.record import Json
from trueup.model.slots import held_in
from trueup.sync.rules.policy import FieldPolicy

NAMES = ("sales", "shop")
PARTS = ("street", "city", "postcode")
SLOTS = ("address", "addresses.billing")
HERE = {"street": "Seeweg 1", "city": "Kiel", "postcode": "24103"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slots(tmp_path: Path, clock: Clock) -> SmallHub:
    """Two systems with columns for the primary and the billing address, which are the same one."""
    hub = columns(tmp_path, clock)
    for system in hub.systems.values():
        system.add(**ann(**at("address", **HERE), **at("addresses.billing", **HERE)))
    return settled(hub, clock)


@pytest.fixture
def lists(tmp_path: Path, clock: Clock) -> SmallHub:
    """A shop and a desk with lists, a CRM with two slots; the primary address is the one for bills, too."""
    hub = three(tmp_path, clock)
    hub.systems["shop"].add(**ADA, places=[{**SEA, "id": 71, "type": "invoice", "default": True}])
    return settled(hub, clock)


def columns(folder: Path, clock: Clock) -> SmallHub:
    fields = ("email", "first_name", "last_name", *(f"{slot}.{part}" for slot in SLOTS for part in PARTS))
    systems = {name: Memory(clock) for name in NAMES}
    return hub_of(folder, clock, systems, Setting([(name, rules(fields=fields)) for name in NAMES]))


def settled(hub: SmallHub, clock: Clock) -> SmallHub:
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def at(slot: str, **parts: Json) -> dict[str, Json]:
    return {f"{slot}.{part}": text for part, text in parts.items()}


def held(hub: SmallHub, part: str, slot: str = "address") -> set[Json]:
    """What the hub and all systems hold of one part."""
    name = f"{slot}.{part}"
    return {ada(hub).get(name), *(system.values("1").get(name) for system in hub.systems.values())}


def public(hub: SmallHub) -> str:
    (id,) = contacts(hub)
    return id


def losses(hub: SmallHub) -> list[Conflict]:
    return [one for row in hub.store.history(public(hub), 100) for one in row.conflicts]


def pin(hub: SmallHub, clock: Clock, **values: Json) -> None:
    hub.store.edit(public(hub), {name.replace("__", "."): text for name, text in values.items()}, "sue",
                   clock.now(), True)  # fmt: skip
    until_quiet(hub, clock)


def billing_is_for(hub: SmallHub, *who: str) -> None:
    def judged(kind: Kind, name: str) -> FieldPolicy:
        order = who if name.startswith("addresses.billing") else tuple(hub.systems)
        return FieldPolicy(TABLES[kind][name].strategy, lambda stage: order)

    with_policy(hub, replace(hub.parts.policy, fields=judged))


# -- one part is emptied ----------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_somebody_empties_stays_empty(slots: SmallHub, clock: Clock, part: str) -> None:
    slots.systems["sales"].edit("1", **at("address", **{part: None}))
    until_quiet(slots, clock)
    assert held(slots, part) == {None}


def test_a_part_emptied_in_one_slot_stays_in_the_other_that_the_editor_sees(
    slots: SmallHub, clock: Clock
) -> None:
    slots.systems["sales"].edit("1", **at("addresses.billing", street=None))
    until_quiet(slots, clock)
    assert (held(slots, "street"), held(slots, "street", "addresses.billing")) == ({"Seeweg 1"}, {None})


def test_a_part_emptied_in_a_slot_goes_from_the_items_of_lists(lists: SmallHub, clock: Clock) -> None:
    edit(lists, clock, "shop", "Seeweg 1", type="private")
    until_quiet(lists, clock)
    lists.systems["crm"].edit("1", street=None)
    until_quiet(lists, clock)
    assert crm(lists) == (None, "Kiel", "24103")
    (place,) = lists.systems["shop"].values("1")["places"]
    assert (place["id"], place.get("line1"), place["town"], place["state"]) == (71, None, "Kiel", "SH")


def test_a_part_that_a_steward_empties_stays_empty(lists: SmallHub, clock: Clock) -> None:
    pin(lists, clock, address__street=None)
    assert (ada(lists).get("address.street"), crm(lists)) == (None, (None, "Kiel", "24103"))


@pytest.mark.parametrize("at_once", [True, False])
def test_a_part_of_what_was_emptied_is_filled_with_no_more_than_the_newcomer_says(
    tmp_path: Path, clock: Clock, at_once: bool
) -> None:
    hub = columns(tmp_path, clock)
    hub.systems["sales"].add(**ann(**at("address", **HERE)))
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", **at("address", **dict.fromkeys(PARTS)))
    if not at_once:
        hub.sync()
    hub.systems["shop"].add(**ann(**at("address", street="Seeweg 1", city="Kiel")))
    until_quiet(hub, clock)
    assert (held(hub, "street"), held(hub, "postcode")) == ({"Seeweg 1"}, {None})


def test_who_empties_all_that_their_system_shows_leaves_nothing_behind(lists: SmallHub, clock: Clock) -> None:
    """The CRM shows neither region nor country."""
    lists.systems["crm"].edit("1", street=None, city=None, postcode=None)
    until_quiet(lists, clock)
    assert held_in("address", ada(lists)) is None
    assert sorted(on(lists, "shop")) == ["Seeweg 1"]


def test_who_moves_somebody_leaves_no_region_of_the_old_address(lists: SmallHub, clock: Clock) -> None:
    lists.systems["crm"].edit("1", street="Ring 5", city="Bonn", postcode="53111")
    until_quiet(lists, clock)
    assert held_in("address", ada(lists)) == '{"street":"Ring 5","city":"Bonn","postcode":"53111"}'


# -- said in part -----------------------------------------------------------------------------------


def test_no_slot_is_completed_from_another_slot(tmp_path: Path, clock: Clock) -> None:
    hub = columns(tmp_path, clock)
    hub.systems["sales"].add(**ann(**at("address", city="Kiel")))
    settled(hub, clock)
    hub.systems["sales"].edit("1", **at("addresses.billing", street="Hafen 3", city="Kiel"))
    until_quiet(hub, clock)
    hub.systems["sales"].edit("1", first_name="Anna")
    until_quiet(hub, clock)
    assert ada(hub).get("address.street") is None
    assert ada(hub)["addresses.billing.street"] == "Hafen 3"


def test_a_part_of_two_listed_addresses_is_neither(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["crm"].add(**ADA, city="Kiel")
    hub.systems["shop"].add(**ADA, places=[{**SEA, "id": 71}, {**PARCEL, "id": 73}])
    settled(hub, clock)
    assert crm(hub) == (None, "Kiel", None)


def test_the_short_form_that_a_list_shows_of_an_address_is_no_second_one(
    tmp_path: Path, clock: Clock
) -> None:
    """The desk shows the address without region and country; who says a part of it later says that one."""
    hub = three(tmp_path, clock)
    hub.systems["shop"].add(**ADA, places=[{**SEA, "id": 71}])
    for _ in range(3):
        hub.sync(("shop", "desk"))
        hub.release()
    assert on(hub, "desk")
    hub.systems["crm"].add(**ADA, bill_city="Kiel")
    until_quiet(hub, clock)
    assert crm(hub, "bill_") == ("Seeweg 1\nHof 2", "Kiel", "24103")
    assert len(ada(hub)["addresses"]) == len(on(hub, "desk")) == 1


# -- put right --------------------------------------------------------------------------------------


def test_a_neighbour_with_the_same_postcode_takes_no_other_slot_along(slots: SmallHub, clock: Clock) -> None:
    slots.systems["sales"].edit("1", **at("address", street="Hafenstr. 77"))
    until_quiet(slots, clock)
    assert (held(slots, "street"), held(slots, "street", "addresses.billing")) == (
        {"Hafenstr. 77"},
        {"Seeweg 1"},
    )


def test_a_number_put_right_takes_the_other_slot_along(slots: SmallHub, clock: Clock) -> None:
    slots.systems["sales"].edit("1", **at("address", street="Seeweg 11"))
    until_quiet(slots, clock)
    assert held(slots, "street", "addresses.billing") == {"Seeweg 11"}


def test_one_address_put_right_in_two_ways_becomes_two(slots: SmallHub, clock: Clock) -> None:
    slots.systems["sales"].edit("1", **at("address", street="Seeweg 11"))
    slots.systems["shop"].edit("1", **at("addresses.billing", street="Seeweg 1 a"))
    until_quiet(slots, clock)
    assert (held(slots, "street"), held(slots, "street", "addresses.billing")) == (
        {"Seeweg 11"},
        {"Seeweg 1 a"},
    )


def test_a_slot_that_the_editor_may_not_decide_stays_with_a_conflict(lists: SmallHub, clock: Clock) -> None:
    billing_is_for(lists, "shop")
    lists.systems["crm"].edit("1", street="Seeweg 11")
    until_quiet(lists, clock)
    assert (crm(lists)[0], crm(lists, "bill_")[0]) == ("Seeweg 11", "Seeweg 1\nHof 2")
    (lost,) = [one for one in losses(lists) if one.field == "addresses.billing"]
    assert (lost.lost_source, "Seeweg 11" in str(lost.lost)) == ("crm/people/1", True)
    shop = on(lists, "shop")
    assert (shop["Seeweg 1"]["id"], shop["Seeweg 1"]["type"], shop["Seeweg 11"]["default"]) == (
        71,
        "invoice",
        True,
    )


def test_a_pinned_slot_stays_with_a_conflict(lists: SmallHub, clock: Clock) -> None:
    pin(lists, clock, addresses__billing__street="Seeweg 1\nHof 2", addresses__billing__city="Kiel")
    lists.systems["crm"].edit("1", street="Seeweg 11")
    until_quiet(lists, clock)
    assert (crm(lists)[0], crm(lists, "bill_")[0]) == ("Seeweg 11", "Seeweg 1\nHof 2")
    assert [one.lost_source for one in losses(lists) if one.field == "addresses.billing"] == ["crm/people/1"]


# -- items of lists ---------------------------------------------------------------------------------


@pytest.fixture
def neighbours(tmp_path: Path, clock: Clock) -> SmallHub:
    """Two addresses with one postcode."""
    hub = three(tmp_path, clock)
    near = {**HILL, "town": "Kiel", "zip": "24103"}
    hub.systems["shop"].add(**ADA, places=[{**SEA, "id": 71, "type": "private"}, {**near, "id": 72}])
    return settled(hub, clock)


def test_two_items_put_right_at_once_keep_their_ids(neighbours: SmallHub, clock: Clock) -> None:
    edit(neighbours, clock, "desk", "Seeweg 1\nHof 2", street="Seeweg 11")
    edit(neighbours, clock, "desk", "Bergstr. 9", street="Bergstr. 19")
    until_quiet(neighbours, clock)
    assert {street: one["id"] for street, one in on(neighbours, "shop").items()} == {
        "Seeweg 11": 71,
        "Bergstr. 19": 72,
    }


def test_of_one_item_removed_and_one_put_right_the_right_one_keeps_its_id(
    neighbours: SmallHub, clock: Clock
) -> None:
    remove(neighbours, clock, "desk", "Seeweg 1\nHof 2")
    edit(neighbours, clock, "desk", "Bergstr. 9", street="Bergstr. 19")
    until_quiet(neighbours, clock)
    assert [(street, one["id"]) for street, one in on(neighbours, "shop").items()] == [("Bergstr. 19", 72)]


def test_of_two_neighbours_that_left_a_new_one_is_none(neighbours: SmallHub, clock: Clock) -> None:
    remove(neighbours, clock, "desk", "Seeweg 1\nHof 2")
    edit(neighbours, clock, "desk", "Bergstr. 9", street="Hafen 3")
    until_quiet(neighbours, clock)
    ((street, one),) = on(neighbours, "shop").items()
    assert (street, one["id"] in (71, 72)) == ("Hafen 3", False)
