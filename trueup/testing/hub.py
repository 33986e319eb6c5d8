"""The hub of a simulated world: the real engine, connectors and store, wired once for each worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import httpx

from trueup.connectors.boundary import Bounded
from trueup.connectors.manifest import Manifest
from trueup.connectors.registry import session
from trueup.connectors.rest import RestConnector
from trueup.connectors.settings import ConnectionSettings
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, Direction, FieldRule, ObjectRules
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES, Kind, with_stages
from trueup.model.record import FieldSpec
from trueup.model.values import Value
from trueup.ports import Store
from trueup.services.budget import TokenBudget
from trueup.sync.parts import Pace, Parts
from trueup.sync.rules.policy import FieldPolicy, Policy
from trueup.testing.ports import Jitter, Point, Stored, WorkerClock, WorkerStore, WorkerTransport, WorldClock
from trueup.testing.sorts import COMPANIES, COMPANY, EMPLOYER, PEOPLE, Sort
from trueup.testing.system import HUB_ID
from trueup.testing.traits import MADE, OPT_OUT, STAGES, Traits
from trueup.testing.vocabulary import SECRET, sorts_of

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


CLOSED, PAUSED = "closed", "paused"
"""What a turn of the configuration makes of a system: nobody is made there, or it is left out."""
UNMAPPED = "unmapped"
WAYS = (UNMAPPED, Direction.IN.value, Direction.OUT.value)
"""What it makes of a field of a system: the hub does not know it, only reads it, only writes it."""
Turns = Mapping[str, str]
"""How a configuration differs from the first one, by system."""
Mapped = Mapping[tuple[str, str], str]
"""The same of fields of people, by system and remote field."""


def configured(systems: Sequence[Traits], turns: Turns) -> tuple[Traits, ...]:
    """The systems that are not left out."""
    return tuple(one for one in systems if turns.get(one.name) != PAUSED)


def policy_of(
    all_of_them: Sequence[Traits],
    turns: Turns = MappingProxyType({}),
    mapped: Mapped = MappingProxyType({}),
) -> Policy:
    """The configuration of a world: all fields both ways, the first system has the say; and what was turned
    in it since."""
    systems = configured(all_of_them, turns)
    ranked = tuple(one.name for one in systems)
    table = with_stages(TABLES[Kind.CONTACT], STAGES)
    tables = {**TABLES, Kind.CONTACT: table}
    rules = {(one.name, sort.object): _rules(one, sort, mapped) for one in systems for sort in sorts_of(one)}
    return Policy(
        tables=tables,
        fields=lambda kind, name: FieldPolicy(tables[kind][name].strategy, lambda stage: ranked),
        mappings={
            (one.name, sort.object): compile_mapping(
                one.name, rules[one.name, sort.object], tables[sort.kind], Locale(), _specs(one, sort)
            )
            for one in systems
            for sort in sorts_of(one)
        },
        rules=rules,
        create={
            (one.name, sort.object): _Everybody()
            for one in systems
            for sort in sorts_of(one)
            if (one.creates if sort is PEOPLE else one.companies == MADE)
            if turns.get(one.name) != CLOSED
        },
        upsert={(one.name, sort.object): HUB_ID for one in systems if one.upsert for sort in sorts_of(one)},
        config_version=" ".join(["world", *map(str, (*sorted(turns.items()), *sorted(mapped.items())))]),
    )


def _specs(traits: Traits, sort: Sort) -> dict[str, FieldSpec]:
    found = {name: FieldSpec(name, name, "object" if name == "labels" else "text") for name in sort.fields}
    if sort is PEOPLE and traits.dated:
        found[OPT_OUT] = FieldSpec(OPT_OUT, OPT_OUT, "object")
    if sort is PEOPLE and traits.companies:
        found[EMPLOYER] = FieldSpec(EMPLOYER, EMPLOYER, "reference", reference_to=(COMPANIES.object,))
    return found


def _rules(traits: Traits, sort: Sort, mapped: Mapped) -> ObjectRules:
    if sort is COMPANIES:
        firms = tuple(FieldRule(name, remote) for remote, name in sort.fields.items())
        return ObjectRules(sort.object, sort.kind, firms)
    ways = {remote: mapped.get((traits.name, remote), Direction.BOTH.value) for remote in sort.fields}
    fields = tuple(
        FieldRule(name, remote, Direction(ways[remote]))
        for remote, name in sort.fields.items()
        if ways[remote] != UNMAPPED
    )
    if traits.companies:
        fields += (FieldRule(COMPANY, EMPLOYER, to=COMPANIES.object),)
    evidence = ("time", "source") if traits.dated else ()
    consent = ConsentRule("email", "marketing", OPT_OUT, evidence=evidence)
    return ObjectRules(sort.object, sort.kind, fields, consent=(consent,))


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
    specs = {
        (name, object): spec for name, one in connectors.items() for object, spec in one.objects().items()
    }
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
