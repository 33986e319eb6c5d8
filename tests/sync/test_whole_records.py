"""A first sight that is taken at once gives the plan that weighing every field by itself gives.

The long way is taken as soon as the entity has a second link; one in a system that is configured no more
changes nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from tests.demands.hubs import DOCUMENTED, OPT_OUT, Setting, policy_of
from tests.sync.small_hub import rules
from trueup.mapping.schema import Direction, FieldRule, ObjectRules
from trueup.model.entity import Entity, Link, LinkState, Reference
from trueup.model.fields import NAME_PARTS, TABLES, Kind, Strategy
from trueup.model.plan import Case, Context
from trueup.model.record import Ref
from trueup.sync.rules.backfill import Backfill, Way
from trueup.sync.rules.first_sight import first_sight
from trueup.sync.rules.policy import FieldPolicy, Policy
from trueup.sync.rules.reconcile import reconcile

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SOMETHING: Mapping[str, list[Any]] = {
    "email": ["ann@example.com", "ANN@Example.com", "no address", "test@test.com"],
    "phone": ["+493020000001", "030 20000002", "12"],
    "phones": [["+493020000001"], ["+493020000003", "+493020000001"]],
    "emails": [["b@example.com", "A@example.com"], ["ann@example.com"]],
    "tags": [["b", "a"], ["a"], "no list"],
    "company": ["17", "404"],
    "owner": ["5"],
    "stage": ["lead", "customer", "no stage"],
    "address.country": ["Germany", "DE", "Nowhere"],
    "website": ["example.com", "https://Example.com/a"],
    "birthday": ["1990-02-03", "soon"],
    "score": ["12", "many"],
    "created_at": ["2025-01-01T10:00:00Z", "once"],
    "company_name": ["Acme GmbH", "Other"],
    "language": ["de", "xx-nothing"],
}
FIELDS = (
    *("email", "phone", "first_name", "middle_name", "last_name", "job_title", "stage", "tags", "emails"),
    *("phones", "website", "company_name", "company", "owner", "address.street", "address.city", "score"),
    *("address.country", "birthday", "language", "source", "created_at", "salutation", "notes"),
)
SUBSCRIBED = {"status": "SUBSCRIBED", "at": "2026-01-01T00:00:00Z", "source": "form"}
REFERRED = {
    "co-1": Reference("co-1", {"name": "Acme"}, {("target", "companies"): "c1"}),
    "u-1": Reference("u-1", {"email": "owner@example.com"}, {}),
}
CONTEXT = Context(
    references=REFERRED,
    remote={Ref("source", "companies", "17"): "co-1", Ref("source", "users", "5"): "u-1"},
    companies={"Acme GmbH": "co-1"},
    released=frozenset({"source"}),
    gates_open=frozenset({("target", "people")}),
)


def some_policy(chance: Random) -> Policy:
    """Two systems with some of the fields, some directions, strategies and authorities."""
    odd = {name: chance.choice(list(Strategy)) for name in FIELDS if chance.random() < 0.1}
    mute = {name for name in FIELDS if chance.random() < 0.02}

    def judged(kind: Kind, name: str) -> FieldPolicy:
        strategy = odd.get(name, TABLES[kind][name].strategy)
        late = name == "job_title" and chance_of_stage
        ranked = ("target",) if name in mute else ("source", "target")
        return FieldPolicy(strategy, lambda stage: () if late and stage == "customer" else ranked)

    chance_of_stage = chance.random() < 0.5
    objects = [("source", some_rules(chance)), ("target", some_rules(chance))]
    return policy_of({}, Setting(objects=objects, create=("target",), judged=judged))


def some_rules(chance: Random) -> ObjectRules:
    fields = [some_rule(name, chance) for name in FIELDS if chance.random() < 0.7]
    if chance.random() < 0.3:
        fields.append(FieldRule("company.name", "company_text"))
    if chance.random() < 0.1:
        fields = [one for one in fields if one.field not in NAME_PARTS]
        fields.append(FieldRule("full_name", "whole_name"))
    consent = chance.choice([(), (), (), (OPT_OUT,), (DOCUMENTED,)])
    return replace(rules("people"), fields=tuple(fields), consent=consent)


def some_rule(name: str, chance: Random) -> FieldRule:
    direction = chance.choices(
        list(Direction), weights=[30 if one is Direction.BOTH else 1 for one in Direction]
    )
    to = {"company": "companies", "owner": "users"}.get(name)
    default = "?" if chance.random() < 0.05 and name not in ("tags", "emails", "phones") else None
    return FieldRule(name, name.replace(".", "_"), direction[0], to=to, default=default)


def some_case(policy: Policy, chance: Random, trouble: float) -> Case:
    """A new record of the first system; `trouble`: how often a field is missing or strange."""
    observed: dict[str, Any] = {}
    for binding in policy.mappings["source", "people"].bindings:
        if chance.random() >= trouble:
            known = SOMETHING.get(binding.fields[0], ["words", "N/A", " Other "])
            some = known if chance.random() < trouble else known[:1]
            observed[binding.remote] = None if chance.random() < 0.3 else chance.choice(some)
        if binding.consent:
            observed[binding.remote] = chance.choice([True, False, False, None, SUBSCRIBED])
    changed = chance.choice([None, datetime(2026, 4, 1, tzinfo=UTC)])
    link = Link(7, "source", "people", "r7", 3, Kind.CONTACT, rev=2, changed_at=changed, observed=observed)
    entity = Entity(3, Kind.CONTACT, 0, {}, {}, provisional=chance.random() < 0.1)
    asked = [Backfill("source", "people", chance.choice(FIELDS), way).reason for way in Way]
    reasons = (chance.choice(asked),) if chance.random() < 0.2 else ("identified",)
    return Case(entity, (link,), mark=11, reasons=reasons)


@pytest.mark.parametrize("seed", range(30))
def test_all_at_once_and_field_by_field_give_one_plan(seed: int) -> None:
    chance = Random(seed)
    for _ in range(8):
        policy = some_policy(chance)
        for _ in range(10):
            case = some_case(policy, chance, trouble=chance.choice([0.0, 0.02, 0.1]))
            former = Link(8, "former", "people", "x", 3, Kind.CONTACT, LinkState.DORMANT)
            long_way = replace(case, links=(*case.links, former))
            plan = reconcile(case, CONTEXT, policy, NOW)
            assert plan == reconcile(long_way, CONTEXT, policy, NOW)
            assert list(plan.changes) == list(reconcile(long_way, CONTEXT, policy, NOW).changes)


def test_the_comparison_is_of_both_ways() -> None:
    chance, ways = Random(0), Counter[bool]()
    for _ in range(100):
        policy = some_policy(chance)
        case = some_case(policy, chance, trouble=0.02)
        ways[first_sight(case, case.links[0], CONTEXT, policy, NOW) is not None] += 1
    assert min(ways[True], ways[False]) > 10


def test_an_ordinary_record_is_taken_at_once() -> None:
    policy = policy_of({}, Setting(objects=[("source", rules("people"))], order=("source",)))
    case = some_case(policy, Random(1), 0.0)
    observed = {"email": "ann@example.com"}
    link = replace(case.links[0], observed=observed)
    assert first_sight(case, link, CONTEXT, policy, NOW) is not None


def test_an_opt_out_is_weighed() -> None:
    one = replace(rules("people"), consent=(OPT_OUT,))
    policy = policy_of({}, Setting(objects=[("source", one)], order=("source",)))
    link = replace(some_case(policy, Random(1), 0.0).links[0], observed={"no_mail": True})
    assert first_sight(Case(Entity(3, Kind.CONTACT, 0, {}, {}), (link,)), link, CONTEXT, policy, NOW) is None
