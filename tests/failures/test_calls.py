"""F064 to F066: limits hold for every call, whatever it does and whoever makes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.architecture.test_layers import PACKAGE, room
from tests.connectors.kit import PlainBudget
from trueup.connectors.auth import FixedCredential
from trueup.connectors.http import Account, Call, HttpClient
from trueup.connectors.verdict import Effect
from trueup.errors import RateLimited
from trueup.services.budget import Allowance, TokenBudget
from trueup.testing.acceptance.clock import HandClock

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CLIENTS = ("Client", "AsyncClient", "get", "post", "put", "patch", "delete", "head", "request", "stream")
OTHERS = ("requests", "aiohttp", "http.client", "urllib.request", "urllib3", "smtplib", "ftplib")


def client(transport: httpx.BaseTransport, budget: PlainBudget | TokenBudget, clock: HandClock) -> HttpClient:
    account = Account(connection="sales", base_url="https://api.example.com")
    return HttpClient(account, FixedCredential({}, ()), clock, budget, transport)


def test_f064_all_who_call_a_system_in_one_process_share_its_limit() -> None:
    clock, passed = HandClock(), list[httpx.Request]()
    budget = TokenBudget(clock, [Allowance("sales", 10, 1.0)], reserve=0.0)

    def handler(request: httpx.Request) -> httpx.Response:
        passed.append(request)
        return httpx.Response(200, content=b"{}")

    def worker(_: int) -> None:
        mine = client(httpx.MockTransport(handler), budget, clock)
        for _ in range(5):
            mine.send(Call("POST", "/things", "things.create", Effect.WRITE, body={}))

    began = clock.now()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(worker, range(8)))
    assert len(passed) == 40
    assert (clock.now() - began).total_seconds() >= 2.9  # ten at once, then ten a second


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("effect", list(Effect))
def test_f065_a_rate_limit_is_understood_at_every_verb(verb: str, effect: Effect) -> None:
    limited = httpx.MockTransport(lambda request: httpx.Response(429, headers={"Retry-After": "7"}))
    with pytest.raises(RateLimited) as caught:
        client(limited, PlainBudget(), HandClock()).send(Call(verb, "/things/1", "things", effect))
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("verb", VERBS)
def test_f066_every_call_whatever_its_verb_asks_the_budget_first(verb: str) -> None:
    sent: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: sent.append(request) or httpx.Response(200))  # type: ignore[func-returns-value]
    with pytest.raises(RateLimited):
        client(transport, PlainBudget(60.0), HandClock()).send(Call(verb, "/things", "things", Effect.WRITE))
    assert sent == []


def calls_made(source: str) -> Iterator[str]:
    """What of a module opens a way to another machine by HTTP."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name in OTHERS)
        elif isinstance(node, ast.ImportFrom) and node.module in OTHERS:
            yield node.module
        elif isinstance(node, ast.Attribute) and node.attr in CLIENTS and ast.unparse(node.value) == "httpx":
            yield f"httpx.{node.attr}"


def speakers() -> set[str]:
    """Modules that do, those apart that play systems or people."""
    found = set[str]()
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if room(module) not in ("sandbox", "testing", "commands") and any(
            calls_made(path.read_text("utf-8"))
        ):
            found.add(module)
    return found


def test_f066_only_one_module_sends_http_requests() -> None:
    assert speakers() == {"connectors.http"}


def test_f066_each_way_around_that_module_would_be_seen() -> None:
    for source in ("import requests", "import httpx\nhttpx.post('x')", "from urllib.request import urlopen"):
        assert list(calls_made(source)), source
