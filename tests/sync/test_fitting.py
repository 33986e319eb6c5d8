"""How e-mails, phones and their kinds come to fit each other: every field, its source and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trueup.model.entity import WAS_ABSENT, Entity, Link, Source
from trueup.model.fields import CONTACT, Kind
from trueup.model.history import Change, Conflict
from trueup.model.values import Value
from trueup.sync.rules.addresses import FOLLOWS, Named, keep_addresses, keys_now, keys_of
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.kinds import FILLED, GONE, MOVED, STANDS, name_slots
from trueup.sync.rules.policy import FieldPolicy, Policy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB, CAT = "ann@x.de", "bob@x.de", "cat@x.de"
RULE = Source("rule", "rule", NOW)
POLICY = Policy(
    fields=lambda kind, name: FieldPolicy(CONTACT[name.split("[")[0]].strategy, lambda stage: ("a", "b"))
)


def source(connection: str = "a", how: str = "edit") -> Source:
    return Source(connection, how, NOW - timedelta(1), f"{connection}/people/1")


def entity(values: Mapping[str, Value], sources: Mapping[str, Source] | None = None) -> Entity:
    return Entity(1, Kind.CONTACT, 1, values, sources or {})


def kept(
    now: Mapping[str, Value],
    before: Mapping[str, Value],
    *claims: Claim,
    sources: Mapping[str, Source] | None = None,
    named: Named | None = None,
    were: Mapping[str, Source] | None = None,
    changes: list[Change] | None = None,
) -> Values:
    """`now`: what was judged field by field; `before`: what was held until then."""
    state = Values(dict(now), dict(sources or {}), list(changes or []))
    keep_addresses(state, entity(before, were), claims, named or Named(), POLICY, NOW)
    return state


def removes(one: str, connection: str = "a", **more: object) -> Claim:
    said = {"removed": frozenset({one})} | more
    return Claim("emails", [], connection, f"{connection}/people/1", at=NOW, **said)  # type: ignore[arg-type]


def told(state: Values) -> list[tuple[str, Value, str]]:
    return [(one.field, one.new, one.rule) for one in state.changes]


# -- the set and its slots -----------------------------------------------------------------------------


def test_the_set_of_a_new_contact_is_made_of_its_slots() -> None:
    state = kept({"email": BOB, "emails.work": ANN}, {})
    assert state.values == {"email": BOB, "emails.work": ANN, "emails": [ANN, BOB]}
    assert state.sources == {"emails": RULE}
    assert state.changes == [Change("emails", None, [ANN, BOB], "rule", FOLLOWS)]
    assert kept({"job_title": "CTO"}, {}).changes == []


def test_one_address_in_two_slots_and_two_spellings_is_one_element() -> None:
    assert kept({"email": "Ann@X.de", "emails.work": ANN}, {}).values["emails"] == [ANN]


def test_an_address_that_leaves_its_slot_is_former_unless_a_record_still_lists_it() -> None:
    state = kept({"email": BOB, "emails": [ANN]}, {"email": ANN, "emails": [ANN]})
    assert state.values == {"email": BOB, "emails": [BOB], "former_emails": [ANN]}
    assert state.sources == {"emails": RULE, "former_emails": RULE}
    assert told(state) == [("emails", [BOB], FOLLOWS), ("former_emails", [ANN], "held no more")]
    listed = kept(
        {"email": BOB, "emails": [ANN]},
        {"email": ANN, "emails": [ANN]},
        named=Named(listed={"emails": [ANN]}),
    )
    assert listed.values == {"email": BOB, "emails": [ANN, BOB]}


def test_what_is_held_again_is_former_no_more() -> None:
    before = {"email": BOB, "emails": [BOB], "former_emails": [ANN]}
    state = kept({**before, "email": ANN}, before)
    assert state.values == {"email": ANN, "emails": [ANN], "former_emails": [BOB]}
    alone = {"emails": [BOB], "former_emails": [ANN]}
    assert kept({**alone, "email": ANN}, alone).values == {"email": ANN, "emails": [ANN, BOB]}


def test_what_a_record_names_and_the_contact_does_not_hold_is_former() -> None:
    held = {"email": ANN, "emails": [ANN]}
    for named in (Named(listed={"emails": [ANN, BOB]}), Named(slotted={"emails": [BOB]})):
        assert kept(held, held, named=named).values == {**held, "former_emails": [BOB]}
    unheld = kept({}, {}, named=Named(slotted={"emails": [BOB]}))
    assert unheld.values == {"former_emails": [BOB]}


def test_a_pinned_set_loses_nothing_and_gets_what_stands_in_slots() -> None:
    pin = Source("hub", "hub", NOW, user="ops", pinned=True)
    before = {"email": ANN, "emails": [ANN]}
    state = kept({"email": BOB, "emails": [ANN]}, before, sources={"emails": pin})
    assert state.values == {"email": BOB, "emails": [ANN, BOB]}
    assert state.sources == {"emails": pin}
    emptied = kept({"email": ANN}, {}, sources={"emails": pin})
    assert emptied.values == {"email": ANN, "emails": [ANN]}
    assert emptied.sources == {"emails": pin}


# -- what is removed from the set --------------------------------------------------------------------------

BOTH = {"email": ANN, "emails": [ANN, BOB]}


def test_what_is_removed_from_the_set_leaves_its_slot_and_another_takes_the_first_place() -> None:
    claim = removes(ANN)
    state = kept({**BOTH, "emails": [BOB]}, BOTH, claim, sources={"email": source("b")})
    assert state.values == {"email": BOB, "emails": [BOB], "former_emails": [ANN]}
    assert state.sources["email"] == Source("a", "edit", NOW, "a/people/1")
    assert told(state)[0] == ("email", BOB, "removed from emails")
    assert state.conflicts == []


def test_the_heir_of_the_first_place_is_who_stands_in_a_slot_by_kind() -> None:
    before = {"email": ANN, "emails.home": CAT, "emails": [ANN, BOB, CAT]}
    state = kept({**before, "emails": [BOB, CAT]}, before, removes(ANN))
    assert (state.values["email"], state.values["emails.home"]) == (CAT, CAT)


def test_a_slot_by_kind_has_no_heir() -> None:
    before = {"email": ANN, "emails.work": BOB, "emails": [ANN, BOB]}
    state = kept({**before, "emails": [ANN]}, before, removes(BOB))
    assert state.values == {"email": ANN, "emails": [ANN], "former_emails": [BOB]}


def test_who_may_not_decide_the_slot_empties_it_not_and_hears_that_they_lost() -> None:
    stranger = removes(ANN, "z")
    state = kept({**BOTH, "emails": [BOB]}, BOTH, stranger, sources={"email": source("b")})
    assert state.values == BOTH
    (lost,) = state.conflicts
    assert isinstance(lost, Conflict)
    assert (lost.lost_source, lost.kept_source) == ("z/people/1", "b/people/1")


@pytest.mark.parametrize(
    "claim", [removes(ANN, first=True), removes(BOB), replace(removes(ANN), field="phones")]
)
def test_who_did_not_remove_it_empties_no_slot(claim: Claim) -> None:
    assert kept({**BOTH, "emails": [BOB]}, BOTH, claim).values == BOTH


def test_an_address_that_was_put_into_its_slot_just_now_stays() -> None:
    before = {"email": BOB, "emails": [ANN, BOB]}
    state = kept({"email": ANN, "emails": [BOB]}, before, removes(ANN))
    assert (state.values["email"], ANN in state.values["emails"]) == (ANN, True)


# -- match keys --------------------------------------------------------------------------------------------


def link(**more: object) -> Link:
    return Link(1, "a", "people", "1", 1, Kind.CONTACT, **({"fresh": False} | more))  # type: ignore[arg-type]


def test_the_keys_of_a_record_stay_until_it_moves_or_what_it_carries_does() -> None:
    one, two = entity({"emails": [ANN]}), entity({"emails": [ANN, BOB], "former_emails": [CAT]})
    held = {"email": ANN}
    assert keys_of(link(), held, one, one, True) is None
    assert keys_of(link(), held, one, two, False) is None
    carried = keys_of(link(), held, one, two, True)
    assert carried is not None
    assert {key for name, key in carried if name == "email"} == {ANN, BOB, CAT}
    own = keys_of(link(fresh=True), held, one, two, False)
    assert (
        own == keys_of(link(base={"email": WAS_ABSENT}), held, one, two, False) == keys_now(held, two, False)
    )
    assert own is not None
    assert {key for name, key in own if name == "email"} == {ANN}
    assert keys_now(held, two, True) == carried
    firm = replace(two, kind=Kind.COMPANY)
    assert keys_now({"name": "Acme"}, firm, True) == keys_now({"name": "Acme"}, firm, False)
    assert keys_now({"name": "Acme"}, firm, True)


def test_what_a_record_carries_of_its_contact_is_keyed_by_its_own_name_else_the_contacts() -> None:
    """A phone number is a key only together with a name."""
    number = "+4930123456"
    known = entity({"phones": [number], "first_name": "Ann", "last_name": "Lee"})
    by_contact = keys_now({"email": ANN}, known, True)
    by_record = keys_now({"email": ANN, "first_name": "Eva", "last_name": "Roe"}, known, True)
    named = [{key for kind, key in keys if kind == "phone+name"} for keys in (by_contact, by_record)]
    assert named[0] and named[1] and named[0].isdisjoint(named[1])


def test_a_record_carries_numbers_and_mails_but_no_postal_address() -> None:
    place = '{"city":"Kiel"}'
    without = entity({"emails": [ANN, BOB]})
    beside = entity({"emails": [ANN, BOB], "addresses": [place], "former_addresses": [place]})
    assert keys_now({"email": ANN}, without, True) == keys_now({"email": ANN}, beside, True)
    one, moved = entity({"emails": [ANN]}), entity({"emails": [ANN], "addresses": [place]})
    assert keys_of(link(), {"email": CAT}, one, moved, True) is None


# -- kinds -------------------------------------------------------------------------------------------------

WORK = f"emails[{ANN}].kind"


def described(now: Mapping[str, Value], before: Mapping[str, Value], **more: object) -> Values:
    return kept(now, before, named=Named(described={"emails"}), **more)  # type: ignore[arg-type]


def test_what_stands_in_a_slot_is_of_its_kind_unless_something_else_is_known() -> None:
    state = Values(
        {"emails.work": ANN, "emails.home": BOB, f"emails[{BOB}].kind": "other"},
        {"emails.work": source(), "emails.home": source("b")},
    )
    name_slots(state, {"emails"})
    assert state.values[WORK] == "work"
    assert state.sources[WORK] == source()
    assert state.changes == [Change(WORK, None, "work", "a/people/1", f"{STANDS} emails.work")]
    nobody = Values({"emails.work": ANN}, {})
    name_slots(nobody, {"emails"})
    assert nobody.changes == []


def test_an_empty_slot_gets_the_first_of_its_kind_and_the_primary_one_before_all() -> None:
    kinds = {f"emails[{one}].kind": "work" for one in (ANN, BOB, CAT)}
    held = {"emails": [ANN, BOB, CAT], **kinds}
    sources = {name: source(how="first") for name in kinds}
    state = described(held, held, sources=sources)
    assert state.values["emails.work"] == ANN
    assert state.sources["emails.work"] == source(how="first")
    assert told(state) == [("emails.work", ANN, FILLED)]
    primary = {**held, "email": CAT}
    assert described(primary, primary, sources=sources).values["emails.work"] == CAT
    unsaid = described(held, held)
    assert unsaid.sources["emails.work"] == RULE
    pinned = {**sources, "emails.work": Source("hub", "hub", NOW, pinned=True)}
    assert "emails.work" not in described(held, held, sources=pinned).values


def test_who_puts_an_address_into_a_slot_says_its_kind() -> None:
    before = {"emails": [ANN], WORK: "home"}
    now = {**before, "emails.work": ANN}
    state = described(now, before, sources={"emails.work": source(), WORK: source("b")})
    assert state.values[WORK] == "work"
    assert state.sources[WORK] == source()
    assert (WORK, "work", f"{STANDS} emails.work") in told(state)
    first = described(now, before, sources={"emails.work": source(how="first"), WORK: source("b")})
    assert first.values[WORK] == "home"
    weaker = {"emails.work": source("b", "first"), WORK: source("a", "first")}
    assert described(now, before, sources=weaker).values[WORK] == "home"
    stronger = {"emails.work": source("a", "first"), WORK: source("b", "first")}
    assert described(now, before, sources=stronger).values[WORK] == "work"


def test_who_says_another_kind_takes_an_address_out_of_its_slot() -> None:
    before = {"emails": [ANN], "emails.work": ANN, WORK: "work"}
    now = {**before, WORK: "home"}
    state = described(now, before, sources={"emails.work": source("b"), WORK: source()})
    assert "emails.work" not in state.values
    assert state.values["emails.home"] == ANN
    assert ("emails.work", None, MOVED) in told(state)
    assert state.sources["emails.work"] == source()
    seen = described(now, before, sources={"emails.work": source("b"), WORK: source(how="first")})
    assert seen.values["emails.work"] == ANN
    pin = Source("hub", "hub", NOW, pinned=True)
    assert described(now, before, sources={"emails.work": pin, WORK: source()}).values["emails.work"] == ANN
    unmoved = {**before, WORK: "home"}
    assert (
        described(now, unmoved, sources={"emails.work": source("b"), WORK: source()}).values["emails.work"]
        == ANN
    )


def test_what_is_cleared_from_its_slot_is_of_that_kind_no_more() -> None:
    before = {"emails": [ANN], "emails.work": ANN, WORK: "work"}
    now = {"emails": [ANN], WORK: "work"}
    state = kept(now, before, named=Named(listed={"emails": [ANN]}, described={"emails"}))
    assert state.values == {"emails": [ANN]}
    assert (WORK, None, "cleared from emails.work") in told(state)
    assert state.sources[WORK] == RULE


def test_an_address_that_is_held_no_more_has_no_kind() -> None:
    before = {"email": ANN, "emails": [ANN], WORK: "other", "phones[+4930].kind": "home"}
    state = kept({**before, "email": BOB}, before)
    assert WORK not in state.values
    assert (WORK, None, GONE) in told(state)
    assert state.sources[WORK] == RULE
