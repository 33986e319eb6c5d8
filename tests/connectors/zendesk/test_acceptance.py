"""Zendesk, as its stand-in plays it, keeps what every connector promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

from trueup.connectors.base import Connector, WebhookRequest
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.model.record import Json
from trueup.ports import Budget
from trueup.testing.acceptance import Harness, HttpWay, accepted
from trueup.testing.acceptance.clock import HandClock

TOKEN, SIGNING = "zd-token-acceptance", "zd-signing-secret"
ROBOT = "robot@acme.example"


class Account:
    """An account in which only the robot is an agent."""

    secrets = (TOKEN, SIGNING)

    def __init__(self) -> None:
        self.clock = HandClock()
        self.vendor = ZendeskStandIn(self.clock.now, user=ROBOT, token=TOKEN)
        self.vendor.per_minute = self.vendor.export_per_minute = self.vendor.same_user_per_minute = 0
        self.vendor.webhook_url = "https://hub.example/hooks/zendesk"
        self.way = HttpWay(self.vendor.transport())

    def connect(self, budget: Budget) -> Connector:
        auth = {"kind": "basic", "subdomain": "acme", "user": ROBOT, "token": TOKEN}
        settings = ConnectionSettings("support", {**auth, "signing_secret": SIGNING})
        return connector_kind("zendesk").build(settings, self.way.opened(), self.clock, budget)

    def make(self, values: Mapping[str, Json]) -> str:
        return self.vendor.user_create(**values)

    def edit(self, id: str, values: Mapping[str, Json]) -> None:
        self.vendor.user_edit(id, **values)

    def delete(self, id: str) -> None:
        self.vendor.user_delete(id)

    def merge(self, loser: str, winner: str) -> str:
        self.vendor.user_merge(loser, winner)
        return winner

    def look(self, id: str) -> Mapping[str, Json] | None:
        return self.vendor.user(id) if id in self.ids() else None

    def ids(self) -> Set[str]:
        rows = self.vendor.account.records.table("users")
        return {str(id) for id, row in rows.items() if row["active"] and row["role"] == "end-user"}

    def webhooks(self) -> Sequence[WebhookRequest]:
        return self.vendor.webhooks

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)


@contextmanager
def _account() -> Iterator[Account]:
    yield Account()


HARNESS = Harness(
    name="zendesk",
    object="users",
    start=_account,
    values=lambda n: {
        "name": f"Ann {n}",
        "email": f"a{n}@example.com",
        "external_id": f"x-{n}",
        "details": f"Details {n}",
        "notes": f"Notes {n}",
    },
    field="details",
    other="notes",
    wrong={"email": "no address"},
    many=1030,
    quality=connector_kind("zendesk").quality_file,
)
test_acceptance = accepted(HARNESS)
