"""First names that may be one person's, and those that cannot."""

from __future__ import annotations

import pytest

from trueup.dedupe.latin import same_words, sounds
from trueup.dedupe.names import contradict, contradicts_all, is_initials, likeness, name_of


def names(first: str, last: str = "Lee") -> tuple[str, str]:
    return name_of({"first_name": first, "last_name": last})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "ann"),
        ("A.", "Ann"),
        ("Jhon", "John"),
        ("Alex", "Alexander"),
        ("Олександр", "Oleksandr"),
        ("José", "Jose"),
        ("Ann Maria", "Maria"),
        ("Галина", "Halyna"),
        ("Євген", "Yevhen"),
        ("", "Ann"),
    ],
)
def test_spellings_initials_and_short_forms_do_not_contradict(one: str, other: str) -> None:
    assert not contradict(names(one), names(other))


@pytest.mark.parametrize(("one", "other"), [("Piotr", "Ryan"), ("Ann", "Bob"), ("Olena", "Taras")])
def test_different_first_names_contradict(one: str, other: str) -> None:
    assert contradict(names(one), names(other))


def only(word: str) -> tuple[str, str]:
    return name_of({"last_name": word})


def test_one_word_is_held_against_first_and_last_name() -> None:
    assert contradict(only("Mariya"), names("Nadiya", "Kravchuk"))
    assert contradict(names("Nadiya", "Kravchuk"), only("Mariya"))
    assert contradict(only("Mariya"), only("Nazar"))
    assert not contradict(only("Nadiya"), names("Nadiya", "Kravchuk"))
    assert not contradict(only("Kravchuk"), names("Nadiya", "Kravchuk"))


def test_no_name_contradicts_nobody() -> None:
    assert not contradict(("", ""), names("Ann"))
    assert contradicts_all(only("Mariya"), [only("Nazar"), ("", "")])


def test_first_and_last_name_that_are_swapped_do_not_contradict() -> None:
    assert not contradict(names("Ann", "Lee"), names("Lee", "Ann"))


def test_members_of_a_family_contradict_though_they_share_the_last_name() -> None:
    assert contradicts_all(names("Ann"), [names("Bob"), names("Carl")])
    assert not contradicts_all(names("Ann"), [names("Bob"), names("Anna")])
    assert not contradicts_all(names("Ann"), [])


@pytest.mark.parametrize(
    "name", ["Жанна", "Шура", "Юрій", "Яна", "Θεόδωρος", "Ψαλτης", "Ξένια", "شادي", "ذكي"]
)
def test_a_letter_is_an_initial_in_every_script_wherever_names_are_compared(name: str) -> None:
    assert likeness(f"{name[0]}.", name) == 2
    assert same_words(sounds(f"{name[0]}. Koval"), sounds(f"{name} Koval"))


@pytest.mark.parametrize(
    ("text", "initials"),
    [("T.", True), ("Т. Г.", True), ("J.R.", True), ("T", True), ("Ю.", True), ("م.", True)]
    + [("李", False), ("Yu", False), ("J. Mary", False), ("Ann", False)],
)
def test_initials_are_told_from_words_of_one_sign(text: str, initials: bool) -> None:
    assert is_initials(text) == initials
