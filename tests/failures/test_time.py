"""F044 to F052: clocks that differ, stand still, run ahead or jump."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.demands.hubs import DOCUMENTED, OPT_OUT, Setting, ann, hub_of, mapped, told, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, with_policy
from trueup.model.fields import Strategy

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
