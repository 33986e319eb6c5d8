"""The default mapping of Salesforce fits the org, the manifest and the canonical fields."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.connectors.salesforce.org import Desk
from trueup.connectors.registry import connector_kind
from trueup.connectors.salesforce.vendor import Field
from trueup.model.fields import TABLES, Kind

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
