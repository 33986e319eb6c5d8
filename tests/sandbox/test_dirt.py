"""What each system knows of the people, and the dirt in it."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from random import Random

import phonenumbers
import pytest
from email_validator import validate_email

from trueup.sandbox.dirt import DIRT, RecordView, Source, example_sources, national, view, views
from trueup.sandbox.people import STAGES, Person, Population, generate

EVERY_STAGE = {stage: 1.0 for stage, _ in STAGES}


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(21, 4000)


@pytest.fixture(scope="module")
def truth(population: Population) -> dict[str, Person]:
    return {person.id: person for person in population.people()}


@pytest.fixture(scope="module")
def held(population: Population) -> dict[str, list[RecordView]]:
    return views(population)


def _clean(**more: object) -> Source:
    return Source(name="clean", known=EVERY_STAGE, dirt={}, duplicates=0.0, **more)  # type: ignore[arg-type]


def _only(kind: str, population: Population, native: float = 1.0) -> list[RecordView]:
    source = Source(name=kind, known=EVERY_STAGE, dirt={kind: 1.0}, duplicates=0.0, native=native)
    return [row for row in view(population, source) if row.dirt]


def test_the_example_hub_has_four_systems(held: dict[str, list[RecordView]]) -> None:
    assert list(held) == ["marketing", "sales", "support", "shop"]


def test_one_system_alone_shows_the_same_rows_as_all_together(
    population: Population, held: dict[str, list[RecordView]]
) -> None:
    for source in example_sources():
        assert list(view(population, source)) == held[source.name]


def test_each_system_knows_its_share_of_each_stage(
    held: dict[str, list[RecordView]], truth: dict[str, Person]
) -> None:
    people = Counter(person.stage for person in truth.values())
    for source in example_sources():
        known = Counter(truth[row.person].stage for row in held[source.name] if not row.duplicate_of)
        for stage, share in source.known.items():
            assert known[stage] / people[stage] == pytest.approx(share, abs=0.1), (source.name, stage)


def test_marketing_knows_most_and_systems_overlap(held: dict[str, list[RecordView]]) -> None:
    known = {name: {row.person for row in rows} for name, rows in held.items()}
    assert len(known["marketing"]) > 0.85 * 4000
    for other in ("sales", "support", "shop"):
        both = known["marketing"] & known[other]
        assert 0.5 * len(known[other]) < len(both) < len(known[other])


def test_duplicates_inside_a_system_are_as_many_as_asked_for(held: dict[str, list[RecordView]]) -> None:
    for source in example_sources():
        rows = held[source.name]
        firsts = [row for row in rows if not row.duplicate_of]
        share = (len(rows) - len(firsts)) / len(firsts)
        assert share == pytest.approx(source.duplicates, abs=0.025), source.name


def test_a_duplicate_names_a_row_of_the_same_person(held: dict[str, list[RecordView]]) -> None:
    for rows in held.values():
        person_of = {row.key: row.person for row in rows}
        for row in rows:
            assert row.duplicate_of is None or person_of[row.duplicate_of] == row.person


def test_keys_are_unique_within_a_system(held: dict[str, list[RecordView]]) -> None:
    for rows in held.values():
        assert len({row.key for row in rows}) == len(rows)


def test_the_truth_is_nowhere_in_the_values(held: dict[str, list[RecordView]]) -> None:
    for rows in held.values():
        for row in rows:
            assert row.person not in repr(dict(row.values))


def test_every_kind_of_dirt_is_present_in_the_example(held: dict[str, list[RecordView]]) -> None:
    found = {kind for rows in held.values() for row in rows for kind in row.dirt}
    assert found == set(DIRT)


def test_without_dirt_a_row_tells_the_truth(population: Population, truth: dict[str, Person]) -> None:
    for row in view(population, _clean(native=1.0, work=0.0)):
        person = truth[row.person]
        assert row.values["first_name"] == person.first
        assert row.values["email"] == person.email
        assert row.values["mobile"] == person.mobile
        assert row.dirt == ()


def test_a_system_lacks_the_fields_it_does_not_have(population: Population) -> None:
    source = _clean(full_name=True, without=frozenset({"birthday", "mobile"}))
    for row in view(population, source):
        assert not {"birthday", "mobile", "first_name", "last_name"} & set(row.values)
        assert row.values["full_name"]


def test_a_country_is_written_as_the_system_does(population: Population) -> None:
    written = {
        style: {row.values["country"] for row in view(population, _clean(country=style))}
        for style in ("english", "local", "code")
    }
    assert "Germany" in written["english"]
    assert "Deutschland" in written["local"]
    assert written["code"] == {"UA", "KZ", "DE", "US", "GB", "FR", "AE", "EG", "PL", "ES"}


def test_a_nickname_is_another_first_name(population: Population, truth: dict[str, Person]) -> None:
    rows = _only("nickname", population)
    assert len(rows) > 400
    assert all(row.values["first_name"] != truth[row.person].first for row in rows)


def test_a_typo_changes_one_or_two_letters(population: Population, truth: dict[str, Person]) -> None:
    for row in _only("typo", population):
        person = truth[row.person]
        true_name = f"{person.first} {person.last} {person.suffix}".strip()
        seen = f"{row.values['first_name']} {row.values['last_name']}"
        assert seen != true_name
        changed = Counter(seen)
        changed.subtract(Counter(true_name))
        assert sum(abs(count) for count in changed.values()) <= 2


def test_swapped_names_stand_in_each_others_place(population: Population, truth: dict[str, Person]) -> None:
    for row in _only("swapped", population):
        assert row.values["last_name"] == truth[row.person].first


def test_transliteration_leaves_no_native_letters(population: Population, truth: dict[str, Person]) -> None:
    rows = [row for row in _only("transliterated", population) if truth[row.person].culture in ("uk", "ar")]
    assert rows
    assert all(row.values["first_name"].isascii() for row in rows)


def test_one_person_has_several_spellings(population: Population, truth: dict[str, Person]) -> None:
    spellings = defaultdict(set)
    for row in _only("transliterated", population):
        spellings[truth[row.person].first].add(row.values["first_name"])
    assert {"Mohammed", "Muhammad", "Mohamed"} <= spellings["محمد"]
    assert {"Serhii", "Sergiy"} <= spellings["Сергій"]
    assert {"Jurgen", "Juergen"} <= spellings["Jürgen"]


def test_a_lookalike_mixes_scripts_in_one_word(population: Population) -> None:
    for row in _only("lookalike", population):
        letters = {unicodedata.name(char).split()[0] for char in row.values["last_name"] if char.isalpha()}
        assert letters == {"LATIN", "CYRILLIC"}


def test_old_values_are_what_was_true_before(population: Population, truth: dict[str, Person]) -> None:
    for row in _only("old_email", population):
        assert row.values["email"] == truth[row.person].former_email
    for row in _only("old_address", population):
        former = truth[row.person].former_address
        assert former is not None
        assert (row.values["street"], row.values["city"]) == (former.street, former.city)


def test_every_email_that_a_system_holds_still_looks_like_one(held: dict[str, list[RecordView]]) -> None:
    for rows in held.values():
        for row in rows:
            if "email" in row.values:
                validate_email(row.values["email"], check_deliverability=False)


def test_a_mistyped_email_is_another_address(population: Population, truth: dict[str, Person]) -> None:
    for row in _only("email_typo", population):
        person = truth[row.person]
        assert row.values["email"] not in (person.email, person.work_email)
        validate_email(row.values["email"], check_deliverability=False)


def test_numbers_with_an_extension_stay_valid(population: Population) -> None:
    for row in _only("phone_extension", population):
        number = phonenumbers.parse(row.values["phone"].replace(" доб. ", " ext. "))
        assert phonenumbers.is_valid_number(number)
        assert number.extension


def test_national_numbers_are_the_same_number_at_home(population: Population) -> None:
    for number, region in (("+380501234567", "UA"), ("+491711234567", "DE"), ("+12122345678", "US")):
        for seed in range(8):
            written = national(number, region, Random(seed))
            assert not written.startswith("+")
            read = phonenumbers.format_number(
                phonenumbers.parse(written, region), phonenumbers.PhoneNumberFormat.E164
            )
            assert read == number, written


def test_the_old_trunk_prefix_is_written_where_people_write_it(
    population: Population, truth: dict[str, Person]
) -> None:
    rows = _only("phone_eight", population)
    assert any(row.values["mobile"].startswith("8 0") for row in rows)
    assert any(row.values["mobile"].startswith("8 (7") for row in rows)
    assert {truth[row.person].address.country for row in rows} == {"UA", "KZ"}


def test_missing_takes_one_to_three_values_away(population: Population) -> None:
    by_chance = {"current_offer"}
    full = {row.person: set(row.values) - by_chance for row in view(population, _clean())}
    for row in _only("missing", population):
        assert 1 <= len(full[row.person] - set(row.values)) <= 3


def test_a_placeholder_is_one_of_those_that_people_type(population: Population) -> None:
    rows = _only("placeholder", population)
    assert any(row.values["email"] == "test@test.com" for row in rows)
    assert any(row.values["phone"] == "N/A" for row in rows)
    assert any(row.values["birthday"] == "1900-01-01" for row in rows)
