"""A create that was decided and never left: whether it is still wanted is asked again at every decision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import Always, Said, SmallHub, small_hub, with_policy
from trueup.model.delivery import DeliveryState
from trueup.model.entity import LinkState
from trueup.model.fields import Kind


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    """A source that is read and a target that contacts are created in."""
    clock = Clock()
    return small_hub(tmp_path, clock, {"source": Memory(clock), "target": Memory(clock)}, create=("target",))


def ann(**more: object) -> dict[str, object]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


def later(hub: SmallHub, seconds: float = 60, approve: bool = True) -> None:
    hub.systems["source"].clock.tick(seconds)
    hub.sync(approve=approve)


def wanted(hub: SmallHub) -> int:
    return sum(n for (_, _, state), n in hub.store.count_links().items() if state == LinkState.WANTED)


def with_create(hub: SmallHub, condition: object) -> None:
    conditions = {} if condition is None else {("target", "people"): condition}
    with_policy(hub, replace(hub.parts.policy, create=conditions, config_version=repr(condition)))  # type: ignore[arg-type]


def test_somebody_who_appears_there_before_the_create_is_allowed_is_not_made_again(hub: SmallHub) -> None:
    hub.systems["source"].add(**ann())
    hub.sync(approve=False)
    hub.systems["target"].add(**ann())
    later(hub)
    assert len(hub.systems["target"].living()) == 1
    assert wanted(hub) == 0


def test_somebody_who_appears_there_while_a_create_is_tried_again_is_not_made_again(hub: SmallHub) -> None:
    hub.parts = replace(hub.parts, timing=replace(hub.parts.timing, patience=0.0))
    hub.systems["source"].add(**ann())
    hub.systems["target"].locked = lambda item: True
    hub.sync()
    hub.systems["target"].locked = lambda item: False
    hub.systems["target"].add(**ann())
    later(hub, 600)
    assert len(hub.systems["target"].living()) == 1


def test_nobody_is_made_once_the_rule_that_asked_for_it_is_gone_and_again_when_it_is_back(
    hub: SmallHub,
) -> None:
    hub.systems["source"].add(**ann())
    hub.sync(approve=False)
    with_create(hub, None)
    later(hub)
    assert (len(hub.systems["target"].living()), wanted(hub)) == (0, 0)
    with_create(hub, Always())
    later(hub)
    assert len(hub.systems["target"].living()) == 1


def test_nobody_is_made_who_does_not_meet_the_rule_any_more(hub: SmallHub) -> None:
    class Consultants:
        def met(self, values: dict[str, object], now: object) -> Said:
            return Said(values.get("job_title") == "Consultant", "not a consultant")

        def next_change(self, values: object, now: object) -> None:
            return None

    with_create(hub, Consultants())
    hub.systems["source"].add(**ann(job_title="Consultant"))
    hub.sync(approve=False)
    assert wanted(hub) == 1
    hub.systems["source"].edit("1", job_title="Gardener")
    later(hub)
    assert (len(hub.systems["target"].living()), wanted(hub)) == (0, 0)


def test_a_create_that_still_waits_carries_what_is_known_when_it_leaves(hub: SmallHub) -> None:
    hub.systems["source"].add(**ann(job_title="CTO"))
    hub.sync(approve=False)
    hub.systems["source"].edit("1", job_title="COO")
    later(hub)
    assert [one["job_title"] for one in hub.systems["target"].living().values()] == ["COO"]


def test_a_create_whose_answer_was_lost_is_not_called_off(tmp_path: Path) -> None:
    clock = Clock()
    systems = {"source": Memory(clock), "target": Memory(clock, lag=300.0)}
    hub = small_hub(tmp_path, clock, systems, create=("target",))
    hub.systems["target"].loses = lambda item: True
    hub.systems["source"].add(**ann())
    hub.sync()
    with_create(hub, None)
    later(hub)
    assert [one.state for one in hub.store.deliveries([*DeliveryState], None, 9)] == [DeliveryState.DOUBT]
    later(hub, 600)
    (name,) = hub.store.find(Kind.CONTACT, "ann@example.com", 9)
    assert {link.connection: link.state for link in hub.store.case(name).links} == {
        "source": LinkState.LIVE,
        "target": LinkState.LIVE,
    }
