"""Fills stand-ins, a shop's database and CSV files with what each system knows of the people.

Rows come from `dirt.views`. Filling goes through what people do in the vendors' screens, so the vendors'
rules hold: what a system would never have let in (two users with one e-mail address) is left out of the
row, and the row that cannot stand at all is named in `Filled.left_out`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.hubspot.vendor_portal import Definition
from trueup.connectors.salesforce.vendor import Field, SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.sandbox import names
from trueup.sandbox.dirt import RecordView, Source, Values, example_sources, view
from trueup.sandbox.people import INTERESTS, Mix, generate
from trueup.sandbox.server import Maker, Sandbox, SandboxClock
from trueup.sandbox.standin import StandIn

BY = "import"
"""The author of seeded records in the ledgers."""


@dataclass(slots=True)
class Filled:
    """Where each row went: row key to (object, remote id); and why a row went nowhere."""

    records: dict[str, tuple[str, str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def fill(standin: StandIn, rows: Iterable[RecordView]) -> Filled:
    """Puts the rows into the stand-in as its own people would have. Raises TypeError for one not known."""
    match standin:
        case HubSpotStandIn():
            return _fill_hubspot(standin, rows)
        case SalesforceStandIn():
            return _fill_salesforce(standin, rows)
        case ZendeskStandIn():
            return _fill_zendesk(standin, rows)
        case _:
            raise TypeError(f"no way to fill a {type(standin).__name__} with people")


def _named(row: Values) -> bool:
    return bool(row.get("first_name") or row.get("last_name") or row.get("full_name"))


def _address_once(row: Values, taken: set[str]) -> str | None:
    """The row's e-mail address, unless another row of this system has it."""
    email = row.get("email")
    if not email or email.lower() in taken:
        return None
    taken.add(email.lower())
    return str(email)


def _said(values: Mapping[str, Any]) -> Values:
    return {name: value for name, value in values.items() if value not in (None, "")}


# -- HubSpot -------------------------------------------------------------------------------------------

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


def _fill_hubspot(portal: HubSpotStandIn, rows: Iterable[RecordView]) -> Filled:
    """Contacts with their companies and newsletter consent. E-mail addresses are unique there."""
    for definition in _PROPERTIES:
        portal.add_property("contacts", definition)
    if NEWSLETTER not in portal.portal.subscriptions.values():
        portal.add_subscription(NEWSLETTER)
    filled, taken, companies = Filled(), set[str](), dict[str, str]()
    for row in rows:
        values = dict(row.values)
        email = _address_once(values, taken)
        if email is None and not _named(values):
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
    return _said(contact)


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


# -- Salesforce ----------------------------------------------------------------------------------------

_LEAD_STATUS = {"sal": "Working - Contacted", "sql": "Working - Contacted", "recycled": "Recycled"} | {
    "disqualified": "Unqualified"
}
_AS_CONTACT = ("opportunity", "customer", "former")


def _fill_salesforce(org: SalesforceStandIn, rows: Iterable[RecordView]) -> Filled:
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
    return _said({**_person(values), **place, **own})


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
    return _said({**_person(values), **place, **own})


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


# -- Zendesk -------------------------------------------------------------------------------------------


def _fill_zendesk(account: ZendeskStandIn, rows: Iterable[RecordView]) -> Filled:
    """Users with their organizations, and tickets of the customers. E-mail addresses are unique there."""
    filled, taken, organizations = Filled(), set[str](), dict[str, str]()
    for row in rows:
        values = dict(row.values)
        email = _address_once(values, taken)
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
    return _said(user)


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


# -- the shop's database -------------------------------------------------------------------------------

_SHOP = sa.MetaData()
CUSTOMERS = sa.Table(
    "customers",
    _SHOP,
    sa.Column("customer_id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200)),
    sa.Column("email", sa.String(254)),
    sa.Column("phone", sa.String(40)),
    sa.Column("street", sa.String(200)),
    sa.Column("city", sa.String(100)),
    sa.Column("postcode", sa.String(20)),
    sa.Column("no_mail", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("updated_at", sa.DateTime, nullable=False, index=True),
)
ORDERS = sa.Table(
    "orders",
    _SHOP,
    sa.Column("order_id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.customer_id"), nullable=False, index=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("total", sa.Numeric(12, 2), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("ordered_at", sa.DateTime, nullable=False),
    sa.Column("updated_at", sa.DateTime, nullable=False, index=True),
)
SUBSCRIPTIONS = sa.Table(
    "subscriptions",
    _SHOP,
    sa.Column("subscription_id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.customer_id"), nullable=False, index=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("plan", sa.String(40), nullable=False),
    sa.Column("period_end", sa.DateTime),
    sa.Column("updated_at", sa.DateTime, nullable=False, index=True),
)


def fill_shop(url: str | sa.URL, rows: Iterable[RecordView], today: date | None = None) -> Filled:
    """Makes the tables where they are missing and adds customers, their orders and subscriptions.

    Date-times are UTC without a zone. Orders lie before `today` (default: the day of `Mix`). Raises
    sqlalchemy.exc.IntegrityError when the shop has customers already.
    """
    filled, end = Filled(), datetime.combine(today or Mix().today, time(0))
    engine = sa.create_engine(url)
    try:
        _SHOP.create_all(engine)
        with engine.begin() as connection:
            numbers = {ORDERS.name: 0, SUBSCRIPTIONS.name: 0}
            for batch in _numbered(rows, 1000):
                for table, made in _shop_rows(batch, end, numbers).items():
                    if made:
                        connection.execute(table.insert(), made)
                for number, row in batch:
                    filled.records[row.key] = ("customers", str(number))
    finally:
        engine.dispose()
    return filled


def _numbered(rows: Iterable[RecordView], size: int) -> Iterator[list[tuple[int, RecordView]]]:
    batch: list[tuple[int, RecordView]] = []
    for entry in enumerate(rows, start=1):
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _shop_rows(
    batch: Sequence[tuple[int, RecordView]], end: datetime, numbers: dict[str, int]
) -> dict[sa.Table, list[Values]]:
    made: dict[sa.Table, list[Values]] = {CUSTOMERS: [], ORDERS: [], SUBSCRIPTIONS: []}
    for customer, row in batch:
        rng = Random(row.key)
        made[CUSTOMERS].append(_customer(customer, row.values))
        for table, key, cases in (
            (ORDERS, "order_id", _orders(rng, row.values["stage"], end)),
            (SUBSCRIPTIONS, "subscription_id", _subscriptions(rng, row.values["stage"], end)),
        ):
            for case in cases:
                numbers[table.name] += 1
                made[table].append({key: numbers[table.name], "customer_id": customer, **case})
    return made


def _customer(number: int, values: Mapping[str, Any]) -> Values:
    return {
        "customer_id": number,
        "name": values.get("full_name"),
        **{name: values.get(name) for name in ("email", "phone", "street", "city", "postcode")},
        "no_mail": values.get("newsletter") == "opted_out",
        "updated_at": values["updated_at"].astimezone(UTC).replace(tzinfo=None),
    }


def _orders(rng: Random, stage: str, end: datetime) -> list[Values]:
    """Customers have paid within the year, former ones before it, others have paid nothing."""
    if stage == "customer":
        first = _order(rng, rng.choice(("paid", "shipped")), end, 1, 300)
        states = ("new", "packed", "paid", "shipped", "shipped", "refunded", "cancelled")
        return [first, *(_order(rng, rng.choice(states), end, 1, 700) for _ in range(rng.randrange(6)))]
    if stage == "former":
        return [_order(rng, "shipped", end, 400, 1200) for _ in range(rng.randrange(1, 4))]
    return [_order(rng, rng.choice(("new", "cancelled")), end, 1, 60)] if rng.random() < 0.5 else []


def _order(rng: Random, status: str, end: datetime, newest: int, oldest: int) -> Values:
    ordered = end - timedelta(days=rng.randrange(newest, oldest), seconds=rng.randrange(86400))
    changed = min(ordered + timedelta(hours=rng.randrange(1, 200)), end)
    total = round(rng.lognormvariate(5.2, 1.0), 2)
    return {"status": status, "total": total, "currency": "EUR", "ordered_at": ordered, "updated_at": changed}


def _subscriptions(rng: Random, stage: str, end: datetime) -> list[Values]:
    if stage not in ("customer", "former") or rng.random() < 0.8:
        return []
    active = stage == "customer" and rng.random() < 0.8
    ends = end + timedelta(days=rng.randrange(5, 360)) * (1 if active else -1)
    status = "active" if active else rng.choice(("cancelled", "expired"))
    changed = end - timedelta(days=rng.randrange(1, 300))
    plan = rng.choice(("basic", "plus", "family"))
    return [{"status": status, "plan": plan, "period_end": ends, "updated_at": changed}]


# -- the example hub's systems ---------------------------------------------------------------------------

ENVIRONMENT: Mapping[str, str] = {
    "HUBSPOT_TOKEN": "pat-eu1-sandbox",
    "SALESFORCE_CLIENT_ID": "sandbox",
    "SALESFORCE_CLIENT_SECRET": "sandbox-secret",
    "ZENDESK_USER": "robot@acme.example",
    "ZENDESK_TOKEN": "sandbox-token",
}
"""What the example hub's connections need to log in to the sandbox; SHOP_DATABASE comes with the database."""


def example_sandbox(clock: SandboxClock | None = None, ports: Mapping[str, int] | None = None) -> Sandbox:
    """The example hub's `marketing`, `sales` and `support`, empty and not started; they know ENVIRONMENT."""
    known = ENVIRONMENT
    makers: dict[str, Maker] = {
        "marketing": lambda now: HubSpotStandIn(now, token=known["HUBSPOT_TOKEN"]),
        "sales": lambda now: SalesforceStandIn(
            now,
            client_id=known["SALESFORCE_CLIENT_ID"],
            client_secret=known["SALESFORCE_CLIENT_SECRET"],
        ),
        "support": lambda now: ZendeskStandIn(now, user=known["ZENDESK_USER"], token=known["ZENDESK_TOKEN"]),
    }
    return Sandbox(makers, clock, ports)


AGE = timedelta(days=2)
"""How long before now the records of a sandbox were made: past every search lag."""


def fill_sandbox(sandbox: Sandbox, shop: str | sa.URL, seed: int, people: int) -> dict[str, Filled]:
    """Fills those of `marketing`, `sales`, `support` that the sandbox has, and the database of the shop.

    Everybody is seen from the sandbox's today. Returns where each row went, by system.
    """
    today = sandbox.clock.now().date()
    population = generate(seed, people, Mix(today=today))
    filled: dict[str, Filled] = {}
    sandbox.clock.advance(-AGE)
    try:
        for source in example_sources():
            if source.name in sandbox.standins:
                filled[source.name] = fill(sandbox.standins[source.name], view(population, source))
            elif source.name == "shop":
                filled["shop"] = fill_shop(shop, view(population, source), today)
    finally:
        sandbox.clock.advance(AGE)
    return filled


# -- CSV files -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DirtyCsvs:
    """Two exports, and the truth: for each file, the true person of each data row, in order."""

    files: tuple[Path, Path]
    people: tuple[tuple[str, ...], tuple[str, ...]]


_CRM = ("Ім'я", "Прізвище", "E-mail", "Телефон", "Моб.", "Компанія", "Місто", "Індекс", "Дата народження")
_CRM_KEYS = (
    "first_name", "last_name", "email", "phone", "mobile", "company", "city", "postcode", "birthday",
)  # fmt: skip
_NEWS = ("Name", "Email", "Phone", "City", "Street", "Subscribed", "Interests")
_NEWS_KEYS = ("full_name", "email", "phone", "city", "street", "newsletter", "interests")


def dirty_csvs(seed: int, people: int, folder: Path) -> DirtyCsvs:
    """Writes `customers.csv` and `newsletter.csv`, each of that many people and some duplicates.

    Half of each file's people are in the other one too. Semicolons, Windows-1251, CRLF, dates as
    dd.mm.yyyy; letters that this encoding lacks are replaced by plain ones, as export programs do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mix = Mix(cultures=(("uk", 60), ("ru", 15), ("en", 10), ("de", 8), ("pl", 7)))
    population = generate(seed, people + people // 2, mix)
    sources = {source.name: source for source in example_sources()}
    first = _export(view(population, _everyone(sources["sales"], native=0.8)), 0, people)
    last = _export(view(population, _everyone(sources["shop"], native=0.6)), people // 2, people)
    files = (folder / "customers.csv", folder / "newsletter.csv")
    crm = _write_csv(files[0], _CRM, _CRM_KEYS, first)
    return DirtyCsvs(files, (crm, _write_csv(files[1], _NEWS, _NEWS_KEYS, last)))


def _everyone(source: Source, native: float) -> Source:
    return Source(
        name=f"{source.name}-csv",
        known=dict.fromkeys((stage for stage, _ in Mix().stages), 1.0),
        dirt=source.dirt,
        duplicates=0.08,
        full_name=source.full_name,
        native=native,
        work=0.3,
        country="local",
    )


def _export(rows: Iterable[RecordView], start: int, people: int) -> Iterator[RecordView]:
    """The rows of `people` people, from the one after the first `start`; later duplicates lie elsewhere."""
    late: list[RecordView] = []
    for row in rows:
        if start < int(row.person[2:]) <= start + people:
            if row.duplicate_of:
                late.append(row)
            else:
                yield row
    yield from late


def _write_csv(
    path: Path, header: Sequence[str], keys: Sequence[str], rows: Iterable[RecordView]
) -> tuple[str, ...]:
    people: list[str] = []
    with path.open("w", encoding="cp1251", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        for row in rows:
            writer.writerow([_cell(key, row.values.get(key)) for key in keys])
            people.append(row.person)
    return tuple(people)


def _cell(key: str, value: Any) -> str:
    if key == "birthday" and value:
        return date.fromisoformat(value).strftime("%d.%m.%Y")
    if key == "newsletter":
        return {"opted_in": "так", "opted_out": "ні"}.get(value, "")
    text = ", ".join(value) if isinstance(value, tuple) else str(value or "")
    return "".join(_encodable(char) for char in text)


def _encodable(char: str) -> str:
    try:
        char.encode("cp1251")
        return char
    except UnicodeEncodeError:
        return names.plain(char).encode("cp1251", "replace").decode("cp1251")
