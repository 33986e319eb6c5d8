"""Postal addresses and who may say what: pins, lists that are not heard, spellings, odd lists of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from tests.demands.hubs import Judged, Setting, hub_of, until_quiet
from tests.sync.memory import ALL, Clock, Row
from tests.sync.objects import ItemMemory
from tests.sync.small_hub import SmallHub, rules
from tests.sync.test_postal_edits import pin, public, settled
from tests.sync.test_postal_elements import (
    ADA,
    HILL,
    NAMES,
    SEA,
    SHAPES,
    SHOP,
    ada,
    crm,
    edit,
    on,
    remove,
    three,
    towns,
)
from trueup.connectors.base import Capability
from trueup.mapping.schema import Direction, FieldRule
from trueup.model.fields import ADDRESS_PARTS, TABLES, Kind
from trueup.model.record import Json
from trueup.model.slots import held_in
from trueup.sync.rules.policy import FieldPolicy

Rules = Sequence[str | FieldRule]
SEASIDE, HILLSIDE = ("Seeweg 1\nHof 2", "Kiel"), ("Bergstr. 9", "Ulm")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hub_with(
    folder: Path, systems: dict[str, ItemMemory], judged: Judged | None = None, **shapes: Rules
) -> SmallHub:
    mapped: dict[str, Rules] = {**SHAPES, **shapes}
    objects = [(name, rules(fields=mapped[name])) for name in systems]
    return hub_of(folder, next(iter(systems.values())).clock, systems,
                  Setting(objects, order=NAMES, create=NAMES, judged=judged))  # fmt: skip


def systems_of(clock: Clock, *names: str) -> dict[str, ItemMemory]:
    return {name: ItemMemory(clock, capabilities=ALL | {Capability.ELEMENT_WRITES}) for name in names}


def without_shop(kind: Kind, name: str) -> FieldPolicy:
    order = tuple(one for one in NAMES if one != "shop" or not name.startswith("address"))
    return FieldPolicy(TABLES[kind][name].strategy, lambda stage: order)


# -- lists that are not heard -----------------------------------------------------------------------


@pytest.mark.parametrize("why", ["direction out", "no authority"])
def test_a_list_that_is_not_heard_completes_no_slot(tmp_path: Path, clock: Clock, why: str) -> None:
    out: Rules = [
        replace(one, direction=Direction.OUT) if isinstance(one, FieldRule) else FieldRule(one, one)
        for one in SHOP
    ]
    systems = systems_of(clock, *NAMES)
    if why == "direction out":
        hub = hub_with(tmp_path, systems, shop=out)
    else:
        hub = hub_with(tmp_path, systems, without_shop)
    systems["crm"].add(**ADA, city="Kiel")
    systems["shop"].add(**ADA, places=[{**SEA, "id": 71}])
    settled(hub, clock)
    assert (crm(hub), towns(hub)) == ((None, "Kiel", None), [(None, "Kiel")])


# -- pins -------------------------------------------------------------------------------------------


@pytest.fixture
def houses(tmp_path: Path, clock: Clock) -> SmallHub:
    """A bill goes to the sea; the house on the hill is of no kind."""
    hub = three(tmp_path, clock)
    hub.systems["shop"].add(**ADA, places=[{**SEA, "id": 71, "type": "invoice"}, {**HILL, "id": 72}])
    return settled(hub, clock)


def test_a_slot_that_a_person_keeps_empty_is_filled_with_no_address_of_its_kind(
    houses: SmallHub, clock: Clock
) -> None:
    pin(houses, clock, **{f"addresses__billing__{part}": None for part in ADDRESS_PARTS})
    edit(houses, clock, "shop", "Bergstr. 9", type="invoice")
    until_quiet(houses, clock)
    assert crm(houses, "bill_") == (None, None, None)


def test_a_slot_that_was_empty_when_it_was_pinned_stays_empty(houses: SmallHub, clock: Clock) -> None:
    pin(houses, clock, **{f"addresses__shipping__{part}": None for part in ADDRESS_PARTS})
    edit(houses, clock, "shop", "Bergstr. 9", type="parcel")
    until_quiet(houses, clock)
    assert held_in("addresses.shipping", ada(houses)) is None


def test_another_kind_takes_no_address_out_of_a_pinned_slot(houses: SmallHub, clock: Clock) -> None:
    pin(houses, clock, addresses__billing__street="Seeweg 1\nHof 2")
    edit(houses, clock, "desk", "Seeweg 1\nHof 2", kind="home")
    until_quiet(houses, clock)
    assert crm(houses, "bill_") == ("Seeweg 1\nHof 2", "Kiel", "24103")
    assert on(houses, "shop")["Seeweg 1"]["type"] == "private"


def test_a_pinned_set_keeps_its_addresses_and_its_pin_when_a_slot_moves(tmp_path: Path, clock: Clock) -> None:
    systems = systems_of(clock, "crm")
    hub = hub_with(tmp_path, systems)
    systems["crm"].add(**ADA, street="Seeweg 1", city="Kiel", postcode="24103")
    settled(hub, clock)
    hub.store.edit(public(hub), {"addresses": ada(hub)["addresses"]}, "sue", clock.now(), True)
    until_quiet(hub, clock)
    systems["crm"].edit("1", street="Hafen 3", city="Ulm", postcode="89073")
    until_quiet(hub, clock)
    assert towns(hub) == [("Hafen 3", "Ulm"), ("Seeweg 1", "Kiel")]
    assert hub.store.case(public(hub)).entity.sources["addresses"].pinned


# -- spellings --------------------------------------------------------------------------------------


class Shouting(ItemMemory):
    """Keeps addresses in capitals."""

    def _kept(self, path: str, value: Json, row: Row) -> Json:
        kept = super()._kept(path, value, row)
        return [shouted(one) for one in kept] if path == "addresses" else kept


def shouted(item: dict[str, Json]) -> dict[str, Json]:
    return {name: text.upper() if isinstance(text, str) else text for name, text in item.items()}


def test_the_short_form_of_an_address_in_another_spelling_is_no_second_one(
    tmp_path: Path, clock: Clock
) -> None:
    """The desk shows neither region nor country."""
    hub = three(tmp_path, clock)
    hub.systems["shop"].add(**ADA, places=[{**HILL, "id": 71}])
    for _ in range(2):
        hub.sync(("shop",))
        hub.release()
    hub.systems["desk"].add(
        **ADA, addresses=[{"street": "BERGSTR 9", "city": "ULM", "code": "89073", "id": 1}]
    )
    settled(hub, clock)
    assert towns(hub) == [HILLSIDE]


@pytest.fixture
def shouting(tmp_path: Path, clock: Clock) -> SmallHub:
    systems = systems_of(clock, *NAMES)
    systems["desk"] = Shouting(clock, capabilities=ALL | {Capability.ELEMENT_WRITES})
    hub = hub_with(tmp_path, systems)
    systems["shop"].add(**ADA, places=[{**SEA, "id": 71}, {**HILL, "id": 72}])
    return settled(hub, clock)


def test_an_address_that_a_system_keeps_short_and_in_capitals_is_put_right_there(
    shouting: SmallHub, clock: Clock
) -> None:
    edit(shouting, clock, "shop", "Bergstr. 9", line1="Bergstr. 19")
    until_quiet(shouting, clock)
    assert towns(shouting) == [("Bergstr. 19", "Ulm"), SEASIDE]
    assert sorted(on(shouting, "desk")) == ["BERGSTR. 19", "SEEWEG 1\nHOF 2"]


def test_an_address_that_a_system_keeps_short_and_in_capitals_is_removed_there(
    shouting: SmallHub, clock: Clock
) -> None:
    remove(shouting, clock, "desk", "SEEWEG 1\nHOF 2")
    until_quiet(shouting, clock)
    assert (towns(shouting), sorted(on(shouting, "shop"))) == ([HILLSIDE], ["Bergstr. 9"])


# -- lists without a place for every part -----------------------------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("order", list(permutations(NAMES)))
def test_a_list_that_cannot_say_the_country_doubles_no_address_in_whatever_order_it_is_read(
    tmp_path: Path, clock: Clock, order: tuple[str, ...], at_once: bool
) -> None:
    hub = three(tmp_path, clock)
    hub.systems["shop"].add(**ADA, places=[{**HILL, "id": 71, "type": "invoice"}])
    hub.systems["desk"].add(
        **ADA, addresses=[{"street": "Bergstr. 9", "city": "Ulm", "code": "89073", "id": 1, "kind": "home"}]
    )
    hub.systems["crm"].add(**ADA, city="Ulm")
    for number in (3,) if at_once else (1, 2, 3):
        hub.sync(order[:number])
        hub.release()
    until_quiet(hub, clock)
    (place,) = hub.systems["shop"].values("1")["places"]
    assert (place["id"], place["country"], len(on(hub, "desk"))) == (71, "DE", 1)
    assert (crm(hub), towns(hub)) == (("Bergstr. 9", "Ulm", "89073"), [HILLSIDE])


@pytest.mark.parametrize("slot", ["", "bill_"])
def test_who_names_a_held_address_where_the_country_has_no_place_means_that_one(
    houses: SmallHub, clock: Clock, slot: str
) -> None:
    said = {"street": "Bergstr. 9", "city": "Ulm", "postcode": "89073"}
    houses.systems["crm"].edit("1", **{f"{slot}{part}": text for part, text in said.items()})
    until_quiet(houses, clock)
    assert towns(houses) == [HILLSIDE, SEASIDE]
    assert sorted(one["id"] for one in houses.systems["shop"].values("1")["places"]) == [71, 72]


def test_one_of_two_addresses_that_a_list_cannot_tell_apart_is_put_right_there(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock)
    main = {"line1": "Main 1", "town": "Springfield", "zip": "1", "country": "US"}
    places = [{**main, "state": "IL", "id": 71, "default": True}, {**main, "state": "MO", "id": 72}]
    hub.systems["shop"].add(**ADA, places=places)
    settled(hub, clock)
    first, second = hub.systems["desk"].values("1")["addresses"]
    hub.systems["desk"].edit("1", addresses=[{**first, "street": "Main 11"}, second])
    until_quiet(hub, clock)
    said = [(one["id"], one["line1"], one["state"]) for one in hub.systems["shop"].values("1")["places"]]
    assert said == [(71, "Main 11", "IL"), (72, "Main 1", "MO")]


# -- odd lists of objects ---------------------------------------------------------------------------


@pytest.fixture
def twins(tmp_path: Path, clock: Clock) -> SmallHub:
    """A shop whose list, which is written as a whole, has one id for two addresses."""
    hub = hub_with(tmp_path, {name: ItemMemory(clock) for name in NAMES})
    hub.systems["shop"].add(**ADA, places=[{**SEA, "id": 7, "default": True}, {**HILL, "id": 7}])
    return settled(hub, clock)


def test_of_two_items_with_one_id_only_the_one_that_is_meant_is_changed(
    twins: SmallHub, clock: Clock
) -> None:
    edit(twins, clock, "desk", "Bergstr. 9", label="House")
    until_quiet(twins, clock)
    assert {street: one.get("name") for street, one in on(twins, "shop").items()} == {
        "Seeweg 1": None,
        "Bergstr. 9": "House",
    }
    assert towns(twins) == [HILLSIDE, SEASIDE]


def test_of_two_items_with_one_id_only_the_one_that_is_meant_is_put_right(
    twins: SmallHub, clock: Clock
) -> None:
    edit(twins, clock, "desk", "Bergstr. 9", street="Bergstr. 19")
    until_quiet(twins, clock)
    assert sorted(on(twins, "shop")) == ["Bergstr. 19", "Seeweg 1"]
    assert towns(twins) == [("Bergstr. 19", "Ulm"), SEASIDE]


def test_of_two_items_with_one_id_only_the_one_that_is_meant_goes(twins: SmallHub, clock: Clock) -> None:
    remove(twins, clock, "desk", "Bergstr. 9")
    until_quiet(twins, clock)
    assert (sorted(on(twins, "shop")), towns(twins)) == (["Seeweg 1"], [SEASIDE])


def test_of_two_marked_items_the_primary_one_does_not_hang_on_their_order(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock)
    marked = [{**SEA, "id": 71, "default": True}, {**HILL, "id": 72, "default": True}]
    hub.systems["shop"].add(**ADA, places=marked)
    settled(hub, clock)
    hub.systems["shop"].edit("1", places=marked[::-1])
    until_quiet(hub, clock)
    assert crm(hub)[0] == "Seeweg 1\nHof 2"
