"""`check` tries every mapping on sample values, and refuses one that would see its own writes as edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.config.hubs import ENVIRONMENT, change, example_hub, loaded, problems
from tests.config.known_systems import SYSTEMS
from trueup.config import examine
from trueup.config.systems import parse_mapping
from trueup.errors import Problem
from trueup.mapping import transforms
from trueup.mapping.steps import Step
from trueup.mapping.transforms import Entry
from trueup.model.record import Json
from trueup.model.values import Type

SALES = "connections/sales.yaml"
BEFORE = "      score: {field: Score__c,"

Register = Callable[[Step, Step], None]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return example_hub(tmp_path)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Register:
    """A transform `odd` of two steps, for texts and addresses, in the registry while the test lasts."""

    def register(read: Step, write: Step) -> None:
        entry = Entry(
            "odd", frozenset({Type.TEXT, Type.EMAIL}), lambda _arguments, _locale, _type: (read, write)
        )
        monkeypatch.setitem(transforms.TRANSFORMS, "odd", entry)  # type: ignore[arg-type]

    return register


def _told(hub: Path, line: str) -> Problem:
    """The one problem of the example hub with this line among the fields of Lead."""
    change(hub, SALES, BEFORE, f"      {line}\n{BEFORE}")
    (problem,) = problems(hub)
    return problem


def _same(raw: Json) -> Json:
    return raw


def test_a_mapping_that_keeps_the_laws_is_no_problem(hub: Path, registered: Register) -> None:
    registered(_same, _same)
    change(hub, SALES, BEFORE, f"      job_title: {{field: Title, transform: odd}}\n{BEFORE}")
    loaded(hub)


def test_a_value_that_changes_with_every_write_is_told_at_its_line(hub: Path, registered: Register) -> None:
    registered(_same, lambda value: f"{value}!")
    problem = _told(hub, "job_title: {field: Title, transform: odd}")
    assert (problem.file, problem.line, problem.column) == ("config/connections/sales.yaml", 35, 7)
    assert problem.code == "TU-CFG-037"
    assert "what the hub would write to `Title` changes each time" in problem.message
    assert problem.remedy.startswith("change or remove `transform` of this line")


def test_a_step_that_raises_is_told_without_the_value_that_it_met(hub: Path, registered: Register) -> None:
    def raises(value: Json) -> Json:
        raise KeyError(f"canary {value}")

    registered(_same, raises)
    problem = _told(hub, "job_title: {field: Title, transform: odd}")
    assert "some values of `Title` cannot be worked with at all: KeyError" in problem.message
    assert "canary" not in str(problem)


def test_what_is_only_written_has_to_be_readable_too(hub: Path) -> None:
    cut = "address.country: {field: Country, transform: country_name, max_length: 8, too_long: truncate"
    problem = _told(hub, f"{cut}, direction: out}}")
    assert "what the hub would write to `Country` cannot be read back" in problem.message


def test_a_computed_field_is_not_advised_to_be_read(hub: Path, registered: Register) -> None:
    registered(_same, lambda value: f"{value}!")
    problem = _told(hub, "owner.email: {field: Rep__c, transform: odd, direction: out}")
    assert problem.remedy == "change or remove `transform` of this line"


def test_what_is_only_read_may_be_cut_there(hub: Path) -> None:
    cut = "address.country: {field: Country, transform: country_name, max_length: 8, too_long: truncate"
    change(hub, SALES, BEFORE, f"      {cut}, direction: in}}\n{BEFORE}")
    loaded(hub)


def test_a_default_mapping_that_breaks_a_law_is_shown_at_the_connectors_name(
    hub: Path, registered: Register
) -> None:
    registered(_same, lambda value: f"{value}!")
    mapping = "objects: {Contact: {entity: contact, fields: {job_title: {field: Title, transform: odd}}}}"
    said, _ = parse_mapping(mapping, "connectors/salesforce/mapping.yaml")
    systems = {**SYSTEMS, "salesforce": replace(SYSTEMS["salesforce"], mapping=said)}
    change(hub, SALES, "  Opportunity: {entity: deal, direction: in}\n", "")
    (problem,) = examine(hub, ENVIRONMENT, systems)[1]
    assert (problem.file, problem.line) == ("config/connections/sales.yaml", 2)
    assert problem.message.startswith("mapping: the default mapping of Contact: what the hub would write")
    assert "`without: [job_title]`" in problem.remedy
