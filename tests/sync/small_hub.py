"""A hub over systems in memory: the real engine, the real rules, a real SQLite store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from tests.sync.memory import Chance, Clock, Memory
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import FieldRule, ObjectRules
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES, Kind
from trueup.ports import Store
from trueup.store.open import open_store
from trueup.sync.engine import Order, Report, run
from trueup.sync.parts import Parts
from trueup.sync.rules.policy import FieldPolicy, Policy

FIELDS = ("email", "first_name", "last_name", "job_title", "department", "stage", "tags")


@dataclass(frozen=True, slots=True)
class Said:
    met: bool
    reason: str = ""


class Always:
    """A condition that every contact meets."""

    def met(self, values: Mapping[str, object], now: datetime) -> Said:
        return Said(True)

    def next_change(self, values: Mapping[str, object], now: datetime) -> None:
        return None


def rules(
    name: str = "people",
    fields: Sequence[str | FieldRule] = FIELDS,
    kind: Kind = Kind.CONTACT,
    **more: object,
) -> ObjectRules:
    """The rules of one object: fields by name map to a remote field of the same name."""
    made = tuple(one if isinstance(one, FieldRule) else FieldRule(one, one) for one in fields)
    return ObjectRules(name, kind, made, **more)  # type: ignore[arg-type]


@dataclass(slots=True)
class SmallHub:
    """Several systems kept in step. `order` is the rank of the connections, strongest first."""

    systems: Mapping[str, Memory]
    store: Store
    parts: Parts
    reports: list[Report] = field(default_factory=list)

    def sync(self, connections: Sequence[str] | None = None, approve: bool = True) -> Report:
        chosen = tuple(connections or self.systems)
        report = run(self.parts, Order(chosen, user="test", approve_first=approve))
        self.reports.append(report)
        return report

    def release(self) -> None:
        for name in self.systems:
            self.store.release(name, "test", self.parts.now())

    def writes(self) -> int:
        return sum(len(system.written) for system in self.systems.values())

    def contact(self, text: str) -> Mapping[str, object]:
        found = self.store.find(Kind.CONTACT, text, 10)
        assert len(found) == 1, f"{text}: {found}"
        return self.store.case(found[0]).entity.values


def small_hub(
    folder: Path,
    clock: Clock,
    systems: Mapping[str, Memory],
    order: Sequence[str] | None = None,
    objects: Mapping[str, ObjectRules] | None = None,
    create: Sequence[str] = (),
    database: str | None = None,
) -> SmallHub:
    """A hub over these systems; `create` names those in which contacts may be created."""
    ranked = tuple(order or systems)
    said = objects or {name: rules(system.name) for name, system in systems.items()}
    streams = {(name, one.name): one for name, one in said.items()}
    mappings = {
        stream: compile_mapping(stream[0], one, TABLES[one.kind or Kind.CONTACT], Locale())
        for stream, one in streams.items()
    }

    def judged(kind: Kind, name: str) -> FieldPolicy:
        return FieldPolicy(TABLES[kind][name].strategy, lambda stage: ranked)

    policy = Policy(
        fields=judged,
        mappings=mappings,
        rules=streams,
        create={stream: Always() for stream in streams if stream[0] in create},
        config_version="v1",
    )
    store = open_store(database or f"sqlite:///{folder / 'hub.sqlite'}")
    specs = {stream: systems[stream[0]].objects()[stream[1]] for stream in streams}
    parts = Parts(store, dict(systems), specs, policy, clock, Chance())
    return SmallHub(systems, store, parts)


def with_policy(hub: SmallHub, policy: Policy) -> None:
    hub.parts = replace(hub.parts, policy=policy)
