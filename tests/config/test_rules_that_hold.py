"""Who may decide, what is kept of the default mapping, and what the version names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.hubs import change, example_hub, loaded, problems
from trueup.config.inactive import inactive_lines
from trueup.config.vocabulary import CONTROL, Edits, OnClash
from trueup.mapping.schema import Direction
from trueup.model.fields import Kind, Strategy
from trueup.sync.rules.decide_values import RULE as ORIGIN_RULE
from trueup.sync.rules.verdict import HUB as ORIGIN_HUB

SALES, MARKETING, HUB = "connections/sales.yaml", "connections/marketing.yaml", "hub.yaml"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return example_hub(tmp_path)


# -- names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [ORIGIN_HUB, ORIGIN_RULE, CONTROL, "default", "any"])
def test_no_connection_has_a_word_for_its_name_that_stands_for_another_origin_of_values(
    hub: Path, name: str
) -> None:
    (hub / "connections/sales.yaml").rename(hub / f"connections/{name}.yaml")
    told = [one for one in problems(hub) if one.file.endswith(f"connections/{name}.yaml")]
    assert [(one.message, one.remedy) for one in told if one.code == "TU-CFG-040"] == [
        (f"a connection may not be called `{name}`: the word means something else", "rename the file")
    ]


@pytest.mark.parametrize("name", ["2crm", "my crm", "crm.old"])
def test_a_connection_is_named_with_letters_digits_and_hyphens(hub: Path, name: str) -> None:
    (hub / "connections/sales.yaml").rename(hub / f"connections/{name}.yaml")
    assert f"`{name}` is no name for a connection" in [one.message for one in problems(hub)]


# -- authority ----------------------------------------------------------------------------------------


def test_control_means_the_role_that_leads_in_the_stage(hub: Path) -> None:
    config = loaded(hub)
    assert config.authority("email", "name") == ("marketing", "sales", "shop", "support")
    assert config.authority("email", "mql") == ("sales", "shop", "support", "marketing")
    assert config.authority("email", "customer") == ("shop", "support", "sales", "marketing")


def test_without_a_stage_nobody_is_in_control(hub: Path) -> None:
    assert loaded(hub).authority("email", None) == ("sales", "shop", "support", "marketing")


def test_a_part_of_a_group_is_decided_by_the_groups_rule(hub: Path) -> None:
    config = loaded(hub)
    assert config.authority("address.city", "mql") == ("shop", "support", "sales")
    assert config.policy("address.city").group == "address"


def test_connections_of_one_role_are_in_the_order_of_the_hub(hub: Path) -> None:
    change(hub, HUB, "name: acme\n", "name: acme\nconnections: [support, shop]\n")
    assert loaded(hub).authority("address.city", "mql") == ("support", "shop", "sales")


def test_a_list_may_name_a_single_connection(hub: Path) -> None:
    change(hub, HUB, "birthday: {strategy: most_complete}", "birthday: {authority: [support], edits: ranked}")
    config = loaded(hub)
    assert config.authority("birthday", "mql") == ("support",)
    assert config.policy("birthday").edits is Edits.RANKED


def test_a_set_keeps_its_union_under_a_default_strategy(hub: Path) -> None:
    change(hub, HUB, "default: {authority:", "default: {strategy: latest, on_clash: remove, authority:")
    config = loaded(hub)
    assert config.policy("last_name").strategy is Strategy.LATEST
    assert config.policy("tags").strategy is Strategy.UNION
    assert config.policy("tags").on_clash is OnClash.REMOVE


def test_a_confined_field_may_go_only_to_the_roles_that_it_names(hub: Path) -> None:
    config = loaded(hub)
    assert [config.confined("contract_number", name) for name in config.connections] == [
        True,
        True,
        False,
        False,
    ]
    assert not config.confined("email", "sales")


def test_companies_and_deals_have_rules_of_their_own(hub: Path) -> None:
    change(hub, HUB, "contact:\n", "company:\n  survivorship: {name: {authority: [operations]}}\ncontact:\n")
    config = loaded(hub)
    assert config.authority("name", None, Kind.COMPANY) == ("shop", "support")
    assert config.authority("domain", None, Kind.COMPANY) == ("sales", "shop", "support", "marketing")


# -- the default mapping ------------------------------------------------------------------------------


def _fields(hub: Path, connection: str, object: str) -> dict[str, str]:
    return {rule.field: rule.remote for rule in loaded(hub).connections[connection].objects[object].fields}


def test_without_keeps_a_default_field_away_by_our_name_or_theirs(hub: Path) -> None:
    assert set(_fields(hub, "marketing", "contacts")) & {"website", "phones.fax"} == set()
    change(hub, MARKETING, "without: [fax, website]", "without: [website]")
    assert "phones.fax" in _fields(hub, "marketing", "contacts")


def test_a_default_rule_yields_where_the_file_maps_the_remote_field(hub: Path) -> None:
    fields = _fields(hub, "sales", "Lead")
    assert fields["company.name"] == "Company"
    assert "company_name" not in fields


def test_a_default_object_is_active_until_it_is_off(hub: Path) -> None:
    assert "Account" in loaded(hub).connections["sales"].objects
    change(hub, SALES, "  Opportunity: {", "  Account: off\n  Opportunity: {")
    assert "Account" not in loaded(hub).connections["sales"].objects


def test_an_objects_direction_out_leaves_nothing_that_comes_in(hub: Path) -> None:
    change(hub, SALES, "Opportunity: {entity: deal, direction: in}", "Opportunity: {direction: out}")
    rules = loaded(hub).connections["sales"].objects["Opportunity"].fields
    assert {rule.direction for rule in rules} == {Direction.OUT}


def test_a_connection_may_say_its_own_zone_region_and_first_load(hub: Path) -> None:
    change(hub, SALES, "role: sales\n", "role: sales\ntime_zone: America/New_York\nfirst_load: authority\n")
    sales = loaded(hub).connections["sales"]
    assert (sales.time_zone, sales.phone_region, sales.first_load) == ("America/New_York", "UA", "authority")


# -- the version --------------------------------------------------------------------------------------


def test_comments_blanks_and_quotes_leave_the_version_alone(hub: Path) -> None:
    before = loaded(hub).version
    change(hub, HUB, "name: acme", "name:   'acme'   # ours\n\n")
    assert loaded(hub).version == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (HUB, "share: 20%", "share: 21%"),
        (SALES, "mql: Open - Not Contacted", "mql: Open"),
        ("lifecycle.yaml", "score >= 80", "score >= 81"),
        (MARKETING, "every: 5m", "every: 6m"),
    ],
)
def test_a_changed_value_changes_the_version(hub: Path, file: str, old: str, new: str) -> None:
    before = loaded(hub).version
    change(hub, file, old, new)
    assert loaded(hub).version != before


def test_examples_are_not_in_the_version(hub: Path) -> None:
    before = loaded(hub).version
    change(
        hub,
        "examples.yaml",
        "",
        "- {name: a, given: {sales: {Lead: {Email: a@b.c}}}, expect: {stage: name}}\n",
    )
    assert loaded(hub).version == before


# -- what waits ---------------------------------------------------------------------------------------


def test_lines_that_nothing_acts_on_yet_are_named_with_their_place(hub: Path) -> None:
    found = {(line.file, line.what) for line in inactive_lines(loaded(hub))}
    assert ("config/lifecycle.yaml", "transitions") in found
    assert ("config/connections/sales.yaml", "objects.Lead.handoff") in found
    assert not any("create" in what for _, what in found)


def test_an_inactive_line_says_what_happens_instead(hub: Path) -> None:
    line = next(one for one in inactive_lines(loaded(hub)) if one.what == "scoring")
    assert str(line) == "config/lifecycle.yaml:36  `scoring`: facts are not counted yet"
