"""Consent: what a reading adds to the ledger, whom it is about, and which event decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule
from trueup.model.canonical import Locale
from trueup.model.canonical.subject import email_subject_key, phone_subject_key
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.entity import NEVER, Agreed, Entity, Link
from trueup.model.fields import CONTACT, Kind
from trueup.model.history import Conflict
from trueup.model.plan import Case, Context
from trueup.model.record import Json, Record
from trueup.sync.rules.evidence import Reading, readings
from trueup.sync.rules.ledger import (
    AHEAD,
    PUT_BACK,
    addresses_of,
    deciding,
    events,
    inherited,
    last_words,
    must_change,
    outranking,
    put_back,
    said_again,
    said_by_hand,
    state,
    subjects,
    tells_out,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEEN = NOW - timedelta(hours=2)
OUT, IN, UNKNOWN = ConsentState.OPTED_OUT, ConsentState.OPTED_IN, ConsentState.UNKNOWN
FIELD = "consent.email.marketing"
ANN = "ann@example.com"
REF = "a/people/1"
FLAG = ConsentRule("email", "marketing", "optout")
OBJECT = ConsentRule("email", "marketing", "subscription.news", evidence=("time", "source"))


def mapping(rule: ConsentRule = FLAG) -> Any:
    return compile_mapping(
        "a", rules(fields=("email", "phone", "emails"), consent=(rule,)), CONTACT, Locale()
    )


def link(**more: Any) -> Link:
    given = {"changed_at": SEEN, "seen_at": NOW, "fresh": False} | more
    return Link(1, "a", "people", "1", 1, Kind.CONTACT, **given)


def read(raw: Json, rule: ConsentRule = FLAG, **more: Any) -> Reading:
    """What a record shows of the consent; `agreed` is what it showed when both sides last agreed."""
    known = link(observed={rule.remote: raw}, **more)
    (found,) = (
        one
        for one in readings(known, mapping(rule), Entity(1, Kind.CONTACT, 1, {}, {}), Context())
        if one.binding.consent
    )
    return found


def event(state: ConsentState, minutes: int = 0, **more: Any) -> ConsentEvent:
    given = {"kind": "ref", "subject": REF, "channel": "email", "purpose": "marketing", "source": "a"} | more
    certain = given.pop("certain", True)
    at = NOW + timedelta(minutes=minutes)
    kind, subject, channel, purpose, source = given.values()
    return ConsentEvent(kind, subject, channel, purpose, state, at, certain, source)


def out(kind: str, subject: str, at: datetime = SEEN, certain: bool = False) -> ConsentEvent:
    return ConsentEvent(kind, subject, "email", "marketing", OUT, at, certain, "a")


# -- what a reading adds ---------------------------------------------------------------------------


def test_an_opt_out_is_about_the_record_and_the_addresses_that_it_holds() -> None:
    values = {"email": ANN, "emails": ["Ann@Example.org", ANN], "emails.work": "ann@work.example"}
    assert events([read(True, fresh=True)], values, [], NOW) == [
        out("ref", REF),
        out("address", email_subject_key(ANN)),
        out("address", "ann@work.example"),
        out("address", "ann@example.org"),
    ]


def test_an_opt_out_of_a_record_without_a_stamp_was_when_it_was_read() -> None:
    (told,) = events([read(True, fresh=True, changed_at=None)], {}, [], NOW)
    assert told == out("ref", REF, NOW)


def test_an_opt_out_that_was_known_is_not_told_again() -> None:
    agreed = {"optout": Agreed(OUT.value, True)}
    assert events([read(True, agreed=agreed)], {}, [], NOW) == []
    moved = {"optout": Agreed(UNKNOWN.value, False)}
    assert events([read(True, agreed=moved)], {}, [], NOW) == [out("ref", REF)]


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ([], True),
        ([out("ref", REF)], False),
        ([out("ref", "a/people/2")], True),
        ([replace(out("ref", REF), channel="phone")], True),
        ([event(IN)], True),
    ],
)
def test_an_opt_out_of_which_nobody_ever_heard_is_told_though_it_was_shown_before(
    stored: list[ConsentEvent], told: bool
) -> None:
    shown = read(True, agreed={"optout": Agreed(UNKNOWN.value, True)})
    assert bool(events([shown], {}, stored, NOW)) is told


def test_what_does_not_mean_opted_out_says_nothing() -> None:
    for raw in (False, None, "perhaps"):
        assert events([read(raw, fresh=True)], {"email": ANN}, [], NOW) == []


def subscription(status: str, at: datetime | None = SEEN, source: str = "form", **more: Json) -> Json:
    return {"status": status, "at": at.isoformat() if at else None, "source": source, **more}


def test_an_opt_in_counts_where_it_is_documented_and_only_for_the_address_itself() -> None:
    values = {"email": ANN, "emails": ["ann@example.org"]}
    found = events([read(subscription("SUBSCRIBED"), OBJECT, fresh=True)], values, [], NOW)
    assert found == [
        ConsentEvent(kind, subject, "email", "marketing", IN, SEEN, True, "a", "form")
        for kind, subject in (("ref", REF), ("address", ANN))
    ]


@pytest.mark.parametrize(
    "shown",
    [
        subscription("SUBSCRIBED", None),
        subscription("SUBSCRIBED", source=""),
        subscription("SUBSCRIBED", NOW + 2 * AHEAD),
    ],
)
def test_an_opt_in_without_its_evidence_or_from_times_to_come_counts_for_nothing(shown: Json) -> None:
    assert events([read(shown, OBJECT, fresh=True)], {"email": ANN}, [], NOW) == []


def test_an_opt_in_without_a_time_counts_for_nothing_whatever_the_rule_demands() -> None:
    undemanding = ConsentRule("email", "marketing", "subscription.news", evidence=("source",))
    for rule in (undemanding, OBJECT):
        shown = read(subscription("SUBSCRIBED", None), rule, fresh=True)
        assert events([shown], {"email": ANN}, [], NOW) == []


def test_a_clock_may_be_a_little_ahead() -> None:
    shown = read(subscription("SUBSCRIBED", NOW + AHEAD), OBJECT, fresh=True)
    assert [one.state for one in events([shown], {}, [], NOW)] == [IN]


def test_an_opt_in_is_told_again_because_its_time_may_be_another() -> None:
    shown = subscription("SUBSCRIBED")
    known = read(shown, OBJECT, agreed={"subscription.news": Agreed(IN.value, shown)})
    assert [one.state for one in events([known], {}, [], NOW)] == [IN]
    gone = subscription("UNSUBSCRIBED")
    known = read(gone, OBJECT, agreed={"subscription.news": Agreed(OUT.value, gone)})
    assert events([known], {}, [], NOW) == []


def test_an_opt_out_at_a_further_address_is_about_the_address_and_the_person() -> None:
    elsewhere = [{"address": "Ann@Example.org", "at": SEEN.isoformat()}, {"address": "old@example.org"}]
    shown = subscription("", elsewhere=elsewhere)
    assert events([read(shown, OBJECT, fresh=True)], {}, [], NOW) == [
        out("ref", REF, SEEN, certain=True),
        out("address", "ann@example.org", SEEN, certain=True),
        out("ref", REF, NOW),
        out("address", "old@example.org", NOW),
    ]
    known = read(
        shown, OBJECT, agreed={"subscription.news": Agreed(NEVER, subscription("", elsewhere=elsewhere[:1]))}
    )
    assert [one.subject for one in events([known], {}, [], NOW)] == [REF, "old@example.org"]


def test_a_phone_is_a_subject_by_its_number_and_an_opt_in_is_not_about_the_list() -> None:
    values = {"phones.mobile": "+4915112345678", "phones": ["+493012345"]}
    assert subjects(REF, "sms", values, OUT) == [
        ("ref", REF),
        ("address", phone_subject_key("+4915112345678")),
        ("address", phone_subject_key("+493012345")),
    ]
    assert len(subjects(REF, "sms", values, IN)) == 2
    assert subjects(REF, "pigeon", values, OUT) == [("ref", REF)]


# -- addresses that follow -------------------------------------------------------------------------


def heirs(
    before: dict[str, Any], after: dict[str, Any], *known: ConsentEvent, edited: Any = None
) -> list[str]:
    found = inherited(known or (event(OUT),), before, after, edited or (lambda name: True))
    assert all(
        (one.subject_kind, one.state, one.at) == ("address", OUT, known[0].at if known else NOW)
        for one in found
    )
    return [one.subject for one in found]


def test_an_opt_out_that_may_be_our_own_on_its_way_counts_where_it_came_after_the_opt_in() -> None:
    lifted = [out("ref", "a/people/1"), event(IN, 5, certain=True)]
    before, after = event(OUT, 4), event(OUT, 6)
    assert outranking([before], lifted) == []
    assert outranking([after], lifted) == [after]
    assert outranking([event(OUT, 5)], lifted) == [event(OUT, 5)]
    assert outranking([event(IN, 6)], lifted) == []


def test_an_opt_out_that_may_be_our_own_says_nothing_new_where_the_person_is_opted_out() -> None:
    after = event(OUT, 6)
    assert outranking([after], []) == []
    assert outranking([after], [event(OUT, 1)]) == []
    assert outranking([after], [event(IN, 1, certain=True), event(OUT, 2)]) == []


def test_an_address_that_takes_the_place_of_another_or_of_none_inherits_the_opt_out() -> None:
    new = "new@example.com"
    assert heirs({"email": ANN}, {"email": new}) == [new]
    assert heirs({}, {"email": new}) == [new]
    assert heirs({"emails": [ANN, "b@b.de"]}, {"emails": ["b@b.de", "z@b.de", new]}) == [new, "z@b.de"]


def test_an_address_beside_others_inherits_nothing_nor_does_one_of_another_channel() -> None:
    assert heirs({"email": ANN}, {"email": ANN, "emails.work": "new@example.com"}) == []
    assert heirs({"email": ANN}, {"email": ANN, "phone": "+493012345"}) == []
    assert heirs({"phone": "+493012345"}, {"phone": "+493099999"}) == []
    assert heirs({"phone": "+493012345"}, {"phone": "+493012345", "email": "new@example.com"}) == [
        "new@example.com"
    ]


def test_what_nobody_edited_inherits_nothing() -> None:
    before, after = (
        {"email": ANN, "emails.work": "w@b.de"},
        {"email": "new@example.com", "emails.work": "v@b.de"},
    )
    assert heirs(before, after, edited=lambda name: name == "emails.work") == ["v@b.de"]
    assert heirs({}, after, edited=lambda name: name == "email") == ["new@example.com"]


def test_an_address_that_opted_out_itself_inherits_nothing_and_nor_does_one_after_an_opt_in() -> None:
    known = event(OUT), event(OUT, kind="address", subject="new@example.com")
    assert heirs({"email": ANN}, {"email": "new@example.com"}, *known) == []
    assert heirs({"email": ANN}, {"email": "new@example.com"}, event(OUT), event(IN, 1)) == []
    other = event(OUT, purpose="events", kind="address", subject="new@example.com")
    assert heirs({"email": ANN}, {"email": "new@example.com"}, event(OUT), other) == ["new@example.com"]


def test_the_last_of_several_opt_outs_is_inherited() -> None:
    known = event(OUT, 1), event(OUT), event(UNKNOWN, 5), event(OUT, 9, purpose="events", channel="phone")
    assert heirs({"email": ANN}, {"email": "new@example.com"}, *known) == ["new@example.com"]


def test_the_addresses_of_a_channel() -> None:
    values = {"email": "ANN@example.com", "emails": ["b@b.de"], "emails.home": None, "phone": "+493012345"}
    assert addresses_of("email", values) == {ANN, "b@b.de"}
    assert addresses_of("phone", values) == {phone_subject_key("+493012345")}
    assert addresses_of("pigeon", values) == set()


# -- by hand, and last words ---------------------------------------------------------------


def test_what_somebody_tells_is_about_all_records_and_addresses_and_after_every_opt_in() -> None:
    wanted = Link(2, "b", "people", None, 1, Kind.CONTACT)
    entity = Entity(1, Kind.CONTACT, 1, {"emails": ["b@b.de"], "email": ANN}, {})
    known = (event(IN, 30), event(OUT, 60), event(IN, 90, purpose="events"), event(IN, 90, channel="phone"))
    case = Case(entity, (link(), wanted), consent=known)
    told = said_by_hand(case, ("email", "marketing"), OUT, "ops", "by phone", NOW)
    later = NOW + timedelta(minutes=30)
    assert told == [
        ConsentEvent(kind, subject, "email", "marketing", OUT, later, True, "hub:ops", "by phone")
        for kind, subject in (("ref", REF), ("address", ANN), ("address", "b@b.de"))
    ]
    assert {
        one.at for one in said_by_hand(replace(case, consent=()), ("email", "marketing"), IN, "ops", "", NOW)
    } == {NOW}


def test_the_last_words_of_a_record_are_the_opt_outs_that_nobody_decided_on() -> None:
    shown = Record("1", {"optout": True, "email": ANN}, "2", SEEN)
    assert last_words(mapping(), shown, None, NOW) == [out("ref", REF), out("address", ANN)]
    assert last_words(mapping(), shown, link(fresh=True), NOW) == [out("ref", REF), out("address", ANN)]
    assert last_words(mapping(), shown, link(observed={"optout": True}), NOW) == []
    assert last_words(mapping(), shown, link(observed={"optout": False}), NOW) == [
        out("ref", REF),
        out("address", ANN),
    ]
    undecided = link(observed={"optout": True}, base={"optout": False})
    silent = Record("1", {}, "2", None)
    assert last_words(mapping(), silent, undecided, NOW) == [out("ref", REF, NOW)]
    assert last_words(mapping(), Record("1", {"optout": False}, "2", SEEN), link(), NOW) == []


def test_an_opt_out_that_was_taken_back_and_said_again_since_the_last_decision_is_heard() -> None:
    shown = Record("1", {"optout": True, "email": ANN}, "3", SEEN)
    between = link(observed={"optout": False}, base={"optout": True})
    assert said_again(mapping(), shown, between, NOW) == [out("ref", REF), out("address", ANN)]
    assert said_again(mapping(), shown, link(observed={"optout": True}), NOW) == []
    assert said_again(mapping(), shown, link(observed={"optout": False}), NOW) == []
    assert said_again(mapping(), Record("1", {"optout": False}, "3", SEEN), between, NOW) == []
    assert said_again(mapping(), Record("1", {"email": ANN}, "3", SEEN), between, NOW) == []
    assert said_again(mapping(), shown, replace(between, fresh=True), NOW) == []


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (None, False)])
def test_whether_a_record_tells_of_an_opt_out(value: object, expected: bool) -> None:
    record = Record("1", {"email": ANN} if value is None else {"optout": value}, "3", SEEN)
    assert tells_out(mapping(), record) is expected


# -- the state -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "expected", "by"),
    [
        ([], UNKNOWN, None),
        ([event(OUT)], OUT, 0),
        ([event(IN)], IN, 0),
        ([event(IN, certain=False)], UNKNOWN, None),
        ([event(OUT), event(IN, 1)], IN, 1),
        ([event(OUT), event(IN)], OUT, 0),
        ([event(OUT, 1), event(IN)], OUT, 0),
        ([event(OUT), event(IN, 1, certain=False)], OUT, 0),
        ([event(IN), event(IN, 2), event(IN, 1)], IN, 1),
        ([event(OUT, 2), event(OUT, 1)], OUT, 1),
        ([event(OUT, 0), event(IN, 1), event(OUT, 3), event(OUT, 2)], OUT, 3),
        ([event(OUT, 0), event(IN, 1), event(OUT, 1)], OUT, 2),
        ([event(OUT, kind="address", subject=ANN), event(OUT)], OUT, 1),
        ([event(OUT, subject="b/people/2"), event(OUT)], OUT, 1),
        ([event(IN, kind="address", subject=ANN), event(IN)], IN, 1),
        ([event(OUT, purpose="events"), event(OUT, channel="phone")], UNKNOWN, None),
        ([event(OUT, purpose="events"), event(IN, channel="phone"), event(IN)], IN, 2),
    ],
)
def test_the_state_and_the_event_that_gives_it(
    known: list[ConsentEvent], expected: ConsentState, by: int | None
) -> None:
    assert state(known, "email", "marketing") is expected
    assert deciding(known, "email", "marketing") == (None if by is None else known[by])


def test_what_has_to_be_written() -> None:
    assert [must_change(OUT, shown) for shown in (OUT, UNKNOWN, IN, None)] == [False, True, True, True]
    assert [must_change(IN, shown) for shown in (OUT, UNKNOWN, IN, None)] == [True, False, False, False]
    assert [must_change(UNKNOWN, shown) for shown in (OUT, UNKNOWN, None)] == [False, False, False]


# -- opt-outs that somebody took away ------------------------------------------------------------


def test_an_opt_out_that_was_taken_away_and_stands_is_a_conflict_of_whoever_took_it() -> None:
    taken = read(False, agreed={"optout": Agreed(OUT.value, True)})
    standing = event(OUT, subject="b/people/2", source="b")
    lost = Conflict(FIELD, UNKNOWN.value, REF, OUT.value, "b/people/2", PUT_BACK)
    assert list(put_back([taken], [standing])) == [lost]
    other = read(False)
    other = replace(other, binding=replace(other.binding, consent=None))
    assert list(put_back([other, taken], [standing])) == [lost]


def test_no_conflict_where_nothing_was_taken_or_nothing_stands() -> None:
    taken = read(False, agreed={"optout": Agreed(OUT.value, True)})
    for known in ([], [event(OUT), event(IN, 1)]):
        assert list(put_back([taken], known)) == []
    for shown in (
        read(True, agreed={"optout": Agreed(OUT.value, True)}),
        read(False, agreed={"optout": Agreed(UNKNOWN.value, False)}),
        read(False, fresh=True),
    ):
        assert list(put_back([shown], [event(OUT)])) == []
