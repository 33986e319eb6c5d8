"""Any order of readings, decisions and deliveries leaves the store where a few dictionaries would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.store.hub import Hub, assignment, at, create, done, orphans, plan, record, update
from trueup.model.delivery import Delivery, DeliveryState, Lane, Settlement, Write
from trueup.model.entity import WAS_ABSENT, LinkState
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.model.record import Record
from trueup.store.open import open_store

SEEDS, STEPS = 30, 150

DONE: Counter[str] = Counter()
"""What the histories did, over all seeds."""


class History:
    """A store and its model, driven by one seed.

    `records`: what each record of sales last said; `base`: what moved since its last decision. `due`: who
    must be decided. `sent`: writes on their way. `shop`: entity id to its record there.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.hub = Hub(open_store("sqlite://"))
        self.hub.store.register(["sales", "shop"], "v1")
        self.now = 0
        self.records: dict[str, dict[str, Any]] = {}
        self.base: dict[str, dict[str, Any]] = {}
        self.gone: set[str] = set()
        self.entities: dict[str, int] = {}
        self.due: set[int] = set()
        self.sent: dict[int, Delivery] = {}
        self.shop: dict[int, dict[str, Any]] = {}

    def run(self) -> None:
        rules = (
            [self.a_record_is_read] * 4
            + [self.an_old_copy_is_read, self.a_record_is_deleted, self.strangers_are_identified]
            + [self.the_due_are_decided, self.writes_go_out, self.a_write_is_answered] * 2
        )
        for _ in range(STEPS):
            self.random.choice(rules)()
            self.check()

    def _some(self) -> tuple[str, dict[str, Any]]:
        paths = self.random.sample(["a", "b", "c"], self.random.randint(0, 3))
        return self.random.choice("1234"), {path: self.random.choice([None, 1, 2, "x"]) for path in paths}

    # -- readings ---------------------------------------------------------------------------------

    def a_record_is_read(self) -> None:
        self.now += 1
        id, values = self._some()
        landed = self.hub.land("sales", record(id, self.now, **values), now=self.now)
        if id not in self.records:
            assert landed.new == 1
            self.records[id], self.base[id] = dict(values), {}
            return
        base = dict(self.base[id])
        for path, value in values.items():
            base.setdefault(path, self.records[id].get(path, WAS_ABSENT))
            if base[path] == value:
                del base[path]
        moved = {**self.records[id], **values} != self.records[id] or base != self.base[id]
        moved = moved or id in self.gone
        assert (landed.changed, landed.same) == ((1, 0) if moved else (0, 1))
        DONE["restored"] += id in self.gone
        DONE["moved" if moved else "same"] += 1
        self.records[id] |= values
        self.base[id] = base
        self.gone.discard(id)
        if moved and id in self.entities:
            self.due.add(self.entities[id])

    def an_old_copy_is_read(self) -> None:
        id, values = self._some()
        if id in self.records:
            assert self.hub.land("sales", record(id, -1, **values), now=self.now).older == 1
            DONE["older"] += 1

    def a_record_is_deleted(self) -> None:
        self.now += 1
        id, _ = self._some()
        self.hub.land("sales", Record(id, {}, changed_at=at(self.now), deleted=True), now=self.now)
        if id in self.records and id not in self.gone:
            DONE["deleted"] += 1
            self.gone.add(id)
            if id in self.entities:
                self.due.add(self.entities[id])

    # -- decisions --------------------------------------------------------------------------------

    def strangers_are_identified(self) -> None:
        for link in self.hub.store.strangers([Kind.CONTACT], 0, 10):
            assert self.hub.store.assign([assignment(link)], at(self.now), None) == []
            id = link.remote_id or ""
            self.entities[id] = self.hub.link("sales", id).entity_id or 0
            self.due.add(self.entities[id])

    def the_due_are_decided(self) -> None:
        for case in self.hub.store.load(sorted(self.due)):
            (id,) = [id for id, entity in self.entities.items() if entity == case.entity.id]
            values = {**self.records[id]}
            writes = [self._write(case, values)] if values and not case.open else []
            assert self.hub.commit(plan(case, values, *writes), now=self.now) == []
            self.base[id] = {}
            DONE["decided while a write was open"] += bool(case.open)
        self.due.clear()

    def _write(self, case: Case, values: dict[str, Any]) -> Write:
        there = [link for link in case.links if link.connection == "shop" and link.remote_id]
        return update(there[0], **values) if there else create("shop", **values)

    # -- deliveries -------------------------------------------------------------------------------

    def writes_go_out(self) -> None:
        batch = self.hub.store.outstanding(at(self.now), list(Lane), ["shop"], 10)
        assert not any(one.id in self.sent or one.entity_id in self.due for one in batch)
        ids = self.hub.store.send({one.id: one.link.rev for one in batch}, "w", at(self.now), None)
        assert ids == sorted(one.id for one in batch)
        self.sent |= {one.id: one for one in batch}

    def a_write_is_answered(self) -> None:
        if not self.sent:
            return
        one = self.sent.pop(self.random.choice(sorted(self.sent)))
        if self.random.random() < 0.25:
            self.hub.settle(Settlement(one.id, DeliveryState.DUE, not_before=at(self.now)), now=self.now)
            DONE["not applied"] += 1
            return
        before = self.hub.case(one.entity_id)
        self.hub.settle(done(one, remote_id=one.link.remote_id or f"x{one.entity_id}"), now=self.now)
        self.shop[one.entity_id] = {**self.shop.get(one.entity_id, {}), **one.write.values}
        DONE[f"{one.write.kind} applied"] += 1
        if before.entity.revision != one.entity_revision:
            DONE["moved on while sent"] += 1
            self.due.add(one.entity_id)

    # -- what always holds ------------------------------------------------------------------------

    def check(self) -> None:
        assert set(self.hub.due(self.now)) == self.due
        known = self.hub.store.known("sales", "contacts", sorted(self.records))
        assert {id: link.observed for id, link in known.items()} == self.records
        assert {id: link.base for id, link in known.items()} == self.base
        assert {id for id, link in known.items() if link.state is LinkState.TOMBSTONE} == self.gone
        assert orphans(self.hub.store) == {}
        for case in self.hub.store.load(sorted(self.entities.values())):
            there = [link for link in case.links if link.connection == "shop"]
            assert len(there) <= 1
            held = {link.entity_id: link.observed for link in there if link.remote_id}
            assert held == {id: values for id, values in self.shop.items() if id == case.entity.id}
            assert len({(one.link_id, one.lane) for one in case.open}) == len(case.open)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_history_ends_as_its_model(seed: int) -> None:
    history = History(seed)
    history.run()
    history.hub.store.close()


def test_the_histories_were_not_idle() -> None:
    """A randomised test proves nothing about what it never did."""
    DONE.clear()
    runs: list[Callable[[], None]] = [History(seed).run for seed in range(SEEDS)]
    for run in runs:
        run()
    floors = {"moved": 200, "same": 50, "deleted": 50, "restored": 20, "older": 50, "not applied": 20}
    floors |= {"create applied": 50, "update applied": 40, "moved on while sent": 10}
    floors |= {"decided while a write was open": 50}
    assert {name: DONE[name] for name, floor in floors.items() if DONE[name] < floor} == {}
