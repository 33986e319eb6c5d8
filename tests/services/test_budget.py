"""The embedded budget: limits of a group, limits of the whole account, and what a system says is left."""

from __future__ import annotations

import pytest

from trueup.services.budget import ACCOUNT, Allowance, TokenBudget
from trueup.testing.acceptance.clock import HandClock


def budget(clock: HandClock, *allowances: Allowance) -> TokenBudget:
    return TokenBudget(clock, allowances, reserve=0.0)


def calls_until_refused(one: TokenBudget, group: str) -> int:
    """How many calls may go at once."""
    return next(number for number in range(1000) if one.ask("crm", group, "normal", 1.0) > 0)


def test_a_limit_of_the_account_counts_the_calls_of_every_group() -> None:
    one = budget(HandClock(), Allowance("crm", 100, 10), Allowance("crm", 100, 1, "search"),
                 Allowance("crm", 30, 86_400, ACCOUNT))  # fmt: skip
    assert [one.ask("crm", group, "normal", 1.0) for group in ["search", "default"] * 10] == [0.0] * 20
    assert calls_until_refused(one, "search") == 10


def test_what_is_left_of_the_day_lowers_the_day_and_not_the_seconds() -> None:
    clock = HandClock()
    one = budget(clock, Allowance("crm", 50, 10), Allowance("crm", 1000, 86_400, ACCOUNT))
    one.learn("crm", ACCOUNT, 70.0, None)
    assert calls_until_refused(one, "default") == 50
    clock.advance(10)
    assert calls_until_refused(one, "default") == 20


def test_what_is_left_of_the_seconds_does_not_lower_the_day() -> None:
    clock = HandClock()
    one = budget(clock, Allowance("crm", 50, 10), Allowance("crm", 1000, 86_400, ACCOUNT))
    one.learn("crm", "default", 0.0, 10.0)
    assert calls_until_refused(one, "default") == 0
    clock.advance(10)
    assert calls_until_refused(one, "default") == 50


def test_a_used_up_minute_gives_its_next_call_within_the_minute() -> None:
    one = TokenBudget(HandClock(), [Allowance("crm", 400, 60)])
    one.learn("crm", "default", 0.0, None)
    assert one.ask("crm", "default", "normal", 1.0) == pytest.approx(41 * 60 / 400)


def test_a_used_up_day_is_not_given_out_call_by_call() -> None:
    clock = HandClock()
    one = budget(clock, Allowance("crm", 100_000, 86_400, ACCOUNT))
    one.learn("crm", ACCOUNT, 0.0, None)
    assert one.ask("crm", "default", "normal", 1.0) == 3600
    clock.advance(3600)
    assert [one.ask("crm", "default", "normal", 1.0) for _ in range(4000)] == [0.0] * 4000


def test_nothing_goes_out_before_the_system_counts_anew_once_it_said_that_nothing_is_left() -> None:
    clock = HandClock()
    one = budget(clock, Allowance("crm", 400, 60))
    one.learn("crm", "default", 0.0, 42.0)
    assert one.ask("crm", "default", "urgent", 1.0) == 42
    clock.advance(42)
    assert one.ask("crm", "default", "urgent", 1.0) == 0.0


def test_a_process_with_nothing_else_to_do_waits_for_the_minute_and_not_for_the_day() -> None:
    clock = HandClock()
    one = TokenBudget(clock, [Allowance("crm", 60, 60), Allowance("erp", 60, 86_400)], 0.0, patience=60.0)
    assert [one.ask("crm", "default", "normal", 1.0) for _ in range(90)] == [0.0] * 90
    assert sum(clock.slept) == pytest.approx(30, abs=1)
    assert [one.ask("erp", "default", "normal", 1.0) for _ in range(60)] == [0.0] * 60
    assert one.ask("erp", "default", "normal", 1.0) > 60
