"""Any order of readings, decisions and deliveries leaves the store where a few dictionaries would be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.store.hub import Hub, assignment, at, create, done, plan, record, update
from trueup.model.entity import WAS_ABSENT, LinkState
from trueup.model.fields import Kind
from trueup.model.plan import Delivery, DeliveryState, Lane, Settlement
from trueup.model.record import Record
from trueup.store.open import open_store

SEEN: Counter[str] = Counter()
"""How often what matters was really exercised."""

IDS = st.sampled_from(["1", "2", "3", "4"])
VALUES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from([None, 1, 2, "x"]), max_size=3)


class Memory(RuleBasedStateMachine):
    """`records`: what each record of sales last said. `due`: who must be decided. `sent`: on their way."""

    @initialize()
    def begin(self) -> None:
        store = open_store("sqlite://")
        store.register(["sales", "shop"], "v1")
        self.hub = Hub(store)
        self.now = 0
        self.records: dict[str, dict[str, Any]] = {}
        self.base: dict[str, dict[str, Any]] = {}
        self.gone: set[str] = set()
        self.entities: dict[str, int] = {}
        self.due: set[int] = set()
        self.sent: dict[int, Delivery] = {}
        self.shop: dict[int, dict[str, Any]] = {}  # entity -> its record there

    def teardown(self) -> None:
        if hasattr(self, "hub"):
            self.hub.store.close()

    # -- readings ---------------------------------------------------------------------------------

    @rule(id=IDS, values=VALUES)
    def a_record_is_read(self, id: str, values: dict[str, Any]) -> None:
        self.now += 1
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
        moved = {**self.records[id], **values} != self.records[id] or base != self.base[id] or id in self.gone
        assert (landed.changed, landed.same) == ((1, 0) if moved else (0, 1))
        self.records[id] |= values
        self.base[id] = base
        self.gone.discard(id)
        SEEN["moved"] += moved
        if moved and id in self.entities:
            self.due.add(self.entities[id])

    @rule(id=IDS, values=VALUES)
    def an_old_copy_is_read(self, id: str, values: dict[str, Any]) -> None:
        if id in self.records:
            landed = self.hub.land("sales", record(id, -1, **values), now=self.now)
            assert landed.older == 1
            SEEN["older"] += 1

    @rule(id=IDS)
    def a_record_is_deleted(self, id: str) -> None:
        self.now += 1
        self.hub.land("sales", Record(id, {}, changed_at=at(self.now), deleted=True), now=self.now)
        if id in self.records and id not in self.gone:
            self.gone.add(id)
            SEEN["deleted"] += 1
            if id in self.entities:
                self.due.add(self.entities[id])

    # -- decisions --------------------------------------------------------------------------------

    @rule()
    def strangers_are_identified(self) -> None:
        for link in self.hub.store.strangers([Kind.CONTACT], 0, 10):
            assert self.hub.store.assign([assignment(link)], at(self.now), None) == []
            known = self.hub.link("sales", link.remote_id or "")
            assert known.entity_id is not None
            self.entities[known.remote_id or ""] = known.entity_id
            self.due.add(known.entity_id)

    @precondition(lambda self: self.due)
    @rule(writes=st.booleans())
    def the_due_are_decided(self, writes: bool) -> None:
        for case in self.hub.store.load(sorted(self.due)):
            (id,) = [id for id, entity in self.entities.items() if entity == case.entity.id]
            values = {**self.records[id]}
            planned = [self._write(case, values)] if writes and not case.open and values else []
            assert self.hub.commit(plan(case, values, *planned), now=self.now) == []
            self.base[id] = {}
        self.due.clear()

    def _write(self, case: Any, values: dict[str, Any]) -> Any:
        there = [link for link in case.links if link.connection == "shop" and link.remote_id]
        return update(there[0], **values) if there else create("shop", **values)

    # -- deliveries -------------------------------------------------------------------------------

    @rule()
    def writes_go_out(self) -> None:
        batch = self.hub.store.outstanding(at(self.now), list(Lane), ["shop"], 10)
        assert not any(one.id in self.sent or one.entity_id in self.due for one in batch)
        ids = self.hub.store.send([one.id for one in batch], "w", at(self.now), None)
        assert ids == sorted(one.id for one in batch)
        self.sent |= {one.id: one for one in batch}

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_write_is_applied(self, data: st.DataObject) -> None:
        one = self.sent.pop(data.draw(st.sampled_from(sorted(self.sent))))
        before = self.hub.case(one.entity_id)
        self.hub.settle(done(one, remote_id=one.link.remote_id or f"x{one.entity_id}"), now=self.now)
        self.shop[one.entity_id] = {**self.shop.get(one.entity_id, {}), **one.write.values}
        if before.entity.revision != one.entity_revision:
            self.due.add(one.entity_id)
            SEEN["moved on while sent"] += 1
        SEEN[f"applied {one.write.kind}"] += 1

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_write_is_not_applied(self, data: st.DataObject) -> None:
        one = self.sent.pop(data.draw(st.sampled_from(sorted(self.sent))))
        self.hub.settle(Settlement(one.id, DeliveryState.DUE, not_before=at(self.now)), now=self.now)

    # -- what always holds ------------------------------------------------------------------------

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        if not hasattr(self, "hub"):
            return
        assert set(self.hub.due(self.now)) == self.due
        known = self.hub.store.known("sales", "contacts", sorted(self.records))
        assert {id: link.observed for id, link in known.items()} == self.records
        assert {id: link.base for id, link in known.items()} == self.base
        tombs = {id for id, link in known.items() if link.state is LinkState.TOMBSTONE}
        assert tombs == self.gone
        for case in self.hub.store.load(sorted(self.entities.values())):
            there = [link for link in case.links if link.connection == "shop"]
            assert len(there) <= 1
            held = {link.entity_id: dict(link.observed) for link in there if link.remote_id}
            assert held == {k: v for k, v in self.shop.items() if k == case.entity.id}
            assert len({(one.link_id, one.lane) for one in case.open}) == len(case.open)


Memory.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestMemory = Memory.TestCase


def test_the_histories_above_were_not_idle() -> None:
    """A randomised test proves nothing about what it never did."""
    if not SEEN:
        pytest.skip("runs with the histories above")
    floors = {"moved": 50, "deleted": 20, "older": 20, "applied create": 20, "applied update": 3}
    assert {name: SEEN[name] for name, floor in floors.items() if SEEN[name] < floor} == {}
