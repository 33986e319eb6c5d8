"""One write per record and lane: what goes first, what waits for it, and what a person gave up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import FIELDS, SmallHub, rules, small_hub
from trueup.mapping.schema import ConsentRule, ObjectRules
from trueup.model.delivery import DeliveryState
from trueup.model.run import RunOutcome
from trueup.sync.rules.guard import Fuse

OPT_OUT = ConsentRule("email", "marketing", "optout", opted_out=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def trio(folder: Path, clock: Clock, **target: object) -> SmallHub:
    """Ann and Bob in three systems that agree; `target` are the second one's rules beside its consent."""
    objects: Mapping[str, ObjectRules] = {
        "source": rules(consent=(OPT_OUT,)),
        "target": rules(consent=(OPT_OUT,), **target),  # type: ignore[arg-type]
        "third": rules(consent=(OPT_OUT,)),
    }
    hub = small_hub(folder, clock, {name: Memory(clock) for name in objects}, objects=objects)
    for system in hub.systems.values():
        system.add(email="ann@example.com", first_name="Ann", last_name="Lee", job_title="Old", optout=False)
        system.add(email="bob@example.com", first_name="Bob")
    hub.sync()
    hub.release()
    hub.sync()
    return hub


def later(hub: SmallHub, seconds: float = 60) -> None:
    hub.systems["source"].clock.tick(seconds)
    hub.sync()


def hold(hub: SmallHub, kind: str) -> None:
    hub.parts = replace(hub.parts, fuses={**hub.parts.fuses, kind: Fuse(count=0)})


def states(hub: SmallHub, *wanted: DeliveryState) -> int:
    return len(hub.store.deliveries(wanted, None, 9))


def test_a_record_that_is_to_be_changed_and_switched_off_is_both(tmp_path: Path, clock: Clock) -> None:
    fields = tuple(name for name in FIELDS if name != "department")
    hub = trio(
        tmp_path, clock, deleted_elsewhere="deactivate", deactivate={"department": "gone"}, fields=fields
    )
    hub.systems["source"].delete("1")
    hub.systems["third"].edit("1", job_title="CTO")
    later(hub)
    target = hub.systems["target"].values("1")
    assert (target["job_title"], target["department"]) == ("CTO", "gone")


def test_what_a_fuse_holds_on_a_record_holds_back_neither_its_opt_out_nor_its_fields(
    tmp_path: Path, clock: Clock
) -> None:
    hub = trio(tmp_path, clock, deleted_elsewhere="delete")
    hold(hub, "delete")
    hub.systems["source"].delete("1")
    later(hub)
    hub.systems["third"].edit("1", optout=True, job_title="CTO")
    later(hub)
    target = hub.systems["target"].values("1")
    assert (target["optout"], target["job_title"]) == (True, "CTO")
    assert hub.contact("ann@example.com")["consent.email.marketing"] == "opted_out"
    assert hub.reports[-1].held == {("target", "delete"): 1}


def test_a_held_clearing_does_not_hold_back_the_other_fields_and_leaves_when_approved(
    tmp_path: Path, clock: Clock
) -> None:
    hub = trio(tmp_path, clock)
    hold(hub, "clear")
    hub.systems["source"].edit("1", job_title=None)
    later(hub)
    hub.systems["source"].edit("1", department="IT")
    later(hub)
    target = hub.systems["target"]
    assert (target.values("1")["department"], target.values("1")["job_title"]) == ("IT", "Old")
    assert hub.reports[-1].outcome is RunOutcome.HELD
    for name in hub.systems:
        hub.store.open_gates(name, "clear", "boss", hub.parts.now())
    later(hub)
    assert target.values("1")["job_title"] is None


def test_parts_of_an_address_are_not_torn_apart_by_a_held_clearing(tmp_path: Path, clock: Clock) -> None:
    fields = (*FIELDS, "address.city", "address.region")
    objects = {name: rules(fields=fields) for name in ("a", "b")}
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in objects}, objects=objects)
    home = {"address.city": "Boston", "address.region": "Massachusetts"}
    for system in hub.systems.values():
        system.add(email="ann@example.com", first_name="Ann", **home)
    hub.sync()
    hub.release()
    hold(hub, "clear")
    moved = {"address.city": "Bonn", "address.region": None}
    hub.systems["a"].edit("1", **moved, job_title="CTO")
    clock.tick(60)
    hub.sync()
    b = hub.systems["b"].values("1")
    assert (b["job_title"], {path: b[path] for path in home}) == ("CTO", home)


def test_what_was_decided_behind_a_write_in_doubt_leaves_when_that_is_settled(
    tmp_path: Path, clock: Clock
) -> None:
    hub = small_hub(tmp_path, clock, {"source": Memory(clock), "target": Memory(clock, lag=600.0)})
    source, target = hub.systems["source"], hub.systems["target"]
    source.add(email="ann@example.com", first_name="Ann", job_title="CTO")
    target.add(email="ann@example.com", first_name="Ann", job_title="Owner")
    hub.sync()
    source.edit("1", department="IT")
    target.loses = lambda item: True
    later(hub)
    target.loses = lambda item: False
    hub.release()
    later(hub)
    assert target.values("1")["job_title"] == "Owner"
    for _ in range(2):
        later(hub, 1000)
    assert target.values("1")["job_title"] == "CTO"


def test_what_waited_behind_a_refused_write_is_decided_when_that_waits_for_a_person(
    tmp_path: Path, clock: Clock
) -> None:
    hub = trio(tmp_path, clock, deleted_elsewhere="delete")
    hub.systems["target"].refuse = lambda values: {"": "locked by a workflow"} if values else {}
    hub.systems["source"].delete("1")
    hub.systems["third"].edit("1", job_title="CTO")
    later(hub)
    assert "1" not in hub.systems["target"].living()


# -- given up ----------------------------------------------------------------------------------------


def parked(hub: SmallHub, connection: str = "target") -> list[int]:
    return [one.id for one in hub.store.deliveries([DeliveryState.PARKED], connection, 9)]


def test_a_discarded_difference_is_raised_again_only_when_a_side_moves_in_that_field(
    tmp_path: Path, clock: Clock
) -> None:
    hub = trio(tmp_path, clock)
    target = hub.systems["target"]
    target.refuse = lambda values: {"": "locked by a workflow"}
    hub.systems["source"].edit("1", job_title="New")
    later(hub)
    assert hub.store.discard(parked(hub), "ops", clock.now()) == 1
    target.refuse = lambda values: {}
    hub.systems["source"].edit("1", department="IT")
    later(hub)
    assert (target.values("1")["job_title"], target.values("1")["department"]) == ("Old", "IT")
    hub.systems["source"].edit("1", job_title="Newer")
    later(hub)
    assert target.values("1")["job_title"] == "Newer"


def test_a_rejected_deletion_is_not_raised_again(tmp_path: Path, clock: Clock) -> None:
    hub = trio(tmp_path, clock, deleted_elsewhere="delete")
    hold(hub, "delete")
    hub.systems["source"].delete("1")
    later(hub)
    assert hub.store.close_gates(hub.reports[-1].run_id, "ops", "no", clock.now()) == 1
    hub.systems["third"].edit("1", job_title="CTO")
    later(hub)
    assert hub.systems["target"].living()["1"]["job_title"] == "CTO"
    assert hub.reports[-1].held == {}


def test_a_discarded_create_is_raised_again_only_when_it_would_carry_something_else(
    tmp_path: Path, clock: Clock
) -> None:
    systems = {"source": Memory(clock), "target": Memory(clock, refuse=lambda values: {"": "no seats left"})}
    hub = small_hub(tmp_path, clock, systems, create=("target",))
    systems["source"].add(email="ann@example.com", first_name="Ann")
    hub.sync()
    hub.store.discard(parked(hub), "ops", clock.now())
    systems["target"].refuse = lambda values: {}
    for _ in range(2):
        later(hub)
    assert (len(systems["target"].living()), parked(hub)) == (0, [])
    systems["source"].edit("1", first_name="Anna")
    later(hub)
    assert [one["first_name"] for one in systems["target"].living().values()] == ["Anna"]


# -- opt-outs that a system will not take ----------------------------------------------------------------


def test_a_refused_opt_out_stays_shown_until_it_is_delivered(tmp_path: Path, clock: Clock) -> None:
    hub = trio(tmp_path, clock)
    target = hub.systems["target"]
    target.refuse = lambda values: {"optout": "no permission"} if "optout" in values else {}
    hub.systems["source"].edit("1", optout=True)
    later(hub)
    hub.systems["source"].edit("1", department="IT")
    later(hub)
    assert len(parked(hub)) == 1
    assert hub.store.discard(parked(hub), "ops", clock.now()) == 0
    target.refuse = lambda values: {}
    hub.store.retry(parked(hub), "ops", clock.now())
    later(hub)
    assert (target.values("1")["optout"], parked(hub)) == (True, [])
    assert list(hub.store.quarantined("target", 9)) == []


def test_a_refused_opt_out_goes_by_itself_when_it_was_made_there_by_hand(
    tmp_path: Path, clock: Clock
) -> None:
    hub = trio(tmp_path, clock)
    target = hub.systems["target"]
    target.refuse = lambda values: {"optout": "no permission"} if "optout" in values else {}
    hub.systems["source"].edit("1", optout=True)
    later(hub)
    target.edit("1", optout=True)
    later(hub)
    assert parked(hub) == []


def test_one_refused_opt_out_does_not_keep_the_others_from_leaving(tmp_path: Path, clock: Clock) -> None:
    both = (OPT_OUT, ConsentRule("email", "news", "nonews", opted_out=True))
    objects = {name: rules(consent=both) for name in ("a", "b")}
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in objects}, objects=objects)
    for system in hub.systems.values():
        system.add(email="ann@example.com", first_name="Ann", optout=False, nonews=False)
    hub.sync()
    hub.systems["b"].refuse = lambda values: {"optout": "no permission"} if "optout" in values else {}
    hub.systems["a"].edit("1", optout=True, nonews=True)
    clock.tick(60)
    hub.sync()
    assert hub.systems["b"].values("1")["nonews"] is True
    (one,) = hub.store.deliveries([DeliveryState.PARKED], "b", 9)
    assert list(one.write.values) == ["optout"]
