"""A column that looks as if it held the family name first is told, and no other."""

from __future__ import annotations

import pytest

from trueup.services.name_order import Looks, Names, look

PEOPLE = [
    ("Тарас", "Шевченко"), ("Anna-Maria", "Koval"), ("Ivan", "Franko"), ("Леся", "Українка"),
    ("Jan", "de Wit"),
]  # fmt: skip
LATIN = {"Тарас": "Taras", "Шевченко": "Shevchenko", "Леся": "Lesia", "Українка": "Ukrainka"}
CRM = Names({}, {f"{place}@a.ua": pair for place, pair in enumerate(PEOPLE)})


def column(texts: list[str]) -> Names:
    return Names({f"{place}@a.ua": text for place, text in enumerate(texts)}, {})


def latin(word: str) -> str:
    return LATIN.get(word, word)


def test_names_that_another_one_says_in_two_fields_tell_it_in_whatever_script() -> None:
    turned = column([f"{latin(last)} {latin(first)}" for first, last in PEOPLE])
    assert look(turned, [CRM]) == Looks(5, 5, elsewhere=True)


def test_names_in_their_own_order_look_turned_to_nobody() -> None:
    assert look(column([f"{first} {last}" for first, last in PEOPLE]), [CRM]) is None


def test_a_few_turned_names_are_dirt() -> None:
    some = [f"{last} {first}" if first == "Ivan" else f"{first} {last}" for first, last in PEOPLE]
    assert look(column(some), [CRM]) is None


def test_too_few_names_tell_nothing() -> None:
    assert look(column([f"{last} {first}" for first, last in PEOPLE[:4]]), [CRM]) is None


@pytest.mark.parametrize("order", ["{1} {0}", "{0} {1}"])
@pytest.mark.parametrize("ending", ["енко", "ський", "чук", "enko", "ova", "ski"])
def test_endings_of_family_names_tell_it_where_nobody_else_does(ending: str, order: str) -> None:
    found = look(column([order.format("Олена", f"Карп{ending}") for _ in range(12)]), [])
    assert (found is not None) == (order == "{1} {0}")


def test_other_peoples_names_tell_nothing_by_their_endings() -> None:
    names = [
        "Smith John",
        "Marko Polo",
        "Eva Müller",
        "Bozhena Lev",
        "Martin Luther",
        "陈 伟",
        "Anna Ines Ruiz",
    ]
    assert look(column(names * 5), []) is None


def test_a_family_name_with_a_comma_is_read_right_anyhow() -> None:
    assert look(column([f"{last}, {first}" for first, last in PEOPLE]), [CRM]) is None
