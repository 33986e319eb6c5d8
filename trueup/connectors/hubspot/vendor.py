"""A HubSpot account to test against: as strict, as late and as forgetful as the real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shlex
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from trueup.connectors.base import WebhookRequest
from trueup.connectors.hubspot.vendor_consent import Preferences
from trueup.connectors.hubspot.vendor_links import Links
from trueup.connectors.hubspot.vendor_portal import Consent, Portal
from trueup.connectors.hubspot.vendor_properties import Definition, iso
from trueup.connectors.hubspot.vendor_reading import Records
from trueup.connectors.hubspot.vendor_wire import CORRELATION, HTML, SINGULAR, Owner, failure
from trueup.connectors.hubspot.vendor_writing import Changes
from trueup.sandbox.standin import Effect, Match, StandIn


class HubSpotStandIn(StandIn):
    """HubSpot as its public guides describe it.

    `token` is the private app's token. With `app` = (client id, client secret, refresh token) tokens are
    issued at the token endpoint too, for half an hour. `index_lag` seconds pass before a search shows a
    write. `rate` is (calls, seconds) for all calls and `search_rate` for searches; None = no limit.
    `forward_only`: a lifecycle stage never moves backwards. `empty` says how an empty property that was
    asked for is told: `null`, or left out (`omit`).
    """

    name = "hubspot"

    def __init__(
        self,
        now: Callable[[], datetime] | None = None,
        *,
        token: str = "pat-eu1-standin",
        app: tuple[str, str, str] = ("app-id", "app-secret", "app-refresh"),
        index_lag: float = 5.0,
        rate: tuple[int, float] | None = None,
        search_rate: tuple[int, float] | None = None,
        forward_only: bool = True,
        empty: str = "null",
    ) -> None:
        super().__init__(now)
        self.portal = Portal(index_lag, forward_only)
        self.app = app
        self.rate = rate
        self.search_rate = search_rate
        self.empty = empty
        self.owners: list[Owner] = []
        self.tokens: dict[str, datetime | None] = {token: None}
        self._issued = 0
        self._recent: dict[str, deque[datetime]] = {"default": deque(), "search": deque()}
        self._events: list[dict[str, Any]] = []
        self._links = Links(self)
        self._preferences = Preferences(self)
        self._records = Records(self)
        self._changes = Changes(self, self._records)
        self._add_routes()

    def _add_routes(self) -> None:
        objects, v4 = "/crm/v3/objects/{object}", "/crm/v4/associations/{object}/{other}/batch"
        preferences = "/communication-preferences"
        self.route("POST", "/oauth/v1/token", "token", self._token)
        self.route("GET", "/account-info/v3/details", "whoami", self._details)
        self.route("GET", "/crm/v3/owners/", "owners", self._records.owners)
        self.route("GET", "/crm/v3/owners/{id}", "owner", self._records.owner)
        self.route("GET", "/crm/v3/properties/{object}", "properties", self._records.properties)
        self.route("GET", objects, "list", self._records.listing)
        self.route("POST", f"{objects}/search", "search", self._records.search)
        self.route("POST", f"{objects}/batch/read", "batch_read", self._records.batch_read)
        self.route("POST", f"{objects}/batch/create", "batch_create", self._changes.batch_create)
        self.route("POST", f"{objects}/batch/update", "batch_update", self._changes.batch_update)
        self.route("POST", f"{objects}/merge", "merge", self._changes.merge)
        self.route("GET", objects + "/{id}", "read", self._records.read)
        self.route("DELETE", objects + "/{id}", "delete", self._changes.delete)
        self.route("POST", f"{v4}/read", "links_read", self._links.read)
        self.route("POST", f"{v4}/associate/default", "links_write", self._links.write)
        self.route("POST", f"{v4}/create", "links_create", self._links.write)
        self.route("POST", f"{v4}/archive", "links_archive", self._links.archive)
        self.route("GET", "/crm/v4/associations/{object}/{other}/labels", "links_labels", self._links.labels)
        self.route("GET", f"{preferences}/v3/definitions", "definitions", self._preferences.definitions)
        self.route(
            "POST", f"{preferences}/v4/statuses/batch/read", "statuses_read", self._preferences.statuses_read
        )
        self.route(
            "POST",
            f"{preferences}/v4/statuses/batch/write",
            "statuses_write",
            self._preferences.statuses_write,
        )

    # -- what people do in HubSpot's own screens ------------------------------------------------------

    def user_create(self, object: str, values: Mapping[str, object], by: str = "user") -> str:
        """A record made by hand; its id."""
        row = self.portal.create(object, self.portal.checked(object, values), self.now())
        self.note(by, "create", object, row.id, {}, row.properties)
        self.event(by, object, "creation", row.id)
        return row.id

    def user_edit(self, object: str, id: str, values: Mapping[str, object], by: str = "user") -> None:
        row = self._changes.living(object, id)
        self._changes.update(object, row, self.portal.checked(object, values), by)

    def user_delete(self, object: str, id: str, by: str = "user") -> None:
        row = self._changes.living(object, id)
        self._changes.archive(object, row, by)

    def user_restore(self, object: str, id: str, by: str = "user") -> None:
        row = self.portal.rows[object][id]
        self.portal.restore(object, row, self.now())
        self.note(by, "restore", object, id, {}, row.properties)
        self.event(by, object, "restore", id)

    def user_merge(self, object: str, primary: str, other: str, by: str = "user") -> str:
        """Two records joined by hand; the id of the third that comes of it."""
        return self._changes.join(
            object, self._changes.living(object, primary), self._changes.living(object, other), by
        ).id

    def user_unsubscribe(self, email: str, subscription: str, by: str = "user") -> None:
        self._preferences.set(
            email, self._preferences.id_of(subscription), Consent("UNSUBSCRIBED", "PUBLIC_PAGE"), by
        )

    def user_subscribe(self, email: str, subscription: str, by: str = "user") -> None:
        self._preferences.set(email, self._preferences.id_of(subscription), Consent("SUBSCRIBED", "FORM"), by)

    def user_associate(self, object: str, id: str, other: str, to: str, by: str = "user") -> None:
        self.portal.link(object, other, id, to)
        self._links.touched(object, id, by)

    # -- the account ----------------------------------------------------------------------------------

    def add_property(self, object: str, definition: Definition) -> None:
        """A custom property, from now on."""
        self.portal.define(object, definition)

    def add_subscription(self, name: str) -> int:
        """A subscription type; its id."""
        id = 9000 + len(self.portal.subscriptions)
        self.portal.subscriptions[id] = name
        return id

    def add_owner(self, email: str, first_name: str = "", last_name: str = "") -> str:
        owner = Owner(str(700 + len(self.owners)), email, first_name, last_name)
        self.owners.append(owner)
        return owner.id

    def expire_tokens(self) -> None:
        """Every issued token is refused from now on."""
        self.tokens = {token: until for token, until in self.tokens.items() if until is None}

    def webhooks(self, url: str) -> list[WebhookRequest]:
        """What HubSpot would now send to `url`: signed requests of up to 100 events each."""
        events, self._events = self._events, []
        return [self._signed(url, events[start : start + 100]) for start in range(0, len(events), 100)]

    def _signed(self, url: str, events: Sequence[Mapping[str, Any]]) -> WebhookRequest:
        body = orjson.dumps(events)
        stamp = str(int(self.now().timestamp() * 1000))
        signed = b"POST" + url.encode() + body + stamp.encode()
        digest = hmac.new(self.app[1].encode(), signed, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
            "X-HubSpot-Request-Timestamp": stamp,
        }
        return WebhookRequest("POST", url, headers, body)

    # -- access ---------------------------------------------------------------------------------------

    def sign_in(self, url: str) -> str:
        token = next(token for token, until in self.tokens.items() if until is None)
        header = shlex.quote(f"Authorization: Bearer {token}")
        return f"curl -H {header} {shlex.quote(f'{url}/crm/v3/objects/contacts?limit=1')}"

    def authorize(self, request: httpx.Request, kind: str) -> httpx.Response | None:
        if kind == "token":
            return None
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if given not in self.tokens or self._is_over(self.tokens[given]):
            return failure(401, "INVALID_AUTHENTICATION", "Authentication credentials not found or expired.")
        group = "search" if kind == "search" else "default"
        limit = self.search_rate if group == "search" else self.rate
        return self._over_limit(group, limit) if limit else None

    def _is_over(self, until: datetime | None) -> bool:
        return until is not None and self.now() >= until

    def _over_limit(self, group: str, limit: tuple[int, float]) -> httpx.Response | None:
        now, recent = self.now(), self._recent[group]
        while recent and now - recent[0] >= timedelta(seconds=limit[1]):
            recent.popleft()
        if len(recent) < limit[0]:
            recent.append(now)
            return None
        policy = "SECONDLY" if group == "search" else "TEN_SECONDLY_ROLLING"
        word = policy.lower()
        body = {
            "status": "error",
            "message": f"You have reached your {word} limit.",
            "errorType": "RATE_LIMIT",
            "category": "RATE_LIMITS",
            "policyName": policy,
            "correlationId": CORRELATION,
        }
        return httpx.Response(429, json=body)

    def rate_headers(self) -> dict[str, str]:
        if self.rate is None:
            return {}
        return {
            "X-HubSpot-RateLimit-Max": str(self.rate[0]),
            "X-HubSpot-RateLimit-Remaining": str(self.rate[0] - len(self._recent["default"])),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.rate[1] * 1000)),
        }

    def not_found(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, content=b"<html><body><h1>404</h1></body></html>", headers=HTML)

    def _token(self, request: httpx.Request, match: Match) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        client_id, secret, refresh = self.app
        if (form.get("client_id"), form.get("client_secret")) != (client_id, secret):
            return failure(400, "BAD_CLIENT_SECRET", "missing or invalid client secret", "BAD_CLIENT_SECRET")
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != refresh:
            return failure(400, "BAD_REFRESH_TOKEN", "missing or unknown refresh token", "BAD_REFRESH_TOKEN")
        self._issued += 1
        token = f"issued-{self._issued}"
        self.tokens[token] = self.now() + timedelta(seconds=1800)
        body = {"access_token": token, "refresh_token": refresh, "token_type": "bearer", "expires_in": 1800}
        return httpx.Response(200, json=body)

    def _details(self, request: httpx.Request, match: Match) -> httpx.Response:
        body = {"portalId": 424242, "accountType": "DEVELOPER_TEST", "timeZone": "Europe/Berlin"}
        return httpx.Response(200, json=body, headers=self.rate_headers())

    def batch(self, results: list[Any], errors: list[Any], good: int) -> httpx.Response:
        now = iso(self.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        body |= {"startedAt": now, "completedAt": now}
        if errors:
            body |= {"errors": errors, "numErrors": len(errors)}
        return httpx.Response(207 if errors else good, json=body, headers=self.rate_headers())

    # -- inside ---------------------------------------------------------------------------------------

    def note(
        self, by: str, action: str, object: str, id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        self.record(Effect(self.now(), by, action, object, id, dict(before), dict(after)))

    def event(self, by: str, object: str, what: str, id: str, **more: Any) -> None:
        self._events.append(
            {
                "eventId": len(self.ledger.effects),
                "subscriptionId": 1,
                "portalId": 424242,
                "appId": 1,
                "occurredAt": int(self.now().timestamp() * 1000),
                "subscriptionType": f"{SINGULAR[object]}.{what}",
                "attemptNumber": 0,
                "objectId": int(id),
                "changeSource": "INTEGRATION" if by == "api" else "CRM_UI",
                **more,
            }
        )
