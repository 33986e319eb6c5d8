"""What a new record carries: every field that has a value there, single elements in their lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, Direction, FieldRule, Shape
from trueup.model.canonical import Locale
from trueup.model.delivery import Write
from trueup.model.entity import Entity
from trueup.model.fields import CONTACT, Field, Kind
from trueup.model.plan import Context
from trueup.model.values import Type, Value
from trueup.sync.rules.creating import create_write, wanted_at
from trueup.sync.rules.policy import FieldPolicy, Policy

HERE = ("sales", "people")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def created(values: Mapping[str, Value], *fields: FieldRule, consent: tuple[ConsentRule, ...] = ()) -> Write:
    """The write that makes the record of a contact with these values."""
    said = rules(fields=fields, consent=consent)
    table = {**CONTACT, "vip": Field("vip", Type.BOOL)}
    policy = Policy(
        fields=lambda kind, name: FieldPolicy(table[name].strategy, lambda stage: ("sales",)),
        mappings={HERE: compile_mapping("sales", said, table, Locale())},
        rules={HERE: said},
        create={},
        config_version="v1",
    )
    contact: Any = Entity(1, Kind.CONTACT, 1, dict(values), {})
    return create_write(wanted_at(HERE, (), Kind.CONTACT), contact, Context(), policy, NOW)[0]


def test_it_carries_what_is_known_and_tells_what_could_not_be_written() -> None:
    write = created(
        {"email": "a@b.de", "stage": "customer", "source": "web"},
        FieldRule("email", "mail"),
        FieldRule("department", "dep"),
        FieldRule("stage", "status", values={"lead": ("lead",)}),
        FieldRule("source", "src", Direction.IN),
        FieldRule("last_name", "last", default="?"),
    )
    assert write.values == {"mail": "a@b.de", "last": "?"}
    assert list(write.aside) == ["status"]


def test_a_truth_value_is_one_element_beside_the_tags() -> None:
    rules = (FieldRule("vip", "tags#vip", shape=Shape.ELEMENT), FieldRule("tags", "tags"))
    assert created({"vip": True, "tags": ["b"]}, *rules).values == {"tags": ["vip", "b"]}
    assert created({"vip": False, "tags": ["b"]}, *rules).values == {"tags": ["b"]}


def test_the_tag_of_an_opt_out_is_in_the_list_too() -> None:
    rule = ConsentRule("email", "marketing", "tags", Shape.ELEMENT, "no_mail", "present")
    values = {"tags": ["a"], "consent.email.marketing": "opted_out"}
    assert created(values, FieldRule("tags", "tags"), consent=(rule,)).values == {"tags": ["a", "no_mail"]}
