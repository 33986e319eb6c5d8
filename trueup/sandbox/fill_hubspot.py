"""Fills a HubSpot portal with people, companies and newsletter consent."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.hubspot.vendor_properties import Definition
from trueup.sandbox.dirt import RecordView, Values
from trueup.sandbox.filling import BY, Filled, address_once, named, said
from trueup.sandbox.people import INTERESTS

NEWSLETTER = "Newsletter"
_PROPERTIES = (
    Definition("partner_name"),
    Definition("current_offer"),
    Definition("interests", "enumeration", "checkbox", options=INTERESTS),
    Definition("customer_tier", "enumeration", "select", options=("standard", "gold")),
    Definition("hub_score", "number", "number"),
    Definition("rep_email"),
    Definition("resting_until", "datetime", "date"),
)
_LIFECYCLE = {
    "name": "subscriber",
    "lead": "lead",
    "mql": "marketingqualifiedlead",
    "sal": "marketingqualifiedlead",
    "sql": "salesqualifiedlead",
    "opportunity": "opportunity",
    "customer": "customer",
    "recycled": "lead",
    "disqualified": "other",
    "former": "other",
}


def fill_hubspot(portal: HubSpotStandIn, rows: Iterable[RecordView]) -> Filled:
    """Contacts with their companies and newsletter consent. E-mail addresses are unique there."""
    for definition in _PROPERTIES:
        portal.add_property("contacts", definition)
    if NEWSLETTER not in portal.portal.subscriptions.values():
        portal.add_subscription(NEWSLETTER)
    filled, taken, companies = Filled(), set[str](), dict[str, str]()
    for row in rows:
        values = dict(row.values)
        email = address_once(values, taken)
        if email is None and not named(values):
            filled.left_out[row.key] = "neither a name nor an e-mail address of its own"
            continue
        contact = portal.user_create("contacts", _hubspot_contact(values, email), BY)
        filled.records[row.key] = ("contacts", contact)
        if company := _hubspot_company(portal, values, companies):
            portal.user_associate("contacts", contact, "companies", company, BY)
        if email:
            _consent(portal, values, email)
    portal.webhooks("")  # what it would have sent about these, it sent before anybody listened
    return filled


def _hubspot_contact(values: Values, email: str | None) -> Values:
    same = ("phone", "city", "country", "company", "partner_name", "current_offer")
    contact = {
        **{name: values.get(name) for name in same},
        "email": email,
        "firstname": values.get("first_name"),
        "lastname": values.get("last_name"),
        "mobilephone": values.get("mobile"),
        "address": values.get("street"),
        "zip": values.get("postcode"),
        "jobtitle": values.get("job_title"),
        "date_of_birth": values.get("birthday"),
        "hs_language": values.get("language"),
        "lifecyclestage": _LIFECYCLE[values["stage"]],
        "interests": ";".join(values.get("interests", ())),
    }
    return said(contact)


def _hubspot_company(portal: HubSpotStandIn, values: Values, known: dict[str, str]) -> str | None:
    """One company for each domain, named as it was first typed."""
    name, domain = values.get("company"), values.get("company_domain")
    if not name or not domain:
        return None
    if domain not in known:
        known[domain] = portal.user_create("companies", {"name": name, "domain": domain}, BY)
    return known[domain]


def _consent(portal: HubSpotStandIn, values: Values, email: str) -> None:
    if values.get("newsletter") == "opted_in":
        portal.user_subscribe(email, NEWSLETTER, BY)
    elif values.get("newsletter") == "opted_out":
        portal.user_unsubscribe(email, NEWSLETTER, BY)
