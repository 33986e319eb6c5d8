"""Where an id is made of the content: at the end of a listing an edited record takes its new place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.store.hub import Hub, at, plan, record
from trueup.model.entity import Link, LinkState
from trueup.model.fields import Kind
from trueup.model.landing import Landed
from trueup.model.record import Record

Pairs = list[tuple[Link, Link]]


def in_order(gone: Sequence[Link], come: Sequence[Link], unread: int) -> Pairs:
    """The first that vanished is the first that came."""
    return list(zip(gone, come, strict=False))


def listed(hub: Hub, *records: Record, began: float = 10, **more: Any) -> Landed:
    """A listing of one page, whose ids are made of the content."""
    number = more.pop("number", None) or hub.store.begin_listing("sales", "contacts", at(began))
    said = {"complete": True, "ended": True, "implausible": lambda missing, living: False}
    return hub.land(
        "sales", *records, now=began + 1, listing=number, **(said | {"recognise": in_order} | more)
    )


def test_the_link_moves_with_what_was_read_and_what_stood_there(hub: Hub) -> None:
    case = hub.settled("sales", "a", email="a@x", city="Bonn")
    landed = listed(hub, record("b", 11, email="a@x", city="Rome"))
    assert (landed.recognised, landed.vanished) == (1, 0)
    link = hub.link("sales", "b")
    assert (link.id, link.entity_id) == (case.links[0].id, case.entity.id)
    assert (link.state, link.fresh, link.version) == (LinkState.LIVE, False, "11")
    assert (link.observed, link.base) == ({"email": "a@x", "city": "Rome"}, {"city": "Bonn"})
    assert hub.case(case.entity.id).reasons == ("moved",)


def test_no_stranger_stays_and_the_old_id_leads_to_the_link(hub: Hub) -> None:
    hub.settled("sales", "a", city="Bonn")
    listed(hub, record("b", 11, city="Rome"))
    assert hub.store.strangers(list(Kind), 0, 10) == []
    assert hub.link("sales", "a").remote_id == "b"


def test_a_row_that_is_what_another_one_was_is_a_row_of_its_own(hub: Hub) -> None:
    case = hub.settled("sales", "a", city="Bonn")
    listed(hub, record("b", 11, city="Rome"))
    hub.commit(plan(hub.case(case.entity.id)))
    landed = listed(hub, record("a", 21, city="Bonn"), record("b", 11, city="Rome"), began=20)
    assert (landed.new, landed.same, landed.vanished) == (1, 1, 0)
    assert hub.link("sales", "a").id != hub.link("sales", "b").id


def test_the_next_reading_of_a_moved_record_is_no_news(hub: Hub) -> None:
    hub.settled("sales", "a", city="Bonn")
    listed(hub, record("b", 11, city="Rome"))
    assert listed(hub, record("b", 11, city="Rome"), began=20).same == 1


def test_who_came_with_an_earlier_listing_is_nobody_who_vanished_since(hub: Hub) -> None:
    hub.settled("sales", "a", city="Bonn")
    listed(hub, record("a", 0, city="Bonn"), record("b", 11, city="Rome"))
    landed = listed(hub, record("b", 11, city="Rome"), began=20)
    assert (landed.recognised, landed.vanished) == (0, 1)


def test_of_a_listing_in_several_pages_every_page_counts(hub: Hub) -> None:
    hub.settled("sales", "a", city="Bonn")
    number = hub.store.begin_listing("sales", "contacts", at(10))
    first = listed(hub, record("b", 11, city="Rome"), number=number, complete=False)
    assert (first.new, first.recognised) == (1, 0)
    assert listed(hub, number=number).recognised == 1


def test_who_came_with_a_listing_under_way_waits_for_its_end(hub: Hub) -> None:
    number = hub.store.begin_listing("sales", "contacts", at(10))
    listed(hub, record("b", 11, city="Rome"), number=number, complete=False)
    awaited = [("sales", "contacts")]
    assert hub.store.strangers(list(Kind), 0, 10, awaited) == []
    assert len(hub.store.strangers(list(Kind), 0, 10)) == 1
    listed(hub, number=number)
    assert len(hub.store.strangers(list(Kind), 0, 10, awaited)) == 1


def test_only_what_is_still_missing_then_is_weighed(hub: Hub) -> None:
    for id in ("a", "b", "c"):
        hub.settled("sales", id, city=id)
    told: list[tuple[int, int]] = []
    landed = listed(hub, record("d", 11, city="d"), implausible=lambda *both: bool(told.append(both)))
    assert (landed.recognised, landed.vanished, told) == (1, 2, [(2, 3)])


def test_a_stranger_that_vanished_is_nobody_and_counts_for_nothing(hub: Hub) -> None:
    hub.settled("sales", "c", city="Ulm")
    hub.land("sales", record("a", 0, city="Bonn"))
    told: list[tuple[int, int]] = []
    landed = listed(
        hub,
        record("b", 11, city="Rome"),
        record("c", 0, city="Ulm"),
        implausible=lambda *both: bool(told.append(both)),
    )
    assert (landed.recognised, landed.vanished, told) == (0, 0, [])
    assert [one.remote_id for one in hub.store.strangers(list(Kind), 0, 10)] == ["b"]
    assert "a" not in hub.store.known("sales", "contacts", ["a"])


def test_how_many_rows_were_left_unread_is_told_to_whoever_knows_them_again(hub: Hub) -> None:
    told: list[int] = []

    def nobody(gone: Sequence[Link], come: Sequence[Link], unread: int) -> Pairs:
        told.append(unread)
        return []

    hub.settled("sales", "a", city="Bonn")
    landed = listed(hub, record("b", 11, city="Rome"), rejected=2, recognise=nobody)
    assert (told, landed.doubted, landed.unread) == ([2], 1, 2)


def test_where_nothing_vanished_nobody_is_compared(hub: Hub) -> None:
    told: list[int] = []

    def nobody(gone: Sequence[Link], come: Sequence[Link], unread: int) -> Pairs:
        told.append(len(come))
        return []

    listed(hub, record("a", 11, city="Rome"), record("b", 11, city="Bonn"), recognise=nobody)
    assert told == []
