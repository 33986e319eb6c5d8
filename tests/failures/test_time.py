"""F044 to F052: clocks that differ, stand still, run ahead or jump."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.demands.hubs import (
    DOCUMENTED,
    OPT_OUT,
    Setting,
    ann,
    hub_of,
    mapped,
    new_store,
    person,
    told,
    until_quiet,
    written,
)
from tests.simulation.scenarios import BETA, RUN, WAIT, act, known
from tests.store.hub import at
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, with_policy
from trueup.model.fields import Strategy
from trueup.services.budget import Allowance, TokenBudget
from trueup.testing.traits import Traits
from trueup.testing.trial import tried

FAR = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock) -> SmallHub:
    """Ann in two systems, in step."""
    systems = {name: Memory(clock) for name in ("sales", "marketing")}
    hub = hub_of(folder, clock, systems, Setting())
    for system in systems.values():
        system.add(**ann(job_title="old"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def titles(hub: SmallHub) -> list[object]:
    return [told(system, "job_title")[0] for system in hub.systems.values()]


def stamped(system: Memory, stamp: datetime) -> None:
    """The system's clock was wrong when Ann was saved."""
    system.rows["1"].stamp = stamp


def test_f046_of_a_system_that_stamps_by_the_day_the_second_edit_of_a_day_arrives_too() -> None:
    beta = Traits("beta", grain=86_400.0)
    plan = known(act("edit", BETA), RUN, WAIT, act("edit", BETA, 901), RUN, WAIT, beta=beta)
    trial = tried(plan)
    assert not trial.wrong, trial.wrong
    assert trial.seen["hub update"] >= 2


def test_f052_a_lease_stays_with_its_owner_when_the_hubs_clock_jumps_back(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    fence = store.lease("run", "w1", at(0), at(60))
    assert fence is not None
    assert store.lease("run", "w2", at(-30), at(30)) is None
    assert store.renew(fence, at(30)).number == fence.number
    taken = store.lease("run", "w2", at(31), at(90))
    assert taken is not None and taken.number > fence.number


def test_f052_what_is_edited_after_the_hubs_clock_jumped_back_arrives_once(
    tmp_path: Path, clock: Clock
) -> None:
    ours = Clock()
    systems = {name: Memory(clock) for name in ("sales", "marketing")}
    hub = hub_of(tmp_path, ours, systems, Setting(create=("marketing",)))
    systems["sales"].add(**ann(job_title="old"))
    hub.sync()
    hub.release()
    hub.sync()
    ours.sleep(-30)
    clock.tick(1)
    systems["sales"].edit("1", job_title="new")
    systems["sales"].add(**person(2))
    before = written(hub)
    for _ in range(2):
        hub.sync()
    assert told(systems["marketing"], "job_title") == ["new", None]
    assert written(hub) - before == 2


def test_f052_a_budget_gives_nothing_twice_and_stops_nobody_when_the_clock_jumps_back(clock: Clock) -> None:
    budget = TokenBudget(clock, [Allowance("sales", 10, 10.0)], reserve=0.0)
    assert [budget.ask("sales", "default", "normal", 1.0) for _ in range(10)] == [0.0] * 10
    clock.sleep(-30)
    assert 0.0 < budget.ask("sales", "default", "normal", 1.0) <= 1.0
    clock.sleep(31)
    assert budget.ask("sales", "default", "normal", 1.0) == 0.0


def test_f051_what_was_saved_by_a_clock_of_2099_is_replaced_by_the_next_edit(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["sales"].edit("1", job_title="of 2099")
    stamped(hub.systems["sales"], FAR)
    until_quiet(hub, clock)
    assert titles(hub) == ["of 2099"] * 2
    hub.systems["sales"].edit("1", job_title="of today")
    until_quiet(hub, clock)
    assert titles(hub) == ["of today"] * 2


def test_f051_where_the_latest_edit_wins_one_of_2099_counts_as_of_when_it_arrived(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    policy, judged = hub.parts.policy, hub.parts.policy.fields
    latest = lambda kind, name: replace(judged(kind, name), strategy=Strategy.LATEST)  # noqa: E731
    with_policy(hub, replace(policy, fields=latest))
    hub.systems["sales"].edit("1", job_title="of 2099")
    stamped(hub.systems["sales"], FAR)
    until_quiet(hub, clock)
    hub.systems["marketing"].edit("1", job_title="of today")
    until_quiet(hub, clock)
    assert titles(hub) == ["of today"] * 2


def test_f051_an_opt_in_of_2099_lifts_no_opt_out_of_today(tmp_path: Path, clock: Clock) -> None:
    fields = mapped("email", "first_name", "last_name")
    systems = {name: Memory(clock) for name in ("form", "sales")}
    objects = [
        ("form", rules(fields=fields, consent=(DOCUMENTED,))),
        ("sales", rules(fields=fields, consent=(OPT_OUT,))),
    ]
    hub = hub_of(tmp_path, clock, systems, Setting(objects))
    proof = {"status": "SUBSCRIBED", "at": FAR.isoformat(), "source": "form"}
    systems["form"].add(**ann(subscription=proof))
    systems["sales"].add(**ann())
    until_quiet(hub, clock)
    systems["sales"].edit("1", no_mail=True)
    until_quiet(hub, clock)
    assert hub.contact("ann@example.com")["consent.email.marketing"] == "opted_out"
