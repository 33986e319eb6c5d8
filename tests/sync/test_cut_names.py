"""What the rules of whole names promise: whose cut is heard, who is asked first, and who is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import Direction, FieldRule
from trueup.model.canonical import Locale
from trueup.model.entity import Agreed, Entity, Link, Source
from trueup.model.fields import CONTACT, NAME_PARTS, Kind, Strategy
from trueup.model.history import Change
from trueup.model.plan import Context
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import readings
from trueup.sync.rules.policy import FieldPolicy, Policy
from trueup.sync.rules.whole_names import Recut, Said, put_right, recut, remember

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHOLE = rules(fields=("email", FieldRule("full_name", "name")))
PARTED = rules(fields=("email", "first_name", "middle_name", "last_name"))
WRITTEN_ONLY = rules(
    fields=("email", *(FieldRule(one, one, direction=Direction.OUT) for one in ("first_name", "last_name")))
)
PLACES = {"desk": 1, "club": 2, "crm": 3, "shop": 4, "mail": 5}
RULES = {"desk": WHOLE, "club": WHOLE, "crm": PARTED, "shop": PARTED, "mail": WRITTEN_ONLY}
MAPPINGS = {(name, "people"): compile_mapping(name, one, CONTACT, Locale()) for name, one in RULES.items()}
TEXT = "Ana María Ruiz"
GUESS = {"first_name": "Ana", "middle_name": "María", "last_name": "Ruiz"}
OTHERWISE = {"first_name": "Ana", "last_name": "María Ruiz"}


def policy(authority: Callable[[str | None], tuple[str, ...]] = lambda stage: tuple(PLACES)) -> Policy:
    return Policy(fields=lambda kind, name: FieldPolicy(Strategy.AUTHORITY, authority), mappings=MAPPINGS)


def record(connection: str, fresh: bool = True, base: Mapping[str, Json] | None = None, **said: Json) -> Link:
    return Link(
        PLACES[connection],
        connection,
        "people",
        "7",
        1,
        Kind.CONTACT,
        fresh=fresh,
        observed=said,
        base=base or {},
    )


def contact(values: Mapping[str, Value], sources: Mapping[str, Source] | None = None) -> Entity:
    return Entity(1, Kind.CONTACT, 1, values, sources or {})


def of_desk(*names: str, cut_by: str = "") -> dict[str, Source]:
    """The hub's name was cut out of what `desk` says."""
    return {name: Source("desk", "first", NOW, "desk/people/7", cut_by=cut_by) for name in names}


def guessed(values: Mapping[str, Value], cut_by: str = "") -> Entity:
    return contact(values, of_desk(*values, cut_by=cut_by))


def heard(entity: Entity, *links: Link, by: Policy | None = None) -> Recut:
    read = {one.id: tuple(readings(one, MAPPINGS[one.stream], entity, Context())) for one in links}
    return recut(read, entity, by or policy())


def parts(found: Recut, connection: str = "desk") -> dict[str, Value]:
    """How a record's whole name is read."""
    (one,) = (one for one in found.read[PLACES[connection]] if one.binding.fields == NAME_PARTS)
    assert isinstance(one.has, Mapping)
    return {name: value for name, value in one.has.items() if value is not None}


def remembered(found: Recut, entity: Entity) -> set[str]:
    state = Values(dict(entity.values), dict(entity.sources))
    remember(state, found.tellers, policy())
    return {one.cut_by for one in state.sources.values()}


# -- whose cut is heard ----------------------------------------------------------------------------


def test_a_whole_name_is_cut_as_another_record_says_its_parts() -> None:
    assert parts(heard(contact({}), record("desk", name=TEXT))) == GUESS
    assert parts(heard(contact({}), record("desk", name=TEXT), record("crm", **OTHERWISE))) == OTHERWISE


def test_a_system_that_is_only_written_to_says_nothing_of_a_name() -> None:
    assert parts(heard(contact({}), record("desk", name=TEXT), record("mail", **OTHERWISE))) == GUESS


def test_the_name_that_somebody_typed_into_the_hub_says_how_it_is_cut() -> None:
    for sources in ({}, dict.fromkeys(OTHERWISE, Source("hub", "hub", NOW, user="ops"))):
        assert parts(heard(contact(OTHERWISE, sources), record("desk", name=TEXT))) == OTHERWISE


def test_what_was_agreed_with_a_record_cuts_its_text_also_where_the_hub_holds_another_name_since() -> None:
    agreed = Agreed([None, "Ana", None, "María Ruiz", None], TEXT)
    (binding,) = (one for one in MAPPINGS["desk", "people"].bindings if one.fields == NAME_PARTS)
    known = replace(record("desk", fresh=False, name=TEXT), agreed={binding.key: agreed})
    found = heard(guessed({"first_name": "Eva", "last_name": "Lee"}), known)
    assert parts(found) == OTHERWISE


@pytest.mark.parametrize(("word", "half"), [("Ann", "first_name"), ("Lee", "last_name")])
def test_a_lone_word_is_the_half_that_it_is_of_the_name_the_hub_holds(word: str, half: str) -> None:
    held = guessed({"first_name": "Ann", "last_name": "Lee"})
    assert parts(heard(held, record("club", name=word)), "club") == {half: word}


@pytest.mark.parametrize(
    "other", [record("desk", name="Ann Lee"), record("crm", first_name="Ann", last_name="Lee")]
)
def test_a_lone_word_is_the_half_that_it_is_of_the_name_another_record_says(other: Link) -> None:
    found = heard(contact({}), record("club", name="Ann"), other)
    assert parts(found, "club") == {"first_name": "Ann"}


def test_a_lone_word_that_both_halves_are_like_tells_nothing() -> None:
    found = heard(contact({}), record("club", name="Ann"), record("crm", first_name="Ann", last_name="Ann"))
    assert parts(found, "club") == {"last_name": "Ann"}


# -- who is asked first ----------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "cut"), [("customer", OTHERWISE), ("lead", GUESS)])
def test_of_two_that_cut_a_name_otherwise_the_one_is_heard_who_decides_in_this_stage(
    stage: str, cut: dict[str, str]
) -> None:
    by_stage = policy(lambda now: ("crm", "shop") if now == "customer" else ("shop", "crm"))
    links = record("desk", name=TEXT), record("crm", **OTHERWISE), record("shop", **GUESS)
    assert parts(heard(contact({"stage": stage}), *links, by=by_stage)) == cut


def test_what_an_older_record_may_have_heard_from_the_hub_is_asked_last_and_told_by_nobody() -> None:
    """`crm` was given the guess; `shop` says it anew, and otherwise."""
    entity = guessed(GUESS)
    links = record("desk", name=TEXT), record("crm", fresh=False, **GUESS), record("shop", **OTHERWISE)
    found = heard(entity, *links)
    assert parts(found) == OTHERWISE
    assert found.named_so is not None and found.named_so.by == "shop/people/7"
    assert heard(entity, *links[:2]).named_so is None


@pytest.mark.parametrize(("told", "anew", "named"), [("shop", "crm", True), ("crm", "shop", False)])
def test_a_cut_that_was_told_gives_way_only_to_who_is_asked_before(told: str, anew: str, named: bool) -> None:
    entity = guessed(GUESS, cut_by=f"{told}/people/7")
    found = heard(entity, record("desk", name=TEXT), record(anew, **OTHERWISE))
    assert (found.named_so is not None and found.named_so.by == f"{anew}/people/7") is named
    assert parts(found) == (OTHERWISE if named else GUESS)


def test_a_cut_that_was_told_gives_way_to_nothing_that_was_said_before() -> None:
    entity = guessed(GUESS, cut_by="shop/people/7")
    old = record("crm", fresh=False, **OTHERWISE)
    assert heard(entity, record("desk", name=TEXT), old).named_so is None


def test_nobody_is_asked_before_a_person_who_told_how_a_name_is_cut() -> None:
    entity = guessed(GUESS, cut_by="hub")
    found = heard(entity, record("desk", name=TEXT), record("crm", **OTHERWISE))
    assert (found.named_so, parts(found)) == (None, GUESS)


def test_a_name_that_a_record_says_in_parts_is_named_so_by_nobody_else() -> None:
    sources = dict.fromkeys(GUESS, Source("crm", "first", NOW, "crm/people/7"))
    found = heard(contact(GUESS, sources), record("desk", name=TEXT), record("shop", **OTHERWISE))
    assert (found.named_so, parts(found)) == (None, GUESS)


# -- what becomes of the hub's name ----------------------------------------------------------------


def test_the_hubs_name_is_cut_as_it_is_said_and_the_history_tells_why_and_by_whom() -> None:
    state = Values(dict(GUESS), of_desk(*GUESS, cut_by="shop/people/7"))
    crm = record("crm", **OTHERWISE)
    put_right(state, Said(OTHERWISE, crm, "crm/people/7"))
    assert state.values == OTHERWISE
    own = Source("crm", "first", NOW, "crm/people/7")
    assert {name: state.sources[name] for name in OTHERWISE} == dict.fromkeys(OTHERWISE, own)
    assert state.changes == [
        Change(name, GUESS[name], OTHERWISE.get(name), "crm/people/7", "said in fields of its own")
        for name in ("middle_name", "last_name")
    ]


def test_who_knows_the_name_in_another_script_gives_its_order_and_no_word() -> None:
    swapped = {"first_name": "Бойко", "last_name": "Іван"}
    state = Values(dict(swapped), of_desk(*swapped))
    put_right(state, Said({"first_name": "Ivan", "last_name": "Boiko"}, record("crm"), "crm/people/7"))
    assert state.values == {"first_name": "Іван", "last_name": "Бойко"}
    assert {one.ref for one in state.sources.values()} == {"desk/people/7"}


def test_who_told_the_cut_is_remembered_with_every_part() -> None:
    found = heard(contact({}), record("desk", name=TEXT), record("crm", **OTHERWISE))
    assert remembered(found, guessed(OTHERWISE)) == {"crm/people/7"}


def test_of_a_guess_nobody_is_remembered() -> None:
    assert remembered(heard(contact({}), record("desk", name=TEXT)), guessed(GUESS)) == {""}
    older = record("crm", fresh=False, **GUESS)
    assert remembered(heard(guessed(GUESS), record("desk", name=TEXT), older), guessed(GUESS)) == {""}


def test_who_says_other_words_is_not_remembered_as_who_told_the_cut() -> None:
    found = heard(contact({}), record("desk", name=TEXT), record("crm", first_name="Eva", last_name="Lee"))
    assert remembered(found, guessed(GUESS)) == {""}


def test_of_a_name_that_a_record_says_in_parts_nobody_is_remembered() -> None:
    own = contact(OTHERWISE, dict.fromkeys(OTHERWISE, Source("crm", "first", NOW, "crm/people/7")))
    found = heard(contact({}), record("desk", name=TEXT), record("crm", **OTHERWISE))
    assert remembered(found, own) == {""}
    half = contact(OTHERWISE, {**of_desk("first_name"), "last_name": own.sources["last_name"]})
    assert remembered(found, half) == {""}
    unknown = contact(OTHERWISE, of_desk("first_name"))
    assert remembered(found, unknown) == {""}
