"""Sets through the form of a system that keeps their elements otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, hub_of, mapped, until_quiet
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import Capability
from trueup.mapping.schema import FieldRule, Shape

DESK = FieldRule("tags", "tags", shape=Shape.ELEMENTS, transform="tag")


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    """Sales writes tags as it likes; the desk keeps them in small letters, without blanks."""
    clock = Clock()
    systems = {"sales": Memory(clock), "desk": Memory(clock, capabilities=ALL | {Capability.ELEMENT_WRITES})}
    base = ("email", "first_name", "last_name")
    objects = [("sales", rules(fields=mapped(*base, "tags"))), ("desk", rules(fields=mapped(*base, DESK)))]
    made = hub_of(tmp_path, clock, systems, Setting(objects, create=("sales", "desk")))
    systems["sales"].add(**ann(tags=["Early Bird", "VIP"]))
    made.sync()
    made.release()
    until_quiet(made, clock)
    return made


def tags(hub: SmallHub) -> tuple[list[str], list[str]]:
    return sorted(hub.systems["sales"].values("1")["tags"]), sorted(hub.systems["desk"].values("1")["tags"])


def test_tags_are_kept_in_each_systems_own_form(hub: SmallHub) -> None:
    assert tags(hub) == (["Early Bird", "VIP"], ["early_bird", "vip"])


def test_a_tag_that_is_added_there_joins_and_the_others_keep_their_form(hub: SmallHub) -> None:
    hub.systems["desk"].edit("1", tags=["early_bird", "vip", "no_show"])
    until_quiet(hub, hub.systems["desk"].clock)
    assert tags(hub) == (["Early Bird", "VIP", "no_show"], ["early_bird", "no_show", "vip"])


def test_a_tag_that_is_seen_there_for_the_first_time_is_the_one_that_we_have(hub: SmallHub) -> None:
    clock = hub.systems["desk"].clock
    hub.systems["sales"].add(email="bo@example.com", first_name="Bo", last_name="Ek", tags=["Late Riser"])
    hub.sync(["sales"])
    hub.systems["desk"].put("9", email="bo@example.com", first_name="Bo", last_name="Ek", tags=["late_riser"])
    until_quiet(hub, clock)
    assert hub.contact("bo@example.com")["tags"] == ["Late Riser"]


def test_a_tag_that_is_removed_there_goes_everywhere(hub: SmallHub) -> None:
    hub.systems["desk"].edit("1", tags=["vip"])
    until_quiet(hub, hub.systems["desk"].clock)
    assert tags(hub) == (["VIP"], ["vip"])
