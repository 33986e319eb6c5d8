"""A tiny system over HTTP: a shelf of cards. It pages, lags, refuses, works in jobs and remembers keys."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from trueup.connectors.base import WebhookRequest
from trueup.testing.acceptance.clock import HandClock

TOKEN = "shelf-token-1234"
PAGE = 5
LAG = 5.0
"""Seconds until the list of changes and look-ups show a change."""
LONGEST = 40
HOST = "https://shelf.example"


@dataclass
class Card:
    id: str
    values: dict[str, Any]
    stamp: datetime
    version: int = 1
    deleted: bool = False
    successor: str | None = None


@dataclass
class Shelf:
    """The system. `jobs`: whether updates are taken by remote jobs."""

    clock: HandClock = field(default_factory=HandClock)
    jobs: bool = False
    cards: dict[str, Card] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    under_way: dict[str, list[Any]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    # -- what people and calls do --------------------------------------------------------------------------

    def make(self, values: Mapping[str, Any]) -> str:
        id = f"{len(self.cards) + 1:04}"
        self.cards[id] = Card(id, dict(values), self.clock.now())
        return id

    def edit(self, id: str, values: Mapping[str, Any]) -> None:
        card = self.cards[id]
        card.values |= values
        self._moved(card)

    def delete(self, id: str, successor: str | None = None) -> None:
        card = self.cards[id]
        card.deleted, card.successor = True, successor
        self._moved(card)

    def living(self) -> set[str]:
        return {id for id, card in self.cards.items() if not card.deleted}

    def _moved(self, card: Card) -> None:
        card.stamp, card.version = self.clock.now(), card.version + 1
        self.events.append(card.id)

    # -- answering -----------------------------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return httpx.Response(401, json={"message": "who are you"})
        query, path = request.url.params, request.url.path
        body = orjson.loads(request.content) if request.content else {}
        match request.method, path.strip("/").split("/"):
            case "GET", ["me"]:
                return httpx.Response(200, json={"shelf": "Number 7"})
            case "GET", ["fields"]:
                return httpx.Response(200, json={"fields": ["email", "name", "note"]})
            case "GET", ["cards"]:
                return self._page(self._listed(), query)
            case "GET", ["changes"]:
                return self._page(self._changed(query["since"]), query)
            case "POST", ["read"]:
                return self._cards([self.cards[id] for id in body["ids"] if id in self.cards])
            case "POST", ["find"]:
                return self._cards(self._found(body["key"], body["values"]))
            case "POST", ["write"]:
                return self._write(body["items"])
            case "GET", ["jobs", job]:
                return httpx.Response(200, json={"results": self.under_way[job]})
        return httpx.Response(404, json={"message": "no such place"})

    def _listed(self) -> list[Card]:
        return [card for _, card in sorted(self.cards.items()) if not card.deleted]

    def _changed(self, since: str) -> list[Card]:
        start, shown = datetime.fromisoformat(since), self.clock.now() - timedelta(seconds=LAG)
        found = [card for card in self.cards.values() if start <= card.stamp <= shown]
        return sorted(found, key=_place)

    def _page(self, cards: Sequence[Card], query: httpx.QueryParams) -> httpx.Response:
        """`after`: the place of the last card; `offset`: how many were shown before."""
        after = query.get("after", "")
        places = ["|".join(_place(card)) if query.get("by") == "stamp" else card.id for card in cards]
        rest = [card for card, place in zip(cards, places, strict=True) if place > after]
        rest = rest[int(query.get("offset") or 0) :]
        return httpx.Response(
            200,
            json={"cards": [_said(card) for card in rest[:PAGE]], "more": len(rest) > PAGE,
                  "next": f"{HOST}/cards?after={rest[PAGE - 1].id}" if len(rest) > PAGE else None},
        )  # fmt: skip

    def _cards(self, cards: Sequence[Card]) -> httpx.Response:
        return httpx.Response(200, json={"cards": [_said(card) for card in reversed(cards)]})

    def _found(self, key: str, values: Sequence[Any]) -> list[Card]:
        return [card for card in self._listed() if card.values.get(key) in values]

    # -- writing -------------------------------------------------------------------------------------------

    def _write(self, items: Sequence[Mapping[str, Any]]) -> httpx.Response:
        if len(items) > PAGE * 2:
            return httpx.Response(422, json={"message": "too many at once", "field": ""})
        results = [{"tag": item["tag"], **self._one(item)} for item in items]
        results.reverse()  # whoever goes by position is wrong
        if self.jobs and items[0]["do"] == "update":
            job = f"job-{len(self.under_way) + 1}"
            self.under_way[job] = results
            return httpx.Response(202, json={"job": job})
        return httpx.Response(200, json={"results": results})

    def _one(self, item: Mapping[str, Any]) -> dict[str, Any]:
        values, card = item["values"], self.cards.get(item["id"] or "")
        for name, value in values.items():
            if value is not None and len(value) > LONGEST:
                return {"error": "too long", "field": name}
        if item["do"] == "create":
            return _done(self._created(item), item["tag"])
        if card is None or card.deleted:
            return {"error": "gone", "into": card and card.successor}
        if item.get("version") not in (None, str(card.version)):
            return {"error": "stale"}
        return self._upon(card, item)

    def _upon(self, card: Card, item: Mapping[str, Any]) -> dict[str, Any]:
        match item["do"]:
            case "delete":
                self.delete(card.id)
            case "merge":
                self.delete(card.id, item["into"])
                card = self.cards[item["into"]]
            case _:
                self.edit(card.id, item["values"])
        return _done(card, item["tag"])

    def _created(self, item: Mapping[str, Any]) -> Card:
        key, value = item.get("upsert") or (None, None)
        same = self._found(key, [value]) if key else []
        known = self.made_by.get(item["tag"])
        if same or known:
            return same[0] if same else self.cards[str(known)]
        id = self.make(item["values"])
        if item.get("once"):
            self.made_by[item["tag"]] = id
        return self.cards[id]

    def webhooks(self) -> list[WebhookRequest]:
        body = orjson.dumps(self.events)
        signature = hmac.new(TOKEN.encode(), body, hashlib.sha256).hexdigest()
        return [WebhookRequest("POST", "https://hub.example/hooks", {"X-Signature": signature}, body)]


def _place(card: Card) -> tuple[str, str]:
    return card.stamp.isoformat(timespec="microseconds"), card.id


def _said(card: Card) -> dict[str, Any]:
    return {
        "id": int(card.id),
        "version": card.version,
        "stamp": card.stamp.isoformat(timespec="microseconds"),
        "deleted": card.deleted,
        "into": card.successor,
        "values": card.values,
    }


def _done(card: Card, tag: str) -> dict[str, Any]:
    return {"card": _said(card), "created": card.version == 1}
