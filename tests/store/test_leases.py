"""Ownership of work, and runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.hub import Hub, at, page, plan, record
from trueup.errors import LeaseLost, NotFound
from trueup.model.delivery import DeliveryState, Settlement
from trueup.model.run import Run, RunOutcome


def test_a_piece_of_work_has_one_owner(hub: Hub) -> None:
    fence = hub.store.lease("run", "w1", at(0), at(60))
    assert fence is not None
    assert (fence.name, fence.owner, fence.until) == ("run", "w1", at(60))
    assert hub.store.lease("run", "w2", at(59), at(120)) is None
    assert hub.store.lease("other", "w2", at(59), at(120)) is not None


def test_a_lease_that_ended_is_taken_over_with_a_higher_number(hub: Hub) -> None:
    first = hub.store.lease("run", "w1", at(0), at(60))
    second = hub.store.lease("run", "w2", at(60), at(120))
    assert first is not None and second is not None
    assert second.number > first.number


def test_a_renewed_lease_lasts_longer(hub: Hub) -> None:
    fence = hub.store.lease("run", "w1", at(0), at(60))
    assert fence is not None
    assert hub.store.renew(fence, at(100)) == replace(fence, until=at(100))
    assert hub.store.lease("run", "w2", at(99), at(200)) is None


def test_a_lease_let_go_is_free_at_once(hub: Hub) -> None:
    fence = hub.store.lease("run", "w1", at(0), at(60))
    assert fence is not None
    hub.store.let_go(fence)
    taken = hub.store.lease("run", "w2", at(1), at(60))
    assert taken is not None
    hub.store.let_go(fence)
    assert hub.store.lease("run", "w3", at(2), at(60)) is None


def test_a_worker_that_lost_its_lease_commits_nothing(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    zombie = hub.store.lease("run", "w1", at(0), at(60))
    assert zombie is not None
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    hub.store.lease("run", "w2", at(61), at(120))
    store = hub.store
    for verb in (
        lambda: store.land(page("sales", record("2", 1)), zombie),
        lambda: store.assign([], at(62), zombie),
        lambda: store.commit([plan(case, {"a": 2})], 1, at(62), zombie),
        lambda: store.send({1: 0}, "w1", at(62), zombie),
        lambda: store.settle([Settlement(1, DeliveryState.DONE)], at(62), zombie),
        lambda: store.open_gates("sales", "clear", "", at(62), None, zombie),
        lambda: store.hold_absences(1, {("sales", "contacts"): 1}, zombie),
        lambda: store.gather_gated(zombie),
        lambda: store.renew(zombie, at(200)),
    ):
        with pytest.raises(LeaseLost):
            verb()
    assert hub.case(case.entity.id) == case
    assert store.known("sales", "contacts", ["2"]) == {}


def test_a_late_worker_goes_on_while_nobody_took_over(hub: Hub) -> None:
    fence = hub.store.lease("run", "w1", at(0), at(60))
    assert hub.store.land(page("sales", record("2", 1), now=90), fence).new == 1


def test_a_run_tells_how_it_went(hub: Hub) -> None:
    id = hub.store.start_run("sync", "v1", "ann", at(0))
    assert hub.store.run(id) == Run(id, "sync", at(0), "v1", user="ann")
    hub.store.finish_run(id, RunOutcome.HELD, {"sales.contacts.read": 3}, ["too many"], at(9))
    done = hub.store.run(id)
    assert (done.outcome, done.counts, done.notes) == (
        RunOutcome.HELD,
        {"sales.contacts.read": 3},
        ("too many",),
    )
    assert done.ended_at == at(9)
    other = hub.store.start_run("sync", "v1", "ann", at(10))
    assert [run.id for run in hub.store.runs(10)] == [other, id]


def test_a_run_that_does_not_exist_is_named(hub: Hub) -> None:
    with pytest.raises(NotFound, match="run 7"):
        hub.store.run(7)
    with pytest.raises(NotFound, match="run 7"):
        hub.store.finish_run(7, RunOutcome.FAILED, {}, [], at(0))


def test_the_owner_of_a_piece_of_work_can_be_asked_for(hub: Hub) -> None:
    assert hub.store.owner("run") is None
    fence = hub.store.lease("run", "w1", at(0), at(60))
    assert hub.store.owner("run") == fence
    assert fence is not None
    hub.store.let_go(fence)
    assert hub.store.owner("run") is None


def test_the_lease_of_a_dead_owner_is_taken_over_before_it_ends(hub: Hub) -> None:
    dead = hub.store.lease("run", "w1", at(0), at(60))
    assert dead is not None
    taken = hub.store.take_over(dead, "w2", at(61))
    assert taken is not None
    assert (taken.owner, taken.until, taken.number) == ("w2", at(61), dead.number + 1)
    with pytest.raises(LeaseLost):
        hub.store.renew(dead, at(70))


def test_of_two_who_take_over_from_one_dead_owner_one_gets_the_lease(hub: Hub) -> None:
    dead = hub.store.lease("run", "w1", at(0), at(60))
    assert dead is not None
    assert hub.store.take_over(dead, "w2", at(61)) is not None
    assert hub.store.take_over(dead, "w3", at(61)) is None


def test_a_run_that_never_ended_is_closed_when_the_next_begins(hub: Hub) -> None:
    killed = hub.store.start_run("sync", "v1", "ann", at(0))
    hub.store.start_run("sync", "v1", "ann", at(60))
    found = hub.store.run(killed)
    assert (found.outcome, found.ended_at) == (RunOutcome.FAILED, at(60))
    assert found.notes == ("its process ended before it did",)
