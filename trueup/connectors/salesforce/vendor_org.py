"""The stand-in org: its rows, and what happens to them, whoever asks.

No HTTP here. Every change goes through `create`, `update`, `delete`, `undelete`, `merge` or `convert`,
is stamped by the org's clock and reported to the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from trueup.connectors.salesforce.vendor_fields import PROBABILITY, Field, ObjectType
from trueup.connectors.salesforce.vendor_rules import (
    Fail,
    Problem,
    Row,
    check_required,
    check_writable,
    clean,
    long_id,
    refuse,
    stamp,
)

BIN_DAYS = 15
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SAME_NAME = (
    "Salutation", "FirstName", "MiddleName", "LastName", "Suffix", "Email", "Title", "Phone",
    "MobilePhone", "Fax", "LeadSource", "HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall", "OwnerId",
)  # fmt: skip
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_CHILDREN = (
    ("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Account", "ParentId"),
    ("OpportunityContactRole", "ContactId"), ("Task", "WhoId"), ("Task", "WhatId"),
)  # fmt: skip


class DuplicateRule(StrEnum):
    """What the org's duplicate rule for people does about an e-mail that is there already."""

    OFF = "off"
    ALERT = "alert"  # refused unless the caller says allowSave
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes: a user's name, or `api`. `saves_duplicates` passes an alerting duplicate rule,
    `assigns` lets the lead assignment rule choose the owner."""

    name: str
    saves_duplicates: bool = False
    assigns: bool = False


Report = Callable[[str, str, str, str, Row, Row], None]
"""Author, action, object, id, before, after."""


class Org:
    """One Salesforce org. `validations` return a sentence to refuse a row, `flows` return values that the
    org's own automation sets on it; both see (object, row) as it would be kept."""

    def __init__(self, now: Callable[[], datetime], types: dict[str, ObjectType], report: Report) -> None:
        self.now = now
        self.types = types
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in types}
        self.duplicates = DuplicateRule.OFF
        self.lead_assignment: str | None = None
        self.locks: Counter[str] = Counter()
        self.validations: list[Callable[[str, Row], str | None]] = []
        self.flows: list[Callable[[str, Row], Mapping[str, Any]]] = []
        self.running_user = ""
        self._report = report
        self._made: Counter[str] = Counter()
        self._unique: dict[tuple[str, str, str], set[str]] = {}

    # -- looking ----------------------------------------------------------------------------------

    def type(self, object: str) -> ObjectType:
        if object not in self.types:
            raise refuse("NOT_FOUND", "The requested resource does not exist", status=404)
        return self.types[object]

    def get(self, object: str, id: str) -> Row:
        """A living row. Raises Fail: NOT_FOUND, MALFORMED_ID, ENTITY_IS_DELETED."""
        row = self.rows[self.type(object).name].get(long_id(id))
        if row is None:
            raise refuse(*_missing(id), status=404)
        if row["IsDeleted"]:
            raise refuse("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def living(self, object: str) -> Iterator[Row]:
        return (row for row in self.rows[object].values() if not row["IsDeleted"])

    def in_bin(self, row: Row) -> bool:
        """Whether a deleted row can still be seen by queryAll."""
        return bool(row["SystemModstamp"] >= stamp(self.now() - timedelta(days=BIN_DAYS)))

    def by_key(self, object: str, key: str, value: Any) -> list[Row]:
        """Living rows with this external id (case does not matter)."""
        wanted = str(value).lower()
        if self.types[object].fields[key].unique:
            return [self.rows[object][id] for id in self._unique.get((object, key, wanted), ())]
        return [row for row in self.living(object) if str(row.get(key) or "").lower() == wanted]

    # -- changing ---------------------------------------------------------------------------------

    def create(self, object: str, values: Mapping[str, Any], author: Author) -> str:
        type = self.type(object)
        kept = clean(type, values)
        check_writable(type, kept, "createable")
        self._check_references(type, kept)
        row = self._blank(type) | {name: value for name, value in kept.items() if value is not None}
        if object == "Lead" and author.assigns and self.lead_assignment:
            row["OwnerId"] = self.lead_assignment
        row["Id"] = self._new_id(type)
        self._save(type, row, {}, author, "create")
        return str(row["Id"])

    def update(self, object: str, id: str, values: Mapping[str, Any], author: Author) -> None:
        type = self.type(object)
        kept = clean(type, values)
        row = self.get(object, id)
        if not type.updateable:
            raise refuse("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"{object} cannot be changed here")
        self._check_lock(row)
        if row.get("IsConverted"):
            raise _converted()
        check_writable(type, kept, "updateable")
        self._check_references(type, kept)
        self._save(type, row | kept, row, author, "update")

    def delete(self, object: str, id: str, author: Author) -> None:
        row = self.get(object, id)
        self._check_lock(row)
        self._bin(object, row, author, "delete")

    def undelete(self, object: str, id: str, author: Author) -> None:
        row = self.rows[object][long_id(id)]
        row.update(IsDeleted=False, **({"MasterRecordId": None} if "MasterRecordId" in row else {}))
        self._index(object, {}, row)
        self._touch(row)
        self._report(author.name, "restore", object, row["Id"], {}, dict(row))

    def purge(self, object: str, id: str) -> None:
        """Out of the recycle bin: nobody sees it again."""
        if self.rows[object][long_id(id)]["IsDeleted"]:
            del self.rows[object][long_id(id)]

    def merge(self, object: str, winner: str, losers: Sequence[str], author: Author) -> None:
        """One master and at most two others; their children move to the master."""
        if not 1 <= len(losers) <= 2:
            raise refuse("INVALID_NUMBER_OF_RECORDS", "a merge takes one master and one or two others")
        master = self.get(object, winner)
        for id in losers:
            loser = self.get(object, id)
            self._adopt(object, loser["Id"], master["Id"])
            loser["MasterRecordId"] = master["Id"]
            self._bin(object, loser, author, "merge")
        self._touch(master)

    def convert(self, lead_id: str, author: Author, contact_id: str | None, opportunity: str | None) -> Row:
        """A lead becomes a contact with an account, and an opportunity of this name; returns the lead."""
        lead = self.get("Lead", lead_id)
        if lead["IsConverted"]:
            raise _converted()
        contact = self._converted_contact(lead, contact_id, author)
        deal = self._converted_deal(contact, opportunity, author) if opportunity else None
        before = dict(lead)
        lead.update(
            IsConverted=True,
            Status="Closed - Converted",
            ConvertedDate=self.now().date().isoformat(),
            ConvertedContactId=contact["Id"],
            ConvertedAccountId=contact["AccountId"],
            ConvertedOpportunityId=deal,
        )
        self._adopt("Lead", lead["Id"], contact["Id"])
        self._touch(lead)
        self._tell(author, "convert", "Lead", before, lead)
        return lead

    # -- inside -----------------------------------------------------------------------------------

    def _blank(self, type: ObjectType) -> Row:
        now = stamp(self.now())
        row: Row = {name: _default(known) for name, known in type.fields.items()}
        row.update(CreatedDate=now, IsDeleted=False)
        if "OwnerId" in row:
            row["OwnerId"] = self.running_user or None
        return row

    def _new_id(self, type: ObjectType) -> str:
        self._made[type.name] += 1
        number, tail = self._made[type.name], ""
        while number:
            number, digit = divmod(number, 62)
            tail = _DIGITS[digit] + tail
        return long_id(f"{type.prefix}Kp0000{tail:0>6}")

    def _save(self, type: ObjectType, row: Row, before: Row, author: Author, action: str) -> None:
        for flow in self.flows:
            row.update(flow(type.name, row))
        _compute(type.name, row, before)
        check_required(type, row)
        self._check_unique(type, row)
        self._check_duplicates(type.name, row, before, author)
        for rule in self.validations:
            if sentence := rule(type.name, row):
                raise refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", sentence)
        old = dict(before)
        kept = before if before else row
        kept.update(row)
        self.rows[type.name][row["Id"]] = kept
        self._index(type.name, old, kept)
        self._touch(kept)
        self._tell(author, action, type.name, old, kept)

    def _touch(self, row: Row) -> None:
        now = stamp(self.now())
        row.update(LastModifiedDate=now, SystemModstamp=now, LastModifiedById=self.running_user or None)

    def _tell(self, author: Author, action: str, object: str, before: Row, after: Row) -> None:
        moved = {name for name, value in after.items() if before.get(name) != value}
        moved -= {"SystemModstamp", "LastModifiedDate", "LastModifiedById"}
        old = {name: before.get(name) for name in sorted(moved)} if before else {}
        new = {name: after[name] for name in sorted(moved)}
        self._report(author.name, action, object, after["Id"], old, new)

    def _bin(self, object: str, row: Row, author: Author, action: str) -> None:
        before = dict(row)
        row["IsDeleted"] = True
        self._index(object, before, {})
        self._touch(row)
        after = {"MasterRecordId": row["MasterRecordId"]} if action == "merge" else {}
        self._report(author.name, action, object, row["Id"], before, after)

    def _adopt(self, parent: str, old: str, new: str) -> None:
        """Children of `old`, a record of the object `parent`, point at `new` from now on."""
        for child, via in _CHILDREN:
            known = self.types[child].fields.get(via)
            if known is None or parent not in known.refers_to:
                continue
            for row in self.living(child):
                if row.get(via) == old:
                    row[via] = new
                    self._touch(row)

    def _converted_contact(self, lead: Row, contact_id: str | None, author: Author) -> Row:
        wanted = {name: lead[name] for name in _SAME_NAME}
        wanted |= {f"Mailing{part}": lead[part] for part in _ADDRESS}
        shared = self.types["Lead"].fields.keys() & self.types["Contact"].fields.keys()
        wanted |= {name: lead[name] for name in sorted(shared) if name.endswith("__c")}
        knows = Author(author.name, saves_duplicates=True)
        if contact_id:
            contact = self.get("Contact", contact_id)
            gaps = {name: value for name, value in wanted.items() if contact.get(name) is None}
            self.update("Contact", contact["Id"], gaps, knows)
            return contact
        account = self.create("Account", {"Name": lead["Company"], "OwnerId": lead["OwnerId"]}, knows)
        new = self.create("Contact", wanted | {"AccountId": account}, knows)
        return self.get("Contact", new)

    def _converted_deal(self, contact: Row, name: str, author: Author) -> str:
        close = (self.now() + timedelta(days=30)).date().isoformat()
        values = {"Name": name, "AccountId": contact["AccountId"], "StageName": "Prospecting"}
        deal = self.create("Opportunity", values | {"CloseDate": close}, author)
        role = {"OpportunityId": deal, "ContactId": contact["Id"], "IsPrimary": True}
        self.create("OpportunityContactRole", role, author)
        return deal

    # -- checks -----------------------------------------------------------------------------------

    def _check_lock(self, row: Row) -> None:
        if self.locks[row["Id"]] > 0:
            self.locks[row["Id"]] -= 1
            raise refuse("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")

    def _check_references(self, type: ObjectType, values: Row) -> None:
        for name, value in values.items():
            targets = type.fields[name].refers_to
            if value is None or not targets:
                continue
            found = (self.rows[target].get(value) for target in targets)
            if not any(row is not None and not row["IsDeleted"] for row in found):
                raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", name)

    def _check_unique(self, type: ObjectType, row: Row) -> None:
        for name, known in type.fields.items():
            if not known.unique or row.get(name) is None:
                continue
            others = self._unique.get((type.name, name, str(row[name]).lower()), set()) - {row["Id"]}
            if others:
                raise refuse(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {min(others)[:15]}",
                )

    def _index(self, object: str, before: Row, after: Row) -> None:
        for name, known in self.types[object].fields.items():
            if known.unique:
                if before.get(name) is not None:
                    self._unique[object, name, str(before[name]).lower()].discard(before["Id"])
                if after.get(name) is not None:
                    key = (object, name, str(after[name]).lower())
                    self._unique.setdefault(key, set()).add(after["Id"])

    def _check_duplicates(self, object: str, row: Row, before: Row, author: Author) -> None:
        if self.duplicates is DuplicateRule.OFF or object not in ("Lead", "Contact"):
            return
        if self.duplicates is DuplicateRule.ALERT and author.saves_duplicates:
            return
        email = str(row.get("Email") or "").lower()
        if not email or email == str(before.get("Email") or "").lower():
            return
        same = [
            (kind, other)
            for kind in (object, "Contact" if object == "Lead" else "Lead")
            for other in self.living(kind)
            if str(other.get("Email") or "").lower() == email and other["Id"] != row["Id"]
        ]
        if same:
            raise Fail(400, self._duplicate_problem(object, same))

    def _duplicate_problem(self, object: str, same: list[tuple[str, Row]]) -> Problem:
        allow = self.duplicates is DuplicateRule.ALERT
        found = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": kind}, "Id": row["Id"]},
            }
            for kind, row in same
        ]
        match: Row = {"entityType": same[0][0], "errors": [], "matchEngine": "ExactMatchEngine"}
        match |= {"matchRecords": found, "rule": "Same_Email", "size": len(found), "success": True}
        result = {
            "allowSave": allow,
            "duplicateRule": "People_by_Email",
            "duplicateRuleEntityType": object,
            "errorMessage": "Use one of these records?",
            "matchResults": [match],
        }
        more = {"duplicateResult": result}
        return Problem("DUPLICATES_DETECTED", "Use one of these records?", (), more)


def _default(known: Field) -> Any:
    if known.type == "boolean":
        return bool(known.default)
    return None if known.type == "reference" else known.default


def _missing(id: str) -> tuple[str, str]:
    if len(id) not in (15, 18) or not id.isalnum():
        return "MALFORMED_ID", f"malformed id {id}"
    return "NOT_FOUND", "The requested resource does not exist"


def _converted() -> Fail:
    return refuse("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")


def _compute(object: str, row: Row, before: Row) -> None:
    """Fields that the platform derives."""
    if object in ("Lead", "Contact"):
        parts = (row.get(name) for name in ("FirstName", "MiddleName", "LastName", "Suffix"))
        row["Name"] = " ".join(part for part in parts if part) or None
    if object == "Opportunity":
        stage = row.get("StageName")
        row.update(IsClosed=stage in ("Closed Won", "Closed Lost"), IsWon=stage == "Closed Won")
        if stage != before.get("StageName") and row.get("Probability") == before.get("Probability"):
            row["Probability"] = float(PROBABILITY.get(stage or "", 0))
