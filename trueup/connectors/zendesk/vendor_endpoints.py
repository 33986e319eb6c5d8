"""The endpoints of the imitated Zendesk API: (query, body, path) in, a JSON answer out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from trueup.connectors.zendesk.vendor_jobs import Jobs, Step
from trueup.connectors.zendesk.vendor_organizations import Organizations
from trueup.connectors.zendesk.vendor_paging import export_by_cursor, export_by_time, list_page, offset_page
from trueup.connectors.zendesk.vendor_people import People
from trueup.connectors.zendesk.vendor_records import Records
from trueup.connectors.zendesk.vendor_rules import Values, VendorError, bad_request, ids_of, not_found
from trueup.connectors.zendesk.vendor_tickets import Tickets


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, taken apart."""

    path: Mapping[str, str]
    query: httpx.QueryParams
    url: str
    body: Any

    @property
    def id(self) -> int:
        return number(self.path["id"])

    def inside(self, envelope: str) -> Any:
        """What stands in the body under its envelope."""
        if not isinstance(self.body, Mapping) or envelope not in self.body:
            raise bad_request("Invalid attribute", f"the body needs {envelope}")
        return self.body[envelope]


Reply = tuple[int, Values | None, dict[str, str]]
Endpoint = Callable[[Ask], Reply]


def number(text: str) -> int:
    """An id from a path; what is no number is not found."""
    digits = text.removesuffix(".json")
    if not digits.isdigit():
        raise not_found()
    return int(digits)


def _ok(body: Values, status: int = 200, **headers: str) -> Reply:
    return status, body, headers


@dataclass(frozen=True, slots=True)
class Account:
    """All parts of the imitated account. `bulk_import`: create_many and create_or_update_many allowed."""

    records: Records
    organizations: Organizations
    people: People
    tickets: Tickets
    jobs: Jobs


class UserEndpoints:
    def __init__(self, account: Account, me: int) -> None:
        self.account, self.me_id, self.bulk_import = account, me, False
        self.people, self.records = account.people, account.records

    def show(self, ids: Iterable[int], ask: Ask) -> Values:
        chosen = list(ids)
        shown: Values = {"users": [self.records.public("users", id) for id in chosen]}
        if "identities" in ask.query.get("include", "").split(","):
            shown["identities"] = [one for id in chosen for one in self.people.identities_of(id)]
        return shown

    def one(self, id: int, status: int = 200, **headers: str) -> Reply:
        return _ok({"user": self.records.public("users", id)}, status, **headers)

    def me(self, ask: Ask) -> Reply:
        return self.one(self.me_id)

    def get(self, ask: Ask) -> Reply:
        self.people.get(ask.id)
        shown = self.show([ask.id], ask)
        return _ok({"user": shown.pop("users")[0], **shown})

    def list(self, ask: Ask) -> Reply:
        roles = set(ask.query.get_list("role[]") + ask.query.get_list("role"))
        rows = self.records.users.values()
        ids = [row["id"] for row in rows if row["active"] and (not roles or row["role"] in roles)]
        return _ok(list_page(ask.url, ask.query, ids, lambda chosen: self.show(chosen, ask)))

    def show_many(self, ask: Ask) -> Reply:
        found: list[int | None]
        if "external_ids" in ask.query:
            found = [self.records.by_external("users", one) for one in ids_of(ask.query["external_ids"])]
        else:
            found = [int(one) if one.isdigit() else None for one in ids_of(ask.query.get("ids", ""))]
        rows = self.records.users
        living = [id for id in found if id in rows and not rows[id].get("permanently_deleted")]
        return _ok(self.show([id for id in living if id is not None], ask))

    def search(self, ask: Ask) -> Reply:
        text = ask.query.get("query", "")
        if ask.query.get("external_id"):
            found = self.people.search(external_id=ask.query["external_id"])
        elif text.startswith("email:"):
            found = self.people.search(email=text.removeprefix("email:").strip('"'))
        else:
            found = self.people.search(text=text.strip('"'))
        return _ok(offset_page(ask.url, ask.query, found, lambda chosen: self.show(chosen, ask)))

    def create(self, ask: Ask) -> Reply:
        return self.one(self.people.create(ask.inside("user")), 201)

    def create_or_update(self, ask: Ask) -> Reply:
        id, created = self._upsert(ask.inside("user"))
        return self.one(id, 201 if created else 200, Location=f"/api/v2/users/{id}.json")

    def _upsert(self, body: Values) -> tuple[int, bool]:
        found = self.people.match(body)
        if found is None:
            return self.people.create(body), True
        self.people.update(found, body)
        return found, False

    def update(self, ask: Ask) -> Reply:
        self.people.update(ask.id, ask.inside("user"))
        return self.one(ask.id)

    def delete(self, ask: Ask) -> Reply:
        self.people.delete(ask.id)
        return self.one(ask.id)

    def merge(self, ask: Ask) -> Reply:
        winner = ask.inside("user").get("id")
        self.people.merge(ask.id, winner)
        return self.one(winner)

    # -- batches ----------------------------------------------------------------------------------

    def _bulk(self) -> None:
        if not self.bulk_import:
            raise VendorError(403, "Forbidden", "Bulk user imports are not enabled for this account")

    def create_many(self, ask: Ask) -> Reply:
        self._bulk()

        def step(index: int, body: Values) -> Step:
            act = lambda: {"id": self.people.create(body), "status": "Created", "success": True}  # noqa: E731
            return Step({"index": index}, act)

        steps = [step(index, body) for index, body in enumerate(ask.inside("users"))]
        return _ok({"job_status": self.account.jobs.submit(steps)})

    def create_or_update_many(self, ask: Ask) -> Reply:
        self._bulk()

        def step(body: Values) -> Step:
            marks: Values = {name: body[name] for name in ("external_id", "email") if name in body}
            return Step(marks, lambda: self._upserted(body))

        return _ok({"job_status": self.account.jobs.submit([step(body) for body in ask.inside("users")])})

    def _upserted(self, body: Values) -> Values:
        id, created = self._upsert(body)
        word = ("create", "Created") if created else ("update", "Updated")
        return {"id": id, "action": word[0], "status": word[1], "success": True}

    def update_many(self, ask: Ask) -> Reply:
        def step(id: int, body: Values) -> Step:
            def act() -> Values:
                self.people.update(id, {name: value for name, value in body.items() if name != "id"})
                return {"status": "Updated", "success": True}

            return Step({"id": id, "action": "update"}, act)

        if "users" in (ask.body or {}):
            steps = [step(number(str(body.get("id", ""))), body) for body in ask.inside("users")]
        else:
            steps = [step(number(id), ask.inside("user")) for id in ids_of(ask.query.get("ids", ""))]
        return _ok({"job_status": self.account.jobs.submit(steps)})

    def destroy_many(self, ask: Ask) -> Reply:
        def step(id: int) -> Step:
            def act() -> Values:
                self.people.delete(id)
                return {"status": "Deleted", "success": True}

            return Step({"id": id, "action": "delete"}, act)

        ids = [number(id) for id in ids_of(ask.query.get("ids", ""))]
        return _ok({"job_status": self.account.jobs.submit([step(id) for id in ids])})

    # -- identities, tags, deleted ones -----------------------------------------------------------

    def identities(self, ask: Ask) -> Reply:
        self.people.living(ask.id)
        ids = [one["id"] for one in self.people.identities_of(ask.id)]
        return _ok(list_page(ask.url, ask.query, sorted(ids), self._identities))

    def _identities(self, ids: Sequence[int]) -> Values:
        return {"identities": [self.people.identities[id] for id in ids]}

    def add_identity(self, ask: Ask) -> Reply:
        return _ok({"identity": self.people.add_identity(ask.id, ask.inside("identity"))}, 201)

    def make_primary(self, ask: Ask) -> Reply:
        self.people.make_primary(ask.id, number(ask.path["identity"]))
        return _ok({"identities": self.people.identities_of(ask.id)})

    def delete_identity(self, ask: Ask) -> Reply:
        self.people.delete_identity(ask.id, number(ask.path["identity"]))
        return 204, None, {}

    def tags(self, ask: Ask) -> Reply:
        return _ok({"tags": self.people.living(ask.id)["tags"]})

    def add_tags(self, ask: Ask) -> Reply:
        return _ok({"tags": self.people.change_tags(ask.id, ask.inside("tags"), [])})

    def remove_tags(self, ask: Ask) -> Reply:
        return _ok({"tags": self.people.change_tags(ask.id, [], ask.inside("tags"))})

    def deleted(self, ask: Ask) -> Reply:
        ids = [row["id"] for row in self.records.users.values() if not row["active"]]
        return _ok(list_page(ask.url, ask.query, ids, self._deleted))

    def _deleted(self, ids: Sequence[int]) -> Values:
        return {"deleted_users": [self.records.public("users", id) for id in ids]}

    def deleted_one(self, ask: Ask) -> Reply:
        if self.records.users.get(ask.id, {"active": True})["active"]:
            raise not_found()
        return _ok({"deleted_user": self.records.public("users", ask.id)})

    def delete_for_good(self, ask: Ask) -> Reply:
        self.people.delete_for_good(ask.id)
        return _ok({"deleted_user": self.records.public("users", ask.id)})

    def export_cursor(self, ask: Ask) -> Reply:
        show = lambda chosen: self.show(chosen, ask)  # noqa: E731
        return _ok(export_by_cursor(ask.url, ask.query, self.records, "users", show))

    def export_time(self, ask: Ask) -> Reply:
        show = lambda chosen: self.show(chosen, ask)  # noqa: E731
        return _ok(export_by_time(ask.url, ask.query, self.records, "users", show))

    def fields(self, ask: Ask) -> Reply:
        defined = self.records.user_fields
        return _ok({"user_fields": defined, "count": len(defined), "next_page": None, "previous_page": None})


class OrganizationEndpoints:
    def __init__(self, account: Account) -> None:
        self.account, self.records, self.organizations = account, account.records, account.organizations

    def show(self, ids: Iterable[int]) -> Values:
        return {"organizations": [self.records.public("organizations", id) for id in ids]}

    def one(self, id: int, status: int = 200) -> Reply:
        return _ok({"organization": self.records.public("organizations", id)}, status)

    def get(self, ask: Ask) -> Reply:
        self.organizations.get(ask.id)
        return self.one(ask.id)

    def list(self, ask: Ask) -> Reply:
        ids = [id for id in self.records.organizations if self.organizations.lives(id)]
        return _ok(list_page(ask.url, ask.query, ids, self.show))

    def show_many(self, ask: Ask) -> Reply:
        if "external_ids" in ask.query:
            wanted = ids_of(ask.query["external_ids"])
            found = [self.records.by_external("organizations", one) for one in wanted]
        else:
            found = [int(one) if one.isdigit() else None for one in ids_of(ask.query.get("ids", ""))]
        chosen = [id for id in found if id is not None and self.organizations.lives(id)]
        return _ok({**self.show(chosen), "count": len(chosen), "next_page": None, "previous_page": None})

    def search(self, ask: Ask) -> Reply:
        """By exact name or external id; nothing else."""
        if ask.query.get("external_id"):
            found = self.records.by_external("organizations", ask.query["external_id"])
        else:
            found = self.organizations.named(ask.query.get("name", ""))
        return _ok(offset_page(ask.url, ask.query, [found] if found else [], self.show))

    def create(self, ask: Ask) -> Reply:
        return self.one(self.organizations.create(ask.inside("organization")), 201)

    def create_or_update(self, ask: Ask) -> Reply:
        """Matched by id or external id, never by name (a taken name is refused)."""
        body = ask.inside("organization")
        id = body.get("id") or self.records.by_external("organizations", str(body.get("external_id") or ""))
        if id is None:
            return self.one(self.organizations.create(body), 201)
        self.organizations.update(id, body)
        return self.one(id)

    def update(self, ask: Ask) -> Reply:
        self.organizations.update(ask.id, ask.inside("organization"))
        return self.one(ask.id)

    def delete(self, ask: Ask) -> Reply:
        self.organizations.delete(ask.id)
        return 204, None, {}

    def create_many(self, ask: Ask) -> Reply:
        def step(index: int, body: Values) -> Step:
            act = lambda: {"id": self.organizations.create(body), "status": "Created", "success": True}  # noqa: E731
            return Step({"index": index}, act)

        steps = [step(index, body) for index, body in enumerate(ask.inside("organizations"))]
        return _ok({"job_status": self.account.jobs.submit(steps)})

    def update_many(self, ask: Ask) -> Reply:
        def step(id: int, body: Values) -> Step:
            def act() -> Values:
                self.organizations.update(id, {name: value for name, value in body.items() if name != "id"})
                return {"status": "Updated", "success": True}

            return Step({"id": id, "action": "update"}, act)

        steps = [step(number(str(body.get("id", ""))), body) for body in ask.inside("organizations")]
        return _ok({"job_status": self.account.jobs.submit(steps)})

    def change_tags(self, ask: Ask, add: Sequence[str], remove: Sequence[str]) -> Reply:
        tags = (set(self.organizations.get(ask.id)["tags"]) | set(add)) - set(remove)
        self.organizations.update(ask.id, {"tags": sorted(tags)})
        return _ok({"tags": self.organizations.get(ask.id)["tags"]})

    def add_tags(self, ask: Ask) -> Reply:
        return self.change_tags(ask, ask.inside("tags"), ())

    def remove_tags(self, ask: Ask) -> Reply:
        return self.change_tags(ask, (), ask.inside("tags"))

    def export(self, ask: Ask) -> Reply:
        return _ok(export_by_time(ask.url, ask.query, self.records, "organizations", self.show))

    def fields(self, ask: Ask) -> Reply:
        defined = self.records.organization_fields
        paging = {"count": len(defined), "next_page": None, "previous_page": None}
        return _ok({"organization_fields": defined, **paging})

    def memberships(self, ask: Ask) -> Reply:
        rows = self.organizations.memberships
        mine = number(ask.path["id"]) if "id" in ask.path else None
        ids = [id for id, row in rows.items() if mine in (None, row["user_id"])]
        show = lambda chosen: {"organization_memberships": [rows[id] for id in chosen]}  # noqa: E731
        return _ok(list_page(ask.url, ask.query, ids, show))


class TicketEndpoints:
    def __init__(self, account: Account) -> None:
        self.tickets, self.records = account.tickets, account.records

    def show(self, ids: Iterable[int], ask: Ask) -> Values:
        metrics = "metric_sets" in ask.query.get("include", "").split(",")
        return {"tickets": [self.tickets.public(id, metrics) for id in ids]}

    def get(self, ask: Ask) -> Reply:
        self.tickets.get(ask.id)
        return _ok({"ticket": self.show([ask.id], ask)["tickets"][0]})

    def list(self, ask: Ask) -> Reply:
        mine = number(ask.path["id"]) if "id" in ask.path else None
        rows = [row for row in self.records.tickets.values() if row["status"] != "deleted"]
        ids = [row["id"] for row in rows if mine in (None, row["requester_id"])]
        return _ok(list_page(ask.url, ask.query, ids, lambda chosen: self.show(chosen, ask)))

    def show_many(self, ask: Ask) -> Reply:
        ids = [number(one) for one in ids_of(ask.query.get("ids", ""))]
        rows = self.records.tickets
        return _ok(self.show([id for id in ids if id in rows and rows[id]["status"] != "deleted"], ask))

    def create(self, ask: Ask) -> Reply:
        id = self.tickets.create(ask.inside("ticket"))
        return _ok({"ticket": self.tickets.public(id)}, 201)

    def update(self, ask: Ask) -> Reply:
        self.tickets.update(ask.id, ask.inside("ticket"))
        return _ok({"ticket": self.tickets.public(ask.id)})

    def delete(self, ask: Ask) -> Reply:
        self.tickets.delete(ask.id)
        return 204, None, {}

    def export_cursor(self, ask: Ask) -> Reply:
        show = lambda chosen: self.show(chosen, ask)  # noqa: E731
        return _ok(export_by_cursor(ask.url, ask.query, self.records, "tickets", show))

    def export_time(self, ask: Ask) -> Reply:
        show = lambda chosen: self.show(chosen, ask)  # noqa: E731
        return _ok(export_by_time(ask.url, ask.query, self.records, "tickets", show))
