"""An address of no more than a place (`Kyiv`) beside one with a street (0030)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from tests.demands.hubs import Setting, ann, hub_of, mapped, public, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.dedupe.towns import same_town
from trueup.mapping.schema import FieldRule
from trueup.model.record import Json

WHO = "ann@example.com"
PARTS = ("street", "city", "postcode", "country")
WHOLE = {"street": "Ring 1", "city": "Київ", "postcode": "01001", "country": "UA"}
TOWNS = ("Kiev", "Kyiv", "м. Київ", "Cologne", "Köln", "Giza", "الجيزة", "Львів", "Paris")
NAMES = ("desk", "crm", "shop")


def parts(*names: str) -> list[FieldRule]:
    return [FieldRule(f"address.{name}", name) for name in names]


def hub_with(
    folder: Path, clock: Clock, desk: Sequence[str] = ("city",), heard: Sequence[str] = NAMES
) -> SmallHub:
    """`desk` is believed most and has these columns, `crm` and `shop` all. `heard`: who may decide."""
    systems = {name: Memory(clock) for name in NAMES}
    people = ("email", "first_name", "last_name")
    columns = {"desk": desk, "crm": PARTS, "shop": PARTS}
    objects = [(name, rules(fields=mapped(*people, *parts(*columns[name])))) for name in NAMES]
    return hub_of(folder, clock, systems, Setting(objects, order=heard))


def address(hub: SmallHub, name: str) -> dict[str, Json]:
    held = hub.systems[name].values("1")
    return {part: held[part] for part in PARTS if held.get(part)}


def known(hub: SmallHub) -> dict[str, object]:
    values = hub.contact(WHO)
    return {part: values[f"address.{part}"] for part in PARTS if values.get(f"address.{part}")}


def settled(hub: SmallHub, clock: Clock, **said: dict[str, Json]) -> SmallHub:
    for name, values in said.items():
        hub.systems[name].add(**ann(**values))
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    return hub


@pytest.mark.parametrize("order", [*permutations(NAMES)], ids=" ".join)
@pytest.mark.parametrize("town", TOWNS)
def test_in_any_order_the_address_with_a_street_stays_whole_whatever_a_place_is_called(
    order: Sequence[str], town: str, tmp_path: Path
) -> None:
    chance, clock = Random(f"{order} {town}"), Clock()
    hub = hub_with(tmp_path, clock, desk=chance.choice([("city",), ("city", "country"), PARTS]))
    said: dict[str, dict[str, Json]] = {
        "desk": {"city": town},
        "crm": dict(WHOLE),
        "shop": chance.choice([{}, {"city": town}, {"country": "UA"}, dict(WHOLE)]),
    }
    hub.sync()
    release = chance.randrange(4)
    for place, name in enumerate(order):
        if place == release:
            hub.release()
        hub.systems[name].add(**ann(**said[name]))
        if chance.random() < 0.6:
            until_quiet(hub, clock)
    settled(hub, clock)
    assert known(hub) == address(hub, "crm") == address(hub, "shop") == WHOLE
    assert address(hub, "desk").items() <= WHOLE.items()
    before = written(hub)
    hub.sync()
    assert written(hub) == before


CHOICES = {
    "street": ("Ring 1", "Alte Gasse 5"),
    "city": ("Kiev", "Київ", "Львів"),
    "postcode": ("01001", "79000"),
    "country": ("UA", "PL"),
}


@pytest.mark.parametrize("seed", range(25))
def test_which_address_wins_hangs_on_no_order_of_reading(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    said: dict[str, dict[str, Json]] = {
        name: {part: chance.choice(CHOICES[part]) for part in chance.sample(PARTS, chance.randint(0, 4))}
        for name in NAMES
    }
    ends = []
    for number, order in enumerate(permutations(NAMES)):
        folder, clock = tmp_path / str(number), Clock()
        folder.mkdir()
        hub = hub_with(folder, clock, desk=PARTS)
        hub.sync()
        released = chance.random() < 0.5
        if released:
            hub.release()
        for name in order:
            hub.systems[name].add(**ann(**said[name]))
            if chance.random() < 0.6:
                until_quiet(hub, clock)
        ends.append(known(settled(hub, clock)))
    assert all(one == ends[0] for one in ends), said


def test_what_says_no_more_than_a_place_is_told_as_lost(tmp_path: Path) -> None:
    clock = Clock()
    hub = settled(hub_with(tmp_path, clock), clock, desk={"city": "Kiev"}, crm=dict(WHOLE))
    lost = [one for row in hub.store.history(public(hub, WHO), 50) for one in row.conflicts]
    assert [(one.field, one.lost, one.kept) for one in lost] == [("address.city", "Kiev", "Київ")]


def test_a_street_of_a_system_that_may_decide_no_address_stands_in_nobodys_way(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, heard=("desk",))
    settled(hub, clock, desk={"city": "Львів"}, crm=dict(WHOLE))
    assert known(hub) == {"city": "Львів"}


NEAR: dict[str, Json] = {"street": "Хрещатик 1", "postcode": "01001"}


@pytest.mark.parametrize("order", [("desk", "crm"), ("crm", "desk"), ("desk crm",)], ids=" ".join)
@pytest.mark.parametrize("place", [{"city": "Київ"}, {"city": "Київ", "country": "UA"}])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_place_that_a_street_does_not_contradict_is_emptied_in_no_order(
    order: Sequence[str], place: dict[str, Json], when: str, tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, desk=tuple(place))
    hub.sync()
    if when == "before":
        hub.release()
    for names in order:
        for name in names.split():
            hub.systems[name].add(**ann(**(place if name == "desk" else NEAR)))
        until_quiet(hub, clock)
    settled(hub, clock)
    assert (address(hub, "desk"), address(hub, "crm"), known(hub)) == (place, NEAR, NEAR)


def test_of_two_records_that_say_a_place_none_is_emptied(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    hub.sync()
    for said in ({"desk": {"city": "Kiev"}, "crm": {"city": "Lviv"}}, {"shop": NEAR}):
        for name, values in said.items():
            hub.systems[name].add(**ann(**values))
        until_quiet(hub, clock)
    settled(hub, clock)
    assert (address(hub, "desk"), address(hub, "crm")) == ({"city": "Kiev"}, {**NEAR, "city": "Lviv"})


@pytest.mark.parametrize("order", [("crm", "desk"), ("desk", "crm")], ids=" ".join)
def test_a_street_that_a_believed_postcode_does_not_contradict_is_emptied_in_no_order(
    order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, desk=PARTS)
    said: dict[str, dict[str, Json]] = {"desk": {"postcode": "01001"}, "crm": dict(WHOLE)}
    hub.sync()
    settled(hub, clock, **{order[0]: said[order[0]]})
    settled(hub, clock, **{order[1]: said[order[1]]})
    assert address(hub, "crm") == WHOLE
    assert known(hub) == {"postcode": "01001"}


def test_what_another_street_displaces_goes_with_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, desk=PARTS)
    settled(hub, clock, crm=dict(WHOLE))
    settled(hub, clock, desk={"street": "Alte Gasse 5"})
    assert address(hub, "crm") == address(hub, "desk") == known(hub) == {"street": "Alte Gasse 5"}


def test_a_place_that_somebody_empties_is_emptied_everywhere(tmp_path: Path) -> None:
    clock = Clock()
    hub = settled(hub_with(tmp_path, clock), clock, desk={"city": "Київ"}, crm={})
    hub.systems["desk"].edit("1", city=None)
    until_quiet(hub, clock)
    assert (address(hub, "crm"), known(hub)) == ({}, {})


@pytest.mark.parametrize("columns", [("city",), ("city", "country")])
@pytest.mark.parametrize("town", ["Kiev", "Kyiv", "м. Київ"])
def test_who_spells_a_city_otherwise_has_moved_nobody(
    town: str, columns: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = settled(hub_with(tmp_path, clock, columns), clock, desk={"city": "Київ"}, crm=dict(WHOLE), shop={})
    hub.systems["desk"].edit("1", city=town)
    until_quiet(hub, clock)
    assert known(hub) == address(hub, "crm") == address(hub, "shop") == {**WHOLE, "city": town}


@pytest.mark.parametrize("columns", [("city",), ("city", "country")])
def test_another_city_where_no_street_was_seen_is_a_move(columns: Sequence[str], tmp_path: Path) -> None:
    clock = Clock()
    hub = settled(hub_with(tmp_path, clock, columns), clock, desk={"city": "Київ"}, crm=dict(WHOLE), shop={})
    hub.systems["desk"].edit("1", city="Львів")
    until_quiet(hub, clock)
    there = {"city": "Львів", **({"country": "UA"} if "country" in columns else {})}
    assert known(hub) == address(hub, "crm") == address(hub, "shop") == there


@pytest.mark.parametrize(
    "town, kept", [("Kyiv", {**WHOLE, "city": "Kyiv"}), ("Київ", WHOLE), ("Львів", {"city": "Львів"})]
)
def test_before_the_release_a_city_alone_that_is_edited_is_a_move_if_it_is_another_city(
    town: str, kept: dict[str, Json], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, PARTS)
    for name, said in (("desk", {"city": "Kiev"}), ("crm", WHOLE)):
        hub.systems[name].add(**ann(**said))
    until_quiet(hub, clock)
    hub.systems["desk"].edit("1", city=town)
    settled(hub, clock)
    assert known(hub) == address(hub, "crm") == address(hub, "desk") == kept


@pytest.mark.parametrize(
    "one, other",
    [
        ("Kiev", "Київ"),
        ("Cologne", "Köln"),
        ("Giza", "الجيزة"),
        ("Frankfurt", "Frankfurt am Main"),
        ("Frankfurt a.M.", "Frankfurt/Main"),
        ("Neustadt", "Neustadt an der Weinstraße"),
        ("Halle (Saale)", "Halle"),
        ("Newcastle", "Newcastle upon Tyne"),
        ("Ростов", "Ростов-на-Дону"),
        ("Kyiv, Ukraine", "Київ"),
        ("Київська обл.", "Київська область"),
    ],
)
def test_a_town_is_the_same_in_other_languages(one: str, other: str) -> None:
    assert same_town(one, other)
    assert same_town(other, one)


@pytest.mark.parametrize(
    "one, other",
    [
        ("York", "New York"),
        ("Bern", "Brno"),
        ("Kiel", "Köln"),
        ("", "Ulm"),
        ("San", "San Jose"),
        ("Kansas", "Kansas City"),
        ("Virginia", "Virginia Beach"),
        ("Нова", "Нова Каховка"),
        ("Frankfurt (Oder)", "Frankfurt am Main"),
    ],
)
def test_towns_that_only_look_alike_are_two(one: str, other: str) -> None:
    assert not same_town(one, other)
