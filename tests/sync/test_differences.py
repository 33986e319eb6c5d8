"""The agreement table: from what a record shows, what was agreed and what the hub holds to what is written,
left, withheld or remembered. And the plan of writes that follows, whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sync.small_hub import Always, rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, Direction, FieldRule, Refusal, Shape
from trueup.model.canonical import Locale
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.delivery import Effect, Lane, WriteKind
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Entity, Link, LinkState, Reference
from trueup.model.fields import CONTACT, Kind
from trueup.model.plan import Case, Context, Plan
from trueup.model.record import Json, Ref
from trueup.model.values import Value
from trueup.sync.rules.aside import refused
from trueup.sync.rules.differences import Draft, addressed, alike, compare, is_held, wanted
from trueup.sync.rules.evidence import Reading, readings
from trueup.sync.rules.policy import FieldPolicy, Policy
from trueup.sync.rules.reconcile import elect, reconcile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEEN = NOW - timedelta(hours=2)
OUT = ConsentState.OPTED_OUT.value
TITLE = FieldRule("job_title", "title")
CONTEXT = Context(
    references={"u-9": Reference("u-9", {}, {("a", "users"): "77"})},
    remote={Ref("a", "users", "77"): "u-9"},
)


def link(observed: dict[str, Json] | None = None, **more: Any) -> Link:
    given = {"fresh": False, "changed_at": SEEN, "seen_at": NOW} | more
    return Link(1, "a", "people", "1", 1, Kind.CONTACT, observed=observed or {}, **given)


def reading(rule: FieldRule | ConsentRule, known: Link, values: dict[str, Value] | None = None) -> Reading:
    """The one reading of a record by this rule. `values`: what the hub held before."""
    said = rules(fields=(), consent=(rule,)) if isinstance(rule, ConsentRule) else rules(fields=(rule,))
    mapping = compile_mapping("a", said, CONTACT, Locale())
    (one,) = readings(known, mapping, Entity(1, Kind.CONTACT, 1, values or {}, {}), CONTEXT)
    return one


def drafted(
    rule: FieldRule | ConsentRule,
    known: Link,
    hub: dict[str, Value],
    before: dict[str, Value] | None = None,
    released: bool = True,
    draft: Draft | None = None,
) -> Draft:
    """`hub`: what it holds after the decision; `before`: until then."""
    made = draft or Draft()
    compare(reading(rule, known, hub if before is None else before), hub, CONTEXT, made, released, NOW)
    return made


def told(differences: list[Any]) -> list[tuple[Json, Value, Effect, Json]]:
    return [(one.value, one.hub, one.effect, one.replaced) for one in differences]


# -- both sides are known --------------------------------------------------------------------------

CTO, BOSS = {"job_title": "CTO"}, {"job_title": "Boss"}


def test_where_both_sides_hold_the_same_nothing_is_written_or_remembered() -> None:
    draft = drafted(TITLE, link({"title": "CTO"}), CTO)
    assert draft == Draft()
    assert drafted(TITLE, link({"title": " CTO "}), CTO) == Draft()


def test_what_moved_in_the_hub_is_written_and_the_agreement_waits_for_it() -> None:
    draft = drafted(TITLE, link({"title": "CTO"}), BOSS, before=CTO)
    assert told(draft.ordinary) == [("Boss", "Boss", Effect.REPLACE, "CTO")]
    assert draft.agreed == {"title": Agreed("CTO", "CTO")}
    assert (draft.withheld, draft.newly_withheld, draft.urgent) == (0, [], [])


def test_what_moved_in_the_system_and_lost_is_written_back() -> None:
    moved = link({"title": "New"}, base={"title": "CTO"})
    draft = drafted(TITLE, moved, CTO)
    assert told(draft.ordinary) == [("CTO", "CTO", Effect.REPLACE, "New")]
    assert draft.agreed == {"title": Agreed(NEVER, "New")}


def test_what_moved_in_the_system_and_lost_is_left_where_the_rule_says_so() -> None:
    moved = link({"title": "New"}, base={"title": "CTO"})
    leave = replace(TITLE, refused=Refusal.LEAVE)
    draft = drafted(leave, moved, CTO)
    assert (draft.ordinary, draft.agreed) == ([], {"title": Agreed("CTO", "New", left=True)})
    both = drafted(leave, moved, BOSS, before=CTO)
    assert told(both.ordinary) == [("Boss", "Boss", Effect.REPLACE, "New")]


def test_what_was_left_where_the_hub_held_nothing_goes_once_a_person_keeps_it_empty() -> None:
    left = link({"title": "New"}, agreed={"title": Agreed(None, "New")})
    assert drafted(TITLE, left, {}).ordinary == []
    kept = drafted(TITLE, left, {}, draft=Draft(frozenset({"job_title"})))
    assert kept.ordinary == []  # it was told of that before
    now = drafted(TITLE, left, {}, draft=Draft(frozenset({"job_title"}), frozenset({"job_title"})))
    assert told(now.ordinary) == [(None, None, Effect.CLEAR, "New")]
    assert now.agreed == {"title": Agreed(NEVER, "New")}  # until it is done, whatever is decided between


def test_what_was_left_stays_left_until_the_hub_moves() -> None:
    left = link({"title": "New"}, agreed={"title": Agreed("CTO", "New", left=True)})
    draft = drafted(TITLE, left, CTO)
    assert (draft.ordinary, draft.agreed) == ([], {"title": Agreed("CTO", "New", left=True)})
    assert told(drafted(TITLE, left, BOSS).ordinary) == [("Boss", "Boss", Effect.REPLACE, "New")]


def test_what_was_never_written_is_written_and_what_is_agreed_stays() -> None:
    never = link({"title": "Old"}, agreed={"title": Agreed(NEVER, "Old")})
    assert told(drafted(TITLE, never, CTO).ordinary) == [("CTO", "CTO", Effect.REPLACE, "Old")]
    form = link({"title": "C.T.O."}, agreed={"title": Agreed("CTO", "C.T.O.")})
    draft = drafted(TITLE, form, CTO)
    assert (draft.ordinary, draft.agreed) == ([], {"title": Agreed("CTO", "C.T.O.")})


def test_what_the_hub_emptied_is_cleared_there() -> None:
    draft = drafted(TITLE, link({"title": "CTO"}), {}, before=CTO)
    assert told(draft.ordinary) == [(None, None, Effect.CLEAR, "CTO")]


def test_what_was_lost_once_is_remembered_until_something_else_stands_there() -> None:
    lost = {"title": Agreed("CTO", "CTO", lost="Boss")}
    draft = drafted(TITLE, link({"title": "CTO"}, agreed=lost), BOSS)
    assert draft.agreed["title"].lost == "Boss"
    moved = drafted(TITLE, link({"title": "New"}, agreed=lost), BOSS)
    assert moved.agreed["title"] == Agreed(NEVER, "New")


# -- before a release ------------------------------------------------------------------------------


def test_before_a_release_nothing_is_replaced_but_told_once() -> None:
    known = link({"title": "CTO"})
    draft = drafted(TITLE, known, BOSS, before=CTO, released=False)
    assert (draft.ordinary, draft.withheld) == ([], 1)
    assert told(draft.newly_withheld) == [("Boss", "Boss", Effect.REPLACE, "CTO")]
    assert draft.agreed == {"title": Agreed(NEVER, "CTO", withheld=True)}
    again = replace(known, agreed=draft.agreed)
    known_draft = drafted(TITLE, again, BOSS, released=False)
    assert (known_draft.withheld, known_draft.newly_withheld) == (1, [])
    anew = drafted(TITLE, again, BOSS, released=False, draft=Draft(anew=True))
    assert len(anew.newly_withheld) == 1
    assert told(drafted(TITLE, again, BOSS).ordinary) == [("Boss", "Boss", Effect.REPLACE, "CTO")]


def test_before_a_release_an_empty_field_is_filled() -> None:
    draft = drafted(TITLE, link({"title": None}), BOSS, before={}, released=False)
    assert told(draft.ordinary) == [("Boss", "Boss", Effect.FILL, None)]


# -- a first sight ---------------------------------------------------------------------------------


def test_at_a_first_sight_the_hubs_value_goes_there_and_an_empty_one_never() -> None:
    new = link({"title": "Old"}, fresh=True)
    assert told(drafted(TITLE, new, CTO).ordinary) == [("CTO", "CTO", Effect.REPLACE, "Old")]
    draft = drafted(TITLE, new, {})
    assert (draft.ordinary, draft.agreed) == ([], {"title": Agreed(None, "Old", left=True)})
    assert drafted(TITLE, link({"title": None}, fresh=True), {}) == Draft()


def test_at_a_first_sight_what_was_cleared_in_this_decision_or_pinned_empty_goes_there_too() -> None:
    new = link({"title": "cto"}, fresh=True)
    pinned = Draft(kept_empty=frozenset({"job_title"}))
    assert told(drafted(TITLE, new, {}, draft=pinned).ordinary) == [(None, None, Effect.CLEAR, "cto")]
    same = link({"title": "CTO"}, fresh=True)
    assert told(drafted(TITLE, same, {}, before=CTO).ordinary) == [(None, None, Effect.CLEAR, "CTO")]
    assert drafted(TITLE, new, {}, before=BOSS).ordinary == []


def test_a_mapping_that_is_new_fills_nothing_by_itself() -> None:
    first = link({"title": None}, base={"title": WAS_ABSENT})
    assert drafted(TITLE, first, CTO).ordinary == []
    assert told(drafted(TITLE, first, BOSS, before=CTO).ordinary) == [("Boss", "Boss", Effect.FILL, None)]


# -- ways that are closed --------------------------------------------------------------------------


def test_what_is_only_read_is_left_and_what_is_only_made_is_left_after() -> None:
    moved = link({"title": "New"}, base={"title": "CTO"})
    for rule in (replace(TITLE, direction=Direction.IN), replace(TITLE, create_only=True)):
        draft = drafted(rule, moved, CTO)
        assert (draft.ordinary, draft.agreed) == ([], {"title": Agreed("CTO", "New", left=True)})


def test_what_nobody_can_read_is_set_aside_and_stays_news() -> None:
    rule = FieldRule("birthday", "born")
    broken = link({"born": "soon"}, base={"born": "1990-01-02"})
    draft = drafted(rule, broken, {"birthday": "1990-01-02"})
    assert draft.agreed == {"born": Agreed("1990-01-02", "1990-01-02")}
    assert draft.quarantine["born"].direction == "in"
    assert draft.quarantine["born"].since == NOW
    assert draft.ordinary == []
    new = drafted(rule, link({"born": "soon"}, fresh=True), {})
    assert new.agreed == {"born": Agreed(NEVER, WAS_ABSENT)}


def test_what_a_person_typed_since_is_written_over_what_nobody_can_read() -> None:
    rule = FieldRule("birthday", "born")
    broken = link({"born": "soon"}, base={"born": "1990-01-02"})
    hub: dict[str, Value] = {"birthday": "1991-01-01"}
    for typed, written in ((NOW + timedelta(1), True), (NOW, False), (SEEN, False)):
        draft = drafted(rule, broken, hub, draft=Draft(typed={"birthday": typed}))
        assert bool(draft.ordinary) is written
    late = Draft(typed={"birthday": NOW + timedelta(1)})
    assert told(drafted(rule, broken, hub, draft=late).ordinary) == [
        ("1991-01-01", "1991-01-01", Effect.REPLACE, "soon")
    ]


def test_what_the_field_cannot_hold_is_set_aside_and_the_agreement_stays() -> None:
    rule = FieldRule("stage", "status", values={"lead": ("Lead",)})
    draft = drafted(rule, link({"status": "Lead"}), {"stage": "customer"}, before={"stage": "lead"})
    assert draft.quarantine["status"].direction == "out"
    assert (draft.ordinary, draft.agreed) == ([], {"status": Agreed("lead", "Lead")})


# -- references ------------------------------------------------------------------------------------

OWNER = FieldRule("owner", "boss", to="users")


def test_a_reference_goes_out_as_the_id_over_there_and_waits_for_whom_it_names() -> None:
    draft = drafted(OWNER, link({"boss": None}), {"owner": "u-9"}, before={})
    assert told(draft.ordinary) == [("77", "u-9", Effect.FILL, None)]
    waits = drafted(OWNER, link({"boss": None}), {"owner": "u-404"}, before={})
    assert (waits.ordinary, waits.waits) == ([], ["u-404"])
    assert waits.agreed == {"boss": Agreed(None, None)}
    binding = reading(OWNER, link()).binding
    assert wanted(binding, link(), {}, CONTEXT) is None


def test_a_reference_that_was_refused_goes_out_once_another_record_stands_for_whom_it_names() -> None:
    known = link({"boss": None}, agreed={"boss": Agreed(None, None)})
    owner = reading(OWNER, known).binding
    for id, written in (("77", []), ("76", [("77", "u-9", Effect.FILL, None)])):
        no = refused(owner, "u-9", id, "no", "TU-REF-001", SEEN)
        assert (
            told(drafted(OWNER, replace(known, quarantine={"boss": no}), {"owner": "u-9"}).ordinary)
            == written
        )


def test_an_id_of_a_record_that_is_not_linked_is_news_for_later() -> None:
    unknown = link({"boss": "404"}, base={"boss": "77"})
    draft = drafted(OWNER, unknown, {"owner": "u-9"})
    assert (draft.ordinary, draft.agreed) == ([], {"boss": Agreed("u-9", "77")})
    new = drafted(OWNER, link({"boss": "404"}, fresh=True), {})
    assert new.agreed == {"boss": Agreed(NEVER, WAS_ABSENT)}
    other = drafted(OWNER, unknown, {}, before={"owner": "u-9"})
    assert (other.ordinary, other.agreed) == ([], {"boss": Agreed("u-9", "77")})
    filled = drafted(OWNER, link({"boss": "404"}, fresh=True), {"owner": "u-9"})
    assert (filled.ordinary, filled.agreed) == ([], {"boss": Agreed(NEVER, WAS_ABSENT)})


def test_an_id_that_stood_there_before_and_is_not_linked_gives_way_to_what_the_hub_holds_since() -> None:
    draft = drafted(OWNER, link({"boss": "404"}), {}, before={"owner": "u-9"})
    assert told(draft.ordinary) == [(None, None, Effect.CLEAR, "404")]


def test_an_id_is_the_same_as_text_and_as_a_number() -> None:
    for shown in ("77", 77):
        assert is_held(reading(OWNER, link({"boss": shown})), "77")
    for shown in ("78", None, "", ["77", "78"]):
        assert not is_held(reading(OWNER, link({"boss": shown})), "77")
    assert is_held(reading(OWNER, link({"boss": ""})), None)
    assert not is_held(reading(OWNER, link({"boss": "77"})), None)


# -- lists -----------------------------------------------------------------------------------------

TAGS = FieldRule("tags", "tags")


def test_a_list_is_changed_by_its_elements() -> None:
    draft = drafted(TAGS, link({"tags": ["a", "b"]}), {"tags": ["b", "c"]}, before={"tags": ["a", "b"]})
    assert told(draft.ordinary) == [({"+": ["c"], "-": ["a"]}, ["b", "c"], Effect.REPLACE, ["a", "b"])]


def test_one_element_of_a_list_is_put_in_and_taken_out_by_itself() -> None:
    stop = ConsentRule("email", "marketing", "tags", Shape.ELEMENT, "stop", "present")
    draft = drafted(
        stop,
        link({"tags": ["x"]}),
        {"consent.email.marketing": OUT},
        draft=Draft(addressed=frozenset({"email"})),
    )
    assert told(draft.urgent) == [({"+": ["stop"], "-": []}, OUT, Effect.REPLACE, ["x"])]
    shown = reading(stop, link({"tags": ["x", "stop"]}))
    assert is_held(shown, True)
    assert not is_held(shown, False)
    absent = reading(stop, link({"tags": ["x"]}))
    assert is_held(absent, False)
    assert not is_held(absent, True)


# -- consent ---------------------------------------------------------------------------------------

FLAG = ConsentRule("email", "marketing", "optout")
STATE = "consent.email.marketing"


def test_an_opt_out_is_urgent_and_goes_before_any_release() -> None:
    draft = drafted(FLAG, link({"optout": False}), {STATE: OUT}, before={}, released=False)
    assert [(one.value, one.hub) for one in draft.urgent] == [(True, OUT)]
    assert (draft.ordinary, draft.withheld) == ([], 0)
    assert drafted(FLAG, link({"optout": True}), {STATE: OUT}).urgent == []
    assert drafted(FLAG, link({"optout": True}), {STATE: "unknown"}).urgent == []


def test_the_channels_of_which_a_record_holds_an_address() -> None:
    assert addressed({"email": "a@b.de", "phones.work": None}) == {"email"}
    assert addressed({"emails.other": "a@b.de", "phone": "+4930"}) == {"email", "phone", "sms"}
    assert addressed({}) == frozenset()


def test_two_forms_are_alike_where_their_addresses_are_the_same() -> None:
    mail = reading(FieldRule("email", "email"), link()).binding
    assert alike(mail, {"email": "Ann@x.de"}, {"email": "ann@x.de"})
    assert alike(mail, {"email": "ann@x.de"}, {"email": "ann@x.de"})
    assert not alike(mail, {"email": "ann@x.de"}, {"email": "bob@x.de"})
    assert not alike(mail, {"email": "ann@x.de"}, {})
    title = reading(TITLE, link()).binding
    assert not alike(title, {"job_title": "CTO"}, {"job_title": "cto"})


# -- the plan --------------------------------------------------------------------------------------

FIELDS = (
    FieldRule("email", "email"),
    TITLE,
    FieldRule("department", "dep"),
    TAGS,
    FieldRule("stage", "stage"),
)


def policy(**more: Any) -> Policy:
    """Two systems of which `a` is believed before `b`; `secondary` is the word of both."""
    said = rules(fields=FIELDS, consent=(FLAG,), **more)
    streams = {(name, "people"): said for name in "ab"}
    return Policy(
        fields=lambda kind, name: FieldPolicy(CONTACT[name].strategy, lambda stage: ("a", "b")),
        mappings={one: compile_mapping(one[0], said, CONTACT, Locale()) for one in streams},
        rules=streams,
        create={("b", "people"): Always()} if more.get("make") else {},
    )


def both(id: int, connection: str, observed: dict[str, Json], **more: Any) -> Link:
    given = {"fresh": False, "changed_at": SEEN, "seen_at": NOW} | more
    return Link(id, connection, "people", f"{connection}{id}", 1, Kind.CONTACT, observed=observed, **given)


def planned(values: dict[str, Value], *links: Link, rules: Policy | None = None, **more: Any) -> Plan:
    case = Case(Entity(1, Kind.CONTACT, 1, values, {}), links, **more)
    return reconcile(case, Context(released=frozenset("ab")), rules or policy(), NOW)


ANN: dict[str, Value] = {
    "email": "ann@x.de",
    "emails": ["ann@x.de"],
    "job_title": "CTO",
    "tags": ["x"],
    STATE: "unknown",
}
SHOWN: dict[str, Json] = {
    "email": "ann@x.de",
    "title": "CTO",
    "dep": None,
    "tags": ["x"],
    "stage": None,
    "optout": False,
}


def test_an_edit_goes_to_the_other_systems_in_one_write_that_says_what_it_does() -> None:
    edited = both(1, "a", {**SHOWN, "title": "Boss", "dep": "IT"}, base={"title": "CTO", "dep": None})
    plan = planned(ANN, edited, both(2, "b", SHOWN))
    (write,) = plan.writes
    assert (write.link_id, write.connection, write.object) == (2, "b", "people")
    assert (write.kind, write.lane, write.gate) == (WriteKind.UPDATE, Lane.NORMAL, "")
    assert write.values == {"title": "Boss", "dep": "IT"}
    assert write.wants == {"title": "Boss", "dep": "IT"}
    assert write.effects == {"title": Effect.REPLACE, "dep": Effect.FILL}
    assert write.replaced == {"title": "CTO", "dep": None}
    assert [(one.field, one.source, one.rule) for one in plan.changes] == [
        ("department", "a/people/a1", "authority"),
        ("job_title", "a/people/a1", "authority"),
    ]
    assert (plan.withheld, plan.superseded, plan.later, plan.unwanted) == ((), (), (), ())


@pytest.mark.parametrize("others", [(), (both(9, "former", {}, state=LinkState.DORMANT),)])
def test_a_new_record_fills_its_contact_and_the_history_tells_with_what(others: tuple[Link, ...]) -> None:
    """Taken at once, and weighed field by field because there is another link."""
    new = both(1, "a", {"email": "ann@x.de", "title": "CTO", "stage": "lead", "tags": ["x"]}, fresh=True)
    plan = planned({}, new, *others)
    assert plan.entity.values == {
        "email": "ann@x.de",
        "emails": ["ann@x.de"],
        "job_title": "CTO",
        "stage": "lead",
        "tags": ["x"],
        STATE: "unknown",
    }
    told = {one.field: (one.old, one.new, one.source, one.rule) for one in plan.changes}
    assert told["job_title"] == (None, "CTO", "a/people/a1", "first sight")
    assert told["stage"] == (None, "lead", "a/people/a1", "first sight")
    assert told["tags"] == (None, ["x"], "a/people/a1", "union")
    assert told["emails"] == (None, ["ann@x.de"], "rule", "follows its fields")
    source = plan.entity.sources["job_title"]
    assert (source.origin, source.how, source.at, source.ref) == ("a", "first", NOW, "a/people/a1")


def test_a_record_that_is_gone_before_it_was_decided_fills_nothing() -> None:
    for state in (LinkState.TOMBSTONE, LinkState.DORMANT):
        plan = planned({}, both(1, "a", SHOWN, fresh=True, state=state))
        assert [one.field for one in plan.changes] == [STATE]


def test_what_clears_leaves_in_a_write_of_its_own_behind_the_rest() -> None:
    edited = both(1, "a", {**SHOWN, "title": None, "dep": "IT"}, base={"title": "CTO", "dep": None})
    plan = planned(ANN, edited, both(2, "b", SHOWN))
    asked = [*plan.writes, *plan.later]
    assert [(one.values, one.gate) for one in asked] == [({"dep": "IT"}, ""), ({"title": None}, "clear")]


def test_an_opt_out_leaves_before_the_rest_in_a_write_of_its_own() -> None:
    edited = both(1, "a", {**SHOWN, "dep": "IT", "optout": True}, base={"dep": None, "optout": False})
    plan = planned(ANN, edited, both(2, "b", SHOWN))
    asked = [*plan.writes, *plan.later]
    assert [(one.values, one.lane) for one in asked] == [
        ({"optout": True}, Lane.URGENT),
        ({"dep": "IT"}, Lane.NORMAL),
    ]
    assert {(one.subject, one.state) for one in plan.consent} >= {("a/people/a1", ConsentState.OPTED_OUT)}


def test_a_documented_opt_in_waits_at_its_gate() -> None:
    known = [
        ConsentEvent(
            "ref", "a/people/a1", "email", "marketing", state, SEEN + timedelta(minutes=n), True, "a"
        )
        for n, state in enumerate((ConsentState.OPTED_OUT, ConsentState.OPTED_IN))
    ]
    plan = planned({**ANN, STATE: "opted_in"}, both(1, "a", {**SHOWN, "optout": True}), consent=tuple(known))
    assert [(one.values, one.lane, one.gate) for one in plan.writes] == [
        ({"optout": False}, Lane.URGENT, "opt_in")
    ]


def test_before_a_release_what_would_be_replaced_is_told_as_one_write_that_does_not_leave() -> None:
    edited = both(1, "a", {**SHOWN, "title": "Boss"}, base={"title": "CTO"})
    case = Case(Entity(1, Kind.CONTACT, 1, ANN, {}), (edited, both(2, "b", SHOWN)))
    plan = reconcile(case, Context(released=frozenset("a")), policy(), NOW)
    assert plan.writes == ()
    assert [(one.link_id, one.values, one.lane) for one in plan.withheld] == [
        (2, {"title": "Boss"}, Lane.NORMAL)
    ]
    assert {one.link_id: one.withheld for one in plan.links} == {1: 0, 2: 1}


@pytest.mark.parametrize(("word", "written"), [("follow", True), ("observe", False)])
def test_a_second_record_of_a_system_follows_only_where_the_rule_says_so(word: str, written: bool) -> None:
    edited = both(1, "a", {**SHOWN, "title": "Boss"}, base={"title": "CTO"})
    second = both(2, "a", SHOWN, primary=False)
    plan = planned(ANN, edited, second, rules=policy(secondary=word))
    assert bool(plan.writes) is written


def test_a_second_record_that_only_watches_hears_of_opt_outs_all_the_same() -> None:
    edited = both(1, "a", {**SHOWN, "optout": True}, base={"optout": False})
    plan = planned(ANN, edited, both(2, "a", SHOWN, primary=False), rules=policy(secondary="observe"))
    assert [(one.link_id, one.values) for one in plan.writes] == [(2, {"optout": True})]


def test_of_a_second_record_what_it_says_otherwise_is_left_as_it_stands() -> None:
    second = both(2, "a", {**SHOWN, "title": "Other"}, primary=False, fresh=True)
    plan = planned(ANN, both(1, "a", SHOWN), second, rules=policy(secondary="observe"))
    (patch,) = (one for one in plan.links if one.link_id == 2)
    assert patch.agreed["title"] == Agreed("Other", "Other", left=True)
    assert plan.writes == ()


def test_a_record_that_cannot_be_judged_will_be_told_what_moved_meanwhile() -> None:
    edited = both(1, "a", {**SHOWN, "title": "Boss"}, base={"title": "CTO"})
    asleep = both(2, "b", SHOWN, state=LinkState.DORMANT)
    assert planned(ANN, edited, asleep).missed == {2: {"job_title": "CTO"}}
    already = replace(asleep, missed={"job_title": "Old", "department": "X"})
    assert planned(ANN, edited, already).missed == {2: {"job_title": "Old", "department": "X"}}
    assert planned(ANN, both(1, "a", SHOWN), asleep).missed == {}
    awake = both(2, "b", SHOWN, missed={"job_title": "Old"})
    assert planned(ANN, both(1, "a", SHOWN), awake).missed == {2: {}}


# -- electing --------------------------------------------------------------------------------------


def ranks(*links: Link) -> list[bool]:
    return [one.primary for one in elect(links)]


def test_there_is_one_primary_record_in_each_system() -> None:
    one, two, other = both(1, "a", {}), both(2, "a", {}), both(3, "b", {}, primary=False)
    assert ranks(one, two, other) == [True, False, True]
    assert elect((one, other))[0] is one
    later = replace(two, changed_at=NOW)
    assert ranks(one, later) == [False, True]
    assert ranks(replace(one, primary=False), later) == [False, True]
    assert ranks(one, replace(later, primary=False)) == [True, False]
    assert ranks(replace(one, fresh=True), replace(two, changed_at=None)) == [False, True]
    assert ranks(replace(one, changed_at=None), two) == [False, True]


def test_only_who_lives_or_is_wanted_is_the_primary_one() -> None:
    dead = both(1, "a", {}, state=LinkState.TOMBSTONE)
    wanted_one = replace(both(2, "a", {}), state=LinkState.WANTED, remote_id=None)
    assert ranks(dead, wanted_one) == [False, True]
    assert ranks(dead) == [False]


def test_what_was_only_watched_of_a_record_is_news_once_it_is_the_primary_one() -> None:
    watched = {"title": Agreed("Other", "Other", left=True), "dep": Agreed("IT", "IT")}
    second = both(2, "a", {}, primary=False, agreed=watched)
    (risen,) = elect((second,))
    assert risen.primary
    assert risen.agreed == {"title": Agreed(NEVER, WAS_ABSENT), "dep": Agreed("IT", "IT")}
    (_, fallen) = elect((replace(both(1, "a", {}), changed_at=NOW), both(2, "a", {}, agreed=watched)))
    assert (fallen.primary, fallen.agreed) == (False, watched)
