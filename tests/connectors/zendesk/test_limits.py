"""Our own limit of calls a minute against the account's: a long work is slowed down by it, never ended."""

from __future__ import annotations

from tests.connectors.zendesk.desk import Desk
from tests.connectors.zendesk.hub import AUTH, FIELDS, DeskClock, create
from trueup.connectors.base import Done
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.services.budget import Allowance, TokenBudget


def test_a_thousand_creates_go_through_a_limit_of_four_hundred_calls_a_minute() -> None:
    desk = Desk()
    desk.vendor.per_minute = 400
    clock, begin = DeskClock(desk), desk.now
    budget = TokenBudget(clock, [Allowance("support", 400, 60.0)], patience=60.0)
    settings = ConnectionSettings("support", AUTH)
    support = connector_kind("zendesk").build(settings, desk.vendor.transport(), clock, budget)
    for start in range(0, 1000, 100):
        some = [create(f"k{n}", {"name": f"P{n}"}) for n in range(start, start + 100)]
        assert all(isinstance(one, Done) for one in support.write("users", some, FIELDS))
    assert (desk.now - begin).total_seconds() < 4 * 60


def test_a_process_that_starts_when_the_minute_is_nearly_used_up_waits_for_the_next() -> None:
    desk = Desk()
    desk.vendor.per_minute = 400
    for _ in range(397):
        desk.get("users")
    clock = DeskClock(desk)
    budget = TokenBudget(clock, [Allowance("support", 400, 60.0)], patience=60.0)
    support = connector_kind("zendesk").build(
        ConnectionSettings("support", AUTH), desk.vendor.transport(), clock, budget
    )
    some = [create(f"k{n}", {"name": f"P{n}"}) for n in range(20)]
    assert all(isinstance(one, Done) for one in support.write("users", some, FIELDS))
