"""A Salesforce org that behaves as the vendor sheet says, at its strictest.

`SalesforceStandIn` answers the REST API (any `/services/data/vNN.0/` up to v67.0) and offers as `user_*`
what people do in the screens, and as plain methods what an admin does. The rules of the org lie in
`vendor_org`, its fields in `vendor_fields`, SOQL in `vendor_soql` and `vendor_query`.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import httpx

from trueup.connectors.salesforce.vendor_fields import Field, catalogue, default_custom
from trueup.connectors.salesforce.vendor_org import Author, DuplicateRule, Org
from trueup.connectors.salesforce.vendor_pages import Pages
from trueup.connectors.salesforce.vendor_query import render
from trueup.connectors.salesforce.vendor_rules import Fail, Problem, Row, clean, long_id, refuse
from trueup.connectors.salesforce.vendor_soql import Query
from trueup.connectors.salesforce.vendor_wire import (
    author_of,
    base_of,
    check_size,
    client_of,
    collection,
    errors,
    header_bytes,
    item_of,
    oauth_error,
    one_of_many,
    unmodified,
    values_of,
)
from trueup.sandbox.standin import Effect, Handler, Match, StandIn

__all__ = ["DuplicateRule", "Field", "SalesforceStandIn", "default_custom"]

NEWEST = 67
LONGEST_URI = 16_384
DAY = timedelta(days=1)


class SalesforceStandIn(StandIn):
    """One org. `instance_url` is where its data API lives (default: wherever the token was asked for);
    `allowance` are the API calls of any 24 hours, `session` how long a token lives unused, `page_cap`
    the most rows of a page (the vendor calls a batch size a hint). `custom` replaces the custom fields.
    `details_in_collections`: whether a collection names the record that a duplicate rule found; off at
    first, for the vendor is known to leave it out."""

    name = "salesforce"

    def __init__(
        self,
        now: Callable[[], datetime] | None = None,
        *,
        instance_url: str = "",
        client_id: str = "client",
        client_secret: str = "secret",
        refresh_token: str = "refresh",
        custom: Mapping[str, Iterable[Field]] | None = None,
        allowance: int = 100_000,
        session: timedelta = timedelta(hours=2),
        page_cap: int = 2000,
    ) -> None:
        super().__init__(now)
        self.instance_url = instance_url
        self.credentials = (client_id, client_secret)
        self.refresh_token = refresh_token
        self.allowance = allowance
        self.session = session
        self.details_in_collections = False
        types = catalogue(default_custom() if custom is None else custom)
        self.org = Org(self.now, types, self._effect)
        self.pages = Pages(self.org, page_cap)
        self._sessions: dict[str, datetime] = {}
        self._tokens = 0
        self._calls: deque[datetime] = deque()
        self._furnish()
        self._routes_of_the_api()

    # -- people -----------------------------------------------------------------------------------

    def user_create(self, object: str, values: Mapping[str, Any], by: str = "user") -> str:
        """A person makes a record in the screens; returns its id."""
        return self.org.create(object, values, Author(by, saves_duplicates=True))

    def user_edit(self, object: str, id: str, values: Mapping[str, Any], by: str = "user") -> None:
        self.org.update(object, id, values, Author(by, saves_duplicates=True))

    def user_delete(self, object: str, id: str, by: str = "user") -> None:
        """Into the recycle bin."""
        self.org.delete(object, id, Author(by))

    def user_undelete(self, object: str, id: str, by: str = "user") -> None:
        self.org.undelete(object, id, Author(by))

    def user_empty_bin(self, object: str, id: str) -> None:
        """A deleted record is gone for good and seen by no query any more."""
        self.org.purge(object, id)

    def user_merge(self, object: str, winner: str, *losers: str, by: str = "user") -> None:
        self.org.merge(object, winner, losers, Author(by))

    def user_convert_lead(
        self, id: str, *, contact_id: str | None = None, opportunity: str | None = None, by: str = "user"
    ) -> Row:
        """Converts a lead, into an existing contact if one is named; returns the lead as it is now."""
        return dict(self.org.convert(id, Author(by), contact_id, opportunity))

    # -- admins -----------------------------------------------------------------------------------

    def add_user(self, name: str, email: str) -> str:
        values = {"Name": name, "Email": email, "Username": f"{email}.acme"}
        return self.org.create("User", values, Author("admin"))

    def add_queue(self, name: str) -> str:
        return self.org.create("Group", {"Name": name, "Type": "Queue"}, Author("admin"))

    def add_field(self, object: str, known: Field) -> None:
        self.org.types[object].fields[known.name] = known

    def hide(self, object: str, field: str) -> None:
        """Field-level security: for the API the field does not exist any more."""
        del self.org.types[object].fields[field]

    def lock(self, id: str, times: int = 1) -> None:
        """The next `times` writes of this record find its row locked."""
        self.org.locks[id] += times

    def expire_sessions(self) -> None:
        self._sessions.clear()

    def expire_locators(self) -> None:
        self.pages.forget()

    # -- the StandIn's questions ------------------------------------------------------------------

    def sign_in(self, url: str) -> str:
        client, secret = self.credentials
        said = ("grant_type=client_credentials", f"client_id={client}", f"client_secret={secret}")
        form = " ".join(f"--data-urlencode {shlex.quote(one)}" for one in said)
        return f"curl {form} {url}/services/oauth2/token"

    def authorize(self, request: httpx.Request, kind: str) -> httpx.Response | None:
        if len(request.url.raw_path) + header_bytes(request) > LONGEST_URI:
            return httpx.Response(414, content=b"<html><body>URI Too Long</body></html>")
        if kind == "token":
            return None
        if not self._has_session(request):
            return errors(401, [Problem("INVALID_SESSION_ID", "Session expired or invalid")])
        if not self._count_call():
            problem = Problem("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            return self._stamped(errors(403, [problem]))
        version = re.match(r"/services/data/v(\d+)\.0(/|$)", request.url.path)
        if kind != "versions" and (version is None or not 31 <= int(version[1]) <= NEWEST):
            return self.not_found(request)
        return None

    def not_found(self, request: httpx.Request) -> httpx.Response:
        return errors(404, [Problem("NOT_FOUND", "The requested resource does not exist")])

    # -- inside -----------------------------------------------------------------------------------

    def _effect(self, by: str, action: str, object: str, id: str, before: Row, after: Row) -> None:
        self.record(Effect(self.now(), by, action, object, id, before, after))

    def _furnish(self) -> None:
        """Every org has itself, an integration user and, in our example, a queue for new leads."""
        admin = Author("admin")
        company = {"Name": "Acme GmbH", "OrganizationType": "Enterprise Edition"}
        self.org_id = self.org.create("Organization", company, admin)
        self.integration_user = self.add_user("Integration User", "integration@acme.example")
        self.org.running_user = self.integration_user
        self.queue = self.add_queue("Inbound queue")

    def _routes_of_the_api(self) -> None:
        data = "/services/data/{version}"
        one = f"{data}/sobjects/{{object}}/{{id}}/?"
        many = f"{data}/composite/sobjects/?"
        routes: Sequence[tuple[str, str, str, Handler]] = (
            ("GET", "/services/data/?", "versions", self._versions),
            ("GET", f"{data}/limits/?", "limits", self._limits),
            ("GET", f"{data}/query/?", "query", self.pages.query),
            ("GET", f"{data}/queryAll/?", "query_all", self.pages.query_all),
            ("GET", f"{data}/query/{{locator}}", "query_more", self.pages.query_more),
            ("GET", f"{data}/sobjects/{{object}}/describe/?", "describe", self._describe),
            ("POST", f"{data}/sobjects/{{object}}/?", "create", self._create),
            ("GET", one, "get", self._get),
            ("PATCH", one, "update", self._update),
            ("DELETE", one, "delete", self._delete),
            ("PATCH", f"{data}/sobjects/{{object}}/{{key}}/{{value}}", "upsert", self._upsert),
            ("POST", many, "create_many", self._create_many),
            ("PATCH", many, "update_many", self._update_many),
            ("DELETE", many, "delete_many", self._delete_many),
            ("GET", f"{data}/composite/sobjects/{{object}}/?", "retrieve", self.pages.retrieve),
            ("PATCH", f"{data}/composite/sobjects/{{object}}/{{key}}/?", "upsert_many", self._upsert_many),
        )
        self.route("POST", "/services/oauth2/token", "token", self._token)
        for method, path, kind, handler in routes:
            self.route(method, path, kind, self._guarded(handler))

    def _guarded(self, handler: Handler) -> Handler:
        def answer(request: httpx.Request, match: Match) -> httpx.Response:
            try:
                return self._stamped(handler(request, match))
            except Fail as fail:
                return self._stamped(errors(fail.status, fail.problems))

        return answer

    def _stamped(self, response: httpx.Response) -> httpx.Response:
        response.headers["Sforce-Limit-Info"] = f"api-usage={len(self._calls)}/{self.allowance}"
        response.headers["Date"] = format_datetime(self.now().astimezone(UTC), usegmt=True)
        return response

    def _has_session(self, request: httpx.Request) -> bool:
        """The token is known, unexpired (every use prolongs it), and used at its own instance."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        used = self._sessions.get(token)
        if used is None or self.now() - used >= self.session:
            return False
        if self.instance_url and request.url.host != httpx.URL(self.instance_url).host:
            return False
        self._sessions[token] = self.now()
        return True

    def _count_call(self) -> bool:
        while self._calls and self.now() - self._calls[0] >= DAY:
            self._calls.popleft()
        if len(self._calls) >= self.allowance:
            return False
        self._calls.append(self.now())
        return True

    # -- token and org ----------------------------------------------------------------------------

    def _token(self, request: httpx.Request, match: Match) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if form.get("grant_type") not in ("client_credentials", "refresh_token"):
            return oauth_error("unsupported_grant_type", "grant type not supported")
        if client_of(request, form) != self.credentials:
            return oauth_error("invalid_client", "invalid client credentials")
        if form["grant_type"] == "refresh_token" and form.get("refresh_token") != self.refresh_token:
            return oauth_error("invalid_grant", "expired access/refresh token")
        self._tokens += 1
        token = f"{self.org_id[:15]}!AQ{self._tokens:06d}"
        self._sessions[token] = self.now()
        url = request.url
        base = self.instance_url or f"{url.scheme}://{url.netloc.decode()}"
        answer = {
            "access_token": token,
            "instance_url": base,
            "id": f"{base}/id/{self.org_id}/{self.integration_user}",
            "token_type": "Bearer",
            "issued_at": str(int(self.now().timestamp() * 1000)),
            "signature": base64.b64encode(token.encode()).decode(),
            "scope": "api",
        }
        return httpx.Response(200, json=answer)

    def _versions(self, request: httpx.Request, match: Match) -> httpx.Response:
        known = [
            {"label": f"Release {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(31, NEWEST + 1)
        ]
        return httpx.Response(200, json=known)

    def _limits(self, request: httpx.Request, match: Match) -> httpx.Response:
        left = self.allowance - len(self._calls)
        return httpx.Response(200, json={"DailyApiRequests": {"Max": self.allowance, "Remaining": left}})

    def _describe(self, request: httpx.Request, match: Match) -> httpx.Response:
        return httpx.Response(200, json=self.org.type(match.path["object"]).describe(base_of(match)))

    # -- one record -------------------------------------------------------------------------------

    def _get(self, request: httpx.Request, match: Match) -> httpx.Response:
        type = self.org.type(match.path["object"])
        row = self.org.get(type.name, match.path["id"])
        wanted = match.query.get("fields", "")
        fields = tuple(wanted.split(",")) if wanted else tuple(type.fields)
        return httpx.Response(200, json=render(self.org, Query(type.name, fields), row, base_of(match)))

    def _create(self, request: httpx.Request, match: Match) -> httpx.Response:
        object = match.path["object"]
        self._check_writable(object)
        id = self.org.create(object, values_of(match.json()), author_of(request))
        return httpx.Response(201, json={"id": id, "success": True, "errors": []})

    def _update(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, id = match.path["object"], match.path["id"]
        self._check_writable(object)
        if not unmodified(request, self.org.get(object, id)):
            return errors(412, [Problem("PRECONDITION_FAILED", "The record was modified")])
        self.org.update(object, id, values_of(match.json()), author_of(request))
        return httpx.Response(204)

    def _delete(self, request: httpx.Request, match: Match) -> httpx.Response:
        self._check_writable(match.path["object"])
        self.org.delete(match.path["object"], match.path["id"], author_of(request))
        return httpx.Response(204)

    def _upsert(self, request: httpx.Request, match: Match) -> httpx.Response:
        object, key = match.path["object"], match.path["key"]
        self._check_key(object, key)
        values = values_of(match.json())
        if key in values or "Id" in values:
            raise refuse("INVALID_FIELD", f"The {key} field should not be specified in the sobject data.")
        found = self.org.by_key(object, key, match.path["value"])
        if len(found) > 1:
            urls = [f"{base_of(match)}/sobjects/{object}/{row['Id']}" for row in found]
            return httpx.Response(300, json=urls)
        result = self._upsert_one(object, key, values | {key: match.path["value"]}, author_of(request))
        return httpx.Response(201 if result["created"] else 200, json=result)

    def _upsert_one(self, object: str, key: str, values: Row, author: Author) -> Row:
        found = self.org.by_key(object, key, values.get(key))
        if not values.get(key):
            raise refuse("MISSING_ARGUMENT", f"{key} not specified", key)
        if len(found) > 1:
            raise refuse("DUPLICATE_EXTERNAL_ID", f"{key}: more than one record found", key)
        if found:
            self.org.update(object, found[0]["Id"], values, author)
        id = found[0]["Id"] if found else self.org.create(object, values, author)
        return {"id": id, "success": True, "errors": [], "created": not found}

    # -- many records -----------------------------------------------------------------------------

    def _create_many(self, request: httpx.Request, match: Match) -> httpx.Response:
        author = author_of(request)

        def create(object: str, id: str, values: Row) -> Row:
            return {"id": self.org.create(object, values, author), "success": True, "errors": []}

        return self._many(match, create)

    def _update_many(self, request: httpx.Request, match: Match) -> httpx.Response:
        author = author_of(request)

        def update(object: str, id: str, values: Row) -> Row:
            if not id:
                raise refuse("MISSING_ARGUMENT", "Id not specified in an update call", "Id")
            self.org.update(object, id, values, author)
            return {"id": long_id(id), "success": True, "errors": []}

        return self._many(match, update)

    def _upsert_many(self, request: httpx.Request, match: Match) -> httpx.Response:
        key, author = match.path["key"], author_of(request)
        self._check_key(match.path["object"], key)

        def upsert(object: str, id: str, values: Row) -> Row:
            if id:
                raise refuse("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
            return self._upsert_one(object, key, values, author)

        return self._many(match, upsert)

    def _many(self, match: Match, act: Callable[[str, str, Row], Row]) -> httpx.Response:
        items = [item_of(raw) for raw in collection(match.json())]
        for object, _, values in items:
            self._check_writable(object)
            self._check_parsable(object, values)
        results = [one_of_many(act, *item, self.details_in_collections) for item in items]
        return httpx.Response(200, json=results)

    def _delete_many(self, request: httpx.Request, match: Match) -> httpx.Response:
        ids = [id for id in match.query.get("ids", "").split(",") if id]
        check_size(ids)
        author = author_of(request)

        def delete(object: str, id: str, values: Row) -> Row:
            self.org.delete(object, id, author)
            return {"id": long_id(id), "success": True, "errors": []}

        results = [one_of_many(delete, self._object_of(id), id, {}, False) for id in ids]
        return httpx.Response(200, json=results)

    def _object_of(self, id: str) -> str:
        found = (type.name for type in self.org.types.values() if type.prefix == id[:3])
        name = next(found, None)
        if name is None:
            raise refuse("MALFORMED_ID", f"malformed id {id}")
        return name

    def _check_writable(self, object: str) -> None:
        if not self.org.type(object).writable:
            raise refuse("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be written: {object}")

    def _check_parsable(self, object: str, values: Row) -> None:
        """A value of a wrong JSON type spoils the whole collection, not its item."""
        try:
            clean(self.org.type(object), values)
        except Fail as fail:
            if fail.problems[0].code == "JSON_PARSER_ERROR":
                raise

    def _check_key(self, object: str, key: str) -> None:
        known = self.org.type(object).fields.get(key)
        if known is None or not known.external_id:
            text = f"Provided external ID field does not exist or is not accessible: {key}"
            raise refuse("NOT_FOUND", text, status=404)
