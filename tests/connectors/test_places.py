"""The place in a stream: what each page asks for and leaves behind, and from where the next run reads."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.connectors.test_rest import PEOPLE, Toy, person, toy
from trueup.connectors.base import GoneItem
from trueup.connectors.rest import RestConnector
from trueup.errors import Malformed, Refused
from trueup.model.record import Cursor, Page, Reading, Record
from trueup.testing.acceptance.clock import HandClock

NOON = "2026-03-01T12:00:00+00:00"
"""When the clock of `kit` starts."""

BY_STAMP = {
    "request": {"path": "/changes", "query": {"since": "{since}", "until": "{until}", "limit": "{limit}"}},
    "next": {"path": "/changes", "query": {"since": "{after_stamp}", "id": "{after}", "until": "{until}"}},
    "records": "people",
    "size": 2,
    "paging": {"kind": "keyset"},
    "since": {"format": "iso_ms", "lookback": 60.0, "position": "newest"},
}
IN_ANY_ORDER = {
    "request": {"path": "/changes", "query": {"since": "{since}", "page": "{after}"}},
    "records": "people",
    "paging": {"kind": "cursor", "token": "next"},
    "since": {"format": "epoch_s", "granularity": 60.0, "lookback": 90.0, "lag": 30.0},
}
BIN = {
    "request": {"path": "/bin", "query": {"since": "{since}", "page": "{after}"}},
    "records": "gone",
    "paging": {"kind": "cursor", "token": "next"},
    "every": 600.0,
    "since": {"format": "iso", "lookback": 60.0},
    "stamp": "died",
}


def connector(vendor: Toy, clock: HandClock | None = None, **changes: Any) -> RestConnector:
    return toy(vendor, clock, objects={"people": {**PEOPLE, **changes}})


def changes(known: RestConnector, cursor: Cursor | None) -> Page:
    return known.pull("people", Reading.CHANGES, cursor, ["name"])


def stamped(id: int, at: str) -> dict[str, Any]:
    return {**person(id), "at": f"2026-03-01T{at}Z"}


def asked(vendor: Toy) -> list[dict[str, str]]:
    return [dict(request.url.params) for request in vendor.asked]


# -- a listing -------------------------------------------------------------------------------------


def test_after_a_listing_the_changes_since_it_began_are_read_however_long_it_took() -> None:
    clock = HandClock()
    vendor = Toy(people=[{"people": [person(1)], "next": "n1"}, {"people": [person(2)]}])
    known = connector(vendor, clock, changes=IN_ANY_ORDER)
    first = known.pull("people", Reading.LISTING, None, ["name"])
    assert first.more
    assert first.cursor == {
        "phase": "listing",
        "started": NOON,
        "after": "n1",
        "after_stamp": "2026-01-01T00:00:00+00:00",
    }
    clock.advance(3600)
    last = known.pull("people", Reading.LISTING, first.cursor, ["name"])
    assert (last.more, last.cursor) == (False, {"since": "2026-03-01T11:59:30+00:00", "swept": NOON})
    assert [one.get("after") for one in asked(vendor)] == [None, "n1"]


def test_a_listing_that_is_begun_anew_forgets_the_place_of_the_changes() -> None:
    vendor = Toy(people=[{"people": []}])
    known = connector(vendor, changes=IN_ANY_ORDER)
    going = {"phase": "changes", "started": "x", "after": "c7", "token": "t", "since": NOON, "swept": NOON}
    page = known.pull("people", Reading.LISTING, going, ["name"])
    assert page.cursor == {"since": "2026-03-01T11:59:30+00:00", "swept": NOON}
    assert "after" not in asked(vendor)[0]


# -- changes in any order --------------------------------------------------------------------------


def test_changes_are_read_from_a_little_before_the_place_and_the_next_run_from_where_this_one_began() -> None:
    clock = HandClock()
    vendor = Toy(changes=[{"people": [stamped(1, "11:30:00")], "next": "p2"}, {"people": []}])
    known = connector(vendor, clock, changes=IN_ANY_ORDER)
    first = changes(known, {"since": "2026-03-01T11:00:45+00:00", "swept": NOON})
    clock.advance(100)
    last = changes(known, first.cursor)
    minute = 1772362740  # 10:59, of 11:00:45 - 90 s
    assert [int(one["since"]) for one in asked(vendor)] == [minute, minute]
    assert asked(vendor)[1]["page"] == "p2"
    assert (first.more, last.more) == (True, False)
    assert last.cursor == {"since": "2026-03-01T11:59:30+00:00", "swept": NOON}


def test_without_a_place_the_changes_begin_with_the_epoch() -> None:
    vendor = Toy(changes=[{"people": []}])
    changes(connector(vendor, changes=IN_ANY_ORDER), None)
    assert asked(vendor) == [{"since": "0"}]


def test_a_listing_is_not_gone_on_with_as_changes() -> None:
    vendor = Toy(changes=[{"people": []}])
    place = {"phase": "listing", "started": "2026-01-01T00:00:00+00:00", "after": "n1", "after_stamp": "x"}
    page = changes(connector(vendor, changes=IN_ANY_ORDER), place)
    assert asked(vendor) == [{"since": "0"}]
    assert page.cursor == {"since": "2026-03-01T11:59:30+00:00"}


# -- changes by stamp and key ----------------------------------------------------------------------


def test_by_stamp_and_key_each_page_begins_behind_the_last_record_and_the_newest_stamp_is_the_place() -> None:
    pages = [
        {"people": [stamped(1, "11:10:00"), stamped(2, "11:20:00")]},
        {"people": [stamped(3, "11:20:00"), stamped(4, "11:15:00")]},
        {"people": [stamped(5, "11:16:00")]},
    ]
    vendor = Toy(changes=pages)
    known = connector(vendor, changes=BY_STAMP)
    page = changes(known, {"since": "2026-03-01T11:00:00+00:00"})
    assert page.cursor == {
        "phase": "changes",
        "since": "2026-03-01T11:00:00+00:00",
        "started": NOON,
        "newest": "2026-03-01T11:20:00+00:00",
        "after": 2,
        "after_stamp": "2026-03-01T11:20:00+00:00",
    }
    page = changes(known, page.cursor)
    page = changes(known, page.cursor)
    until = "2026-03-01T12:00:00.000Z"
    assert asked(vendor) == [
        {"since": "2026-03-01T10:59:00.000Z", "until": until, "limit": "2"},
        {"since": "2026-03-01T11:20:00.000Z", "id": "2", "until": until},
        {"since": "2026-03-01T11:15:00.000Z", "id": "4", "until": until},
    ]
    assert (page.more, page.cursor) == (False, {"since": "2026-03-01T11:20:00+00:00"})


def test_the_place_is_no_later_than_the_beginning_of_the_reading_and_stays_where_nothing_came() -> None:
    vendor = Toy(changes=[{"people": [stamped(1, "12:30:00")]}, {"people": []}])
    known = connector(vendor, changes=BY_STAMP)
    page = changes(known, {"since": "2026-03-01T11:00:00+00:00"})
    assert page.cursor == {"since": NOON}
    assert changes(known, {"since": "2026-03-01T11:00:00+00:00"}).cursor == {
        "since": "2026-03-01T11:00:00+00:00"
    }


def test_a_record_that_ends_two_pages_may_have_moved_but_a_page_that_stands_still_is_an_error() -> None:
    pages = [[stamped(1, "11:10:00"), stamped(2, at)] for at in ("11:20:00", "11:25:00", "11:25:00")]
    vendor = Toy(changes=[{"people": one} for one in pages])
    known = connector(vendor, changes=BY_STAMP)
    page = changes(known, changes(known, None).cursor)
    assert page.more
    with pytest.raises(Malformed):
        changes(known, page.cursor)


def test_a_page_whose_last_record_bears_no_stamp_goes_on_from_the_stamp_before() -> None:
    unstamped = {"id": 4, "fields": {}, "rev": "1"}
    vendor = Toy(
        changes=[
            {"people": [stamped(1, "11:10:00"), stamped(2, "11:20:00")]},
            {"people": [stamped(3, "11:20:00"), unstamped]},
        ]
    )
    known = connector(vendor, changes=BY_STAMP)
    page = changes(known, changes(known, None).cursor)
    assert (page.cursor or {})["after_stamp"] == "2026-03-01T11:20:00+00:00"


def test_where_the_place_of_a_page_is_forgotten_it_is_begun_anew_from_the_newest_that_was_brought() -> None:
    lost = httpx.Response(400, json={"code": "LOST_PLACE"})
    pages = [
        {"people": [stamped(1, "11:10:00"), stamped(2, "11:20:00")]},
        lost,
        {"people": [stamped(2, "11:20:00")]},
    ]
    vendor = Toy(changes=pages)
    known = connector(vendor, changes=BY_STAMP)
    page = changes(known, changes(known, {"since": "2026-03-01T11:00:00+00:00"}).cursor)
    assert asked(vendor)[2] == {
        "since": "2026-03-01T11:19:00.000Z",
        "until": "2026-03-01T12:00:00.000Z",
        "limit": "2",
    }
    assert page.cursor == {"since": "2026-03-01T11:20:00+00:00"}
    again = Toy(changes=[{"people": [stamped(1, "11:10:00")], "next": "p2"}, lost, {"people": []}])
    known = connector(again, changes=IN_ANY_ORDER)
    changes(known, changes(known, {"since": "2026-03-01T11:00:45+00:00"}).cursor)
    assert asked(again)[2] == asked(again)[0]


# -- a token of the vendor -------------------------------------------------------------------------


def test_the_vendors_token_is_kept_from_the_last_page_and_asked_for_in_the_next_run() -> None:
    vendor = Toy(
        changes=[
            {"people": [], "next": "t1", "more": True},
            {"people": [], "next": "t2", "more": False},
            {"people": [], "next": None},
        ]
    )
    known = connector(vendor)
    page = changes(known, {"since": NOON})
    page = changes(known, page.cursor)
    assert (page.more, page.cursor) == (False, {"since": NOON, "token": "t2"})
    page = changes(known, page.cursor)
    assert [one.get("token") for one in asked(vendor)] == [None, "t1", "t2"]
    assert page.cursor == {"since": NOON, "token": "t2"}


def test_a_last_page_without_any_token_is_no_place() -> None:
    with pytest.raises(Malformed, match="no position to go on from"):
        changes(connector(Toy(changes=[{"people": []}])), {"since": NOON})


def test_a_token_that_is_forgotten_is_begun_anew_by_time() -> None:
    vendor = Toy(changes=[httpx.Response(400, json={"code": "LOST_PLACE"}), {"people": [], "next": "t9"}])
    page = changes(connector(vendor), {"since": "2026-03-01T11:00:30+00:00", "token": "t2"})
    assert asked(vendor) == [{"token": "t2"}, {"since": "1772362800"}]
    assert page.cursor == {"since": NOON, "token": "t9"}


# -- deletions -------------------------------------------------------------------------------------


def gone(id: int, at: str) -> dict[str, Any]:
    return {**person(id), "died": f"2026-03-01T{at}Z"}


def test_deletions_are_read_behind_the_changes_and_the_place_of_both_is_kept() -> None:
    clock = HandClock()
    died = [gone(1, "11:48:59"), gone(2, "11:49:00"), {**person(3), "died": None}]
    vendor = Toy(
        changes=[{"people": [stamped(9, "11:59:00")]}], bin=[{"gone": died, "next": "b2"}, {"gone": []}]
    )
    known = connector(vendor, clock, changes=BY_STAMP, deletions=BIN)
    page = changes(known, {"since": "2026-03-01T11:50:00+00:00", "swept": "2026-03-01T11:50:00+00:00"})
    assert page.more
    assert page.cursor == {
        "since": "2026-03-01T11:59:00+00:00",
        "swept": "2026-03-01T11:50:00+00:00",
        "phase": "deletions",
        "started": NOON,
    }
    clock.advance(50)
    page = changes(known, page.cursor)
    assert [(one.id, one.deleted) for one in page.records] == [("2", True), ("3", True)]
    page = changes(known, page.cursor)
    assert (page.more, page.cursor) == (False, {"since": "2026-03-01T11:59:00+00:00", "swept": NOON})
    assert [one["since"] for one in asked(vendor)[1:]] == ["2026-03-01T11:58:00Z"] * 2


@pytest.mark.parametrize(("swept", "read"), [(None, True), ("11:50:00", True), ("11:50:01", False)])
def test_deletions_are_read_no_more_often_than_the_manifest_says(swept: str | None, read: bool) -> None:
    vendor = Toy(changes=[{"people": []}], bin=[{"gone": []}])
    place = {"since": NOON} | ({"swept": f"2026-03-01T{swept}+00:00"} if swept else {})
    page = changes(connector(vendor, changes=IN_ANY_ORDER, deletions=BIN), place)
    assert page.more is read
    assert ("phase" in (page.cursor or {})) is read


def test_what_cannot_be_read_is_refused() -> None:
    without = {name: words for name, words in PEOPLE.items() if name not in ("changes", "read")}
    known = toy(Toy(), objects={"people": {**without, "capabilities": ["batch_write"]}})
    with pytest.raises(Refused, match="people has no reading of changes"):
        changes(known, None)
    with pytest.raises(Refused, match="people cannot be read by id"):
        known.read("people", ["1"], ["name"])
    with pytest.raises(Refused, match="people cannot be looked up by email"):
        known.find("people", "email", ["a@b.de"], ["name"])


# -- counted pages, ids and keys -----------------------------------------------------------------------


def test_pages_that_are_counted_begin_with_the_first() -> None:
    asked_for = ["1", "2", "3"]
    listing = {
        "request": {"path": "/people", "query": {"at": "{after}"}},
        "records": "people",
        "size": 2,
        "paging": {"kind": "page", "first": 1},
    }
    full = {"people": [person(1), person(2)]}
    vendor = Toy(people=[full, full, {"people": []}])
    known = connector(vendor, listing=listing)
    cursor: Cursor | None = None
    for _ in asked_for:
        cursor = known.pull("people", Reading.LISTING, cursor, ["name"]).cursor
    assert [one["at"] for one in asked(vendor)] == asked_for


@pytest.mark.parametrize(("ids", "found"), [("exact", False), ("casefold", True)])
def test_ids_compare_as_the_manifest_says(ids: str, found: bool) -> None:
    many = {"many": {"request": {"path": "/many", "query": {"ids": "{ids}"}}, "records": "people"}}
    vendor = Toy(many=[{"people": [person("AbC")]}] * 2)
    known = connector(vendor, ids=ids, read=many)
    (answer,) = known.read("people", ["abc"], ["name"])
    assert isinstance(answer, Record) is found


@pytest.mark.parametrize(("case", "sent"), [("as_is", "Ann@X.de"), ("lower", "ann@x.de")])
def test_a_value_is_looked_up_in_the_case_that_the_manifest_says(case: str, sent: str) -> None:
    find = {
        "request": {"path": "/find", "query": {"value": "{value}"}},
        "records": "people",
        "keys": ["email"],
        "case": case,
    }
    vendor = Toy(find=[{"people": [person(1)]}])
    (found,) = connector(vendor, find=[find]).find("people", "email", ["Ann@X.de"], ["name"])
    assert (found.id, asked(vendor)) == ("1", [{"value": sent}])


# -- look-ups ------------------------------------------------------------------------------------------

FIND: dict[str, Any] = {
    "request": {
        "path": "/find",
        "query": {"by": "{key}", "any": "{values}", "of": "{object}", "n": "{limit}"},
    },
    "next": {"path": "/find", "query": {"page": "{after}"}},
    "records": "people",
    "paging": {"kind": "cursor", "token": "next"},
    "keys": ["email"],
    "batch": 2,
    "size": 7,
}


def found(vendor: Toy, *values: str, **words: Any) -> list[str]:
    known = connector(vendor, find=[{**FIND, **words}])
    return [one.id for one in known.find("people", "email", [*values], ["name"])]


def test_values_are_looked_up_in_batches_through_all_pages_and_each_record_is_told_once() -> None:
    pages = [
        {"people": [person(1), person(2)], "next": "p2"},
        {"people": [person(2)]},
        {"people": [person(3)]},
    ]
    vendor = Toy(find=pages)
    assert found(vendor, "a", "b", "a", "c") == ["1", "2", "3"]
    assert asked(vendor) == [
        {"by": "email", "any": "a,b", "of": "people", "n": "7"},
        {"page": "p2"},
        {"by": "email", "any": "c", "of": "people", "n": "7"},
    ]


def test_a_look_up_asks_only_for_the_fields_that_are_wanted_and_brings_them() -> None:
    request = {"path": "/find", "query": {"value": "{value}", "fields": "{fields}"}}
    vendor = Toy(find=[{"people": [person(1, name="Ann", secret="x")]}])
    (one,) = connector(vendor, find=[{**FIND, "request": request}]).find("people", "email", ["a"], ["name"])
    assert (asked(vendor), one.values) == ([{"value": "a", "fields": "name"}], {"name": "Ann"})


def test_a_look_up_goes_on_at_the_next_address() -> None:
    vendor = Toy(
        find=[{"people": [person(1)], "more": "https://toy.example/api/find?x=2"}, {"people": [person(2)]}]
    )
    assert found(vendor, "a", paging={"kind": "next_url", "url": "more"}, next=None) == ["1", "2"]
    assert asked(vendor)[1] == {"x": "2"}


def test_each_value_of_a_look_up_can_be_an_item_of_its_own() -> None:
    request = {"method": "POST", "path": "/find", "body": {"any": "{items}"}, "item": {"is": "{value}"}}
    vendor = Toy(find=[{"people": [person(1)]}])
    assert found(vendor, "a", "b", request=request) == ["1"]
    assert vendor.body(0) == {"any": [{"is": "a"}, {"is": "b"}]}


def test_a_key_that_any_object_bears_is_looked_up_by_its_own_way_and_a_key_that_brings_too_much_is_none() -> (
    None
):
    vendor = Toy(find=[{"people": [person(1)]}])
    assert found(vendor, "a", keys=["*"]) == ["1"]
    endless = Toy(find=[{"people": [person(n)], "next": f"p{n}"} for n in range(101)])
    with pytest.raises(Refused, match="more than 100 pages of people have one email"):
        found(endless, "a")
    assert len(endless.asked) == 100


# -- records by id -------------------------------------------------------------------------------------

MANY = {"request": {"path": "/many", "query": {"ids": "{ids}", "fields": "{fields}", "n": "{limit}"}}}
READ_MANY: dict[str, Any] = {"many": {**MANY, "records": "people", "batch": 2}}


def test_what_a_batch_does_not_bring_is_gone_only_where_a_second_one_does_not_either() -> None:
    vendor = Toy(many=[{"people": [person(1)]}, {"people": []}, {"people": [person(2)]}])
    answers = connector(vendor, read=READ_MANY).read("people", ["1", "2", "3", "1"], ["name", "mail"])
    assert [one.id if isinstance(one, Record) else one for one in answers] == ["1", "2", GoneItem(), "1"]
    assert [one["ids"] for one in asked(vendor)] == ["1,2", "3", "2,3"]
    assert [(one["fields"], one["n"]) for one in asked(vendor)][:2] == [
        ("name,mail", "2"),
        ("name,mail", "1"),
    ]


def test_one_bad_id_spoils_no_batch_where_each_can_be_asked_for_by_itself() -> None:
    bad = httpx.Response(400, json={"code": "NO_ID", "why": "x is no id"})
    one = {"one": {"path": "/one/{id}", "query": {"fields": "{fields}"}}, "record": "it"}
    vendor = Toy(many=[bad], one_1=[{"it": person(1)}], one_x=[httpx.Response(404, json={})])
    answers = connector(vendor, read={**READ_MANY, **one}).read("people", ["1", "x"], ["name", "mail"])
    assert [one.id if isinstance(one, Record) else one for one in answers] == ["1", GoneItem()]
    assert asked(vendor)[1] == {"fields": "name,mail"}
    with pytest.raises(Refused, match="x is no id"):
        connector(Toy(many=[bad]), read=READ_MANY).read("people", ["1", "x"], ["name"])


def test_an_answer_without_the_record_that_was_asked_for_is_no_deletion() -> None:
    known = connector(Toy(one_1=[{"it": None}]), read={"one": {"path": "/one/{id}"}, "record": "it"})
    with pytest.raises(Malformed, match="toy: .*the answer holds no record"):
        known.read("people", ["1"], ["name"])


# -- by key alone --------------------------------------------------------------------------------------


def test_by_key_alone_a_page_that_ends_with_the_same_record_is_an_error_whatever_its_stamp() -> None:
    by_key = {**BY_STAMP, "next": {"path": "/changes", "query": {"since": "{since}", "id": "{after}"}}}
    pages = [[stamped(1, "11:10:00"), stamped(2, at)] for at in ("11:20:00", "11:25:00")]
    known = connector(Toy(changes=[{"people": one} for one in pages]), changes=by_key)
    with pytest.raises(Malformed):
        changes(known, changes(known, None).cursor)


def test_where_the_place_of_a_page_is_forgotten_the_first_page_is_asked_for_as_at_the_beginning() -> None:
    """Also by a manifest whose every page is asked for by the last stamp."""
    query = {"since": "{after_stamp}", "id": "{after}"}
    lost = httpx.Response(400, json={"code": "LOST_PLACE"})
    in_any_order = {**BY_STAMP["since"], "position": "start_of_run"}  # type: ignore[dict-item]
    words = {**BY_STAMP, "request": {"path": "/changes", "query": query}, "next": None, "since": in_any_order}
    full = {"people": [stamped(1, "11:10:00"), stamped(2, "11:20:00")]}
    vendor = Toy(changes=[full, lost, {"people": []}])
    known = connector(vendor, changes=words)
    changes(known, changes(known, {"since": "2026-03-01T11:00:00+00:00"}).cursor)
    assert [one["since"][11:16] for one in asked(vendor)] == ["10:59", "11:20", "10:59"]
    assert [one.get("id", "") for one in asked(vendor)] == ["", "2", ""]
