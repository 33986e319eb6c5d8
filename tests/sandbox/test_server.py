"""Stand-ins over real HTTP on loopback: the same answers as in process, and what a test may control."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.sandbox.server import Sandbox, SandboxClock
from trueup.sandbox.standin import Effect, Fault, Match, StandIn

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Echo(StandIn):
    """A small vendor: tells what it was sent, keeps notes."""

    name = "echo"

    def __init__(self, now: Any = None) -> None:
        super().__init__(now)
        self.notes: dict[str, str] = {}
        self.busy = 0
        self.most_busy = 0
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            self.route(method, "/echo/{word}", "echo", self._echo)
        self.route("PUT", "/notes/{id}", "note", self._note)
        self.route("DELETE", "/nothing", "nothing", lambda request, match: httpx.Response(204))
        self.route("GET", "/twice", "twice", self._twice)

    def authorize(self, request: httpx.Request, kind: str) -> httpx.Response | None:
        return None if request.headers.get("Authorization") == "Bearer key" else httpx.Response(401)

    def user_write(self, id: str, text: str, by: str = "ann") -> str:
        self._keep(id, text, by)
        return f"kept {id}"

    def _echo(self, request: httpx.Request, match: Match) -> httpx.Response:
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        if match.path["word"] == "slow":
            time.sleep(0.01)  # long enough for another caller to come in between
        answer = {
            "word": match.path["word"],
            "query": match.query.multi_items(),
            "body": request.content.decode(),
            "custom": request.headers.get("X-Custom"),
        }
        self.busy -= 1
        return httpx.Response(200, json=answer, headers={"X-Limit": "7/10"})

    def _note(self, request: httpx.Request, match: Match) -> httpx.Response:
        self._keep(match.path["id"], request.content.decode(), "api")
        return httpx.Response(200, json={"id": match.path["id"]})

    def _twice(self, request: httpx.Request, match: Match) -> httpx.Response:
        return httpx.Response(200, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], content=b"x")

    def _keep(self, id: str, text: str, by: str) -> None:
        before = {"text": self.notes[id]} if id in self.notes else {}
        self.notes[id] = text
        self.record(Effect(self.now(), by, "update", "notes", id, before, {"text": text}))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox({"echo": Echo}, SandboxClock(NOON)) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer key"}
    with httpx.Client(base_url=sandbox.urls["echo"], headers=headers, timeout=5) as http:
        yield http


REQUESTS: list[dict[str, Any]] = [
    {"method": "GET", "url": "/echo/plain"},
    {"method": "GET", "url": "/echo/a%2Fb%20c?q=x%2By&q=%D0%9E%D0%BB%D1%8F&e="},
    {"method": "POST", "url": "/echo/body", "content": "Олена & Jürgen".encode()},
    {"method": "PATCH", "url": "/echo/json", "json": {"a": [1, None]}, "headers": {"X-Custom": "yes"}},
    {"method": "DELETE", "url": "/nothing"},
    {"method": "GET", "url": "/twice"},
    {"method": "GET", "url": "/unknown"},
    {"method": "GET", "url": "/echo/x", "headers": {"Authorization": "Bearer wrong"}},
]


@pytest.mark.parametrize("request_", REQUESTS, ids=[one["url"] for one in REQUESTS])
def test_a_request_gets_the_same_answer_both_ways(client: httpx.Client, request_: dict[str, Any]) -> None:
    inside = Echo(lambda: NOON)
    headers = {"Authorization": "Bearer key"}
    with httpx.Client(base_url=client.base_url, headers=headers, transport=inside.transport()) as in_process:
        expected = in_process.request(**request_)
    answered = client.request(**request_)
    assert answered.status_code == expected.status_code
    assert answered.content == expected.content
    theirs = [pair for pair in answered.headers.multi_items() if pair[0] != "content-length"]
    assert theirs == [pair for pair in expected.headers.multi_items() if pair[0] != "content-length"]


def test_the_ledger_keeps_the_same_both_ways(client: httpx.Client, sandbox: Sandbox) -> None:
    inside = Echo(lambda: NOON)
    with httpx.Client(
        base_url=client.base_url, headers={"Authorization": "Bearer key"}, transport=inside.transport()
    ) as in_process:
        for http in (in_process, client):
            http.put("/notes/1", content=b"one")
            http.get("/echo/two")
            http.get("/unknown")
    assert sandbox.standins["echo"].ledger == inside.ledger


def test_a_lost_answer_closes_the_connection_and_the_work_is_done(
    client: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.standins["echo"].faults.append(Fault("note", 1, "lost_answer"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.put("/notes/1", content=b"kept")
    assert sandbox.standins["echo"].ledger.writes() != []
    assert client.put("/notes/2", content=b"next").status_code == 200


def test_a_lost_request_closes_the_connection_and_nothing_is_done(
    client: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.standins["echo"].faults.append(Fault("note", 1, "lost_request"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.put("/notes/1", content=b"lost")
    assert sandbox.standins["echo"].ledger.writes() == []


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    port = int(sandbox.urls["echo"].rsplit(":", 1)[1])
    ask = b"GET /echo/a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer key\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire, wire.makefile("rb") as answers:
        for _ in range(3):
            wire.sendall(ask)
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            length = next(int(line[15:]) for line in answers if line.lower().startswith(b"content-length"))
            assert answers.readline() == b"\r\n"
            answers.read(length)


def test_a_body_sent_in_chunks_arrives_whole(client: httpx.Client) -> None:
    answer = client.post("/echo/chunks", content=iter([b"one ", b"two ", b"three"]))
    assert answer.json()["body"] == "one two three"


def test_an_unreadable_request_is_refused_and_not_in_the_ledger(sandbox: Sandbox) -> None:
    port = int(sandbox.urls["echo"].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
        wire.sendall(b"POST /echo/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: many\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 400")
    assert sandbox.standins["echo"].ledger.calls() == 0


def test_the_stand_in_is_asked_by_one_caller_at_a_time(client: httpx.Client, sandbox: Sandbox) -> None:
    threads = [threading.Thread(target=client.get, args=("/echo/slow",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    echo = sandbox.standins["echo"]
    assert isinstance(echo, Echo)
    assert (echo.ledger.calls("echo"), echo.most_busy) == (8, 1)


def test_a_stopped_sandbox_gives_its_port_back_and_hangs_on_no_idle_client() -> None:
    sandbox = Sandbox({"echo": Echo})
    sandbox.start()
    url = sandbox.urls["echo"]
    port = int(url.rsplit(":", 1)[1])
    with httpx.Client(base_url=url) as idle:
        idle.get("/echo/x")
        sandbox.stop()
    assert sandbox.urls == {}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/echo/x")
    again = Sandbox({"echo": Echo}, ports={"echo": port})
    again.start()
    assert again.urls["echo"] == url
    again.stop()


def test_a_taken_port_is_an_error_and_leaves_nothing_running(sandbox: Sandbox) -> None:
    port = int(sandbox.urls["echo"].rsplit(":", 1)[1])
    second = Sandbox({"free": Echo, "taken": Echo}, ports={"taken": port})
    with pytest.raises(OSError, match="in use"):
        second.start()
    assert second.urls == {}


def test_it_listens_on_loopback_only(sandbox: Sandbox) -> None:
    assert sandbox.urls["echo"].startswith("http://127.0.0.1:")


# -- the real vendors' stand-ins -------------------------------------------------------------------


def test_a_salesforce_token_points_back_at_the_port_it_was_asked_at() -> None:
    with (
        Sandbox({"sales": SalesforceStandIn}) as running,
        httpx.Client(base_url=running.urls["sales"]) as http,
    ):
        form = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "secret"}
        token = http.post("/services/oauth2/token", data=form).json()
        assert token["instance_url"] == running.urls["sales"]
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        found = http.get("/services/data/v60.0/query", params={"q": "SELECT Id FROM User"}, headers=headers)
        assert found.json()["totalSize"] == 1


def test_zendesk_answers_over_http_as_in_process() -> None:
    with Sandbox({"support": ZendeskStandIn}, SandboxClock(NOON)) as running:
        inside = ZendeskStandIn(lambda: NOON)
        login = ("robot@acme.example/token", "zd-token")
        with httpx.Client(base_url=running.urls["support"], auth=login) as http:
            over_http = http.get("/api/v2/users.json", params={"page[size]": 10})
        with httpx.Client(
            base_url="https://acme.zendesk.com", auth=login, transport=inside.transport()
        ) as http:
            in_process = http.get("/api/v2/users.json", params={"page[size]": 10})
            assert in_process.json()["users"] != []
            at_home = in_process.text.replace(inside.base_url, running.urls["support"])
        assert over_http.text == at_home


def test_links_of_a_vendor_to_itself_lead_to_its_port() -> None:
    with Sandbox({"support": ZendeskStandIn}, SandboxClock(NOON)) as running:
        support = running.standins["support"]
        assert isinstance(support, ZendeskStandIn)
        for name in ("Ann", "Bo"):
            support.user_create(name)
        with httpx.Client(auth=("robot@acme.example/token", "zd-token")) as http:
            first = http.get(f"{running.urls['support']}/api/v2/users", params={"page[size]": 2})
            following = first.json()["links"]["next"]
            assert following.startswith(running.urls["support"])
            assert [user["name"] for user in http.get(following).json()["users"]] == ["Bo"]


def test_bytes_that_are_no_text_pass_unchanged(client: httpx.Client, sandbox: Sandbox) -> None:
    raw = bytes(range(256))
    sandbox.standins["echo"].faults.append(Fault("echo", 1, "body", body=raw))
    assert client.get("/echo/x").content == raw


# -- control ---------------------------------------------------------------------------------------


def test_the_ledger_can_be_read_from_another_process(client: httpx.Client) -> None:
    client.put("/notes/1", content=b"one")
    told = client.get("/_sandbox/ledger").json()
    assert told["calls"] == 1
    assert told["asked"][0]["kind"] == "note"
    assert told["effects"][0]["after"] == {"text": "one"}
    assert told["effects"][0]["at"] == NOON.isoformat()


def test_what_was_read_of_the_ledger_can_be_left_out(client: httpx.Client) -> None:
    for number in range(3):
        client.put(f"/notes/{number}", content=b"x")
    told = client.get("/_sandbox/ledger", params={"asked_from": 2, "effects_from": 3}).json()
    assert (len(told["asked"]), told["effects"]) == (1, [])


def test_control_calls_are_not_in_the_ledger(client: httpx.Client) -> None:
    client.get("/_sandbox/ledger")
    assert client.get("/_sandbox/calls").json() == {"calls": {}, "effects": {}}


def test_calls_are_counted_by_kind_and_effects_by_author(client: httpx.Client) -> None:
    client.put("/notes/1", content=b"x")
    client.post("/_sandbox/user", json={"do": "write", "args": ["2", "y"]})
    told = client.get("/_sandbox/calls").json()
    assert told == {"calls": {"note": 1}, "effects": {"api": {"update": 1}, "ann": {"update": 1}}}


def test_a_fault_can_be_planned_for_the_next_request(client: httpx.Client) -> None:
    client.get("/echo/before")
    fault = {"kind": "echo", "next": 1, "what": "status", "status": 503, "body": "busy"}
    assert client.post("/_sandbox/faults", json=fault).status_code == 200
    statuses = [client.get("/echo/x").status_code for _ in range(2)]
    assert statuses == [503, 200]


def test_planned_faults_can_be_forgotten(client: httpx.Client) -> None:
    client.post("/_sandbox/faults", json=[{"kind": "*", "nth": 1, "what": "status", "status": 500}])
    client.delete("/_sandbox/faults")
    assert client.get("/echo/x").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "echo", "nth": 1, "what": "explode"},
        {"kind": "echo", "nth": 1, "what": "status", "colour": "red"},
        {"kind": "echo", "what": "status"},
    ],
)
def test_a_fault_that_is_none_is_refused_with_the_reason(client: httpx.Client, fault: dict[str, Any]) -> None:
    answer = client.post("/_sandbox/faults", json=fault)
    assert answer.status_code == 400
    assert answer.json()["sandbox"]
    assert client.get("/_sandbox/faults").json() == []


def test_a_user_can_be_acted_for(client: httpx.Client, sandbox: Sandbox) -> None:
    act = {"do": "write", "args": ["7"], "kwargs": {"text": "hi", "by": "bo"}}
    answer = client.post("/_sandbox/user", json=act)
    assert answer.json() == {"result": "kept 7"}
    assert [effect.by for effect in sandbox.standins["echo"].ledger.effects] == ["bo"]


def test_an_act_that_users_do_not_have_is_refused_and_the_others_are_named(client: httpx.Client) -> None:
    answer = client.post("/_sandbox/user", json={"do": "fly"})
    assert answer.status_code == 400
    assert "write" in answer.json()["sandbox"]


def test_the_clock_moves_for_every_stand_in() -> None:
    with Sandbox({"one": Echo, "two": Echo}, SandboxClock(NOON)) as running:
        httpx.post(f"{running.urls['one']}/_sandbox/clock", json={"seconds": 90})
        told = httpx.get(f"{running.urls['two']}/_sandbox/clock").json()
        assert told["now"] == (NOON + timedelta(seconds=90)).isoformat()
        assert running.standins["two"].now() == running.clock.now() == NOON + timedelta(seconds=90)


def test_a_clock_without_start_goes_on_by_itself() -> None:
    clock = SandboxClock()
    before = datetime.now(UTC)
    clock.advance(timedelta(days=400))
    assert timedelta(days=400) <= clock.now() - before < timedelta(days=400, minutes=1)


def test_a_clock_that_stood_still_goes_on_from_there() -> None:
    clock = SandboxClock(NOON)
    clock.advance(timedelta(hours=1))
    clock.run()
    first = clock.now()
    assert NOON + timedelta(hours=1) <= first < NOON + timedelta(hours=1, minutes=1)
    assert clock.now() > first


def test_control_is_refused_to_a_page_that_came_by_another_name(client: httpx.Client) -> None:
    answer = client.get("/_sandbox/ledger", headers={"Host": "evil.example"})
    assert answer.status_code == 403


def test_an_unknown_control_names_those_that_there_are(client: httpx.Client) -> None:
    answer = client.get("/_sandbox/nothing")
    assert answer.status_code == 404
    assert "/_sandbox/ledger" in answer.json()["sandbox"]
