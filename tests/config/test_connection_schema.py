"""An editor that has the schema of a connection's file refuses, for each connector, what `check` refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.config.hubs import change, example_hub, problems
from tests.shared import shared
from trueup.config.schema import schemas
from trueup.config.systems import registered_systems
from trueup.connectors.options import Option

ROOT = Path(__file__).parents[2]
SCHEMA: Any = schemas()["connection"]
VALUES: tuple[Any, ...] = (
    "", "name", "Hub_Id__c", "a b", "5m", 300, 67.0, "67.0", "true", "yes", ";", ";;", "tab",
    ["a", "b"], [], ["a", ""], {}, "contacts", "https://api.example.com", "external_id", None, "utf-8",
)  # fmt: skip


def refused(connector: str, **said: Any) -> bool:
    """Whether the schema refuses a connection of this connector that says this."""
    document = {"connector": connector, "role": "sales", **said}
    return not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def options() -> Iterator[tuple[str, str, str, Option]]:
    """Every option of every connector: (connector, where it stands, its name, the option)."""
    for name, system in registered_systems().items():
        yield from ((name, "connection", key, one) for key, one in system.options.items())
        yield from ((name, "object", key, one) for key, one in system.object_options.items())


@pytest.mark.parametrize("name", sorted(registered_systems()))
def test_an_option_that_the_connector_does_not_have_is_refused(name: str) -> None:
    assert not refused(name, options={})
    assert refused(name, options={"opton": "x"})
    object = next(iter(registered_systems()[name].objects), "people")
    assert not refused(name, objects={object: {"entity": "contact"}})
    assert refused(name, objects={object: {"entity": "contact", "options": {"opton": "x"}}})


@pytest.mark.parametrize(("name", "place", "key", "option"), list(options()))
def test_an_option_takes_what_check_takes(name: str, place: str, key: str, option: Option) -> None:
    for value in VALUES:
        if option.fits(value):
            assert not refused(name, **_said(name, place, key, value)), value
        elif not isinstance(value, (int, float)) and not (key == "encoding" and value):
            assert refused(name, **_said(name, place, key, value)), value


def _said(connector: str, place: str, key: str, value: Any) -> dict[str, Any]:
    """A connection, or an object that its system has, which says this option."""
    if place == "connection":
        return {"options": {key: value}}
    object = next(iter(registered_systems()[connector].objects), "people")
    return {"objects": {object: {"options": {key: value}}}}


@pytest.mark.parametrize(("name", "place", "key", "option"), list(options()))
def test_a_variable_may_stand_for_any_option(name: str, place: str, key: str, option: Option) -> None:
    assert not refused(name, **_said(name, place, key, "${env:SOMETHING}"))


@pytest.mark.parametrize("name", sorted(registered_systems()))
def test_the_ways_to_sign_in_and_their_keys_are_those_of_the_connector(name: str) -> None:
    system = registered_systems()[name]
    assert refused(name, auth={"kind": "magic"})
    assert refused(name, auth={"pasword": "${env:X}"})
    for way in system.auth:
        assert not refused(name, auth={"kind": way, **dict.fromkeys(system.settings, "${env:X}")})


def test_an_object_that_the_system_does_not_have_is_refused() -> None:
    assert refused("hubspot", objects={"contcts": {}})
    assert not refused("sql", objects={"anything": {"key": "id"}})


def test_keys_of_tables_are_for_tables() -> None:
    assert refused("hubspot", objects={"contacts": {"key": "id"}})
    assert refused("sql", objects={"people": {"delimiter": ";"}})
    assert not refused("csv", objects={"people": {"delimiter": ";"}})


def test_true_and_false_may_be_said_without_quotes() -> None:
    assert not refused("salesforce", options={"save_duplicates": True})
    assert refused("salesforce", options={"save_duplicates": 1})


def test_an_unknown_connector_is_refused() -> None:
    assert refused("hubspott")


def _fit(folder: Path) -> None:
    paths = sorted(folder.glob("connections/*.yaml"))
    assert paths
    for path in paths:
        jsonschema.validate(YAML(typ="safe", pure=True).load(path), SCHEMA)


def test_the_connections_of_the_demonstration_fit() -> None:
    _fit(ROOT / "config")


def test_the_connections_of_the_order_fit() -> None:
    _fit(shared("examples", "config"))


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("pasword: x", "auth: SQL has no setting `pasword`"),
        ("token: ${env:HUBSPOT_TOKEN}", "auth: SQL has no setting `token`"),
    ],
)
def test_check_refuses_keys_under_auth_that_code_does_not_read(tmp_path: Path, key: str, told: str) -> None:
    hub = example_hub(tmp_path)
    change(
        hub,
        "connections/shop.yaml",
        'auth: {kind: url, url: "${env:SHOP_DATABASE}"}',
        'auth:\n  kind: url\n  url: "${env:SHOP_DATABASE}"\n  ' + key,
    )
    (problem,) = problems(hub)
    assert (problem.message, problem.line, problem.column) == (told, 8, 3)
    assert problem.allowed == "kind, url"
