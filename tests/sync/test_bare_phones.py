"""What a number without its country code is taken for, and what the hub then remembers of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import FieldRule, ItemRule
from trueup.model.canonical import Locale
from trueup.model.canonical.postal import address_of
from trueup.model.entity import Agreed, Entity, Link, Quarantine, Source
from trueup.model.fields import CONTACT, Kind
from trueup.model.history import Change
from trueup.model.plan import Case, Context, HubEdit
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.sync.rules.bare_phones import by_own_address
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import readings
from trueup.sync.rules.guessed_phones import Better, keep_said, needs_weighing, put_right, understood
from trueup.sync.rules.homes import Homes, countries_of, homes_now
from trueup.sync.rules.policy import Policy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BARE, POLISH, UKRAINIAN = "693376764", "+48693376764", "+380693376764"
"""The same digits are a number in Poland and in the hub's region."""
BERLIN, MUNICH, GERMAN = "+49301234567", "089 7654321", "+49897654321"
COUNTRY = FieldRule("address.country", "country")
PHONES = FieldRule("phones", "phones")
TEXTS = replace(PHONES, transform="joined_list(;)")
OBJECTS = FieldRule("phones", "phones", item=ItemRule(value="number", kind="kind"))
LOCALE = Locale(phone_region="UA")
NO_HOMES = Homes(frozenset(), frozenset())
MAPPINGS = {
    (name, "people"): compile_mapping(name, rules(fields=(*fields, COUNTRY)), CONTACT, LOCALE)
    for name, fields in {"desk": ("phone",), "crm": ("phone",), "shop": (PHONES,)}.items()
}
POLICY = Policy(mappings=MAPPINGS)


def record(connection: str, id: int = 0, agreed: Mapping[str, Agreed] | None = None, **said: Json) -> Link:
    number = id or ["desk", "crm", "shop"].index(connection) + 1
    known = {"fresh": agreed is None, "observed": said, "agreed": agreed or {}}
    return Link(number, connection, "people", str(number), 1, Kind.CONTACT, **known)  # type: ignore[arg-type]


def entity(values: Mapping[str, Value] | None = None, **sources: Source) -> Entity:
    return Entity(1, Kind.CONTACT, 1, values or {}, sources)


def better(held: Entity, *links: Link, homes: Homes | None = None, edits: tuple[HubEdit, ...] = ()) -> Better:
    read = {one.id: tuple(readings(one, MAPPINGS[one.stream], held, Context())) for one in links}
    return understood(read, Case(held, links, edits=edits), POLICY, homes)


def number(found: Better, id: int = 1) -> Value:
    """What a record's number is read as; None where it is none."""
    for one in found.read[id]:
        if one.binding.fields[0] in ("phone", "phones") and isinstance(one.has, Mapping):
            return one.has[one.binding.fields[0]]
    return None


# -- which number it is ----------------------------------------------------------------------------


def test_by_itself_it_is_of_the_hubs_region() -> None:
    assert number(better(entity(), record("desk", phone=BARE))) == UKRAINIAN


def test_it_is_of_the_country_of_its_records_own_address() -> None:
    assert number(better(entity(), record("desk", phone=BARE, country="PL"))) == POLISH
    assert number(better(entity(), record("desk", phone=BARE, country="FR"))) == UKRAINIAN


def test_it_is_the_number_that_another_record_says_whole() -> None:
    found = better(entity(), record("desk", phone=BARE), record("crm", phone=POLISH))
    assert (number(found), number(found, 2)) == (POLISH, POLISH)
    assert found.said == {POLISH: "crm/people/2"}
    assert found.guesses[1] == [UKRAINIAN]


def test_of_several_records_that_say_it_whole_always_the_same_one_answers_for_it() -> None:
    links = record("crm", phone=POLISH), record("shop", phones=[POLISH])
    for some in (links, links[::-1]):
        assert better(entity(), record("desk", phone=BARE), *some).said == {POLISH: "crm/people/2"}


def test_of_two_whole_numbers_it_is_the_one_of_its_own_address_else_of_the_hubs_region() -> None:
    both = record("shop", phones=[POLISH, UKRAINIAN])
    assert number(better(entity(), record("desk", phone=BARE, country="PL"), both)) == POLISH
    assert number(better(entity(), record("desk", phone=BARE), both)) == UKRAINIAN


def test_it_is_what_somebody_typed_into_the_hub() -> None:
    typed = Source("hub", "hub", NOW, user="ops")
    assert number(better(entity({"phone": POLISH}, phone=typed), record("desk", phone=BARE))) == POLISH
    edit = HubEdit(1, "phone", POLISH, "ops", NOW)
    assert number(better(entity(), record("desk", phone=BARE), edits=(edit,))) == POLISH
    elsewhere = HubEdit(1, "job_title", POLISH, "ops", NOW)
    assert number(better(entity(), record("desk", phone=BARE), edits=(elsewhere,))) == UKRAINIAN


def test_it_stays_what_it_was_taken_for_when_the_contact_moves() -> None:
    held = entity({"phone": UKRAINIAN}, phone=Source("desk", "first", NOW, "desk/people/1"))
    moved, learned = Homes(frozenset({"UA"}), frozenset({"PL"})), Homes(frozenset(), frozenset({"PL"}), True)
    assert number(better(held, record("desk", phone=BARE), homes=moved)) == UKRAINIAN
    assert number(better(held, record("desk", phone=BARE), homes=learned)) == POLISH
    assert better(held, record("desk", phone=BARE), homes=learned).hub == {UKRAINIAN: POLISH}
    assert better(held, record("desk", phone=BARE), homes=moved).hub == {}


def test_it_is_of_the_only_country_where_the_contact_lives() -> None:
    one, two = frozenset({"PL"}), frozenset({"PL", "FR"})
    assert number(better(entity(), record("desk", phone=BARE), homes=Homes(one, one))) == POLISH
    assert number(better(entity(), record("desk", phone=BARE), homes=Homes(two, two))) == UKRAINIAN


def test_what_the_contacts_records_say_of_its_country_is_foretold() -> None:
    assert number(better(entity(), record("desk", phone=BARE), record("crm", country="PL"))) == POLISH
    lives = entity({"address.country": "FR"})
    assert number(better(lives, record("desk", phone=BARE), record("crm", country="PL"))) == UKRAINIAN


def test_a_number_that_says_its_code_without_a_sign_is_of_no_other_country() -> None:
    one = frozenset({"PL"})
    assert number(better(entity(), record("desk", phone="49301234567"), homes=Homes(one, one))) == BERLIN


RETYPED = {"phone": Agreed(BERLIN, BERLIN)}


def test_a_retyped_number_is_of_the_country_of_the_one_that_stood_there() -> None:
    held = entity({"phone": BERLIN}, phone=Source("desk", "first", NOW, "desk/people/1"))
    found = better(held, record("desk", agreed=RETYPED, phone=MUNICH))
    assert number(found) == GERMAN
    assert found.said == {GERMAN: "desk/people/1"}


def test_a_retyped_number_is_rather_of_the_country_of_its_own_address() -> None:
    found = better(entity({"phone": BERLIN}), record("desk", agreed=RETYPED, phone=BARE, country="PL"))
    assert (number(found), found.said) == (POLISH, {})


def test_only_what_does_not_stand_there_any_more_was_typed_over() -> None:
    kept = {"phones": Agreed([BERLIN], [BERLIN])}
    beside = better(entity({"phones": [BERLIN]}), record("shop", agreed=kept, phones=[BERLIN, MUNICH]))
    assert GERMAN not in (number(beside, 3) or ())
    over = better(entity({"phones": [BERLIN]}), record("shop", agreed=kept, phones=[MUNICH]))
    assert number(over, 3) == [GERMAN]


def test_what_a_record_may_have_heard_from_the_hub_it_does_not_say_by_itself() -> None:
    """The hub guessed, and wrote its guess to `crm`; a number typed there is the record's own word."""
    held = entity({"phone": UKRAINIAN}, phone=Source("desk", "first", NOW, "desk/people/1"))
    desk = record("desk", agreed={"phone": Agreed(UKRAINIAN, BARE)}, phone=BARE)
    heard = record("crm", agreed={"phone": Agreed(UKRAINIAN, UKRAINIAN)}, phone=UKRAINIAN)
    learned = Homes(frozenset(), frozenset({"PL"}), True)
    assert number(better(held, desk, heard, homes=learned)) == POLISH
    typed = record("crm", agreed={"phone": Agreed(POLISH, POLISH)}, phone=UKRAINIAN)
    assert number(better(held, desk, typed, homes=learned)) == UKRAINIAN


def test_what_was_withheld_from_a_record_it_does_not_say_by_itself() -> None:
    desk = record("desk", phone=BARE, country="FR")
    for withheld, said in ((True, {}), (False, {POLISH: "crm/people/2"})):
        crm = record("crm", agreed={"phone": Agreed(BERLIN, POLISH, withheld=withheld)}, phone=POLISH)
        assert better(entity(), desk, crm).said == said


def test_what_a_record_said_whole_counts_while_it_shows_the_same_digits() -> None:
    kept = {f"phones[{POLISH}]": Source("crm", "first", NOW, ref="crm/people/2")}
    held = Entity(1, Kind.CONTACT, 1, {"phone": POLISH}, kept)
    learned = Homes(frozenset(), frozenset({"FR"}), True)
    for shown in (POLISH, BARE):
        found = better(held, record("desk", phone=BARE), record("crm", phone=shown), homes=learned)
        assert (number(found), found.said) == (POLISH, {POLISH: "crm/people/2"})
    assert better(held, record("desk", phone=BARE), record("crm", phone=BERLIN), homes=learned).said == {}


def test_whole_numbers_are_read_as_they_are() -> None:
    desk, crm = record("desk", phone=POLISH, country="FR"), record("crm", phone=BERLIN)
    found = better(entity({"phone": UKRAINIAN}), desk, crm)
    assert (number(found), number(found, 2)) == (POLISH, BERLIN)
    assert (found.homes, found.guesses, found.hub, found.said) == (None, {}, {}, {})


def test_what_was_a_number_nowhere_is_a_first_sight_once_its_country_is_known() -> None:
    aside = Quarantine("in", "no number", "TU-VAL-001", "", NOW)
    agreed, mobile = {"phone": Agreed(None, "0171 2345678")}, "+491712345678"
    unread = replace(record("desk", agreed=agreed, phone="0171 2345678"), quarantine={"phone": aside})
    german = Homes(frozenset(), frozenset({"DE"}), True)
    (one,) = (
        each for each in better(entity(), unread, homes=german).read[1] if "phone" in each.binding.fields
    )
    assert (one.has, one.agreed, one.was) == ({"phone": mobile}, None, None)
    assert number(better(entity(), unread, homes=Homes(frozenset(), frozenset({"PL"}), True))) is None


def test_what_is_understood_better_is_no_edit() -> None:
    held = entity({"phone": UKRAINIAN}, phone=Source("desk", "first", NOW, "desk/people/1"))
    desk = record("desk", agreed={"phone": Agreed(UKRAINIAN, BARE)}, phone=BARE)
    found = better(held, desk, record("crm", phone=POLISH))
    assert [one.has for one in found.read[1] if one.moved] == []
    assert found.hub == {UKRAINIAN: POLISH}


def test_two_understandings_are_alike_only_where_every_number_is() -> None:
    desk = record("desk", phone=BARE)
    here = better(entity(), desk, homes=NO_HOMES)
    assert here.reads_like(better(entity(), desk, homes=NO_HOMES))
    poland = frozenset({"PL"})
    assert not here.reads_like(better(entity(), desk, homes=Homes(poland, poland)))
    assert not here.reads_like(replace(here, hub={UKRAINIAN: POLISH}))
    assert not here.reads_like(replace(here, said={UKRAINIAN: "crm/people/2"}))


# -- lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "raw"),
    [
        (PHONES, [BARE, BERLIN]),
        (TEXTS, f"{BARE};{BERLIN}"),
        (TEXTS, f"{BERLIN};{BARE}"),
        (OBJECTS, [{"number": BARE, "kind": "work"}, {"number": BERLIN}]),
    ],
    ids=["list", "text", "text that begins with a whole one", "objects"],
)
def test_each_number_of_a_list_is_understood_by_itself(rule: FieldRule, raw: Json) -> None:
    mapping = compile_mapping("shop", rules(fields=(rule, COUNTRY)), CONTACT, LOCALE)
    link = Link(3, "shop", "people", "3", 1, Kind.CONTACT, observed={"phones": raw, "country": "PL"})
    assert by_own_address(mapping, link.observed) == [POLISH]
    some = tuple(readings(link, mapping, entity(), Context()))
    found = understood({3: some}, Case(entity(), (link,)), POLICY)
    assert number(found, 3) == sorted([POLISH, BERLIN])
    said = {
        name: value
        for one in found.read[3]
        if isinstance(one.has, Mapping)
        for name, value in one.has.items()
    }
    kinds = {name: value for name, value in said.items() if name.endswith(".kind") and value}
    assert kinds == ({f"phones[{POLISH}].kind": "work"} if rule is OBJECTS else {})


def test_by_its_own_address_a_record_by_itself_has_only_numbers_that_are_valid_there() -> None:
    mapping = MAPPINGS["desk", "people"]
    assert by_own_address(mapping, {"phone": BARE, "country": "PL"}) == [POLISH]
    assert by_own_address(mapping, {"phone": BARE, "country": "FR"}) == []
    assert by_own_address(mapping, {"phone": BARE}) == by_own_address(mapping, {"country": "PL"}) == []
    assert by_own_address(mapping, {"phone": POLISH, "country": "UA"}) == []


# -- whether more can be told at all ---------------------------------------------------------------


def weighed(raw: Json, **held: Value) -> bool:
    (binding,) = (one for one in MAPPINGS["desk", "people"].bindings if one.fields == ("phone",))
    return needs_weighing([(binding, raw)], held)


def test_a_record_is_weighed_where_its_number_may_be_of_another_country_than_the_hubs_region() -> None:
    country = {"address.country": "PL"}
    assert weighed(BARE, **country)
    assert not weighed(BARE, **{"address.country": "UA"})
    assert not weighed(BARE)
    assert not weighed(POLISH, **{"address.country": "UA"})
    assert weighed(MUNICH, **country)


def test_a_record_is_weighed_where_the_hub_holds_its_digits_in_another_number() -> None:
    assert weighed(BARE, phone=POLISH)
    assert not weighed(BARE, phone=UKRAINIAN)
    assert not weighed(BARE, phone=BERLIN)


# -- what becomes of the hub -----------------------------------------------------------------------

DESK = Source("desk", "first", NOW, "desk/people/1")


def test_the_hubs_guess_becomes_what_it_was_found_to_be_by_whoever_said_it() -> None:
    held = {"phone": UKRAINIAN, "phones": [BERLIN, UKRAINIAN], f"phones[{UKRAINIAN}].kind": "work"}
    state = Values(dict(held), dict.fromkeys(held, DESK))
    put_right(state, {UKRAINIAN: POLISH}, Kind.CONTACT, POLICY)
    anew = {"phone": POLISH, "phones": sorted([BERLIN, POLISH]), f"phones[{POLISH}].kind": "work"}
    assert state.values == anew
    assert {state.sources[name] for name in anew} == {DESK}
    why = "what the number without its country code is"
    assert Change("phone", UKRAINIAN, POLISH, "desk/people/1", why) in state.changes
    assert {one.rule for one in state.changes} == {why}


def test_what_is_told_of_the_right_number_stays_and_other_numbers_do() -> None:
    held = {f"phones[{UKRAINIAN}].kind": "work", f"phones[{POLISH}].kind": "home", "phone": BERLIN}
    state = Values(dict(held), dict.fromkeys(held, DESK))
    put_right(state, {UKRAINIAN: POLISH}, Kind.CONTACT, POLICY)
    assert state.values == {f"phones[{POLISH}].kind": "home", "phone": BERLIN}


def test_who_said_a_number_whole_is_remembered_while_the_hub_holds_it() -> None:
    name = f"phones[{POLISH}]"
    state = Values(
        {"phone": POLISH}, {f"phones[{BERLIN}]": DESK, "phone": DESK, f"phones[{BERLIN}].kind": DESK}
    )
    keep_said(state, Better({}, said={POLISH: "crm/people/2", BERLIN: "crm/people/2"}), NOW)
    crm = Source("crm", "first", NOW, ref="crm/people/2")
    assert state.sources == {name: crm, "phone": DESK, f"phones[{BERLIN}].kind": DESK}
    later = datetime(2027, 1, 1, tzinfo=UTC)
    keep_said(state, Better({}, said={POLISH: "crm/people/2"}), later)
    assert state.sources[name] == crm
    keep_said(state, Better({}, said={POLISH: "shop/people/3"}), later)
    assert state.sources[name] == Source("shop", "first", later, ref="shop/people/3")
    keep_said(state, Better({}), later)
    assert name not in state.sources


# -- where a contact lives -------------------------------------------------------------------------


def address(country: str = "") -> str:
    return address_of({"city": "Kiel", "country": country}) or ""


def test_a_contact_lives_where_its_addresses_are_else_where_those_were_that_it_left() -> None:
    assert countries_of({"address.country": "PL", "addresses": [address("DE"), address()]}) == {"PL", "DE"}
    assert countries_of({"addresses.billing.country": "FR", "former_addresses": [address("DE")]}) == {"FR"}
    assert countries_of({"address.city": "Kiel", "former_addresses": [address("DE")]}) == {"DE"}
    assert countries_of({}) == countries_of({"address.country": None, "addresses": None}) == set()


@pytest.mark.parametrize(
    ("before", "after", "edited", "learned"),
    [
        ("", "PL", "address.country", True),
        ("DE", "PL", "address.country", False),
        ("DE", "PL", "addresses", False),
        ("DE", "PL", "phone", True),
        ("DE", "DE", "phone", False),
    ],
)
def test_another_country_is_a_move_only_where_one_was_known_and_an_address_was_edited(
    before: str, after: str, edited: str, learned: bool
) -> None:
    lives = entity({"address.country": before} if before else {})
    homes = homes_now(lives, {"address.country": after}, [edited])
    assert homes == Homes(frozenset({before} - {""}), frozenset({after}), learned)
