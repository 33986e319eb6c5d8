"""HubSpot: webhooks are believed only with a right signature, and only as hints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.connectors.hubspot.conftest import AUTH, Desk
from tests.connectors.kit import connect
from trueup.connectors.base import Connector, WebhookRequest
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.stamps import parse_stamp
from trueup.errors import Malformed, Unauthorized
from trueup.model.record import Hint
from trueup.testing.acceptance.clock import HandClock

URL = "https://hub.example.com/in/marketing"


def believer(secret: str, at_ms: str) -> Connector:
    moment = parse_stamp(at_ms, "epoch_ms")
    assert moment is not None
    clock = HandClock(moment)
    return connect("hubspot", HubSpotStandIn(clock.now).transport(), {**AUTH, "client_secret": secret}, clock)


def request(url: str, body: bytes, signature: str, stamp: str) -> WebhookRequest:
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    return WebhookRequest("POST", url, headers, body)


def test_the_vendors_own_signature_vector_is_accepted() -> None:
    connector = believer("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", "1693657560000")
    body = b"{'example_field':'example_value'}"
    signature = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="
    with pytest.raises(Malformed):  # the signature is right; the vector's body is no JSON
        connector.hints(request("https://www.example.com/webhook_uri", body, signature, "1693657560000"))


def test_the_computed_signature_vector_is_accepted() -> None:
    connector = believer("topsecret", "1767225600000")
    body = b'{"id":1,"email":"ann@example.com"}'
    signature = "g1w0INHpVXPryYUgbWLY9KQuGHgNMka9N0a/in4YEM4="
    assert connector.hints(request("https://hub.example.com/in", body, signature, "1767225600000")) == []


def test_a_users_edit_points_at_the_contact(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    desk.portal.user_edit("contacts", id, {"jobtitle": "Boss"})
    hook = desk.portal.webhooks(URL)[0]
    assert desk.connector.hints(hook) == [Hint("contacts", id)]


def test_a_merge_points_at_all_three_records(desk: Desk) -> None:
    one, two = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    desk.portal.webhooks(URL)
    third = desk.portal.user_merge("contacts", one, two)
    hints = desk.connector.hints(desk.portal.webhooks(URL)[0])
    assert {hint.id for hint in hints} == {one, two, third}


def test_events_of_companies_and_unknown_objects_are_told_apart(desk: Desk) -> None:
    company = desk.portal.user_create("companies", {"name": "Acme"})
    assert desk.connector.hints(desk.portal.webhooks(URL)[0]) == [Hint("companies", company)]
    ticket = [{"subscriptionType": "ticket.creation", "objectId": 7}]
    assert desk.connector.hints(desk.portal._signed(URL, ticket)) == []


def test_a_url_that_was_percent_encoded_is_signed_decoded(desk: Desk) -> None:
    desk.contact(email="ann@example.com")
    signed = desk.portal.webhooks("https://hub.example.com/in?x=a@b:c")[0]
    seen = replace(signed, url="https://hub.example.com/in?x=a%40b%3Ac")
    assert len(desk.connector.hints(seen)) == 1


def test_headers_are_found_whatever_their_case(desk: Desk) -> None:
    desk.contact(email="ann@example.com")
    hook = desk.portal.webhooks(URL)[0]
    lower = {name.lower(): value for name, value in hook.headers.items()}
    assert len(desk.connector.hints(replace(hook, headers=lower))) == 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda hook: replace(hook, body=hook.body.replace(b"1", b"2", 1)),
        lambda hook: replace(hook, url=hook.url + "?x=1"),
        lambda hook: replace(hook, method="GET"),
        lambda hook: replace(hook, headers={}),
        lambda hook: replace(hook, headers={**hook.headers, "X-HubSpot-Signature-v3": ""}),
        lambda hook: replace(hook, headers={**hook.headers, "X-HubSpot-Signature-v3": "höchst geheim ✨"}),
        lambda hook: replace(hook, headers={**hook.headers, "X-HubSpot-Signature-v3": "AAAA"}),
        lambda hook: replace(hook, headers={**hook.headers, "X-HubSpot-Request-Timestamp": "yesterday"}),
        lambda hook: replace(hook, headers={**hook.headers, "X-HubSpot-Request-Timestamp": "1e400"}),
        lambda hook: replace(hook, headers={**hook.headers, "X-HubSpot-Request-Timestamp": "nan"}),
    ],
    ids=[
        "body",
        "url",
        "method",
        "bare",
        "empty",
        "non-ascii",
        "short",
        "no time",
        "endless time",
        "nan time",
    ],
)
def test_a_forged_webhook_is_unauthorized(desk: Desk, forge: object) -> None:
    desk.contact(email="ann@example.com")
    hook = desk.portal.webhooks(URL)[0]
    with pytest.raises(Unauthorized):
        desk.connector.hints(forge(hook))  # type: ignore[operator]


@pytest.mark.parametrize("seconds", [301, -301])
def test_a_webhook_outside_the_replay_window_is_unauthorized(desk: Desk, seconds: int) -> None:
    desk.contact(email="ann@example.com")
    hook = desk.portal.webhooks(URL)[0]
    desk.clock.advance(seconds)
    with pytest.raises(Unauthorized):
        desk.connector.hints(hook)


def test_without_a_secret_no_webhook_is_believed(desk: Desk) -> None:
    desk.contact(email="ann@example.com")
    hook = desk.portal.webhooks(URL)[0]
    bare = connect(
        "hubspot", desk.portal.transport(), {"kind": "bearer", "token": "pat-eu1-standin"}, desk.clock
    )
    with pytest.raises(Unauthorized):
        bare.hints(hook)
