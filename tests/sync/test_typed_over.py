"""What a person types in the hub reaches a system whose own value nobody can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, aside, hub_of, public, told, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules

TYPED = "+447700900123"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(tmp_path: Path, clock: Clock) -> SmallHub:
    """`b` holds a number that is none; it was read, and set aside."""
    systems = {name: Memory(clock) for name in "ab"}
    one = rules(fields=("email", "first_name", "last_name", "phone"))
    hub = hub_of(tmp_path, clock, systems, Setting([("a", one), ("b", one)]))
    systems["a"].add(**ann())
    systems["b"].add(**ann(phone="12"))
    hub.sync()
    return hub


def type_in(hub: SmallHub, clock: Clock) -> None:
    clock.tick(60)
    hub.store.edit(public(hub, "ann@example.com"), {"phone": TYPED}, "eve", clock.now(), False)
    clock.tick(60)
    hub.sync()


def test_what_is_typed_after_a_value_was_set_aside_is_written_over_it(hub: SmallHub, clock: Clock) -> None:
    hub.release()
    type_in(hub, clock)
    assert [told(hub.systems[name], "phone") for name in "ab"] == [[TYPED], [TYPED]]
    until_quiet(hub, clock)
    assert not aside(hub)


def test_before_the_release_it_is_withheld_and_told_and_leaves_with_the_release(
    hub: SmallHub, clock: Clock
) -> None:
    type_in(hub, clock)
    (known,) = [one for one in hub.store.case(public(hub, "ann@example.com")).links if one.connection == "b"]
    assert told(hub.systems["b"], "phone") == ["12"]
    assert known.agreed["phone"].withheld and "phone" in known.quarantine
    hub.release()
    until_quiet(hub, clock)
    assert told(hub.systems["b"], "phone") == [TYPED]


def test_what_the_hub_holds_from_elsewhere_is_not_written_over_what_nobody_can_read(
    hub: SmallHub, clock: Clock
) -> None:
    hub.release()
    hub.systems["a"].edit("1", phone=TYPED)
    until_quiet(hub, clock)
    assert told(hub.systems["b"], "phone") == ["12"]
    assert "phone" in aside(hub, "b")


def test_what_somebody_put_there_after_the_typing_is_not_written_over(hub: SmallHub, clock: Clock) -> None:
    clock.tick(60)
    hub.store.edit(public(hub, "ann@example.com"), {"phone": TYPED}, "eve", clock.now(), False)
    clock.tick(60)
    hub.systems["b"].edit("1", phone="13")
    hub.release()
    until_quiet(hub, clock)
    assert told(hub.systems["b"], "phone") == ["13"]


def test_an_older_typing_is_not_written_over_what_became_unreadable_since(
    hub: SmallHub, clock: Clock
) -> None:
    hub.release()
    type_in(hub, clock)
    hub.systems["b"].edit("1", phone="14")
    until_quiet(hub, clock)
    assert told(hub.systems["b"], "phone") == ["14"]
    type_in(hub, clock)
    assert told(hub.systems["b"], "phone") == [TYPED]
