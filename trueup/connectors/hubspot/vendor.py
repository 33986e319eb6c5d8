"""A HubSpot account to test against: as strict, as late and as forgetful as the real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from trueup.connectors.base import WebhookRequest
from trueup.connectors.hubspot.vendor_consent import Preferences
from trueup.connectors.hubspot.vendor_links import Links
from trueup.connectors.hubspot.vendor_portal import (
    DEFAULTS,
    MODIFIED,
    Consent,
    Definition,
    Invalid,
    Portal,
    Properties,
    Row,
    Taken,
    iso,
    order,
)
from trueup.connectors.hubspot.vendor_wire import (
    CORRELATION,
    HTML,
    SINGULAR,
    Owner,
    body_of,
    exists,
    failure,
    invalid_item,
    item_error,
    listed,
    meets,
    number_in,
    refusal,
    search_problem,
    sort_of,
    taken_item,
    told_definition,
    told_owner,
    too_many,
)
from trueup.sandbox.standin import Effect, Match, StandIn

_NEEDS = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
    "deals": ("dealname",),
}
_WINDOW = 10_000  # records that one search shows at most


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
        self._add_routes()

    def _add_routes(self) -> None:
        objects, v4 = "/crm/v3/objects/{object}", "/crm/v4/associations/{object}/{other}/batch"
        preferences = "/communication-preferences"
        self.route("POST", "/oauth/v1/token", "token", self._token)
        self.route("GET", "/account-info/v3/details", "whoami", self._details)
        self.route("GET", "/crm/v3/owners/", "owners", self._owners)
        self.route("GET", "/crm/v3/owners/{id}", "owner", self._owner)
        self.route("GET", "/crm/v3/properties/{object}", "properties", self._properties)
        self.route("GET", objects, "list", self._list)
        self.route("POST", f"{objects}/search", "search", self._search)
        self.route("POST", f"{objects}/batch/read", "batch_read", self._batch_read)
        self.route("POST", f"{objects}/batch/create", "batch_create", self._batch_create)
        self.route("POST", f"{objects}/batch/update", "batch_update", self._batch_update)
        self.route("POST", f"{objects}/merge", "merge", self._merge)
        self.route("GET", objects + "/{id}", "read", self._read)
        self.route("DELETE", objects + "/{id}", "delete", self._delete)
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
        row = self._living(object, id)
        self._update(object, row, self.portal.checked(object, values), by)

    def user_delete(self, object: str, id: str, by: str = "user") -> None:
        row = self._living(object, id)
        self._archive(object, row, by)

    def user_restore(self, object: str, id: str, by: str = "user") -> None:
        row = self.portal.rows[object][id]
        self.portal.restore(object, row, self.now())
        self.note(by, "restore", object, id, {}, row.properties)
        self.event(by, object, "restore", id)

    def user_merge(self, object: str, primary: str, other: str, by: str = "user") -> str:
        """Two records joined by hand; the id of the third that comes of it."""
        return self._join(object, self._living(object, primary), self._living(object, other), by).id

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

    def _rate_headers(self) -> dict[str, str]:
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
        return httpx.Response(200, json=body, headers=self._rate_headers())

    # -- reading --------------------------------------------------------------------------------------

    def _list(self, request: httpx.Request, match: Match) -> httpx.Response:
        object = match.path["object"]
        limit = number_in(match.query.get("limit", "10"))
        if object not in DEFAULTS or limit is None or not 1 <= limit <= 100:
            return failure(400, "VALIDATION_ERROR", f"limit must be between 1 and 100, not {limit}")
        archived = match.query.get("archived") == "true"
        after = int(match.query.get("after", "0") or 0)
        rows = [
            row
            for row in self.portal.rows[object].values()
            if (row.archived is not None) == archived and int(row.id) > after
        ]
        names = listed(match.query.get_list("properties"))
        results = [self._told(object, row, names) for row in rows[:limit]]
        return self._page(results, results[-1]["id"] if len(rows) > limit else None)

    def _page(self, results: list[Any], after: str | None, **more: Any) -> httpx.Response:
        body = {"results": results, **more}
        if after is not None:
            body["paging"] = {"next": {"after": after, "link": f"https://api.hubapi.com/?after={after}"}}
        return httpx.Response(200, json=body, headers={} if "total" in more else self._rate_headers())

    def _told(
        self, object: str, row: Row, names: Sequence[str], state: Properties | None = None, trace: str = ""
    ) -> dict[str, Any]:
        """A record as it is answered: default properties and those that were asked for."""
        properties = row.properties if state is None else state
        known = self.portal.definitions[object]
        asked = dict.fromkeys([*DEFAULTS[object], *names])
        wanted = [name for name in asked if state is not None or name in known]
        told: dict[str, Any] = {name: properties.get(name) for name in wanted}
        if self.empty == "omit":
            told = {name: value for name, value in told.items() if value is not None}
        answer: dict[str, Any] = {
            "id": row.id,
            "properties": told,
            "createdAt": iso(row.created),
            "updatedAt": iso(row.updated) if state is None else state[MODIFIED[object]],
            "archived": row.archived is not None,
        }
        if row.archived is not None:
            answer["archivedAt"] = iso(row.archived)
        if trace:
            answer["objectWriteTraceId"] = trace
        return answer

    def _search(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, body = match.path["object"], body_of(match)
        problem = search_problem(body, len(request.content))
        if object not in DEFAULTS or problem:
            return failure(400, "VALIDATION_ERROR", problem or f"unknown object {object}")
        limit, after = int(body.get("limit", 10)), int(body.get("after") or 0)
        found = [
            (row, state)
            for row, state in self.portal.indexed(object, self.now())
            if meets(body.get("filterGroups") or [], state)
        ]
        for sort in body.get("sorts") or []:
            name, descending = sort_of(sort)
            found.sort(key=lambda pair: order(pair[1].get(name, "")), reverse=descending)
        if after + limit > _WINDOW:
            return failure(400, "VALIDATION_ERROR", f"paging ends at {_WINDOW} records")
        names = body.get("properties") or []
        results = [self._told(object, row, names, state) for row, state in found[after : after + limit]]
        following = str(after + limit) if len(found) > after + limit else None
        return self._page(results, following, total=len(found))

    def _batch_read(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, body = match.path["object"], body_of(match)
        inputs = body.get("inputs") or []
        if len(inputs) > 100:
            return too_many(len(inputs))
        results: list[dict[str, Any]] = []
        missing: list[str] = []
        for one in inputs:
            row = self._by(object, body.get("idProperty"), str(one["id"]))
            if row is None:
                missing.append(str(one["id"]))
            elif row.id not in {told["id"] for told in results}:
                results.append(self._told(object, row, body.get("properties") or []))
        error = item_error("OBJECT_NOT_FOUND", "Could not get some objects", ids=missing)
        return self.batch(results, [error] if missing else [], 200)

    def _by(self, object: str, property: str | None, value: str) -> Row | None:
        if property:
            return self.portal.holder(object, property, value.strip().lower())
        row = self.portal.rows[object].get(value)
        return row if row is not None and row.archived is None else None

    def _read(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, id = match.path["object"], match.path["id"]
        property = match.query.get("idProperty")
        row = self._by(object, property, id) if property else self.portal.find(object, id)
        if row is None:
            return failure(404, "OBJECT_NOT_FOUND", f"Object not found. objectId: {id}")
        names = listed(match.query.get_list("properties"))
        return httpx.Response(200, json=self._told(object, row, names), headers=self._rate_headers())

    def _owners(self, request: httpx.Request, match: Match) -> httpx.Response:
        limit, email = int(match.query.get("limit", "100")), match.query.get("email")
        after = int(match.query.get("after", "0") or 0)
        known = [owner for owner in self.owners if email is None or owner.email.lower() == email.lower()]
        if match.query.get("archived") == "true":
            known = []
        results = [told_owner(owner) for owner in known[after : after + limit]]
        return self._page(results, str(after + limit) if len(known) > after + limit else None)

    def _owner(self, request: httpx.Request, match: Match) -> httpx.Response:
        for owner in self.owners:
            if owner.id == match.path["id"]:
                return httpx.Response(200, json=told_owner(owner))
        return failure(404, "OBJECT_NOT_FOUND", "No owner with this id")

    def _properties(self, request: httpx.Request, match: Match) -> httpx.Response:
        definitions = self.portal.definitions.get(match.path["object"])
        if definitions is None:
            return failure(404, "OBJECT_NOT_FOUND", "unknown object type")
        return httpx.Response(200, json={"results": [told_definition(one) for one in definitions.values()]})

    # -- writing --------------------------------------------------------------------------------------

    def _batch_create(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, inputs = match.path["object"], body_of(match).get("inputs") or []
        if len(inputs) > 100:
            return too_many(len(inputs))
        traced = all(one.get("objectWriteTraceId") for one in inputs)
        if not traced:
            refusal = self._first_refusal(object, inputs)
            if refusal is not None:
                return refusal
        results, errors = [], []
        for one in inputs:
            try:
                results.append(self._create_one(object, one))
            except Invalid as invalid:
                errors.append(invalid_item(invalid, one))
            except Taken as taken:
                errors.append(taken_item(taken, one))
        return self.batch(results, errors, 201)

    def _first_refusal(self, object: str, inputs: Sequence[Mapping[str, Any]]) -> httpx.Response | None:
        """Without trace ids one bad input fails them all."""
        for one in inputs:
            try:
                properties = self._complete(object, one.get("properties") or {})
                self.portal.check_unique(object, properties, None)
            except Invalid as invalid:
                return refusal(invalid)
            except Taken as taken:
                return failure(409, "CONFLICT", exists(taken))
        return None

    def _complete(self, object: str, given: Mapping[str, Any]) -> Properties:
        properties = self.portal.checked(object, given)
        if not any(properties.get(name) for name in _NEEDS[object]):
            name = _NEEDS[object][0]
            raise Invalid(((name, "REQUIRED_PROPERTY", f"one of {', '.join(_NEEDS[object])} is needed"),))
        return properties

    def _create_one(self, object: str, one: Mapping[str, Any]) -> dict[str, Any]:
        properties = self._complete(object, one.get("properties") or {})
        row = self.portal.create(object, properties, self.now())
        self.note("api", "create", object, row.id, {}, row.properties)
        self.event("api", object, "creation", row.id)
        return self._told(object, row, list(properties), trace=one.get("objectWriteTraceId", ""))

    def _batch_update(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, inputs = match.path["object"], body_of(match).get("inputs") or []
        if len(inputs) > 100:
            return too_many(len(inputs))
        ids = [str(one["id"]) for one in inputs]
        if len(set(ids)) < len(ids):
            return failure(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
        try:
            checked = [self.portal.checked(object, one.get("properties") or {}) for one in inputs]
        except Invalid as invalid:
            return refusal(invalid)
        results, errors = [], []
        for one, properties in zip(inputs, checked, strict=True):
            try:
                results.append(self._update_one(object, one, properties))
            except KeyError:
                errors.append(item_error("OBJECT_NOT_FOUND", "Could not find object", one, [str(one["id"])]))
            except Taken as taken:
                errors.append(taken_item(taken, one))
        return self.batch(results, errors, 200)

    def _update_one(self, object: str, one: Mapping[str, Any], properties: Properties) -> dict[str, Any]:
        row = self.portal.find(object, str(one["id"]))
        if row is None:
            raise KeyError(one["id"])
        self._update(object, row, properties, "api")
        return self._told(object, row, list(properties), trace=one.get("objectWriteTraceId", ""))

    def _update(self, object: str, row: Row, properties: Properties, by: str) -> None:
        before = dict(row.properties)
        self.portal.update(object, row, properties, self.now())
        self.note(by, "update", object, row.id, before, row.properties)
        for name in properties:
            if before.get(name) != row.properties.get(name):
                self.event(by, object, "propertyChange", row.id, propertyName=name)

    def _delete(self, request: httpx.Request, match: Match) -> httpx.Response:
        row = self.portal.find(match.path["object"], match.path["id"])
        if row is not None:
            self._archive(match.path["object"], row, "api")
        return httpx.Response(204)

    def _archive(self, object: str, row: Row, by: str) -> None:
        before = dict(row.properties)
        self.portal.archive(object, row, self.now())
        self.note(by, "delete", object, row.id, before, {})
        self.event(by, object, "deletion", row.id)

    def _merge(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, body = match.path["object"], body_of(match)
        primary = self.portal.find(object, str(body["primaryObjectId"]))
        other = self.portal.find(object, str(body["objectIdToMerge"]))
        if primary is None or other is None:
            return failure(404, "OBJECT_NOT_FOUND", "a record of this merge does not exist")
        if primary is other:
            return failure(400, "VALIDATION_ERROR", "Cannot merge a record with itself")
        row = self._join(object, primary, other, "api")
        return httpx.Response(200, json=self._told(object, row, list(row.properties)))

    def _join(self, object: str, primary: Row, other: Row, by: str) -> Row:
        before = {"primary": primary.id, "merged": other.id}
        row = self.portal.merge(object, primary, other, self.now())
        self.note(by, "merge", object, row.id, before, row.properties)
        more = {
            "primaryObjectId": int(primary.id),
            "mergedObjectIds": [int(primary.id), int(other.id)],
            "newObjectId": int(row.id),
        }
        self.event(by, object, "merge", row.id, **more)
        return row

    def batch(self, results: list[Any], errors: list[Any], good: int) -> httpx.Response:
        now = iso(self.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        body |= {"startedAt": now, "completedAt": now}
        if errors:
            body |= {"errors": errors, "numErrors": len(errors)}
        return httpx.Response(207 if errors else good, json=body, headers=self._rate_headers())

    # -- inside ---------------------------------------------------------------------------------------

    def _living(self, object: str, id: str) -> Row:
        row = self.portal.find(object, id)
        if row is None:
            raise KeyError(f"there is no {object} {id}")
        return row

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
