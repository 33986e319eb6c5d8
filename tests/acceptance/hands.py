"""What people do at the three systems' own screens, by our words for the fields."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.acceptance.kit import House, phone, word
from trueup.sandbox.people import INTERESTS

_MARKETING = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "phone": "phone",
    "job_title": "jobtitle",
    "company_name": "company",
    "stage": "lifecyclestage",
}
_SALES = {
    "email": "Email",
    "first_name": "FirstName",
    "last_name": "LastName",
    "phone": "Phone",
    "job_title": "Title",
    "company_name": "Company",
    "stage": "Status",
}
_STAGES = {
    "marketing": ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"),
    "sales": ("Working - Contacted", "Open - Not Contacted"),
    "support": ("lead", "sql", "opportunity", "customer"),
}


@dataclass
class Hands:
    """The people at work in a house, who do what the dice say. Every word they type is typed once."""

    house: House
    dice: random.Random
    typed: int = 0
    opted_out: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    def token(self) -> str:
        self.typed += 1
        return word(self.typed)

    # -- who is there -----------------------------------------------------------------------------

    def people(self, name: str) -> list[tuple[str, str]]:
        """(object, id) of everybody who lives in this system, by address: ids depend on who came first."""
        return sorted(self._living(name), key=lambda one: (self.address(name, *one), one))

    def _living(self, name: str) -> list[tuple[str, str]]:
        match name:
            case "marketing":
                rows = self.house.marketing.portal.rows["contacts"]
                return [("contacts", id) for id, row in rows.items() if row.archived is None]
            case "sales":
                org = self.house.sales.org
                leads = [("Lead", row["Id"]) for row in org.living("Lead") if not row["IsConverted"]]
                return [*leads, *(("Contact", row["Id"]) for row in org.living("Contact"))]
            case _:
                users = self.house.support.account.records.users
                living = [id for id, row in users.items() if row["active"] and row["role"] == "end-user"]
                return [("users", str(id)) for id in living]

    def address(self, name: str, object: str, id: str) -> str:
        """The e-mail address of a person in this system, in lower case."""
        match name:
            case "marketing":
                held: Any = self.house.marketing.portal.rows["contacts"][id].properties.get("email")
            case "sales":
                held = self.house.sales.org.get(object, id).get("Email")
            case _:
                held = self.house.support.account.records.users[int(id)]["email"]
        return str(held or "").lower()

    # -- single acts ------------------------------------------------------------------------------

    def create(self, name: str, email: str, first: str, last: str, **more: str) -> str:
        """A new person at one system; `more` by our names."""
        self.done.append(f"create {name} {email} {more}")
        values = {"email": email, "first_name": first, "last_name": last, **more}
        match name:
            case "marketing":
                return self.house.marketing.user_create(
                    "contacts", {_MARKETING[key]: value for key, value in values.items()}
                )
            case "sales":
                made = {"Company": "Private person"} | {_SALES[key]: value for key, value in values.items()}
                return self.house.sales.user_create("Lead", made)
            case _:
                extra = {"phone": values["phone"]} if "phone" in values else {}
                return self.house.support.user_create(f"{first} {last}", email, **extra)

    def set(self, name: str, object: str, id: str, key: str, value: str | None) -> None:
        """One field of one person; None clears it."""
        self.done.append(f"set {name}/{object}/{id} {key} {value}")
        match name:
            case "marketing":
                self.house.marketing.user_edit("contacts", id, {_MARKETING[key]: value or ""})
            case "sales":
                self.house.sales.user_edit(object, id, {_SALES[key]: value})
            case _ if key == "last_name":
                self.house.support.user_edit(id, name=value)
            case _ if key == "stage":
                self._edit_user(id, {"user_fields.stage": value})
            case _:
                self._edit_user(id, {key: value})

    def _edit_user(self, id: str, values: Mapping[str, Any]) -> None:
        self.house.support.user_edit(id, "agent", **values)

    def opt_out(self, name: str, object: str, id: str) -> None:
        """The person does not want e-mail any more and says so here."""
        email = self.address(name, object, id)
        if not email:
            return
        self.done.append(f"opt out {name}/{object}/{id} {email}")
        self.opted_out.add(email)
        match name:
            case "marketing":
                self.house.marketing.user_unsubscribe(email, "Newsletter")
            case "sales":
                self.house.sales.user_edit(object, id, {"HasOptedOutOfEmail": True})
            case _:
                self.house.support.user_tag(id, "no_marketing")

    def delete(self, name: str, object: str, id: str) -> None:
        self.done.append(f"delete {name}/{object}/{id}")
        match name:
            case "marketing":
                self.house.marketing.user_delete("contacts", id)
            case "sales":
                self.house.sales.user_delete(object, id)
            case _:
                self.house.support.user_delete(id)

    # -- what the dice may say --------------------------------------------------------------------

    def act(self, acts: str) -> None:
        """One act of the named ones, anywhere. More than a guard's age passes with it, and a second after
        what a vendor does in the background: an edit in the very second in which a job wrote can be told from
        a form of our value by nobody (decision 0016)."""
        self.house.wait(seconds=39)
        self.house.sandbox.clock.advance(timedelta(seconds=1))
        self.act_at(self.dice.choice(sorted(self.house.wires)), acts)

    def act_at(self, name: str, acts: str) -> None:
        """One act of the named ones at this system, without waiting before it."""
        act: Callable[[str], None] = getattr(self, f"_{self.dice.choice(acts.split())}")
        act(name)

    def _someone(self, name: str) -> tuple[str, str] | None:
        there = self.people(name)
        return self.dice.choice(there) if there else None

    def _edit(self, name: str) -> None:
        one = self._someone(name)
        keys = ["email", "last_name", "phone"] + ([] if name == "support" else ["first_name", "job_title"])
        if one is not None:
            key = self.dice.choice(keys)
            self.set(name, *one, key, self._new(key))

    def _new(self, key: str) -> str:
        token = self.token()
        if key == "email":
            return f"{token.lower()}@example.com"
        if key == "phone":
            return phone(self.typed)
        return f"{word(self.typed + 5000)} {token}" if key == "full_name" else token

    def _clear(self, name: str) -> None:
        one = self._someone(name)
        if one is not None:
            key = self.dice.choice(["phone"] if name == "support" else ["phone", "job_title"])
            self.set(name, *one, key, None)

    def _stage(self, name: str) -> None:
        one = self._someone(name)
        if one is not None and one[0] != "Contact":
            self.set(name, *one, "stage", self.dice.choice(_STAGES[name]))

    def _interest(self, name: str) -> None:
        one = self._someone(name)
        some = ";".join(sorted(self.dice.sample(INTERESTS, self.dice.randint(0, 3))))
        if one is None or name == "support":
            return
        self.done.append(f"interests {name}/{one} {some}")
        if name == "marketing":
            self.house.marketing.user_edit("contacts", one[1], {"interests": some})
        else:
            self.house.sales.user_edit(one[0], one[1], {"Interests__c": some or None})

    def _tag(self, name: str) -> None:
        one = self._someone("support")
        if one is not None:
            self.house.support.user_tag(one[1], self.token().lower())

    def _company(self, name: str) -> None:
        one = self._someone(name)
        if one is not None and one[0] in ("contacts", "Lead"):
            self.set(name, *one, "company_name", self.token())

    def _optout(self, name: str) -> None:
        one = self._someone(name)
        if one is not None:
            self.opt_out(name, *one)

    def _create(self, name: str) -> None:
        token = self.token()
        self.create(name, f"{token.lower()}@example.com", token, word(self.typed + 9000))

    def _delete(self, name: str) -> None:
        one = self._someone(name)
        if one is not None and not self._just_opted_out(name, one):
            self.delete(name, *one)

    def _merge(self, name: str) -> None:
        there = self.people(name)
        if name == "sales" or len(there) < 2:
            return
        winner, loser = self.dice.sample(there, 2)
        self.done.append(f"merge {name} {loser} into {winner}")
        if name == "marketing":
            self.house.marketing.user_merge("contacts", winner[1], loser[1])
        else:
            self.house.support.user_merge(loser[1], winner[1])

    def _just_opted_out(self, name: str, one: tuple[str, str]) -> bool:
        """A record that goes before anybody read that its person opted out cannot tell it any more."""
        return self.address(name, *one) in self.opted_out

    def _convert(self, name: str) -> None:
        leads = [id for object, id in self.people("sales") if object == "Lead"]
        if leads:
            lead = self.dice.choice(leads)
            self.done.append(f"convert {lead}")
            self.house.sales.user_convert_lead(lead)


EDITS = "edit edit edit clear"
MORE = f"{EDITS} {EDITS} stage interest tag company optout create"
ALL = f"{MORE} {MORE} delete merge convert"
