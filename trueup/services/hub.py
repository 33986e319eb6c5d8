"""Where things are wired: a configured hub with its store, connectors and ports, ready to be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx

from trueup.config.load import load
from trueup.config.settings import Connection, HubConfig
from trueup.connectors.auth import Credential
from trueup.connectors.base import Capability, Connector, ObjectSpec
from trueup.connectors.registry import Credentials, connector_kind
from trueup.errors import ConfigError, ConnectorError, Problem
from trueup.mapping.consents import is_there
from trueup.mapping.schema import Direction
from trueup.model.record import FieldSpec
from trueup.ports import Budget, Clock, Random, Store
from trueup.services.budget import ACCOUNT, Allowance, TokenBudget
from trueup.services.policies import identity_of, policy_of, without_terms
from trueup.services.process import has_ended, process_name
from trueup.services.system import SystemClock, SystemRandom
from trueup.store.open import open_store
from trueup.sync.parts import Pace, Parts
from trueup.sync.rules.policy import Policy, Stream

Progress = Callable[[str, str, str, int], None]


def silent(step: str, connection: str, object: str, count: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class World:
    """What is outside the hub: time, chance, and how systems are reached.

    `transport` answers the httpx transport for a connection (None: the network). `overrides` lays
    settings over a connection's own, by name (a base URL on loopback). `worker` names this process;
    `ended` says whether another one has certainly ended. `patience`: how many seconds a call may wait for
    our own limits, in a process that has nothing else to do; a worker that has says 0.
    """

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=SystemRandom)
    transport: Callable[[str], httpx.BaseTransport | None] = lambda connection: None
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    progress: Progress = silent
    worker: str = field(default_factory=process_name)
    ended: Callable[[str], bool] = has_ended
    patience: float = 60.0


@dataclass(slots=True)
class Hub:
    """A hub at work. Close it when done."""

    folder: Path
    config: HubConfig
    store: Store
    parts: Parts
    notes: list[str] = field(default_factory=list)

    def close(self) -> None:
        for connector in (*self.parts.connectors.values(), *self.parts.urgent.values()):
            connector.close()
        self.store.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_hub(folder: Path, environment: Mapping[str, str], world: World | None = None) -> Hub:
    """The hub of a configuration folder. Raises ConfigError with all that is wrong in the files."""
    around = world or World()
    config = load(folder, environment)
    return wire(folder, config, around)


def wire(folder: Path, config: HubConfig, world: World) -> Hub:
    """Connect a loaded configuration to its store and systems; live metadata where systems offer it."""
    notes: list[str] = []
    budget = TokenBudget(world.clock, _allowances(config), patience=world.patience)
    held: dict[str, Credential] = {}  # both lanes sign in as one: a token that changes hands is one token
    normal, urgent = (
        {name: _connector(one, lane, world, budget, held) for name, one in config.connections.items()}
        for lane in ("normal", "urgent")
    )
    specs = _specs(config, normal)
    asked = {stream: _fields(normal[stream[0]], stream, spec, notes) for stream, spec in specs.items()}
    live = {stream: found or {} for stream, found in asked.items()}
    fields = {stream: live[stream] or spec.fields for stream, spec in specs.items()}
    upsert = _upserts(config)
    policy = policy_of(config, fields, upsert)
    policy = without_terms(policy, [stream for stream, found in asked.items() if found is None])
    notes.extend(_not_writable(policy, fields))
    notes.extend(_not_kept(config, live))
    store = open_store(database_url(folder, config))
    parts = Parts(
        store=store,
        connectors=normal,
        specs=specs,
        policy=policy,
        clock=world.clock,
        random=world.random,
        urgent=urgent,
        identity=identity_of(config),
        fuses={kind.value: fuse for kind, fuse in config.hub.fuses.items()},
        paces={name: _pace(connection) for name, connection in config.connections.items()},
        worker=world.worker,
        ended=world.ended,
        progress=world.progress,
        decides_at_once=_decides_at_once(config),
    )
    return Hub(folder, config, store, parts, notes)


def database_url(folder: Path, config: HubConfig) -> str:
    """The configured database, else SQLite beside hub.yaml."""
    if config.hub.database is not None:
        return config.hub.database.reveal()
    return f"sqlite:///{folder / 'trueup.sqlite'}"


def _connector(
    connection: Connection, lane: str, world: World, budget: Budget, held: Credentials
) -> Connector:
    settings = connection.settings(lane)
    over = world.overrides.get(connection.name, {})
    settings = replace(settings, auth={**settings.auth, **over})
    kind = connector_kind(connection.connector)
    return kind.build(settings, world.transport(connection.name), world.clock, budget, held)


def _specs(config: HubConfig, connectors: Mapping[str, Connector]) -> dict[Stream, ObjectSpec]:
    """What each connector knows of the configured objects; an unknown object is a configuration error."""
    found: dict[Stream, ObjectSpec] = {}
    problems: list[Problem] = []
    for name, connection in config.connections.items():
        offered = connectors[name].objects()
        for object in connection.objects:
            if object in offered:
                found[(name, object)] = offered[object]
            else:
                allowed = ", ".join(sorted(offered))
                message = f"`{object}` is no object of {connection.connector}"
                problems.append(Problem(connection.file, 0, 0, message, "TU-CFG-040", allowed=allowed))
    if problems:
        raise ConfigError(problems)
    return found


def _fields(
    connector: Connector, stream: Stream, spec: ObjectSpec, notes: list[str]
) -> Mapping[str, FieldSpec] | None:
    """What the system says of its fields now; nothing where it does not, None where it cannot be asked."""
    if Capability.SCHEMA not in spec.capabilities:
        return {}
    try:
        return {one.name: one for one in connector.fields(stream[1])}
    except ConnectorError as error:
        notes.append(f"{stream[0]} {stream[1]}: field descriptions could not be read: {error}")
        return None


def _not_writable(policy: Policy, fields: Mapping[Stream, Mapping[str, FieldSpec]]) -> Iterator[str]:
    """Fields that are mapped outward and that their system does not let us write."""
    for stream, mapping in policy.mappings.items():
        for binding in mapping.bindings:
            spec = fields[stream].get(binding.remote)
            if spec is not None and not spec.writable and binding.direction is Direction.OUT:
                yield f"{' '.join(stream)}: `{binding.remote}` cannot be written there, so it is left alone"


def _not_kept(config: HubConfig, live: Mapping[Stream, Mapping[str, FieldSpec]]) -> Iterator[str]:
    """Consents that a file maps to what its system does not have, by what it says of itself."""
    for (name, object), specs in live.items():
        for rule in config.connections[name].objects[object].consent:
            if specs and rule.origin != "default" and not is_there(rule, specs):
                yield (
                    f"{name} {object}: there is no `{rule.remote}`, so opt-outs of"
                    f" {rule.channel}.{rule.purpose} neither reach it nor come from it: trueup check --live"
                )


def _upserts(config: HubConfig) -> dict[Stream, str]:
    """The field by which a repeated create finds what it made: where a system keeps the hub's own id, or a
    column that is mapped and unique there (`upsert_key`)."""
    found: dict[Stream, str] = {}
    for name, connection in config.connections.items():
        for object, rules in connection.objects.items():
            said = (rules.options.get("external_id_field"), rules.options.get("upsert_key"))
            field_name = next(filter(None, said), connection.options.get("external_id_field"))
            if field_name:
                found[(name, object)] = str(field_name)
    return found


def _pace(connection: Connection) -> Pace:
    listing = connection.schedule.full_listing
    return Pace(connection.guard_age, timedelta(seconds=listing) if listing else None)


def _decides_at_once(config: HubConfig) -> frozenset[str]:
    """Connections whose first load is judged by authority at once, not only filled."""
    return frozenset(
        name for name, connection in config.connections.items() if connection.first_load.value == "authority"
    )


def _allowances(config: HubConfig) -> list[Allowance]:
    """The vendors' own limits, and tighter ones of the configuration."""
    found: list[Allowance] = []
    for name, connection in config.connections.items():
        manifest = connector_kind(connection.connector).manifest
        limits = manifest.limits if manifest is not None else []
        found.extend(Allowance(name, one.calls, one.seconds, one.group) for one in limits if one.calls)
        if connection.budget.calls_per_day:
            found.append(Allowance(name, connection.budget.calls_per_day, 86_400.0, ACCOUNT))
        if connection.budget.calls_per_second:
            found.append(Allowance(name, connection.budget.calls_per_second, 1.0, ACCOUNT))
    return found
