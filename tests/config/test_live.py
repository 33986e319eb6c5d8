"""The mapping is compared with what the systems say of themselves, before anything is synced."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.config.hubs import change, example_hub, loaded
from tests.config.known_systems import SYSTEMS
from trueup.config.live import check_live
from trueup.connectors.base import ObjectSpec
from trueup.errors import ConnectorError, Problem, Unauthorized
from trueup.model.record import FieldSpec

GALLERY = Path(__file__).parent / "gallery"
SALES, HUB = "connections/sales.yaml", "hub.yaml"
_NOON = datetime(2026, 11, 21, 12, 2, tzinfo=UTC)  # 14:02 in Kyiv


def _pick(name: str, *words: str) -> FieldSpec:
    return FieldSpec(name, name, "choice", options={word: word for word in words})


_LEAD = [
    FieldSpec("Email", "Email", "email"),
    FieldSpec("FirstName", "First Name", "text", max_length=40),
    FieldSpec("LastName", "Last Name", "text", required=True, max_length=80),
    FieldSpec("Company", "Company", "text", required=True, max_length=255),
    FieldSpec("Phone", "Phone", "phone"),
    FieldSpec("Title", "Job Title", "text", max_length=128),
    FieldSpec("HasOptedOutOfEmail", "Email Opt Out", "bool"),
    FieldSpec("DoNotCall", "Do Not Call", "bool"),
    FieldSpec("Interests__c", "Interests", "multi_choice", options={"boats": "boats"}),
    FieldSpec("Score__c", "Score", "decimal"),
    FieldSpec("Active__c", "Active", "bool"),
    FieldSpec("Tier__c", "Tier", "text", max_length=20),
    FieldSpec("Partner__c", "Partner", "text", max_length=40),
    FieldSpec("Open_Tickets__c", "Open Tickets", "int"),
    _pick("Status", "Open - Not Contacted", "Working - Contacted", "Recycled", "Unqualified",
          "Closed - Not Converted",
          "Closed - Converted", "New", "Nurturing", "Dead", "Duplicate", "Spam", "Test",
          "On Hold"),
]  # fmt: skip


@dataclass
class Account:
    """A Salesforce account as far as its metadata goes."""

    specs: Mapping[str, FieldSpec] = field(default_factory=lambda: {spec.name: spec for spec in _LEAD})
    refuses: ConnectorError | None = None

    def whoami(self) -> str:
        if self.refuses is not None:
            raise self.refuses
        return "acme"

    id_field: str = ""

    def objects(self) -> Mapping[str, ObjectSpec]:
        return {"Lead": ObjectSpec("Lead", "contact", frozenset(), id_field=self.id_field)}

    def fields(self, object: str) -> Sequence[FieldSpec]:
        if object in ("Lead", "Contact"):
            return list(self.specs.values())
        return [FieldSpec("Name", "Name", "text"), FieldSpec("StageName", "Stage", "text")]


def _without(*names: str) -> Account:
    return Account({name: spec for name, spec in Account().specs.items() if name not in names})


def _with(name: str, /, **changed: object) -> Account:
    specs = dict(Account().specs)
    specs[name] = replace(specs[name], **changed)  # type: ignore[arg-type]
    return Account(specs)


def _found(hub: Path, account: Account | None = None) -> list[Problem]:
    return check_live(loaded(hub), {"sales": account or Account()}, _NOON, SYSTEMS)  # type: ignore[dict-item]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return example_hub(tmp_path)


def test_a_mapping_that_fits_has_no_problem(hub: Path) -> None:
    assert _found(hub) == []


def _kept(name: str, found: list[Problem]) -> None:
    told = "\n\n".join(map(str, found)) + "\n"
    path = GALLERY / f"live-{name}.txt"
    if os.environ.get("TRUEUP_GALLERY") == "write":
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


def test_a_word_that_is_not_in_the_picklist(hub: Path) -> None:
    change(hub, SALES, "recycled: [Recycled, Closed", "recycled: [Recyled, Closed")
    _kept("word-not-in-picklist", _found(hub))


def test_a_picklist_word_that_was_removed_there(hub: Path) -> None:
    words = {word: word for word in Account().specs["Status"].options if word != "Unqualified"}
    _kept("picklist-word-removed", _found(hub, _with("Status", options=words)))


def test_a_field_that_is_not_there(hub: Path) -> None:
    change(
        hub,
        SALES,
        "      score: {field: Score__c, direction: out",
        "      score: {field: Scor__c, direction: out",
    )
    _kept("field-not-there", _found(hub))


def test_a_label_in_place_of_the_fields_name(hub: Path) -> None:
    change(hub, SALES, "      interests: {field: Interests__c, transform: semicolon_list}",
           "      job_title: Job Title")  # fmt: skip
    _kept("label-for-remote-name", _found(hub))


def test_a_field_that_this_account_may_not_write(hub: Path) -> None:
    _kept("field-not-writable", _found(hub, _with("Score__c", writable=False)))


def test_a_consent_field_that_this_account_may_not_write(hub: Path) -> None:
    _kept("consent-not-writable", _found(hub, _with("DoNotCall", writable=False)))


def test_a_field_of_another_type(hub: Path) -> None:
    _kept("field-of-another-type", _found(hub, _with("Score__c", type="date")))


def test_a_field_that_is_shorter_than_ours(hub: Path) -> None:
    change(hub, SALES, "      interests: {field: Interests__c, transform: semicolon_list}",
           "      partner_name: Partner__c")  # fmt: skip
    _kept("field-too-short", _found(hub))


def test_a_required_field_that_nothing_is_mapped_to(hub: Path) -> None:
    region = FieldSpec("Region__c", "Region", "text", required=True)
    account = Account({**Account().specs, "Region__c": region})
    _kept("required-field-unmapped", _found(hub, account))


def test_a_key_that_nothing_keeps_unique(hub: Path) -> None:
    keyed = Account(id_field="Tier__c")
    _kept("key-not-unique", _found(hub, keyed))
    assert _found(hub, replace(_with("Tier__c", unique=True), id_field="Tier__c")) == []


def test_a_switch_that_is_not_there(hub: Path) -> None:
    _kept("deactivate-field-not-there", _found(hub, _without("Active__c")))


def test_an_account_that_refuses_to_answer(hub: Path) -> None:
    error = Unauthorized(
        "the token is not accepted", vendor_says="INVALID_SESSION_ID", remedy="have a new secret issued"
    )
    _kept("account-refuses", _found(hub, Account(refuses=error)))


def test_a_default_field_that_the_account_does_not_have_is_no_problem(hub: Path) -> None:
    assert _found(hub, _without("Phone")) == []


def test_a_connection_that_is_not_asked_is_not_judged(hub: Path) -> None:
    assert check_live(loaded(hub), {}, _NOON, SYSTEMS) == []
