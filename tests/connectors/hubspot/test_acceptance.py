"""HubSpot, as its stand-in plays it, keeps what every connector promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

import httpx

from trueup.connectors.base import Connector, WebhookRequest
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.model.record import Json
from trueup.ports import Budget
from trueup.testing.acceptance import Harness, HttpWay, accepted
from trueup.testing.acceptance.clock import HandClock

TOKEN, APP_SECRET = "pat-eu1-acceptance", "app-secret-of-the-webhooks"
ADDRESS = "https://hub.example/hooks/hubspot"


class Portal:
    """A portal with nobody in it."""

    secrets = (TOKEN, APP_SECRET)

    def __init__(self) -> None:
        self.clock = HandClock()
        self.vendor = HubSpotStandIn(self.clock.now, token=TOKEN, app=("id", APP_SECRET, "r"), empty="omit")
        self.way = HttpWay(self.vendor.transport(), _writes)

    def connect(self, budget: Budget) -> Connector:
        auth = {"kind": "bearer", "token": TOKEN, "client_secret": APP_SECRET}
        settings = ConnectionSettings("marketing", auth)
        return connector_kind("hubspot").build(settings, self.way.opened(), self.clock, budget)

    def make(self, values: Mapping[str, Json]) -> str:
        return self.vendor.user_create("contacts", values)

    def edit(self, id: str, values: Mapping[str, Json]) -> None:
        self.vendor.user_edit("contacts", id, {name: value or "" for name, value in values.items()})

    def delete(self, id: str) -> None:
        self.vendor.user_delete("contacts", id)

    def merge(self, loser: str, winner: str) -> str:
        return self.vendor.user_merge("contacts", winner, loser)

    def look(self, id: str) -> Mapping[str, Json] | None:
        row = self.vendor.portal.rows["contacts"].get(id)
        return dict(row.properties) if row is not None and row.archived is None else None

    def ids(self) -> Set[str]:
        return {id for id, row in self.vendor.portal.rows["contacts"].items() if row.archived is None}

    def webhooks(self) -> Sequence[WebhookRequest]:
        return self.vendor.webhooks(ADDRESS)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)


def _writes(request: httpx.Request) -> bool:
    return request.method != "GET" and not request.url.path.endswith(("/search", "/batch/read"))


@contextmanager
def _portal() -> Iterator[Portal]:
    yield Portal()


HARNESS = Harness(
    name="hubspot",
    object="contacts",
    start=_portal,
    values=lambda n: {"email": f"a{n}@example.com", "city": f"City {n}", "jobtitle": f"Job {n}"},
    field="city",
    other="jobtitle",
    wrong={"email": "no address"},
    many=230,
    settled=1000,
    quality=connector_kind("hubspot").quality_file,
)
test_acceptance = accepted(HARNESS)
