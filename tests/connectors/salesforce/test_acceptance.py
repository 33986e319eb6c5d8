"""Salesforce, as its stand-in plays it, keeps what every connector promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

from trueup.connectors.base import Connector, WebhookRequest
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.model.record import Json
from trueup.ports import Budget
from trueup.testing.acceptance import CannotPlay, Harness, HttpWay, accepted
from trueup.testing.acceptance.clock import HandClock

SECRET = "client-secret-of-the-app"
LOGIN = "/services/oauth2/token"
PAGE = 50


class Org:
    """An org with no contact in it."""

    secrets = (SECRET,)

    def __init__(self) -> None:
        self.clock = HandClock()
        self.vendor = SalesforceStandIn(self.clock.now, client_secret=SECRET, page_cap=PAGE)
        self.way = HttpWay(
            self.vendor.transport(),
            writes=lambda request: request.method != "GET" and request.url.path != LOGIN,
            signs=lambda request: request.url.path == LOGIN,
        )

    def connect(self, budget: Budget) -> Connector:
        auth = {"kind": "client_credentials", "domain": "acme.my.salesforce.com", "client_id": "client"}
        settings = ConnectionSettings("sales", {**auth, "client_secret": SECRET})
        return connector_kind("salesforce").build(settings, self.way.opened(), self.clock, budget)

    def make(self, values: Mapping[str, Json]) -> str:
        return self.vendor.user_create("Contact", values)

    def edit(self, id: str, values: Mapping[str, Json]) -> None:
        self.vendor.user_edit("Contact", id, values)

    def delete(self, id: str) -> None:
        self.vendor.user_delete("Contact", id)

    def merge(self, loser: str, winner: str) -> str:
        self.vendor.user_merge("Contact", winner, loser)
        return winner

    def look(self, id: str) -> Mapping[str, Json] | None:
        return next((dict(row) for row in self.vendor.org.living("Contact") if row["Id"] == id), None)

    def ids(self) -> Set[str]:
        return {str(row["Id"]) for row in self.vendor.org.living("Contact")}

    def webhooks(self) -> Sequence[WebhookRequest]:
        raise CannotPlay("Salesforce sends no webhooks")

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)


@contextmanager
def _org() -> Iterator[Org]:
    yield Org()


HARNESS = Harness(
    name="salesforce",
    object="Contact",
    start=_org,
    values=lambda n: {
        "LastName": f"Meier{n}",
        "Email": f"a{n}@example.com",
        "Title": f"Title {n}",
        "Department": f"Department {n}",
    },
    field="Title",
    other="Department",
    wrong={"Email": "no address"},
    many=2 * PAGE + 20,
    quality=connector_kind("salesforce").quality_file,
)
test_acceptance = accepted(HARNESS)
