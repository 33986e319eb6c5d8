"""What people ask."""

from __future__ import annotations

import pytest

from tests.store.hub import Hub, at, create, plan
from trueup.errors import NotFound
from trueup.model.delivery import DeliveryState
from trueup.model.fields import Kind

ANN = {"email": "ann@x.example", "first_name": "Ann", "last_name": "Lee-Šmíd"}


def test_a_person_is_found_by_id_key_record_and_name(hub: Hub) -> None:
    ann = hub.settled("sales", "rec-1", **ANN).entity.public_id
    hub.settled("sales", "rec-2", email="bob@x.example", first_name="Bob", last_name="Lee")
    for typed in (ann, " ann@x.example ", "ANN@x.example", "rec-1", "ann", "lee-š", "ann lee-šmíd"):
        assert hub.store.find(Kind.CONTACT, typed, 10)[0] == ann, typed


def test_a_search_answers_no_more_than_asked_and_nothing_for_nothing(hub: Hub) -> None:
    for n in range(3):
        hub.settled("sales", str(n), first_name="Ann", last_name=str(n))
    assert len(hub.store.find(Kind.CONTACT, "ann", 2)) == 2
    assert hub.store.find(Kind.CONTACT, "  ", 10) == []
    assert hub.store.find(Kind.COMPANY, "ann", 10) == []


@pytest.mark.parametrize("typed", ["%", "_", "!", "'", "\\", "c-999", "c-", "x-1", "100%"])
def test_no_typed_text_means_more_than_it_says(hub: Hub, typed: str) -> None:
    hub.settled("sales", "1", **ANN)
    assert hub.store.find(Kind.CONTACT, typed, 10) == []


def test_an_entity_is_shown_with_everything(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    assert hub.store.case(case.entity.public_id) == case


@pytest.mark.parametrize("name", ["c-999", "co-1", "17", "c-x", "", "c-١"])
def test_an_entity_that_does_not_exist_is_named(hub: Hub, name: str) -> None:
    hub.settled("sales", "1", a=1)
    with pytest.raises(NotFound):
        hub.store.case(name)


def test_deliveries_come_newest_first(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id), None, create("shop", a=1), create("mail", a=1)))
    found = hub.store.deliveries([DeliveryState.DUE], None, 10)
    assert [one.write.connection for one in found] == ["mail", "shop"]
    assert [one.write.connection for one in hub.store.deliveries([DeliveryState.DUE], "shop", 10)] == ["shop"]
    assert hub.store.deliveries([DeliveryState.DONE], None, 10) == []


def test_links_are_counted_by_state(hub: Hub) -> None:
    hub.linked("sales", "1", "shop", a=1)
    hub.settled("sales", "2", a=1)
    counted = {("sales", "contacts", "live"): 2, ("shop", "contacts", "live"): 1}
    assert hub.store.count_links() == counted


def test_history_is_newest_first_and_no_longer_than_asked(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=0)
    for n in range(1, 4):
        hub.store.mark_due([case.entity.id], "test")
        hub.commit(plan(hub.case(case.entity.id), {"a": n}), now=n)
    rows = hub.store.history(case.entity.public_id, 2)
    assert [(row.at, row.changes[0].old, row.changes[0].new) for row in rows] == [
        (at(3), 2, 3),
        (at(2), 1, 2),
    ]
