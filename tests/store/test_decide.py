"""Deciding: who is due, what is known about them, and plans that stand or are left out whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.hub import NOON, Hub, assignment, at, create, plan, record, update
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.delivery import DeliveryState, Lane, WriteKind
from trueup.model.entity import NEVER, Agreed, LinkState, Quarantine, Reference, Source
from trueup.model.fields import Kind
from trueup.model.history import Change, Conflict
from trueup.model.matching import MatchDecision, Verdict
from trueup.model.plan import LinkPatch
from trueup.model.record import Ref


def again(hub: Hub, id: int):  # type: ignore[no-untyped-def]
    """The case of an entity that was made due once more."""
    hub.store.mark_due([id], "test")
    return hub.case(id)


# -- due -----------------------------------------------------------------------------------------------


def test_due_entities_come_by_id_some_at_a_time(hub: Hub) -> None:
    hub.land("sales", *(record(str(n)) for n in range(5)))
    ids = hub.identify()
    assert hub.store.due([Kind.CONTACT], NOON, 0, 3) == ids[:3]
    assert hub.store.due([Kind.CONTACT], NOON, ids[2], 3) == ids[3:]
    assert hub.store.due([Kind.COMPANY], NOON, 0, 3) == []


def test_an_entity_is_due_when_its_time_has_come(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    again_at = plan(again(hub, case.entity.id), look_again_at=at(100))
    hub.commit(again_at)
    assert hub.due(99) == []
    assert hub.due(100) == [case.entity.id]
    hub.commit(plan(hub.case(case.entity.id)))
    assert hub.due(200) == []


def test_a_mark_keeps_all_its_reasons(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.store.mark_due([case.entity.id], "steward")
    hub.land("sales", record("1", 5, a=2))
    assert hub.case(case.entity.id).reasons == ("read", "steward")


def test_a_mark_that_was_renewed_while_deciding_stays(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    decided = plan(again(hub, case.entity.id))
    hub.store.mark_due([case.entity.id], "steward")
    assert hub.commit(decided) == []
    assert hub.due() == [case.entity.id]


def test_another_configuration_makes_every_entity_due(hub: Hub) -> None:
    hub.settled("sales", "1")
    hub.settled("sales", "2")
    decided = plan(again(hub, 1))
    hub.store.register(["sales", "shop", "mail"], "v2")
    hub.commit(decided)
    assert hub.due() == [1, 2]
    assert hub.case(2).reasons == ("config",)


# -- commit --------------------------------------------------------------------------------------------


def test_a_committed_plan_is_what_is_loaded_next(hub: Hub) -> None:
    hub.land("sales", record("1", 0, email="a@x.example"))
    (id,) = hub.identify()
    case = hub.case(id)
    values = {"email": "a@x.example", "tags": ["a", "b"], "score": 0, "active": False}
    seen = Source("sales", "first", at(1), ref="sales/contacts/1")
    typed = Source("hub", "hub", at(2), user="ann", pinned=True)
    sources = {"email": seen, "tags": seen, "score": typed, "active": seen}
    entity = replace(case.entity, values=values, sources=sources, provisional=True)
    assert hub.commit(plan(case, entity=entity)) == []
    after = hub.case(id)
    assert after.entity == replace(entity, revision=1)
    assert (after.mark, after.reasons, hub.due()) == (0, (), [])
    assert after.links[0].fresh is False


def test_agreements_and_quarantine_are_kept_as_they_are(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.land("sales", record("1", 5, a=2))
    agreed = {
        "a": Agreed(NEVER, None),
        "b": Agreed(["x"], "x;", withheld=True),
        "c": Agreed(None, "filler", left=True),
    }
    aside = {"d": Quarantine("in", "not an address", "TU-VAL-001", "ff", at(3))}
    case = hub.case(case.entity.id)
    patch = LinkPatch(case.links[0].id, case.links[0].rev, agreed, aside, False, withheld=2)
    hub.commit(plan(case, links=(patch,)))
    (link,) = hub.case(case.entity.id).links
    assert (link.agreed, link.quarantine, link.base, link.primary) == (agreed, aside, {}, False)
    assert link.agreed["a"].hub is NEVER
    assert hub.store.withheld("sales", "contacts", 0, 10) == [case.entity.id]
    assert hub.store.quarantined("sales", 10) == [(link, "d", aside["d"])]
    hub.commit(plan(again(hub, case.entity.id)))
    (link,) = hub.case(case.entity.id).links
    assert (link.agreed, link.quarantine) == ({}, {})


def test_a_plan_on_an_entity_that_moved_is_left_out_and_the_others_stand(hub: Hub) -> None:
    one, other = hub.settled("sales", "1", a=1), hub.settled("sales", "2", a=1)
    stale, fresh = again(hub, one.entity.id), again(hub, other.entity.id)
    hub.commit(plan(again(hub, one.entity.id), {"a": 5}))
    hub.store.mark_due([one.entity.id], "test")
    assert hub.commit(plan(stale, {"a": 7}), plan(fresh, {"a": 8})) == [one.entity.id]
    assert hub.case(one.entity.id).entity.values == {"a": 5}
    assert hub.case(other.entity.id).entity.values == {"a": 8}
    assert hub.due() == [one.entity.id]


def test_a_plan_that_judges_no_link_is_held_to_the_revision_too(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    stale = plan(again(hub, case.entity.id), {"a": 7}, links=())
    hub.commit(plan(again(hub, case.entity.id), {"a": 5}, links=()))
    assert hub.commit(stale) == [case.entity.id]
    assert hub.case(case.entity.id).entity.values == {"a": 5}


def test_a_plan_on_a_link_that_was_read_meanwhile_is_left_out(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    stale = plan(again(hub, case.entity.id), {"a": 7})
    hub.land("sales", record("1", 5, a=2))
    assert hub.commit(stale) == [case.entity.id]
    assert hub.link("sales", "1").base == {"a": 1}


def test_a_plan_that_would_replace_a_write_that_went_out_meanwhile_is_left_out(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    (mine,) = [link for link in case.links if link.connection == "shop"]
    hub.commit(plan(again(hub, case.entity.id), {"a": 2}, update(mine, a=2)))
    case = hub.case(case.entity.id)
    (open,) = case.open
    hub.send()
    stale = plan(case, {"a": 3}, update(mine, a=3), links=(), superseded=(open.id,))
    assert hub.commit(stale) == [case.entity.id]
    assert hub.store.delivery(open.id).state is DeliveryState.SENT


def test_an_entity_whose_write_went_out_while_it_was_decided_stays_due(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    (mine,) = [link for link in case.links if link.connection == "shop"]
    hub.commit(plan(again(hub, case.entity.id), {"a": 2}, update(mine, Lane.URGENT, a=2)))
    deferring = plan(again(hub, case.entity.id), {"a": 3}, links=())
    hub.send()
    assert hub.commit(deferring) == []
    assert hub.due() == [case.entity.id]


def test_a_decision_without_any_change_takes_the_mark_and_keeps_the_revision(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    assert hub.commit(plan(again(hub, case.entity.id))) == []
    assert hub.case(case.entity.id).entity == case.entity
    assert hub.due() == []
    assert len(hub.store.history(case.entity.public_id, 10)) == 1


def test_a_newer_write_replaces_one_that_was_never_sent(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    (mine,) = [link for link in case.links if link.connection == "shop"]
    hub.commit(plan(again(hub, case.entity.id), {"a": 2}, update(mine, a=2)))
    case = again(hub, case.entity.id)
    old = case.open[0].id
    (mine,) = [link for link in case.links if link.connection == "shop"]
    assert hub.commit(plan(case, {"a": 3}, update(mine, a=3), superseded=(old,))) == []
    assert hub.store.delivery(old).state is DeliveryState.SUPERSEDED
    assert [one.write.values for one in hub.outstanding()] == [{"a": 3}]


def test_an_open_write_tells_its_bindings_lane_and_digest(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1, b=1)
    (mine,) = [link for link in case.links if link.connection == "shop"]
    hub.commit(plan(again(hub, case.entity.id), {"a": 2}, update(mine, Lane.URGENT, a=2)))
    (open,) = hub.case(case.entity.id).open
    assert (open.link_id, open.lane, open.kind) == (mine.id, Lane.URGENT, WriteKind.UPDATE)
    assert (open.state, dict(open.wants)) == (DeliveryState.DUE, {"a": 2})
    from trueup.sync.rules.lanes import write_digest

    assert open.digest == write_digest(update(mine, a=2))


def test_one_record_is_wanted_once_however_often_it_is_decided(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    first = again(hub, case.entity.id)
    hub.commit(plan(first, None, create("shop", a=1)))
    hub.commit(plan(again(hub, case.entity.id), None, create("shop", a=1), links=()))
    (wanted,) = [link for link in hub.case(case.entity.id).links if link.state is LinkState.WANTED]
    assert len(hub.outstanding()) == 1
    assert hub.case(case.entity.id).open[0].link_id == wanted.id


def test_a_replaced_create_uses_the_same_wanted_link(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.commit(plan(again(hub, case.entity.id), None, create("shop", a=1)))
    case = again(hub, case.entity.id)
    newer = plan(case, {"a": 2}, create("shop", a=2), superseded=(case.open[0].id,))
    assert hub.commit(newer) == []
    assert [link.state for link in hub.case(case.entity.id).links] == [LinkState.LIVE, LinkState.WANTED]
    assert [one.write.values for one in hub.outstanding()] == [{"a": 2}]


# -- what hangs on an entity ---------------------------------------------------------------------------


def test_a_changed_entity_makes_its_referrers_due(hub: Hub) -> None:
    company, person = hub.settled("sales", "1", name="Acme"), hub.settled("sales", "2", a=1)
    target = company.entity.public_id
    hub.commit(plan(again(hub, person.entity.id), {"company": target}, references=(("company", target),)))
    hub.commit(plan(again(hub, company.entity.id)))
    assert hub.due() == []
    hub.commit(plan(again(hub, company.entity.id), {"name": "Acme Ltd"}))
    assert hub.due() == [person.entity.id]
    assert hub.case(person.entity.id).reasons == ("reference",)


def test_who_refers_to_an_entity_hears_that_another_record_stands_for_it(hub: Hub) -> None:
    company, person = hub.linked("sales", "1", "shop", name="Acme"), hub.settled("sales", "2", a=1)
    target = company.entity.public_id
    hub.commit(plan(again(hub, person.entity.id), {"company": target}, references=(("company", target),)))

    def ranked(**primary: bool) -> None:
        case = again(hub, company.entity.id)
        ranks = [LinkPatch(one.id, one.rev, {}, {}, primary[one.connection]) for one in case.links]
        assert hub.commit(plan(case, links=tuple(ranks))) == []

    ranked(sales=True, shop=False)
    assert hub.due() == []
    ranked(sales=False, shop=True)
    assert hub.due() == [person.entity.id]
    assert hub.case(person.entity.id).reasons == ("reference",)


def test_who_refers_to_an_entity_hears_that_its_record_is_back(hub: Hub) -> None:
    company, person = hub.settled("sales", "1", name="Acme"), hub.settled("sales", "2", a=1)
    target = company.entity.public_id
    hub.land("sales", replace(record("1", 1), deleted=True), now=1)
    hub.commit(plan(again(hub, company.entity.id)))
    hub.commit(plan(again(hub, person.entity.id), {"company": target}, references=(("company", target),)))
    assert hub.due() == []
    hub.land("sales", record("1", 2, name="Acme"), now=2)
    assert hub.case(company.entity.id).reasons == ("restored",)
    assert hub.case(person.entity.id).reasons == ("reference",)


def test_references_tell_values_and_where_an_entity_is(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", name="Acme")
    name = case.entity.public_id
    places = {("sales", "contacts"): "1", ("shop", "contacts"): "x-1"}
    assert hub.store.references([name, "c-999"]) == {name: Reference(name, {"name": "Acme"}, places)}


def test_refs_resolve_to_public_ids_of_entities(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.land("sales", record("2"))
    refs = [Ref("sales", "contacts", id) for id in ("1", "2", "3")] + [Ref("erp", "x", "1")]
    assert hub.store.resolve(refs) == {refs[0]: case.entity.public_id}


def test_a_dangling_reference_makes_its_referrer_due_when_its_target_is_known(hub: Hub) -> None:
    case = hub.settled("sales", "1", boss="9")
    case = again(hub, case.entity.id)
    (link,) = case.links
    patch = LinkPatch(link.id, link.rev, {}, {}, True, dangling=(Ref("shop", "contacts", "9"),))
    hub.commit(plan(case, links=(patch,)))
    hub.land("shop", record("9"))
    assert hub.due() == []
    hub.identify()
    assert hub.case(case.entity.id).reasons == ("reference",)


def test_a_hub_edit_is_a_claim_that_is_read_once(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.store.edit(case.entity.public_id, {"a": 2, "b": None}, "ann", at(5), True)
    case = hub.case(case.entity.id)
    assert [(e.field, e.value, e.user, e.at, e.pin) for e in case.edits] == [
        ("a", 2, "ann", at(5), True),
        ("b", None, "ann", at(5), True),
    ]
    assert case.reasons == ("edit",)
    hub.commit(plan(case, {"a": 2}, edits=tuple(e.id for e in case.edits)))
    assert hub.case(case.entity.id).edits == ()


# -- history -------------------------------------------------------------------------------------------


def test_a_first_sight_names_its_record_and_its_values_can_still_be_told(hub: Hub) -> None:
    hub.land("sales", record("1", 0, a=1, b=2))
    (id,) = hub.identify()
    case, ref = hub.case(id), "sales/contacts/1"
    sight = tuple(Change(name, None, value, ref, "first sight") for name, value in (("a", 1), ("b", 2)))
    hub.commit(plan(case, {"a": 1, "b": 2}, changes=sight), run=4, now=1)
    hub.commit(plan(again(hub, id), {"a": 9, "b": 2}), run=5, now=2)
    newest, first = hub.store.history(case.entity.public_id, 10)
    assert (first.at, first.run_id, first.revision, first.first_sight) == (at(1), 4, 1, ref)
    assert set(first.changes) == set(sight)
    assert [(one.field, one.old, one.new) for one in newest.changes] == [("a", 1, 9)]
    assert newest.revision == 2


def test_a_first_sight_can_be_told_field_by_field_when_they_have_changed_since(hub: Hub) -> None:
    hub.land("sales", record("1", 0, a=1, b=2))
    (id,) = hub.identify()
    case, ref = hub.case(id), "sales/contacts/1"
    sight = tuple(Change(name, None, value, ref, "first sight") for name, value in (("a", 1), ("b", 2)))
    follows = Change("all", None, [1, 2], "rule", "follows a")
    first = {"a": 1, "b": 2, "all": [1, 2]}
    hub.commit(plan(case, first, changes=(*sight, follows)))
    for values in ({**first, "a": 9, "new": 1}, {"b": 2, "all": [9, 2]}, {"a": 7, "b": 3}):
        hub.commit(plan(again(hub, id), values))
    *_, oldest = hub.store.history(case.entity.public_id, 10)
    assert sorted(oldest.changes, key=str) == sorted((*sight, follows), key=str)


def test_a_lost_edit_is_kept_with_its_winner_named(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    lost = Conflict("a", 5, "shop/contacts/2", 1, "sales/contacts/1", "authority")
    hub.commit(plan(again(hub, case.entity.id), conflicts=(lost,)))
    assert hub.store.history(case.entity.public_id, 1)[0].conflicts == (lost,)


# -- consent -------------------------------------------------------------------------------------------


def event(subject: str, kind: str = "address", state: ConsentState = ConsentState.OPTED_OUT) -> ConsentEvent:
    return ConsentEvent(kind, subject, "email", "marketing", state, at(1), True, "mail", "unsubscribed")


def test_consent_follows_the_address_to_whoever_holds_it(hub: Hub) -> None:
    one = hub.settled("sales", "1", email="Ann@X.example")
    told = event("ann@x.example")
    hub.commit(plan(again(hub, one.entity.id), consent=(told,)))
    other = hub.settled("shop", "2", email="ann@x.example")
    assert hub.case(one.entity.id).consent == (told,)
    assert hub.case(other.entity.id).consent == (told,)


def test_who_shares_an_address_hears_of_its_opt_out(hub: Hub) -> None:
    one = hub.settled("sales", "1", email="ann@x.example")
    other = hub.settled("shop", "2", email="ann@x.example")
    hub.commit(plan(again(hub, one.entity.id), consent=(event("ann@x.example"),)))
    assert hub.due() == [other.entity.id]
    assert hub.case(other.entity.id).reasons == ("consent",)


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ([Verdict.UNSURE], True),
        ([Verdict.UNSURE, Verdict.SAME], True),
        ([Verdict.UNSURE, Verdict.DIFFERENT], False),
        ([Verdict.SAME, Verdict.DIFFERENT], False),
    ],
)
def test_the_opt_out_of_who_may_be_the_same_or_is_counts_until_they_are_apart(
    hub: Hub, said: Sequence[Verdict], counts: bool
) -> None:
    one, other = hub.settled("sales", "1", a=1), hub.settled("shop", "2", a=1)
    (left,), (right,) = one.links, other.links
    hub.land("sales", record("3", a=2))
    (third,) = hub.store.strangers([Kind.CONTACT], 0, 9)
    told = [MatchDecision(left.id, right.id, word, 0.7, {}, "matcher", at(1)) for word in said]
    hub.store.assign([replace(assignment(third), decisions=tuple(told))], at(1), None)
    out = event("sales/contacts/1", "ref")
    hub.commit(plan(again(hub, one.entity.id), consent=(out,)))
    assert hub.case(other.entity.id).rival_consent == ((out,) if counts else ())
    assert hub.case(other.entity.id).reasons == (("consent",) if counts else ())


def test_an_address_that_was_left_still_counts(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="old@x.example")
    told = event("old@x.example")
    hub.commit(plan(again(hub, case.entity.id), {"email": "new@x.example"}, consent=(told,)))
    assert hub.case(case.entity.id).consent == (told,)


def test_consent_of_a_record_follows_its_old_ids_too(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    told = event("sales/contacts/1", "ref")
    hub.commit(plan(again(hub, case.entity.id), consent=(told,)))
    hub.land("sales", record("9", 5, a=1), moved=(("1", 0),))
    assert hub.case(case.entity.id).consent == (told,)


def test_the_ledger_holds_an_event_once(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="a@x.example")
    first, later = event("a@x.example"), replace(event("a@x.example"), at=NOON + timedelta(days=1))
    hub.commit(plan(again(hub, case.entity.id), consent=(first, first)))
    hub.commit(plan(again(hub, case.entity.id), consent=(first, later)))
    assert hub.case(case.entity.id).consent == (first, later)


def test_a_link_that_came_later_shows_up_with_the_entity(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.land("shop", record("2"))
    (stranger,) = hub.store.strangers([Kind.CONTACT], 0, 10)
    hub.store.assign([assignment(stranger, entity_id=case.entity.id)], at(1), None)
    assert [link.connection for link in hub.case(case.entity.id).links] == ["sales", "shop"]


KEY = ("email", "ann@example.com")


def test_a_link_whose_record_is_not_wanted_any_more_leaves_nothing_behind(hub: Hub) -> None:
    hub.land("sales", record("1", email="ann@example.com"))
    (id,) = hub.identify()
    hub.commit(plan(hub.case(id), {"email": "ann@example.com"}, create("shop", email="ann@example.com")))
    case = hub.case(id)
    (one,) = case.open
    hub.commit(plan(case, links=(), superseded=(one.id,), unwanted=(one.link_id,)))
    assert [link.connection for link in hub.case(id).links] == ["sales"]
    assert list(hub.store.deliveries([*DeliveryState], None, 9)) == []
    assert [one.connection for one in hub.store.candidates(Kind.CONTACT, [KEY])[KEY]] == ["sales"]


def test_a_link_is_not_given_up_once_its_create_was_sent(hub: Hub) -> None:
    hub.land("sales", record("1", email="ann@example.com"))
    (id,) = hub.identify()
    hub.commit(plan(hub.case(id), {"email": "ann@example.com"}, create("shop", email="ann@example.com")))
    case = hub.case(id)
    (one,) = case.open
    (due,) = hub.outstanding()
    hub.store.send({one.id: due.link.rev}, "w", at(1), None)
    assert hub.commit(plan(case, links=(), superseded=(one.id,), unwanted=(one.link_id,))) == [id]
    assert len(hub.case(id).links) == 2
