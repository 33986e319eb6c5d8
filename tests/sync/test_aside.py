"""Values set aside: since when, until when, and that such a value never came there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import FieldRule
from trueup.model.canonical import Locale
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Entity, Link, Quarantine
from trueup.model.fields import CONTACT, Kind
from trueup.model.plan import Context
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Rejected, Value
from trueup.sync.rules.aside import (
    as_never_there,
    is_empty,
    refusal_ended,
    refused,
    set_aside,
    still_refused,
)
from trueup.sync.rules.evidence import Reading, readings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
MAPPING = compile_mapping("a", rules(fields=(FieldRule("job_title", "title"),)), CONTACT, Locale())
(TITLE,) = MAPPING.bindings
LINK = Link(1, "a", "people", "7", 1, Kind.CONTACT, fresh=False)
LONG, ODD = Rejected("too long", "TU-VAL-002"), Rejected("no title", "TU-VAL-001")


def beside(known: Quarantine) -> Link:
    return replace(LINK, quarantine={TITLE.key: known})


def test_what_is_set_aside_again_is_so_since_the_first_time_for_the_reason_of_today() -> None:
    first = set_aside(LINK, TITLE, "in", LONG, "x", NOW)
    assert (first.direction, first.reason, first.code, first.since) == ("in", "too long", "TU-VAL-002", NOW)
    reworded = Rejected("longer than 10", "TU-VAL-002")
    again = set_aside(beside(first), TITLE, "in", reworded, "x", LATER)
    assert (again.reason, again.since) == ("longer than 10", NOW)


@pytest.mark.parametrize(
    ("direction", "why", "value"),
    [("out", LONG, "x"), ("in", ODD, "x"), ("in", LONG, "y"), ("in", LONG, None)],
)
def test_another_value_way_or_kind_of_reason_is_set_aside_since_now(
    direction: str, why: Rejected, value: Json
) -> None:
    first = set_aside(LINK, TITLE, "in", LONG, "x", NOW)
    assert set_aside(beside(first), TITLE, direction, why, value, LATER).since == LATER


def test_a_value_that_is_not_said_and_an_empty_one_are_alike() -> None:
    first = set_aside(LINK, TITLE, "in", LONG, ABSENT, NOW)  # type: ignore[arg-type]
    assert set_aside(beside(first), TITLE, "in", LONG, None, LATER).since == NOW


def test_a_refusal_is_of_one_value_on_the_terms_on_which_it_was_written() -> None:
    short, wide, told_none = (replace(TITLE, terms=terms) for terms in ("max 10", "max 99", ""))
    link = beside(refused(short, "Boss", "BOSS", "no", "E1", NOW))
    assert still_refused(link, short, "Boss", "boss") == Quarantine(
        "out", "no", "E1", link.quarantine[TITLE.key].digest, NOW, "max 10"
    )
    others = (still_refused(link, short, "CTO", "BOSS"), still_refused(link, wide, "Boss", "BOSS"))
    assert others == (None, None)
    assert still_refused(link, told_none, "Boss", "BOSS") is not None
    ended = [refusal_ended(link, one, "Boss", "BOSS") for one in (short, wide, told_none)]
    assert ended == [False, True, False]
    assert not refusal_ended(link, wide, "CTO", "BOSS")
    never = (still_refused(LINK, short, "Boss", "BOSS"), refusal_ended(LINK, wide, "Boss", "BOSS"))
    assert never == (None, False)


def test_a_reference_is_refused_by_the_id_that_was_sent() -> None:
    """Another record stands for the same company one day: that was refused by nobody."""
    (owner,) = compile_mapping(
        "a", rules(fields=(FieldRule("owner", "boss", to="users"),)), CONTACT, Locale()
    ).bindings
    link = replace(LINK, quarantine={owner.key: refused(owner, "u-9", "77", "no", "E1", NOW)})
    assert still_refused(link, owner, "u-9", "77") is not None
    assert still_refused(link, owner, "u-9", "78") is None
    wide = replace(owner, terms="other")
    assert [refusal_ended(link, wide, "u-9", id) for id in ("77", "78")] == [True, False]


@pytest.mark.parametrize(
    ("hub", "empty"),
    [
        (None, True),
        ([], True),
        ([None, None], True),
        ([None, "x"], False),
        ("x", False),
        (["x"], False),
        ({}, False),
    ],
)
def test_nothing_an_empty_list_and_a_list_of_nothing_are_empty(hub: Value, empty: bool) -> None:
    assert is_empty(hub) is empty


def seen(link: Link, hub: Value, raw: Json | Absent = "CTO") -> Reading:
    observed = {} if isinstance(raw, Absent) else {"title": raw}
    entity = Entity(1, Kind.CONTACT, 1, {"job_title": hub}, {})
    (one,) = readings(replace(link, observed=observed), MAPPING, entity, Context())
    return as_never_there(one, hub)


def test_a_value_that_was_set_aside_on_its_way_there_never_came_there() -> None:
    out = beside(set_aside(LINK, TITLE, "out", LONG, "Boss", NOW))
    agreed = replace(out, agreed={TITLE.key: Agreed("Boss", "CTO")})
    assert seen(agreed, "Boss").agreed == Agreed(NEVER, "CTO")
    fresh = replace(out, fresh=True)
    assert seen(fresh, "Boss").agreed == Agreed(NEVER, "CTO")
    assert seen(fresh, "Boss", ABSENT).agreed == Agreed(NEVER, WAS_ABSENT)


def test_an_empty_value_one_that_came_in_or_moved_there_is_none() -> None:
    out = beside(set_aside(LINK, TITLE, "out", LONG, "Boss", NOW))
    agreed = replace(out, agreed={TITLE.key: Agreed("Boss", "CTO")})
    assert seen(agreed, None).agreed == Agreed("Boss", "CTO")
    assert seen(agreed, "Boss", "New").agreed == Agreed("Boss", "CTO")
    into = beside(set_aside(LINK, TITLE, "in", LONG, "Boss", NOW))
    assert seen(replace(into, agreed=agreed.agreed), "Boss").agreed == Agreed("Boss", "CTO")
    assert seen(replace(LINK, agreed=agreed.agreed), "Boss").agreed == Agreed("Boss", "CTO")
