"""Postal addresses as items of a list: by their parts, with kind, label and the primary one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mapping.strategies import RAW
from tests.mapping.test_apply import mapping, said
from trueup.errors import ConfigError
from trueup.mapping.check import sample_records, violations
from trueup.mapping.compiled import Binding
from trueup.mapping.elements import changed
from trueup.mapping.items import Items
from trueup.mapping.schema import FieldRule, ItemRule, Shape
from trueup.model.fields import CONTACT
from trueup.model.record import Json
from trueup.model.values import Rejected

ITEM = ItemRule(
    kind="type", label="name", primary="main", id="id", street="line1", line2="line2", city="town",
    region="state", postcode="zip", country="land.code",
    kinds={"billing": ("invoice",), "shipping": ("delivery", "parcel"), "home": ("private",)},
)  # fmt: skip
RULE = FieldRule("addresses", "places", shape=Shape.ELEMENTS, item=ITEM)
NARROW = FieldRule(
    "addresses", "places", item=ItemRule(city="town", postcode="zip", primary="main", kind="type")
)
PLAIN = FieldRule("addresses", "places")

SEA = {
    "id": 1, "line1": "Seeweg 1", "line2": "Hof 2", "town": "Kiel", "zip": 24103,
    "land": {"code": "Germany", "x": 1},
    "type": "private", "name": "Sea", "main": True,
}  # fmt: skip
HILL = {"id": 2, "line1": "Bergstr. 9", "town": "Ulm", "type": "parcel", "checked": True}
SEA_VALUE = '{"street":"Seeweg 1\\nHof 2","city":"Kiel","postcode":"24103","country":"DE"}'
SEA_KEY = "seeweg 1 hof 2, kiel, , 24103, de"
HILL_VALUE, HILL_KEY = '{"street":"Bergstr. 9","city":"Ulm"}', "bergstr 9, ulm, , , "


def binding(rule: FieldRule = RULE) -> Binding:
    return mapping(rule).bindings[0]


def items(rule: FieldRule = RULE) -> Items:
    found = binding(rule).items
    assert found is not None
    return found


def after(standing: Json, values: dict[str, Any]) -> Json:
    return changed(standing, items().change(standing, binding().write(values)))


def test_a_list_of_addresses_says_the_set_the_primary_one_and_kind_and_label_of_each() -> None:
    assert said(mapping(RULE), places=[SEA, HILL]) == {
        "addresses": [HILL_VALUE, SEA_VALUE],
        "address.street": "Seeweg 1\nHof 2",
        "address.city": "Kiel",
        "address.region": None,
        "address.postcode": "24103",
        "address.country": "DE",
        f"addresses[{SEA_KEY}].kind": "home",
        f"addresses[{SEA_KEY}].label": "Sea",
        f"addresses[{HILL_KEY}].kind": "shipping",
        f"addresses[{HILL_KEY}].label": None,
    }


def test_without_item_a_list_holds_the_parts_in_our_own_words() -> None:
    raw = [{"city": "Ulm", "country": "Germany"}]
    assert said(mapping(PLAIN), places=raw) == {"addresses": ['{"city":"Ulm","country":"DE"}']}
    assert binding(PLAIN).write({"addresses": [HILL_VALUE]}) == [{"street": "Bergstr. 9", "city": "Ulm"}]


def test_a_part_that_the_items_do_not_hold_is_not_said_to_be_empty() -> None:
    read = said(mapping(NARROW), places=[{"town": "Ulm", "main": True}])
    assert {name for name in read if name.startswith("address.")} == {"address.city", "address.postcode"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([{"town": ["Ulm"]}], "element 1: city: "),
        ([SEA, {"land": {"code": "Atlantis"}}], "element 2: country: "),
        (["Ulm"], "element 1: expected an object"),
    ],
)
def test_a_part_that_cannot_be_read_is_named_in_the_reason(raw: Json, reason: str) -> None:
    read = binding().read(raw)
    assert isinstance(read, Rejected)
    assert read.reason.startswith(reason)


def test_another_spelling_of_an_address_is_the_same_element() -> None:
    other = [{**HILL, "line1": "BERGSTR 9", "town": " ulm "}]
    assert items().holds(other, binding().write(dict(said(mapping(RULE), places=[HILL]))))


def test_a_change_leaves_alone_what_else_an_item_holds() -> None:
    values = {**said(mapping(RULE), places=[SEA, HILL]), f"addresses[{HILL_KEY}].label": "Hill"}
    assert after([SEA, HILL], values) == [SEA, {**HILL, "name": "Hill"}]


def test_an_address_put_right_keeps_its_item() -> None:
    values = {"addresses": ['{"street":"Bergstr. 9","city":"Ulm","postcode":"89073"}']}
    (left,) = after([HILL], values)
    assert (left["id"], left["zip"], left["checked"]) == (2, "89073", True)


def test_another_address_is_another_item() -> None:
    change = items().change([HILL], binding().write({"addresses": ['{"street":"Ring 5","city":"Bonn"}']}))
    assert change["-"] == [{"id": 2, "line1": "Bergstr. 9", "town": "Ulm"}]
    assert change["+"] == [{"line1": "Ring 5", "town": "Bonn"}]


@pytest.mark.parametrize("rule", [RULE, NARROW, PLAIN])
def test_the_laws_hold_for_lists_of_addresses(rule: FieldRule) -> None:
    remote = [{"places": raw} for raw in ([SEA, HILL], [], None, [{"town": None}], [{"city": "Ulm"}])]
    assert violations([binding(rule)], sample_records(CONTACT), remote, CONTACT) == []


TEXTS = st.sampled_from(["Ulm", "ULM", "Seeweg 1", "Hof 2", "", None, "Ring 5"])
PLACES = st.lists(
    st.fixed_dictionaries(
        {"line1": TEXTS, "town": TEXTS},
        optional={
            "line2": TEXTS,
            "zip": st.sampled_from(["24103", 24103, "", None]),
            "land": st.sampled_from([{"code": "DE"}, {"code": "Germany", "x": 1}, {}, None]),
            "id": st.integers(1, 9),
            "type": st.sampled_from(["invoice", "parcel", "work", "", None]),
            "name": st.sampled_from(["Sea", "", None, "x" * 300]),
            "main": st.booleans(),
            "checked": st.booleans(),
        },
    ),
    max_size=5,
).map(lambda some: [{**one, **({"id": number} if "id" in one else {})} for number, one in enumerate(some)])


@given(PLACES)
def test_what_was_read_is_held_when_it_is_written_back(raw: Json) -> None:
    read = binding().read(raw)
    assert not isinstance(read, Rejected)
    assert items().holds(raw, binding().write(read))


@given(PLACES, PLACES)
def test_after_a_change_the_list_holds_what_was_wanted_and_no_item_lost_what_is_not_ours(
    raw: Json, other: Json
) -> None:
    values = binding().read(other)
    assert not isinstance(values, Rejected)
    wanted = binding().write(values)
    left = changed(raw, items().change(raw, wanted))
    assert items().holds(left, wanted)
    nothing = [one for one in raw if not any(one.get(part) for part in ("line1", "line2", "town", "zip"))]
    assert all(one in left for one in nothing if not (one.get("land") or {}).get("code"))


@given(
    st.lists(RAW | st.dictionaries(st.sampled_from(["town", "land", "main", "zip"]), RAW), max_size=3) | RAW
)
def test_bad_data_is_rejected_and_never_raised(raw: Json) -> None:
    read = binding().read(raw)
    if not isinstance(read, Rejected):
        assert items().holds(raw, binding().write(read))


def test_the_primary_one_is_not_read_from_two_places() -> None:
    with pytest.raises(ConfigError, match=r"`address.city` is read from"):
        mapping(FieldRule("address.city", "city"), RULE)
