"""Credentials: tokens are asked for when needed, once for all threads, and never shown."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.connectors.kit import PlainBudget
from trueup.connectors.auth import credential
from trueup.connectors.http import Account, Call, HttpClient
from trueup.connectors.manifest import BasicAuth, BearerAuth, TokenAuth
from trueup.connectors.verdict import Effect
from trueup.errors import RateLimited, Transient, Unauthorized
from trueup.testing.acceptance.clock import HandClock

READ = Call("GET", "/things", "things.read")
SETTINGS = {"domain": "acme.example.com", "client_id": "app", "client_secret": "s3cret-value"}
WORDS = TokenAuth(
    kind="client_credentials",
    url="https://{domain}/token",
    form={"grant_type": "client_credentials", "client_id": "{client_id}", "client_secret": "{client_secret}"},
)


class Issuer:
    """A system with a token endpoint. `valid` are the tokens that it takes."""

    def __init__(self, **answer: Any) -> None:
        self.answer = {"expires_in": 3600, **answer}
        self.status = 200
        self.valid: set[str] = set()
        self.issued = 0
        self.refused = 0
        self.urls: list[str] = []
        self.delay = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        if request.url.path == "/token":
            return self._issue(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.valid:
            self.refused += 1
            return httpx.Response(401, json={"message": "expired"})
        return httpx.Response(200, json={"ok": True})

    def _issue(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self.delay)
        self.issued += 1
        token = f"token-{self.issued}"
        self.valid = {token}
        if self.status != 200:
            return httpx.Response(
                self.status, json={"error": "invalid_grant", "error_description": "s3cret-value"}
            )
        return httpx.Response(200, json={"access_token": token, **self.answer})


def client(
    handler: Callable[[httpx.Request], httpx.Response],
    clock: HandClock | None = None,
    words: TokenAuth = WORDS,
    base_url: str = "https://acme.example.com",
) -> HttpClient:
    signed = credential(words, {**SETTINGS, "refresh_token": "first-refresh"}, (SETTINGS["client_secret"],))
    account = Account("sales", base_url)
    return HttpClient(account, signed, clock or HandClock(), PlainBudget(), httpx.MockTransport(handler))


def test_a_token_is_asked_for_once_and_kept() -> None:
    issuer = Issuer()
    hub = client(issuer)
    for _ in range(5):
        hub.send(READ)
    assert (issuer.issued, issuer.refused) == (1, 0)


def test_a_token_is_renewed_before_it_expires() -> None:
    clock, issuer = HandClock(), Issuer(expires_in=600)
    hub = client(issuer, clock)
    hub.send(READ)
    clock.advance(545)
    hub.send(READ)
    assert (issuer.issued, issuer.refused) == (2, 0)


def test_a_token_refused_early_is_renewed_once_and_the_call_repeated() -> None:
    issuer = Issuer()
    hub = client(issuer)
    hub.send(READ)
    issuer.valid.clear()
    write = Call("POST", "/things", "things.create", Effect.WRITE, body={})
    assert hub.send(write).status == 200
    assert (issuer.issued, issuer.refused) == (2, 1)


def test_a_token_that_is_refused_again_is_unauthorized_without_a_storm() -> None:
    issuer = Issuer()

    def never(request: httpx.Request) -> httpx.Response:
        answer = issuer(request)
        issuer.valid.clear()
        return answer

    with pytest.raises(Unauthorized):
        client(never).send(READ)
    assert issuer.issued == 2


def test_many_threads_renew_once() -> None:
    issuer = Issuer()
    issuer.delay = 0.05

    class WallClock(HandClock):
        def sleep(self, seconds: float) -> None:
            time.sleep(seconds / 10)

    hub = client(issuer, WallClock())
    threads = [threading.Thread(target=hub.send, args=(READ,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issuer.issued == 1


def test_a_revoked_grant_is_unauthorized_and_not_asked_for_again_at_once() -> None:
    clock, issuer = HandClock(), Issuer()
    issuer.status = 400
    hub = client(issuer, clock)
    for _ in range(3):
        with pytest.raises(Unauthorized):
            hub.send(READ)
    assert issuer.issued == 1
    clock.advance(31)
    with pytest.raises(Unauthorized):
        hub.send(READ)
    assert issuer.issued == 2


def test_what_the_token_endpoint_says_is_told_without_the_secret() -> None:
    issuer = Issuer()
    issuer.status = 400
    with pytest.raises(Unauthorized) as caught:
        client(issuer).send(READ)
    assert "invalid_grant" in str(caught.value)
    assert SETTINGS["client_secret"] not in str(caught.value)
    assert caught.value.connection == "sales"


@pytest.mark.parametrize(("status", "kind"), [(503, Transient), (429, RateLimited)])
def test_a_token_endpoint_in_trouble_is_no_wrong_credential(status: int, kind: type[Exception]) -> None:
    issuer = Issuer()
    issuer.status = status
    write = Call("POST", "/things", "things.create", Effect.WRITE, body={})
    with pytest.raises(kind):
        client(issuer).send(write)


def test_a_lost_answer_of_the_token_endpoint_leaves_a_write_certainly_undone() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("by plan")

    with pytest.raises(Transient):
        client(handler).send(Call("POST", "/things", "things.create", Effect.WRITE, body={}))


def test_calls_go_to_the_address_that_the_token_answer_names() -> None:
    issuer = Issuer(instance_url="https://eu7.example.com")
    client(issuer, base_url="{token.instance_url}/services").send(READ)
    assert issuer.urls == ["https://acme.example.com/token", "https://eu7.example.com/services/things"]


def test_an_instance_address_without_https_is_not_trusted() -> None:
    issuer = Issuer(instance_url="http://eu7.example.com")
    with pytest.raises(Unauthorized):
        client(issuer, base_url="{token.instance_url}").send(READ)
    assert issuer.urls == ["https://acme.example.com/token"]


def test_a_rotated_refresh_token_replaces_the_old_one() -> None:
    words = TokenAuth(
        kind="refresh_token",
        url="https://{domain}/token",
        form={"grant_type": "refresh_token", "refresh_token": "{refresh_token}"},
    )
    sent = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(dict(httpx.QueryParams(request.content.decode()))["refresh_token"])
        return httpx.Response(
            200, json={"access_token": "t", "refresh_token": f"r{len(sent)}", "expires_in": 60}
        )

    clock = HandClock()
    hub = client(handler, clock, words)
    hub.token_answer()
    clock.advance(120)
    hub.token_answer()
    assert sent == ["first-refresh", "r1"]


def test_basic_credentials_are_coded_and_both_forms_are_secret() -> None:
    words = BasicAuth(kind="basic", username="{email}/token", password="{api_token}")
    settings = {"email": "ann@example.com", "api_token": "tok-42"}
    signed = credential(words, settings, ("tok-42",))
    header = (signed.headers(HandClock().now()) or {})["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"ann@example.com/token:tok-42"
    assert header.removeprefix("Basic ") in signed.secrets()


@pytest.mark.parametrize("token", ["two\nlines", "fünf", "a\x00b"])
def test_a_token_that_no_header_can_carry_is_told_before_anything_is_sent(token: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        credential(BearerAuth(kind="bearer"), {"token": token}, (token,))
    assert token not in str(caught.value)
