"""A phone number without a country code is a guess: it takes the place of no number that was said whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import phonenumbers
import pytest

from tests.demands.hubs import Setting, hub_of, links, public, told, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import FieldRule
from trueup.model.canonical import Locale
from trueup.model.record import Json

EMAIL = "ewa@example.com"
BARE, WHOLE, AT_HOME = "693376764", "+48693376764", "+380693376764"
FIELDS = (*("email", "first_name", "last_name", "phone"), FieldRule("address.country", "country"))
ORDERS = [("desk", "crm"), ("crm", "desk"), ("desk+crm",)]


def hub_with(folder: Path, clock: Clock) -> SmallHub:
    """All read numbers as Ukrainian ones; `desk` is believed most; `shop` is told of everybody."""
    systems = {name: Memory(clock) for name in ("desk", "crm", "shop")}
    shop = rules(fields=(*FIELDS, FieldRule("phones", "phones")))
    objects = [("desk", rules(fields=FIELDS)), ("crm", rules(fields=FIELDS)), ("shop", shop)]
    locales = dict.fromkeys(systems, Locale(phone_region="UA"))
    order = ("desk", "crm", "shop")
    hub = hub_of(folder, clock, systems, Setting(objects, order=order, create=("shop",), locales=locales))
    hub.sync()
    hub.release()
    return hub


def seen_in(hub: SmallHub, clock: Clock, order: Sequence[str], **said: dict[str, Json]) -> None:
    for some in order:
        for name in some.split("+"):
            person = {"email": EMAIL, "first_name": "Ewa", "last_name": "Nowak"}
            hub.systems[name].add(**person, **said[name])
        hub.sync()
        clock.tick(60)
    until_quiet(hub, clock)


def lost(hub: SmallHub) -> list[str]:
    rows = hub.store.history(public(hub, EMAIL), 50)
    return [one.field for row in rows for one in row.conflicts if "phone" in one.field]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
@pytest.mark.parametrize("text", [BARE, "693 376 764", "(69) 337-67-64"])
def test_a_number_without_its_country_code_is_the_one_that_another_record_says_whole(
    text: str, order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, order, desk={"phone": text}, crm={"phone": WHOLE})
    held = hub.contact(EMAIL)
    assert (held["phone"], held["phones"]) == (WHOLE, [WHOLE])
    assert told(hub.systems["desk"], "phone") == [text]
    assert (told(hub.systems["shop"], "phone"), told(hub.systems["shop"], "phones")) == ([WHOLE], [[WHOLE]])
    assert not (hub.systems["desk"].written or hub.systems["crm"].written or lost(hub))


def test_a_number_that_is_valid_only_abroad_is_not_set_aside_where_a_record_says_it_whole(
    tmp_path: Path,
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    said = {"phone": "07700 900123"}
    seen_in(hub, clock, ("desk+crm",), desk=said, crm={"phone": "+447700900123"})
    assert hub.contact(EMAIL)["phone"] == "+447700900123"
    assert not hub.store.quarantined(None, 10)
    assert not hub.systems["desk"].written


@pytest.mark.parametrize(
    ("country", "meant"), [("PL", WHOLE), ("UA", AT_HOME), (None, AT_HOME), ("IS", AT_HOME)]
)
def test_alone_it_is_of_the_country_of_its_own_address_else_of_the_hubs_region(
    country: str | None, meant: str, tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk",), desk={"phone": BARE, "country": country})
    assert hub.contact(EMAIL)["phones"] == [meant]
    assert not hub.systems["desk"].written


def test_the_country_that_was_guessed_by_the_address_gives_way_to_what_is_said_whole(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk", "crm"), desk={"phone": BARE, "country": "PL"}, crm={"phone": AT_HOME})
    assert hub.contact(EMAIL)["phones"] == [AT_HOME]
    assert told(hub.systems["shop"], "phone") == [AT_HOME]


def test_whoever_adds_the_country_code_makes_an_edit(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk",), desk={"phone": BARE, "country": "PL"})
    hub.systems["desk"].edit("1", phone=AT_HOME)
    until_quiet(hub, clock)
    assert hub.contact(EMAIL)["phone"] == AT_HOME
    hub.systems["desk"].edit("1", phone=WHOLE)
    until_quiet(hub, clock)
    assert (hub.contact(EMAIL)["phone"], told(hub.systems["shop"], "phone")) == (WHOLE, [WHOLE])


def test_an_edit_to_other_digits_is_an_edit(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk+crm",), desk={"phone": BARE}, crm={"phone": WHOLE})
    hub.systems["desk"].edit("1", phone="0931234567")
    until_quiet(hub, clock)
    assert hub.contact(EMAIL)["phone"] == "+380931234567"
    assert told(hub.systems["crm"], "phone") == ["+380931234567"]


def test_a_number_that_a_person_typed_in_the_hub_is_what_the_digits_mean(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk",), desk={"phone": BARE})
    hub.store.edit(public(hub, EMAIL), {"phone": WHOLE}, "eve", clock.now(), False)
    until_quiet(hub, clock)
    assert (hub.contact(EMAIL)["phones"], told(hub.systems["shop"], "phone")) == ([WHOLE], [WHOLE])


def test_who_says_the_bare_number_is_still_found_by_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk+crm",), desk={"phone": BARE}, crm={"phone": WHOLE})
    hub.systems["crm"].add(first_name="Ewa", last_name="Nowak", phone=BARE)
    hub.sync()
    assert len(links(hub, EMAIL)) == 4


def test_a_move_to_another_country_makes_no_other_number_of_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk",), desk={"phone": BARE, "country": "UA"})
    hub.systems["desk"].edit("1", country="PL")
    until_quiet(hub, clock)
    assert (hub.contact(EMAIL)["phones"], told(hub.systems["shop"], "phone")) == ([AT_HOME], [AT_HOME])


REGIONS = ("PL", "DE", "FR", "ES", "IT", "GB", "US", "CZ", "SK", "RO")


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_country_and_the_spelling_no_guess_replaces_a_whole_number(
    seed: int, tmp_path: Path
) -> None:
    chance, clock = Random(seed), Clock()
    number = phonenumbers.example_number_for_type(chance.choice(REGIONS), phonenumbers.PhoneNumberType.MOBILE)
    number.national_number += chance.randint(1, 9)  # not 123456789, which is read as nothing
    shape = phonenumbers.PhoneNumberFormat
    whole = phonenumbers.format_number(number, shape.E164)
    bare = phonenumbers.format_number(number, shape.NATIONAL)
    bare = chance.choice([bare, bare.replace(" ", ""), phonenumbers.national_significant_number(number)])
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, chance.choice(ORDERS), desk={"phone": bare}, crm={"phone": whole})
    held = hub.contact(EMAIL)
    assert (held["phone"], held["phones"]) == (whole, [whole])
    assert not (hub.systems["desk"].written or hub.systems["crm"].written or lost(hub))


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
@pytest.mark.parametrize("text", ["501816549", "030 7654321"])
def test_a_number_of_the_country_of_its_own_address_makes_two_records_of_one_name_one_person(
    text: str, order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    country, whole = ("PL", "+48501816549") if text.startswith("5") else ("DE", "+49307654321")
    name = {"first_name": "Ewa", "last_name": "Nowak"}
    said = {"desk": {"phone": text, "country": country}, "crm": {"phone": whole}}
    for some in order:
        for system in some.split("+"):
            hub.systems[system].add(**name, **said[system])
        hub.sync()
        clock.tick(60)
    until_quiet(hub, clock)
    assert len(hub.systems["shop"].living()) == 1
    assert hub.systems["desk"].values("1")["phone"] in (text, whole)
