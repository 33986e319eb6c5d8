"""F071, F073: grants that end at a bad moment."""

from __future__ import annotations

import httpx
import pytest

from tests.connectors.kit import PlainBudget
from tests.connectors.salesforce.org import Desk, update
from trueup.connectors.auth import credential
from trueup.connectors.base import Done
from trueup.connectors.http import Account, Call, HttpClient
from trueup.connectors.manifest import TokenAuth
from trueup.errors import Transient, Unauthorized
from trueup.testing.acceptance.clock import HandClock

READ = Call("GET", "/things", "things.read")
SETTINGS = {"domain": "acme.example.com", "refresh_token": "r-0"}
ROTATES = TokenAuth(
    kind="refresh_token",
    url="https://{domain}/token",
    form={"grant_type": "refresh_token", "refresh_token": "{refresh_token}"},
)


class Rotating:
    """A token endpoint at which every refresh token is good once; the first answer is lost on its way."""

    def __init__(self) -> None:
        self.good, self.asked = "r-0", 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            return httpx.Response(200, json={})
        self.asked += 1
        given = dict(httpx.QueryParams(request.content.decode()))["refresh_token"]
        if given != self.good:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.good = f"r-{self.asked}"
        if self.asked == 1:
            raise httpx.ReadTimeout("the answer was lost")
        return httpx.Response(200, json={"access_token": "t", "refresh_token": self.good, "expires_in": 60})


def test_f071_a_rotated_token_whose_answer_was_lost_asks_for_a_new_grant_without_a_storm() -> None:
    clock, issuer = HandClock(), Rotating()
    signed = credential(ROTATES, SETTINGS, ())
    way = httpx.MockTransport(issuer)
    client = HttpClient(Account("sales", "https://acme.example.com"), signed, clock, PlainBudget(), way)
    ends = []
    for _ in range(20):
        with pytest.raises((Transient, Unauthorized)) as caught:
            client.send(READ)
        ends.append(caught.type)
    assert Unauthorized in ends
    assert set(ends[ends.index(Unauthorized) :]) == {Unauthorized}
    assert issuer.asked <= 4
    assert "invalid_grant" in str(caught.value)


class Revoking(httpx.BaseTransport):
    """Before the second batch of updates somebody else logs the session out."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._inner, self.batches = desk, desk.org.transport(), 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            self.batches += 1
            if self.batches == 2:
                self._desk.org.expire_sessions()
        return self._inner.handle_request(request)


def test_f073_a_session_that_is_revoked_between_two_batches_costs_one_login_and_repeats_no_write() -> None:
    desk = Desk()
    leads = [desk.lead(f"No{number}") for number in range(400)]
    connector = desk.connector(Revoking(desk))
    before = desk.org.ledger.calls("token")
    outcomes = [
        outcome
        for start in (0, 200)
        for outcome in connector.write("Lead", [update(id, Title="CTO") for id in leads[start:][:200]], ())
    ]
    assert outcomes == [Done(id) for id in leads]
    assert desk.org.ledger.calls("token") - before == 2
    assert sorted(effect.id for effect in desk.org.ledger.writes()) == sorted(leads)
