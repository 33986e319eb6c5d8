"""An org to test against: a clock that stands still until told, and a logged-in client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from trueup.connectors.base import Connector, WriteItem
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, Page, Reading, Record

HOST = "https://acme.my.salesforce.com"
DATA = "/services/data/v67.0"


class Clock:
    """Time that moves only by `pass_`."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def now(self) -> datetime:
        return self.moment

    def pass_(self, **time: float) -> None:
        self.moment += timedelta(**time)

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Allowance:
    """A budget that never says no and remembers what it was told."""

    def __init__(self) -> None:
        self.remaining: list[float | None] = []

    def ask(self, connection: str, group: str, lane: str, cost: float) -> float:
        return 0.0

    def learn(self, connection: str, group: str, remaining: float | None, reset_in: float | None) -> None:
        self.remaining.append(remaining)


class Desk:
    """A stand-in org, its clock, and an API client with a token."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.org = SalesforceStandIn(self.clock, **settings)
        self.allowance = Allowance()
        self.client = httpx.Client(transport=self.org.transport(), base_url=HOST)
        self.login()

    def login(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "secret"}
        answer = self.client.post("/services/oauth2/token", data=form)
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def connector(
        self, transport: httpx.BaseTransport | None = None, clock: Clock | None = None, **more: str
    ) -> Connector:
        """Our connector, set up for this org as a connection's file would."""
        auth = {
            "kind": "client_credentials",
            "domain": "acme.my.salesforce.com",
            "client_id": "client",
            "client_secret": "secret",
            **more,
        }
        settings = ConnectionSettings("sales", auth)
        way = transport or self.org.transport()
        return connector_kind("salesforce").build(settings, way, clock or self.clock, self.allowance)

    def get(self, path: str, **params: str) -> httpx.Response:
        return self.client.get(DATA + path, params=params or None)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.client.request(method, DATA + path, json=body, headers=headers)

    def soql(self, query: str, path: str = "/query") -> list[dict[str, Any]]:
        answer = self.get(path, q=query)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["records"]
        return rows

    def lead(self, last_name: str = "Meier", **values: Any) -> str:
        return self.org.user_create("Lead", {"LastName": last_name, "Company": "Meier KG"} | values)

    def contact(self, last_name: str = "Meier", **values: Any) -> str:
        return self.org.user_create("Contact", {"LastName": last_name} | values)


def codes(answer: httpx.Response) -> list[str]:
    """The error codes of a refused request."""
    return [entry["errorCode"] for entry in answer.json()]


def pages(
    connector: Connector, object: str, reading: Reading, cursor: Cursor | None, fields: tuple[str, ...]
) -> list[Page]:
    """A whole reading, page by page."""
    found = [connector.pull(object, reading, cursor, fields)]
    while found[-1].more:
        found.append(connector.pull(object, reading, found[-1].cursor, fields))
    return found


def records(found: list[Page]) -> list[Record]:
    return [record for page in found for record in page.records]


def update(id: str, **values: Any) -> WriteItem:
    return WriteItem(f"key-{id}", WriteKind.UPDATE, id, values)


def create(key: str = "key-1", **values: Any) -> WriteItem:
    return WriteItem(key, WriteKind.CREATE, None, values)
