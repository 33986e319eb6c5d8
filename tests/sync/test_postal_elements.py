"""Postal addresses as elements: lists of objects and slots in step, with kind, label and the primary one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, contacts, hub_of, until_quiet
from tests.sync.memory import ALL, Clock
from tests.sync.objects import ItemMemory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import Capability, Elements
from trueup.mapping.schema import FieldRule, ItemRule, Shape
from trueup.model.canonical.postal import parts_of
from trueup.model.record import Json
from trueup.model.run import RunOutcome

SHOP_ITEM = ItemRule(
    kind="type", label="name", primary="default", id="id", street="line1", line2="line2", city="town",
    region="state", postcode="zip", country="country",
    kinds={"billing": ("invoice",), "shipping": ("delivery", "parcel"), "home": ("private",)},
)  # fmt: skip
DESK_ITEM = ItemRule(
    kind="kind", label="label", primary="main", street="street", city="city", postcode="code"
)
NAME = ("email", "first_name", "last_name")
SHOP = (*NAME, FieldRule("addresses", "places", shape=Shape.ELEMENTS, item=SHOP_ITEM))
DESK = (*NAME, FieldRule("addresses", "addresses", item=DESK_ITEM))
CRM = (
    *NAME,
    *(FieldRule(f"address.{part}", part) for part in ("street", "city", "postcode")),
    *(FieldRule(f"addresses.billing.{part}", f"bill_{part}") for part in ("street", "city", "postcode")),
)
SHAPES = {"shop": SHOP, "desk": DESK, "crm": CRM}
NAMES = tuple(SHAPES)

SEA = {"line1": "Seeweg 1", "line2": "Hof 2", "town": "Kiel", "state": "SH", "zip": "24103", "country": "DE"}
HILL = {"line1": "Bergstr. 9", "town": "Ulm", "zip": "89073", "country": "DE"}
PARCEL = {"line1": "Hafen 3", "town": "Kiel", "zip": "24105", "country": "DE"}
ADA = {"email": "ada@x.example", "first_name": "Ada", "last_name": "Lee"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def three(folder: Path, clock: Clock) -> SmallHub:
    systems = {name: ItemMemory(clock, capabilities=ALL | {Capability.ELEMENT_WRITES}) for name in NAMES}
    objects = [(name, rules(fields=fields)) for name, fields in SHAPES.items()]
    return hub_of(folder, clock, systems, Setting(objects, order=NAMES, create=NAMES))


@pytest.fixture
def hub(tmp_path: Path, clock: Clock) -> SmallHub:
    """Ada in a shop with single items, a desk with a list of objects and a CRM with two slots."""
    hub = three(tmp_path, clock)
    places = [
        {**SEA, "id": 71, "type": "private", "name": "At the sea", "default": True, "checked": "yes"},
        {**HILL, "id": 72, "type": "invoice"},
        {**PARCEL, "id": 73, "type": "parcel"},
    ]
    hub.systems["shop"].add(**ADA, places=places)
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def ada(hub: SmallHub) -> dict[str, Json]:
    (values,) = contacts(hub).values()
    return dict(values)


def towns(hub: SmallHub, field: str = "addresses") -> list[tuple[Json, Json]]:
    return sorted((one.get("street"), one.get("city")) for one in map(parts_of, ada(hub).get(field) or ()))


def on(hub: SmallHub, system: str) -> dict[Json, dict[str, Json]]:
    """By street, what the list of a system holds."""
    path, street = ("places", "line1") if system == "shop" else ("addresses", "street")
    return {one[street]: one for one in hub.systems[system].values("1").get(path) or []}


def edit(hub: SmallHub, clock: Clock, system: str, name: str, /, **said: Json) -> None:
    items = [dict(one) for one in on(hub, system).values()]
    for one in items:
        if name in (one.get("line1"), one.get("street")):
            one.update(said)
    hub.systems[system].edit("1", **{"places" if system == "shop" else "addresses": items})
    clock.tick(60)


def remove(hub: SmallHub, clock: Clock, system: str, street: str) -> None:
    items = [one for name, one in on(hub, system).items() if name != street]
    hub.systems[system].edit("1", **{"places" if system == "shop" else "addresses": items})
    clock.tick(60)


def crm(hub: SmallHub, prefix: str = "") -> tuple[Json, ...]:
    values = hub.systems["crm"].values("1")
    return tuple(values.get(f"{prefix}{part}") for part in ("street", "city", "postcode"))


def test_a_new_record_gets_every_address_with_kind_label_and_the_primary_one(hub: SmallHub) -> None:
    desk = on(hub, "desk")
    assert desk["Seeweg 1\nHof 2"] == {
        "street": "Seeweg 1\nHof 2", "city": "Kiel", "code": "24103", "kind": "home", "label": "At the sea",
        "main": True, "id": desk["Seeweg 1\nHof 2"]["id"],
    }  # fmt: skip
    assert {street: one["kind"] for street, one in desk.items() if not one.get("main")} == {
        "Bergstr. 9": "billing", "Hafen 3": "shipping",
    }  # fmt: skip


def test_slots_show_the_primary_one_and_the_one_of_a_kind(hub: SmallHub) -> None:
    assert crm(hub) == ("Seeweg 1\nHof 2", "Kiel", "24103")
    assert crm(hub, "bill_") == ("Bergstr. 9", "Ulm", "89073")


def test_what_fills_a_slot_is_one_of_the_addresses_with_the_kind_of_the_slot(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock)
    hub.systems["crm"].add(**ADA, bill_street="Ring 5", bill_city="Bonn")
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    assert towns(hub) == [("Ring 5", "Bonn")]
    (place,) = on(hub, "shop").values()
    assert (place["line1"], place["town"], place["type"]) == ("Ring 5", "Bonn", "invoice")


def test_several_of_one_kind_stand_beside_each_other_and_one_in_the_slot(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "shop", "Hafen 3", type="invoice")
    until_quiet(hub, clock)
    assert on(hub, "desk")["Hafen 3"]["kind"] == on(hub, "desk")["Bergstr. 9"]["kind"] == "billing"
    assert crm(hub, "bill_")[0] == "Bergstr. 9"


def test_an_address_that_is_added_in_one_list_is_added_in_the_other(hub: SmallHub, clock: Clock) -> None:
    items = [*on(hub, "desk").values(), {"street": "Ring 5", "city": "Bonn", "kind": "work", "label": "Desk"}]
    hub.systems["desk"].edit("1", addresses=items)
    until_quiet(hub, clock)
    place = on(hub, "shop")["Ring 5"]
    assert (place["town"], place.get("type"), place["name"]) == ("Bonn", None, "Desk")
    assert ada(hub)["addresses.work.city"] == "Bonn"


def test_an_address_that_is_removed_goes_everywhere_and_is_former(hub: SmallHub, clock: Clock) -> None:
    remove(hub, clock, "desk", "Bergstr. 9")
    hub.sync()
    assert hub.systems["shop"].written[-1].values["places"] == Elements((), ({"id": 72, **HILL},))
    until_quiet(hub, clock)
    assert crm(hub, "bill_") == (None, None, None)
    assert towns(hub, "former_addresses") == [("Bergstr. 9", "Ulm")]


def test_another_primary_one_is_marked_in_lists_and_stands_in_the_slot(hub: SmallHub, clock: Clock) -> None:
    items = [{**one, "main": street == "Hafen 3"} for street, one in on(hub, "desk").items()]
    hub.systems["desk"].edit("1", addresses=items)
    until_quiet(hub, clock)
    marked = [street for street, one in on(hub, "shop").items() if one.get("default")]
    assert (marked, crm(hub)[0]) == (["Hafen 3"], "Hafen 3")
    assert len(hub.systems["shop"].values("1")["places"]) == 3


def test_an_address_put_right_in_a_list_stays_the_same_item_elsewhere(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "desk", "Seeweg 1\nHof 2", street="Seeweg 11")
    until_quiet(hub, clock)
    place = on(hub, "shop")["Seeweg 11"]
    assert (place["id"], place["name"], place["checked"], place["type"]) == (
        71,
        "At the sea",
        "yes",
        "private",
    )
    assert (crm(hub)[0], len(on(hub, "shop"))) == ("Seeweg 11", 3)


def test_an_address_put_right_in_a_slot_changes_the_element(hub: SmallHub, clock: Clock) -> None:
    hub.systems["crm"].edit("1", street="Seeweg 11")
    until_quiet(hub, clock)
    place = on(hub, "shop")["Seeweg 11"]
    assert (place["id"], place["name"], place["type"], place["default"]) == (
        71,
        "At the sea",
        "private",
        True,
    )
    assert sorted(on(hub, "desk")) == ["Bergstr. 9", "Hafen 3", "Seeweg 11"]
    assert ada(hub)["addresses.home.street"] == "Seeweg 11"
    assert ("Seeweg 1\nHof 2", "Kiel") in towns(hub, "former_addresses")


def test_somebody_who_moves_keeps_the_old_address_where_a_list_names_it(hub: SmallHub, clock: Clock) -> None:
    hub.systems["crm"].edit("1", street="Ring 5", city="Bonn", postcode="53111")
    until_quiet(hub, clock)
    shop = on(hub, "shop")
    assert sorted(shop) == ["Bergstr. 9", "Hafen 3", "Ring 5", "Seeweg 1"]
    assert [street for street, one in shop.items() if one.get("default")] == ["Ring 5"]


def test_a_slot_that_says_a_part_of_an_address_says_that_address(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["crm"].add(**ADA, city="Kiel")
    hub.systems["shop"].add(**ADA, places=[{**SEA, "id": 71}])
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    assert crm(hub) == ("Seeweg 1\nHof 2", "Kiel", "24103")
    assert [one.get("default") for one in on(hub, "shop").values()] == [True]
    assert not ada(hub).get("former_addresses")


def test_a_list_that_cannot_keep_a_part_adds_nothing_and_takes_nothing_away(
    hub: SmallHub, clock: Clock
) -> None:
    """The desk holds neither region nor country."""
    edit(hub, clock, "desk", "Seeweg 1\nHof 2", label="House")
    until_quiet(hub, clock)
    place = on(hub, "shop")["Seeweg 1"]
    assert (place["name"], place["state"], place["country"]) == ("House", "SH", "DE")
    assert len(ada(hub)["addresses"]) == len(on(hub, "desk")) == 3


def test_one_address_in_two_spellings_is_one(hub: SmallHub, clock: Clock) -> None:
    items = [*on(hub, "desk").values(), {"street": "BERGSTR 9", "city": "ulm", "code": "89073"}]
    hub.systems["desk"].edit("1", addresses=items)
    until_quiet(hub, clock)
    assert len(on(hub, "shop")) == 3


def test_the_run_after_all_that_is_silent(hub: SmallHub, clock: Clock) -> None:
    before = hub.writes()
    assert hub.sync().outcome is RunOutcome.COMPLETED
    assert hub.writes() == before
