"""What the answer to a write settles, and what in it is still somebody's edit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from trueup.model.delivery import Delivery, DeliveryState, Lane, Settlement, Write, WriteKind
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.record import Json, Record
from trueup.sync.rules.acknowledge import done

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def tagged(
    add: list[str],
    observed: list[str],
    base: Mapping[str, Json] | None = None,
    remove: list[str] | None = None,
) -> Delivery:
    """A write that changes single tags of a record last seen with `observed`."""
    values: dict[str, Json] = {"tags": {"+": add, "-": remove or []}}
    write = Write(7, "support", "users", WriteKind.UPDATE, Lane.URGENT, values, {"tags": add})
    link = Link(7, "support", "users", "9", 1, Kind.CONTACT, observed={"tags": observed}, base=base or {})
    return Delivery(1, write, link, 1, 1, DeliveryState.SENT, 1, NOW, 1, "v1", NOW)


def answered(delivery: Delivery, tags: list[str] | None) -> Settlement:
    record = None if tags is None else Record("9", {"tags": tags}, "2", NOW)
    return done(delivery, "9", record, 0.0, NOW)


def test_a_tag_that_somebody_added_meanwhile_is_news_and_not_agreed() -> None:
    settled = answered(tagged(["stop"], observed=[]), ["vip", "stop"])
    assert settled.observed == {"tags": ["stop"]}
    assert settled.said == {"tags": ["vip", "stop"]}


def test_a_tag_that_somebody_removed_meanwhile_is_news_and_not_agreed() -> None:
    settled = answered(tagged(["stop"], observed=["old"]), ["stop"])
    assert settled.observed == {"tags": ["old", "stop"]}
    assert settled.said == {"tags": ["stop"]}


def test_an_edit_that_was_read_and_not_judged_yet_stays_an_edit() -> None:
    delivery = tagged(["stop"], observed=["vip"], base={"tags": []})
    for settled in (answered(delivery, ["stop", "vip"]), answered(delivery, None)):
        assert settled.observed == {"tags": ["stop"]}
        assert sorted(settled.said["tags"]) == ["stop", "vip"]


def test_an_answer_in_another_order_is_no_news() -> None:
    settled = answered(tagged(["stop"], observed=["a", "b"], remove=["a"]), ["stop", "b"])
    assert settled.observed == {"tags": ["stop", "b"]}
    assert settled.said == {}


def test_a_tag_that_the_system_keeps_in_its_own_form_is_agreed_in_that_form() -> None:
    settled = answered(tagged(["Early Bird"], observed=["a"]), ["a", "early_bird"])
    assert settled.observed == {"tags": ["a", "early_bird"]}
    assert settled.said == {}


def test_what_a_write_took_the_place_of_is_named_in_the_form_that_the_system_gave_it() -> None:
    values: dict[str, Json] = {"title": "Head of sales"}
    before: dict[str, Json] = {"title": "Clerk in the office"}
    write = Write(7, "support", "users", WriteKind.UPDATE, Lane.NORMAL, values, values, replaced=before)
    link = Link(7, "support", "users", "9", 1, Kind.CONTACT, observed={"title": "Clerk in t"})
    settled = done(
        Delivery(1, write, link, 1, 1, DeliveryState.SENT, 1, NOW, 1, "v1", NOW), "9", None, 30.0, NOW
    )
    assert settled.assumed["title"]["was"] == "Clerk in t"
