"""Lists in one text and as lists: how they are read, and what a change of single elements makes of them."""

from __future__ import annotations

import pytest

from trueup.mapping.elements import (
    change,
    changed,
    elements_of,
    is_change,
    items_settled,
    listed,
    present,
    with_element,
    without_element,
    written,
)
from trueup.model.record import Json
from trueup.model.values import Rejected


@pytest.mark.parametrize(
    ("raw", "sign", "expected"),
    [
        (None, "", []),
        (["a", "b"], "", ["a", "b"]),
        ("a;b, c", "", ["a", "b", "c"]),
        ("a b,c", "", ["a b", "c"]),
        ("a|b;c", "|", ["a", "b;c"]),
        ("", "", []),
    ],
)
def test_a_list_is_read_in_every_form(raw: Json, sign: str, expected: list[str]) -> None:
    found = elements_of(raw, sign)
    assert found == expected


def test_what_is_no_list_is_told() -> None:
    found = elements_of(7, "")
    assert isinstance(found, Rejected)
    assert found.reason == "expected a list of elements"


def test_one_element_is_put_in_and_taken_out_in_whatever_spelling_it_stands() -> None:
    assert with_element(["a"], "VIP") == {"+": ["VIP"], "-": []}
    assert with_element(["a", "vip"], "VIP") == {"+": [], "-": []}
    assert with_element("a|vip;b", "vip", "|") == {"+": ["vip"], "-": [], "sign": "|"}
    assert with_element("a|vip", "vip", "|") == {"+": [], "-": [], "sign": "|"}
    assert without_element("a|vip|VIP", "vip", "|") == {"+": [], "-": ["vip", "VIP"], "sign": "|"}
    assert without_element(["a"], "vip") == {"+": [], "-": []}
    assert present("a|vip", "vip", "|")
    assert not present("a|vip", "vip", ";")


@pytest.mark.parametrize(
    ("raw", "sign", "told"),
    [
        ("a;b", "", ";"),
        ("a,b", "", ","),
        ("a,b;c", "", ";"),
        ("a", "", ";"),
        ("a", "|", "|"),
        (None, "|", "|"),
    ],
)
def test_a_change_of_a_text_names_the_sign_between_its_elements(raw: Json, sign: str, told: str) -> None:
    assert change(["x"], [], raw, sign)["sign"] == told


def test_a_change_of_a_list_names_no_sign() -> None:
    assert change(["x"], ["y"], ["a"], "|") == {"+": ["x"], "-": ["y"]}
    assert change([], [], None, "") == {"+": [], "-": []}


def test_a_change_is_made_in_the_form_in_which_the_list_stands() -> None:
    assert changed("a|b", {"+": ["c", "a"], "-": ["b"], "sign": "|"}) == "a|c"
    assert changed(["a", "b"], {"+": ["c"], "-": ["b"]}) == ["a", "c"]
    assert changed("a", {"+": [], "-": ["a"], "sign": ","}) is None
    assert changed("a", "other") == "other"
    assert listed("a|b", {"+": [], "-": [], "sign": "|"}) == ["a", "b"]
    assert listed("a;b", {"+": [], "-": []}) == ["a", "b"]
    assert listed(7, {"+": [], "-": []}) == []
    assert written(["a", "b"], {"sign": "|"}) == "a|b"
    assert written([], {}) == []


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ({"+": [], "-": []}, True),
        ({"+": [], "-": [], "sign": ","}, True),
        ({"+": []}, False),
        ({"+": [], "-": [], "x": 1}, False),
        ([], False),
    ],
)
def test_what_a_change_looks_like(value: Json, is_one: bool) -> None:
    assert is_change(value) is is_one


# -- lists of objects ----------------------------------------------------------------------------------

BY = [["id"], ["mail"]]


def settled(before: Json, add: list[Json], told: list[Json]) -> list[Json]:
    return items_settled(before, {"+": add, "-": [], "by": BY}, told)


def test_what_the_system_makes_of_our_item_is_agreed_and_what_others_hold_is_not() -> None:
    before = [{"id": 1, "mail": "a@x.de", "kind": "work"}]
    told = [{"id": 1, "mail": "a@x.de", "kind": "home"}, {"id": 2, "mail": "b@x.de", "note": "new"}]
    assert settled(before, [{"mail": "b@x.de"}], told) == [before[0], told[1]]
    beside = [*told, {"id": 3, "mail": "c@x.de"}]
    assert settled(before, [{"mail": "b@x.de"}], beside) == [before[0], told[1]]


def test_an_item_that_the_system_has_reshaped_is_agreed_in_its_form() -> None:
    before = [{"id": 1, "mail": "a@x.de"}]
    reshaped = {"id": 2, "mail": "B@X.DE"}
    assert settled(before, [{"mail": "b@x.de"}], [*before, reshaped]) == [*before, reshaped]
    moved = {"id": 1, "mail": "a@x.de", "kind": "work"}
    assert settled(before, [{"mail": "b@x.de"}], [moved, reshaped]) == [*before, reshaped]
    silent = settled(before, [{"mail": "b@x.de"}], before)
    assert silent == [*before, {"mail": "b@x.de"}]
