"""A real Tryton keeps what every connector promises."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

import httpx
import pytest

from tests.connectors.tryton.conftest import Clock, Person
from tests.live.tryton_server import TrytonServer, tryton_server
from trueup.connectors.base import Connector, WebhookRequest
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.model.record import Json
from trueup.ports import Budget
from trueup.testing.acceptance import CannotPlay, Harness, HttpWay, accepted

LONGEST_WAIT = 20.0
ADDRESS = ("city", "street")
READS = ("read", "search", "search_read", "search_count", "fields_get", "get_preferences")


class Tryton:
    """A server with a fresh database, and somebody who works in it."""

    def __init__(self, server: TrytonServer) -> None:
        self.server = server
        self.secrets = (server.password,)
        self.person = Person(server)
        self.person.once("party.category", "Company")
        self.way = HttpWay(httpx.HTTPTransport(), writes=lambda request: not _method(request).endswith(READS),
                           signs=lambda request: _method(request) == "common.db.login")  # fmt: skip

    def connect(self, budget: Budget) -> Connector:
        auth = {"url": self.server.url, "user": self.server.user, "password": self.server.password}
        settings = ConnectionSettings("erp", auth)
        return connector_kind("tryton").build(settings, self.way.opened(), Clock(), budget)

    def make(self, values: Mapping[str, Json]) -> str:
        place = {part: values[f"address.{part}"] for part in ADDRESS}
        return str(self.person.party(str(values["name"]), email=values["email"], address=place))

    def edit(self, id: str, values: Mapping[str, Json]) -> None:
        (address,) = self.person.look("party.party", int(id), "addresses")["addresses"]
        self.person.change(
            "party.address", address, **{name.partition(".")[2]: value for name, value in values.items()}
        )

    def delete(self, id: str) -> None:
        self.person.call("party.party.delete", [int(id)])

    def merge(self, loser: str, winner: str) -> str:
        self.person.replace(int(loser), int(winner))
        return winner

    def look(self, id: str) -> Mapping[str, Json] | None:
        if id not in self.ids():
            return None
        party = self.person.look("party.party", int(id), "name", "addresses")
        place = dict.fromkeys(ADDRESS)
        if party["addresses"]:
            place = self.person.look("party.address", party["addresses"][0], *ADDRESS)
        return {"name": party["name"], **{f"address.{part}": place[part] for part in ADDRESS}}

    def ids(self) -> Set[str]:
        return {str(id) for id in self.person.call("party.party.search", [], 0, None, None)}

    def webhooks(self) -> Sequence[WebhookRequest]:
        raise CannotPlay("Tryton sends no webhooks")

    def wait(self, seconds: float) -> None:
        if seconds > LONGEST_WAIT:
            raise CannotPlay(f"the server has its own clock: {seconds:.0f} seconds are too long to wait")
        time.sleep(seconds)


def _method(request: httpx.Request) -> str:
    return str(request.content.partition(b'"method":"')[2].partition(b'"')[0].decode())


@contextmanager
def _tryton() -> Iterator[Tryton]:
    with tryton_server() as server:
        tryton = Tryton(server)
        yield tryton
        tryton.person.close()


HARNESS = Harness(
    name="tryton",
    object="parties",
    start=_tryton,
    values=lambda n: {
        "name": f"Ann {n}",
        "email": f"a{n}@example.com",
        "address.city": f"City {n}",
        "address.street": f"Street {n}",
    },
    field="address.city",
    other="address.street",
    wrong={"address.country": "XX"},
    many=210,
    settled=1.1,
    quality=connector_kind("tryton").quality_file,
)
test_acceptance = pytest.mark.slow(pytest.mark.server(accepted(HARNESS)))
