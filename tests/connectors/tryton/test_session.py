"""Signing in, losing the session, and what the server's refusals mean."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.connectors.tryton.conftest import Clock, Desk, Free, Person
from tests.live.tryton_server import TrytonServer
from trueup.connectors.base import Connector, Done, WriteItem
from trueup.connectors.registry import connector_kind
from trueup.connectors.settings import ConnectionSettings
from trueup.connectors.tryton.rpc import Rpc
from trueup.errors import ConfigError, OutcomeUnknown, RateLimited, Refused, Transient, Unauthorized
from trueup.model.delivery import WriteKind

pytestmark = pytest.mark.server


@pytest.mark.parametrize("kind", ["session", "basic"])
def test_both_ways_to_sign_in_work(server: TrytonServer, kind: str) -> None:
    desk = Desk(server, auth={"kind": kind})
    assert desk.connector.whoami() == "Tryton database hub as admin"


def test_the_database_may_be_named_apart(server: TrytonServer) -> None:
    url, database = server.url.rsplit("/", 1)
    assert Desk(server, auth={"url": f"{url}/", "database": database}).connector.whoami()


class Wire(httpx.BaseTransport):
    """The real network, with the last session seen and a way to lose an answer."""

    def __init__(self) -> None:
        self._real = httpx.HTTPTransport()
        self.session = ""
        self.lose = b""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.session = request.headers.get("authorization", self.session)
        answer = self._real.handle_request(request)
        if self.lose and self.lose in request.content:
            answer.read()
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    def close(self) -> None:
        self._real.close()


def wired(server: TrytonServer, wire: Wire) -> Connector:
    auth = {"url": server.url, "user": server.user, "password": server.password}
    return connector_kind("tryton").build(ConnectionSettings("erp", auth), wire, Clock(), Free())


def test_a_session_that_the_server_forgot_is_opened_again(server: TrytonServer, person: Person) -> None:
    id, wire = str(person.party("Ada")), Wire()
    connector = wired(server, wire)
    connector.read("parties", [id], ["name"])
    forgotten = wire.session
    body = {"id": 1, "method": "common.db.logout", "params": []}
    httpx.post(f"{server.url}/rpc/", json=body, headers={"Authorization": forgotten}, trust_env=False)
    (outcome,) = connector.write(
        "parties", [WriteItem("k", WriteKind.UPDATE, id, {"name": "King"})], ["name"]
    )
    assert isinstance(outcome, Done) and outcome.record is not None
    assert outcome.record.values == {"name": "King"} and wire.session != forgotten
    connector.close()


def test_a_write_whose_answer_is_lost_may_have_been_applied(server: TrytonServer, person: Person) -> None:
    wire = Wire()
    connector = wired(server, wire)
    wire.lose = b"party.party.create"
    item = WriteItem("k", WriteKind.CREATE, None, {"name": "Lost", "email": "lost@x.ch"})
    with pytest.raises(OutcomeUnknown):
        connector.write("parties", [item], ["name"])
    assert len(connector.find("parties", "email", ["lost@x.ch"], ["name"])) == 1
    connector.close()


def test_a_write_stands_even_if_it_cannot_be_read_back(server: TrytonServer, person: Person) -> None:
    wire = Wire()
    connector = wired(server, wire)
    connector.read("parties", ["1"], ["name"])
    wire.lose = b"party.party.search_read"
    item = WriteItem("k", WriteKind.CREATE, None, {"name": "Ada"})
    (outcome,) = connector.write("parties", [item], ["name"])
    assert isinstance(outcome, Done) and outcome.record is None
    assert person.look("party.party", int(outcome.id), "name")["name"] == "Ada"
    connector.close()


def test_a_server_that_is_down_is_transient(server: TrytonServer) -> None:
    with pytest.raises(Transient):
        Desk(server, auth={"url": "http://127.0.0.1:9/hub"}).connector.whoami()


def test_a_database_that_does_not_exist_is_unauthorized(server: TrytonServer) -> None:
    with pytest.raises(Unauthorized, match="database"):
        Desk(server, auth={"url": server.url + "x"}).connector.whoami()


def test_a_wrong_password_is_unauthorized_and_never_shown(server: TrytonServer) -> None:
    with pytest.raises(Unauthorized) as caught:
        Desk(server, auth={"user": "nobody", "password": "canary-4711"}).connector.whoami()
    assert "canary-4711" not in f"{caught.value} {caught.value!r}"


def test_too_many_failed_logins_make_the_connection_wait() -> None:
    """Measured: after some wrong passwords (each slower than the last) Tryton 8.2 answers 429 with a page."""
    page = httpx.MockTransport(lambda _: httpx.Response(429, html="<title>429 Too Many Requests</title>"))
    auth = {"url": "http://127.0.0.1:1/hub", "user": "admin", "password": "x"}
    connector = connector_kind("tryton").build(ConnectionSettings("erp", auth), page, Clock(), Free())
    with pytest.raises(RateLimited):
        connector.write("parties", [WriteItem("k", WriteKind.DELETE, "1", {})], [])


def test_a_model_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        Rpc(desk.connector._inner._account.rpc.http).ask("sale.nothing.search", [[]])  # type: ignore[attr-defined]


def test_a_method_that_is_not_offered_is_unauthorized(desk: Desk) -> None:
    with pytest.raises(Unauthorized):
        Rpc(desk.connector._inner._account.rpc.http).ask("party.party.nothing", [])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("auth", "options", "objects"),
    [
        ({"user": "a", "password": "b"}, {}, {}),
        ({"url": "https://x/y", "user": "a"}, {}, {}),
        ({"url": "https://x/y", "user": "a", "password": "b", "kind": "oauth"}, {}, {}),
        ({"url": "https://x/y", "user": "a", "password": "b"}, {"lookback": "soon"}, {}),
        ({"url": "https://x/y", "user": "a", "password": "b"}, {}, {"parties": {"where": "name = 1"}}),
    ],
)
def test_settings_that_make_no_sense_are_config_errors(
    auth: dict[str, str], options: dict[str, Any], objects: dict[str, Any]
) -> None:
    settings = ConnectionSettings("erp", auth, options=options, objects=objects)
    with pytest.raises(ConfigError):
        connector_kind("tryton").build(settings, None, Clock(), Free())
