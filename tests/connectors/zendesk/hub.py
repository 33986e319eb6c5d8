"""The hub's side against the stand-in: the connector, its calls held against the vendor's description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from tests.connectors.spec import SpecTransport
from tests.connectors.zendesk.desk import Desk
from tests.shared import shared
from trueup.connectors.base import Connector, Outcome, WriteItem
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, Page, Reading, Record

FIELDS = [
    *("name", "email", "identities.email", "phone", "tags"),
    *("external_id", "organization_id", "user_fields.tier"),
]
AUTH = {"kind": "basic", "subdomain": "acme", "user": "robot@acme.example", "token": "zd-token"}


class DeskClock:
    """The desk's clock as the hub's; a sleep lets it go on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def now(self) -> datetime:
        return self.desk.now

    def sleep(self, seconds: float) -> None:
        self.desk.wait(seconds)


class OpenBudget:
    """Every call may go; what the answers told is kept."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.learned: list[tuple[str, float | None, float | None]] = []

    def ask(self, connection: str, group: str, lane: str, cost: float) -> float:
        self.asked.append(group)
        return 0.0

    def learn(self, connection: str, group: str, remaining: float | None, reset_in: float | None) -> None:
        self.learned.append((group, remaining, reset_in))


class Described(httpx.BaseTransport):
    """Every call held against the vendor's description, with its one error put right: it wants `start_time`
    with each export, although an export goes on with the cursor alone (as its own examples show)."""

    def __init__(self, desk: Desk) -> None:
        spec = shared("specs", "zendesk", "zendesk-support-v2.openapi.json")
        self._strict = SpecTransport(desk.vendor, spec)
        self.unknown = self._strict.unknown

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            url = request.url.copy_add_param("start_time", "0")
            request = httpx.Request(request.method, url, headers=request.headers)
        return self._strict.handle_request(request)


class Hub:
    """A connector of a desk. `described=False` where the vendor's description has no word for the answers."""

    def __init__(self, desk: Desk, *, described: bool = True, **options: Any) -> None:
        self.desk, self.vendor, self.budget = desk, desk.vendor, OpenBudget()
        settings = ConnectionSettings("support", {**AUTH, "signing_secret": "zd-signing-secret"}, options)
        transport = Described(desk) if described else desk.vendor.transport()
        self.unknown = transport.unknown if isinstance(transport, Described) else set()
        clock = DeskClock(desk)
        self.connector: Connector = connector_kind("zendesk").build(settings, transport, clock, self.budget)

    def pages(self, reading: Reading, cursor: Cursor | None, object: str = "users") -> list[Page]:
        """All pages of a reading; exports may be asked ten times a minute, so time goes on between them."""
        pages = [self.connector.pull(object, reading, cursor, FIELDS)]
        while pages[-1].more:
            self.desk.wait(7)
            pages.append(self.connector.pull(object, reading, pages[-1].cursor, FIELDS))
        return pages

    def listing(self, object: str = "users") -> tuple[dict[str, Record], Cursor]:
        pages = self.pages(Reading.LISTING, None, object)
        return {record.id: record for page in pages for record in page.records}, pages[-1].cursor

    def changes(self, cursor: Cursor | None, object: str = "users") -> tuple[dict[str, Record], Cursor]:
        pages = self.pages(Reading.CHANGES, cursor, object)
        return {record.id: record for page in pages for record in page.records}, pages[-1].cursor

    def write(self, *items: WriteItem, object: str = "users") -> Sequence[Outcome]:
        return self.connector.write(object, items, FIELDS)


def create(key: str, values: Mapping[str, Any], upsert: tuple[str, str] | None = None) -> WriteItem:
    return WriteItem(key, WriteKind.CREATE, None, values, upsert=upsert)


def update(id: str, values: Mapping[str, Any]) -> WriteItem:
    return WriteItem(f"u-{id}", WriteKind.UPDATE, id, values)
