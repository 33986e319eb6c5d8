"""Organizations and memberships of the imitated Zendesk account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.connectors.zendesk.vendor_records import Records
from trueup.connectors.zendesk.vendor_rules import (
    Details,
    Values,
    complaint,
    custom_value_problems,
    invalid,
    iso,
    not_found,
    tidy_tags,
)

PLAIN = ("details", "notes", "group_id", "shared_tickets", "shared_comments")


class Organizations:
    """Names are unique; a user's `organization_id` is the default one of the memberships."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.memberships: dict[int, Values] = {}
        self._names: dict[str, int] = {}
        self._of_user: dict[int, list[Values]] = {}

    def get(self, id: Any) -> Values:
        """The row of a living organization."""
        if not self.lives(id):
            raise not_found()
        return self.records.organizations[id]

    def lives(self, id: Any) -> bool:
        rows = self.records.organizations
        return id in rows and rows[id]["deleted_at"] is None

    def named(self, name: str) -> int | None:
        return self._names.get(name.strip().lower())

    def create(self, body: Mapping[str, Any], by: str = "api") -> int:
        self._check(body, None)
        id, stamp = self.records.next_id("organizations"), iso(self.records.now())
        self.records.organizations[id] = {
            "id": id, "name": "", "external_id": None, "domain_names": [], "tags": [], "details": "",
            "notes": "", "group_id": None, "shared_tickets": False, "shared_comments": False,
            "organization_fields": {}, "created_at": stamp, "updated_at": stamp, "deleted_at": None,
        }  # fmt: skip
        self._apply(id, body)
        self.records.note(by, "create", "organizations", str(id), {}, self.public(id))
        return id

    def update(self, id: int, body: Mapping[str, Any], by: str = "api") -> None:
        self.get(id)
        self._check(body, id)
        before = self.public(id)
        self._apply(id, body)
        self.records.note(by, "update", "organizations", str(id), before, self.public(id))

    def delete(self, id: int, by: str = "api") -> None:
        """It stays in the export with `deleted_at`; its users lose it."""
        row, before = self.get(id), self.public(id)
        row["deleted_at"] = iso(self.records.now())
        self.records.set_external("organizations", row, None)
        self._names.pop(row["name"].lower(), None)
        for membership in [one for one in self.memberships.values() if one["organization_id"] == id]:
            self._end(membership)
            user = self.records.users[membership["user_id"]]
            if user["organization_id"] == id:
                user["organization_id"] = None
                self.records.touch("users", user["id"])
        self.records.touch("organizations", id)
        self.records.note(by, "delete", "organizations", str(id), before, self.public(id))

    def public(self, id: int) -> Values:
        return self.records.public("organizations", id)

    def _check(self, body: Mapping[str, Any], id: int | None) -> None:
        fields = self.records.organization_fields
        problems: Details = custom_value_problems(fields, body.get("organization_fields") or {})
        name = str(body.get("name") or "").strip()
        if ("name" in body or id is None) and not name:
            problems["name"] = complaint("Name: cannot be blank", "BlankValue")
        elif name and self.named(name) not in (None, id):
            problems["name"] = complaint(f"Name: {name} has already been taken", "DuplicateValue")
        if problem := self.records.external_problem("organizations", body.get("external_id"), id):
            problems["external_id"] = complaint(*problem)
        if problems:
            raise invalid(problems)

    def _apply(self, id: int, body: Mapping[str, Any]) -> None:
        row = self.records.organizations[id]
        row.update({key: body[key] for key in PLAIN if key in body})
        if "name" in body:
            self._names.pop(row["name"].lower(), None)
            row["name"] = body["name"].strip()
            self._names[row["name"].lower()] = id
        if "domain_names" in body:
            row["domain_names"] = [str(domain).lower() for domain in body["domain_names"] or []]
        if "tags" in body:
            row["tags"] = tidy_tags(body["tags"] or [])
        row["organization_fields"] = {**row["organization_fields"], **(body.get("organization_fields") or {})}
        if "external_id" in body:
            self.records.set_external("organizations", row, body["external_id"])
        self.records.touch("organizations", id)

    # -- memberships ------------------------------------------------------------------------------

    def place(self, user_id: int, body: Mapping[str, Any]) -> None:
        """Applies `organization_id` or `organization: {name}` of a user's body."""
        wanted = body.get("organization")
        if "organization_id" in body:
            self.make_default(user_id, body["organization_id"])
        elif isinstance(wanted, Mapping) and wanted.get("name"):
            self.make_default(user_id, self.named(wanted["name"]) or self.create({"name": wanted["name"]}))

    def make_default(self, user_id: int, organization_id: int | None) -> None:
        """None ends the default membership; the others stay, none of them default."""
        for membership in list(self._of_user.get(user_id, [])):
            if membership["default"]:
                membership["default"] = False
                if organization_id is None:
                    self._end(membership)
        self.records.users[user_id]["organization_id"] = organization_id
        if organization_id is not None:
            self._membership(user_id, organization_id)["default"] = True

    def take_over(self, loser: int, winner: int) -> None:
        """A merge: the winner also joins the loser's organizations."""
        for membership in list(self._of_user.get(loser, [])):
            self._end(membership)
            self._membership(winner, membership["organization_id"])

    def for_domain(self, domain: str) -> int | None:
        for row in self.records.organizations.values():
            if row["deleted_at"] is None and domain in row["domain_names"]:
                return int(row["id"])
        return None

    def _membership(self, user_id: int, organization_id: int) -> Values:
        for membership in self._of_user.get(user_id, []):
            if membership["organization_id"] == organization_id:
                return membership
        id, stamp = self.records.next_id("memberships"), iso(self.records.now())
        membership = {
            "id": id, "user_id": user_id, "organization_id": organization_id, "default": False,
            "created_at": stamp, "updated_at": stamp,
        }  # fmt: skip
        self.memberships[id] = membership
        self._of_user.setdefault(user_id, []).append(membership)
        return membership

    def _end(self, membership: Values) -> None:
        del self.memberships[membership["id"]]
        self._of_user[membership["user_id"]].remove(membership)
