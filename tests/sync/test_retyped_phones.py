"""A number without a country code in a system that keeps no address: whose country it is of."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from random import Random
from types import FrameType

import phonenumbers
import pytest

from tests.demands.hubs import Setting, aside, hub_of, mapped, public, told, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import FieldRule
from trueup.model.canonical import Locale
from trueup.model.record import Json
from trueup.sync.rules import guessed_phones

EMAIL = "ewa@example.com"
NAMES = ("email", "first_name", "last_name")
COUNTRY = FieldRule("address.country", "country")
BERLIN, RETYPED, MEANT = "+49 30 1234567", "030 7654321", "+49307654321"


def hub_with(
    folder: Path,
    clock: Clock,
    *,
    region: str = "UA",
    create: Sequence[str] = (),
    crm: Sequence[str | FieldRule] = (COUNTRY,),
) -> SmallHub:
    """`desk` keeps no address and is believed most, `crm` keeps one and no number, `shop` both; numbers are
    read in the hub's region."""
    systems = {name: Memory(clock) for name in ("desk", "crm", "shop")}
    objects = [
        ("desk", rules(fields=mapped(*NAMES, "phone"))),
        ("crm", rules(fields=mapped(*NAMES, *crm))),
        ("shop", rules(fields=mapped(*NAMES, "phone", COUNTRY))),
    ]
    locales = dict.fromkeys(systems, Locale(phone_region=region))
    setting = Setting(objects, order=("desk", "crm", "shop"), create=create, locales=locales)
    hub = hub_of(folder, clock, systems, setting)
    hub.sync()
    hub.release()
    return hub


def seen(hub: SmallHub, clock: Clock, *groups: dict[str, dict[str, Json]]) -> None:
    """Records of one person come to light, group by group."""
    for group in groups:
        for name, said in group.items():
            hub.systems[name].add(email=EMAIL, first_name="Ewa", last_name="Nowak", **said)
        until_quiet(hub, clock)


def retyped(hub: SmallHub, clock: Clock, text: str = RETYPED) -> None:
    hub.systems["desk"].edit("1", phone=text)
    until_quiet(hub, clock)


@pytest.mark.parametrize("country", [None, "UA", "DE", "PL"])
def test_a_retyped_number_is_of_the_country_of_the_one_that_stood_there(
    country: str | None, tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"desk": {"phone": BERLIN}, "crm": {"country": country}, "shop": {"phone": BERLIN}})
    retyped(hub, clock)
    assert (hub.contact(EMAIL)["phones"], told(hub.systems["shop"], "phone")) == ([MEANT], [MEANT])
    assert told(hub.systems["desk"], "phone") == [RETYPED]


def test_a_number_that_stood_there_without_its_code_is_of_the_country_that_another_record_says(
    tmp_path: Path,
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"desk": {"phone": "030 1234567"}, "shop": {"phone": BERLIN}})
    retyped(hub, clock)
    assert told(hub.systems["shop"], "phone") == [MEANT]


@pytest.mark.parametrize("country, meant", [("DE", "+49441234567"), ("CA", "+380441234567")])
def test_without_a_number_before_it_is_of_the_country_of_the_contacts_address_if_it_is_valid_there(
    country: str, meant: str, tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"desk": {}, "crm": {"country": country}, "shop": {}})
    retyped(hub, clock, "044 1234567")
    assert told(hub.systems["shop"], "phone") == [meant]


def test_of_two_countries_the_contacts_address_tells_none(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"crm": {"country": "DE"}, "desk": {}, "shop": {}})
    hub.store.edit(public(hub, EMAIL), {"addresses.work.country": "PL"}, "eve", clock.now(), False)
    until_quiet(hub, clock)
    retyped(hub, clock, "044 1234567")
    assert told(hub.systems["shop"], "phone") == ["+380441234567"]


def test_what_is_a_number_nowhere_is_set_aside_and_replaces_nothing(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"desk": {"phone": BERLIN}, "crm": {"country": "DE"}, "shop": {"phone": BERLIN}})
    before = written(hub)
    retyped(hub, clock, "030 1")
    assert aside(hub) == {"phone": "not a phone number"}
    assert (told(hub.systems["shop"], "phone"), written(hub)) == ([BERLIN], before)


def test_a_number_that_was_set_aside_counts_once_the_address_is_known(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"desk": {"phone": "01512 3456789"}, "shop": {}})
    assert list(aside(hub)) == ["phone"]
    seen(hub, clock, {"crm": {"country": "DE"}})
    assert (aside(hub), told(hub.systems["shop"], "phone")) == ({}, ["+4915123456789"])
    assert told(hub.systems["desk"], "phone") == ["01512 3456789"]


def test_a_number_that_says_its_code_without_a_sign_is_of_that_country(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"desk": {"phone": BERLIN}, "crm": {"country": "DE"}, "shop": {"phone": BERLIN}})
    retyped(hub, clock, "380671234567")
    assert told(hub.systems["shop"], "phone") == ["+380671234567"]


def test_a_move_of_the_contact_makes_no_other_number_of_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {"desk": {"phone": BARE}, "crm": {"country": "DE"}, "shop": {}})
    for country in ("AT", None, "PL", "UA"):
        hub.systems["crm"].edit("1", country=country)
        until_quiet(hub, clock)
        assert hub.contact(EMAIL)["phones"] == told(hub.systems["shop"], "phone") == [THERE]


@pytest.mark.parametrize("later", [set(), {"desk"}, {"crm"}, {"shop"}, {"crm", "shop"}])
def test_an_address_that_is_learned_later_leaves_a_number_in_the_country_of_the_one_before(
    later: set[str], tmp_path: Path
) -> None:
    clock, people = Clock(), {"desk": {"phone": "+380442223344"}, "crm": {"country": None}, "shop": {}}
    hub = hub_with(tmp_path, clock)
    early = {name: said for name, said in people.items() if name not in later}
    seen(hub, clock, early, *([{"desk": people["desk"]}] if "desk" in later else []))
    retyped(hub, clock, "044 1234567")
    seen(hub, clock, {name: people[name] for name in sorted(later - {"desk"})})
    hub.systems["crm"].edit("1", country="DE")
    until_quiet(hub, clock)
    assert hub.contact(EMAIL)["phones"] == told(hub.systems["shop"], "phone") == ["+380441234567"]


BARE, THERE, AT_HOME = "044 1234567", "+49441234567", "+380441234567"


@pytest.mark.parametrize("order", [*permutations(("desk", "crm", "shop"))], ids=" ".join)
@pytest.mark.parametrize("at_once", [0, 1, 2, 3])
@pytest.mark.parametrize("shop, meant", [(None, THERE), (AT_HOME, AT_HOME), (THERE, THERE), (BARE, THERE)])
@pytest.mark.parametrize("create", [(), ("shop",)], ids=["", "created"])
def test_first_sights_in_any_order_and_grouping_end_alike(
    order: Sequence[str],
    at_once: int,
    shop: str | None,
    meant: str,
    create: Sequence[str],
    tmp_path: Path,
) -> None:
    """Whether what the hub guessed was told to others meanwhile or not; whoever says the code is believed."""
    clock = Clock()
    said: dict[str, dict[str, Json]] = {
        "desk": {"phone": BARE},
        "crm": {"country": "DE"},
        "shop": {"phone": shop},
    }
    hub = hub_with(tmp_path, clock, create=create)
    seen(
        hub,
        clock,
        {name: said[name] for name in order[:at_once]},
        *({name: said[name]} for name in order[at_once:]),
    )
    held = hub.contact(EMAIL)
    assert (held["phone"], held["phones"]) == (meant, [meant])
    assert told(hub.systems["desk"], "phone") == [BARE]
    assert set(told(hub.systems["shop"], "phone")) <= {meant, BARE, None}  # a duplicate is not filled
    before = written(hub)
    hub.sync()
    assert written(hub) == before


@pytest.mark.parametrize(
    "order", [*permutations(("desk", "shop")), *permutations(("desk", "crm", "shop"))], ids=" ".join
)
def test_the_same_digits_in_a_record_with_its_own_address_are_of_its_country_in_any_order(
    order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    said: dict[str, dict[str, Json]] = {
        "desk": {"phone": BARE},
        "shop": {"phone": BARE, "country": "DE"},
        "crm": {"country": "DE"},
    }
    seen(hub, clock, *({name: said[name]} for name in order))
    assert hub.contact(EMAIL)["phones"] == [THERE]
    assert told(hub.systems["desk"], "phone") == [BARE]


def weighed(act: Callable[[], object]) -> int:
    """How often anything is decided the long way meanwhile."""
    count = 0

    def watch(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code is guessed_phones.keep_said.__code__

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


ALL_THREE: dict[str, dict[str, Json]] = {"desk": {"phone": BARE}, "crm": {"country": "DE"}, "shop": {}}


@pytest.mark.parametrize("shop, times", [(None, 1), ("DE", 1), ("PL", 2)])
def test_numbers_are_weighed_again_only_where_other_countries_came_out_than_the_records_foretold(
    shop: str | None, times: int, tmp_path: Path
) -> None:
    """Two addresses of which the hub takes one foretell no country."""
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    for name, said in {**ALL_THREE, "shop": {"country": shop}}.items():
        hub.systems[name].add(email=EMAIL, first_name="Ewa", last_name="Nowak", **said)
    clock.sleep(1200)
    assert weighed(hub.sync) == times
    assert hub.contact(EMAIL)["phones"] == [THERE]


def test_numbers_that_are_the_same_in_any_country_that_came_out_are_weighed_once(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen(hub, clock, {**ALL_THREE, "shop": {"phone": THERE}})
    hub.systems["crm"].edit("1", country="PL")
    clock.sleep(1200)
    assert weighed(hub.sync) == 1
    assert hub.contact(EMAIL)["phones"] == [THERE]


@pytest.mark.parametrize("order", [*permutations(("desk", "crm", "shop"))], ids=" ".join)
@pytest.mark.parametrize("at_once", [0, 2, 3])
def test_of_two_numbers_with_a_code_one_without_is_that_of_its_own_address_in_any_order(
    order: Sequence[str], at_once: int, tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, crm=("phone", COUNTRY))
    said: dict[str, dict[str, Json]] = {
        "desk": {"phone": THERE},
        "crm": {"phone": BARE, "country": "DE"},
        "shop": {"phone": AT_HOME},
    }
    groups = [order[:at_once], *((name,) for name in order[at_once:])]
    seen(hub, clock, *({name: said[name] for name in some} for some in groups if some))
    assert hub.contact(EMAIL)["phones"] == [THERE]
    assert told(hub.systems["desk"], "phone") == [THERE]


REGIONS = ("PL", "DE", "FR", "ES", "IT", "GB", "US", "CZ", "SK", "RO")


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_country_a_retyped_number_stays_there(seed: int, tmp_path: Path) -> None:
    """Its country is known from the number before or from the address; the hub is at home elsewhere."""
    chance, clock = Random(seed), Clock()
    region, home = chance.sample(REGIONS, 2)
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    shape, shown = phonenumbers.PhoneNumberFormat, phonenumbers.format_number
    number.national_number += chance.randint(1, 9)
    before = shown(number, shape.E164)
    number.national_number += chance.randint(10, 90)
    bare, meant = shown(number, shape.NATIONAL), shown(number, shape.E164)
    by_number = chance.random() < 0.5
    hub = hub_with(tmp_path, clock, region=home)
    people: dict[str, dict[str, Json]] = {
        "desk": {"phone": before if by_number else None},
        "crm": {"country": region if not by_number else chance.choice([None, home])},
        "shop": {"phone": before if by_number else None},
    }
    order = chance.sample(sorted(people), 3)
    seen(hub, clock, *({name: people[name]} for name in order))
    retyped(hub, clock, bare)
    assert hub.contact(EMAIL)["phones"] == told(hub.systems["shop"], "phone") == [meant]
    assert not aside(hub)
    before_again = written(hub)
    hub.sync()
    assert written(hub) == before_again
