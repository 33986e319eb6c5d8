"""`leaves:` of an object: what becomes of a record whose contact no longer meets `create`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.demands.hubs import OPT_OUT, Setting, When, hub_of, mapped, person, told, with_fuse
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import Said, SmallHub, rules
from trueup.model.delivery import WriteKind
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.run import RunOutcome
from trueup.sync.rules.guard import Fuse

FIELDS = mapped("email", "first_name", "last_name", "job_title", "department")
SWITCH = {"deactivate": {"active": False}, "reactivate": {"active": True}}
WANTED = When("department", "VIP")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hub_with(folder: Path, clock: Clock, leaves: str = "deactivate", **more: Any) -> SmallHub:
    """Everybody is in sales; support holds those whose department is VIP."""
    condition = more.pop("condition", WANTED)
    systems = {"sales": Memory(clock, page=100), "support": Memory(clock, page=100)}
    objects = [
        ("sales", rules(fields=FIELDS, consent=(OPT_OUT,))),
        ("support", rules(fields=FIELDS, consent=(OPT_OUT,), leaves=leaves, **{**SWITCH, **more})),
    ]
    setting = Setting(objects, order=("sales",), conditions={("support", "people"): condition})
    return hub_of(folder, clock, systems, setting)


def ann(**more: object) -> dict[str, object]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


def entered(hub: SmallHub) -> None:
    """Ann is a VIP, so support has her."""
    hub.systems["sales"].add(**ann(department="VIP", job_title="CTO"))
    hub.sync()
    hub.release()
    hub.sync()


def leave(hub: SmallHub, department: str | None = "R&D") -> None:
    hub.systems["sales"].edit("1", department=department)
    hub.sync()


def support(hub: SmallHub) -> dict[str, object]:
    (held,) = hub.systems["support"].living().values()
    return held


def link(hub: SmallHub) -> Link:
    (id,) = hub.store.find(Kind.CONTACT, "ann@example.com", 2)
    return next(one for one in hub.store.case(id).links if one.connection == "support")


def kinds(hub: SmallHub) -> list[WriteKind]:
    return [item.kind for item in hub.systems["support"].written]


def test_who_leaves_is_switched_off_and_nothing_else_is_written_there(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    leave(hub)
    hub.systems["sales"].edit("1", job_title="COO")
    hub.sync()
    assert (support(hub)["active"], support(hub)["department"], support(hub)["job_title"]) == (
        False,
        "VIP",
        "CTO",
    )
    assert kinds(hub) == [WriteKind.CREATE, WriteKind.DEACTIVATE]
    assert link(hub).active is False


def test_who_comes_back_is_switched_on_in_the_same_record_and_brought_up_to_date(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    before = link(hub)
    leave(hub)
    hub.systems["sales"].edit("1", job_title="COO")
    leave(hub, "VIP")
    assert (support(hub)["active"], support(hub)["job_title"]) == (True, "COO")
    assert len(hub.systems["support"].rows) == 1
    after = link(hub)
    assert (after.id, after.remote_id, after.active) == (before.id, before.remote_id, True)
    assert kinds(hub)[1:] == [WriteKind.DEACTIVATE, WriteKind.REACTIVATE, WriteKind.UPDATE]


def test_it_can_go_round_many_times(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    for _ in range(5):
        leave(hub)
        assert support(hub)["active"] is False
        leave(hub, "VIP")
        assert support(hub)["active"] is True
    assert len(hub.systems["support"].rows) == 1


def test_after_that_there_is_silence(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    leave(hub)
    before = len(hub.systems["support"].written)
    for _ in range(3):
        clock.tick(3600)
        hub.sync()
    assert len(hub.systems["support"].written) == before


def test_an_opt_out_is_written_to_a_record_that_is_switched_off(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    leave(hub)
    hub.systems["sales"].edit("1", no_mail=True)
    hub.sync()
    assert (support(hub)["active"], support(hub)["no_mail"]) == (False, True)


def test_what_a_person_switches_on_again_there_stays_on(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    leave(hub)
    hub.systems["support"].edit("1", active=True)
    for _ in range(3):
        hub.sync()
    assert support(hub)["active"] is True
    leave(hub, "VIP")
    leave(hub)
    assert support(hub)["active"] is False


def test_what_a_person_switched_off_there_is_not_switched_on(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    hub.systems["support"].edit("1", active=False)
    hub.sync()
    leave(hub)
    leave(hub, "VIP")
    assert support(hub)["active"] is False


def test_a_record_that_never_met_the_condition_is_none_of_ours(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["sales"].add(**ann(department="R&D"))
    hub.systems["support"].add(**ann(department="R&D", active=True))
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", job_title="COO")
    hub.sync()
    assert (support(hub)["active"], support(hub)["job_title"]) == (True, "COO")


def test_a_record_that_was_there_and_met_it_once_does_leave(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["sales"].add(**ann(department="VIP"))
    hub.systems["support"].add(**ann(department="VIP", active=True))
    hub.sync()
    hub.release()
    leave(hub)
    assert support(hub)["active"] is False


def test_the_clock_alone_can_make_somebody_leave(tmp_path: Path, clock: Clock) -> None:
    until = clock.now() + timedelta(days=30)

    class ForAMonth:
        def met(self, values: object, now: datetime) -> Said:
            return Said(now < until, "the month is over")

        def next_change(self, values: object, now: datetime) -> datetime | None:
            return until if now < until else None

    hub = hub_with(tmp_path, clock, condition=ForAMonth())
    entered(hub)
    clock.tick(timedelta(days=31).total_seconds())
    hub.sync()
    assert support(hub)["active"] is False


def test_many_who_leave_at_once_are_held_and_counted_apart(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    with_fuse(hub, deactivate=Fuse(count=5))
    for number in range(8):
        hub.systems["sales"].add(**person(number, department="VIP"))
    hub.sync()
    hub.release()
    for id in list(hub.systems["sales"].rows):
        hub.systems["sales"].edit(id, department="R&D")
    report = hub.sync()
    assert report.outcome is RunOutcome.HELD
    assert (report.tally.get("deactivates"), report.tally.get("updates", "support")) == (8, 0)
    assert False not in told(hub.systems["support"], "active")
    hub.store.open_gates("support", "deactivate", "boss", clock.now())
    hub.sync()
    assert told(hub.systems["support"], "active") == [False] * 8


def test_where_it_says_stop_nothing_but_consent_is_written_any_more(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, leaves="stop")
    entered(hub)
    leave(hub)
    hub.systems["sales"].edit("1", job_title="COO", no_mail=True)
    hub.sync()
    held = support(hub)
    assert (held["department"], held["job_title"], held["no_mail"], held.get("active")) == (
        "VIP",
        "CTO",
        True,
        None,
    )
    leave(hub, "VIP")
    assert support(hub)["job_title"] == "COO"


def test_where_it_says_keep_everything_goes_on(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, leaves="keep")
    entered(hub)
    leave(hub)
    assert (support(hub)["department"], support(hub).get("active")) == ("R&D", None)


def test_why_somebody_is_not_written_any_more_is_said(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    entered(hub)
    hub.systems["sales"].edit("1", department="R&D")
    report = hub.sync()
    assert "left: department is not VIP" in [reason for _, _, reason, _ in report.tally.reasons()]


def test_a_record_deleted_elsewhere_is_switched_off_although_a_field_changed_too(
    tmp_path: Path, clock: Clock
) -> None:
    objects = [
        ("sales", rules(fields=FIELDS)),
        ("shop", rules(fields=FIELDS)),
        ("support", rules(fields=FIELDS, deleted_elsewhere="deactivate", **SWITCH)),
    ]
    systems = {name: Memory(clock) for name in ("sales", "shop", "support")}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("sales", "shop", "support")))
    systems["sales"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    systems["shop"].delete("1")
    systems["sales"].edit("1", job_title="COO")
    hub.sync()
    assert (support(hub)["active"], support(hub)["job_title"]) == (False, "COO")
