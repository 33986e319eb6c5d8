"""A connector that is a manifest: what the vocabulary promises, on a small invented vendor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from tests.connectors.kit import PlainBudget
from trueup.connectors.base import (
    Done,
    Elements,
    GoneItem,
    NotApplied,
    Pending,
    RefusedItem,
    StaleItem,
    UnknownItem,
    WriteItem,
)
from trueup.connectors.manifest import Manifest
from trueup.connectors.registry import ConnectionSettings, session
from trueup.connectors.rest import RestConnector, Steps
from trueup.errors import Gone, Malformed, NotFound, Refused, Unauthorized
from trueup.model.delivery import WriteKind
from trueup.model.record import Json, Reading, Record
from trueup.testing.acceptance.clock import HandClock

PEOPLE: dict[str, Any] = {
    "kind": "contact",
    "capabilities": ["incremental", "batch_write"],
    "record": {
        "id": "id",
        "values": "fields",
        "nested": True,
        "version": "rev",
        "changed_at": "at",
        "deleted": "gone",
        "successor": "into",
    },
    "listing": {
        "request": {
            "path": "/people",
            "query": {"limit": "{limit}", "after": "{after}", "fields": "{fields}"},
        },
        "records": "people",
        "paging": {"kind": "cursor", "token": "next"},
    },
    "changes": {
        "request": {"path": "/changes", "query": {"since": "{since}"}},
        "next": {"path": "/changes", "query": {"token": "{after}"}},
        "records": "people",
        "paging": {"kind": "cursor", "token": "next", "more": "more"},
        "since": {"format": "epoch_s", "granularity": 60.0, "position": "token"},
    },
    "read": {
        "many": {
            "request": {"path": "/people/many", "query": {"ids": "{ids}"}},
            "records": "people",
            "batch": 2,
        },
        "one": {"path": "/people/{id}"},
        "record": "person",
    },
    "write": {
        "create": {
            "request": {"method": "POST", "path": "/people", "body": {"person": "{values}"}},
            "id": "id",
        },
        "update": {
            "request": {
                "method": "PATCH",
                "path": "/people",
                "body": {"items": "{items}"},
                "item": {"id": "{id}", "*": "{values}"},
            },
            "batch": 4,
            "results": {
                "items": "results",
                "match": "order",
                "failed": "!ok",
                "error": {"code": "code", "message": "why"},
            },
        },
        "delete": {
            "request": {"method": "DELETE", "path": "/people/{id}"},
            "guard": {"header": "If-Unmodified-Since", "format": "http_date"},
        },
        "upsert": {
            "request": {"method": "PATCH", "path": "/people/{upsert_key}/{upsert_value}", "body": "{values}"},
            "id": "id",
            "created": "created",
        },
        "merge": {
            "request": {"method": "POST", "path": "/jobs", "body": {"from": "{id}", "to": "{merge_into}"}},
            "job": {
                "id": "job",
                "status": {"path": "/jobs/{job}"},
                "state": "state",
                "done": ["ended"],
                "failed": ["killed"],
            },
            "results": {
                "items": "results",
                "match": "index",
                "failed": "error",
                "error": {"message": "error"},
            },
        },
    },
}
MANIFEST: dict[str, Any] = {
    "name": "toy",
    "title": "Toy",
    "base_url": "https://{host}/api",
    "settings": {"host": {"secret": False}, "token": {}},
    "auth": [{"kind": "bearer", "token": "{token}"}],
    "errors": {
        "body": {"code": "code", "message": "why"},
        "rules": [
            {"code": ["LOCKED"], "kind": "transient", "wait": {"default": 5.0}},
            {"code": ["OLD"], "kind": "stale"},
            {"code": ["LOST_PLACE"], "kind": "expired_paging"},
            {"text": r"duplicate of (?P<existing_id>\d+) in (?P<field>\w+)", "kind": "refused"},
        ],
    },
    "whoami": {"request": {"path": "/me"}, "name": "name"},
    "objects": {"people": PEOPLE},
}
GONE_IF_MISSING = {**PEOPLE, "read": {**PEOPLE["read"], "missing": "gone"}}
Handler = Callable[[httpx.Request], httpx.Response]


class Toy:
    """Answers by path from a list of prepared answers; keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {path: list(each) for path, each in answers.items()}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        name = request.url.path.removeprefix("/api/").replace("/", "_")
        answer = self.answers[name].pop(0)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def body(self, number: int) -> Any:
        return orjson.loads(self.asked[number].content)


def toy(
    handler: Handler, clock: HandClock | None = None, steps: Steps | None = None, **changes: Any
) -> RestConnector:
    manifest = Manifest.model_validate({**MANIFEST, **changes})
    settings = ConnectionSettings("toy", {"token": "toy-token-1234", "host": "toy.example"})
    account = session(manifest, settings, httpx.MockTransport(handler), clock or HandClock(), PlainBudget())
    return RestConnector(account, steps)


def person(id: Any, **fields: Any) -> dict[str, Any]:
    return {"id": id, "fields": fields, "rev": "1", "at": "2026-01-01T00:00:00Z"}


def update(id: str, **values: Any) -> WriteItem:
    return WriteItem(f"k{id}", WriteKind.UPDATE, id, values)


# -- reading


def test_a_parameter_without_a_value_is_left_out_and_lists_are_joined() -> None:
    vendor = Toy(people=[{"people": [], "next": "n1"}, {"people": []}])
    connector = toy(vendor)
    page = connector.pull("people", Reading.LISTING, None, ["a", "b"])
    connector.pull("people", Reading.LISTING, page.cursor, ["a", "b"])
    assert dict(vendor.asked[0].url.params) == {"limit": "100", "fields": "a,b"}
    assert dict(vendor.asked[1].url.params) == {"limit": "100", "after": "n1", "fields": "a,b"}


def test_an_empty_page_with_a_next_token_is_not_the_end() -> None:
    vendor = Toy(people=[{"people": [], "next": "n1"}, {"people": [person(1)]}])
    connector = toy(vendor)
    page = connector.pull("people", Reading.LISTING, None, [])
    assert page.more
    assert [record.id for record in connector.pull("people", Reading.LISTING, page.cursor, []).records] == [
        "1"
    ]


def test_of_two_rows_with_one_id_the_newest_stays() -> None:
    old, new = person(1, a="old"), {**person(1, a="new"), "at": "2026-02-01T00:00:00Z"}
    page = toy(Toy(people=[{"people": [new, old]}])).pull("people", Reading.LISTING, None, ["a"])
    assert [record.values for record in page.records] == [{"a": "new"}]


def test_rows_that_are_no_records_are_rejected_and_the_rest_is_kept() -> None:
    rows: list[Any] = [person(1), {"fields": {}}, "junk", None, person(2.5), person(True)]
    page = toy(Toy(people=[{"people": rows}])).pull("people", Reading.LISTING, None, [])
    assert [record.id for record in page.records] == ["1"]
    assert len(page.rejected) == 5


def test_absent_is_not_empty() -> None:
    row = person(1, a=None, deep={"x": 1}, none=None)
    wanted = ["a", "b", "deep.x", "deep.y", "none.x"]
    page = toy(Toy(people=[{"people": [row]}])).pull("people", Reading.LISTING, None, wanted)
    assert page.records[0].values == {"a": None, "deep.x": 1, "none.x": None}


def test_changes_keep_the_vendors_token_and_start_from_a_rounded_time() -> None:
    vendor = Toy(
        people=[{"people": []}],
        changes=[
            {"people": [person(1)], "next": "t1", "more": True},
            {"people": [], "next": "t2", "more": False},
            {"people": [person(2)], "next": "t3", "more": False},
        ],
    )
    clock = HandClock()
    connector = toy(vendor, clock)
    clock.advance(42)
    cursor = connector.pull("people", Reading.LISTING, None, []).cursor
    for _ in range(3):
        page = connector.pull("people", Reading.CHANGES, cursor, [])
        cursor = page.cursor
    asked = [dict(request.url.params) for request in vendor.asked[1:]]
    assert asked == [{"since": "1772366400"}, {"token": "t1"}, {"token": "t2"}]
    assert [record.id for record in page.records] == ["2"]


def test_a_forgotten_token_starts_again_from_the_last_time() -> None:
    lost = httpx.Response(400, json={"code": "LOST_PLACE"})
    vendor = Toy(
        people=[{"people": []}],
        changes=[{"people": [], "next": "t1"}, lost, {"people": [person(1)], "next": "t9"}],
    )
    connector = toy(vendor)
    cursor = connector.pull("people", Reading.LISTING, None, []).cursor
    cursor = connector.pull("people", Reading.CHANGES, cursor, []).cursor
    page = connector.pull("people", Reading.CHANGES, cursor, [])
    assert [record.id for record in page.records] == ["1"]
    assert "since" in dict(vendor.asked[-1].url.params)


def test_a_listing_started_over_does_not_take_up_a_change_position() -> None:
    vendor = Toy(people=[{"people": []}] * 2, changes=[{"people": [], "next": "t1"}])
    connector = toy(vendor)
    cursor = connector.pull("people", Reading.LISTING, None, []).cursor
    cursor = connector.pull("people", Reading.CHANGES, cursor, []).cursor
    connector.pull("people", Reading.LISTING, cursor, [])
    assert "after" not in dict(vendor.asked[-1].url.params)


def test_the_next_page_on_another_host_is_not_followed() -> None:
    words = {**PEOPLE, "listing": {**PEOPLE["listing"], "paging": {"kind": "next_url", "url": "next"}}}
    vendor = Toy(people=[{"people": [], "next": "https://evil.example/api/people"}])
    connector = toy(vendor, objects={"people": words})
    cursor = connector.pull("people", Reading.LISTING, None, []).cursor
    with pytest.raises(Malformed):
        connector.pull("people", Reading.LISTING, cursor, [])
    assert len(vendor.asked) == 1


def test_ids_are_read_in_batches_and_the_missing_ones_are_asked_for() -> None:
    missing = httpx.Response(404, json={"why": "no such person"})
    vendor = Toy(
        people_many=[{"people": [person(1)]}, {"people": [person(3)]}],
        people_2=[{"person": {**person(9), "rev": "7"}}],
        people_4=[missing],
    )
    found = toy(vendor).read("people", ["1", "2", "3", "4"], [])
    assert [one.id if isinstance(one, Record) else one for one in found] == ["1", "9", "3", GoneItem()]


@pytest.mark.parametrize("row", [{"fields": {}}, {"id": 2.0}, "2"])
def test_a_record_without_an_id_in_the_answer_makes_nobody_a_missing_one(row: Json) -> None:
    vendor = Toy(people_many=[{"people": [person(1), row]}])
    with pytest.raises(Malformed, match="has no id"):
        toy(vendor, objects={"people": GONE_IF_MISSING}).read("people", ["1", "2"], [])


@pytest.mark.parametrize("status", [400, 404])
def test_a_batch_that_is_refused_makes_nobody_a_missing_one(status: int) -> None:
    vendor = Toy(people_many=[httpx.Response(status, json={"why": "no such field"})] * 2)
    with pytest.raises((Refused, Gone)):
        toy(vendor, objects={"people": GONE_IF_MISSING}).read("people", ["1", "2"], [])


@pytest.mark.parametrize("row", [{"fields": {}}, "2"])
def test_a_record_without_an_id_among_those_that_have_a_key_is_not_nobody(row: Json) -> None:
    way = {"keys": ["email"], "records": "people", "request": {"path": "/people/find"}}
    vendor = Toy(people_find=[{"people": [row]}])
    with pytest.raises(Malformed, match="has no id"):
        toy(vendor, objects={"people": {**PEOPLE, "find": [way]}}).find("people", "email", ["a"], [])


def test_a_deleted_record_read_by_id_is_gone_and_names_its_successor() -> None:
    vendor = Toy(people_many=[{"people": [{**person(1), "gone": True, "into": 5}]}])
    assert toy(vendor).read("people", ["1"], []) == [GoneItem("5")]


def test_an_id_stays_one_segment_of_the_address() -> None:
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        many = b"/many" in request.url.raw_path
        return httpx.Response(200, json={"people": []}) if many else httpx.Response(404, json={})

    toy(handler).read("people", ["../admin", "a/b?c#d"], [])
    assert seen[1:] == [b"/api/people/..%2Fadmin", b"/api/people/a%2Fb%3Fc%23d"]


def test_an_unknown_object_and_a_missing_look_up_are_named() -> None:
    connector = toy(Toy())
    with pytest.raises(NotFound):
        connector.pull("animals", Reading.LISTING, None, [])
    with pytest.raises(Refused):
        connector.find("people", "email", ["a"], [])


def test_whoami_without_a_name_is_no_account() -> None:
    with pytest.raises(Unauthorized):
        toy(Toy(me=[{"user": "x"}])).whoami()


# -- writing


def test_results_match_the_items_and_each_failure_has_its_own_outcome() -> None:
    results = [
        {"ok": True, "id": 1},
        {"ok": False, "code": "LOCKED", "why": "row is locked"},
        {"ok": False, "code": "OLD"},
        {"ok": False, "why": "duplicate of 77 in email"},
    ]
    items = [update(str(number), a=number) for number in range(4)]
    outcomes = toy(Toy(people=[{"results": results}])).write("people", items, [])
    assert outcomes[0] == Done("1")
    assert outcomes[1] == NotApplied("row is locked", 5.0)
    assert outcomes[2] == StaleItem()
    assert isinstance(outcomes[3], RefusedItem)
    assert (outcomes[3].existing_id, list(outcomes[3].fields)) == ("77", ["email"])


def test_results_that_do_not_fit_the_items_in_number_leave_all_unknown() -> None:
    vendor = Toy(people=[{"results": [{"ok": True, "id": 1}]}])
    outcomes = toy(vendor).write("people", [update("1"), update("2")], [])
    assert [type(outcome) for outcome in outcomes] == [UnknownItem, UnknownItem]


def test_dotted_fields_are_written_as_objects_and_items_are_spread() -> None:
    vendor = Toy(people=[{"results": [{"ok": True}]}])
    toy(vendor).write("people", [WriteItem("k", WriteKind.UPDATE, "1", {"deep.x": 1, "a": None})], [])
    assert vendor.body(0) == {"items": [{"id": "1", "deep": {"x": 1}, "a": None}]}


def test_a_batch_refused_as_a_whole_is_halved_until_the_bad_item_stands_alone() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        items = orjson.loads(request.content)["items"]
        if any(item["a"] == "bad" for item in items):
            return httpx.Response(400, json={"why": "bad value"})
        return httpx.Response(200, json={"results": [{"ok": True, "id": item["id"]} for item in items]})

    items = [update(str(n), a="bad" if n == 2 else "good") for n in range(4)]
    outcomes = toy(handler).write("people", items, [])
    assert [isinstance(outcome, Done) for outcome in outcomes] == [True, True, False, True]


def test_after_a_first_call_went_through_a_failure_becomes_outcomes() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        items = orjson.loads(request.content)["items"]
        if items[0]["id"] == "4":
            raise httpx.ReadTimeout("by plan")
        return httpx.Response(200, json={"results": [{"ok": True, "id": item["id"]} for item in items]})

    outcomes = toy(handler).write("people", [update(str(n), a=1) for n in range(9)], [])
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Done] * 4 + [UnknownItem] * 4 + [NotApplied]


def test_an_upsert_leaves_the_key_out_of_the_values_and_tells_whether_it_created() -> None:
    vendor = Toy(people_ext_42=[{"id": 5, "created": False}])
    item = WriteItem("k", WriteKind.CREATE, None, {"ext": "42", "a": 1}, upsert=("ext", "42"))
    assert toy(vendor).write("people", [item], []) == [Done("5", None, created=False)]
    assert vendor.body(0) == {"a": 1}


def test_a_guard_is_sent_as_the_vendor_wants_it() -> None:
    vendor = Toy(people_1=[httpx.Response(204), httpx.Response(412)])
    item = WriteItem("k", WriteKind.DELETE, "1", {}, version="2026-01-02T03:04:05.000+0000")
    connector = toy(vendor)
    assert connector.write("people", [item], []) == [Done("1")]
    assert vendor.asked[0].headers["if-unmodified-since"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert connector.write("people", [replace(item, key="l")], []) == [StaleItem()]


def test_a_create_without_an_id_in_the_answer_is_unknown() -> None:
    outcome = toy(Toy(people=[{}])).write("people", [WriteItem("k", WriteKind.CREATE, None, {"a": 1})], [])[0]
    assert isinstance(outcome, UnknownItem)


def test_a_job_is_pending_until_it_ends() -> None:
    vendor = Toy(
        jobs=[{"job": 8}],
        jobs_8=[{"state": "working"}, {"state": "ended", "results": [{"index": 0, "id": 3}]}],
    )
    connector = toy(vendor)
    items = [WriteItem("k", WriteKind.MERGE, "2", {}, merge_into="3")]
    assert connector.write("people", items, []) == [Pending("8")]
    assert connector.poll("people", "8", items) == [Pending("8")]
    assert connector.poll("people", "8", items) == [Done("3")]


def test_a_list_is_not_changed_by_elements_where_the_system_replaces_it_whole() -> None:
    item = WriteItem("k", WriteKind.UPDATE, "1", {"tags": Elements(add=("x",))})
    outcome = toy(Toy()).write("people", [item], [])[0]
    assert isinstance(outcome, RefusedItem)
    assert list(outcome.fields) == ["tags"]


def test_a_step_of_the_vendors_own_replaces_the_whole_step() -> None:
    connector = toy(Toy(), steps=Steps(whoami=lambda session: f"{session.manifest.title}, by hand"))
    assert connector.whoami() == "Toy, by hand"


def test_neither_connector_nor_settings_show_a_secret() -> None:
    connector = toy(Toy())
    settings = ConnectionSettings("toy", {"token": "toy-token-1234"})
    assert "toy-token-1234" not in repr(connector) + repr(vars(connector)) + repr(settings)
