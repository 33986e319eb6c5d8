"""The registry: a folder is a connector; settings are checked before anything is sent."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from tests.connectors.kit import HandClock, PlainBudget
from trueup.connectors.registry import ConnectionSettings, connector_kind, connectors
from trueup.errors import ConfigError, NotFound
from trueup.sandbox.standin import StandIn

REST = sorted(name for name, kind in connectors().items() if kind.manifest is not None)


def test_hubspot_is_found_by_its_folder() -> None:
    assert "hubspot" in connectors()


def test_an_unknown_connector_names_those_that_there_are() -> None:
    with pytest.raises(NotFound, match="hubspot"):
        connector_kind("hubspto")


@pytest.mark.parametrize("name", REST)
def test_a_manifest_bears_the_name_of_its_folder(name: str) -> None:
    manifest = connector_kind(name).manifest
    assert manifest is not None
    assert manifest.name == name


@pytest.mark.parametrize("name", REST)
def test_every_group_of_calls_has_a_limit(name: str) -> None:
    manifest = connector_kind(name).manifest
    assert manifest is not None
    text = manifest.model_dump_json()
    used = {part.split('"')[0] for part in text.split('"group":"')[1:]}
    assert used <= {limit.group for limit in manifest.limits}


@pytest.mark.parametrize("name", REST)
def test_a_stand_in_stands_beside_the_manifest(name: str) -> None:
    assert issubclass(connector_kind(name).vendor(), StandIn)


def test_connectors_are_found_without_loading_the_sandbox() -> None:
    code = (
        "import sys; from trueup.connectors.registry import connectors; "
        "[kind.manifest for kind in connectors().values()]; "
        "sys.exit(any(name.startswith('trueup.sandbox') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def build(auth: dict[str, str], **options: object) -> object:
    settings = ConnectionSettings("marketing", auth, options)
    transport = httpx.MockTransport(lambda request: pytest.fail("nothing may be sent"))
    return connector_kind("hubspot").build(settings, transport, HandClock(), PlainBudget())


def test_building_sends_nothing() -> None:
    build({"kind": "bearer", "token": "pat-eu1-x"})


def test_a_missing_setting_is_named_with_the_file_it_belongs_in() -> None:
    with pytest.raises(ConfigError) as caught:
        build({"kind": "refresh_token", "client_id": "x"})
    missing = [(problem.file, problem.message) for problem in caught.value.problems]
    assert missing == [
        ("connections/marketing.yaml", "`client_secret` is missing"),
        ("connections/marketing.yaml", "`refresh_token` is missing"),
    ]


def test_an_unknown_way_to_sign_in_is_refused() -> None:
    with pytest.raises(ConfigError, match="bearer, refresh_token"):
        build({"kind": "password", "token": "x"})


@pytest.mark.parametrize(
    "address", ["https://evil.example/x?", "http://api.hubapi.com", "https://a@b.example"]
)
def test_an_address_that_is_more_than_a_host_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build({"kind": "bearer", "token": "x"}, address=address)
    assert address not in str(caught.value)
