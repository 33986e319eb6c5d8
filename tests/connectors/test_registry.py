"""The registry: a folder is a connector; settings are checked before anything is sent."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import parse_qs

import httpx
import pytest
import yaml

from tests.connectors.kit import PlainBudget
from trueup.connectors.auth import Credential
from trueup.connectors.registry import ConnectionSettings, connector_kind, connectors
from trueup.errors import ConfigError, NotFound
from trueup.sandbox.standin import StandIn
from trueup.testing.acceptance.clock import HandClock

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


def test_the_lanes_of_an_account_share_a_refresh_token_that_rotates() -> None:
    live = ["r-one"]

    def serve(request: httpx.Request) -> httpx.Response:
        if "token" not in request.url.path:
            return httpx.Response(200, json={"records": [{"Id": "00D", "Name": "Acme"}], "done": True})
        if parse_qs(request.content.decode())["refresh_token"] != live:
            return httpx.Response(400, json={"error": "invalid_grant"})
        live[0] = "r-two"
        host = "https://acme.my.salesforce.com"
        return httpx.Response(200, json={"access_token": "t", "refresh_token": "r-two", "instance_url": host})

    auth = {"kind": "refresh_token", "domain": "acme.my.salesforce.com", "client_id": "cccc",
            "client_secret": "ssss", "refresh_token": "r-one"}  # fmt: skip
    held: dict[str, Credential] = {}
    for lane in ("normal", "urgent"):
        settings = ConnectionSettings("sales", auth, lane=lane)
        connector = connector_kind("salesforce").build(
            settings, httpx.MockTransport(serve), HandClock(), PlainBudget(), held
        )
        assert "Acme" in connector.whoami()
    assert "r-two" in held["sales"].secrets(), "what has to be masked has changed too"


@pytest.mark.parametrize("name", sorted(connectors()))
def test_every_option_of_a_default_mapping_is_declared_and_of_its_form(name: str) -> None:
    kind = connector_kind(name)
    mapping = yaml.safe_load(kind.mapping_file.read_text()) if kind.mapping_file.exists() else {"objects": {}}
    said = [option for words in mapping["objects"].values() for option in words.get("options", {}).items()]
    assert all(kind.object_options[option].fits(value) for option, value in said)


@pytest.mark.parametrize("name", sorted(connectors()))
def test_every_option_says_in_words_what_form_it_takes(name: str) -> None:
    kind = connector_kind(name)
    assert all(option.form for option in (*kind.options.values(), *kind.object_options.values()))


@pytest.mark.parametrize(
    ("connector", "option", "fitting", "wrong"),
    [
        (
            "csv",
            "encoding",
            ["auto", "utf-16", "windows-1251"],
            ["utf8x", "base64", "undefined", "a\0b", None],
        ),
        ("csv", "delimiter", ["auto", "tab", ";", "\t"], [";;", '"', "", 1]),
        ("csv", "columns", ["email", ["id", "email"]], [[], {}, [["id"]], True]),
        ("sql", "lookback", ["5m", "300", 300], ["five", "-1", [300], True]),
        ("salesforce", "save_duplicates", [True, "false"], ["maybe", None]),
        ("tryton", "lookback", [0, 2.5], ["soon", True]),
    ],
)
def test_an_option_takes_its_form_only(
    connector: str, option: str, fitting: list[object], wrong: list[object]
) -> None:
    kind = connector_kind(connector)
    declared = {**kind.object_options, **kind.options}[option]
    assert [value for value in fitting if not declared.fits(value)] == []
    assert [value for value in wrong if declared.fits(value)] == []
