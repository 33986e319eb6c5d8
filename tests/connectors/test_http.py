"""The HTTP client: classes of errors, budget, trust, secrets."""

from __future__ import annotations

import gc
import traceback
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime

import httpx
import orjson
import pytest

from tests.connectors.kit import PlainBudget
from trueup.connectors import http as http_module
from trueup.connectors.auth import FixedCredential
from trueup.connectors.http import Account, Call, HttpClient
from trueup.connectors.manifest import Errors, Learn
from trueup.connectors.verdict import Effect
from trueup.errors import (
    ConnectorError,
    Gone,
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Stale,
    Transient,
    Unauthorized,
)
from trueup.testing.acceptance.clock import START, HandClock

SECRET = "very-secret-token-123456"
READ = Call("GET", "/things", "things.read")
WRITE = Call("POST", "/things", "things.create", Effect.WRITE, body={"a": 1})
Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, budget: PlainBudget | None = None, **account: object) -> HttpClient:
    words = {"connection": "sales", "base_url": "https://api.example.com/v1", **account}
    clock = account.pop("clock", None) or HandClock()
    words.pop("clock", None)
    credential = FixedCredential({"Authorization": f"Bearer {SECRET}"}, (SECRET,))
    return HttpClient(
        Account(**words),  # type: ignore[arg-type]
        credential,
        clock,  # type: ignore[arg-type]
        budget or PlainBudget(),
        httpx.MockTransport(handler),
    )


def answering(status: int, content: bytes = b"{}", **headers: str) -> Handler:
    return lambda request: httpx.Response(
        status, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def failing(error: type[httpx.TransportError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("by plan", request=request)

    return handler


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_a_write_that_never_left_is_transient(error: type[httpx.TransportError]) -> None:
    with pytest.raises(Transient):
        client(failing(error)).send(WRITE)


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout, httpx.WriteTimeout, httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError],
)
def test_a_write_whose_answer_is_lost_is_unknown_and_a_read_is_transient(
    error: type[httpx.TransportError],
) -> None:
    with pytest.raises(OutcomeUnknown):
        client(failing(error)).send(WRITE)
    with pytest.raises(Transient):
        client(failing(error)).send(READ)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, Gone),
        (409, Refused),
        (410, Gone),
        (412, Stale),
        (422, Refused),
        (423, Transient),
        (429, RateLimited),
    ],
)
def test_a_status_has_its_class(status: int, kind: type[ConnectorError]) -> None:
    with pytest.raises(kind):
        client(answering(status)).send(WRITE)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 521])
def test_a_server_error_is_unknown_for_a_write_and_transient_for_a_read(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        client(answering(status)).send(WRITE)
    with pytest.raises(Transient):
        client(answering(status)).send(READ)


@pytest.mark.parametrize("content", [b"<html>Maintenance</html>", b'{"a": [1, 2', b"\xff\xfe"])
def test_a_success_that_is_no_json_is_unknown_for_a_write_and_malformed_for_a_read(content: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        client(answering(200, content)).send(WRITE)
    with pytest.raises(Malformed):
        client(answering(200, content)).send(READ)


@pytest.mark.parametrize("content", [b"", b"<html>no such page</html>"])
def test_a_404_of_a_proxy_is_not_a_deletion(content: bytes) -> None:
    with pytest.raises(Malformed):
        client(answering(404, content)).send(READ)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(status, headers={"location": "https://evil.example/steal"})

    with pytest.raises(Malformed):
        client(handler).send(READ)
    with pytest.raises(OutcomeUnknown):
        client(handler).send(WRITE)
    assert all(url.startswith("https://api.example.com/") for url in seen)


def test_a_read_is_tried_three_times_with_growing_pauses() -> None:
    clock, calls = HandClock(), []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(200, content=b"{}") if len(calls) == 3 else httpx.Response(503)

    assert client(handler, clock=clock).send(READ).status == 200
    assert clock.slept == [0.5, 1.0]


def test_what_httpx_held_of_an_answer_goes_without_the_garbage_collector() -> None:
    held: list[weakref.ref[httpx.SyncByteStream]] = []

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"{}"

    def handler(request: httpx.Request) -> httpx.Response:
        body = Body()
        held.append(weakref.ref(body))
        return httpx.Response(200, stream=body)

    gc.disable()
    try:
        client(handler).send(READ)
        assert held[0]() is None
    finally:
        gc.enable()


def test_a_write_is_never_repeated() -> None:
    calls = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        raise httpx.ConnectError("by plan")

    with pytest.raises(Transient):
        client(handler).send(WRITE)
    assert len(calls) == 1


def test_a_read_does_not_sleep_long_for_a_server_that_asks_for_it() -> None:
    clock = HandClock()
    with pytest.raises(Transient) as caught:
        client(answering(503, Retry_After="120"), clock=clock).send(READ)
    assert (caught.value.retry_after, clock.slept) == (120.0, [])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("99999999999", 86_400.0),
        ("1e999", 86_400.0),
        ("nan", None),
        ("", None),
        ("soon", None),
        (format_datetime(START + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(START - timedelta(days=30), usegmt=True), 0.0),
    ],
)
def test_retry_after_is_understood_and_cut_to_a_day(header: str, seconds: float | None) -> None:
    with pytest.raises(RateLimited) as caught:
        client(answering(429, Retry_After=header)).send(WRITE)
    assert caught.value.retry_after == seconds


def test_the_budget_is_asked_before_every_call_with_group_lane_and_cost() -> None:
    budget = PlainBudget()
    call = Call("GET", "/things", "things.read", group="search", cost=2.5)
    client(answering(200), budget, lane="urgent").send(call)
    assert budget.asked == [("sales", "search", "urgent", 2.5)]


def test_a_short_wait_for_the_budget_is_slept_and_a_long_one_frees_the_worker() -> None:
    clock = HandClock()
    client(answering(200), PlainBudget(0.4, 0.2), clock=clock).send(WRITE)
    assert clock.slept == [0.4, 0.2]
    calls = []
    with pytest.raises(RateLimited) as caught:
        client(lambda request: calls.append(request) or httpx.Response(200), PlainBudget(5.0)).send(WRITE)  # type: ignore[func-returns-value]
    assert (caught.value.retry_after, calls) == (5.0, [])


def test_the_budget_learns_from_headers() -> None:
    budget = PlainBudget()
    learn = (
        Learn(header="X-Left", reset_header="X-Reset", reset_unit="ms"),
        Learn(header="Limit-Info", pattern=r"usage=(?P<used>\d+)/(?P<limit>\d+)", group="day"),
    )
    handler = answering(200, X_Left="40", X_Reset="2500", Limit_Info="api-usage=18/5000")
    client(handler, budget, learn=learn).send(READ)
    assert budget.learned == [("sales", "default", 40.0, 2.5), ("sales", "day", 4982.0, None)]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://api.example.com/v1/x",
        "https://api.example.com:8443/x",
        "//evil.example/x",
        "https://user@api.example.com/x",
        "https://api.example.com.evil.example/x",
    ],
)
def test_nothing_is_sent_to_another_host(url: str) -> None:
    calls = []
    with pytest.raises(Malformed):
        client(lambda request: calls.append(request) or httpx.Response(200)).send(Call("GET", url, "x"))  # type: ignore[func-returns-value]
    assert calls == []


def test_a_base_url_without_https_is_refused_unless_it_is_this_machine() -> None:
    with pytest.raises(Unauthorized):
        client(answering(200), base_url="http://api.example.com").send(READ)
    assert client(answering(200), base_url="http://127.0.0.1:8080").send(READ).status == 200


def test_every_call_has_timeouts() -> None:
    seen: dict[str, float] = {}

    def handler(request: httpx.Request) -> httpx.Response:
        seen.update(request.extensions["timeout"])
        return httpx.Response(200, content=b"{}")

    client(handler, timeout=20.0).send(READ)
    assert seen == {"connect": 10.0, "read": 20.0, "write": 20.0, "pool": 20.0}


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MOST_BYTES", 1000)
    with pytest.raises(OutcomeUnknown):
        client(answering(200, b'"' + b"x" * 5000 + b'"')).send(WRITE)
    with pytest.raises(Malformed):
        client(answering(200, b'"' + b"x" * 5000 + b'"')).send(READ)


def test_no_secret_stands_in_an_error_its_cause_or_a_repr() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        sent = request.headers["authorization"]
        return httpx.Response(400, json={"message": f"cannot parse {sent}", "errors": [sent]})

    hub = client(echo, errors=Errors.model_validate({"body": {"message": "message", "fields": "errors"}}))
    with pytest.raises(Refused) as caught:
        hub.send(WRITE)
    told = (
        "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(hub) + str(caught.value)
    )
    assert SECRET not in told
    assert "***" in str(caught.value)
    assert SECRET not in repr(caught.value.fields.values())


def test_a_lost_answer_keeps_no_request_in_its_chain() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        client(failing(httpx.ReadTimeout)).send(WRITE)
    assert caught.value.__cause__ is None


def test_a_value_that_json_cannot_carry_is_refused_before_anything_is_sent() -> None:
    calls = []
    call = Call("POST", "/things", "things.create", Effect.WRITE, body={"a": "\ud800"})
    with pytest.raises(Refused):
        client(lambda request: calls.append(request) or httpx.Response(200)).send(call)  # type: ignore[func-returns-value]
    assert calls == []


def test_an_error_names_connection_operation_and_what_the_system_says() -> None:
    body = orjson.dumps({"message": "Name is too long"})
    with pytest.raises(Refused) as caught:
        client(answering(400, body)).send(WRITE)
    error = caught.value
    assert (error.connection, error.operation, error.vendor_says) == (
        "sales",
        "things.create",
        "Name is too long",
    )


def test_a_rule_of_the_table_decides_before_the_status() -> None:
    rules = [{"status": [403], "code": ["REQUEST_LIMIT"], "kind": "rate_limited", "wait": {"default": 60.0}}]
    errors = Errors.model_validate({"body": {"code": "[0].code", "message": "[0].message"}, "rules": rules})
    with pytest.raises(RateLimited) as caught:
        client(answering(403, b'[{"code": "REQUEST_LIMIT"}]'), errors=errors).send(WRITE)
    assert caught.value.retry_after == 60.0
    with pytest.raises(Unauthorized):
        client(answering(403, b'[{"code": "OTHER"}]'), errors=errors).send(WRITE)


def test_a_success_with_an_error_inside_is_a_failure() -> None:
    errors = Errors.model_validate({"failed": "errors", "body": {"message": "errors[0].text"}})
    with pytest.raises(Refused):
        client(answering(200, b'{"errors": [{"text": "no"}]}'), errors=errors).send(WRITE)


HALF = b'{"results": [{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob \\ud83d"}]}'


def test_half_a_character_in_one_value_leaves_the_rest_of_the_answer_readable() -> None:
    ann, bob = client(answering(200, HALF)).send(READ).body["results"]
    assert (ann["name"], bob["name"]) == ("Ann", "Bob \ud83d")


@pytest.mark.parametrize("content", [HALF[:-1], HALF.replace(b'"1"', b"NaN"), HALF.replace(b"Ann", b"\xff")])
def test_half_a_character_makes_nothing_readable_that_is_no_json(content: bytes) -> None:
    with pytest.raises(Malformed):
        client(answering(200, content)).send(READ)


def test_half_a_character_in_what_a_system_says_can_be_printed() -> None:
    with pytest.raises(ConnectorError) as caught:
        client(answering(400, b'{"message": "no \\ud83d here"}')).send(READ)
    str(caught.value).encode()
