"""A request that was refused and did what it asked for: what it made is looked for, and not made again."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from tests.connectors.test_rest import PEOPLE, toy
from trueup.connectors.base import Outcome, RefusedItem, UnknownItem, WriteItem
from trueup.model.delivery import WriteKind

RESULTS = {"items": "results", "match": "order", "failed": "!ok", "error": {"message": "why"}}
FOUND_BY_MAIL: dict[str, Any] = {
    **PEOPLE,
    "keys": ["email"],
    "capabilities": ["incremental", "batch_write", "lookup_by_key"],
    "find": [
        {
            "keys": ["email"],
            "request": {"method": "POST", "path": "/find", "body": {"emails": "{values}"}},
            "records": "people",
            "batch": 10,
        }
    ],
    "write": {
        **PEOPLE["write"],
        "create": {
            "request": {
                "method": "POST",
                "path": "/people",
                "body": {"items": "{items}"},
                "item": {"*": "{values}"},
            },
            "batch": 4,
            "results": RESULTS,
        },
    },
}


class Vendor:
    """Takes everybody but `bad`, and calls the first request bad, whatever it did."""

    def __init__(self, words: dict[str, Any], find: int = 200) -> None:
        self.people: list[str] = []
        self.words, self.find, self.calls = words, find, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        said = orjson.loads(request.content)
        if request.url.path.endswith("/find"):
            there = [one for one in self.people if one.lower() in said["emails"]]
            rows = [{"id": self.people.index(one), "fields": {"email": one}} for one in there]
            return httpx.Response(self.find, json={"people": rows})
        self.calls += 1
        made = [one["email"].capitalize() for one in said["items"] if one["email"] != "bad"]
        if self.calls == 1 or len(made) < len(said["items"]):
            self.people += made if self.calls == 1 else []
            return httpx.Response(400, json=self.words)
        self.people += made
        answered = [{"ok": True, "id": self.people.index(one)} for one in made]
        return httpx.Response(200, json={"results": answered})


def written(vendor: Vendor, *emails: str) -> list[Outcome]:
    items = [WriteItem(f"k{one}", WriteKind.CREATE, None, {"email": one}) for one in emails]
    connector = toy(vendor, objects={"people": FOUND_BY_MAIL})
    return list(connector.write("people", items, ["email"]))


@pytest.mark.parametrize("emails", [("ann@x.com",), ("ann@x.com", "bob@x.com", "cid@x.com")])
def test_what_was_made_nevertheless_is_in_doubt_and_not_made_again(emails: tuple[str, ...]) -> None:
    vendor = Vendor({"why": "bad request"})
    assert written(vendor, *emails) == [UnknownItem("bad request")] * len(emails)
    assert (len(vendor.people), vendor.calls) == (len(emails), 1)


def test_what_was_not_made_is_sent_alone() -> None:
    vendor = Vendor({"why": "bad request"})
    ann, bad, bob = written(vendor, "ann@x.com", "bad", "bob@x.com")
    assert (ann, bob) == (UnknownItem("bad request"), UnknownItem("bad request"))
    assert isinstance(bad, RefusedItem)
    assert sorted(vendor.people) == ["Ann@x.com", "Bob@x.com"]


def test_where_nobody_can_look_all_of_it_is_in_doubt() -> None:
    vendor = Vendor({"why": "bad request"}, find=404)
    assert written(vendor, "ann@x.com", "bob@x.com") == [UnknownItem("bad request")] * 2


def test_who_names_what_is_wrong_is_believed() -> None:
    vendor = Vendor({"why": "duplicate of 77 in email"})
    (outcome,) = written(vendor, "ann@x.com")
    assert isinstance(outcome, RefusedItem)
    assert (outcome.existing_id, vendor.calls) == ("77", 1)
