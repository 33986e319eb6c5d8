"""Whether a record is made, switched off or written to at all, what may leave now, and why not, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sync.small_hub import Said, rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import FieldRule, ObjectRules, Publish
from trueup.model.canonical import Locale
from trueup.model.delivery import DeliveryState, Effect, Lane, OpenDelivery, Write, WriteKind
from trueup.model.entity import NEVER, Agreed, Entity, Link, LinkState, Quarantine, Reference, Source
from trueup.model.fields import TABLES, Kind
from trueup.model.history import Change
from trueup.model.plan import Context, Founding
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.sync.rules.aside import refused
from trueup.sync.rules.creating import COMING, GONE, NOBODY, UNLISTED, create, create_write, wanted_at
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.differences import Difference, Draft
from trueup.sync.rules.founding import foundings, keep_in_company
from trueup.sync.rules.guard import FEW, Fuse, Meter, too_many_missing
from trueup.sync.rules.lanes import given_up, left, queue, tried_again, was_given_up, write_digest
from trueup.sync.rules.leaving import Standing, is_active, standing, switch
from trueup.sync.rules.policy import FieldPolicy, Policy
from trueup.sync.rules.publishing import hold_back, in_words

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = ("a", "people")
FIRMS = ("a", "firms")


class Says:
    """A condition that is met by those of one department, from one moment on."""

    def __init__(self, department: str = "IT", since: datetime = NOW) -> None:
        self.department, self.since = department, since

    def met(self, values: Mapping[str, object], now: datetime) -> Said:
        met = values.get("department", self.department) == self.department and now >= self.since
        return Said(met, "" if met else f"not in {self.department}")

    def next_change(self, values: Mapping[str, object], now: datetime) -> None:
        return None


def link(id: int = 1, stream: tuple[str, str] = HERE, **more: Any) -> Link:
    return Link(id, *stream, f"r{id}", 1, **({"kind": Kind.CONTACT} | more))


def policy(*objects: tuple[tuple[str, str], ObjectRules], create: Any = None, **more: Any) -> Policy:
    return Policy(
        fields=lambda kind, name: FieldPolicy(TABLES[kind][name].strategy, lambda stage: ("a", "b")),
        mappings={
            one: compile_mapping(one[0], said, TABLES[said.kind or Kind.CONTACT], Locale())
            for one, said in objects
        },
        rules=dict(objects),
        create=create or {},
        **more,
    )


def ann(**values: Value) -> Entity:
    return Entity(1, Kind.CONTACT, 1, {"first_name": "Ann", **values}, {})


# -- records that are missing ----------------------------------------------------------------------

PEOPLE = rules(fields=("first_name", "email", "department"))
MAKING = policy((HERE, PEOPLE), create={HERE: Says()})
OPEN = Context(gates_open=frozenset({HERE}))


def why(
    *standing: Link, who: Entity | None = None, context: Context = OPEN, rules: Policy = MAKING
) -> list[str]:
    made, reasons = create(HERE, who or ann(), standing, standing, context, rules, NOW)
    assert not (made and reasons)
    return reasons


def test_a_record_is_made_with_all_that_is_known() -> None:
    (write,), reasons = create(HERE, ann(department="IT"), (), (), OPEN, MAKING, NOW)
    assert reasons == []
    assert write == Write(
        0,
        *HERE,
        WriteKind.CREATE,
        Lane.NORMAL,
        {"first_name": "Ann", "department": "IT"},
        {"first_name": "Ann", "department": "IT"},
        {"first_name": Effect.FILL, "department": Effect.FILL},
    )


def test_why_no_record_is_made_is_said() -> None:
    elsewhere = link(2, ("b", "people"))
    dead = link(3, ("b", "people"), state=LinkState.TOMBSTONE)
    assert why(who=ann(department="HR")) == ["create: not in IT"]
    assert why(context=Context()) == [UNLISTED]
    assert why(context=Context(coming=frozenset({HERE}))) == [COMING]
    assert why(link(state=LinkState.TOMBSTONE), elsewhere) == [
        "was deleted there: a tombstone blocks creating it again"
    ]
    assert why(dead) == [GONE]
    assert why(dead, elsewhere) == []
    unsure = "waits for a decision: is this the same person as another contact?"
    assert why(who=replace(ann(), provisional=True)) == [unsure]
    assert why(elsewhere, context=replace(OPEN, rivals={2: frozenset("a")})) == [unsure]
    assert why(elsewhere, context=replace(OPEN, rivals={2: frozenset("c"), 9: frozenset("a")})) == []
    assert why(context=Context()) == ["not created before this object was listed to its end once"]
    nothing = Entity(1, Kind.CONTACT, 1, {"job_title": "CTO"}, {})
    assert why(who=nothing) == ["nothing to create it with: no mapped field has a value"]
    early = policy((HERE, PEOPLE), create={HERE: Says(since=NOW + timedelta(1))})
    assert why(rules=early) == ["create: not in IT"]
    assert create(HERE, ann(), (), (), OPEN, policy((HERE, PEOPLE)), NOW) == ([], [])
    assert create(HERE, ann(), (), (link(),), OPEN, MAKING, NOW) == ([], [])


def test_a_record_of_another_kind_in_the_same_system_is_no_record_of_this_one() -> None:
    firm = link(2, FIRMS, kind=Kind.COMPANY)
    assert create(HERE, ann(), (), (firm,), OPEN, MAKING, NOW)[0]
    lead = link(2, ("a", "leads"))
    assert create(HERE, ann(), (), (lead,), OPEN, MAKING, NOW) == ([], [])


def test_nobody_is_made_who_could_not_be_told_by_anything() -> None:
    short = rules(fields=(FieldRule("first_name", "name", max_length=2), FieldRule("department", "dep")))
    made = policy((HERE, short), create={HERE: Says()})
    assert create(HERE, ann(department="IT"), (), (), OPEN, made, NOW) == ([], [NOBODY])
    told = rules(fields=(FieldRule("first_name", "name", max_length=2), FieldRule("email", "email")))
    (write,), _ = create(
        HERE, ann(email="a@b.de"), (), (), OPEN, policy((HERE, told), create={HERE: Says()}), NOW
    )
    assert write.values == {"email": "a@b.de"}
    assert list(write.aside) == ["name"]


def test_a_record_is_made_without_those_whom_it_waits_for() -> None:
    said = rules(fields=("first_name", FieldRule("owner", "boss", to="users")))
    made = policy((HERE, said), create={HERE: Says()}, upsert={HERE: "hub_id"})
    (write,), reasons = create(HERE, ann(owner="u-1"), (), (), OPEN, made, NOW)
    assert reasons == ["waits for u-1"]
    assert (write.values, write.wants["boss"]) == ({"first_name": "Ann"}, NEVER)
    assert write.effects == {"first_name": Effect.FILL}
    assert write.upsert == ("hub_id", "c-1")


def test_a_repeated_create_finds_its_record_by_a_mapped_field_only_where_it_has_a_value() -> None:
    made = policy((HERE, PEOPLE), upsert={HERE: "email"})
    write = create_write(wanted_at(HERE, (), Kind.CONTACT), ann(email="a@b.de"), OPEN, made, NOW)[0]
    assert write.upsert == ("email", "a@b.de")
    assert create_write(wanted_at(HERE, (), Kind.CONTACT), ann(), OPEN, made, NOW)[0].upsert is None
    waiting = link(7, state=LinkState.WANTED)
    others = (link(8), link(9, ("b", "people"), state=LinkState.WANTED))
    assert wanted_at(HERE, (*others, waiting), Kind.CONTACT) is waiting
    assert wanted_at(HERE, others, Kind.CONTACT) == Link(0, *HERE, None, None, Kind.CONTACT, LinkState.WANTED)


# -- companies that are missing --------------------------------------------------------------------

NAMING = rules(fields=("first_name", "company_name"), company="create")
FIRM = rules("firms", fields=("name",), kind=Kind.COMPANY)
FOUNDING = policy((HERE, NAMING), (FIRMS, FIRM), create={FIRMS: Says()})
LISTED = Context(gates_open=frozenset({FIRMS}))


def founded(
    who: Entity, context: Context = LISTED, rules: Policy = FOUNDING, before: Entity | None = None
) -> Any:
    return foundings(before or who, who, (link(),), (), context, rules, NOW)


def test_a_company_that_nobody_bears_is_made_where_the_contact_is() -> None:
    who = ann(company_name="Acme GmbH", email="ann@acme.example")
    (made,), reasons = founded(who)
    assert (made.connection, made.object, made.contact_id, made.named_by) == (*FIRMS, 1, "c-1")
    assert made.values == {"name": "Acme GmbH", "domain": "acme.example"}
    assert isinstance(made, Founding)
    assert reasons == ()
    (by_domain,), _ = founded(ann(email="ann@acme.example"))
    assert by_domain.values == {"name": "acme.example", "domain": "acme.example"}
    wanted_there = foundings(
        who,
        who,
        (),
        (create_write(wanted_at(HERE, (), Kind.CONTACT), who, OPEN, FOUNDING, NOW)[0],),
        LISTED,
        FOUNDING,
        NOW,
    )
    assert len(wanted_there[0]) == 1
    assert foundings(who, who, (link(state=LinkState.TOMBSTONE),), (), LISTED, FOUNDING, NOW) == ((), ())


def test_why_no_company_is_made_is_said() -> None:
    who = ann(company_name="Acme")
    silent = policy((HERE, NAMING), (FIRMS, FIRM))
    assert founded(who, rules=silent) == ((), ((*FIRMS, "company: nothing says `create:` for firms"),))
    unlisted = "company: none is made before all companies were listed to the end once"
    assert founded(who, context=Context()) == ((), ((*FIRMS, unlisted),))
    early = policy((HERE, NAMING), (FIRMS, FIRM), create={FIRMS: Says(since=NOW + timedelta(1))})
    assert founded(who, rules=early) == ((), ((*FIRMS, "company: not in IT"),))
    nameless = rules("firms", fields=("domain",), kind=Kind.COMPANY)
    unnamed = policy((HERE, NAMING), (FIRMS, nameless), create={FIRMS: Says()})
    assert founded(who, rules=unnamed) == ((), ((*FIRMS, "company: no name is mapped in firms"),))


def test_no_company_is_made_of_what_could_mean_one_that_is_there() -> None:
    bears = replace(LISTED, holders={("name", "acme"): frozenset({"o-1"})})
    holds = replace(LISTED, holders={("domain", "acme.example"): frozenset({"o-1"})})
    who = ann(company_name="Acme", email="ann@acme.example")
    for told in (
        founded(who, context=bears),
        founded(who, context=holds),
        founded(replace(who, provisional=True)),
        founded(replace(who, kind=Kind.COMPANY)),
        founded(ann(company_name="Acme", company="o-1")),
        founded(ann()),
    ):
        assert told == ((), ())
    moved = founded(who, context=holds, before=ann(company_name="Old"))
    assert moved[0][0].values == {"name": "Acme"}


def test_a_company_that_was_named_where_companies_are_left_alone_is_not_made() -> None:
    ignoring = policy(
        (HERE, NAMING),
        (("b", "people"), replace(NAMING, company="ignore")),
        (FIRMS, FIRM),
        create={FIRMS: Says()},
    )
    who = ann(company_name="Acme")
    for ref, made in (("b/people/1", 0), ("a/people/1", 1)):
        source = Source(ref[0], "first", NOW, ref)
        assert len(founded(replace(who, sources={"company_name": source}), rules=ignoring)[0]) == made


def kept_in(who: Entity, before: Entity, context: Context, rules: Policy = FOUNDING) -> Values:
    state = Values(dict(who.values), dict(who.sources))
    keep_in_company(state, before, context, rules, NOW)
    return state


def test_a_contact_without_a_company_belongs_to_the_only_one_of_its_domain() -> None:
    who = ann(email="ann@acme.example")
    one, two = (
        Context(holders={("domain", "acme.example"): frozenset(some)}) for some in (["o-1"], ["o-1", "o-2"])
    )
    state = kept_in(who, ann(), one)
    assert state.values["company"] == "o-1"
    assert state.sources["company"] == Source("rule", "rule", NOW)
    assert state.changes == [Change("company", None, "o-1", "rule", "company of that domain")]
    named = ann(email="ann@acme.example", company_name="Acme")
    bears = replace(one, holders={**one.holders, ("name", "acme"): frozenset({"o-7"})})
    for state in (
        kept_in(who, ann(), two),
        kept_in(who, ann(), Context()),
        kept_in(who, ann(), one, policy((HERE, PEOPLE))),
        kept_in(ann(), ann(), one),
        kept_in(named, ann(company_name="Old"), one),
        kept_in(named, named, bears),
    ):
        assert "company" not in state.values
    assert (
        kept_in(ann(email="ann@acme.example", company="o-9"), ann(company="o-9"), one).values["company"]
        == "o-9"
    )
    assert kept_in(named, named, one).values["company"] == "o-1"


def test_a_name_from_where_companies_are_left_alone_links_nothing() -> None:
    ignoring = policy((HERE, replace(NAMING, company="ignore")), (FIRMS, FIRM))
    source = Source("a", "first", NOW, "a/people/1")
    who = replace(ann(company_name="Acme"), sources={"company_name": source})
    known = Context(companies={"Acme": "o-1"}, references={"o-2": Reference("o-2", {"name": "Other"}, {})})
    assert "company" not in kept_in(who, ann(), known, ignoring).values
    assert kept_in(who, ann(), known, policy((HERE, NAMING), (FIRMS, FIRM))).values["company"] == "o-1"
    moved = replace(who, values={**who.values, "company": "o-2"})
    assert kept_in(moved, replace(who), known, ignoring).values["company_name"] == "Other"


# -- who leaves ------------------------------------------------------------------------------------

OFF: Mapping[str, Json] = {"active": False, "note": "left"}
ON: Mapping[str, Json] = {"active": True}
SWITCHED = rules(fields=("first_name",), leaves="deactivate", deactivate=OFF, reactivate=ON)
GOES, COMES = Standing(False, True, "gone"), Standing(True, True)


def test_how_a_record_stands_to_the_condition() -> None:
    made = policy((HERE, SWITCHED), create={HERE: Says()})
    assert standing(link(), {"department": "IT"}, made, NOW) == Standing(True, True, "")
    assert standing(link(), {"department": "HR"}, made, NOW) == Standing(False, False, "not in IT")
    assert standing(link(entered=True), {"department": "HR"}, made, NOW).left
    assert not standing(link(), {"department": "HR"}, made, NOW).left
    assert standing(link(), {}, made, NOW - timedelta(1)).met is False
    keeps = policy((HERE, replace(SWITCHED, leaves="keep")), create={HERE: Says()})
    assert standing(link(entered=True), {"department": "HR"}, keeps, NOW) == Standing(None, True)
    assert standing(link(), {}, policy((HERE, SWITCHED)), NOW) == Standing()


def test_who_leaves_is_switched_off_once_and_who_comes_back_on() -> None:
    shown = link(observed={"active": True})
    off = Write(
        1,
        *HERE,
        WriteKind.DEACTIVATE,
        Lane.NORMAL,
        dict(OFF),
        replaced={"active": True, "note": None},
        gate="deactivate",
    )
    assert switch(shown, SWITCHED, GOES, False) == off
    assert switch(replace(shown, active=False), SWITCHED, GOES, False) is None
    assert switch(link(observed=dict(OFF)), SWITCHED, GOES, False) is None
    assert switch(shown, SWITCHED, COMES, False) is None
    away = link(observed={"active": False}, active=False)
    on = Write(1, *HERE, WriteKind.REACTIVATE, Lane.NORMAL, dict(ON), replaced={"active": False})
    assert switch(away, SWITCHED, COMES, False) == on
    assert switch(away, SWITCHED, Standing(None), False) is None
    assert switch(replace(away, observed={"active": True}), SWITCHED, COMES, False) is None
    stops = replace(SWITCHED, leaves="stop")
    assert switch(shown, stops, GOES, False) is None
    assert switch(away, stops, COMES, False) is None


def test_who_was_deleted_elsewhere_is_kept_switched_off_or_deleted() -> None:
    shown = link(observed={"active": True})
    deletes, switches = (
        replace(SWITCHED, leaves="keep", deleted_elsewhere=one) for one in ("delete", "deactivate")
    )
    delete = Write(1, *HERE, WriteKind.DELETE, Lane.NORMAL, {}, gate="delete")
    assert switch(shown, deletes, COMES, True) == delete
    assert switch(replace(shown, active=False), deletes, COMES, True) is None
    assert switch(shown, deletes, COMES, False) is None
    found = switch(shown, switches, COMES, True)
    assert found is not None
    assert found.kind is WriteKind.DEACTIVATE
    assert switch(shown, replace(switches, deactivate={}), COMES, True) is None
    assert switch(shown, replace(SWITCHED, deleted_elsewhere="keep", leaves="keep"), COMES, True) is None


def test_a_record_is_active_until_we_switch_it_off_and_again_once_somebody_switched_it_on() -> None:
    away = link(active=False, observed={"active": True})
    assert is_active(link(), SWITCHED, GOES, False)
    assert is_active(away, SWITCHED, COMES, False)
    for known, said, stands, gone in (
        (replace(away, observed={"active": False}), SWITCHED, COMES, False),
        (away, SWITCHED, GOES, False),
        (away, SWITCHED, COMES, True),
        (away, replace(SWITCHED, leaves="keep"), COMES, False),
        (away, replace(SWITCHED, reactivate={}), COMES, False),
    ):
        assert is_active(known, said, stands, gone) is False


# -- what may stand in the outbox ------------------------------------------------------------------


def write(title: str = "CTO", link_id: int = 1, kind: WriteKind = WriteKind.UPDATE, **more: Any) -> Write:
    given = {"lane": Lane.NORMAL, "wants": {"title": title}} | more
    return Write(link_id, *HERE, kind, values={"title": title}, **given)


def standing_write(one: Write, state: DeliveryState = DeliveryState.DUE, id: int = 7) -> OpenDelivery:
    return OpenDelivery(id, one.link_id, one.lane, one.kind, state, one.wants, write_digest(one), one.values)


def queued(open: list[OpenDelivery], *writes: Write, again: tuple[int, ...] = ()) -> tuple[Any, ...]:
    found = queue(open, writes, again)
    return found.new, found.later, found.superseded


def test_of_several_writes_to_one_record_and_lane_the_first_goes() -> None:
    one, two, urgent, other = write("1"), write("2"), write("3", lane=Lane.URGENT), write("4", link_id=2)
    assert queued([], one, two, urgent, other) == ((one, urgent, other), (two,), ())
    new, more = write("5", link_id=0), write("6", link_id=0)
    elsewhere = replace(new, object="leads")
    assert queued([], new, more, elsewhere) == ((new, elsewhere), (more,), ())


def test_nothing_goes_behind_what_was_sent_and_the_same_is_not_asked_twice() -> None:
    sent = standing_write(write("1"), DeliveryState.SENT)
    assert queued([sent], write("1"), write("2")) == ((), (write("2"),), ())
    assert queued([sent], write("2", lane=Lane.URGENT)) == ((write("2", lane=Lane.URGENT),), (), ())
    new = write("2", link_id=0)
    assert queued([replace(sent, link_id=0)], new) == ((new,), (), ())


def test_what_stands_there_unsent_stays_if_it_is_what_shall_go() -> None:
    due = standing_write(write("1"))
    assert queued([due], write("1")) == ((), (), ())
    assert queued([due], write("2")) == ((write("2"),), (), (7,))
    assert queued([due]) == ((), (), (7,))
    assert queued([due], write("1"), again=(7,)) == ((write("1"),), (), (7,))
    for_another = write("1", wants={"title": "something else"})
    assert queued([due], for_another) == ((for_another,), (), (7,))


def test_what_waits_for_a_person_does_not_keep_a_record_from_being_switched_off() -> None:
    parked = standing_write(write("1"), DeliveryState.PARKED)
    off = write("off", kind=WriteKind.DEACTIVATE)
    assert queued([parked], write("1"), off) == ((off,), (write("1"),), (7,))
    assert queued([parked], write("2"), off) == ((write("2"),), (off,), (7,))
    assert queued([parked], write("1"), write("2")) == ((), (write("2"),), ())
    assert queued([standing_write(write("1"))], write("1"), off) == ((), (off,), ())


def test_a_refused_write_is_tried_again_once_its_field_is_another() -> None:
    mapping = compile_mapping(
        "a", rules(fields=(FieldRule("job_title", "title"),)), TABLES[Kind.CONTACT], Locale()
    )
    parked = standing_write(write("1"), DeliveryState.PARKED)
    plain = link()
    assert tried_again([parked], {1: plain}, {HERE: mapping}) == frozenset()
    assert tried_again([parked], {}, {HERE: mapping}) == frozenset()
    refused = Quarantine("out", "no", "TU-CON-010", "x", NOW, terms="as it was")
    assert tried_again([parked], {1: replace(plain, quarantine={"title": refused})}, {}) == frozenset()


def test_a_refused_reference_is_tried_again_with_the_id_that_was_refused() -> None:
    owner = FieldRule("owner", "boss", to="users")
    mapping = compile_mapping("a", rules(fields=(owner,)), TABLES[Kind.CONTACT], Locale())
    (binding,) = mapping.bindings
    today = replace(mapping, bindings=(replace(binding, terms="another now"),))
    known = link(quarantine={"boss": refused(binding, "u-9", "77", "no", "TU-REF-001", NOW)})
    parked = standing_write(
        replace(write(), values={"boss": "77"}, wants={"boss": "u-9"}), DeliveryState.PARKED
    )
    assert tried_again([parked], {1: known}, {HERE: today}) == {7}
    assert tried_again([replace(parked, values={"boss": "78"})], {1: known}, {HERE: today}) == frozenset()


def test_only_a_write_that_carries_the_refused_value_is_tried_again() -> None:
    mapping = compile_mapping(
        "a", rules(fields=(FieldRule("job_title", "title"),)), TABLES[Kind.CONTACT], Locale()
    )
    (binding,) = mapping.bindings
    today = replace(mapping, bindings=(replace(binding, terms="longer now"),))
    known = link(quarantine={"title": refused(binding, "1", "1", "too long", "TU-CON-030", NOW)})
    parked = standing_write(write("1"), DeliveryState.PARKED)
    assert tried_again([parked], {1: known}, {HERE: today}) == {7}
    assert tried_again([parked], {1: known}, {HERE: mapping}) == frozenset()
    for other in (
        replace(parked, wants={"title": "2"}),
        replace(parked, wants={"dep": "1"}),
        replace(parked, link_id=2),
        replace(parked, state=DeliveryState.DUE),
    ):
        assert tried_again([other], {1: known}, {HERE: today}) == frozenset()


def test_what_a_person_gave_up_is_not_raised_again_until_it_moves() -> None:
    off = write("off", kind=WriteKind.DEACTIVATE)
    key, mark = given_up(off)
    known = link(agreed={key: mark})
    assert was_given_up(off, {1: known})
    assert not was_given_up(write("other", kind=WriteKind.DEACTIVATE), {1: known})
    assert not was_given_up(off, {1: link()})
    assert not was_given_up(off, {2: known})
    assert not was_given_up(write("off"), {1: known})
    assert left(off, link()) == {key: mark}
    update = write("Boss", wants={"title": "Boss", "dep": None})
    shown = link(observed={"title": "CTO"}, base={"title": "Old"})
    assert left(update, shown)["title"] == Agreed("Boss", "Old", left=True)
    assert left(update, link(observed={"title": "CTO"}))["title"] == Agreed("Boss", "CTO", left=True)


# -- what is written seldom ------------------------------------------------------------------------


def published(publish: Publish | None, last: datetime | None, hub: Value, agreed: Value = "10") -> Draft:
    rule = FieldRule("score", "score", publish=publish)
    (binding,) = compile_mapping("a", rules(fields=(rule,)), TABLES[Kind.CONTACT], Locale()).bindings
    free = compile_mapping("a", rules(fields=("job_title",)), TABLES[Kind.CONTACT], Locale()).bindings[0]
    ordinary = [Difference(one, "x", hub, Effect.REPLACE, None) for one in (free, binding)]
    draft = Draft(agreed={"score": Agreed(agreed, "10")}, ordinary=ordinary)
    hold_back(link(published={"score": last} if last else {}), draft, NOW)
    return draft


def test_a_field_is_written_no_more_often_than_it_says_and_the_rest_of_the_record_goes() -> None:
    daily = Publish(at_most_every=86_400.0)
    early = published(daily, NOW - timedelta(hours=23), "11")
    assert [one.binding.key for one in early.ordinary] == ["job_title"]
    assert early.held_back == ["waits until 2026-03-01 13:00: at most every 1d (score)"]
    assert early.later == [NOW + timedelta(hours=1)]
    for last in (None, NOW - timedelta(hours=24)):
        assert len(published(daily, last, "11").ordinary) == 2
    assert len(published(None, NOW, "11").ordinary) == 2


def test_a_change_that_is_too_small_waits_for_a_larger_one_whenever_that_is() -> None:
    small = Publish(when_changed_by="5")
    held = published(small, NOW, "14")
    assert held.held_back == ["waits until it has changed by 5 (score)"]
    assert (held.later, len(held.ordinary)) == ([], 1)
    assert len(published(small, NOW, "15").ordinary) == 2
    assert len(published(small, NOW, "14", agreed=NEVER).ordinary) == 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(86_400, "1d"), (172_800, "2d"), (3600, "1h"), (5400, "90m"), (45, "45s"), (0, "0s"), (0.5, "0.5s")],
)
def test_a_length_of_time_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


# -- fuses -----------------------------------------------------------------------------------------


def test_a_fuse_allows_the_smaller_of_a_count_and_a_share_and_a_few_of_a_small_base() -> None:
    assert Fuse().allowance(1000) is None
    assert Fuse(count=5).allowance(0) == 5
    assert Fuse(share=0.1).allowance(1000) == 100
    assert Fuse(share=0.1).allowance(10) == FEW
    assert Fuse(count=50, share=0.1).allowance(1000) == 50
    assert Fuse(count=500, share=0.1).allowance(1000) == 100


def test_a_meter_counts_what_is_done_and_what_is_foreseen_each_once() -> None:
    meter = Meter({"change": Fuse(count=2)}, {"a": 10})
    assert [meter.add("a", "change", one) for one in (1, 2, 3)] == [True, True, False]
    assert meter.add("b", "change")
    assert meter.add("a", "merge")
    assert not meter.tripped("a", "merge")
    ahead = Meter({"clear": Fuse(count=1)}, {"a": 10})
    for _ in range(2):
        ahead.foresee("a", "clear", 1)
    assert not ahead.tripped("a", "clear")
    ahead.foresee("a", "clear", 2)
    assert ahead.tripped("a", "clear")
    assert ahead.stay({("a", "clear"): 3, ("b", "clear"): 1, ("a", "change"): 2}) == {
        ("a", "clear"): 3,
        ("a", "change"): 2,
    }
    assert not ahead.add("a", "clear", 1)
    ahead.at_least("a", "clear", 5)
    ahead.at_least("a", "clear", 2)
    assert ahead.counts["a", "clear"] == 5
    lifted = replace(ahead, lifted=frozenset({"clear"}))
    assert not lifted.tripped("a", "clear")
    held = Meter({}, {}, held=frozenset({("a", "clear"), ("a", "change")}))
    assert held.tripped("a", "clear")
    assert not held.tripped("b", "clear")
    assert not held.tripped("a", "change")


@pytest.mark.parametrize(
    ("missing", "living", "many"),
    [(0, 0, False), (0, 10, False), (3, 3, True), (2, 30, False), (6, 30, True), (5, 30, False)],
)
def test_a_listing_that_lacks_too_many_is_not_believed(missing: int, living: int, many: bool) -> None:
    assert too_many_missing(missing, living, Fuse(count=5)) is many
    assert too_many_missing(missing, living, Fuse()) is (0 < missing == living)
