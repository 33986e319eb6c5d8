"""The default mapping against the connector: what it reads and what it writes."""

from __future__ import annotations

from typing import Any

from tests.connectors.zendesk.desk import Desk
from tests.connectors.zendesk.hub import Hub
from trueup.config.join import joined, object_rules
from trueup.config.systems import registered_systems
from trueup.connectors.registry import connector_kind
from trueup.mapping.apply import compile_mapping, observe
from trueup.mapping.compiled import ObjectMapping
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES
from trueup.model.record import Reading
from trueup.sync.facts import facts


def mapping(hub: Hub, object: str) -> ObjectMapping:
    rules = object_rules(object, joined(registered_systems()["zendesk"].mapping[object], None))
    assert rules.kind is not None
    specs = {field.name: field for field in hub.connector.fields(object)}
    locale = Locale(phone_region="DE", time_zone="UTC")
    return compile_mapping("support", rules, TABLES[rules.kind], locale, specs)


def observed(hub: Hub, object: str) -> Any:
    words = mapping(hub, object)
    remote = [binding.remote for binding in words.bindings]
    (record,) = hub.connector.pull(object, Reading.LISTING, None, remote).records
    return observe(words, record.values)


def test_the_default_mapping_has_no_problem() -> None:
    assert registered_systems()["zendesk"].problems == ()


def test_a_user_is_read_as_a_contact() -> None:
    desk = Desk()
    acme = int(desk.vendor.user_create_organization("Acme"))
    details: dict[str, Any] = {"phone": "030 111222", "organization_id": acme, "tags": ["vip"]}
    ann = desk.vendor.user_create("Ann Lee", "ann@example.com", **details)
    desk.vendor.user_edit(ann, email="ann@new.example")

    found = observed(Hub(desk), "users")

    assert found.rejected == {}
    assert {name: value for name, value in found.values.items() if value is not None} == {
        "email": "ann@new.example",
        "emails": ["ann@example.com", "ann@new.example"],
        "phone": "+4930111222",
        "first_name": "Ann",
        "last_name": "Lee",
        "company": str(acme),
        "tags": ["vip"],
        "created_at": "2026-03-02T09:00:00Z",
    }


def test_an_organization_is_read_as_a_company_and_its_domains_are_written_as_a_list() -> None:
    desk = Desk()
    desk.vendor.user_create_organization("Acme", domain_names=["acme.example"], tags=["vip"])
    hub = Hub(desk)

    found = observed(hub, "organizations")
    domains = next(one for one in mapping(hub, "organizations").bindings if one.remote == "domain_names")

    assert (found.values["name"], found.values["domains"]) == ("Acme", ["acme.example"])
    assert domains.write({"domains": ["a.example", "b.example"]}) == ["a.example", "b.example"]


def test_a_solved_ticket_is_a_closed_case_of_its_requester() -> None:
    desk = Desk()
    ann = desk.vendor.user_create("Ann")
    ticket = desk.vendor.user_create_ticket(ann, "Printer")
    desk.vendor.user_solve_ticket(ticket)
    desk.wait(60)
    rules = object_rules("tickets", registered_systems()["zendesk"].mapping["tickets"])
    remote = [rule.remote for rule in rules.fields] + ["requester_id"]

    page = Hub(desk, described=False).connector.pull("tickets", Reading.LISTING, None, remote)
    (fact,) = facts(rules, page.records)

    assert (fact.state, fact.subject, fact.subject_object) == ("closed", ann, "users")
    assert fact.values["closed_at"] == "2026-03-02T09:00:00Z"


def test_what_is_created_carries_the_hubs_id_where_the_vendor_looks_for_it() -> None:
    manifest = connector_kind("zendesk").manifest
    assert manifest is not None
    for object in ("users", "organizations"):
        option = registered_systems()["zendesk"].mapping[object].options["external_id_field"]
        assert option == manifest.objects[object].keys[0]
