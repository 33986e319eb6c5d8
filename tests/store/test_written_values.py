"""What is written short is read back whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.store.hub import NOON
from trueup.model.entity import Source
from trueup.model.fields import KINDS
from trueup.model.slots import FIELDS, slots_of
from trueup.store.codec import read_sources, read_values, rename_sources, write_sources, write_values

words = st.sampled_from(["ann@example.com", "+4930901820", "0", "email", '{"city":"Berlin"}', "Юлія"])
slots = {name: words for many in KINDS for slot in slots_of(many) for name in FIELDS[slot]}
held = st.fixed_dictionaries({}, optional={**slots, **{many: st.lists(words | st.none()) for many in KINDS}})
others = st.dictionaries(
    st.sampled_from(["emails", "phones", "score"]), st.integers() | words | st.booleans()
)


@given(held)
def test_elements_that_stand_in_a_slot_too_are_read_back(values: dict[str, Any]) -> None:
    assert read_values(write_values(values)) == values


@given(others)
def test_fields_of_other_entities_may_have_the_names_of_sets(values: dict[str, Any]) -> None:
    assert read_values(write_values(values)) == values


def test_an_address_that_fills_its_slot_is_written_once() -> None:
    values = {"email": "ann@example.com", "emails": ["ann@example.com"]}
    assert write_values(values).count("ann@example.com") == 1


origins = st.sampled_from(["rule", "crm", "hub"])
moments = st.integers(0, 9).map(lambda hours: NOON + timedelta(hours=hours))
sources = st.builds(
    Source, origins, origins, moments, words, st.sampled_from(["", "ann"]), st.booleans(), words
)
plain = moments.map(lambda at: Source("rule", "rule", at))


@given(st.dictionaries(st.sampled_from(["email", "emails", "score", "gone"]), sources | plain))
def test_where_each_value_came_from_is_read_back(told: dict[str, Source]) -> None:
    values = dict.fromkeys(told.keys() - {"gone"}, "x")
    assert read_sources(write_sources(told, values), values) == told


def test_who_told_how_a_name_is_cut_goes_by_the_new_name_of_the_connection() -> None:
    told = {"last_name": Source("news", "first", NOON, "news/people/1", cut_by="crm/people/2")}
    text = rename_sources(write_sources(told, {"last_name": "x"}), "crm", "sales")
    assert read_sources(text, {"last_name": "x"})["last_name"].cut_by == "sales/people/2"
