"""Lists of objects in a mapping: `[{value, type, label, primary}, …]`, and what else their items hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.mapping.strategies import RAW
from tests.mapping.test_apply import mapping, said
from trueup.errors import ConfigError
from trueup.mapping.apply import put
from trueup.mapping.check import sample_records, violations
from trueup.mapping.compiled import Binding
from trueup.mapping.elements import changed, items_settled
from trueup.mapping.items import Items
from trueup.mapping.schema import FieldRule, ItemRule, Shape
from trueup.model.fields import CONTACT
from trueup.model.record import Json
from trueup.model.values import Rejected

ITEM = ItemRule("value", "type", "label", "primary", "id", {"work": ("work", "office"), "home": ("private",)})
RULE = FieldRule("emails", "emails", shape=Shape.ELEMENTS, item=ITEM)
PLAIN = FieldRule("phones", "phones", item=ItemRule("value"))
DEEP = FieldRule("emails", "mails", item=ItemRule("mail.value", label="mail.name", primary="meta.primary"))

ANN = {"id": 1, "value": "Ann@work.example", "type": "office", "label": "Reception", "primary": True, "ok": 1}
BEN = {"id": 2, "value": "ben@home.example", "type": "private", "verified": "yes"}


def binding(rule: FieldRule = RULE) -> Binding:
    return mapping(rule).bindings[0]


def items(rule: FieldRule = RULE) -> Items:
    found = binding(rule).items
    assert found is not None
    return found


def test_a_list_of_objects_says_the_set_the_primary_one_and_kind_and_label_of_each() -> None:
    assert said(mapping(RULE), emails=[ANN, BEN]) == {
        "emails": ["Ann@work.example", "ben@home.example"],
        "email": "Ann@work.example",
        "emails[ann@work.example].kind": "work",
        "emails[ann@work.example].label": "Reception",
        "emails[ben@home.example].kind": "home",
        "emails[ben@home.example].label": None,
    }


def test_an_empty_list_says_that_nothing_is_there() -> None:
    assert said(mapping(RULE), emails=[]) == {"emails": None, "email": None}
    assert said(mapping(RULE), emails=None) == {"emails": None, "email": None}


def test_where_no_item_is_marked_nothing_is_said_of_the_primary_one() -> None:
    assert "email" not in said(mapping(RULE), emails=[BEN])


def test_a_kind_that_the_map_does_not_have_says_nothing_and_an_empty_one_says_none() -> None:
    read = said(mapping(RULE), emails=[{**ANN, "type": "fax"}, {**BEN, "type": ""}])
    assert "emails[ann@work.example].kind" not in read
    assert read["emails[ben@home.example].kind"] is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("a@b.example", "expected a list of objects"),
        (["a@b.example"], "element 1: expected an object"),
        ([ANN, {"value": "no address"}], "element 2: "),
        ([{"value": ["a@b.example"]}], "element 1: "),
    ],
)
def test_what_is_no_list_of_objects_is_rejected_with_its_reason(raw: Json, reason: str) -> None:
    read = binding().read(raw)
    assert isinstance(read, Rejected)
    assert read.reason.startswith(reason)


def test_items_without_a_value_are_no_elements_and_stay() -> None:
    standing = [{"id": 9, "value": ""}, {"id": 8}, ANN]
    assert said(mapping(RULE), emails=standing)["emails"] == ["Ann@work.example"]
    left = changed(standing, items().change(standing, None))
    assert left == [{"id": 9, "value": ""}, {"id": 8}]


def test_a_new_record_gets_what_the_hub_knows_and_nothing_that_is_empty() -> None:
    values = {
        "emails": ["a@x.example", "b@x.example"],
        "email": "b@x.example",
        "emails[a@x.example].kind": "home",
        "emails[b@x.example].label": "Reception",
    }
    made: dict[str, Json] = {}
    assert put(made, binding(), binding().write(values))
    assert made == {
        "emails": [
            {"value": "a@x.example", "type": "private"},
            {"value": "b@x.example", "label": "Reception", "primary": True},
        ]
    }


def test_an_address_in_a_slot_is_written_with_the_kind_of_the_slot() -> None:
    written = binding().write({"emails": ["a@x.example"], "emails.home": "A@x.example"})
    assert written == [{"value": "a@x.example", "type": "private", "label": None, "primary": False}]


def test_a_kind_without_a_word_there_is_no_kind_there() -> None:
    other = {"emails": ["a@x.example"], "emails[a@x.example].kind": "other"}
    assert after([{"value": "a@x.example", "type": "private"}], other)[0]["type"] is None
    assert items().holds([{"value": "a@x.example"}], binding().write(other))


def test_paths_may_lead_into_an_item() -> None:
    raw = [{"mail": {"value": "a@x.example", "name": "Desk", "x": 1}, "meta": {"primary": True}}]
    read = said(mapping(DEEP), mails=raw)
    assert read == {"emails": ["a@x.example"], "email": "a@x.example", "emails[a@x.example].label": "Desk"}
    hub = {**read, "emails[a@x.example].label": "Door"}
    change = items(DEEP).change(raw, binding(DEEP).write(hub))
    assert changed(raw, change) == [
        {"mail": {"value": "a@x.example", "name": "Door", "x": 1}, "meta": {"primary": True}}
    ]


# -- changes --------------------------------------------------------------------------------------


def after(standing: Json, values: dict[str, Any]) -> Json:
    return changed(standing, items().change(standing, binding().write(values)))


def test_a_change_leaves_alone_what_else_an_item_holds() -> None:
    values = {**said(mapping(RULE), emails=[ANN, BEN]), "emails[ben@home.example].label": "At home"}
    assert after([ANN, BEN], values) == [ANN, {**BEN, "label": "At home"}]


def test_a_change_names_the_item_by_its_id_and_holds_only_what_moves() -> None:
    values = {**said(mapping(RULE), emails=[ANN, BEN]), "email": "ben@home.example"}
    assert items().change([ANN, BEN], binding().write(values)) == {
        "+": [
            {"id": 1, "value": "Ann@work.example", "primary": False},
            {"id": 2, "value": "ben@home.example", "primary": True},
        ],
        "-": [],
        "by": [["id"], ["value"]],
    }


def test_an_element_that_goes_takes_every_item_of_its_own_along() -> None:
    twice = [ANN, BEN, {"id": 3, "value": "BEN@home.example"}]
    assert after(twice, {"emails": ["ann@work.example"], "email": "ann@work.example"}) == [
        {key: value for key, value in ANN.items() if key not in ("type", "label")}
        | {"type": None, "label": None}
    ]


def test_what_somebody_put_there_meanwhile_survives_the_write() -> None:
    change = items().change([ANN], binding().write({"emails": ["ann@work.example", "c@x.example"]}))
    assert [one["value"] for one in changed([ANN, BEN], change)] == [
        "Ann@work.example",
        "ben@home.example",
        "c@x.example",
    ]


def test_a_kind_that_we_have_no_word_for_is_not_written_over() -> None:
    standing = [{"value": "a@x.example", "type": "fax"}]
    values = {"emails": ["a@x.example"], "emails[a@x.example].kind": "home"}
    assert items().holds(standing, binding().write(values))


def test_another_spelling_of_a_value_is_the_same_element() -> None:
    assert items(PLAIN).holds([{"value": "+49 30 1234567"}], [{"value": "+49301234567"}])


# -- what is agreed after a write -----------------------------------------------------------------


def test_of_the_answer_ours_is_agreed_and_what_others_changed_meanwhile_stays_their_edit() -> None:
    change = {
        "+": [{"id": 1, "value": "a", "kind": "home"}, {"value": "new"}],
        "-": [],
        "by": [["id"], ["value"]],
    }
    before = [{"id": 1, "value": "a", "kind": "work", "label": "x"}, {"id": 2, "value": "b"}]
    told = [
        {"id": 1, "value": "a", "kind": "home", "label": "theirs"},
        {"id": 3, "value": "theirs"},
        {"id": 4, "value": "new", "seen": True},
    ]
    assert items_settled(before, change, told) == [
        {"id": 1, "value": "a", "kind": "home", "label": "x"},
        {"id": 2, "value": "b"},
        {"id": 4, "value": "new", "seen": True},
    ]


def test_an_item_that_the_system_reshaped_is_agreed_in_its_form() -> None:
    change = {"+": [{"value": "+4930123"}], "-": [], "by": [["id"], ["value"]]}
    assert items_settled([], change, [{"id": 5, "value": "030 123"}]) == [{"id": 5, "value": "030 123"}]


# -- laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [RULE, replace(RULE, shape=Shape.LIST), PLAIN, DEEP])
def test_the_laws_hold_for_lists_of_objects(rule: FieldRule) -> None:
    remote = [
        {"emails": raw, "phones": raw, "mails": raw} for raw in ([ANN, BEN], [], None, [{"value": None}])
    ]
    assert violations([binding(rule)], sample_records(CONTACT), remote, CONTACT) == []


ITEMS = st.lists(
    st.fixed_dictionaries(
        {"value": st.sampled_from(["a@x.example", "A@x.example", "b@x.example", "c@x.example", "", None])},
        optional={
            "id": st.integers(1, 9),
            "type": st.sampled_from(["work", "office", "private", "fax", "", None]),
            "label": st.sampled_from(["Reception", "", None, "x" * 300]),
            "primary": st.booleans() | st.sampled_from([0, 1, "yes", "no"]),
            "verified": st.booleans(),
        },
    ),
    max_size=5,
).map(lambda some: [{**one, **({"id": number} if "id" in one else {})} for number, one in enumerate(some)])


@given(ITEMS)
def test_what_was_read_is_held_when_it_is_written_back(raw: Json) -> None:
    read = binding().read(raw)
    assert not isinstance(read, Rejected)
    assert items().holds(raw, binding().write(read))


@given(ITEMS, ITEMS)
@example(
    [{"value": "a@x.example", "id": 0}, {"value": "a@x.example", "type": "work", "primary": True},
     {"value": "b@x.example", "id": 2, "primary": True}],
    [{"value": "a@x.example"}, {"value": "b@x.example", "primary": True}],
)  # fmt: skip
def test_after_a_change_the_list_holds_what_was_wanted_and_no_item_lost_what_is_not_ours(
    raw: Json, other: Json
) -> None:
    values = binding().read(other)
    assert not isinstance(values, Rejected)
    wanted = binding().write(values)
    left = changed(raw, items().change(raw, wanted))
    assert items().holds(left, wanted)
    assert binding().read(left)["emails"] == values["emails"] or _spelled_otherwise(
        binding().read(left), values
    )
    foreign = [one for one in raw if not one["value"]]
    assert all(one in left for one in foreign)


def _spelled_otherwise(one: Any, other: Any) -> bool:
    return [x.lower() for x in one["emails"]] == [x.lower() for x in other["emails"]]


@given(st.lists(RAW | st.dictionaries(st.sampled_from(["value", "type", "primary"]), RAW), max_size=3) | RAW)
def test_bad_data_is_rejected_and_never_raised(raw: Json) -> None:
    read = binding().read(raw)
    if not isinstance(read, Rejected):
        assert items().holds(raw, binding().write(read))


# -- rules that cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        FieldRule("tags", "tags", item=ITEM),
        replace(RULE, shape=Shape.ELEMENT),
        FieldRule("email", "x", item=ITEM),
    ],
)
def test_items_are_for_sets_of_addresses_only(rule: FieldRule) -> None:
    with pytest.raises(ConfigError, match="lists of emails, phones"):
        mapping(rule)


def test_the_primary_one_is_not_read_from_two_places() -> None:
    with pytest.raises(ConfigError, match="`email` is read from"):
        mapping(FieldRule("email", "email"), RULE)
