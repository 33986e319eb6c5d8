"""The default mapping of Salesforce fits the org, the manifest and the canonical fields."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.connectors.salesforce.org import Desk, create
from trueup.config.join import object_rules
from trueup.config.systems import read_mapping
from trueup.connectors.base import Done
from trueup.connectors.registry import connector_kind
from trueup.connectors.salesforce.vendor import Field
from trueup.mapping.apply import compile_mapping, observe, put
from trueup.mapping.compiled import ObjectMapping
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES, Kind
from trueup.model.record import Record
from trueup.model.values import Rejected

SALESFORCE = connector_kind("salesforce")
OBJECTS = ("Lead", "Contact", "Account", "Opportunity", "User", "Group")


@lru_cache(maxsize=1)
def mapping() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(SALESFORCE.mapping_file.read_text())
    return loaded["objects"]  # type: ignore[no-any-return]


def remote(rule: Any) -> str:
    return rule if isinstance(rule, str) else str(rule["field"])


def test_every_object_of_the_mapping_is_one_of_the_manifest_and_of_its_kind() -> None:
    manifest = SALESFORCE.manifest
    assert manifest is not None and tuple(mapping()) == OBJECTS
    assert {name: said["entity"] for name, said in mapping().items()} == {
        name: manifest.objects[name].kind for name in OBJECTS
    }


@pytest.mark.parametrize("object", OBJECTS)
def test_every_mapped_field_exists_in_a_plain_org_and_in_the_hub(object: str) -> None:
    desk = Desk(custom={})
    desk.org.add_field("Opportunity", Field("CurrencyIsoCode", "picklist", 3))  # where currencies are on
    known = {field.name: field for field in desk.connector().fields(object)}
    table = TABLES[Kind(mapping()[object]["entity"])]
    for canonical, rule in mapping()[object]["fields"].items():
        assert canonical in table
        assert remote(rule) in known
        writes = not isinstance(rule, dict) or rule.get("direction", "both") != "in"
        assert not writes or known[remote(rule)].writable, f"{canonical} writes what cannot be written"
    for rule in mapping()[object].get("consent", {}).values():
        assert known[rule["field"]].type == "bool"


@pytest.mark.parametrize("object", OBJECTS)
def test_every_reference_names_an_object_that_it_can_point_at(object: str) -> None:
    known = {field.name: field for field in Desk().connector().fields(object)}
    for rule in mapping()[object]["fields"].values():
        if isinstance(rule, dict) and "to" in rule:
            assert rule["to"] in known[rule["field"]].reference_to


@pytest.mark.parametrize("object", OBJECTS)
def test_no_two_rules_share_a_remote_field(object: str) -> None:
    said = mapping()[object]
    fields = [remote(rule) for rule in (*said["fields"].values(), *said.get("consent", {}).values())]
    assert len(fields) == len(set(fields))


def test_a_plain_org_without_currencies_still_lets_deals_in() -> None:
    desk = Desk(custom={})
    values = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-04-01"}
    deal = desk.org.user_create("Opportunity", values)
    fields = [remote(rule) for rule in mapping()["Opportunity"]["fields"].values()]
    (record,) = desk.connector().read("Opportunity", [deal], fields)
    assert set(fields) - set(getattr(record, "values", {})) == {"CurrencyIsoCode"}


PERSON: dict[str, Any] = {
    "email": "ann@example.com",
    "phone": "+41441234567",
    "phones.mobile": "+41791234567",
    "phones.fax": "+41441234568",
    "salutation": "Dr.",
    "first_name": "Ann",
    "middle_name": "B",
    "last_name": "O'Hara",
    "name_suffix": "Jr.",
    "job_title": "COO",
    "address.street": "Seeweg 1",
    "address.city": "Zürich",
    "address.region": "ZH",
    "address.postcode": "8001",
    "address.country": "CH",
    "source": "Web",
}
COMPANY: dict[str, Any] = {
    "name": "Meier KG",
    "phone": "+41441234567",
    "website": "https://meier.example",
    "industry": "Retail",
    "size": 12,
    "address.street": "Seeweg 1",
    "address.city": "Zürich",
    "address.country": "CH",
}
DEAL: dict[str, Any] = {
    "name": "Deal",
    "stage": "Prospecting",
    "amount": "1250.5",
    "probability": "10",
    "expected_close": "2026-04-01",
    "next_step": "Call",
}
WHOLE: dict[str, dict[str, Any]] = {
    "Lead": PERSON | {"company_name": "Meier KG", "website": "https://ann.example"},
    "Contact": PERSON
    | {"phones.home": "+41441234560", "phones.other": "+41441234569", "birthday": "1980-02-29"}
    | {"department": "Sales"},
    "Account": COMPANY,
    "Opportunity": DEAL,
}


def compiled(desk: Desk, object: str) -> ObjectMapping:
    """The default mapping as the hub uses it in this org."""
    said, problems = read_mapping(SALESFORCE.mapping_file, "salesforce/mapping.yaml")
    assert problems == ()
    specs = {field.name: field for field in desk.connector().fields(object)}
    rules = object_rules(object, said[object])
    assert rules.kind is not None
    return compile_mapping("sales", rules, TABLES[rules.kind], Locale(phone_region="CH"), specs)


def everything(fitted: ObjectMapping, values: dict[str, Any]) -> dict[str, Any]:
    """A new record that carries all of these values; references are remote ids already."""
    made: dict[str, Any] = {}
    for binding in fitted.bindings:
        if binding.outward and any(values.get(name) is not None for name in binding.fields):
            written = binding.write(values)
            assert not isinstance(written, Rejected), (binding.key, written)
            put(made, binding, written)
    return made


@pytest.mark.parametrize("object", list(WHOLE))
def test_a_whole_entity_is_written_and_read_back_as_it_was(object: str) -> None:
    desk = Desk(custom={})
    fitted, connector = compiled(desk, object), desk.connector()
    (done,) = connector.write(object, [create(**everything(fitted, WHOLE[object]))], ())
    assert isinstance(done, Done)
    (record,) = connector.read(object, [done.id], fitted.remote_fields)
    assert isinstance(record, Record)
    said = observe(fitted, record.values)
    assert said.rejected == {}
    assert {name: value for name, value in said.values.items() if name in WHOLE[object]} == WHOLE[object]


def test_an_opt_out_is_read_and_its_absence_says_nothing() -> None:
    desk = Desk()
    fitted, connector = compiled(desk, "Lead"), desk.connector()
    ids = [desk.lead(HasOptedOutOfEmail=out) for out in (True, False)]
    found = connector.read("Lead", ids, fitted.remote_fields)
    said = [observe(fitted, record.values).values for record in found if isinstance(record, Record)]
    assert [values["consent.email.marketing"] for values in said] == ["opted_out", "unknown"]
