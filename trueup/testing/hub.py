"""The hub of a simulated world: the real engine, connectors and store, wired once for each worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from trueup.connectors.boundary import Bounded
from trueup.connectors.manifest import Manifest
from trueup.connectors.registry import session
from trueup.connectors.rest import RestConnector
from trueup.connectors.settings import ConnectionSettings
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, FieldRule, ObjectRules
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES, Kind, with_stages
from trueup.model.record import FieldSpec
from trueup.model.values import Value
from trueup.ports import Store
from trueup.services.budget import TokenBudget
from trueup.sync.parts import Pace, Parts
from trueup.sync.rules.policy import FieldPolicy, Policy
from trueup.testing.ports import Jitter, Point, Stored, WorkerClock, WorkerStore, WorkerTransport, WorldClock
from trueup.testing.system import HUB_ID
from trueup.testing.traits import FIELDS, OPT_OUT, STAGES, Traits
from trueup.testing.vocabulary import OBJECT, SECRET

LISTED_EVERY = timedelta(days=200)
"""How often everything is listed again: longer than any history, so that only who waits for it sees it."""


@dataclass(frozen=True, slots=True)
class _Said:
    met: bool
    reason: str = ""


class _Everybody:
    """A condition that every contact meets."""

    def met(self, values: Mapping[str, Value], now: datetime) -> _Said:
        return _Said(True)

    def next_change(self, values: Mapping[str, Value], now: datetime) -> None:
        return None


def policy_of(systems: Sequence[Traits]) -> Policy:
    """The configuration of a world: all fields both ways, the first system has the say."""
    ranked = tuple(one.name for one in systems)
    table = with_stages(TABLES[Kind.CONTACT], STAGES)
    tables = {**TABLES, Kind.CONTACT: table}
    rules = {(one.name, OBJECT): _rules(one) for one in systems}
    fields = {name: FieldSpec(name, name, "object" if name == "labels" else "text") for name in FIELDS}
    dated = fields | {OPT_OUT: FieldSpec(OPT_OUT, OPT_OUT, "object")}
    return Policy(
        tables=tables,
        fields=lambda kind, name: FieldPolicy(tables[kind][name].strategy, lambda stage: ranked),
        mappings={
            (one.name, OBJECT): compile_mapping(
                one.name, rules[one.name, OBJECT], table, Locale(), dated if one.dated else fields
            )
            for one in systems
        },
        rules=rules,
        create={(one.name, OBJECT): _Everybody() for one in systems if one.creates},
        upsert={(one.name, OBJECT): HUB_ID for one in systems if one.upsert},
        config_version="world",
    )


def _rules(traits: Traits) -> ObjectRules:
    fields = tuple(FieldRule(name, remote) for remote, name in FIELDS.items())
    evidence = ("time", "source") if traits.dated else ()
    consent = ConsentRule("email", "marketing", OPT_OUT, evidence=evidence)
    return ObjectRules(OBJECT, Kind.CONTACT, fields, consent=(consent,))


def parts_for(
    worker: str,
    systems: Mapping[str, tuple[Manifest, httpx.BaseTransport]],
    policy: Policy,
    store: Store,
    clock: WorldClock,
    point: Point,
    told: Stored,
) -> Parts:
    """What one worker works with; every call of a port goes through `point`, what is stored to `told`."""
    own = WorkerClock(clock, point)
    budget = TokenBudget(own, [])
    connectors = {
        name: Bounded(
            RestConnector(
                session(
                    manifest,
                    ConnectionSettings(name, {"token": SECRET}),
                    WorkerTransport(wire, name, point),
                    own,
                    budget,
                )
            ),
            name,
        )
        for name, (manifest, wire) in systems.items()
    }
    specs = {(name, OBJECT): one.objects()[OBJECT] for name, one in connectors.items()}
    return Parts(
        store=WorkerStore(store, point, told),
        connectors=connectors,
        specs=specs,
        policy=policy,
        clock=own,
        random=Jitter(),
        paces=dict.fromkeys(systems, Pace(full_listing=LISTED_EVERY)),
        worker=worker,
    )
