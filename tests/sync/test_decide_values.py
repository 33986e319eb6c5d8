"""What a contact becomes, field by field: its value and source, the change and the conflicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trueup.model.entity import Entity, Reference, Source
from trueup.model.fields import CONTACT, Field, Kind, Strategy
from trueup.model.history import Change, Conflict
from trueup.model.plan import Context, HubEdit
from trueup.model.values import Type, Value
from trueup.sync.rules.decide_values import (
    Values,
    decide,
    derive,
    edit_claims,
    keep_company,
    lost_edits,
    ruling,
    slot_source,
    source_of,
)
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import FieldPolicy, Policy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = NOW - timedelta(hours=1)
STREET, CITY, POSTCODE, COUNTRY = (f"address.{part}" for part in ("street", "city", "postcode", "country"))
RULE = Source("rule", "rule", NOW)


def policy(
    authority: Callable[[str | None], tuple[str, ...]] = lambda stage: ("a", "b"),
    strategy: Strategy | None = None,
) -> Policy:
    return Policy(fields=lambda kind, name: FieldPolicy(strategy or CONTACT[name].strategy, authority))


def claim(connection: str, name: str, value: Value, first: bool = False, **more: Any) -> Claim:
    return Claim(name, value, connection, f"{connection}/people/1", first, at=AT, **more)


def source(connection: str, how: str = "edit", at: datetime = NOW) -> Source:
    return Source(connection, how, at, f"{connection}/people/1")


def decided(state: Values, *claims: Claim, rules: Policy | None = None) -> Values:
    decide(state, Kind.CONTACT, claims, rules or policy(), NOW)
    return state


def held(values: Mapping[str, Value], by: Source | None = None) -> Values:
    return Values(dict(values), dict.fromkeys(values, by) if by else {})


# -- single fields ---------------------------------------------------------------------------------


def test_a_first_sight_of_an_empty_field_fills_it() -> None:
    state = decided(held({}), claim("a", "job_title", "CTO", first=True))
    assert state.values == {"job_title": "CTO"}
    assert state.sources == {"job_title": source("a", "first")}
    assert state.changes == [Change("job_title", None, "CTO", "a/people/1", "first sight")]
    assert state.conflicts == []


def test_an_edit_takes_the_place_of_what_is_held_and_the_loser_is_told() -> None:
    edits = claim("a", "job_title", "CTO"), claim("b", "job_title", "Boss")
    state = decided(held({"job_title": "old"}, source("b")), *edits)
    assert (state.values, state.sources) == ({"job_title": "CTO"}, {"job_title": source("a")})
    assert state.changes == [Change("job_title", "old", "CTO", "a/people/1", "authority")]
    assert state.conflicts == [Conflict("job_title", "Boss", "b/people/1", "CTO", "a/people/1", "authority")]


def test_who_took_a_value_away_answers_for_the_emptiness() -> None:
    state = decided(held({"job_title": "old"}, source("b")), claim("a", "job_title", None))
    assert (state.values, state.sources) == ({}, {"job_title": source("a")})
    assert state.changes == [Change("job_title", "old", None, "a/people/1", "authority")]


def test_who_says_what_is_held_answers_for_it_and_nothing_changed() -> None:
    state = decided(held({"job_title": "CTO"}, source("b", "first")), claim("a", "job_title", "CTO"))
    assert state.sources == {"job_title": source("a")}
    assert state.changes == []


def test_a_pinned_emptiness_is_not_filled_and_a_pin_of_an_empty_field_is_kept() -> None:
    pin = Source("hub", "hub", NOW, user="ops", pinned=True)
    state = Values({}, {"job_title": pin})
    assert decided(state, claim("a", "job_title", "CTO", first=True)).values == {}
    said = Claim("job_title", None, "hub", "hub:ops", at=AT, user="ops", pin=True, edit_id=1)
    assert decided(held({}), said).sources == {"job_title": Source("hub", "hub", AT, user="ops", pinned=True)}


def test_a_first_sight_by_somebody_who_may_not_decide_in_this_stage_fills_nothing() -> None:
    rules = policy(lambda stage: ("a",) if stage == "customer" else ("b",))
    seen = claim("a", "job_title", "CTO", first=True)
    assert decided(held({}), seen, rules=rules).values == {}
    assert decided(held({"stage": "customer"}), seen, rules=rules).values["job_title"] == "CTO"


def test_the_stage_is_decided_first_and_says_who_may_decide_the_rest() -> None:
    rules = policy(lambda stage: ("a",) if stage == "customer" else ("b",))
    edits = claim("a", "job_title", "CTO"), claim("b", "job_title", "Boss"), claim("b", "stage", "customer")
    state = decided(held({"stage": "lead"}, source("b")), *edits, rules=rules)
    assert (state.values["stage"], state.values["job_title"]) == ("customer", "CTO")


# -- edits in the hub ------------------------------------------------------------------------------


def contact(values: Mapping[str, Value]) -> Entity:
    return Entity(1, Kind.CONTACT, 1, values, {})


def test_an_edit_in_the_hub_is_a_claim_of_its_user_at_its_time() -> None:
    edit = HubEdit(7, "job_title", "CTO", "ops", AT, pin=True)
    assert edit_claims(contact({"job_title": "old"}), [edit], CONTACT) == [
        Claim("job_title", "CTO", "hub", "hub:ops", at=AT, user="ops", pin=True, edit_id=7)
    ]


def test_an_edit_of_a_set_claims_what_it_adds_and_takes_and_of_one_user_the_last_counts() -> None:
    edits = [
        HubEdit(3, "tags", ["x", "z"], "ann", AT + timedelta(minutes=1)),
        HubEdit(1, "tags", ["x"], "ann", AT),
        HubEdit(2, "tags", None, "bob", AT),
    ]
    claims = edit_claims(contact({"tags": ["x", "y"]}), edits, CONTACT)
    assert {one.user: (set(one.added), set(one.removed)) for one in claims} == {
        "ann": ({"z"}, {"y"}),
        "bob": (set(), {"x", "y"}),
    }


def test_of_two_edits_of_a_set_in_one_moment_the_one_that_was_kept_last_counts() -> None:
    edits = [HubEdit(2, "tags", ["new"], "ann", AT), HubEdit(1, "tags", ["old"], "ann", AT)]
    assert [one.value for one in edit_claims(contact({}), edits, CONTACT)] == [["new"]]


def test_of_two_edits_of_a_field_both_are_claims_in_the_order_in_which_they_were_kept() -> None:
    edits = [
        HubEdit(2, "job_title", "late", "ann", AT),
        HubEdit(1, "job_title", "soon", "ann", AT + timedelta(1)),
    ]
    assert [one.value for one in edit_claims(contact({}), edits, CONTACT)] == ["soon", "late"]


def test_an_edit_of_a_field_that_is_not_configured_any_more_claims_nothing_and_is_told() -> None:
    gone = HubEdit(1, "shoe_size", "44", "ops", AT)
    kept = HubEdit(2, "job_title", "CTO", "ops", AT)
    assert [one.field for one in edit_claims(contact({}), [gone, kept], CONTACT)] == ["job_title"]
    assert lost_edits([gone, kept], CONTACT) == [
        Conflict("shoe_size", "44", "hub:ops", None, "hub", "no such field is configured")
    ]


# -- groups ----------------------------------------------------------------------------------------

HOME = {STREET: "Am Hof 1", CITY: "Bonn", POSTCODE: "53111", COUNTRY: "DE"}


def address(connection: str, values: Mapping[str, Value], first: bool = False) -> list[Claim]:
    return [claim(connection, name, value, first) for name, value in values.items()]


def test_of_two_addresses_one_is_taken_whole_and_the_other_is_told_part_by_part() -> None:
    other = {STREET: "Rue 2", CITY: "Lyon", COUNTRY: "FR"}
    state = decided(held({}), *address("b", other, True), *address("a", HOME, True))
    assert state.values == HOME
    assert {state.sources[name] for name in HOME} == {source("a", "first")}
    assert {one.rule for one in state.changes} == {"first sight"}
    assert state.conflicts == [
        Conflict(name, other[name], "b/people/1", HOME[name], "a/people/1", "first sight")
        for name in (CITY, COUNTRY, STREET)
    ]


def test_of_an_address_that_lost_what_it_says_alike_is_no_loss() -> None:
    beside = {**HOME, STREET: "Am Hof 2"}
    state = decided(held({}), *address("a", HOME, True), *address("b", beside, True))
    rule = "first sight"
    assert state.conflicts == [Conflict(STREET, "Am Hof 2", "b/people/1", "Am Hof 1", "a/people/1", rule)]


def test_an_edit_of_a_part_is_laid_over_the_address_that_is_held() -> None:
    state = decided(held(HOME, source("a")), claim("b", STREET, "Am Markt 2"))
    assert state.values == {**HOME, STREET: "Am Markt 2"}
    assert state.changes == [Change(STREET, "Am Hof 1", "Am Markt 2", "b/people/1", "authority")]
    assert state.sources[CITY] == source("b")


def test_a_part_that_is_taken_away_leaves_the_rest_of_the_address() -> None:
    state = decided(held(HOME, source("a")), claim("b", POSTCODE, None))
    assert state.values == {name: value for name, value in HOME.items() if name != POSTCODE}


def test_people_in_the_hub_edit_one_address_together_and_of_one_part_the_last_edit_counts() -> None:
    edits = [
        HubEdit(1, STREET, "Am Markt 2", "ann", AT + timedelta(minutes=1)),
        HubEdit(2, CITY, "Köln", "bob", AT, pin=True),
        HubEdit(3, STREET, "Am Markt 3", "eve", AT),
    ]
    before = held(HOME, source("a"))
    state = decided(before, *edit_claims(contact(HOME), edits, CONTACT), claim("a", POSTCODE, "50667"))
    assert state.values == {**HOME, STREET: "Am Markt 3", CITY: "Köln"}
    assert state.sources[CITY].user == "eve"
    assert (
        Conflict(STREET, "Am Markt 2", "hub:ann", "Am Markt 3", "hub:eve", "edited in the hub")
        in state.conflicts
    )


def test_of_two_edits_of_an_address_the_loser_is_told_of_the_part_that_it_said_only() -> None:
    edits = claim("a", STREET, "Am Markt 2"), claim("b", CITY, "Köln")
    state = decided(held(HOME, source("a")), *edits)
    assert state.values == {**HOME, STREET: "Am Markt 2"}
    assert state.conflicts == [Conflict(CITY, "Köln", "b/people/1", "Bonn", "a/people/1", "authority")]


def test_of_two_edits_of_an_address_in_one_moment_the_one_that_was_kept_last_counts() -> None:
    def typed(user: str, street: str, id: int) -> Claim:
        return Claim(STREET, street, "hub", f"hub:{user}", at=AT, user=user, edit_id=id)

    state = decided(held(HOME, source("a")), typed("ann", "Am Markt 1", 1), typed("bob", "Am Markt 2", 2))
    assert state.values[STREET] == "Am Markt 2"


def test_a_mere_place_gives_way_to_a_nearer_address_and_hears_to_whom() -> None:
    state = decided(held({}), *address("a", {CITY: "Köln"}, True), *address("b", HOME, True))
    assert state.values == HOME
    lost = Conflict(CITY, "Köln", "a/people/1", "Bonn", "b/people/1", "no more than a place at first sight")
    assert state.conflicts == [lost]


def test_a_mere_place_takes_the_place_of_no_nearer_address_that_is_held() -> None:
    state = decided(held(HOME, source("b", "first")), *address("a", {CITY: "Köln"}, True))
    assert (state.values, state.changes) == (HOME, [])
    lost = Conflict(CITY, "Köln", "a/people/1", "Bonn", "b/people/1", "no more than a place at first sight")
    assert state.conflicts == [lost]


def test_a_part_that_a_person_edited_keeps_the_whole_address_from_first_sights() -> None:
    sources = dict.fromkeys(HOME, source("b", "first")) | {STREET: source("b")}
    other = {STREET: "Rue 2", CITY: "Lyon", COUNTRY: "FR"}
    state = decided(Values(dict(HOME), sources), *address("a", other, True))
    assert state.values == HOME
    assert [one.field for one in state.conflicts] == [CITY, COUNTRY, STREET]
    assert {one.kept_source for one in state.conflicts} == {"b/people/1"}


def test_a_pin_answers_for_the_address_before_who_is_believed_most() -> None:
    pin = Source("hub", "hub", NOW, user="ops", pinned=True)
    sources = dict.fromkeys(HOME, source("a", "first")) | {COUNTRY: pin}
    state = decided(Values(dict(HOME), sources), claim("a", CITY, "Köln"))
    assert (state.values, [one.rule for one in state.conflicts]) == (HOME, ["pinned"])


@pytest.mark.parametrize(("beside", "wins"), [("a", False), ("b", True), ("z", True)])
def test_who_is_believed_most_answers_for_an_address_that_others_completed(beside: str, wins: bool) -> None:
    sources = dict.fromkeys(HOME, source("b", "first")) | {COUNTRY: source(beside, "first")}
    other = {STREET: "Rue 2", CITY: "Lyon", COUNTRY: "FR"}
    state = decided(Values(dict(HOME), sources), *address("a", other, True))
    assert (state.values == other) is wins


def test_a_name_is_completed_by_who_says_the_same_name() -> None:
    both = {"first_name": "Ann", "last_name": "Lee"}
    names = [claim(by, name, value, True) for by in "ab" for name, value in both.items()]
    state = decided(held({}), *names, claim("b", "middle_name", "May", True))
    assert state.values == {**both, "middle_name": "May"}
    assert state.sources["last_name"] == source("a", "first")
    assert state.sources["middle_name"] == source("b", "first")


def test_less_of_a_name_that_says_otherwise_is_told() -> None:
    whole = [claim("b", "first_name", "Ann", True), claim("b", "last_name", "Lee", True)]
    state = decided(held({}), claim("a", "first_name", "Bob", True), *whole)
    assert state.values == {"first_name": "Ann", "last_name": "Lee"}
    rule = "less of a name at first sight"
    assert state.conflicts == [Conflict("first_name", "Bob", "a/people/1", "Ann", "b/people/1", rule)]


def name(connection: str, first: str = "", last: str = "", middle: str = "") -> list[Claim]:
    """A name as somebody says it at first sight."""
    said = {"first_name": first, "middle_name": middle, "last_name": last}
    return [claim(connection, part, text, True) for part, text in said.items() if text]


@pytest.mark.parametrize(
    ("said", "kept"), [("A.", ("Ann", "Lee")), ("Anna", ("Anna", "Lee"))], ids=["initial", "words"]
)
def test_a_name_that_two_records_made_up_gives_way_to_a_whole_one_in_words_only(
    said: str, kept: tuple[str, str]
) -> None:
    sources = {"first_name": source("a", "first"), "last_name": source("b", "first")}
    state = Values({"first_name": "Ann", "last_name": "Lee"}, sources)
    decided(state, *name("c", said, "Lee"), rules=policy(lambda stage: ("c", "a", "b")))
    assert (state.values["first_name"], state.values["last_name"]) == kept


def test_an_initial_becomes_a_word_only_by_who_says_the_other_half_alike() -> None:
    """`Anna K.` is nobody's `A. Lee`."""
    state = decided(held({}), *name("a", "A.", "Lee"), *name("b", "Anna", "K."))
    assert state.values == {"first_name": "A.", "last_name": "Lee"}
    state = decided(held({}), *name("a", "A.", "Lee"), *name("b", "Anna", "L."))
    assert state.values == {"first_name": "Anna", "last_name": "Lee"}


def test_who_says_just_this_name_says_its_middle_name_too_also_a_word_of_a_half() -> None:
    state = decided(held({}), *name("a", "Jan", "Jansen"), *name("b", "Jan", "Jansen", middle="Jan"))
    assert state.values["middle_name"] == "Jan"
    other = decided(held({}), *name("a", "Jan", "Jansen"), *name("b", "Jan", "Jansen-Vos", middle="Jan"))
    assert "middle_name" not in other.values


def test_a_half_that_the_hub_holds_by_nobodys_word_is_told_as_the_hubs() -> None:
    """An older hub holds values without a source."""
    state = decided(held({"first_name": "Ann", "last_name": "Lee"}), *name("a", "Bob"))
    rule = "less of a name at first sight"
    assert state.conflicts == [Conflict("first_name", "Bob", "a/people/1", "Ann", "hub", rule)]


# -- sources ---------------------------------------------------------------------------------------


def test_the_time_of_a_source_is_that_of_the_edit_where_the_latest_wins() -> None:
    latest, other = (FieldPolicy(one, lambda stage: ()) for one in (Strategy.LATEST, Strategy.AUTHORITY))
    edit = claim("a", "x", "1")
    assert source_of(edit, NOW, latest) == source("a", "edit", AT)
    assert source_of(edit, NOW, other) == source("a", "edit", NOW)
    untimed = Claim("x", "1", "a", "a/people/1", first=True)
    assert source_of(untimed, NOW, latest) == source("a", "first", NOW)
    typed = Claim("x", "1", "hub", "hub:ops", at=AT, user="ops", pin=True)
    assert source_of(typed, NOW, other) == Source("hub", "hub", AT, user="ops", pinned=True)


def test_of_a_slot_the_first_part_that_is_filled_tells_else_the_first_that_was_emptied() -> None:
    sources = {STREET: source("a"), CITY: source("b")}
    assert slot_source("address", {CITY: "Bonn"}, sources) == source("b")
    assert slot_source("address", HOME, sources) == source("a")
    assert slot_source("address", {}, sources) == source("a")
    assert slot_source("address", HOME, {}) is None
    assert slot_source("email", {"email": "a@b.de"}, {"email": source("b")}) == source("b")


def test_of_an_element_of_a_set_the_set_says_who_may_decide() -> None:
    rules = policy()
    plain = Field("job_title", Type.TEXT)
    assert ruling(rules, Kind.CONTACT, plain) == rules.fields(Kind.CONTACT, "job_title")
    element = Field("emails[a@b.de].label", Type.TEXT, of="emails")
    assert ruling(rules, Kind.CONTACT, element).strategy is Strategy.AUTHORITY
    assert ruling(rules, Kind.CONTACT, element).authority(None) == ("a", "b")


# -- what follows from other fields ----------------------------------------------------------------

ACME, OTHER = (Reference(f"o-{n}", {"name": name}, {}) for n, name in ((1, "Acme"), (2, "Other")))
CONTEXT = Context(references={"o-1": ACME, "o-2": OTHER})


def company(now: Mapping[str, Value], before: Mapping[str, Value], **names: str) -> Values:
    state = held(now)
    keep_company(state, contact(before), CONTEXT, names, NOW)
    return state


def test_the_name_of_a_company_follows_the_reference() -> None:
    for before in ({"company_name": "Acme", "company": "o-1"}, {"company_name": "Acme"}):
        state = company({"company_name": "Acme", "company": "o-2"}, before)
        assert state.values == {"company_name": "Other", "company": "o-2"}
        assert state.changes == [Change("company_name", "Acme", "Other", "rule", "name of the company")]
        assert state.sources == {"company_name": RULE}
    assert company({"company": "o-1"}, {}).values == {"company": "o-1", "company_name": "Acme"}


def test_the_reference_follows_the_name_of_the_company() -> None:
    state = company(
        {"company_name": "Other", "company": "o-1"}, {"company_name": "Acme", "company": "o-1"}, Other="o-2"
    )
    assert state.values == {"company_name": "Other", "company": "o-2"}
    assert state.changes == [Change("company", "o-1", "o-2", "rule", "company of that name")]
    assert state.sources == {"company": RULE}
    unknown = company({"company_name": "New", "company": "o-1"}, {"company_name": "Acme", "company": "o-1"})
    assert unknown.values == {"company_name": "New"}
    assert company({"company_name": "Acme"}, {"company_name": "Acme"}, Acme="o-1").values["company"] == "o-1"


def test_the_name_of_a_company_that_was_taken_away_goes_with_it_and_another_text_stays() -> None:
    before = {"company_name": "Acme", "company": "o-1"}
    state = company({"company_name": "Acme"}, before, Acme="o-1")
    assert state.values == {}
    assert state.changes == [Change("company_name", "Acme", None, "rule", "company taken away")]
    assert company({"company_name": "Acme"}, before).values == {"company_name": "Acme"}
    assert company({"company_name": "Acme"}, before, Acme="o-2").values == {"company_name": "Acme"}
    renamed = held({"company_name": "Acme"})
    renamed.sources["company_name"] = RULE
    keep_company(renamed, contact(before), CONTEXT, {}, NOW)
    assert renamed.values == {}


def test_where_both_moved_or_neither_did_name_and_reference_stay() -> None:
    both = {"company_name": "New", "company": "o-2"}
    assert company(both, {"company_name": "Acme", "company": "o-1"}).values == both
    same = {"company_name": "Acme Inc.", "company": "o-1"}
    assert company(same, same, **{"Acme Inc.": "o-2"}).changes == []
    assert company({"company": "o-9"}, {}).values == {"company": "o-9"}


def test_what_is_read_through_a_reference_is_the_other_ones_value() -> None:
    state = held({"company": "o-1", "company_name": "As said"})
    derive(state, ["company.name", "owner.email"], CONTEXT, NOW)
    assert state.values["company.name"] == "Acme"
    assert "owner.email" not in state.values
    assert state.changes == [Change("company.name", None, "Acme", "rule", "read through company")]
    assert state.sources == {"company.name": RULE}
    unlinked = held({"company_name": "As said"})
    derive(unlinked, ["company.name"], CONTEXT, NOW)
    assert unlinked.values["company.name"] == "As said"
