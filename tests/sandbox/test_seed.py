"""Filling: what stands in the stand-ins, the shop's database and the CSV files afterwards."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.sandbox.dirt import RecordView, views
from trueup.sandbox.dirty_csvs import dirty_csvs
from trueup.sandbox.filling import Filled
from trueup.sandbox.people import INTERESTS, generate
from trueup.sandbox.seed import ENVIRONMENT, example_sandbox, fill, fill_sandbox
from trueup.sandbox.server import Maker, Sandbox, SandboxClock
from trueup.sandbox.shop import fill_shop
from trueup.sandbox.standin import StandIn

NOW = datetime(2026, 3, 2, tzinfo=UTC)
MAKERS: dict[str, Maker] = {
    "marketing": HubSpotStandIn,
    "sales": SalesforceStandIn,
    "support": ZendeskStandIn,
}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[RecordView]]:
    return views(generate(5, 1500))


@pytest.fixture(scope="module")
def marketing(rows: dict[str, list[RecordView]]) -> tuple[HubSpotStandIn, Filled]:
    portal = HubSpotStandIn(lambda: NOW)
    return portal, fill(portal, rows["marketing"])


@pytest.fixture(scope="module")
def sales(rows: dict[str, list[RecordView]]) -> tuple[SalesforceStandIn, Filled]:
    org = SalesforceStandIn(lambda: NOW)
    return org, fill(org, rows["sales"])


@pytest.fixture(scope="module")
def support(rows: dict[str, list[RecordView]]) -> tuple[ZendeskStandIn, Filled]:
    account = ZendeskStandIn(lambda: NOW)
    return account, fill(account, rows["support"])


@pytest.fixture(scope="module")
def shop(rows: dict[str, list[RecordView]], tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    url = f"sqlite:///{tmp_path_factory.mktemp('shop') / 'shop.db'}"
    fill_shop(url, rows["shop"])
    return sa.create_engine(url, poolclass=sa.NullPool)


def _all(engine: sa.Engine, query: str) -> list[sa.Row]:  # type: ignore[type-arg]
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query)))


# -- HubSpot ---------------------------------------------------------------------------------------


def test_every_row_of_marketing_is_a_contact_or_told_why_not(
    rows: dict[str, list[RecordView]], marketing: tuple[HubSpotStandIn, Filled]
) -> None:
    portal, filled = marketing
    assert set(filled.records) | set(filled.left_out) == {row.key for row in rows["marketing"]}
    assert len(filled.left_out) < 0.01 * len(rows["marketing"])
    for _, id in filled.records.values():
        kept = portal.portal.find("contacts", id)
        assert kept is not None
        assert {"email", "firstname", "lastname"} & set(kept.properties)


def test_contacts_have_the_stages_that_the_example_maps(
    rows: dict[str, list[RecordView]], marketing: tuple[HubSpotStandIn, Filled]
) -> None:
    portal, filled = marketing
    stages = {row.key: row.values["stage"] for row in rows["marketing"]}
    for key, (_, id) in filled.records.items():
        kept = portal.portal.find("contacts", id)
        assert kept is not None
        if stages[key] == "mql":
            assert kept.properties["lifecyclestage"] == "marketingqualifiedlead"
        if stages[key] == "former":
            assert kept.properties["lifecyclestage"] == "other"


def test_the_portal_has_the_properties_and_the_subscription_that_the_example_names(
    marketing: tuple[HubSpotStandIn, Filled],
) -> None:
    portal = marketing[0].portal
    wanted = {
        "partner_name", "current_offer", "interests", "customer_tier", "hub_score", "rep_email",
        "resting_until",
    }  # fmt: skip
    assert wanted <= set(portal.definitions["contacts"])
    assert portal.definitions["contacts"]["interests"].options == INTERESTS
    assert list(portal.subscriptions.values()) == ["Newsletter"]


def test_newsletter_consent_is_kept_by_address(
    rows: dict[str, list[RecordView]], marketing: tuple[HubSpotStandIn, Filled]
) -> None:
    portal, filled = marketing
    told = {"opted_in": "SUBSCRIBED", "opted_out": "UNSUBSCRIBED", "unknown": "NOT_SPECIFIED"}
    newsletter = next(iter(portal.portal.subscriptions))
    seen: Counter[str] = Counter()
    for row in rows["marketing"]:
        kept = portal.portal.find("contacts", filled.records.get(row.key, ("", ""))[1])
        if kept is not None and kept.properties.get("email"):
            status = portal.portal.consent(kept.properties["email"], newsletter).status
            assert status == told[row.values["newsletter"]]
            seen[status] += 1
    assert len(seen) == 3


def test_contacts_of_one_domain_share_the_company(marketing: tuple[HubSpotStandIn, Filled]) -> None:
    portal = marketing[0].portal
    domains = Counter(row.properties["domain"] for row in portal.rows["companies"].values())
    assert set(domains.values()) == {1}
    staff = [portal.linked("companies", "contacts", id) for id in portal.rows["companies"]]
    assert max(len(people) for people in staff) > 1


# -- Salesforce ------------------------------------------------------------------------------------


def test_every_row_of_sales_is_a_lead_or_a_contact(
    rows: dict[str, list[RecordView]], sales: tuple[SalesforceStandIn, Filled]
) -> None:
    org, filled = sales
    assert filled.left_out == {}
    assert set(filled.records) == {row.key for row in rows["sales"]}
    for object, id in filled.records.values():
        assert org.org.get(object, id)["LastName"]


def test_people_with_a_deal_are_contacts_with_an_account_and_others_leads(
    rows: dict[str, list[RecordView]], sales: tuple[SalesforceStandIn, Filled]
) -> None:
    org, filled = sales
    for row in rows["sales"]:
        object, id = filled.records[row.key]
        with_deal = row.values["stage"] in ("opportunity", "customer", "former")
        assert object == ("Contact" if with_deal else "Lead")
        if with_deal and "company_domain" in row.values and "company" in row.values:
            assert org.org.get("Account", org.org.get(object, id)["AccountId"])["Name"]


def test_leads_have_the_statuses_that_the_example_maps(sales: tuple[SalesforceStandIn, Filled]) -> None:
    org, _ = sales
    statuses = {row["Status"] for row in org.org.living("Lead")}
    assert statuses == {
        "Open - Not Contacted", "Working - Contacted", "Recycled", "Unqualified", "Closed - Converted",
    }  # fmt: skip


def test_there_are_open_and_won_deals_and_each_has_a_contact(sales: tuple[SalesforceStandIn, Filled]) -> None:
    org, _ = sales
    deals = {row["Id"]: row["StageName"] for row in org.org.living("Opportunity")}
    roles = Counter(row["OpportunityId"] for row in org.org.living("OpportunityContactRole"))
    assert {"Proposal/Price Quote", "Closed Won"} == set(deals.values())
    assert set(roles) == set(deals)


def test_some_contacts_come_from_a_converted_lead(sales: tuple[SalesforceStandIn, Filled]) -> None:
    org, _ = sales
    converted = [row for row in org.org.living("Lead") if row["IsConverted"]]
    assert converted
    assert all(org.org.get("Contact", row["ConvertedContactId"]) for row in converted)


def test_opt_outs_stand_in_sales(
    rows: dict[str, list[RecordView]], sales: tuple[SalesforceStandIn, Filled]
) -> None:
    org, filled = sales
    for row in rows["sales"]:
        kept = org.org.get(*filled.records[row.key])
        assert kept["HasOptedOutOfEmail"] == (row.values["newsletter"] == "opted_out")


# -- Zendesk ---------------------------------------------------------------------------------------


def test_every_row_of_support_is_a_user_or_told_why_not(
    rows: dict[str, list[RecordView]], support: tuple[ZendeskStandIn, Filled]
) -> None:
    account, filled = support
    assert set(filled.records) | set(filled.left_out) == {row.key for row in rows["support"]}
    assert len(filled.left_out) < 0.01 * len(rows["support"])
    assert all(account.user(id)["name"] for _, id in filled.records.values())


def test_users_carry_stage_contract_and_the_tag_of_opt_outs(
    rows: dict[str, list[RecordView]], support: tuple[ZendeskStandIn, Filled]
) -> None:
    account, filled = support
    for row in rows["support"]:
        if row.key not in filled.records:
            continue
        kept = account.user(filled.records[row.key][1])
        assert kept["user_fields"]["stage"] == row.values["stage"]
        assert kept["user_fields"]["contract_number"] == row.values.get("contract_number")
        assert ("no_marketing" in kept["tags"]) == (row.values["newsletter"] == "opted_out")


def test_nobody_gets_a_verification_mail_by_being_seeded(support: tuple[ZendeskStandIn, Filled]) -> None:
    assert support[0].mails == []


def test_users_have_organizations_and_tickets(support: tuple[ZendeskStandIn, Filled]) -> None:
    account, filled = support
    places = [account.user(id)["organization_id"] for _, id in filled.records.values()]
    effects = Counter(effect.object for effect in account.ledger.writes("import"))
    assert sum(place is not None for place in places) > 0.3 * len(places)
    assert effects["tickets"] > 0


@pytest.mark.parametrize(("name", "kind"), MAKERS.items())
def test_seeding_is_no_call_and_nothing_that_the_api_did(
    kind: Maker, name: str, rows: dict[str, list[RecordView]]
) -> None:
    standin = kind(lambda: NOW)
    before = len(standin.ledger.effects)
    fill(standin, rows[name][:50])
    assert standin.ledger.calls() == 0
    assert {effect.by for effect in standin.ledger.effects[before:]} == {"import"}


def test_filling_twice_from_the_same_rows_gives_the_same_ledger(rows: dict[str, list[RecordView]]) -> None:
    first, second = SalesforceStandIn(lambda: NOW), SalesforceStandIn(lambda: NOW)
    fill(first, rows["sales"][:200])
    fill(second, rows["sales"][:200])
    assert first.ledger == second.ledger


def test_a_stand_in_that_nobody_taught_us_is_an_error() -> None:
    with pytest.raises(TypeError, match="StandIn"):
        fill(StandIn(), [])


# -- the shop --------------------------------------------------------------------------------------


def test_every_row_of_the_shop_is_a_customer(rows: dict[str, list[RecordView]], shop: sa.Engine) -> None:
    held = _all(shop, "select name, email, no_mail from customers order by customer_id")
    expected = [
        (row.values.get("full_name"), row.values.get("email"), row.values["newsletter"] == "opted_out")
        for row in rows["shop"]
    ]
    assert [(name, email, bool(no_mail)) for name, email, no_mail in held] == expected


def test_customers_have_paid_lately_former_ones_long_ago_and_others_never(
    rows: dict[str, list[RecordView]], shop: sa.Engine
) -> None:
    paid = "select customer_id, max(ordered_at) from orders where status in ('paid', 'shipped') group by 1"
    last = {row[0]: row[1] for row in _all(shop, paid)}
    for number, row in enumerate(rows["shop"], start=1):
        match row.values["stage"]:
            case "customer":
                assert last[number] > "2025-03-02"
            case "former":
                assert last[number] < "2025-03-02"
            case _:
                assert number not in last


def test_orders_and_subscriptions_hold_only_states_that_the_example_maps(shop: sa.Engine) -> None:
    orders = {status for (status,) in _all(shop, "select distinct status from orders")}
    subscriptions = {status for (status,) in _all(shop, "select distinct status from subscriptions")}
    assert orders == {"new", "packed", "paid", "shipped", "refunded", "cancelled"}
    assert "active" in subscriptions


def test_nothing_in_the_shop_lies_in_the_future(shop: sa.Engine) -> None:
    for table in ("customers", "orders", "subscriptions"):
        assert _all(shop, f"select max(updated_at) from {table}")[0][0] <= "2026-03-02 00:00:00.000000"


def test_a_shop_that_has_customers_is_left_as_it_is(
    shop: sa.Engine, rows: dict[str, list[RecordView]]
) -> None:
    before = _all(shop, "select count(*) from orders")
    with pytest.raises(sa.exc.IntegrityError):
        fill_shop(shop.url, rows["shop"][:10])
    assert _all(shop, "select count(*) from orders") == before


# -- the sandbox as a whole ------------------------------------------------------------------------


def test_a_sandbox_is_filled_with_records_older_than_every_lag(tmp_path: Path) -> None:
    sandbox = Sandbox(MAKERS, SandboxClock(NOW))
    filled = fill_sandbox(sandbox, f"sqlite:///{tmp_path / 'shop.db'}", 4, 300)
    assert set(filled) == {"marketing", "sales", "support", "shop"}
    assert sandbox.clock.now() == NOW
    for standin in sandbox.standins.values():
        seeded = standin.ledger.writes("import")
        assert seeded
        assert all(effect.at <= NOW - timedelta(days=1) for effect in seeded)


def test_the_example_sandbox_lets_the_example_hub_in(tmp_path: Path) -> None:
    known = ENVIRONMENT
    with example_sandbox() as running:
        fill_sandbox(running, f"sqlite:///{tmp_path / 'shop.db'}", 4, 60)
        key = {"Authorization": f"Bearer {known['HUBSPOT_TOKEN']}"}
        contacts = httpx.get(f"{running.urls['marketing']}/crm/v3/objects/contacts", headers=key)
        client = {
            "grant_type": "client_credentials",
            "client_id": known["SALESFORCE_CLIENT_ID"],
            "client_secret": known["SALESFORCE_CLIENT_SECRET"],
        }
        token = httpx.post(f"{running.urls['sales']}/services/oauth2/token", data=client)
        login = (f"{known['ZENDESK_USER']}/token", known["ZENDESK_TOKEN"])
        users = httpx.get(f"{running.urls['support']}/api/v2/users", auth=login)
    assert contacts.json()["results"]
    assert token.json()["instance_url"].startswith("http://127.0.0.1:")
    assert users.json()["users"]


# -- CSV files -------------------------------------------------------------------------------------


def _read(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text("cp1251").splitlines(), delimiter=";"))


def test_two_files_are_written_in_windows_1251_with_semicolons(tmp_path: Path) -> None:
    made = dirty_csvs(1, 200, tmp_path)
    for path, truth in zip(made.files, made.people, strict=True):
        lines = _read(path)
        assert len({len(line) for line in lines}) == 1
        assert len(lines) == len(truth) + 1
        with pytest.raises(UnicodeDecodeError):
            path.read_text("utf-8")


def test_each_file_knows_that_many_people_some_of_them_twice(tmp_path: Path) -> None:
    for truth in dirty_csvs(1, 400, tmp_path).people:
        assert len(set(truth)) == 400
        assert 0.04 < len(truth) / 400 - 1 < 0.13


def test_half_of_the_people_are_in_both_files(tmp_path: Path) -> None:
    first, second = dirty_csvs(1, 400, tmp_path).people
    assert len(set(first) & set(second)) == 200


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    one, two = dirty_csvs(3, 100, tmp_path / "one"), dirty_csvs(3, 100, tmp_path / "two")
    for first, second in zip(one.files, two.files, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert one.people == two.people


def test_dates_are_written_as_people_there_do(tmp_path: Path) -> None:
    lines = _read(dirty_csvs(1, 100, tmp_path).files[0])
    written = {line[-1] for line in lines[1:]} - {""}
    assert all(datetime.strptime(one, "%d.%m.%Y") for one in written)


def test_the_interests_of_people_are_options_in_sales(sales: tuple[SalesforceStandIn, Filled]) -> None:
    for object in ("Lead", "Contact"):
        assert sales[0].org.types[object].fields["Interests__c"].options == INTERESTS
