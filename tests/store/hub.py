"""Short ways to bring a store into a state, all by its own verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trueup.model.delivery import Delivery, DeliveryState, Effect, Lane, Settlement, Write, WriteKind
from trueup.model.entity import Agreed, Link, Source, public_id
from trueup.model.fields import Kind
from trueup.model.history import Change
from trueup.model.landing import Landed, Landing
from trueup.model.matching import Assignment
from trueup.model.plan import Case, LinkPatch, Plan
from trueup.model.record import Record
from trueup.ports import Store
from trueup.store.open import SqlStore
from trueup.store.sql import Tx
from trueup.store.tables import metadata

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """That many seconds after noon of the day on which all tests begin."""
    return NOON + timedelta(seconds=seconds)


def record(id: str, changed: float | None = None, /, **values: Any) -> Record:
    """A record whose version is its change time."""
    stamp = None if changed is None else at(changed)
    return Record(id, values, None if changed is None else str(changed), stamp)


def page(connection: str, *records: Record, now: float = 0, **more: Any) -> Landing:
    return Landing(connection, "contacts", Kind.CONTACT, records, at(now), **more)


def assignment(link: Link, **changes: Any) -> Assignment:
    """A new entity of its own for this link, keyed by its e-mail where it has one."""
    email = link.observed.get("email")
    keys = (("email", email),) if email else ()
    made = Assignment(link.id, link.rev, link.kind, keys, None, f"g{link.id}", False, {})
    return replace(made, **changes)


def plan(case: Case, values: Mapping[str, Any] | None = None, *writes: Write, **more: Any) -> Plan:
    """A decision that makes these the entity's values, judges all its links and makes these writes."""
    source = Source("sales", "edit", NOON)
    before = case.entity
    after = before.values if values is None else values
    changes = tuple(
        Change(name, before.values.get(name), value, "sales/contacts/1", "authority")
        for name, value in after.items()
        if before.values.get(name) != value
    )
    entity = replace(before, values=after, sources=dict.fromkeys(after, source))
    patches = tuple(LinkPatch(one.id, one.rev, {}, {}, one.primary) for one in case.links)
    made = Plan(before, entity, changes=changes, links=patches, writes=writes, mark=case.mark)
    return replace(made, **more)


def create(connection: str, **values: Any) -> Write:
    wants = {f"{path}": value for path, value in values.items()}
    effects = dict.fromkeys(values, Effect.FILL)
    return Write(0, connection, "contacts", WriteKind.CREATE, Lane.NORMAL, values, wants, effects)


def update(link: Link, lane: Lane = Lane.NORMAL, /, **values: Any) -> Write:
    replaced = {path: link.observed.get(path) for path in values}
    effects = dict.fromkeys(values, Effect.REPLACE)
    return Write(
        link.id, link.connection, link.object, WriteKind.UPDATE, lane, values, dict(values), effects, replaced
    )


def done(delivery: Delivery, **changes: Any) -> Settlement:
    """Applied, and the system keeps what was sent."""
    values = delivery.write.values
    agreed = {key: Agreed(hub, values.get(key)) for key, hub in delivery.write.wants.items()}
    made = Settlement(delivery.id, DeliveryState.DONE, observed=values, agreed=agreed, version="after")
    return replace(made, **changes)


@dataclass(frozen=True)
class Hub:
    """A store with some shorthand."""

    store: Store

    def land(self, connection: str, *records: Record, now: float = 0, **more: Any) -> Landed:
        return self.store.land(page(connection, *records, now=now, **more), None)

    def identify(self, now: float = 0) -> list[int]:
        """Every stranger becomes an entity of its own; the entities due then."""
        strangers = self.store.strangers(list(Kind), 0, 10_000)
        assert list(self.store.assign([assignment(one) for one in strangers], at(now), None)) == []
        return self.due(now)

    def due(self, now: float = 0) -> list[int]:
        return list(self.store.due(list(Kind), at(now), 0, 10_000))

    def case(self, id: int) -> Case:
        (case,) = self.store.load([id])
        return case

    def link(self, connection: str, id: str) -> Link:
        return self.store.known(connection, "contacts", [id])[id]

    def commit(self, *plans: Plan, run: int = 1, now: float = 0) -> list[int]:
        return list(self.store.commit(plans, run, at(now), None))

    def settled(self, connection: str, id: str, /, **values: Any) -> Case:
        """An entity with one record, decided once, nothing due."""
        self.land(connection, record(id, 0, **values))
        self.identify()
        entity = self.link(connection, id).entity_id
        assert entity is not None
        assert self.commit(plan(self.case(entity), values)) == []
        return self.case(entity)

    def outstanding(self, now: float = 0, *, limit: int = 1000) -> Sequence[Delivery]:
        return self.store.outstanding(at(now), list(Lane), ["sales", "shop", "mail"], limit)

    def send(self, now: float = 0) -> list[Delivery]:
        """Send what may go now, one batch."""
        batch = self.outstanding(now)
        sent = set(self.store.send({one.id: one.link.rev for one in batch}, "w1", at(now), None))
        return [one for one in batch if one.id in sent]

    def settle(self, *settlements: Settlement, now: float = 0) -> None:
        self.store.settle(settlements, at(now), None)

    def linked(self, connection: str, id: str, /, *others: str, **values: Any) -> Case:
        """An entity with a record, and one made by a create in each of the other connections (`x-<id>`)."""
        case = self.settled(connection, id, **values)
        self.store.mark_due([case.entity.id], "test")
        case = self.case(case.entity.id)
        assert self.commit(plan(case, None, *(create(other, **values) for other in others))) == []
        for _ in others:
            self.settle(*(done(one, remote_id=f"x-{id}", version="1") for one in self.send()))
        return self.case(case.entity.id)


def holders_of(hub: Hub, key: tuple[str, str]) -> list[str]:
    """Public ids of the contacts that hold this match key."""
    found = hub.store.candidates(Kind.CONTACT, [key])[key]
    return sorted({public_id(Kind.CONTACT, one.entity_id) for one in found})


def orphans(store: Store) -> dict[str, int]:
    """How many rows name a row that is not there, by column; of the columns that are no foreign keys."""
    assert isinstance(store, SqlStore)
    return store._db.read(_orphans)


def _orphans(tx: Tx) -> dict[str, int]:
    columns = [one for table in metadata.tables.values() for one in table.columns if "of" in one.info]
    counts: dict[str, int] = {}
    for one in columns:
        parent = f"select 1 from {one.info['of']} p where p.id = t.{one.name}"
        found = tx.rows(f"select count(*) from {one.table.name} t where not exists ({parent})")
        counts[f"{one.table.name}.{one.name}"] = found[0][0]
    return {name: count for name, count in counts.items() if count}
