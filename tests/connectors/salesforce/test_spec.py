"""A whole conversation with Salesforce, every request held against the vendor's own description."""

from __future__ import annotations

from tests.connectors.salesforce.org import Desk, create, pages, update
from tests.connectors.spec import SpecTransport
from tests.shared import shared
from trueup.connectors.base import Done, WriteItem
from trueup.model.delivery import WriteKind
from trueup.model.record import Reading

DESCRIPTION = ("specs", "salesforce", "salesforce-rest-postman-derived.openapi.json")
NEW = {"LastName": "Meier", "Company": "Meier KG"}


def test_every_request_is_one_that_the_vendor_describes() -> None:
    desk = Desk(page_cap=2)
    transport = SpecTransport(desk.org, shared(*DESCRIPTION))
    connector = desk.connector(transport, external_id_field="Hub_Id__c")
    connector.whoami()
    connector.fields("Lead")
    made = connector.write("Lead", [create(f"key-{number}", **NEW) for number in range(3)], ())
    ids = [outcome.id for outcome in made if isinstance(outcome, Done)]
    connector.write("Lead", [WriteItem("k", WriteKind.CREATE, None, NEW, upsert=("Hub_Id__c", "c-1"))], ())
    connector.write("Lead", [update(id, Title="COO") for id in ids], ())
    rest = pages(connector, "Lead", Reading.LISTING, None, ("LastName", "Owner.Email"))[-1].cursor
    connector.write("Lead", [WriteItem(id, WriteKind.DELETE, id, {}) for id in ids[:2]], ())
    pages(connector, "Lead", Reading.CHANGES, rest, ("LastName",))
    connector.read("Lead", ids, ("LastName",))
    connector.find("Lead", "LastName", ["Meier"], ("LastName",))
    connector.write("Task", [create(Subject="Call", WhoId=ids[2])], ())
    assert len(ids) == 3 and transport.checked >= 12
    assert transport.unknown == set()
