"""Several workers at once, each with a store of its own on one database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest

from tests.store.hub import Hub, assignment, at, create, done, holders_of, page, plan, record, update
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.delivery import Lane
from trueup.model.fields import Kind
from trueup.ports import Store
from trueup.store.open import open_store

T = TypeVar("T")


@pytest.fixture
def workers(url: str, hub: Hub) -> Iterator[list[Hub]]:
    stores = [open_store(url) for _ in range(4)]
    yield [Hub(store) for store in stores]
    for store in stores:
        store.close()


def together(*steps: Callable[[], T]) -> list[T]:
    """Start all steps at the same moment, each in a thread of its own; their answers."""
    ready = threading.Barrier(len(steps))

    def run(step: Callable[[], T]) -> T:
        ready.wait()
        return step()

    with ThreadPoolExecutor(len(steps)) as pool:
        return [future.result(60) for future in [pool.submit(run, step) for step in steps]]


def test_two_workers_with_one_new_person_make_one_contact(hub: Hub, workers: list[Hub]) -> None:
    for n in range(12):
        key = ("email", f"p{n}@x.example")
        hub.land("sales", record(f"s{n}", 1, email=key[1]))
        hub.land("shop", record(f"m{n}", 1, email=key[1]))
        links = [hub.link("sales", f"s{n}"), hub.link("shop", f"m{n}")]
        proposals = [replace(assignment(link), seen={key: frozenset()}) for link in links]
        back = together(
            *(
                partial(worker.store.assign, [one], at(2), None)
                for worker, one in zip(workers, proposals, strict=False)
            )
        )
        assert sorted(map(len, back)) == [0, 1]
        assert len(holders_of(hub, key)) == 1


def test_two_workers_with_one_page_make_each_link_once(hub: Hub, workers: list[Hub]) -> None:
    for n in range(8):
        records = [record(f"{n}-{k}", 1, a=k) for k in range(20)]
        orders = [records, records[::-1], records[5:], records[:9]]
        landed = together(
            *(partial(worker.land, "sales", *order) for worker, order in zip(workers, orders, strict=True))
        )
        assert sum(one.new for one in landed) == 20
    assert hub.store.count_links() == {("sales", "contacts", "live"): 160}


def test_of_two_decisions_about_one_entity_one_stands(hub: Hub, workers: list[Hub]) -> None:
    for n in range(8):
        case = hub.settled("sales", str(n), a=0)
        hub.store.mark_due([case.entity.id], "test")
        case = hub.case(case.entity.id)
        plans = [plan(case, {"a": k + 1}, create("shop", a=k + 1)) for k in range(4)]
        back = together(*(partial(worker.commit, one) for worker, one in zip(workers, plans, strict=True)))
        assert sorted(map(len, back)) == [0, 1, 1, 1]
        after = hub.case(case.entity.id)
        assert (after.entity.revision, len(after.open), len(after.links)) == (2, 1, 2)


def test_two_workers_never_send_one_delivery(hub: Hub, workers: list[Hub]) -> None:
    for n in range(10):
        case = hub.settled("sales", str(n), a=0)
        hub.store.mark_due([case.entity.id], "test")
        hub.commit(plan(hub.case(case.entity.id), None, create("shop", a=0)))
    revisions = {one.id: one.link.rev for one in hub.outstanding()}
    ids = list(revisions)
    orders = [ids, ids[::-1], ids[3:], ids[:7]]
    sent = together(
        *(
            partial(worker.store.send, {id: revisions[id] for id in order}, "w", at(1), None)
            for worker, order in zip(workers, orders, strict=True)
        )
    )
    assert sorted(id for one in sent for id in one) == ids


def test_one_lease_has_one_owner_whoever_asks_at_once(hub: Hub, workers: list[Hub]) -> None:
    for n in range(10):
        fences = together(
            *(
                partial(worker.store.lease, f"run {n}", f"w{k}", at(0), at(60))
                for k, worker in enumerate(workers)
            )
        )
        assert sum(fence is not None for fence in fences) == 1


def test_a_create_answered_while_its_record_is_read_is_one_link(hub: Hub, workers: list[Hub]) -> None:
    for n in range(10):
        case = hub.settled("sales", str(n), a=0)
        hub.store.mark_due([case.entity.id], "test")
        hub.commit(plan(hub.case(case.entity.id), None, create("shop", a=0)))
        (delivery,) = hub.send()
        together(
            partial(workers[0].settle, done(delivery, remote_id=f"x{n}")),
            partial(workers[1].land, "shop", record(f"x{n}", 1, a=0)),
        )
        assert hub.link("shop", f"x{n}").entity_id == case.entity.id
        assert hub.store.strangers([Kind.CONTACT], 0, 10) == []


ROUNDS = 12


def work(worker: Hub, name: int) -> int:
    """A worker that reads, decides and writes all the time, on records that all workers share."""
    stood = 0
    for turn in range(ROUNDS):
        worker.land("sales", *(record(str(k), turn, a=f"{name}-{turn}") for k in range(10)))
        strangers = worker.store.strangers([Kind.CONTACT], 0, 50)
        worker.store.assign([assignment(one) for one in strangers], at(turn), None)
        for id in worker.due():
            (case,) = worker.store.load([id])
            links = [link for link in case.links if link.connection == "shop"]
            writes = [update(links[0], a=turn)] if links and links[0].remote_id else [create("shop", a=turn)]
            if not case.open:
                stood += not worker.commit(plan(case, {"a": f"{name}-{turn}"}, *writes))
            else:
                stood += not worker.commit(plan(case, {"a": f"{name}-{turn}"}))
        batch = worker.store.outstanding(at(turn), list(Lane), ["shop"], 5)
        sent = set(worker.store.send({one.id: one.link.rev for one in batch}, str(name), at(turn), None))
        worker.settle(
            *(
                done(one, remote_id=one.link.remote_id or f"x{one.entity_id}")
                for one in batch
                if one.id in sent
            )
        )
    return stood


def test_workers_at_full_speed_meet_no_lock_and_no_deadlock(hub: Hub, workers: list[Hub]) -> None:
    stood = together(*(partial(work, worker, n) for n, worker in enumerate(workers)))
    assert all(stood)
    links = hub.store.count_links()
    assert links[("sales", "contacts", "live")] == 10
    assert links[("shop", "contacts", "live")] + links.get(("shop", "contacts", "wanted"), 0) == 10


def test_eight_threads_of_one_process_never_find_the_database_locked(store: Store, hub: Hub) -> None:
    def reads_and_writes(name: int) -> int:
        for turn in range(25):
            store.land(page(f"c{name}", record(str(turn), 1, a=1)), None)
            store.due([Kind.CONTACT], at(0), 0, 10)
            store.lease(f"l{turn}", str(name), at(0), at(60))
            store.count_links()
        return 25

    answers = together(*(partial(reads_and_writes, n) for n in range(8)))
    assert answers == [25] * 8
    assert sum(store.count_links().values()) == 200


def test_who_comes_to_an_address_while_somebody_enters_its_opt_out_hears_of_it(
    hub: Hub, workers: list[Hub]
) -> None:
    for n in range(40):
        address = f"p{n}@x.example"
        case, other = (hub.settled("sales", f"{n}-{who}", a=0) for who in "ab")
        out = ConsentEvent(
            "address", address, "email", "marketing", ConsentState.OPTED_OUT, at(1), True, "hub:ops"
        )
        moved = plan(case, {"email": address})
        together(
            partial(workers[0].commit, moved),
            partial(workers[1].store.edit, other.entity.public_id, {}, "ops", at(1), False, [out]),
        )
        assert "consent" in hub.case(case.entity.id).reasons
