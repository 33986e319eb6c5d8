"""HubSpot: the default mapping against what the connector reads."""

from __future__ import annotations

from typing import Any

from tests.connectors.hubspot.conftest import Desk
from trueup.config.join import joined, object_rules
from trueup.config.systems import registered_systems
from trueup.mapping.apply import compile_mapping, observe
from trueup.mapping.compiled import ObjectMapping
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES


def mapping(desk: Desk, object: str) -> ObjectMapping:
    rules = object_rules(object, joined(registered_systems()["hubspot"].mapping[object], None))
    assert rules.kind is not None
    specs = {field.name: field for field in desk.connector.fields(object)}
    locale = Locale(phone_region="DE", time_zone="UTC")
    return compile_mapping("marketing", rules, TABLES[rules.kind], locale, specs)


def observed(desk: Desk, object: str) -> dict[str, Any]:
    words = mapping(desk, object)
    (record,) = desk.listing(object, [binding.remote for binding in words.bindings])
    found = observe(words, record.values)
    assert found.rejected == {}
    return {name: value for name, value in found.values.items() if value is not None}


def test_the_default_mapping_has_no_problem() -> None:
    assert registered_systems()["hubspot"].problems == ()


def test_every_mapped_field_exists_in_a_new_portal(desk: Desk) -> None:
    for object in desk.connector.objects():
        known = {field.name for field in desk.connector.fields(object)}
        assert {binding.remote for binding in mapping(desk, object).bindings} <= known, object


def test_a_contact_is_read_with_its_company_and_owner(desk: Desk) -> None:
    owner = desk.portal.add_owner("rep@example.com")
    company = desk.portal.user_create("companies", {"name": "Acme"})
    id = desk.contact(
        email="ann@example.com",
        firstname="Ann",
        lastname="Lee",
        phone="030 111222",
        country="Germany",
        hubspot_owner_id=owner,
    )
    desk.portal.user_associate("contacts", id, "companies", company)
    assert observed(desk, "contacts") == {
        "email": "ann@example.com",
        "phone": "+4930111222",
        "first_name": "Ann",
        "last_name": "Lee",
        "company": company,
        "address.country": "DE",
        "owner": owner,
        "created_at": "2026-03-01T12:00:00Z",
    }


def test_a_deal_is_read_with_its_contacts(desk: Desk) -> None:
    contact = desk.contact(email="ann@example.com")
    deal = desk.portal.user_create(
        "deals", {"dealname": "Big", "amount": "100.50", "dealstage": "contractsent"}
    )
    desk.portal.user_associate("deals", deal, "contacts", contact)
    found = observed(desk, "deals")
    assert (found["name"], found["amount"], found["contacts"]) == ("Big", "100.5", [contact])
