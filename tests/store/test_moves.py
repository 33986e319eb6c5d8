"""A record that answers under another id: its link moves, and nothing that is known is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.hub import Hub, at, create, done, plan, record, update
from trueup.model.delivery import DeliveryState, Settlement
from trueup.model.entity import LinkState
from trueup.model.fields import Kind
from trueup.model.landing import Landing
from trueup.model.matching import Verdict
from trueup.model.plan import LinkPatch
from trueup.model.record import Record, Ref


def merged_into(id: str, successor: str, changed: float = 5) -> Record:
    return Record(id, {}, changed_at=at(changed), deleted=True, successor=successor)


def test_a_link_moves_to_the_successor_and_its_version_is_dropped(hub: Hub) -> None:
    case = hub.settled("sales", "7", a=1)
    hub.land("sales", merged_into("7", "9"))
    link = hub.link("sales", "9")
    assert link.id == case.links[0].id
    assert (link.remote_id, link.version, link.entity_id) == ("9", None, case.entity.id)
    assert link.observed == {"a": 1}
    assert hub.case(case.entity.id).reasons == ("moved",)


def test_the_old_id_still_leads_to_the_link(hub: Hub) -> None:
    case = hub.settled("sales", "7", a=1)
    hub.land("sales", merged_into("7", "9"))
    assert hub.link("sales", "7").remote_id == "9"
    ref = Ref("sales", "contacts", "7")
    assert hub.store.resolve([ref]) == {ref: case.entity.public_id}


def test_a_late_copy_under_the_old_id_is_no_new_record(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", merged_into("7", "9"))
    landed = hub.land("sales", record("7", 3, a=5))
    assert (landed.new, landed.older) == (0, 1)


def test_a_chain_of_successors_leads_to_the_last_and_makes_no_circle(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", merged_into("7", "8"))
    hub.land("sales", merged_into("8", "9"))
    assert {hub.link("sales", id).remote_id for id in ("7", "8", "9")} == {"9"}
    hub.land("sales", merged_into("9", "7"))
    assert {hub.link("sales", id).remote_id for id in ("7", "8", "9")} == {"7"}


def test_a_move_to_an_old_id_that_is_told_again_leads_nowhere_else(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", merged_into("7", "8"))
    hub.land("sales", merged_into("8", "9"))
    hub.land("sales", merged_into("7", "8"))
    assert {hub.link("sales", id).remote_id for id in ("7", "8", "9")} == {"9"}


def test_a_record_that_answers_under_another_id_than_asked_moves_its_link(hub: Hub) -> None:
    case = hub.settled("sales", "7", a=1)
    hub.land("sales", record("9", 5, a=1), moved=(("7", 0),))
    link = hub.link("sales", "9")
    assert (link.id, link.version, link.remote_id) == (case.links[0].id, "5", "9")
    assert hub.link("sales", "7").id == link.id


def test_other_ids_that_a_record_names_lead_to_it(hub: Hub) -> None:
    hub.land("sales", replace(record("9", 1, a=1), aliases=("7", "8")))
    assert hub.link("sales", "7").remote_id == "9"
    assert hub.land("sales", replace(record("9", 1, a=1), aliases=("7", "8"))).same == 1


@pytest.mark.parametrize("known_before", [True, False])
def test_an_id_that_nobody_knew_leads_to_the_record_it_went_into(hub: Hub, known_before: bool) -> None:
    """Whether that was there before or came with the news; who pointed at the id is decided again."""
    case = hub.settled("shop", "P1", company="7")
    (link,) = case.links
    patch = LinkPatch(link.id, link.rev, {}, {}, True, dangling=(Ref("sales", "contacts", "7"),))
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id), links=(patch,)))
    if known_before:
        hub.land("sales", record("9", 4, a=1))
    hub.land("sales", merged_into("7", "9"), record("9", 5, a=1))
    assert hub.link("sales", "7").remote_id == "9"
    assert hub.case(case.entity.id).reasons == ("reference",)


def test_a_conversion_moves_the_link_to_another_object_with_a_clean_sheet(hub: Hub) -> None:
    """Fields and version of the old object mean nothing there; entity and history stay."""
    lead = Landing("sales", "leads", Kind.CONTACT, (record("L1", 1, Company="Acme"),), at(1))
    hub.store.land(lead, None)
    hub.identify()
    (before,) = hub.store.known("sales", "leads", ["L1"]).values()
    converted = replace(record("L1", 2, Company="Acme"), successor="C1", successor_object="contacts")
    hub.store.land(replace(lead, records=(converted,), at=at(2)), None)
    after = hub.link("sales", "C1")
    assert (after.id, after.entity_id, after.object) == (before.id, before.entity_id, "contacts")
    assert (after.observed, after.version, after.fresh) == ({}, None, True)
    assert hub.store.known("sales", "leads", ["L1"])["L1"].id == before.id
    again = hub.store.land(replace(lead, records=(converted,), at=at(3)), None)
    assert (again.new, again.changed) == (0, 0)


def test_a_write_that_meets_a_conversion_moves_the_link_under_the_same_id_at_once(hub: Hub) -> None:
    """What was known of the fields of the old object means nothing in the new one."""
    case = hub.settled("sales", "7", a=1)
    hub.commit(plan(hub.case(case.entity.id), {"a": 2}, update(case.links[0], a=2)))
    (sent,) = hub.send()
    hub.settle(
        Settlement(
            sent.id,
            DeliveryState.SUPERSEDED,
            remote_id="7",
            object="people",
            drops_version=True,
            due="moved",
        )
    )
    (link,) = hub.store.known("sales", "people", ["7"]).values()
    assert (link.id, link.object, link.observed, link.fresh) == (case.links[0].id, "people", {}, True)
    assert hub.store.known("sales", "contacts", ["7"])["7"].id == link.id
    assert hub.case(case.entity.id).reasons == ("moved",)


def test_two_links_of_one_entity_become_one(hub: Hub) -> None:
    case = hub.linked("shop", "1", "sales", a=1)
    other = hub.land("sales", record("y-1", 1, a=1))
    assert other.new == 1
    (stranger,) = hub.store.strangers([Kind.CONTACT], 0, 10)
    from tests.store.hub import assignment

    hub.store.assign([assignment(stranger, entity_id=case.entity.id)], at(2), None)
    hub.land("sales", merged_into("x-1", "y-1"))
    links = [link for link in hub.case(case.entity.id).links if link.connection == "sales"]
    assert [link.remote_id for link in links] == ["y-1"]
    assert hub.link("sales", "x-1").id == links[0].id


def test_a_link_takes_the_place_of_the_stranger_it_was_merged_into(hub: Hub) -> None:
    """What was read of the surviving record counts as edits of the one that the hub knew."""
    case = hub.settled("sales", "7", a=1, b=1)
    hub.land("sales", record("9", 4, a=2, b=1))
    hub.land("sales", merged_into("7", "9"))
    link = hub.link("sales", "9")
    assert (link.id, link.entity_id) == (case.links[0].id, case.entity.id)
    assert (link.observed, link.base, link.version) == ({"a": 2, "b": 1}, {"a": 1}, "4")
    assert hub.store.strangers([Kind.CONTACT], 0, 10) == []
    assert hub.due() == [case.entity.id]


def test_records_of_two_entities_that_their_system_merged_keep_both_and_are_called_the_same(hub: Hub) -> None:
    one, other = hub.settled("sales", "7", a=1), hub.settled("sales", "9", a=2)
    hub.land("sales", merged_into("7", "9"))
    assert hub.link("sales", "7").state is LinkState.TOMBSTONE
    assert hub.link("sales", "7").entity_id == one.entity.id
    assert hub.link("sales", "9").entity_id == other.entity.id
    (decision,) = hub.store.verdicts([one.links[0].id])
    assert (decision.left, decision.right) == (one.links[0].id, other.links[0].id)
    assert (decision.verdict, decision.author) == (Verdict.SAME, "system:sales")
    assert hub.due() == [one.entity.id, other.entity.id]
    hub.commit(plan(hub.case(one.entity.id)), plan(hub.case(other.entity.id)))
    hub.land("sales", merged_into("7", "9"))
    assert len(hub.store.verdicts([one.links[0].id])) == 1
    assert hub.due() == []


def test_a_write_under_way_survives_the_merge_of_its_record(hub: Hub) -> None:
    case = hub.linked("shop", "1", "sales", a=1)
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    mine = next(link for link in case.links if link.connection == "sales")
    hub.commit(plan(case, {"a": 2}, update(mine, a=2)))
    (sent,) = hub.send()
    hub.land("sales", record("y-1", 1, a=1))
    hub.land("sales", merged_into("x-1", "y-1"))
    assert hub.store.delivery(sent.id).state is DeliveryState.SENT
    assert hub.link("sales", "y-1").id == mine.id
    hub.settle(done(sent))
    assert hub.store.delivery(sent.id).state is DeliveryState.DONE


def test_an_unsent_write_of_an_absorbed_link_is_decided_anew(hub: Hub) -> None:
    case = hub.linked("shop", "1", "sales", a=1)
    hub.land("sales", record("y-1", 1, a=1))
    (stranger,) = hub.store.strangers([Kind.CONTACT], 0, 10)
    from tests.store.hub import assignment

    hub.store.assign([assignment(stranger, entity_id=case.entity.id)], at(2), None)
    case = hub.case(case.entity.id)
    mine = next(link for link in case.links if link.remote_id == "x-1")
    hub.commit(plan(case, {"a": 2}, update(mine, a=2)))
    hub.land("sales", merged_into("x-1", "y-1"))
    assert hub.outstanding() == []
    assert hub.due() == [case.entity.id]


def test_a_write_that_finds_its_record_moved_moves_the_link(hub: Hub) -> None:
    case = hub.linked("shop", "1", "sales", a=1)
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    mine = next(link for link in case.links if link.connection == "sales")
    hub.commit(plan(case, {"a": 2}, update(mine, a=2)))
    (sent,) = hub.send()
    moved = Settlement(sent.id, DeliveryState.SUPERSEDED, remote_id="z", drops_version=True, due="moved")
    hub.settle(moved)
    link = hub.link("sales", "z")
    assert (link.id, link.version, link.state) == (mine.id, None, LinkState.LIVE)
    assert hub.link("sales", "x-1").id == mine.id
    assert hub.case(case.entity.id).reasons == ("moved",)


def test_a_referrer_hears_of_the_id_that_its_record_pointed_at(hub: Hub) -> None:
    case = hub.settled("shop", "1", boss="9")
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    patch = LinkPatch(
        case.links[0].id, case.links[0].rev, {}, {}, True, dangling=(Ref("sales", "contacts", "9"),)
    )
    assert hub.commit(plan(case, links=(patch,))) == []
    hub.settled("sales", "7", a=1)
    assert hub.due() == []
    hub.land("sales", merged_into("7", "9"))
    assert case.entity.id in hub.due()
    assert "reference" in hub.case(case.entity.id).reasons


@pytest.mark.parametrize("known", [False, True])
def test_who_refers_to_an_entity_hears_that_its_record_has_another_id(hub: Hub, known: bool) -> None:
    company, person = hub.settled("sales", "7", a=1), hub.settled("shop", "1", a=1)
    target = company.entity.public_id
    hub.store.mark_due([person.entity.id], "test")
    pointing = plan(hub.case(person.entity.id), {"company": target}, references=(("company", target),))
    assert hub.commit(pointing) == []
    if known:
        hub.land("sales", record("9", 4, a=2))
    assert hub.due() == []
    hub.land("sales", merged_into("7", "9"))
    assert hub.due() == [company.entity.id, person.entity.id]
    assert hub.case(person.entity.id).reasons == ("reference",)


def test_a_create_answered_by_a_wanted_link_stays_wanted_until_it_is_done(hub: Hub) -> None:
    case = hub.settled("sales", "7", a=1)
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id), None, create("shop", a=1)))
    (wanted,) = [link for link in hub.case(case.entity.id).links if link.connection == "shop"]
    assert (wanted.state, wanted.remote_id) == (LinkState.WANTED, None)
