"""P03 to P08, P11: who is who. A key brings records together once; afterwards the link rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import (
    OPT_OUT,
    Setting,
    ann,
    contacts,
    hub_of,
    links,
    mapped,
    person,
    told,
    until_quiet,
    written,
)
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.dedupe.normalise import email_subject_key, match_keys, phone_key
from trueup.model.canonical import Locale
from trueup.model.fields import Kind

FIELDS = mapped("email", "phone", "first_name", "last_name", "job_title", **{"emails.other": "other"})
NAMES = ("sales", "marketing", "support")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def three(folder: Path, clock: Clock, create: tuple[str, ...] = NAMES, **more: object) -> SmallHub:
    systems = {name: Memory(clock, page=100) for name in NAMES}
    objects = [(name, rules(fields=FIELDS, consent=(OPT_OUT,))) for name in NAMES]
    return hub_of(folder, clock, systems, Setting(objects, create=create, **more))  # type: ignore[arg-type]


# -- P03 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", NAMES)
def test_p03_a_changed_address_updates_the_same_records(where: str, tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["sales"].add(**ann())
    hub.sync()
    hub.release()
    (before,) = contacts(hub)
    hub.systems[where].edit("1", email="ann.lee@new.example")
    until_quiet(hub, clock)
    assert [told(hub.systems[name], "email") for name in NAMES] == [["ann.lee@new.example"]] * 3
    assert list(contacts(hub)) == [before]


def test_p03_the_old_address_stays_suppressed_and_the_new_one_inherits_the_opt_out(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock, create=("marketing",))
    hub.systems["sales"].add(**ann(no_mail=True))
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", email="ann.lee@new.example")
    until_quiet(hub, clock)
    assert told(hub.systems["marketing"], "no_mail") == [True]
    assert hub.contact("ann.lee@new.example")["consent.email.marketing"] == "opted_out"


def test_p03_somebody_new_with_the_address_that_was_left_takes_over_nobody_s_records(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock, create=())
    hub.systems["sales"].add(**ann())
    hub.sync()
    hub.systems["sales"].edit("1", email="ann.lee@new.example")
    hub.sync()
    hub.systems["support"].add(email="other@example.com", first_name="Zoe", last_name="Other")
    hub.sync()
    assert links(hub, "other@example.com") == {("support", "people", "1")}


def test_p03_the_address_that_was_left_stays_suppressed_for_whoever_gets_it(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock, create=("marketing",))
    hub.systems["sales"].add(**ann(no_mail=True))
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", email="ann.lee@new.example")
    until_quiet(hub, clock)
    hub.systems["support"].add(email="ann@example.com", first_name="Someone", last_name="Else")
    hub.sync()
    assert told(hub.systems["support"], "no_mail") == [True]
    assert set(told(hub.systems["marketing"], "no_mail")) == {True}


# -- P04 ------------------------------------------------------------------------------------------


def test_p04_five_copies_in_one_batch_of_two_sources_become_one_contact(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=("support",))
    for source, copies in (("sales", 3), ("marketing", 2)):
        for _ in range(copies):
            hub.systems[source].add(**ann())
    report = hub.sync()
    assert len(contacts(hub)) == 1
    assert report.tally.get("creates") == 1
    assert told(hub.systems["support"], "email") == ["ann@example.com"]


# -- P05 ------------------------------------------------------------------------------------------

SPELLINGS = (" Ann@Ex.com ", "ann@ex.com", "ANN@EX.COM", "\u200bann@ex.com", "ａｎｎ@ｅｘ．ｃｏｍ")


def test_p05_one_address_in_all_spellings_is_one_contact(tmp_path: Path, clock: Clock) -> None:
    systems = {f"s{number}": Memory(clock) for number in range(len(SPELLINGS))}
    objects = [(name, rules(fields=FIELDS)) for name in systems]
    hub = hub_of(tmp_path, clock, systems, Setting(objects))
    for system, spelling in zip(systems.values(), SPELLINGS, strict=True):
        system.add(email=spelling, first_name="Ann", last_name="Lee")
    hub.sync()
    assert len(contacts(hub)) == 1


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_p05_an_opt_out_hits_the_address_in_every_spelling(
    spelling: str, tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock, create=())
    hub.systems["sales"].add(email=spelling, first_name="Ann", last_name="Lee", no_mail=True)
    hub.systems["marketing"].add(email="ann@ex.com", first_name="Ann", last_name="Lee")
    hub.sync()
    assert told(hub.systems["marketing"], "no_mail") == [True]


def test_p05_a_domain_is_one_in_unicode_and_in_ascii(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    hub.systems["sales"].add(email="ann@bücher.example", first_name="Ann", last_name="Lee", no_mail=True)
    hub.systems["marketing"].add(email="Ann@XN--BCHER-KVA.example", first_name="Ann", last_name="Lee")
    hub.sync()
    assert len(contacts(hub)) == 1
    assert told(hub.systems["marketing"], "no_mail") == [True]
    assert email_subject_key("ann@bücher.example") == email_subject_key("Ann@XN--BCHER-KVA.example")


def test_p05_the_value_stays_as_its_system_wrote_it(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    hub.systems["sales"].add(email=" Ann@Ex.com ", first_name="Ann", last_name="Lee")
    hub.systems["marketing"].add(email="ann@ex.com", first_name="Ann", last_name="Lee")
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    assert told(hub.systems["sales"], "email") == [" Ann@Ex.com "]
    assert told(hub.systems["marketing"], "email") == ["ann@ex.com"]
    assert written(hub) == 0


# -- P06 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "spellings", "key"),
    [
        ("RU", ("8 (912) 345-67-89", "+7 912 345 67 89", "tel:+79123456789;ext=5"), "+79123456789"),
        ("UA", ("067 123 45 67", "+380671234567", "(067) 123-45-67"), "+380671234567"),
    ],
)
def test_p06_a_number_has_one_key_however_it_is_written(
    region: str, spellings: tuple[str, ...], key: str, tmp_path: Path, clock: Clock
) -> None:
    assert {phone_key(spelling, region) for spelling in spellings} == {key}
    systems = {f"s{number}": Memory(clock) for number in range(len(spellings))}
    objects = [(name, rules(fields=FIELDS)) for name in systems]
    locales = {name: Locale(region) for name in systems}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, locales=locales))
    for system, spelling in zip(systems.values(), spellings, strict=True):
        system.add(phone=spelling, first_name="Ann", last_name="Lee")
    hub.sync()
    assert len(contacts(hub)) == 1


def test_p06_an_extension_is_kept_apart_from_the_key(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    hub.systems["sales"].add(phone="tel:+79123456789;ext=5", first_name="Ann", last_name="Lee")
    hub.sync()
    (values,) = contacts(hub).values()
    assert values["phone"] == "+79123456789;ext=5"
    assert ("phone", "+79123456789") in match_keys(Kind.CONTACT, values)


# -- P07 ------------------------------------------------------------------------------------------


def test_one_number_with_one_name_in_two_scripts_is_one_contact(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    hub.systems["sales"].add(phone="+380671234567", first_name="Сергій", last_name="Цимбалюк")
    hub.systems["marketing"].add(phone="+380671234567", first_name="Serhii", last_name="Tsymbaliuk")
    hub.systems["support"].add(phone="+380671234567", first_name="Зоряна", last_name="Цимбалюк")
    hub.sync()
    assert sorted(len(links(hub, one)) for one in contacts(hub)) == [1, 2]


@pytest.mark.parametrize("shared", [{"email": "info@x.com"}, {"phone": "+49 30 23456789"}])
def test_p07_fifty_people_behind_one_address_stay_fifty(
    shared: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock, create=())
    for number in range(25):
        for name in ("sales", "marketing"):
            hub.systems[name].add(first_name=f"First{name}{number}", last_name=f"Last{number}", **shared)
    hub.sync()
    assert len(contacts(hub)) == 50


def test_p07_fifty_names_on_one_ordinary_address_stay_fifty(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    for number in range(50):
        hub.systems["sales"].add(**person(number, email="team7@x.com"))
    hub.sync()
    assert len(contacts(hub)) == 50


# -- P08 ------------------------------------------------------------------------------------------


def test_p08_a_merge_inside_a_system_moves_the_link_and_makes_nobody_again(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock)
    sales = hub.systems["sales"]
    sales.add(**ann())
    sales.add(**ann(email="ann@home.example"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    people = {name: len(hub.systems[name].living()) for name in NAMES}
    sales.merge("2", "1")
    until_quiet(hub, clock)
    assert len(sales.living()) == people["sales"] - 1
    assert [len(hub.systems[name].living()) for name in ("marketing", "support")] == [
        people["marketing"],
        people["support"],
    ]
    assert ("sales", "people", "1") in links(hub, "ann@example.com")
    assert not any(link[2] == "2" and link[0] == "sales" for link in links(hub, "ann@example.com"))


def test_p08_of_two_records_of_one_contact_the_merge_leaves_one_link(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    sales = hub.systems["sales"]
    sales.add(**ann())
    sales.add(**ann(job_title="CTO"))
    hub.sync()
    assert len(contacts(hub)) == 1
    sales.merge("1", "2")
    until_quiet(hub, clock)
    assert links(hub, "ann@example.com") == {
        ("sales", "people", "2"),
        ("marketing", "people", "1"),
        ("support", "people", "1"),
    }
    hub.release()
    hub.systems["marketing"].edit("1", job_title="COO")
    until_quiet(hub, clock)
    assert told(sales, "job_title") == ["COO"]


def test_p08_a_write_that_meets_a_merged_record_goes_to_the_one_that_stayed(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock)
    sales = hub.systems["sales"]
    sales.add(**ann())
    hub.sync()
    hub.release()
    sales.add(**ann(first_name="Anna"))
    hub.systems["marketing"].edit("1", job_title="COO")

    def merge_just_before_the_write() -> None:
        if sales.calls[-1] == "write":
            sales.between = lambda: None
            sales.merge("1", "2")

    sales.between = merge_just_before_the_write
    until_quiet(hub, clock)
    assert told(sales, "job_title") == ["COO"]
    assert len(sales.living()) == 1


# -- P11 ------------------------------------------------------------------------------------------


def two_and_one_that_is_either(folder: Path, clock: Clock, create: tuple[str, ...] = ()) -> SmallHub:
    """Two contacts; support then knows somebody with the address of the one and the address of the other."""
    hub = three(folder, clock, create=create)
    hub.systems["sales"].add(email="a@example.com", first_name="Kim", last_name="Park")
    hub.systems["sales"].add(email="b@example.com", first_name="Kim", last_name="Parker")
    hub.sync()
    hub.systems["support"].add(
        email="a@example.com", other="b@example.com", first_name="Kim", last_name="Park", job_title="CTO"
    )
    return hub


def test_p11_two_equal_matches_wait_for_a_person_and_nobody_is_written(tmp_path: Path, clock: Clock) -> None:
    hub = two_and_one_that_is_either(tmp_path, clock)
    hub.sync()
    hub.sync()
    waiting = hub.store.unsure(10)
    matched = {link.remote_id for each in waiting for link in hub.store.links([each.right])}
    asked = {link.connection for each in waiting for link in hub.store.links([each.left])}
    assert written(hub) == 0
    assert len(contacts(hub)) == 3
    assert (matched, asked) == ({"1", "2"}, {"support"})
    assert {each.author for each in waiting} == {"rule:exact keys"}


def test_p11_whoever_waits_for_a_person_is_created_nowhere_and_still_read(
    tmp_path: Path, clock: Clock
) -> None:
    hub = two_and_one_that_is_either(tmp_path, clock, create=("marketing",))
    until_quiet(hub, clock)
    assert told(hub.systems["marketing"], "last_name") == ["Park", "Parker"]
    assert "CTO" in {values.get("job_title") for values in contacts(hub).values()}
    hub.systems["support"].edit("1", job_title="COO")
    until_quiet(hub, clock)
    assert "COO" in {values.get("job_title") for values in contacts(hub).values()}
