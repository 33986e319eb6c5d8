"""A hostile imitation of Zendesk Support, as strict as the vendor sheet says.

`stage`, `tier`, `contract_number` and `current_offer` exist as user fields; `add_user_field` makes more.
What people do in the screens are the methods `user_*`; ids go in and come out as text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from trueup.connectors.base import WebhookRequest
from trueup.connectors.zendesk.vendor_endpoints import (
    Account,
    Ask,
    Endpoint,
    OrganizationEndpoints,
    TicketEndpoints,
    UserEndpoints,
)
from trueup.connectors.zendesk.vendor_jobs import Jobs
from trueup.connectors.zendesk.vendor_organizations import Organizations
from trueup.connectors.zendesk.vendor_people import People
from trueup.connectors.zendesk.vendor_records import Records
from trueup.connectors.zendesk.vendor_rules import Values, VendorError, custom_field, iso
from trueup.connectors.zendesk.vendor_tickets import Tickets
from trueup.sandbox.standin import Effect, Match, StandIn

_EVENTS = {"create": "created", "update": "details_changed", "delete": "deleted", "merge": "merged"}


class ZendeskStandIn(StandIn):
    """One account at `https://{subdomain}.zendesk.com`.

    Knobs: `per_minute` and `export_per_minute` (calls; 0 = unlimited), `same_user_per_minute` (updates of
    one user), `bulk_import`, `domain_mapping`, `identity_touches_user`, `null_clears_phone`, `search_lag`,
    and of `jobs`: `polls`, `seconds`, `fates`. Webhooks queue in `webhooks` once `webhook_url` is set.
    """

    name = "zendesk"

    def __init__(
        self,
        now: Callable[[], datetime] | None = None,
        *,
        subdomain: str = "acme",
        user: str = "robot@acme.example",
        token: str = "zd-token",
    ) -> None:
        super().__init__(now)
        self.base_url = f"https://{subdomain}.zendesk.com"
        self.per_minute, self.export_per_minute, self.same_user_per_minute = 400, 10, 5
        self.webhook_url, self.signing_secret = "", "zd-signing-secret"
        self.webhooks: list[WebhookRequest] = []
        self._login = f"{user}/token:{token}"
        credentials = base64.b64encode(self._login.encode()).decode()
        self._authorization = f"Basic {credentials}"
        self._windows: dict[str, tuple[int, int]] = {}  # bucket -> (minute, calls in it)
        self._tickets_by_key: dict[str, int] = {}
        clock = lambda: self.now()  # noqa: E731  (the clock may be replaced later)
        records = Records(clock, self._note, self.base_url)
        organizations = Organizations(records)
        people = People(records, organizations)
        self.jobs = Jobs(clock, self.base_url)
        self.account = Account(records, organizations, people, Tickets(records, people), self.jobs)
        robot = {"name": "Sync Robot", "email": user, "role": "admin", "skip_verify_email": True}
        self._users = UserEndpoints(self.account, people.create(robot, by="setup"))
        self._organizations = OrganizationEndpoints(self.account)
        self._tickets = TicketEndpoints(self.account)
        self._routes_of_users()
        self._routes_of_others()

    # -- knobs ------------------------------------------------------------------------------------

    @property
    def bulk_import(self) -> bool:
        return self._users.bulk_import

    @bulk_import.setter
    def bulk_import(self, allowed: bool) -> None:
        self._users.bulk_import = allowed

    @property
    def domain_mapping(self) -> bool:
        return self.account.people.domain_mapping

    @domain_mapping.setter
    def domain_mapping(self, on: bool) -> None:
        self.account.people.domain_mapping = on

    @property
    def identity_touches_user(self) -> bool:
        return self.account.people.identity_touches_user

    @identity_touches_user.setter
    def identity_touches_user(self, on: bool) -> None:
        self.account.people.identity_touches_user = on

    @property
    def null_clears_phone(self) -> bool:
        return self.account.people.null_clears_phone

    @null_clears_phone.setter
    def null_clears_phone(self, on: bool) -> None:
        self.account.people.null_clears_phone = on

    @property
    def search_lag(self) -> timedelta:
        return self.account.people.search_lag

    @search_lag.setter
    def search_lag(self, lag: timedelta) -> None:
        self.account.people.search_lag = lag

    @property
    def mails(self) -> list[tuple[int, str]]:
        """Verification mails that went out: (user id, address)."""
        return self.account.people.mails

    def add_user_field(self, key: str, type: str, options: Sequence[str] = ()) -> None:
        fields = self.account.records.user_fields
        fields.append(custom_field(5001 + len(fields), self.base_url, key, type, options))

    def add_organization_field(self, key: str, type: str, options: Sequence[str] = ()) -> None:
        fields = self.account.records.organization_fields
        fields.append(custom_field(7001 + len(fields), self.base_url, key, type, options))

    # -- what people do in the screens ------------------------------------------------------------

    def user_create(self, name: str, email: str | None = None, by: str = "agent", **values: Any) -> str:
        """A new end user (or `role=`); `user_fields.tier` and the like may be given dotted."""
        body = _nested({"name": name, "email": email, "skip_verify_email": True, **values})
        return str(self.account.people.create(body, by))

    def user_edit(self, id: str, by: str = "agent", **values: Any) -> None:
        """Edit a profile. A new `email` is added and made the primary one, as an agent does it."""
        email = values.pop("email", None)
        if email is not None:
            added = {"type": "email", "value": email, "verified": True}
            identity = self.account.people.add_identity(int(id), added, by)
            self.account.people.make_primary(int(id), identity["id"], by)
        if "phone" in values:
            values["phone"] = values["phone"] or ""
        if values:
            self.account.people.update(int(id), _nested(values), by)

    def user_delete(self, id: str, by: str = "agent") -> None:
        self.account.people.delete(int(id), by)

    def user_delete_for_good(self, id: str, by: str = "agent") -> None:
        self.account.people.delete_for_good(int(id), by)

    def user_merge(self, loser: str, winner: str, by: str = "agent") -> None:
        self.account.people.merge(int(loser), int(winner), by)

    def user_tag(self, id: str, *tags: str, by: str = "agent") -> None:
        self.account.people.change_tags(int(id), list(tags), [], by)

    def user_untag(self, id: str, *tags: str, by: str = "agent") -> None:
        self.account.people.change_tags(int(id), [], list(tags), by)

    def user_create_organization(self, name: str, by: str = "agent", **values: Any) -> str:
        return str(self.account.organizations.create(_nested({"name": name, **values}), by))

    def user_edit_organization(self, id: str, by: str = "agent", **values: Any) -> None:
        self.account.organizations.update(int(id), _nested(values), by)

    def user_delete_organization(self, id: str, by: str = "agent") -> None:
        self.account.organizations.delete(int(id), by)

    def user_create_ticket(self, requester: str, subject: str, by: str = "agent", **values: Any) -> str:
        body = {"requester_id": int(requester), "subject": subject, **values}
        return str(self.account.tickets.create(body, by))

    def user_edit_ticket(self, id: str, by: str = "agent", **values: Any) -> None:
        self.account.tickets.update(int(id), values, by)

    def user_solve_ticket(self, id: str, by: str = "agent") -> None:
        self.account.tickets.update(int(id), {"status": "solved"}, by)

    def user_delete_ticket(self, id: str, by: str = "agent") -> None:
        self.account.tickets.delete(int(id), by)

    def user(self, id: str) -> Values:
        """A user as stored, with `identities.email`: for assertions."""
        return self.account.people.snapshot(int(id))

    def organization(self, id: str) -> Values:
        return self.account.records.public("organizations", int(id))

    # -- routes -----------------------------------------------------------------------------------

    def _at(self, method: str, path: str, kind: str, endpoint: Endpoint) -> None:
        def handler(request: httpx.Request, match: Match) -> httpx.Response:
            return self._reply(request, match, endpoint)

        self.route(method, f"/api/v2/{path}" + r"(?:\.json)?", kind, handler)

    def _routes_of_users(self) -> None:
        users = self._users
        self._at("GET", "users/me", "whoami", users.me)
        self._at("GET", "users/show_many", "users.show_many", users.show_many)
        self._at("GET", "users/search", "users.search", users.search)
        self._at("POST", "users/create_or_update", "users.create_or_update", users.create_or_update)
        self._at("POST", "users/create_many", "users.create_many", users.create_many)
        self._at("POST", "users/create_or_update_many", "users.upsert_many", users.create_or_update_many)
        self._at("PUT", "users/update_many", "users.update_many", users.update_many)
        self._at("DELETE", "users/destroy_many", "users.destroy_many", users.destroy_many)
        self._at("GET", "users", "users.list", users.list)
        self._at("POST", "users", "users.create", users.create)
        self._at("GET", "users/{id}", "users.get", users.get)
        self._at("PUT", "users/{id}", "users.update", users.update)
        self._at("DELETE", "users/{id}", "users.delete", users.delete)
        self._at("PUT", "users/{id}/merge", "users.merge", users.merge)
        self._at("GET", "users/{id}/identities", "identities.list", users.identities)
        self._at("POST", "users/{id}/identities", "identities.create", users.add_identity)
        chosen = "users/{id}/identities/{identity}"
        self._at("PUT", f"{chosen}/make_primary", "identities.make_primary", users.make_primary)
        self._at("DELETE", chosen, "identities.delete", users.delete_identity)
        self._at("GET", "users/{id}/tags", "users.tags", users.tags)
        self._at("PUT", "users/{id}/tags", "users.add_tags", users.add_tags)
        self._at("DELETE", "users/{id}/tags", "users.remove_tags", users.remove_tags)
        self._at("GET", "users/{id}/organization_memberships", "memberships", self._organizations.memberships)
        self._at("GET", "users/{id}/tickets/requested", "tickets.requested", self._tickets.list)
        self._at("GET", "deleted_users", "deleted_users", users.deleted)
        self._at("GET", "deleted_users/{id}", "deleted_users.get", users.deleted_one)
        self._at("DELETE", "deleted_users/{id}", "deleted_users.delete", users.delete_for_good)
        self._at("GET", "user_fields", "user_fields", users.fields)
        self._at("GET", "incremental/users/cursor", "incremental.users", users.export_cursor)
        self._at("GET", "incremental/users", "incremental.users_by_time", users.export_time)

    def _routes_of_others(self) -> None:
        organizations, tickets = self._organizations, self._tickets
        self._at("GET", "organizations/show_many", "organizations.show_many", organizations.show_many)
        self._at("GET", "organizations/search", "organizations.search", organizations.search)
        upsert = organizations.create_or_update
        self._at("POST", "organizations/create_or_update", "organizations.create_or_update", upsert)
        self._at("POST", "organizations/create_many", "organizations.create_many", organizations.create_many)
        self._at("PUT", "organizations/update_many", "organizations.update_many", organizations.update_many)
        self._at("GET", "organizations", "organizations.list", organizations.list)
        self._at("POST", "organizations", "organizations.create", organizations.create)
        self._at("GET", "organizations/{id}", "organizations.get", organizations.get)
        self._at("PUT", "organizations/{id}", "organizations.update", organizations.update)
        self._at("DELETE", "organizations/{id}", "organizations.delete", organizations.delete)
        self._at("PUT", "organizations/{id}/tags", "organizations.add_tags", organizations.add_tags)
        self._at("DELETE", "organizations/{id}/tags", "organizations.remove_tags", organizations.remove_tags)
        self._at("GET", "organization_memberships", "memberships", organizations.memberships)
        self._at("GET", "organization_fields", "organization_fields", organizations.fields)
        self._at("GET", "incremental/organizations", "incremental.organizations", organizations.export)
        self._at("GET", "tickets/show_many", "tickets.show_many", tickets.show_many)
        self._at("GET", "tickets", "tickets.list", tickets.list)
        self._at("POST", "tickets", "tickets.create", tickets.create)
        self._at("GET", "tickets/{id}", "tickets.get", tickets.get)
        self._at("PUT", "tickets/{id}", "tickets.update", tickets.update)
        self._at("DELETE", "tickets/{id}", "tickets.delete", tickets.delete)
        self._at("GET", "incremental/tickets/cursor", "incremental.tickets", tickets.export_cursor)
        self._at("GET", "incremental/tickets", "incremental.tickets_by_time", tickets.export_time)
        self._at("GET", "job_statuses/{id}", "job_statuses", self._job_status)

    def _job_status(self, ask: Ask) -> tuple[int, Values, dict[str, str]]:
        return 200, {"job_status": self.jobs.show(ask.path["id"].removesuffix(".json"))}, {}

    # -- answering --------------------------------------------------------------------------------

    def sign_in(self, url: str) -> str:
        return f"curl -u {shlex.quote(self._login)} {url}/api/v2/users/me.json"

    def authorize(self, request: httpx.Request, kind: str) -> httpx.Response | None:
        if request.headers.get("Authorization") != self._authorization:
            return httpx.Response(401, json={"error": "Couldn't authenticate you"})
        self.jobs.advance()
        return self._limited("account", self.per_minute) or self._limited_apart(request, kind)

    def _limited_apart(self, request: httpx.Request, kind: str) -> httpx.Response | None:
        if kind.startswith("incremental."):
            return self._limited("export", self.export_per_minute)
        if kind == "users.update":
            return self._limited(request.url.path, self.same_user_per_minute)
        return None

    def _limited(self, bucket: str, most: int) -> httpx.Response | None:
        minute, second = divmod(int(self.now().timestamp()), 60)
        known, calls = self._windows.get(bucket, (minute, 0))
        calls = calls + 1 if known == minute else 1
        self._windows[bucket] = (minute, calls)
        if not most or calls <= most:
            return None
        body = {"error": "RateLimited", "description": "Number of allowed API requests per minute exceeded"}
        headers = {"Retry-After": str(60 - second), **self._rate_headers()}
        return httpx.Response(429, json=body, headers=headers)

    def _rate_headers(self) -> dict[str, str]:
        minute, second = divmod(int(self.now().timestamp()), 60)
        known, calls = self._windows.get("account", (minute, 0))
        left = max(0, self.per_minute - (calls if known == minute else 0))
        if not self.per_minute:
            return {}
        names = {"X-Rate-Limit": self.per_minute, "X-Rate-Limit-Remaining": left}
        newer = {"ratelimit-limit": self.per_minute, "ratelimit-remaining": left}
        told = {**names, **newer, "ratelimit-reset": 60 - second}
        return {name: str(value) for name, value in told.items()}

    def not_found(self, request: httpx.Request) -> httpx.Response:
        body = {"error": {"title": "Invalid resource", "message": "No such endpoint"}}
        return httpx.Response(404, json=body)

    def _reply(self, request: httpx.Request, match: Match, endpoint: Endpoint) -> httpx.Response:
        headers = self._rate_headers()
        try:
            body = match.json()
        except ValueError:
            return httpx.Response(400, json={"error": "Unprocessable JSON"}, headers=headers)
        url = f"{self.base_url}{request.url.path}"
        try:
            if endpoint == self._tickets.create and (key := request.headers.get("Idempotency-Key")):
                return self._ticket_once(key, Ask(match.path, match.query, url, body), headers)
            status, answer, more = endpoint(Ask(match.path, match.query, url, body))
        except VendorError as refusal:
            return httpx.Response(refusal.status, json=refusal.body, headers={**headers, **refusal.headers})
        content = b"" if answer is None else orjson.dumps(answer)
        shown = {**headers, **more, "Content-Type": "application/json; charset=utf-8"}
        return httpx.Response(status, content=content, headers=shown)

    def _ticket_once(self, key: str, ask: Ask, headers: Mapping[str, str]) -> httpx.Response:
        """Ticket creation is the only thing that takes an idempotency key."""
        again = "hit" if key in self._tickets_by_key else "miss"
        if again == "miss":
            self._tickets_by_key[key] = self.account.tickets.create(ask.inside("ticket"))
        answer = {"ticket": self.account.tickets.public(self._tickets_by_key[key])}
        return httpx.Response(201, json=answer, headers={**headers, "X-Idempotency-Lookup": again})

    # -- ledger and webhooks ----------------------------------------------------------------------

    def _note(
        self, by: str, action: str, object: str, id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        self.record(Effect(self.now(), by, action, object, id, before, after))
        if self.webhook_url and object in ("users", "organizations"):
            event = _EVENTS[action] if object == "users" or action != "update" else "name_changed"
            self.webhooks.append(self._webhook(object.removesuffix("s"), event, id, after))

    def _webhook(self, subject: str, event: str, id: str, after: Mapping[str, Any]) -> WebhookRequest:
        shown = ("email", "name", "external_id", "organization_id", "role", "created_at", "updated_at")
        detail = {"id": id, **{name: after.get(name) for name in shown if name in after}}
        body = orjson.dumps(
            {
                "account_id": 22129848,
                "id": f"event-{len(self.ledger.effects):08d}",
                "type": f"zen:event-type:{subject}.{event}",
                "subject": f"zen:{subject}:{id}",
                "time": iso(self.now()),
                "zendesk_event_version": "2022-11-06",
                "event": {},
                "detail": detail,
            }
        )
        stamp = iso(self.now())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Zendesk-Webhook-Signature": signature(self.signing_secret, stamp, body),
            "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        }
        return WebhookRequest("POST", self.webhook_url, headers, body)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """base64(HMAC-SHA256(secret, timestamp + raw body)), without separator (vendor sheet 7)."""
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _nested(values: Mapping[str, Any]) -> Values:
    """`user_fields.tier` becomes an entry of `user_fields`."""
    whole: Values = {}
    for name, value in values.items():
        above, _, last = name.rpartition(".")
        (whole.setdefault(above, {}) if above else whole)[last] = value
    return whole
