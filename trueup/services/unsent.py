"""What earlier runs decided and did not send: a plan shows it beside what is new."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass

from trueup.model.delivery import Delivery
from trueup.model.entity import public_id
from trueup.model.plan import Case, Plan
from trueup.services.hub import Hub
from trueup.sync.decide import CHUNK


@dataclass(frozen=True, slots=True)
class Unsent:
    """One contact's (company's) writes that wait to be sent, as earlier runs decided them."""

    case: Case
    deliveries: Sequence[Delivery]

    def as_plan(self) -> Plan:
        """The same as a decision that changes nothing else."""
        entity = self.case.entity
        return Plan(entity, entity, writes=tuple(one.write for one in self.deliveries))


def unsent(hub: Hub, replaced: Container[int], among: Collection[int] | None) -> Iterator[Unsent]:
    """Everything of configured connections that a sync would send, in portions, without the deliveries that
    it would decide anew (`replaced`); of the entities `among` only, if they are named. An entity may come in
    several parts."""
    store, after = hub.parts.store, 0
    while found := store.unsent(hub.parts.now(), after, CHUNK, among):
        after = found[-1].id
        by_entity: dict[str, list[Delivery]] = {}
        for one in found:
            if one.id not in replaced and one.write.connection in hub.parts.connectors:
                by_entity.setdefault(public_id(one.link.kind, one.entity_id), []).append(one)
        ids = sorted({one.entity_id for some in by_entity.values() for one in some})
        for case in store.load(ids):
            yield Unsent(case, by_entity[case.entity.public_id])
