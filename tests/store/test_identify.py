"""Identify: strangers, who holds a key, and assignments that hold only while nothing moved."""

from __future__ import annotations

from dataclasses import replace

from tests.store.hub import Hub, assignment, at, holders_of, plan, record
from trueup.model.fields import Kind
from trueup.model.matching import Assignment, Candidate, MatchDecision, Verdict
from trueup.model.plan import LinkPatch

EMAIL = ("email", "a@x.example")


def strangers(hub: Hub) -> list[Assignment]:
    return [assignment(link) for link in hub.store.strangers([Kind.CONTACT], 0, 100)]


def assign(hub: Hub, *assignments: Assignment) -> list[int]:
    return list(hub.store.assign(assignments, at(1), None))


def test_strangers_come_by_id_some_at_a_time(hub: Hub) -> None:
    hub.land("sales", record("1"), record("2"))
    hub.land("shop", record("3"))
    first = hub.store.strangers([Kind.CONTACT], 0, 2)
    rest = hub.store.strangers([Kind.CONTACT], first[-1].id, 2)
    assert [link.remote_id for link in [*first, *rest]] == ["1", "2", "3"]
    assert hub.store.strangers([Kind.COMPANY], 0, 10) == []


def test_an_assigned_stranger_is_an_entity_that_is_due(hub: Hub) -> None:
    hub.land("sales", record("1", 1, email="a@x.example"))
    assert assign(hub, *strangers(hub)) == []
    link = hub.link("sales", "1")
    assert link.entity_id is not None
    case = hub.case(link.entity_id)
    assert (case.entity.kind, case.entity.revision, case.entity.values) == (Kind.CONTACT, 0, {})
    assert case.reasons == ("identified",)
    assert hub.store.strangers([Kind.CONTACT], 0, 10) == []


def test_links_of_one_group_are_one_entity_that_waits_if_one_of_them_does(hub: Hub) -> None:
    hub.land("sales", record("1"))
    hub.land("shop", record("2"))
    one, other = strangers(hub)
    assign(hub, replace(one, group="g", provisional=True), replace(other, group="g"))
    entity = hub.link("sales", "1").entity_id
    assert entity == hub.link("shop", "2").entity_id
    assert hub.case(entity or 0).entity.provisional


def test_a_link_joins_the_entity_that_it_was_given(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="a@x.example")
    hub.land("shop", record("2", 1, email="a@x.example"))
    (one,) = strangers(hub)
    assert (
        assign(hub, replace(one, entity_id=case.entity.id, seen={EMAIL: frozenset({case.entity.id})})) == []
    )
    assert hub.link("shop", "2").entity_id == case.entity.id
    assert hub.due() == [case.entity.id]


def test_who_holds_a_key_is_told_by_entity_and_link(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="a@x.example")
    asked = [EMAIL, ("email", "nobody@x.example")]
    assert hub.store.candidates(Kind.CONTACT, asked) == {
        EMAIL: [Candidate(case.entity.id, case.links[0].id, "sales", "contacts")],
        ("email", "nobody@x.example"): [],
    }
    assert hub.store.candidates(Kind.COMPANY, [EMAIL]) == {EMAIL: []}
    assert holders_of(hub, EMAIL) == [case.entity.public_id]


def test_strangers_hold_no_keys(hub: Hub) -> None:
    hub.land("sales", record("1", 1, email="a@x.example"))
    assert hub.store.candidates(Kind.CONTACT, [EMAIL]) == {EMAIL: []}


def test_an_assignment_is_not_made_when_somebody_else_took_the_key_meanwhile(hub: Hub) -> None:
    hub.land("shop", record("2", 1, email="a@x.example"))
    (late,) = strangers(hub)
    case = hub.settled("sales", "1", email="a@x.example")
    other = replace(late, seen={EMAIL: frozenset()})
    assert hub.link("shop", "2").entity_id != case.entity.id  # settled() identified every stranger
    hub.land("mail", record("3", 1, email="a@x.example"))
    (one,) = strangers(hub)
    assert assign(hub, replace(one, seen={EMAIL: frozenset()})) == [one.link_id]
    assert hub.link("mail", "3").entity_id is None
    assert assign(hub, other) == [other.link_id]


def test_an_assignment_is_not_made_when_its_link_moved_meanwhile(hub: Hub) -> None:
    hub.land("sales", record("1", 1, a=1))
    (one,) = strangers(hub)
    hub.land("sales", record("1", 2, a=2))
    assert assign(hub, one) == [one.link_id]


def test_those_of_one_call_do_not_disturb_each_other(hub: Hub) -> None:
    hub.land("sales", record("1", 1, email="a@x.example"))
    hub.land("shop", record("2", 1, email="a@x.example"))
    both = [replace(one, group="same", seen={EMAIL: frozenset()}) for one in strangers(hub)]
    assert assign(hub, *both) == []
    assert len(hub.due()) == 1


def test_an_entity_that_does_not_exist_takes_nobody(hub: Hub) -> None:
    hub.land("sales", record("1"))
    (one,) = strangers(hub)
    assert assign(hub, replace(one, entity_id=99)) == [one.link_id]


def test_a_key_of_any_length_is_found_again(hub: Hub) -> None:
    hub.land("sales", record("1"), record("2"))
    one, other = strangers(hub)
    keys = [("email", "x" * 5000 + end) for end in ("1", "2")]
    assign(hub, replace(one, keys=(keys[0],)), replace(other, keys=(keys[1],)))
    found = hub.store.candidates(Kind.CONTACT, keys)
    assert [[one.link_id for one in found[key]] for key in keys] == [[one.link_id], [other.link_id]]


def test_a_decision_replaces_the_keys_of_its_links(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="a@x.example")
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    (link,) = case.links
    new = ("email", "b@x.example")
    hub.commit(plan(case, links=(LinkPatch(link.id, link.rev, {}, {}, True, keys=(new, new)),)))
    assert holders_of(hub, EMAIL) == []
    assert holders_of(hub, new) == [case.entity.public_id]


def test_verdicts_are_remembered_and_the_undecided_wait_for_a_steward(hub: Hub) -> None:
    hub.land("sales", record("1"), record("2"))
    one, other = strangers(hub)
    unsure = MatchDecision(
        one.link_id, other.link_id, Verdict.UNSURE, 0.7, {"name": "close"}, "matcher", at(1)
    )
    assign(hub, replace(one, decisions=(unsure,)), other)
    assert hub.store.verdicts([other.link_id]) == [unsure]
    assert hub.store.unsure(10) == [unsure]


def test_of_an_unsure_pair_the_provisional_one_waits_else_the_younger(hub: Hub) -> None:
    hub.land("sales", record("1"), record("2"), record("3"))
    one, two, three = strangers(hub)
    pairs = [(one, two), (two, three)]
    unsure = [
        MatchDecision(a.link_id, b.link_id, Verdict.UNSURE, 0.7, {}, "matcher", at(1)) for a, b in pairs
    ]
    assign(hub, replace(one, provisional=True, decisions=tuple(unsure)), two, three)
    ids = [hub.case(hub.link("sales", id).entity_id or 0).entity.public_id for id in ("1", "2", "3")]
    assert hub.store.doubles(Kind.CONTACT) == {ids[0]: [ids[1]], ids[2]: [ids[1]]}
    assert hub.store.doubles(Kind.COMPANY) == {}


def test_what_was_read_and_what_moved_is_counted_until_it_is_decided(hub: Hub) -> None:
    hub.land("sales", record("1"), record("2"))
    hub.land("shop", record("3"))
    before = hub.store.backlog()
    assert (before.strangers, before.entities) == (
        {("sales", "contacts"): 2, ("shop", "contacts"): 1},
        0,
    )
    hub.identify()
    assert (hub.store.backlog().strangers, hub.store.backlog().entities) == ({}, 3)
    hub.commit(*[plan(hub.case(id)) for id in hub.due()])
    assert hub.store.backlog().entities == 0


def test_an_open_gate_needs_a_complete_listing_and_no_stranger(hub: Hub) -> None:
    number = hub.store.begin_listing("sales", "contacts", at(0))
    hub.land("sales", record("1"), listing=number)
    hub.identify()
    assert hub.store.gates_open() == {}
    hub.land("sales", record("2"), listing=number, complete=True)
    assert hub.store.gates_open() == {("sales", "contacts"): False}
    hub.identify()
    assert hub.store.gates_open() == {("sales", "contacts"): True}
    hub.land("sales", record("3"))
    assert hub.store.gates_open() == {("sales", "contacts"): False}


# -- who moved and is not decided yet ------------------------------------------------------------------


def test_who_moved_comes_until_it_is_decided(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="a@x.example")
    assert hub.store.moved(Kind.CONTACT, 0, 10) == []
    hub.land("sales", record("1", 2, email="b@x.example"), now=2)
    (link,) = hub.store.moved(Kind.CONTACT, 0, 10)
    assert link.observed["email"] == "b@x.example"
    assert hub.store.moved(Kind.COMPANY, 0, 10) == hub.store.moved(Kind.CONTACT, link.entity_id, 10) == []
    hub.commit(plan(hub.case(case.entity.id)))
    assert hub.store.moved(Kind.CONTACT, 0, 10) == []


def test_a_link_is_found_by_more_keys_and_keeps_those_that_it_has(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="a@x.example")
    new = ("email", "b@x.example")
    for _ in range(2):
        hub.store.find_too(Kind.CONTACT, {case.links[0].id: [new]}, None)
    for key in (EMAIL, new):
        assert [one.entity_id for one in hub.store.candidates(Kind.CONTACT, [key])[key]] == [case.entity.id]
