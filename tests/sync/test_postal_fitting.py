"""How postal addresses in slots and lists come to fit each other: every field, its source and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.model.canonical import Locale
from trueup.model.canonical.postal import address_key, address_of
from trueup.model.entity import Entity, Source
from trueup.model.fields import CONTACT, Kind, attribute
from trueup.model.slots import held_in
from trueup.model.values import Value
from trueup.sync.rules.addresses import FAMILIES, Named, keep_addresses
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import FieldPolicy, Policy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARTS = ("street", "city", "postcode")
HOME, BILLING = "address", "addresses.billing"
SEA = {"street": "Seeweg 1", "city": "Kiel", "postcode": "24103"}
RIGHT = SEA | {"street": "Seeweg 11"}
HILL = {"street": "Bergstr. 9", "city": "Ulm", "postcode": "89073"}
GERMANY = {"country": "DE"}
MAPPINGS = {
    ("crm", "people"): compile_mapping(
        "crm",
        rules(fields=[f"{slot}.{part}" for slot in (HOME, BILLING) for part in PARTS]),
        CONTACT,
        Locale(),
    ),
    ("one", "people"): compile_mapping(
        "one", rules(fields=[f"{HOME}.{part}" for part in PARTS]), CONTACT, Locale()
    ),
}


def policy(*listed: str) -> Policy:
    """`listed`: who may decide the set of addresses; the slots everybody may decide."""
    return Policy(
        fields=lambda kind, name: FieldPolicy(
            CONTACT[name.split("[")[0]].strategy,
            lambda stage: listed if name == "addresses" else ("crm", "one"),
        ),
        mappings=MAPPINGS,
    )


def text(parts: Mapping[str, str]) -> str:
    return address_of(parts) or ""


def slot(name: str, parts: Mapping[str, str]) -> dict[str, Value]:
    return {f"{name}.{part}": value for part, value in parts.items()}


def listed(*some: Mapping[str, str]) -> dict[str, Value]:
    return {"addresses": sorted(map(text, some))}


def by(connection: str, how: str = "edit") -> Source:
    return Source(connection, how, NOW - timedelta(1), f"{connection}/people/1")


def edits(name: str, parts: Mapping[str, str | None], connection: str = "one") -> list[Claim]:
    return [
        Claim(f"{name}.{part}", value, connection, f"{connection}/people/1", at=NOW)
        for part, value in parts.items()
    ]


def fitted(
    now: Mapping[str, Value],
    before: Mapping[str, Value],
    *claims: Claim,
    sources: Mapping[str, Source] | None = None,
    named: Named | None = None,
    may: tuple[str, ...] = ("one", "crm"),
) -> Values:
    """`now`: what was judged field by field; `before`: what was held until then. Who edited a part of a slot
    answers for all of it; the rest was seen first in `crm`."""
    known = dict.fromkeys((*before, *now), by("crm", "first"))
    editors = {one.field.rpartition(".")[0]: one.connection for one in claims if "." in one.field}
    edited = {name: by(editors[at]) for name in known if (at := name.rpartition(".")[0]) in editors}
    state = Values(dict(now), known | edited | dict(sources or {}))
    entity = Entity(1, Kind.CONTACT, 1, before, known | dict(sources or {}))
    keep_addresses(state, entity, claims, named or Named(), policy(*may), NOW)
    return state


def held(state: Values, name: str) -> dict[str, str]:
    value = held_in(name, state.values)
    return next((parts for parts in KNOWN if text(parts) == value), {"?": str(value)}) if value else {}


KNOWN = [
    one | more
    for one in (SEA, RIGHT, HILL)
    for more in ({}, GERMANY, {"region": "SH"}, GERMANY | {"region": "SH"})
]

BOTH = slot(HOME, SEA) | slot(BILLING, SEA) | listed(SEA)
PUT_RIGHT = edits(HOME, {"street": RIGHT["street"]})


# -- put right -------------------------------------------------------------------------------------


def test_an_address_that_is_put_right_in_one_slot_is_put_right_everywhere() -> None:
    kind = attribute("addresses", address_key(text(SEA)), "label")
    state = fitted(BOTH | slot(HOME, RIGHT) | {kind: "Sea"}, BOTH | {kind: "Sea"}, *PUT_RIGHT)
    assert held(state, BILLING) == RIGHT
    assert state.values["addresses"] == [text(RIGHT)]
    assert state.values["former_addresses"] == [text(SEA)]
    (change,) = (one for one in state.changes if one.field == f"{BILLING}.street")
    assert (change.rule, change.source) == ("put right in another place", "one/people/1")
    assert state.sources[f"{BILLING}.street"] == Source("one", "edit", NOW, "one/people/1")
    anew = attribute("addresses", address_key(text(RIGHT)), "label")
    assert state.values[anew] == "Sea"
    assert [one.rule for one in state.changes if one.field == anew] == ["put right"]


def test_a_label_that_the_right_address_has_already_stays() -> None:
    old, new = (attribute("addresses", address_key(text(one)), "label") for one in (SEA, RIGHT))
    state = fitted(BOTH | slot(HOME, RIGHT) | {old: "Sea", new: "Mine"}, BOTH | {old: "Sea"}, *PUT_RIGHT)
    assert state.values[new] == "Mine"


def test_a_slot_that_somebody_else_edits_just_now_does_not_follow() -> None:
    moved = edits(BILLING, HILL, "crm")
    state = fitted(BOTH | slot(HOME, RIGHT) | slot(BILLING, HILL), BOTH, *PUT_RIGHT, *moved)
    assert (held(state, HOME), held(state, BILLING)) == (RIGHT, HILL)
    assert state.values["addresses"] == sorted([text(RIGHT), text(HILL)])


def test_a_pinned_slot_does_not_follow_a_system_and_the_old_address_stays() -> None:
    pin = Source("hub", "hub", NOW, user="ops", pinned=True)
    pinned = dict.fromkeys(slot(BILLING, SEA), pin)
    state = fitted(BOTH | slot(HOME, RIGHT), BOTH, *PUT_RIGHT, sources=pinned)
    assert (held(state, HOME), held(state, BILLING)) == (RIGHT, SEA)
    assert state.values["addresses"] == sorted([text(SEA), text(RIGHT)])
    (lost,) = state.conflicts
    assert (lost.field, lost.lost, lost.lost_source) == (BILLING, text(RIGHT), "one/people/1")


def test_who_may_not_decide_the_list_takes_no_address_out_of_it() -> None:
    stays = fitted(
        BOTH | slot(HOME, RIGHT),
        BOTH,
        *PUT_RIGHT,
        named=Named(listed={"addresses": [text(SEA)]}),
        may=("crm",),
    )
    assert stays.values["addresses"] == sorted([text(SEA), text(RIGHT)])
    goes = fitted(BOTH | slot(HOME, RIGHT), BOTH, *PUT_RIGHT, named=Named(listed={"addresses": [text(SEA)]}))
    assert goes.values["addresses"] == [text(RIGHT)]


def test_one_address_that_is_put_right_in_two_ways_becomes_two() -> None:
    other = SEA | {"street": "Seeweg 12"}
    claims = (*PUT_RIGHT, *edits(BILLING, {"street": "Seeweg 12"}, "crm"))
    state = fitted(BOTH | slot(HOME, RIGHT) | slot(BILLING, other), BOTH, *claims)
    assert state.values["addresses"] == sorted([text(RIGHT), text(other)])


def test_a_part_taken_away_in_one_slot_stays_in_another_that_the_editor_sees_too() -> None:
    """`crm` holds both slots and emptied the postcode of one; `one` holds no other slot."""
    less = {part: value for part, value in SEA.items() if part != "postcode"}
    now = slot(HOME, less) | slot(BILLING, SEA) | listed(SEA)
    seen = fitted(now, BOTH, *edits(HOME, {"postcode": None}, "crm"))
    assert held(seen, BILLING) == SEA
    unseen = fitted(now, BOTH, *edits(HOME, {"postcode": None}, "one"))
    assert held_in(BILLING, unseen.values) == text(less)


# -- another address -------------------------------------------------------------------------------

FULL = SEA | GERMANY


def test_who_moves_somebody_leaves_nothing_of_the_old_address_behind() -> None:
    before = slot(HOME, FULL) | listed(FULL)
    state = fitted(before | slot(HOME, HILL), before, *edits(HOME, HILL))
    assert held(state, HOME) == HILL
    (gone,) = (one for one in state.changes if one.field == f"{HOME}.country")
    assert (gone.new, gone.rule) == (None, "another address")
    assert state.values["addresses"] == [text(HILL)]
    assert state.values["former_addresses"] == [text(FULL)]


def test_an_address_put_right_keeps_the_parts_that_the_editor_cannot_see() -> None:
    before = slot(HOME, FULL) | listed(FULL)
    state = fitted(before | slot(HOME, RIGHT), before, *PUT_RIGHT)
    assert held(state, HOME) == RIGHT | GERMANY
    assert state.values["addresses"] == [text(RIGHT | GERMANY)]


def test_a_person_in_the_hub_sees_every_part() -> None:
    before = slot(HOME, FULL) | listed(FULL)
    typed = [
        Claim(f"{HOME}.{part}", value, "hub", "hub:ops", at=NOW, user="ops", edit_id=1)
        for part, value in HILL.items()
    ]
    own = dict.fromkeys(slot(HOME, FULL), Source("hub", "hub", NOW, user="ops"))
    state = fitted(before | slot(HOME, HILL), before, *typed, sources=own)
    assert held(state, HOME) == HILL | GERMANY


def test_who_puts_in_a_held_address_as_far_as_their_system_shows_it_means_the_whole_of_it() -> None:
    full = HILL | GERMANY
    before = slot(HOME, SEA) | listed(SEA, full)
    state = fitted(before | slot(HOME, HILL), before, *edits(HOME, HILL))
    assert held(state, HOME) == full
    assert [one.rule for one in state.changes if one.field == f"{HOME}.country"] == ["the whole of it"]
    assert text(HILL) not in state.values["addresses"]


def test_of_two_held_addresses_that_a_system_shows_alike_neither_is_meant() -> None:
    before = slot(HOME, SEA) | listed(SEA, HILL | GERMANY, HILL | {"country": "AT"})
    state = fitted(before | slot(HOME, HILL), before, *edits(HOME, HILL))
    assert held(state, HOME) == HILL


# -- whole and in part -----------------------------------------------------------------------------


def shown(*some: Mapping[str, str]) -> Named:
    """Lists that have a place for street, city and postcode only name these."""
    return Named(
        listed={"addresses": [text(one) for one in some]},
        shown={address_key(text(one)): {*PARTS} for one in some},
    )


def test_what_a_list_cannot_say_whole_is_the_address_that_says_it() -> None:
    before = listed(FULL)
    state = fitted(listed(FULL, SEA), before, named=shown(SEA))
    assert state.values["addresses"] == [text(FULL)]
    beside = fitted(listed(FULL, SEA), before, named=Named(listed={"addresses": [text(SEA)]}))
    assert beside.values["addresses"] == sorted([text(FULL), text(SEA)])


def test_a_slot_that_was_first_filled_with_the_short_form_gets_the_whole_of_it() -> None:
    now = listed(FULL, SEA) | slot(BILLING, SEA)
    state = fitted(now, listed(FULL), named=shown(SEA))
    assert (held(state, BILLING), state.values["addresses"]) == (FULL, [text(FULL)])
    edited = fitted(now, listed(FULL), named=shown(SEA), sources=dict.fromkeys(slot(BILLING, SEA), by("crm")))
    assert (held(edited, BILLING), len(edited.values["addresses"])) == (SEA, 2)


def test_out_of_a_pinned_list_no_short_form_goes() -> None:
    pin = {"addresses": Source("hub", "hub", NOW, user="ops", pinned=True)}
    state = fitted(listed(FULL, SEA), listed(FULL, SEA), named=shown(SEA), sources=pin)
    assert state.values["addresses"] == sorted([text(FULL), text(SEA)])


def test_of_several_that_say_more_the_short_form_is_the_one_that_says_all() -> None:
    most = FULL | {"region": "SH"}
    state = fitted(listed(FULL, most, SEA), listed(FULL, most), named=shown(SEA))
    assert text(SEA) not in state.values["addresses"]
    apart = SEA | {"country": "AT"}
    neither = fitted(listed(FULL, apart, SEA), listed(FULL, apart), named=shown(SEA))
    assert text(SEA) in neither.values["addresses"]


@pytest.mark.parametrize(("how", "completed"), [("first", True), ("edit", False)])
def test_a_slot_that_says_a_part_of_the_one_listed_address_says_that_address(
    how: str, completed: bool
) -> None:
    part = {"city": SEA["city"], "postcode": SEA["postcode"]}
    now = slot(HOME, part) | listed(SEA)
    named = Named(listed={"addresses": [text(SEA)]})
    state = fitted(now, listed(SEA), named=named, sources=dict.fromkeys(slot(HOME, part), by("crm", how)))
    assert (held(state, HOME) == SEA) is completed


def test_a_slot_that_says_a_part_of_two_listed_addresses_says_neither() -> None:
    part = {"city": SEA["city"], "postcode": SEA["postcode"]}
    named = Named(listed={"addresses": [text(SEA), text(RIGHT)]})
    state = fitted(slot(HOME, part) | listed(SEA, RIGHT), listed(SEA, RIGHT), named=named)
    assert held_in(HOME, state.values) == text(part)


def test_an_address_that_the_slot_has_just_left_does_not_complete_it() -> None:
    """The street was taken away in the slot; a list that still names it puts it back nowhere."""
    less = {part: value for part, value in SEA.items() if part != "street"}
    before = slot(HOME, SEA) | listed(SEA)
    claims = edits(HOME, {"street": None})
    first = dict.fromkeys(slot(HOME, less), by("crm", "first"))
    named = Named(listed={"addresses": [text(SEA)]})
    state = fitted(slot(HOME, less) | listed(SEA), before, *claims, named=named, sources=first, may=("crm",))
    assert held_in(HOME, state.values) == text(less)


# -- removed from the list -------------------------------------------------------------------------


def removes(one: Mapping[str, str], connection: str = "crm") -> Claim:
    gone = frozenset({text(one)})
    return Claim("addresses", [], connection, f"{connection}/people/1", at=NOW, removed=gone)


def test_an_address_that_leaves_the_list_leaves_its_slot_and_the_next_one_is_the_primary_one() -> None:
    before = slot(HOME, SEA) | slot(BILLING, HILL) | listed(SEA, HILL)
    state = fitted(before | listed(HILL), before, removes(SEA))
    assert (held(state, HOME), held(state, BILLING)) == (HILL, HILL)
    assert state.values["former_addresses"] == [text(SEA)]
    assert {one.rule for one in state.changes if one.field.startswith(f"{HOME}.")} == {
        "removed from addresses"
    }
    assert state.sources[f"{HOME}.street"] == Source("crm", "edit", NOW, "crm/people/1")
    other = fitted(before | listed(SEA), before, removes(HILL))
    assert (held(other, HOME), held(other, BILLING)) == (SEA, {})
    none = fitted(slot(HOME, SEA), slot(HOME, SEA) | listed(SEA), removes(SEA))
    assert (held(none, HOME), none.values.get("addresses")) == ({}, None)


def test_an_address_put_right_in_the_list_is_put_right_in_its_slots() -> None:
    before = slot(HOME, SEA) | slot(BILLING, SEA) | listed(SEA, HILL)
    state = fitted(before | listed(RIGHT, HILL), before, removes(SEA))
    assert (held(state, HOME), held(state, BILLING)) == (RIGHT, RIGHT)
    assert state.values["addresses"] == sorted([text(RIGHT), text(HILL)])


def test_a_slot_of_somebody_who_may_not_be_overruled_keeps_what_left_the_list() -> None:
    pin = dict.fromkeys(slot(HOME, SEA), Source("hub", "hub", NOW, user="ops", pinned=True))
    before = slot(HOME, SEA) | listed(SEA, HILL)
    state = fitted(before | listed(HILL), before, removes(SEA), sources=pin)
    assert held(state, HOME) == SEA
    assert state.values["addresses"] == sorted([text(SEA), text(HILL)])
    assert [one.lost_source for one in state.conflicts] == ["crm/people/1"]


def test_of_an_address_that_is_left_no_part_of_a_held_one_is_remembered() -> None:
    place = {"city": SEA["city"]}
    state = fitted(listed(SEA), listed(SEA) | slot(HOME, place), *edits(HOME, {"city": None}))
    assert state.values["addresses"] == [text(SEA)]
    assert "former_addresses" not in state.values


# -- the families themselves -----------------------------------------------------------------------


def test_each_set_of_addresses_has_its_slots_the_primary_one_first() -> None:
    known = {one.many: one for one in FAMILIES}
    assert {one.primary for one in FAMILIES} == {"email", "phone", "address"}
    assert {one.former for one in FAMILIES} == {f"former_{many}" for many in known}
    assert [many for many, one in known.items() if one.is_postal] == ["addresses"]
    assert {many for many, one in known.items() if one.finds} == {"emails", "phones"}
    assert {"email", "emails", "former_emails"} <= known["emails"].fields
    assert known["emails"].beside == {"emails", "former_emails"}
