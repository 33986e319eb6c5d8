"""Tickets of the imitated Zendesk account: enough of them to be read as cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.connectors.zendesk.vendor_people import People
from trueup.connectors.zendesk.vendor_records import Records
from trueup.connectors.zendesk.vendor_rules import (
    TICKET_STATES,
    Values,
    complaint,
    invalid,
    iso,
    not_found,
    tidy_tags,
)

WRITABLE = ("subject", "priority", "status", "type", "requester_id", "assignee_id", "external_id")


class Tickets:
    """`generated_timestamp` moves with every change, `updated_at` too; deleted ones stay in the export."""

    def __init__(self, records: Records, people: People) -> None:
        self.records = records
        self.people = people

    def get(self, id: int) -> Values:
        if id not in self.records.tickets or self.records.tickets[id]["status"] == "deleted":
            raise not_found()
        return self.records.tickets[id]

    def create(self, body: Mapping[str, Any], by: str = "api") -> int:
        """`requester: {name, email}` with an unknown address creates that user (vendor sheet 11)."""
        requester = body.get("requester_id") or self._requester(body.get("requester") or {}, by)
        if requester not in self.records.users or not self.records.users[requester]["active"]:
            raise invalid({"requester": complaint("Requester: cannot be blank", "BlankValue")})
        id, stamp = self.records.next_id("tickets"), iso(self.records.now())
        subject = body.get("subject") or ""
        self.records.tickets[id] = {
            "id": id, "external_id": body.get("external_id"), "subject": subject, "raw_subject": subject,
            "description": (body.get("comment") or {}).get("body", ""), "priority": body.get("priority"),
            "status": body.get("status") or "new", "type": body.get("type"), "requester_id": requester,
            "submitter_id": requester, "assignee_id": body.get("assignee_id"),
            "organization_id": self.records.users[requester]["organization_id"],
            "tags": tidy_tags(body.get("tags") or []), "created_at": stamp, "_solved_at": None,
        }  # fmt: skip
        self._changed(id)
        self.records.note(by, "create", "tickets", str(id), {}, self.public(id))
        return id

    def update(self, id: int, body: Mapping[str, Any], by: str = "api") -> None:
        row, before = self.get(id), self.public(id)
        if body.get("status", row["status"]) not in TICKET_STATES:
            raise invalid({"status": complaint("Status: is invalid", "InvalidValue")})
        if row["status"] == "closed":
            raise invalid({"status": complaint("Status: closed prevents ticket update", "InvalidValue")})
        row.update({key: body[key] for key in WRITABLE if key in body})
        self._changed(id)
        self.records.note(by, "update", "tickets", str(id), before, self.public(id))

    def delete(self, id: int, by: str = "api") -> None:
        row, before = self.get(id), self.public(id)
        row["status"] = "deleted"
        self._changed(id)
        self.records.note(by, "delete", "tickets", str(id), before, self.public(id))

    def public(self, id: int, with_metrics: bool = False) -> Values:
        shown = self.records.public("tickets", id)
        if with_metrics:
            solved = self.records.tickets[id]["_solved_at"]
            shown["metric_set"] = {"ticket_id": id, "solved_at": solved, "created_at": shown["created_at"]}
        return shown

    def _requester(self, requester: Mapping[str, Any], by: str) -> int | None:
        email = requester.get("email")
        if not email:
            return None
        body = {"name": requester.get("name") or email, "email": email, "skip_verify_email": True}
        return self.people.by_email(email) or self.people.create(body, by)

    def _changed(self, id: int) -> None:
        row = self.records.tickets[id]
        done = row["status"] in ("solved", "closed")
        row["_solved_at"] = (row["_solved_at"] or iso(self.records.now())) if done else None
        self.records.touch("tickets", id)
        row["generated_timestamp"] = row["_second"]
