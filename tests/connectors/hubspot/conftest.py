from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.connectors.kit import connect
from tests.connectors.spec import SpecTransport
from tests.shared import shared
from trueup.connectors.base import Connector, WriteItem
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, Json, Reading, Record
from trueup.testing.acceptance.clock import HandClock

TOKEN = "pat-eu1-standin"
AUTH = {"kind": "bearer", "token": TOKEN, "client_secret": "app-secret"}


NOT_DESCRIBED = ("/communication-preferences/v4/", "/account-info/")
"""What the vendor's client library, from which the description was made, does not cover."""


@dataclass
class Desk:
    """A portal, a clock and the connector that works on it."""

    portal: HubSpotStandIn
    clock: HandClock
    connector: Connector
    cursor: Cursor | None = field(default=None)

    def listing(self, object: str, fields: list[str]) -> list[Record]:
        records, self.cursor = self._all(object, Reading.LISTING, None, fields)
        return records

    def changes(self, object: str, fields: list[str]) -> list[Record]:
        records, self.cursor = self._all(object, Reading.CHANGES, self.cursor, fields)
        return records

    def _all(
        self, object: str, reading: Reading, cursor: Cursor | None, fields: list[str]
    ) -> tuple[list[Record], Cursor]:
        records: list[Record] = []
        while True:
            page = self.connector.pull(object, reading, cursor, fields)
            records += page.records
            cursor = page.cursor
            if not page.more:
                return records, cursor

    def contact(self, **values: object) -> str:
        return self.portal.user_create("contacts", values)

    def settle(self) -> None:
        """Wait until searches show everything."""
        self.clock.advance(60)


def create(key: str, **values: Json) -> WriteItem:
    return WriteItem(key, WriteKind.CREATE, None, values)


def update(id: str, values: dict[str, Json], key: str = "") -> WriteItem:
    return WriteItem(key or f"u-{id}", WriteKind.UPDATE, id, values)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Every call of the tests is held against the vendor's description where it is at hand."""
    clock = HandClock()
    portal = HubSpotStandIn(clock.now, token=TOKEN, empty="omit")
    spec = shared("specs", "hubspot", "hubspot.openapi.json")
    transport = SpecTransport(portal, spec)
    connector = connect("hubspot", transport, AUTH, clock)
    yield Desk(portal, clock, connector)
    connector.close()
    beyond = {name for name in transport.unknown if not any(part in name for part in NOT_DESCRIBED)}
    assert not beyond, f"calls that the description does not know: {beyond}"
