"""A connector for the shelf, written by hand as its author outside the project would; and its harness."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from tests.connectors.accept.shelf import HOST, TOKEN, Shelf
from trueup.connectors.base import (
    Capability,
    Done,
    GoneItem,
    ObjectSpec,
    Outcome,
    Pending,
    RefusedItem,
    StaleItem,
    WebhookRequest,
    WriteItem,
)
from trueup.errors import (
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Transient,
    Unauthorized,
)
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record
from trueup.ports import Budget
from trueup.testing.acceptance import Harness, HttpWay
from trueup.testing.acceptance.clock import HandClock

FIELDS = ("email", "name", "note")
LAG = 30.0
MOST = 10
BEGINNING = "2000-01-01T00:00:00+00:00"
EVERYTHING = frozenset(Capability) - {
    Capability.FIELD_TIMES,
    Capability.ELEMENT_WRITES,
    Capability.WRITE_WHOLE,
}
EVERYTHING -= {Capability.READ_YOUR_WRITES, Capability.DEACTIVATE, Capability.CONTENT_IDS}
LITTLE = frozenset({Capability.COMPLETE_LISTING, Capability.SCHEMA})


class Cards:
    """The connector. What it can is `capabilities`; each step is a method, so that a test can break it."""

    capabilities = EVERYTHING

    def __init__(self, transport: httpx.BaseTransport, clock: HandClock, budget: Budget) -> None:
        self.clock, self.budget = clock, budget
        self.client = httpx.Client(base_url=HOST, transport=transport, timeout=30, trust_env=False)
        self.client.headers["Authorization"] = f"Bearer {TOKEN}"

    def __repr__(self) -> str:
        return "Cards()"

    # -- what it says of itself ---------------------------------------------------------------------------

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities

    def objects(self) -> Mapping[str, ObjectSpec]:
        batch = MOST if self.can(Capability.BATCH_WRITE) else 1
        undo = "cannot be undone" if self.can(Capability.MERGE) else ""
        return {
            "cards": ObjectSpec(
                "cards", "contact", self.capabilities, 100, batch, lag=LAG, keys=("email",), merge_undo=undo
            )
        }

    def whoami(self) -> str:
        return f"shelf {self.get('/me')['shelf']}"

    def fields(self, object: str) -> Sequence[FieldSpec]:
        return [FieldSpec(name, name.title(), "text") for name in self.get("/fields")["fields"]]

    # -- calling ------------------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query, None, Transient, Malformed)

    def ask(self, path: str, body: Any) -> Any:
        return self.call("POST", path, {}, body, Transient, Malformed)

    def send(self, path: str, body: Any) -> Any:
        return self.call("POST", path, {}, body, OutcomeUnknown, OutcomeUnknown)

    def call(self, method: str, path: str, query: Any, body: Any, lost: Any, odd: Any) -> Any:
        """`lost`: the error where no answer came; `odd`: where the answer is none."""
        self.pay()
        try:
            answer = self.transmit(method, path, query, body)
        except httpx.ConnectError:
            raise Transient("no connection") from None
        except httpx.TransportError:
            raise lost("no answer") from None
        return self.judged(answer, lost, odd)

    def pay(self) -> None:
        if (wait := self.budget.ask("shelf", "default", "normal", 1.0)) > 0:
            raise RateLimited("the budget is used up", retry_after=wait)

    def transmit(self, method: str, path: str, query: Any, body: Any) -> httpx.Response:
        return self.client.request(method, path, params=query or None, json=body)

    def judged(self, answer: httpx.Response, lost: Any, odd: Any) -> Any:
        match answer.status_code:
            case 401:
                raise Unauthorized("it does not know us")
            case 429:
                raise self.limited(answer)
            case 422:
                raise Refused("it refuses this")
            case status if status >= 300:
                raise lost(f"answered {status}")
        return self.parsed(answer, odd)

    def limited(self, answer: httpx.Response) -> Exception:
        return RateLimited("too many calls", retry_after=float(answer.headers["Retry-After"]))

    def parsed(self, answer: httpx.Response, odd: Any) -> Any:
        try:
            body = orjson.loads(answer.content)
        except ValueError:
            raise odd("no JSON") from None
        if not isinstance(body, dict) or not {"cards", "results", "job", "shelf", "fields"} & set(body):
            raise odd("of another form")
        return body

    # -- reading ------------------------------------------------------------------------------------------

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        place = dict(cursor or {})
        if "since" not in place:
            place = {"since": self.since()} if reading is Reading.LISTING else {"since": BEGINNING}
        if reading is Reading.LISTING:
            return self.listing(place, fields)
        return self.changes(place, fields)

    def since(self) -> str:
        """Where the next reading of changes has to start if this one begins now."""
        return (self.clock.now() - timedelta(seconds=LAG)).isoformat()

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        body = self.get("/cards", after=place.get("after", ""))
        found = [self.record(card, fields) for card in body["cards"]]
        following = {"since": place["since"]}
        if body["more"]:
            following["after"] = found[-1].id
        return Page(tuple(found), following, body["more"])

    def changes(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        then = place.get("then") or self.since()
        after = place.get("after", "")
        body = self.get("/changes", since=self.asked_since(place), by="stamp", after=after)
        found = [self.record(card, fields) for card in body["cards"] if self.counts(card)]
        if not body["more"]:
            return Page(tuple(found), {"since": then}, False)
        return Page(tuple(found), {**place, "then": then, "after": self.place(body["cards"][-1])}, True)

    def asked_since(self, place: Mapping[str, Json]) -> str:
        return str(place["since"])

    def counts(self, card: Any) -> bool:
        return True

    def place(self, card: Any) -> str:
        return f"{card['stamp']}|{self.id(card)}"

    def id(self, card: Any) -> str:
        return f"{card['id']:04}"

    def record(self, card: Any, fields: Sequence[str]) -> Record:
        return Record(
            self.id(card),
            self.values(card, fields),
            self.version(card),
            self.stamp(card),
            card["deleted"],
            successor=card["into"],
        )

    def values(self, card: Any, fields: Sequence[str]) -> dict[str, Json]:
        return {name: card["values"].get(name) for name in fields}

    def version(self, card: Any) -> str | None:
        return str(card["version"])

    def stamp(self, card: Any) -> datetime:
        return datetime.fromisoformat(card["stamp"])

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        found = {self.id(card): card for card in self.ask("/read", {"ids": list(ids)})["cards"]}
        return [self.one(found.get(id), fields) for id in ids]

    def one(self, card: Any, fields: Sequence[str]) -> Record | GoneItem:
        if card is None or card["deleted"]:
            return GoneItem(card and card["into"])
        return self.record(card, fields)

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        body = self.ask("/find", {"key": key, "values": list(values)})
        return [self.record(card, fields) for card in body["cards"]]

    # -- writing ------------------------------------------------------------------------------------------

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        if self.can(Capability.BATCH_WRITE):
            return self.batch(items, fields)
        return [outcome for item in items for outcome in self.batch([item], fields)]

    def batch(self, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        needs = {WriteKind.DELETE: Capability.DELETE, WriteKind.MERGE: Capability.MERGE}.get(items[0].kind)
        if needs and not self.can(needs):
            return [RefusedItem("the shelf cannot do this") for _ in items]
        body = self.send("/write", {"items": [self.item(item) for item in items]})
        if "job" in body:
            return [Pending(body["job"]) for _ in items]
        return self.matched(body["results"], items, fields)

    def item(self, item: WriteItem) -> dict[str, Json]:
        return {
            "do": str(item.kind),
            "tag": item.key,
            "id": item.id,
            "values": self.sent(item),
            "version": item.version,
            "upsert": item.upsert,
            "once": self.can(Capability.IDEMPOTENCY_KEY),
            "into": item.merge_into,
        }

    def sent(self, item: WriteItem) -> dict[str, Json]:
        return dict(item.values)

    def matched(
        self, results: Sequence[Any], items: Sequence[WriteItem], fields: Sequence[str]
    ) -> Sequence[Outcome]:
        by_tag = {result["tag"]: result for result in results}
        return [self.outcome(by_tag[item.key], item, fields) for item in items]

    def outcome(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        match result.get("error"):
            case None:
                return self.done(result, item, fields)
            case "stale":
                return StaleItem()
            case "gone":
                return GoneItem(result["into"])
        return RefusedItem(result["error"], {result["field"]: result["error"]})

    def done(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        card = result["card"]
        return Done(
            self.id(card), self.record(card, fields), item.kind is WriteKind.CREATE and result["created"]
        )

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        return self.matched(self.get(f"/jobs/{job}")["results"], items, FIELDS)

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        if not self.can(Capability.WEBHOOKS) or not self.signed(request):
            raise Unauthorized("nobody we know sent this")
        return [Hint("cards", id) for id in orjson.loads(request.body)]

    def signed(self, request: WebhookRequest) -> bool:
        digest = hmac.new(TOKEN.encode(), request.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(request.headers.get("X-Signature", ""), digest)

    def close(self) -> None:
        self.client.close()


class Modest(Cards):
    """The same with little more than a listing: what is missing is made up for by the engine."""

    capabilities = LITTLE


class ShelfAtHand:
    """A shelf, the way to it, and its people."""

    secrets = (TOKEN,)

    def __init__(self, kind: type[Cards]) -> None:
        self.kind = kind
        self.shelf = Shelf(jobs=Capability.ASYNC_BATCH in kind.capabilities)
        self.way = HttpWay(
            httpx.MockTransport(self.shelf.handle), lambda request: request.url.path == "/write"
        )

    def connect(self, budget: Budget) -> Cards:
        return self.kind(self.way.opened(), self.shelf.clock, budget)

    def make(self, values: Mapping[str, Json]) -> str:
        return self.shelf.make(values)

    def edit(self, id: str, values: Mapping[str, Json]) -> None:
        self.shelf.edit(id, values)

    def delete(self, id: str) -> None:
        self.shelf.delete(id)

    def merge(self, loser: str, winner: str) -> str:
        self.shelf.delete(loser, winner)
        return winner

    def look(self, id: str) -> Mapping[str, Json] | None:
        return dict(self.shelf.cards[id].values) if id in self.shelf.living() else None

    def ids(self) -> Set[str]:
        return self.shelf.living()

    def webhooks(self) -> Sequence[WebhookRequest]:
        return self.shelf.webhooks()

    def wait(self, seconds: float) -> None:
        self.shelf.clock.advance(seconds)


def shelf_of(kind: type[Cards]) -> Harness:
    """How to play with this connector, or one made from it."""

    @contextmanager
    def start() -> Iterator[ShelfAtHand]:
        yield ShelfAtHand(kind)

    return Harness(
        name=kind.__name__,
        object="cards",
        start=start,
        values=lambda n: {"email": f"a{n}@example.com", "name": f"Card {n}", "note": f"Note {n}"},
        field="name",
        other="note",
        wrong={"name": "x" * 41},
        many=13,
    )
