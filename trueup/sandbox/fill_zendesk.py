"""Fills a Zendesk account with users, organizations and tickets."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.sandbox.dirt import RecordView, Values
from trueup.sandbox.filling import BY, Filled, address_once, said


def fill_zendesk(account: ZendeskStandIn, rows: Iterable[RecordView]) -> Filled:
    """Users with their organizations, and tickets of the customers. E-mail addresses are unique there."""
    filled, taken, organizations = Filled(), set[str](), dict[str, str]()
    for row in rows:
        values = dict(row.values)
        email = address_once(values, taken)
        name = values.get("full_name", "").strip() or email
        if not name:
            filled.left_out[row.key] = "neither a name nor an e-mail address of its own"
            continue
        place = _organization(account, values, organizations)
        user = account.user_create(name, email, BY, **_zendesk_user(values, place))
        filled.records[row.key] = ("users", user)
        _tickets(account, Random(row.key), values, user)
    return filled


def _zendesk_user(values: Values, organization: str | None) -> Values:
    tags = [*values.get("tags", ())]
    if values.get("newsletter") == "opted_out":
        tags.append("no_marketing")
    user = {
        "phone": values.get("phone"),
        "organization_id": int(organization) if organization else None,
        "tags": tags,
        "verified": True,
        "user_fields.contract_number": values.get("contract_number"),
        "user_fields.stage": values["stage"],
        "user_fields.current_offer": values.get("current_offer"),
    }
    return said(user)


def _organization(account: ZendeskStandIn, values: Values, known: dict[str, str]) -> str | None:
    name = values.get("company", "").strip()
    if not name or not values.get("company_domain"):
        return None
    if name.lower() not in known:
        domains = [values["company_domain"]]
        known[name.lower()] = account.user_create_organization(name, BY, domain_names=domains)
    return known[name.lower()]


def _tickets(account: ZendeskStandIn, rng: Random, values: Values, user: str) -> None:
    if values["stage"] != "customer" or rng.random() < 0.7:
        return
    for _ in range(rng.randrange(1, 4)):
        ticket = account.user_create_ticket(user, rng.choice(_SUBJECTS), BY)
        if rng.random() < 0.7:
            account.user_solve_ticket(ticket, BY)


_SUBJECTS = ("Invoice is wrong", "Where is my order?", "Change of address", "Cancel my booking", "Question")
