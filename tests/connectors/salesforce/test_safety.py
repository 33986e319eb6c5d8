"""What must never happen at Salesforce: secrets in texts, calls to other hosts, forged news."""

from __future__ import annotations

import httpx
import pytest

from tests.connectors.salesforce.org import Desk, update
from trueup.connectors.base import WebhookRequest
from trueup.errors import ConnectorError, Malformed, Unauthorized
from trueup.model.record import Reading
from trueup.sandbox.standin import Fault


def test_neither_the_secret_nor_the_token_is_shown_where_the_vendor_repeats_them() -> None:
    desk = Desk()
    desk.org.credentials = ("client", "top-secret-1")
    connector = desk.connector(client_secret="top-secret-1")
    connector.whoami()
    token = f"{desk.org.org_id[:15]}!AQ000002"  # the second that was asked for
    echo = f'[{{"errorCode": "INVALID_FIELD", "message": "bad top-secret-1 and {token}"}}]'
    desk.org.faults = [Fault("query", 2, "status", 400, body=echo.encode())]
    with pytest.raises(ConnectorError) as told:
        connector.pull("Lead", Reading.LISTING, None, ())
    assert "bad *** and ***" in str(told.value)
    assert "top-secret-1" not in f"{told.value} {connector!r}" and token not in str(told.value)


def test_a_token_answer_that_names_no_https_address_is_not_followed() -> None:
    desk = Desk(instance_url="http://eu12.my.salesforce.com")
    with pytest.raises(Unauthorized):
        desk.connector().whoami()
    assert desk.org.ledger.calls("query") == 0


def test_a_next_page_on_another_host_is_not_fetched() -> None:
    desk = Desk()
    body = b'{"totalSize": 2, "done": false, "nextRecordsUrl": "https://evil.example/x", "records": []}'
    desk.org.faults = [Fault("query", 1, "body", body=body)]
    with pytest.raises(Malformed):
        desk.connector().find("Lead", "Email", ["ann@example.com"], ())


def test_whatever_arrives_as_a_webhook_is_refused() -> None:
    request = WebhookRequest("POST", "https://hub.example.com/in", {}, b"{}")
    with pytest.raises(Unauthorized):
        Desk().connector().hints(request)


def test_every_call_has_a_time_limit() -> None:
    desk, limits = Desk(), []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"])
        return desk.org.handle(request)

    connector = desk.connector(httpx.MockTransport(answer))
    connector.whoami()
    connector.write("Lead", [update(desk.lead(), Title="COO")], ())
    assert len(limits) == 3
    assert all(0 < limit[part] <= 120 for limit in limits for part in ("connect", "read", "write", "pool"))
