"""Connections come, sleep, get another name, and go; nobody is deleted by that."""

from __future__ import annotations

import pytest

from tests.store.hub import Hub, at, create, plan, record, update
from trueup.errors import ConfigError, NotFound
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.delivery import DeliveryState
from trueup.model.entity import LinkState
from trueup.model.fields import Kind
from trueup.model.plan import LinkPatch
from trueup.model.record import Ref


def test_links_of_a_connection_that_is_not_configured_sleep_until_it_is(hub: Hub) -> None:
    hub.settled("shop", "1", a=1)
    hub.store.register(["sales"], "v2")
    assert hub.link("shop", "1").state is LinkState.DORMANT
    hub.store.register(["sales", "shop"], "v3")
    assert hub.link("shop", "1").state is LinkState.LIVE


def test_a_tombstone_stays_one_while_its_connection_sleeps(hub: Hub) -> None:
    hub.settled("shop", "1", a=1)
    number = hub.store.begin_listing("shop", "contacts", at(10))
    last = {"listing": number, "complete": True, "implausible": lambda missing, living: False}
    hub.land("shop", now=11, **last)
    hub.store.register(["sales"], "v2")
    hub.store.register(["sales", "shop"], "v3")
    assert hub.link("shop", "1").state is LinkState.TOMBSTONE


def test_it_is_told_whether_the_configuration_changed(hub: Hub) -> None:
    assert hub.store.register(["sales"], "v1") is False
    assert hub.store.register(["sales"], "v2") is True


def test_a_release_makes_withheld_differences_due(hub: Hub) -> None:
    case = hub.settled("shop", "1", a=1)
    hub.settled("shop", "2", a=1)
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    (link,) = case.links
    hub.commit(plan(case, links=(LinkPatch(link.id, link.rev, {}, {}, True, withheld=1),)))
    assert hub.store.released() == frozenset()
    assert hub.store.release("shop", "ann", at(5)) == 1
    assert hub.store.released() == {"shop"}
    assert hub.due() == [case.entity.id]


def test_a_person_approves_writing(hub: Hub) -> None:
    assert hub.store.approved() == frozenset()
    hub.store.approve(["shop", "mail"], "ann", at(1))
    assert hub.store.approved() == {"shop", "mail"}
    with pytest.raises(NotFound, match="'erp'"):
        hub.store.approve(["erp"], "ann", at(1))


def test_a_renamed_connection_keeps_everything(hub: Hub) -> None:
    case = hub.linked("shop", "1", "sales", a=1)
    told = ConsentEvent(
        "ref", "shop/contacts/1", "email", "marketing", ConsentState.OPTED_OUT, at(1), True, "shop"
    )
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id), consent=(told,)))
    assert hub.store.rename_connection("shop", "store", "ann", at(5)) == 1
    after = hub.case(case.entity.id)
    assert [link.connection for link in after.links] == ["store", "sales"]
    assert after.links[0].id == case.links[0].id
    assert [(event.subject, event.source) for event in after.consent] == [("store/contacts/1", "store")]
    ref = Ref("store", "contacts", "1")
    assert hub.store.resolve([ref]) == {ref: case.entity.public_id}


def test_provenance_speaks_of_the_new_name(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    assert case.entity.sources["a"].origin == "sales"
    hub.store.rename_connection("sales", "crm", "ann", at(5))
    assert hub.case(case.entity.id).entity.sources["a"].origin == "crm"


def test_a_connection_cannot_take_the_name_of_another(hub: Hub) -> None:
    with pytest.raises(ConfigError, match="sales"):
        hub.store.rename_connection("shop", "sales", "ann", at(5))
    with pytest.raises(NotFound):
        hub.store.rename_connection("erp", "sap", "ann", at(5))


def test_a_removed_connection_unlinks_and_deletes_nobody(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    assert hub.store.remove_connection("shop", "ann", at(5)) == 1
    after = hub.case(case.entity.id)
    assert [link.connection for link in after.links] == ["sales"]
    assert after.entity == case.entity
    assert after.reasons == ("unlinked",)
    assert hub.store.strangers([Kind.CONTACT], 0, 10) == []
    assert hub.store.count_links() == {("sales", "contacts", "live"): 1}


def test_what_was_under_way_to_a_removed_connection_is_closed(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", "mail", a=1)
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    links = {link.connection: link for link in case.links}
    hub.commit(plan(case, {"a": 2}, update(links["shop"], a=2), update(links["mail"], a=2)))
    (one,) = hub.send()
    hub.store.remove_connection(one.write.connection, "ann", at(5))
    assert hub.store.delivery(one.id).state is DeliveryState.OVERTAKEN
    (other,) = {"shop", "mail"} - {one.write.connection}
    hub.commit(plan(hub.case(case.entity.id)))
    (left,) = hub.outstanding()
    hub.store.remove_connection(other, "ann", at(6))
    assert hub.store.delivery(left.id).state is DeliveryState.SUPERSEDED


def test_records_of_a_connection_that_comes_back_are_identified_again(hub: Hub) -> None:
    hub.settled("shop", "1", a=1)
    hub.store.remove_connection("shop", "ann", at(5))
    hub.store.register(["sales", "shop"], "v2")
    (stranger,) = hub.store.strangers([Kind.CONTACT], 0, 10)
    assert (stranger.remote_id, stranger.fresh, stranger.observed) == ("1", True, {"a": 1})


def test_a_wanted_record_of_a_removed_connection_is_not_wanted_again_when_it_comes_back(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id), None, create("shop", a=1)))
    hub.store.remove_connection("shop", "ann", at(5))
    hub.store.register(["sales", "shop"], "v2")
    assert hub.store.strangers([Kind.CONTACT], 0, 10) == []
    hub.commit(plan(hub.case(case.entity.id)))
    assert hub.outstanding() == []


def test_a_new_record_of_an_unregistered_connection_is_kept(hub: Hub) -> None:
    assert hub.land("erp", record("1", 1, a=1)).new == 1
