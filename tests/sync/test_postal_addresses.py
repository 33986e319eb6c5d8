"""Postal addresses: one by kind and a primary one, each of which survives whole (HARD-CASES 11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, contacts, hub_of, until_quiet, with_fuse
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import FieldRule
from trueup.model.fields import CONTACT
from trueup.model.record import Json
from trueup.sync.engine import Report, landing
from trueup.sync.preview import preview
from trueup.sync.rules.guard import Fuse

PARTS = ("street", "city", "postcode")
KINDS = ("address", "addresses.billing", "addresses.home", "addresses.work")
NAMES = ("sales", "shop")
SEA = {"street": "Seeweg 1", "city": "Kiel", "postcode": "24103"}
HILL = {"street": "Bergstr. 9", "city": "Ulm", "postcode": "89073"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def named(kind: str, parts: dict[str, Json]) -> dict[str, Json]:
    """The parts of one address as columns of a system."""
    return {f"{kind}.{part}".replace(".", "_"): value for part, value in parts.items()}


def two(folder: Path, clock: Clock, create: tuple[str, ...] = ()) -> SmallHub:
    fields = [FieldRule(f"{kind}.{part}", *named(kind, {part: None})) for kind in KINDS for part in PARTS]
    objects = [(name, rules(fields=("email", "first_name", "last_name", *fields))) for name in NAMES]
    systems = {name: Memory(clock) for name in NAMES}
    return hub_of(folder, clock, systems, Setting(objects, create=create))


def loaded(folder: Path, clock: Clock, sales: dict[str, Json], shop: dict[str, Json]) -> SmallHub:
    hub = two(folder, clock)
    hub.systems["sales"].add(**ann(**sales))
    hub.systems["shop"].add(**ann(**shop))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def held(hub: SmallHub, name: str, kind: str) -> dict[str, Json]:
    values = hub.systems[name].values("1")
    return {part: values[path] for part in PARTS for path in named(kind, {part: None}) if values.get(path)}


def test_a_contact_has_an_address_of_every_kind() -> None:
    kinds = {name.split(".")[1] for name in CONTACT if name.startswith("addresses.")}
    assert kinds == {"billing", "shipping", "home", "work", "other"}


def test_addresses_of_several_kinds_stand_beside_each_other(tmp_path: Path, clock: Clock) -> None:
    hub = loaded(tmp_path, clock, named("address", SEA), named("addresses.billing", HILL))
    for name in NAMES:
        assert (held(hub, name, "address"), held(hub, name, "addresses.billing")) == (SEA, HILL)


def test_of_two_addresses_at_first_sight_one_survives_whole(tmp_path: Path, clock: Clock) -> None:
    short = {"street": "Seeweg 1", "city": "Kiel"}
    hub = loaded(tmp_path, clock, named("addresses.work", short), named("addresses.work", HILL))
    assert [held(hub, name, "addresses.work") for name in NAMES] == [short, short]


def test_before_the_release_no_part_is_filled_beside_another_address(tmp_path: Path, clock: Clock) -> None:
    street = {"street": "Bergstr. 9"}
    hub = two(tmp_path, clock)
    hub.systems["sales"].add(**ann(**named("address", SEA), **named("addresses.home", HILL)))
    hub.systems["shop"].add(**ann(**named("address", street)))
    until_quiet(hub, clock)
    assert (held(hub, "shop", "address"), held(hub, "shop", "addresses.home")) == (street, HILL)
    hub.release()
    until_quiet(hub, clock)
    assert held(hub, "shop", "address") == SEA


@pytest.mark.parametrize(
    "believed, there",
    [
        ({"city": "Kyiv", "postcode": "01001"}, {"city": "м. Київ", "street": "вул. Миру, 5"}),
        ({"city": "Köln", "postcode": "50667"}, {"city": "Koeln", "street": "Ring 1", "postcode": "50667"}),
        ({"city": "Köln", "postcode": "50667"}, {"city": "Cologne", "street": "Ring 1", "postcode": "50667"}),
        (
            {"street": "Ring 1", "postcode": "50667"},
            {"street": "Ring 1", "postcode": "50676", "city": "Köln"},
        ),
    ],
)
def test_another_spelling_of_a_city_takes_no_street_away(
    believed: dict[str, Json], there: dict[str, Json], tmp_path: Path, clock: Clock
) -> None:
    """Who has no column for the street says nothing of it."""
    hub = two(tmp_path, clock)
    hub.systems["sales"].add(**ann(**named("address", believed)))
    hub.systems["shop"].add(**ann(**named("address", there)))
    reported = hub.sync().tally.get("withheld", "shop")
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    assert held(hub, "shop", "address") == {**there, **believed}
    assert reported == len({name for name, text in believed.items() if there.get(name) != text})


def test_what_another_address_empties_is_counted_as_cleared_and_has_its_fuse(
    tmp_path: Path, clock: Clock
) -> None:
    hub = two(tmp_path, clock)
    with_fuse(hub, clear=Fuse(0))
    hub.systems["sales"].add(**ann(**named("address", {"street": "Seeweg 1", "city": "Kiel"})))
    hub.systems["shop"].add(**ann(**named("address", HILL)))
    hub.sync()
    hub.release()
    assert hub.sync().held == {("shop", "clear"): 1}
    assert held(hub, "shop", "address") == HILL


def test_a_part_that_comes_to_light_of_an_address_that_waits_for_the_release_is_told_once(
    tmp_path: Path, clock: Clock
) -> None:
    """With the release it goes, like the rest of that address."""
    hub, shop = two(tmp_path, clock), NAMES[1]
    hub.systems["sales"].add(**ann(**named("address", {"street": "Seeweg 1", "city": "Kiel"})))
    hub.systems[shop].add(**ann(**named("address", HILL)))
    hub.systems[shop].hidden = {"address_postcode"}
    assert [hub.sync().tally.get("withheld", shop) for _ in range(2)] == [2, 0]
    hub.systems[shop].hidden = set()
    hub.systems[shop].edit("1", first_name="Anna")
    assert [hub.sync().tally.get("withheld", shop) for _ in range(2)] == [1, 0]
    hub.release()
    until_quiet(hub, clock)
    assert held(hub, shop, "address") == {"street": "Seeweg 1", "city": "Kiel"}


@pytest.mark.parametrize("part", ["postcode", "street"])
@pytest.mark.parametrize("lacks", ["", "postcode", "city"])
def test_a_part_that_is_edited_before_the_release_brings_its_address_along(
    part: str, lacks: str, tmp_path: Path, clock: Clock
) -> None:
    """Whoever puts the postcode right in the shop says nothing of a street in Kiel."""
    hub, there = two(tmp_path, clock), {name: text for name, text in HILL.items() if name != lacks}
    hub.systems["sales"].add(**ann(**named("address", SEA)))
    hub.systems["shop"].add(**ann(**named("address", there)))
    hub.sync()
    hub.systems["shop"].edit("1", **named("address", {part: "89 B"}))
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    assert held(hub, "sales", "address") == held(hub, "shop", "address") == {**there, part: "89 B"}


@pytest.mark.parametrize("part", ["postcode", "street"])
def test_a_part_that_is_edited_in_a_duplicate_with_another_address_brings_that_along(
    part: str, tmp_path: Path, clock: Clock
) -> None:
    hub = duplicated(tmp_path, clock, HILL)
    hub.systems["shop"].edit("1", **named("address", {part: "89 B"}))
    until_quiet(hub, clock)
    assert held(hub, "sales", "address") == held(hub, "shop", "address") == {**HILL, part: "89 B"}


def test_a_part_that_is_edited_in_a_duplicate_undoes_no_edit_of_the_others(
    tmp_path: Path, clock: Clock
) -> None:
    """A duplicate is not written: it shows what the address was."""
    hub = duplicated(tmp_path, clock, SEA)
    hub.systems["sales"].edit("1", address_street="Seeweg 1, 3. Stock")
    until_quiet(hub, clock)
    hub.systems["shop"].edit("1", address_postcode="24105")
    until_quiet(hub, clock)
    expected = {**SEA, "street": "Seeweg 1, 3. Stock", "postcode": "24105"}
    assert held(hub, "sales", "address") == expected


def duplicated(folder: Path, clock: Clock, first: dict[str, Json]) -> SmallHub:
    """One person, twice in the shop: her first record there is the duplicate."""
    hub = two(folder, clock)
    hub.systems["sales"].add(**ann(**named("address", SEA)))
    hub.systems["shop"].add(**ann(**named("address", first)))
    hub.systems["shop"].add(**ann(**named("address", SEA)))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def test_a_plan_foretells_the_whole_address_of_which_a_part_is_edited_before_the_release(
    tmp_path: Path, clock: Clock
) -> None:
    """`sales` is released and gets it, the shop is not."""
    hub = two(tmp_path, clock)
    hub.systems["sales"].add(**ann(**named("address", SEA)))
    hub.systems["shop"].add(**ann(**named("address", HILL)))
    hub.sync()
    hub.store.release("sales", "test", clock.now())
    hub.systems["shop"].edit("1", **named("address", {"postcode": "89 B"}))
    landing(hub.parts, NAMES, Report(0), None)
    ((_, plan),) = preview(hub.parts, lambda one: None)
    until_quiet(hub, clock)
    there = {**HILL, "postcode": "89 B"}
    assert [(one.connection, one.values) for one in plan.writes] == [("sales", named("address", there))]
    assert held(hub, "sales", "address") == there


def test_a_new_part_of_an_address_keeps_the_others(tmp_path: Path, clock: Clock) -> None:
    hub = loaded(tmp_path, clock, named("address", SEA), {})
    hub.systems["shop"].edit("1", address_street="Seeweg 2")
    until_quiet(hub, clock)
    assert [held(hub, name, "address") for name in NAMES] == [{**SEA, "street": "Seeweg 2"}] * 2


def test_two_moves_in_one_cycle_never_mix(tmp_path: Path, clock: Clock) -> None:
    hub = loaded(tmp_path, clock, named("address", SEA), {})
    hub.systems["sales"].edit("1", address_street="Ring 5", address_city="Bonn")
    hub.systems["shop"].edit("1", **named("address", HILL))
    until_quiet(hub, clock)
    moved = {"street": "Ring 5", "city": "Bonn", "postcode": "24103"}
    assert [held(hub, name, "address") for name in NAMES] == [moved, moved]
    (public,) = contacts(hub)
    rows = hub.store.history(public, 100)
    lost = {
        one.field: one.lost for row in rows for one in row.conflicts if one.lost_source == "shop/people/1"
    }
    assert {part: lost.get(f"address.{part}") for part in HILL} == HILL


def test_what_an_address_that_lost_did_not_say_itself_is_no_loss(tmp_path: Path, clock: Clock) -> None:
    hub = loaded(tmp_path, clock, named("address", SEA), {})
    hub.systems["sales"].edit("1", address_street="Ring 5")
    hub.systems["shop"].edit("1", address_city="Bonn")
    until_quiet(hub, clock)
    (public,) = contacts(hub)
    lost = [(one.field, one.lost, one.kept) for row in hub.store.history(public, 9) for one in row.conflicts]
    assert lost == [("address.city", "Bonn", SEA["city"])]


def test_two_kinds_of_address_may_change_places(tmp_path: Path, clock: Clock) -> None:
    hub = loaded(tmp_path, clock, named("address", SEA), named("addresses.home", HILL))
    hub.systems["shop"].edit("1", **named("address", HILL), **named("addresses.home", SEA))
    until_quiet(hub, clock)
    for name in NAMES:
        assert (held(hub, name, "address"), held(hub, name, "addresses.home")) == (HILL, SEA)


def test_an_address_that_is_emptied_takes_no_other_kind_along(tmp_path: Path, clock: Clock) -> None:
    hub = loaded(tmp_path, clock, named("address", SEA), named("addresses.home", HILL))
    hub.systems["sales"].edit("1", **named("address", dict.fromkeys(PARTS)))
    until_quiet(hub, clock)
    for name in NAMES:
        assert (held(hub, name, "address"), held(hub, name, "addresses.home")) == ({}, HILL)
