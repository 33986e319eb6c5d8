"""Users and identities of the imitated Zendesk account, and the rules about them (vendor sheet 4, 5, 8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from trueup.connectors.zendesk.vendor_organizations import Organizations
from trueup.connectors.zendesk.vendor_records import Records
from trueup.connectors.zendesk.vendor_rules import (
    LOCALES,
    ROLES,
    ZONES,
    Details,
    Values,
    VendorError,
    bad_request,
    complaint,
    custom_value_problems,
    invalid,
    is_email,
    iso,
    not_found,
    tidy_tags,
)

PLAIN = ("details", "notes", "alias", "suspended", "signature", "shared_phone_number")
NEW_USER: Values = {
    "name": "", "email": None, "phone": None, "shared_phone_number": None, "photo": None, "role": "end-user",
    "time_zone": "Eastern Time (US & Canada)", "iana_time_zone": "America/New_York", "locale": "en-US",
    "locale_id": 1, "organization_id": None, "verified": False, "external_id": None, "tags": [], "alias": "",
    "active": True, "shared": False, "shared_agent": False, "moderator": False, "restricted_agent": True,
    "ticket_restriction": "requested", "only_private_comments": False, "suspended": False,
    "report_csv": False, "custom_role_id": None, "two_factor_auth_enabled": False, "details": "",
    "notes": "", "user_fields": {},
}  # fmt: skip


class People:
    """`domain_mapping`: organizations take users in by e-mail domain. `identity_touches_user`: a changed
    identity moves `updated_at`. `null_clears_phone`: null empties the phone (else only "" does).
    `search_lag`: how old the search index is. `mails`: verification mails that real people got."""

    def __init__(self, records: Records, organizations: Organizations) -> None:
        self.records = records
        self.organizations = organizations
        self.domain_mapping = False
        self.identity_touches_user = True
        self.null_clears_phone = False
        self.search_lag = timedelta(minutes=2)
        self.mails: list[tuple[int, str]] = []
        self.identities: dict[int, Values] = {}
        self._own: dict[int, list[int]] = {}  # user id -> identity ids
        self._emails: dict[str, int] = {}  # lower-cased address -> identity id
        self._phones: dict[str, int] = {}  # number -> identity id
        self._indexed: dict[int, list[tuple[datetime, frozenset[str], str, str]]] = {}

    # -- reading ----------------------------------------------------------------------------------

    def get(self, id: int) -> Values:
        """The row of a user, deleted ones too, but not those deleted for good."""
        row = self.records.users.get(id)
        if row is None or row.get("permanently_deleted"):
            raise not_found()
        return row

    def living(self, id: int) -> Values:
        row = self.get(id)
        if not row["active"]:
            raise not_found()
        return row

    def identities_of(self, id: int) -> list[Values]:
        return [self.identities[one] for one in self._own.get(id, [])]

    def snapshot(self, id: int) -> Values:
        """A user with all e-mail addresses: what the ledger keeps as before and after."""
        emails = [one["value"] for one in self.identities_of(id) if one["type"] == "email"]
        return {**self.records.public("users", id), "identities.email": emails}

    def by_email(self, email: str) -> int | None:
        identity = self._emails.get(email.lower())
        return None if identity is None else int(self.identities[identity]["user_id"])

    def search(self, *, email: str = "", external_id: str = "", text: str = "") -> list[int]:
        """Living users as the index knew them `search_lag` ago."""
        until, found = self.records.now() - self.search_lag, []
        for id, entries in self._indexed.items():
            seen = next((entry for entry in reversed(entries) if entry[0] <= until), None)
            if seen is None or not self.records.users[id]["active"]:
                continue
            _, emails, external, name = seen
            hit = (email and email.lower() in emails) or (external_id and external == external_id.lower())
            if hit or (text and (text.lower() in name or any(text.lower() in one for one in emails))):
                found.append(id)
        return found

    def _changed(self, id: int) -> None:
        self.records.touch("users", id)
        self._index(id)

    def _index(self, id: int) -> None:
        row = self.records.users[id]
        emails = frozenset(one["value"].lower() for one in self.identities_of(id) if one["type"] == "email")
        entry = (self.records.now(), emails, (row["external_id"] or "").lower(), row["name"].lower())
        entries = self._indexed.setdefault(id, [])
        entries.append(entry)
        del entries[:-6]  # older states are past any lag that is worth imitating

    # -- writing ----------------------------------------------------------------------------------

    def create(self, body: Mapping[str, Any], by: str = "api") -> int:
        self._check(body, None)
        id, stamp = self.records.next_id("users"), iso(self.records.now())
        self.records.users[id] = {"id": id, "created_at": stamp, "updated_at": stamp, **NEW_USER}
        self._own[id] = []
        self._apply(id, body)
        for identity in body.get("identities") or []:
            self._add(id, identity["type"], identity["value"], bool(body.get("verified")))
        self._map_domain(id, body)
        self._changed(id)
        email = self.records.users[id]["email"]
        if email and not body.get("skip_verify_email"):
            self.mails.append((id, email))
        self.records.note(by, "create", "users", str(id), {}, self.snapshot(id))
        return id

    def update(self, id: int, body: Mapping[str, Any], by: str = "api") -> None:
        self.living(id)
        self._check(body, id)
        before = self.snapshot(id)
        self._apply(id, body)
        self._changed(id)
        self.records.note(by, "update", "users", str(id), before, self.snapshot(id))

    def match(self, body: Mapping[str, Any]) -> int | None:
        """Whom `create_or_update` means: by external id (case ignored), else by e-mail."""
        found = None
        if body.get("external_id"):
            found = self.records.by_external("users", str(body["external_id"]))
        if found is None and isinstance(body.get("email"), str):
            found = self.by_email(body["email"])
        return found

    def change_tags(self, id: int, add: list[str], remove: list[str], by: str = "api") -> list[str]:
        row = self.living(id)
        tags = (set(row["tags"]) | set(tidy_tags(add))) - set(tidy_tags(remove))
        self.update(id, {"tags": sorted(tags)}, by)
        return list(self.records.users[id]["tags"])

    def _check(self, body: Mapping[str, Any], id: int | None) -> None:
        if not isinstance(body, Mapping):
            raise bad_request("Invalid attribute", "user must be an object")
        problems = custom_value_problems(self.records.user_fields, body.get("user_fields") or {})
        if ("name" in body or id is None) and not str(body.get("name") or "").strip():
            problems["name"] = complaint("Name: cannot be blank", "BlankValue")
        self._check_addresses(body, id, problems)
        if problem := self.records.external_problem("users", body.get("external_id"), id):
            problems["external_id"] = complaint(*problem)
        organization = body.get("organization_id")
        if organization is not None and not self.organizations.lives(organization):
            problems["organization"] = complaint("Organization: is invalid", "InvalidValue")
        if body.get("role", "end-user") not in ROLES:
            problems["role"] = complaint("Role: is invalid", "InvalidValue")
        if body.get("time_zone") is not None and body["time_zone"] not in ZONES:
            problems["time_zone"] = complaint("Time zone: is invalid", "InvalidValue")
        tags = body.get("tags")
        if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
            problems["tags"] = complaint("Tags: is invalid", "InvalidValue")
        if problems:
            raise invalid(problems)

    def _check_addresses(self, body: Mapping[str, Any], id: int | None, problems: Details) -> None:
        wanted = [] if body.get("email") is None else [body["email"]]
        wanted += [one["value"] for one in body.get("identities") or [] if one.get("type") == "email"]
        for address in wanted:
            if problem := self.address_problem(address, id):
                problems["email"] = problem

    def address_problem(self, address: Any, id: int | None) -> list[dict[str, str]] | None:
        """Why this user may not hold this e-mail address, in the vendor's words; None if they may."""
        if not is_email(address):
            return complaint(f"Email: {address} is not properly formatted", "InvalidFormat")
        holder = self.by_email(address)
        if holder is not None and holder != id:
            return complaint(f"Email: {address} is already being used by another user", "DuplicateValue")
        return None

    def _apply(self, id: int, body: Mapping[str, Any]) -> None:
        row = self.records.users[id]
        row.update({key: body[key] for key in PLAIN if key in body})
        if "name" in body:
            row["name"] = body["name"].strip()
        row["role"] = body.get("role") or row["role"]
        row["verified"] = bool(body.get("verified", row["verified"]))
        if "tags" in body:
            row["tags"] = tidy_tags(body["tags"] or [])
        custom = body.get("user_fields") or {}
        row["user_fields"] = {**row["user_fields"], **{key: value or None for key, value in custom.items()}}
        self._apply_place(row, body)
        if "external_id" in body:
            self.records.set_external("users", row, body["external_id"])
        if body.get("email"):
            self._add(id, "email", body["email"], bool(body.get("verified")))
        if "phone" in body and (body["phone"] is not None or self.null_clears_phone):
            self._set_phone(id, body["phone"] or "")
        self.organizations.place(id, body)

    @staticmethod
    def _apply_place(row: Values, body: Mapping[str, Any]) -> None:
        if body.get("time_zone"):
            row["time_zone"], row["iana_time_zone"] = body["time_zone"], ZONES[body["time_zone"]]
        if body.get("locale") in LOCALES:  # an unknown locale is ignored silently
            row["locale"], row["locale_id"] = body["locale"], LOCALES[body["locale"]]

    def _set_phone(self, id: int, phone: str) -> None:
        for identity in self.identities_of(id):
            if identity["type"] == "phone_number":
                self._drop(identity["id"])
        row = self.records.users[id]
        row["phone"] = phone or None
        row["shared_phone_number"] = phone in self._phones if phone else None
        if phone.startswith("+") and phone not in self._phones:
            self._add(id, "phone_number", phone, False)

    def _map_domain(self, id: int, body: Mapping[str, Any]) -> None:
        email = self.records.users[id]["email"]
        if self.domain_mapping and email and not body.get("organization_id") and not body.get("organization"):
            organization = self.organizations.for_domain(email.rpartition("@")[2].lower())
            if organization is not None:
                self.organizations.make_default(id, organization)

    # -- identities -------------------------------------------------------------------------------

    def _add(self, user_id: int, type: str, value: str, verified: bool) -> int:
        """Adds it, or finds it; the first of its type is the primary one, later ones are not."""
        known = self._emails if type == "email" else self._phones
        place = value.lower() if type == "email" else value
        if place in known:
            return known[place]
        primary = not any(one["type"] == type for one in self.identities_of(user_id))
        id, stamp = self.records.next_id("identities"), iso(self.records.now())
        self.identities[id] = {
            "id": id, "user_id": user_id, "type": type, "value": value, "verified": verified,
            "primary": primary, "created_at": stamp, "updated_at": stamp,
            "deliverable_state": "deliverable", "undeliverable_count": 0,
            "url": f"{self.records.base_url}/api/v2/users/{user_id}/identities/{id}.json",
        }  # fmt: skip
        self._own[user_id].append(id)
        known[place] = id
        if primary:
            self.records.users[user_id]["email" if type == "email" else "phone"] = value
        return id

    def _drop(self, id: int) -> None:
        identity = self.identities.pop(id)
        self._own[identity["user_id"]].remove(id)
        if identity["type"] == "email":
            del self._emails[identity["value"].lower()]
        else:
            del self._phones[identity["value"]]

    def own_identity(self, user_id: int, id: int) -> Values:
        self.living(user_id)
        if id not in self._own[user_id]:
            raise not_found()
        return self.identities[id]

    def add_identity(self, user_id: int, body: Mapping[str, Any], by: str = "api") -> Values:
        self.living(user_id)
        type, value = body.get("type"), body.get("value")
        if type not in ("email", "phone_number") or not isinstance(value, str) or not value:
            raise invalid({"value": complaint("Value: is invalid", "InvalidValue")})
        if type == "email" and (problem := self.address_problem(value, user_id)):
            raise invalid({"value": problem})
        before = self.snapshot(user_id)
        id = self._add(user_id, type, value, bool(body.get("verified")))
        if body.get("primary"):
            self._choose(user_id, id)
        self._identity_changed(user_id, before, by)
        if type == "email" and not body.get("verified") and not body.get("skip_verify_email"):
            self.mails.append((user_id, value))
        return self.identities[id]

    def make_primary(self, user_id: int, id: int, by: str = "api") -> None:
        self.own_identity(user_id, id)
        before = self.snapshot(user_id)
        self._choose(user_id, id)
        self._identity_changed(user_id, before, by)

    def _choose(self, user_id: int, id: int) -> None:
        chosen = self.identities[id]
        for identity in self.identities_of(user_id):
            if identity["type"] == chosen["type"]:
                identity["primary"] = identity is chosen
        self.records.users[user_id]["email" if chosen["type"] == "email" else "phone"] = chosen["value"]

    def delete_identity(self, user_id: int, id: int, by: str = "api") -> None:
        identity = self.own_identity(user_id, id)
        if identity["primary"] and identity["type"] == "email":
            raise invalid({"base": complaint("Primary email cannot be deleted", "InvalidValue")})
        before = self.snapshot(user_id)
        self._drop(id)
        if identity["type"] == "phone_number":
            self.records.users[user_id]["phone"] = None
        self._identity_changed(user_id, before, by)

    def _identity_changed(self, user_id: int, before: Values, by: str) -> None:
        if self.identity_touches_user:
            self.records.touch("users", user_id)
        self._index(user_id)
        self.records.note(by, "update", "users", str(user_id), before, self.snapshot(user_id))

    # -- deletion and merge -----------------------------------------------------------------------

    def delete(self, id: int, by: str = "api") -> None:
        """Soft: `active` false, identities free for others, the last e-mail still shown as text."""
        self.living(id)
        before = self.snapshot(id)
        self._retire(id)
        self.records.note(by, "delete", "users", str(id), before, self.snapshot(id))

    def _retire(self, id: int) -> None:
        row = self.records.users[id]
        row["active"] = False
        self.records.set_external("users", row, None)
        for identity in self.identities_of(id):
            self._drop(identity["id"])
        self._changed(id)

    def delete_for_good(self, id: int, by: str = "api") -> None:
        """Only after a soft deletion; the row stays visible in the export, without personal values."""
        row = self.get(id)
        if row["active"]:
            raise not_found()
        before = self.snapshot(id)
        row.update(name="Permanently Deleted User", email=None, phone=None, permanently_deleted=True)
        row.update(notes="", details="", alias="", user_fields={}, tags=[])
        self._changed(id)
        self.records.note(by, "delete", "users", str(id), before, self.snapshot(id))

    def merge(self, loser: int, winner: int, by: str = "api") -> None:
        """The loser's identities, tickets and memberships move; it ends deleted and names no successor."""
        if {self.living(loser)["role"], self.living(winner)["role"]} != {"end-user"}:
            raise VendorError(403, "Forbidden", "Agents and admins cannot be merged")
        if loser == winner:
            raise invalid({"base": complaint("Users: cannot be merged with themselves", "InvalidValue")})
        before, kept = self.snapshot(loser), self.snapshot(winner)
        for identity in self.identities_of(loser):
            identity.update(user_id=winner, primary=False)
        self._own[winner] += self._own[loser]
        self._own[loser] = []
        if not self.records.users[winner]["email"]:
            for identity in [one for one in self.identities_of(winner) if one["type"] == "email"][:1]:
                self._choose(winner, identity["id"])
        for ticket in self.records.tickets.values():
            if ticket["requester_id"] == loser:
                ticket["requester_id"] = winner
                self.records.touch("tickets", ticket["id"])
                ticket["generated_timestamp"] = ticket["_second"]
        self.organizations.take_over(loser, winner)
        self._retire(loser)
        self._changed(winner)
        gone = {**self.snapshot(loser), "merged_into": str(winner)}
        self.records.note(by, "merge", "users", str(loser), before, gone)
        self.records.note(by, "update", "users", str(winner), kept, self.snapshot(winner))
