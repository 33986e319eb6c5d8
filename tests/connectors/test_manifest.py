"""The manifest: strict, closed, and explained where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.connectors.test_rest import MANIFEST, PEOPLE
from trueup.connectors.fill import fill, fill_path
from trueup.connectors.manifest import Manifest, load_manifest
from trueup.connectors.paths import ABSENT, path
from trueup.errors import ConfigError


def with_people(**changes: Any) -> dict[str, Any]:
    return {**MANIFEST, "objects": {"people": {**PEOPLE, **changes}}}


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({**MANIFEST, "retries": 3}, "retries"),
        (with_people(listing={**PEOPLE["listing"], "paging": {"kind": "magic"}}), "paging"),
        (with_people(listing={**PEOPLE["listing"], "records": "people["}), "JMESPath"),
        (with_people(listing={**PEOPLE["listing"], "request": {"path": "/{nobody}"}}), "nobody"),
        (with_people(capabilities=["telepathy"]), "capabilities"),
        (with_people(read={}), "`one` or `many`"),
        (with_people(write={"update": {**PEOPLE["write"]["update"], "results": None}}), "results"),
        ({**MANIFEST, "errors": {"rules": [{"kind": "refused", "text": "("}]}}, "regular expression"),
        ({**MANIFEST, "timeout": "30"}, "timeout"),
    ],
)
def test_what_is_wrong_is_named(document: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Manifest.model_validate(document)
    assert word in str(caught.value)


def test_all_problems_of_a_file_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text("name: toy\ntitle: 7\nbase_url: https://x.example\nauth: []\nobjects: {}\nspeed: 3\n")
    with pytest.raises(ConfigError) as caught:
        load_manifest(file)
    assert {"title", "whoami", "speed"} <= {
        problem.message.split(":")[0] for problem in caught.value.problems
    }


def test_a_file_that_is_no_yaml_is_a_config_error(tmp_path: Path) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text("name: [toy")
    with pytest.raises(ConfigError):
        load_manifest(file)


def test_a_value_is_put_in_as_it_is_where_it_stands_alone() -> None:
    values = {"ids": ["1", "2"], "n": 5}
    assert fill({"a": "{ids}", "b": "{n}", "c": "n={n} ids={ids}"}, values) == {
        "a": ["1", "2"],
        "b": 5,
        "c": "n=5 ids=1,2",
    }


def test_entries_without_a_value_are_left_out_and_lists_are_spread() -> None:
    assert fill({"a": "{x}", "b": ["{x}", "id", "{ids}"]}, {"ids": ["1"]}) == {"b": ["id", "1"]}
    assert fill("{x}", {}) is ABSENT


def test_a_starred_entry_is_spread_into_its_object() -> None:
    assert fill({"type": "x", "*": "{values}"}, {"values": {"a": 1}}) == {"type": "x", "a": 1}


def test_quoting_escapes_what_would_end_the_quotation() -> None:
    query = "SELECT Id FROM Contact WHERE Email IN ({values})"
    assert fill(query, {"values": ["o'neil", "a\\"]}, "single").endswith(r"IN ('o\'neil','a\\')")
    assert fill("email:{value}", {"value": 'a"b'}, "double") == r'email:"a\"b"'


def test_values_are_never_read_as_templates_again() -> None:
    assert fill({"a": "{value}", "b": "x {value}"}, {"value": "{token}", "token": "secret"}) == {
        "a": "{token}",
        "b": "x {token}",
    }


@pytest.mark.parametrize("id", ["../x", "a/b", "..", ".", "a?b", "a#b", "ä", "%2F"])
def test_a_value_in_an_address_stays_one_segment(id: str) -> None:
    filled = fill_path("/x/{id}/y", {"id": id})
    assert filled.count("/") == 3
    assert not {"?", "#"} & set(filled)
    assert "/../" not in filled
    assert "/./" not in filled


@pytest.mark.parametrize("id", ["", None])
def test_an_address_without_its_value_is_no_address(id: str | None) -> None:
    with pytest.raises(KeyError):
        fill_path("/x/{id}", {"id": id})


def test_a_path_finds_nothing_in_the_wrong_type() -> None:
    assert path("a.b")({"a": [1]}) is None
    assert path("a.b")(None) is None
    assert path("sort(a)")({"a": [1, "x"]}) is None
    assert path("")({"a": 1}) is None
