"""The people of the sandbox: who they are, and that a seed always gives the same ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import combinations

import phonenumbers
import pytest
from email_validator import validate_email

from trueup.sandbox import names
from trueup.sandbox.people import Mix, Person, generate

PRINT_DIGEST = """
import hashlib
from trueup.sandbox.dirt import views
from trueup.sandbox.people import generate
population = generate(11, 400)
digest = hashlib.sha256(repr((list(population.people()), views(population))).encode())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def everyone() -> list[Person]:
    return list(generate(7, 3000).people())


def _digest_in_a_new_process(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed() -> None:
    assert _digest_in_a_new_process("1") == _digest_in_a_new_process("4711")


def test_going_through_the_people_twice_meets_the_same_people() -> None:
    population = generate(3, 200)
    assert list(population.people()) == list(population.people())


def test_another_seed_gives_other_people() -> None:
    assert list(generate(1, 50).people()) != list(generate(2, 50).people())


def test_a_population_has_exactly_the_size_asked_for() -> None:
    for size in (0, 1, 2, 97):
        population = generate(5, size)
        assert len(list(population.people())) == size == len(population)


def test_ids_are_unique(everyone: list[Person]) -> None:
    assert len({person.id for person in everyone}) == len(everyone)


def test_every_number_is_valid_in_its_country(everyone: list[Person]) -> None:
    numbers = {number for person in everyone for number in (person.mobile, person.landline) if number}
    numbers |= {person.company.switchboard for person in everyone if person.company}
    wrong = [number for number in numbers if not phonenumbers.is_valid_number(phonenumbers.parse(number))]
    assert wrong == []


def test_every_range_of_every_country_is_valid_at_both_ends() -> None:
    for country in names.countries().values():
        for prefix, digits in (*country.mobile, *country.fixed):
            for rest in ("0" * digits, "9" * digits):
                number = phonenumbers.parse(f"+{country.dial}{prefix}{rest}")
                assert phonenumbers.is_valid_number(number), (country.code, prefix, rest)


def test_mobiles_belong_to_the_country_of_residence(everyone: list[Person]) -> None:
    for person in everyone:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(person.mobile))
        assert region == person.address.country


def test_every_email_is_a_valid_address(everyone: list[Person]) -> None:
    held = ((person.email, person.former_email, person.work_email) for person in everyone)
    emails = {email for addresses in held for email in addresses}
    for email in emails - {""}:
        validate_email(email, check_deliverability=False)


def test_personal_addresses_are_shared_within_a_household_only(everyone: list[Person]) -> None:
    homes = defaultdict(set)
    for person in everyone:
        homes[person.email].add(person.household)
    assert {email for email, households in homes.items() if len(households) > 1} == set()


def test_some_households_share_one_address_and_some_companies_one_mailbox(everyone: list[Person]) -> None:
    homes = Counter(person.email for person in everyone)
    work = Counter(person.work_email for person in everyone if person.work_email)
    assert max(homes.values()) > 1
    assert any(count > 1 and email.split("@")[0] in ("info", "office") for email, count in work.items())


def test_names_come_in_latin_cyrillic_and_arabic_letters(everyone: list[Person]) -> None:
    scripts = {names.culture(person.culture).script for person in everyone}
    assert scripts == {"latin", "cyrillic", "arabic"}
    assert any("\u0600" <= char <= "\u06ff" for person in everyone for char in person.first)
    assert any("\u0400" <= char <= "\u04ff" for person in everyone for char in person.first)


def test_latin_spellings_are_plain_letters(everyone: list[Person]) -> None:
    for person in everyone:
        assert (person.latin_first + person.latin_last).isascii()
        assert person.latin_first
        assert person.latin_last


def test_there_are_compound_names_and_letters_with_marks(everyone: list[Person]) -> None:
    lasts = {person.last for person in everyone}
    assert any("-" in last for last in lasts)
    assert any(" " in last for last in lasts)
    assert any(not last.isascii() for last in lasts if last[0].isascii())


def test_women_bear_the_womans_form_of_slavic_surnames(everyone: list[Person]) -> None:
    russian = [person for person in everyone if person.culture == "ru"]
    assert all(not person.last.endswith(("ов", "ев", "ский")) for person in russian if person.gender == "f")
    assert any(person.last.endswith(("ова", "ева", "ская")) for person in russian if person.gender == "f")


@pytest.mark.parametrize(
    ("father", "culture", "son", "daughter"),
    [
        ("Іван", "uk", "Іванович", "Іванівна"),
        ("Сергій", "uk", "Сергійович", "Сергіївна"),
        ("Микола", "uk", "Миколайович", "Миколаївна"),
        ("Василь", "uk", "Васильович", "Василівна"),
        ("Игорь", "ru", "Игоревич", "Игоревна"),
        ("Никита", "ru", "Никитич", "Никитична"),
        ("Илья", "ru", "Ильич", "Ильинична"),
    ],
)
def test_patronymics_follow_the_fathers_name(father: str, culture: str, son: str, daughter: str) -> None:
    assert names.patronymic(father, culture, "m") == son
    assert names.patronymic(father, culture, "f") == daughter


def test_members_of_a_household_share_the_address(everyone: list[Person]) -> None:
    homes = defaultdict(set)
    for person in everyone:
        homes[person.household].add(person.address)
    assert all(len(addresses) == 1 for addresses in homes.values())
    assert len(homes) < len(everyone)


def test_hard_families_exist_twins_and_children_named_like_a_parent(everyone: list[Person]) -> None:
    homes = defaultdict(list)
    for person in everyone:
        homes[person.household].append(person)
    pairs = [pair for members in homes.values() for pair in combinations(members, 2)]
    assert any(one.birthday == two.birthday for one, two in pairs)
    assert any((one.first, one.last) == (two.first, two.last) for one, two in pairs)


def test_shares_of_the_mix_are_met() -> None:
    mix = Mix(employed=0.25, moved=0.5, changed_email=0.4, opted_in=0.3, opted_out=0.2)
    people = list(generate(9, 4000, mix).people())
    share = {
        "employed": sum(person.company is not None for person in people),
        "moved": sum(person.former_address is not None for person in people),
        "changed_email": sum(bool(person.former_email) for person in people),
        "opted_in": sum(person.newsletter.state == "opted_in" for person in people),
        "opted_out": sum(person.newsletter.state == "opted_out" for person in people),
    }
    for name, count in share.items():
        assert count / len(people) == pytest.approx(getattr(mix, name), abs=0.03), name


def test_known_consent_has_time_and_source_and_unknown_has_none(everyone: list[Person]) -> None:
    for person in everyone:
        known = person.newsletter.state != "unknown"
        assert (person.newsletter.at is not None) == known
        assert bool(person.newsletter.source) == known


def test_domains_of_companies_are_unique() -> None:
    companies = generate(1, 20_000).companies
    assert len({company.domain for company in companies}) == len(companies)


def test_people_are_made_while_one_goes_through_them() -> None:
    first = next(generate(1, 10_000_000, Mix(company_of=1e6)).people())
    assert first.id == "p-000001"
