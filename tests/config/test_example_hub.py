"""The seven example files load unchanged, into what they say."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.config.hubs import EXAMPLE, example_hub, loaded, problems
from tests.shared import shared
from trueup.config import HubConfig, SandboxEnvironment, load
from trueup.config.env import Secret
from trueup.config.lifecycle_settings import Acceptance, Action, Limit, Points, Summary
from trueup.config.schema import schemas, write_schemas
from trueup.config.settings import AutoLink, Fuse, Review
from trueup.config.vocabulary import FirstLoad, FuseKind, Role, ScorePolicy, Since, Take
from trueup.mapping.schema import ConsentRule, Direction, FieldRule, Publish, Shape, Unmapped
from trueup.model.fields import Kind
from trueup.model.values import Type


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> HubConfig:
    return loaded(example_hub(tmp_path_factory.mktemp("hub")))


def _rule(config: HubConfig, connection: str, object: str, field: str) -> FieldRule:
    return next(rule for rule in config.connections[connection].objects[object].fields if rule.field == field)


def test_the_examples_hold_no_mistake(tmp_path: Path) -> None:
    assert problems(example_hub(tmp_path)) == ()


def test_the_examples_load_with_the_connectors_that_are_installed() -> None:
    assert set(load(EXAMPLE, SandboxEnvironment({})).connections) == {"marketing", "sales", "shop", "support"}


def test_the_examples_are_the_ones_that_were_agreed() -> None:
    agreed = shared("examples", "config")
    for path in sorted(agreed.rglob("*.yaml")):
        assert (EXAMPLE / path.relative_to(agreed)).read_bytes() == path.read_bytes()


def test_hub_settings_are_typed(config: HubConfig) -> None:
    hub = config.hub
    assert (hub.name, hub.time_zone, hub.phone_region) == ("acme", "Europe/Kyiv", "UA")
    assert (hub.database, hub.broker, hub.first_load) == (None, None, FirstLoad.FILL)
    assert hub.fuses[FuseKind.CREATE] == Fuse(2000)
    assert hub.fuses[FuseKind.CHANGE] == Fuse(5000, 0.2)
    assert hub.alerts.send_to == Secret("ops@example.com")
    assert hub.alerts.opt_out_later_than == 900.0


def test_custom_fields_stand_beside_the_built_in_ones(config: HubConfig) -> None:
    tier = config.fields[Kind.CONTACT]["tier"]
    assert (tier.type, tier.options, tier.custom) == (Type.CHOICE, ("standard", "gold"), True)
    assert config.fields[Kind.CONTACT]["contract_number"].confined_to == ("operations",)


def test_stages_of_the_life_cycle_are_the_options_of_the_stage(config: HubConfig) -> None:
    assert config.fields[Kind.CONTACT]["stage"].options == (
        "name", "lead", "mql", "sal", "sql", "opportunity", "customer", "recycled", "disqualified", "former",
    )  # fmt: skip


def test_stages_hold_control_actions_and_ways_back(config: HubConfig) -> None:
    mql, recycled = config.lifecycle.stages["mql"], config.lifecycle.stages["recycled"]
    assert mql.control == "sales"
    assert mql.enter == (Action("handoff", "sales"),)
    assert mql.accept == Acceptance("sal", 172800.0, "recycled")
    assert (recycled.off_ramp, recycled.score, recycled.may_return_after) == (
        True,
        ScorePolicy.HALVE,
        2592000.0,
    )


def test_transitions_and_summaries_are_typed(config: HubConfig) -> None:
    first, *_, last = config.lifecycle.transitions
    assert (first.to, first.from_, first.when) == (
        ("customer",),
        (),
        "paid_orders > 0 || active_subscriptions > 0",
    )
    assert (last.to, last.from_) == (("lead",), ("name", "recycled", "former"))
    by_sales = config.lifecycle.transitions[4]
    assert (by_sales.by, by_sales.reason_required, by_sales.reason) == ("sales", True, "")
    assert config.lifecycle.summaries["paid_orders"] == Summary(
        "order", Take.COUNT, 'state == "paid"', since=Since.STAGE_CYCLE, origin="config/lifecycle.yaml:27"
    )


def test_scoring_and_contact_pressure_are_typed(config: HubConfig) -> None:
    life = config.lifecycle
    assert life.scoring.points["email_opened"] == Points(10, at_most=Limit(3, 604800.0))
    assert life.scoring.points["complaint"] == Points(-50)
    assert life.scoring.bands["hot"].enter == (
        Action("task", "", {"subject": "{full_name} is hot", "due": 86400.0}),
    )
    assert life.contact_pressure.at_most is not None
    assert life.contact_pressure.at_most.limits == {"total": 4, "email": 3, "phone": 1}
    assert life.segments["seaside"] == '"beach" in tags && !("investor" in tags)'


def test_dedupe_is_typed(config: HubConfig) -> None:
    assert config.dedupe.auto_link == AutoLink(0.995, 500)
    assert config.dedupe.review == Review(0.5, 172800.0)
    assert config.dedupe.never_identifies.emails == ("info@*", "office@*", "noreply@*")


def test_a_connection_is_typed_and_its_secrets_are_covered(config: HubConfig) -> None:
    sales = config.connections["sales"]
    assert (sales.connector, sales.role) == ("salesforce", Role.SALES)
    assert (sales.schedule.every, sales.budget.calls_per_day, sales.budget.reserve) == (300.0, 40000, 0.1)
    assert (sales.owners.match_by, sales.owners.fallback) == ("email", "Inbound queue")
    assert (sales.time_zone, sales.phone_region, sales.guard_age) == ("Europe/Kyiv", "UA", 30.0)
    assert sales.auth.settings["domain"] == "acme.my.salesforce.com"
    assert sales.settings().auth["client_secret"] == "salesforce-secret-value"
    assert "salesforce-secret-value" not in repr(config)


def test_an_object_holds_the_files_rules_over_the_default_mapping(config: HubConfig) -> None:
    lead = config.connections["sales"].objects["Lead"]
    assert [rule.field for rule in lead.fields] == [
        "stage", "email", "first_name", "last_name", "phone", "company.name", "interests", "score",
    ]  # fmt: skip
    assert _rule(config, "sales", "Lead", "email").origin == "default"
    assert _rule(config, "sales", "Lead", "company.name").default == "Private person"
    assert lead.create == 'stage in ["mql", "sal", "sql"]'
    assert (lead.deactivate, lead.reactivate) == ({"Active__c": False}, {"Active__c": True})
    assert lead.handoff["task"] == {"subject": "Call {full_name}", "due": 86400.0}


def test_a_value_map_keeps_lists_and_what_is_not_listed(config: HubConfig) -> None:
    stage = _rule(config, "sales", "Lead", "stage")
    assert stage.values is not None
    assert stage.values["recycled"] == ("Recycled", "Closed - Not Converted")
    assert (stage.remote, stage.unmapped) == ("Status", Unmapped.LEAVE)
    assert _rule(config, "marketing", "contacts", "stage").unmapped is Unmapped.ERROR


def test_fields_keep_direction_throttle_and_policies(config: HubConfig) -> None:
    assert _rule(config, "sales", "Lead", "score").publish == Publish(86400.0)
    assert _rule(config, "sales", "Lead", "score").direction is Direction.OUT
    assert _rule(config, "marketing", "contacts", "interests").unmapped is Unmapped.CREATE
    assert _rule(config, "shop", "orders", "state").values == {
        "open": ("new", "packed"),
        "paid": ("paid", "shipped"),
        "refunded": ("refunded",),
        "cancelled": ("cancelled",),
    }  # fmt: skip


def test_an_objects_direction_holds_for_its_default_rules(config: HubConfig) -> None:
    deal = config.connections["sales"].objects["Opportunity"]
    assert {(rule.field, rule.direction) for rule in deal.fields} == {
        ("name", Direction.IN), ("stage", Direction.IN),
    }  # fmt: skip


def test_consent_says_where_it_is_and_what_means_opted_out(config: HubConfig) -> None:
    def rule(connection: str, object: str) -> ConsentRule:
        return config.connections[connection].objects[object].consent[0]

    support, marketing = rule("support", "users"), rule("marketing", "contacts")
    assert (support.shape, support.remote, support.element, support.opted_out) == (
        Shape.ELEMENT, "tags", "no_marketing", "present",
    )  # fmt: skip
    assert (marketing.remote, marketing.evidence) == ("subscription.Newsletter", ("time", "source"))
    assert rule("shop", "customers").opted_out is True


def test_cases_and_tables_are_handed_to_the_connector(config: HubConfig) -> None:
    orders = config.connections["shop"].objects["orders"]
    assert (orders.kind, orders.case, orders.contact) == (None, "order", "customer_id")
    assert config.connections["shop"].settings().objects["orders"] == {
        "key": "order_id", "changed_at": ["updated_at"], "case": "order", "contact": "customer_id",
    }  # fmt: skip


def test_the_examples_fit_the_schemas_for_editors() -> None:
    known = schemas()
    names = {"hub": "hub", "lifecycle": "lifecycle", "dedupe": "dedupe"}
    for path in sorted(EXAMPLE.rglob("*.yaml")):
        content = YAML(typ="safe", pure=True).load(path)
        jsonschema.validate(content, known[names.get(path.stem, "connection")])


def test_a_schema_refuses_a_misspelt_key() -> None:
    with pytest.raises(jsonschema.ValidationError, match="fuse"):
        jsonschema.validate({"name": "acme", "fuse": {}}, schemas()["hub"])


def test_the_schemas_that_are_kept_are_the_ones_that_are_made(tmp_path: Path) -> None:
    kept = Path(__file__).parents[2] / "schema"
    for path in write_schemas(tmp_path):
        assert (kept / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
