"""Signing in, losing the session, and what the server's refusals mean."""

from __future__ import annotations

import httpx
import pytest

from tests.connectors.tryton.conftest import Clock, Desk, Free, Person
from tests.live.tryton_server import TrytonServer, tryton_server
from trueup.connectors.registry import connector_kind
from trueup.connectors.settings import ConnectionSettings
from trueup.errors import ConfigError, OutcomeUnknown, RateLimited, Transient, Unauthorized
from trueup.model.plan import WriteKind

pytestmark = pytest.mark.server


@pytest.mark.parametrize("kind", ["session", "basic"])
def test_both_ways_to_sign_in_work(server: TrytonServer, kind: str) -> None:
    desk = Desk(server, auth={"kind": kind})
    assert desk.connector.whoami() == "Tryton database hub as admin"


def test_the_database_may_be_named_apart(server: TrytonServer) -> None:
    url, database = server.url.rsplit("/", 1)
    assert Desk(server, auth={"url": f"{url}/", "database": database}).connector.whoami()


def test_a_lost_session_is_opened_again(server: TrytonServer, person: Person, desk: Desk) -> None:
    id = person.party("Ada")
    assert desk.record(id).values["name"] == "Ada"
    sessions = person.call("ir.session.search", [], 0, None, None)
    person.call("ir.session.delete", sessions)
    assert desk.update(id, name="Ada King") and desk.record(id).values["name"] == "Ada King"


def test_a_database_that_does_not_exist_is_unauthorized(server: TrytonServer) -> None:
    for kind in ("session", "basic"):
        with pytest.raises(Unauthorized, match="database"):
            Desk(server, auth={"url": server.url + "x", "kind": kind}).connector.whoami()


def test_a_wrong_password_is_unauthorized_and_soon_rate_limited_and_never_shown() -> None:
    with tryton_server() as own:  # the limit would lock the other tests out
        said = []
        for _ in range(8):
            with pytest.raises((Unauthorized, RateLimited)) as caught:
                Desk(own, auth={"password": "canary-4711"}).connector.whoami()
            said.append(caught.value)
        assert isinstance(said[0], Unauthorized) and isinstance(said[-1], RateLimited)
        assert not any("canary-4711" in str(error) + repr(error) for error in said)


def test_a_module_that_is_not_installed_is_refused_by_tryton(desk: Desk) -> None:
    rpc = desk.connector._account.rpc  # type: ignore[attr-defined]
    from trueup.errors import Refused

    with pytest.raises(Refused):
        rpc.ask("sale.nothing.search", [[]])
    with pytest.raises(Unauthorized):
        rpc.ask("party.party.secret_method", [])


def test_a_server_that_is_down_is_transient_and_an_answer_that_is_lost_unknown(
    server: TrytonServer, person: Person
) -> None:
    down = Desk(server, auth={"url": "http://127.0.0.1:9/hub"})
    with pytest.raises(Transient):
        down.connector.whoami()
    real = httpx.HTTPTransport()

    def lossy(request: httpx.Request) -> httpx.Response:
        answer = real.handle_request(request)
        answer.read()
        if b"party.party.create" in request.content:
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    auth = {"url": server.url, "user": server.user, "password": server.password}
    settings = ConnectionSettings("erp", auth)
    connector = connector_kind("tryton").build(settings, httpx.MockTransport(lossy), Clock(), Free())
    from trueup.connectors.base import WriteItem

    item = WriteItem("k", WriteKind.CREATE, None, {"name": "Lost", "email": "lost@x.ch"})
    with pytest.raises(OutcomeUnknown):
        connector.write("parties", [item], ["name"])
    assert len(connector.find("parties", "email", ["lost@x.ch"], ["name"])) == 1
    connector.close()
    real.close()


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
def test_settings_that_make_no_sense_are_config_errors(auth, options, objects) -> None:  # type: ignore[no-untyped-def]
    settings = ConnectionSettings("erp", auth, options=options, objects=objects)
    with pytest.raises(ConfigError):
        connector_kind("tryton").build(settings, None, Clock(), Free())
