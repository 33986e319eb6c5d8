"""What a record's values claim: first sights and edits, against what was agreed with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import Clearing, Direction, FieldRule, ItemRule
from trueup.model.canonical import Locale
from trueup.model.canonical.postal import address_key, address_of, parts_of
from trueup.model.entity import Agreed, Entity, Link
from trueup.model.fields import TABLES, Kind, attribute
from trueup.model.plan import Context
from trueup.model.record import Json, Ref
from trueup.model.values import ABSENT, Value
from trueup.sync.rules.evidence import Claim, as_edit, claims, differing, elements_said, readings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EDITED, SEEN = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
ITEM = ItemRule(kind="kind", street="street", city="city", postcode="code")
"""A system that keeps neither region nor country of an address."""
PLACES = FieldRule("addresses", "places", item=ITEM)
MAILS = FieldRule("emails", "mails")
SEA = {"street": "Seeweg 1", "city": "Kiel", "postcode": "24103"}
HILL = {"street": "Bergstr. 9", "city": "Ulm", "postcode": "89073"}


def place(kind: str = "", **parts: str) -> Json:
    """An address as the system shows it."""
    named = {"street": ITEM.street, "city": ITEM.city, "postcode": ITEM.postcode}
    return {named[part]: text for part, text in parts.items()} | ({"kind": kind} if kind else {})


def said(
    rule: FieldRule,
    now: Json | None,
    agreed: Agreed | None = None,
    hub: Mapping[str, Value] | None = None,
    kind: Kind = Kind.CONTACT,
    context: Context | None = None,
    **more: object,
) -> list[Claim]:
    """What one field of a record claims. `agreed`: with it, before; `hub`: what the hub holds."""
    mapping = compile_mapping("a", rules(fields=(rule,), kind=kind), TABLES[kind], Locale())
    (binding,) = mapping.bindings
    link = Link(1, "a", "people", "7", 1, kind, changed_at=EDITED, seen_at=SEEN, fresh=agreed is None)
    link = replace(
        link,
        observed={rule.remote: now} if now is not None else {},
        agreed={binding.key: agreed} if agreed is not None else {},
        **more,  # type: ignore[arg-type]
    )
    (reading,) = readings(link, mapping, Entity(1, kind, 1, hub or {}, {}), context or Context())
    return list(claims(reading, TABLES[kind]))


def told(found: list[Claim]) -> dict[str, Value]:
    return {one.field: one.value for one in found}


def moved(found: list[Claim], name: str) -> tuple[set[str], set[str]]:
    """What was added to a list, and what was taken from it."""
    (one,) = (each for each in found if each.field == name)
    return set(one.added), set(one.removed)


# -- single values ---------------------------------------------------------------------------------

TITLE = FieldRule("job_title", "title")


def test_a_first_sight_claims_what_is_not_empty() -> None:
    assert said(TITLE, "CTO") == [Claim("job_title", "CTO", "a", "a/people/7", first=True, at=EDITED)]
    assert said(TITLE, "") == said(TITLE, None) == said(FieldRule("tags", "tags"), []) == []


def test_an_edit_claims_what_moved_since_it_was_agreed() -> None:
    assert said(TITLE, "CTO", Agreed("Boss", "Boss")) == [
        Claim("job_title", "CTO", "a", "a/people/7", first=False, at=EDITED)
    ]
    assert said(TITLE, "CTO", Agreed("Boss", "CTO")) == []
    assert told(said(TITLE, "", Agreed("Boss", "Boss"))) == {"job_title": None}


def test_an_emptiness_is_no_edit_where_the_rule_ignores_it() -> None:
    ignores = replace(TITLE, clear=Clearing.IGNORE)
    assert said(ignores, "", Agreed("Boss", "Boss")) == []
    assert told(said(ignores, "CTO", Agreed("Boss", "Boss"))) == {"job_title": "CTO"}


def test_a_field_that_is_only_written_claims_nothing() -> None:
    assert said(replace(TITLE, direction=Direction.OUT), "CTO") == []


def test_a_further_record_of_one_system_comes_just_below_the_first() -> None:
    assert [one.rank_below for one in said(TITLE, "CTO")] == [0]
    assert [one.rank_below for one in said(TITLE, "CTO", primary=False)] == [1]


def test_nothing_was_edited_later_than_it_was_read() -> None:
    assert [one.at for one in said(TITLE, "CTO", changed_at=NOW)] == [SEEN]
    assert [one.at for one in said(TITLE, "CTO", seen_at=None)] == [EDITED]
    assert [one.at for one in said(TITLE, "CTO", changed_at=None)] == [None]


def test_the_name_of_a_company_that_is_read_through_a_reference_is_the_contacts_own_word() -> None:
    """A system that keeps no companies says only what its person's company is called."""
    assert told(said(FieldRule("company.name", "firm"), "Acme")) == {"company_name": "Acme"}


# -- references ------------------------------------------------------------------------------------

PEOPLE = FieldRule("contacts", "people", to="people")
COMPANY = FieldRule("company", "firm", to="firms")
CONTEXT = Context(
    remote={
        Ref("a", "people", "2"): "c-2",
        Ref("a", "people", "1"): "c-9",
        Ref("a", "firms", "1"): "o-1",
        Ref("b", "people", "3"): "c-3",
    }
)


def test_who_a_record_points_at_is_told_by_the_hubs_ids() -> None:
    assert told(said(COMPANY, "1", context=CONTEXT)) == {"company": "o-1"}
    assert told(said(PEOPLE, ["1", "2"], kind=Kind.DEAL, context=CONTEXT)) == {"contacts": ["c-2", "c-9"]}


def test_who_points_at_somebody_unknown_says_nothing_yet() -> None:
    assert said(COMPANY, "2", context=CONTEXT) == []
    assert said(PEOPLE, ["1", "3"], kind=Kind.DEAL, context=CONTEXT) == []


def test_who_points_at_nobody_any_more_has_taken_the_reference_away() -> None:
    assert told(said(COMPANY, "", Agreed("o-1", "1"), context=CONTEXT)) == {"company": None}
    taken = said(PEOPLE, ["2"], Agreed(["c-2", "c-9"], ["1", "2"]), kind=Kind.DEAL, context=CONTEXT)
    assert moved(taken, "contacts") == (set(), {"c-9"})


# -- lists -----------------------------------------------------------------------------------------


def test_of_a_list_it_is_told_what_was_added_and_what_was_taken() -> None:
    tags = FieldRule("tags", "tags")
    assert moved(said(tags, ["x", "y"]), "tags") == ({"x", "y"}, set())
    assert moved(said(tags, ["y", "z"], Agreed(["x", "y"], ["x", "y"])), "tags") == ({"z"}, {"x"})
    assert moved(said(tags, [], Agreed(["x"], ["x"])), "tags") == (set(), {"x"})


def test_another_spelling_of_an_address_is_neither_added_nor_taken() -> None:
    agreed = Agreed(["Ann@X.example", "bob@x.example"], ["Ann@X.example", "bob@x.example"])
    assert moved(said(MAILS, ["ann@x.example"], agreed), "emails") == (set(), {"bob@x.example"})
    more = said(MAILS, ["ann@x.example", "BOB@x.example", "cat@x.example"], agreed)
    assert moved(more, "emails") == ({"cat@x.example"}, set())


def test_what_a_system_makes_of_an_element_is_that_element() -> None:
    """The system writes tags in small letters: nothing is added, and what goes is the hub's own."""
    small = FieldRule("tags", "tags", transform="lower")
    agreed = Agreed(["VIP", "New"], ["vip", "new"])
    assert moved(said(small, ["vip", "new", "hot"], agreed), "tags") == ({"hot"}, set())
    assert moved(said(small, ["new"], agreed), "tags")[1] >= {"VIP"}
    assert moved(said(small, ["vip"], hub={"tags": ["VIP"]}), "tags") == (set(), set())


# -- postal addresses that a system cannot keep whole ----------------------------------------------


def whole(**more: str) -> str:
    return address_of({**SEA, "country": "DE", **more}) or ""


def at_the_sea(now: list[Json], before: list[Json] | None = None) -> list[Claim]:
    """The hub holds the house at the sea with its country, and has agreed so with the record."""
    agreed = Agreed({"addresses": [whole()]}, before if before is not None else [place(**SEA)])
    return said(PLACES, now, agreed, {"addresses": [whole()]})


def test_an_address_without_the_parts_that_its_system_has_no_field_for_is_the_hubs_address() -> None:
    first = said(PLACES, [place(**SEA)], hub={"addresses": [whole()]})
    assert moved(first, "addresses") == (set(), set())
    more = at_the_sea([place(**SEA), place(**HILL)])
    assert moved(more, "addresses") == ({address_of(HILL)}, set())


def test_who_takes_such_an_address_away_takes_the_hubs() -> None:
    assert whole() in moved(at_the_sea([]), "addresses")[1]


def test_such_an_address_that_is_put_right_keeps_what_its_system_has_no_field_for() -> None:
    added, removed = moved(at_the_sea([place(**SEA | {"street": "Seeweg 11"})]), "addresses")
    assert [parts_of(one) for one in added] == [{**SEA, "street": "Seeweg 11", "country": "DE"}]
    assert whole() in removed


def test_another_address_in_the_place_of_such_a_one_gets_nothing_of_it() -> None:
    added, removed = moved(at_the_sea([place(**HILL)]), "addresses")
    assert [parts_of(one) for one in added] == [HILL]
    assert whole() in removed


def test_the_kind_of_such_an_address_is_the_kind_of_the_hubs() -> None:
    found = said(PLACES, [place("home", **SEA)], hub={"addresses": [whole()]})
    kinds = {one.field: one.value for one in found if one.field != "addresses"}
    assert kinds == {attribute("addresses", address_key(whole()), "kind"): "home"}


def test_the_elements_of_a_record_are_told_as_the_hub_holds_them() -> None:
    mapping = compile_mapping("a", rules(fields=(PLACES,)), TABLES[Kind.CONTACT], Locale())
    link = Link(1, "a", "people", "7", 1, Kind.CONTACT, observed={"places": [place(**SEA), place(**HILL)]})
    (reading,) = readings(link, mapping, Entity(1, Kind.CONTACT, 1, {"addresses": [whole()]}, {}), Context())
    assert set(elements_said(reading)) == {whole(), address_of(HILL)}
    (absent,) = readings(replace(link, observed={}), mapping, Entity(1, Kind.CONTACT, 1, {}, {}), Context())
    assert (absent.has, elements_said(absent)) == (ABSENT, None)


# -- what a record says otherwise ------------------------------------------------------------------


def otherwise(rule: FieldRule, now: Json, **held: Value) -> bool:
    mapping = compile_mapping("a", rules(fields=(rule,)), TABLES[Kind.CONTACT], Locale())
    link = Link(1, "a", "people", "7", 1, Kind.CONTACT, observed={rule.remote: now})
    return bool(list(differing(link, mapping, Entity(1, Kind.CONTACT, 1, held, {}))))


def test_a_record_says_otherwise_where_its_value_is_another_one() -> None:
    assert otherwise(TITLE, "CTO", job_title="Boss")
    assert not otherwise(TITLE, " CTO ", job_title="CTO")


def test_a_list_says_otherwise_only_where_it_has_more() -> None:
    assert otherwise(MAILS, ["ann@x.example", "bob@x.example"], emails=["ann@x.example"])
    assert otherwise(MAILS, ["ann@x.example"])
    assert not otherwise(MAILS, [], emails=["ann@x.example"])
    assert not otherwise(MAILS, ["ANN@x.example"], emails=["ann@x.example", "bob@x.example"])


def test_a_whole_name_of_the_same_words_says_nothing_else_however_it_is_cut() -> None:
    name = FieldRule("full_name", "name")
    assert not otherwise(name, "Ana María Ruiz", first_name="Ana", last_name="María Ruiz")
    assert not otherwise(name, "Ruiz Ana", first_name="Ana", last_name="Ruiz")
    assert otherwise(name, "Ana Ruiz", first_name="Eva", last_name="Ruiz")


def test_references_are_not_compared_and_what_stands_behind_them_is() -> None:
    assert not otherwise(COMPANY, "1", company="o-2")
    fields = (COMPANY, FieldRule("full_name", "name"), TITLE)
    mapping = compile_mapping("a", rules(fields=fields), TABLES[Kind.CONTACT], Locale())
    said: dict[str, Json] = {"firm": "1", "name": "Ann Lee", "title": "CTO"}
    link = Link(1, "a", "people", "7", 1, Kind.CONTACT, observed=said)
    held = {"company": "o-2", "first_name": "Ann", "last_name": "Lee", "job_title": "Boss"}
    (binding,) = (one for one in mapping.bindings if one.remote == "title")
    assert list(differing(link, mapping, Entity(1, Kind.CONTACT, 1, held, {}))) == [binding.key]


# -- one value as an edit --------------------------------------------------------------------------


def test_what_a_record_holds_can_be_told_as_if_it_had_been_edited_now() -> None:
    mapping = compile_mapping("a", rules(fields=(TITLE,)), TABLES[Kind.CONTACT], Locale())
    link = Link(1, "a", "people", "7", 1, Kind.CONTACT, observed={"title": "CTO"}, changed_at=EDITED)
    entity = Entity(1, Kind.CONTACT, 1, {"job_title": "CTO"}, {})
    (settled,) = readings(link, mapping, entity, Context())
    assert as_edit(settled, "job_title") == Claim("job_title", "CTO", "a", "a/people/7", at=EDITED)
    (silent,) = readings(replace(link, observed={}), mapping, entity, Context())
    assert as_edit(silent, "job_title").value is None
