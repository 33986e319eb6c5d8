"""Fills a Salesforce organisation with leads, contacts, accounts and opportunities."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from random import Random

from trueup.connectors.salesforce.vendor import Field, SalesforceStandIn
from trueup.sandbox.dirt import RecordView, Values
from trueup.sandbox.filling import BY, Filled, said
from trueup.sandbox.people import INTERESTS

_LEAD_STATUS = {"sal": "Working - Contacted", "sql": "Working - Contacted", "recycled": "Recycled"} | {
    "disqualified": "Unqualified"
}
_AS_CONTACT = ("opportunity", "customer", "former")


def fill_salesforce(org: SalesforceStandIn, rows: Iterable[RecordView]) -> Filled:
    """Leads; contacts with accounts for those with a deal, some of them with the lead they came from."""
    for object in ("Lead", "Contact"):
        org.add_field(object, Field("Interests__c", "multipicklist", 4099, options=INTERESTS))
    filled, accounts = Filled(), dict[str, str]()
    for row in rows:
        values = dict(row.values)
        if values["stage"] not in _AS_CONTACT:
            filled.records[row.key] = ("Lead", org.user_create("Lead", _lead(values), BY))
            continue
        contact = org.user_create("Contact", _contact(org, values, accounts), BY)
        filled.records[row.key] = ("Contact", contact)
        _history(org, Random(row.key), values, contact)
    return filled


def _person(values: Values) -> Values:
    last = values.get("last_name") or values.get("first_name") or "Unknown"
    return {
        "FirstName": values.get("first_name", "")[:40] if values.get("last_name") else None,
        "LastName": last[:80],
        "Email": values.get("email"),
        "Phone": values.get("phone", "")[:40],
        "MobilePhone": values.get("mobile", "")[:40],
        "Title": values.get("job_title"),
        "HasOptedOutOfEmail": values.get("newsletter") == "opted_out",
        "DoNotCall": bool(values.get("no_calls")),
        "Interests__c": ";".join(values.get("interests", ())),
    }


def _lead(values: Values) -> Values:
    place = {
        "Street": values.get("street"),
        "City": values.get("city"),
        "PostalCode": values.get("postcode"),
        "Country": values.get("country"),
    }
    own = {
        "Company": values.get("company") or "Private person",
        "Status": _LEAD_STATUS.get(values["stage"], "Open - Not Contacted"),
        "LeadSource": "Web",
        "Active__c": values["stage"] not in ("recycled", "disqualified"),
    }
    return said({**_person(values), **place, **own})


def _contact(org: SalesforceStandIn, values: Values, accounts: dict[str, str]) -> Values:
    place = {
        "MailingStreet": values.get("street"),
        "MailingCity": values.get("city"),
        "MailingPostalCode": values.get("postcode"),
        "MailingCountry": values.get("country"),
    }
    own = {
        "AccountId": _account(org, values, accounts),
        "Birthdate": values.get("birthday"),
        "Active__c": values["stage"] != "former",
    }
    return said({**_person(values), **place, **own})


def _account(org: SalesforceStandIn, values: Values, accounts: dict[str, str]) -> str | None:
    name, domain = values.get("company"), values.get("company_domain")
    if not name or not domain:
        return None
    if name not in accounts:  # one account for each way the name was typed: that is how they look
        account = {"Name": name, "Website": f"https://www.{domain}"}
        accounts[name] = org.user_create("Account", account, BY)
    return accounts[name]


def _history(org: SalesforceStandIn, rng: Random, values: Values, contact: str) -> None:
    """A deal for those with one; and for every eighth contact the converted lead that it once was."""
    if rng.random() < 0.125:
        lead = org.user_create("Lead", _lead(values), BY)
        org.user_convert_lead(lead, contact_id=contact, by=BY)
    stage = {"opportunity": "Proposal/Price Quote", "customer": "Closed Won"}.get(values["stage"])
    if stage is None or (stage == "Closed Won" and rng.random() < 0.6):
        return
    closing = org.now().date() + timedelta(days=rng.randrange(10, 90) * (1 if stage != "Closed Won" else -1))
    deal = {
        "Name": f"Deal {contact[-6:]}",
        "StageName": stage,
        "CloseDate": closing.isoformat(),
        "Amount": rng.randrange(5, 400) * 100,
    }
    opportunity = org.user_create("Opportunity", deal, BY)
    role = {"OpportunityId": opportunity, "ContactId": contact, "IsPrimary": True}
    org.user_create("OpportunityContactRole", role, BY)
