"""Hubs over systems in memory for the demands: any number of objects, words, formats and rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.sync.memory import Chance, Clock, Memory
from tests.sync.small_hub import Always, SmallHub, rules
from trueup.connectors.base import Connector, GoneItem, ObjectSpec, Outcome, WebhookRequest, WriteItem
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, FieldRule, ObjectRules
from trueup.model.canonical import Locale
from trueup.model.delivery import DeliveryState
from trueup.model.fields import TABLES, Field, Kind
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record
from trueup.model.values import Value
from trueup.ports import Store
from trueup.store.open import open_store
from trueup.sync.parts import Parts
from trueup.sync.rules.guard import Fuse
from trueup.sync.rules.policy import Condition, FieldPolicy, Policy, Stream

OPT_OUT = ConsentRule("email", "marketing", "no_mail", opted_out=True)
"""A tick that means: no marketing by e-mail."""

DOCUMENTED = ConsentRule("email", "marketing", "subscription", evidence=("time", "source"))
"""A subscription that can prove when and where somebody agreed."""

Judged = Callable[[Kind, str], FieldPolicy]


@dataclass
class Several:
    """A system with several objects, each of them a Memory. What has a successor was converted into a record
    of the object `converts_to`, where there is such a one."""

    rooms: Mapping[str, Memory]
    converts_to: str | None = None

    def __getitem__(self, object: str) -> Memory:
        return self.rooms[object]

    @property
    def written(self) -> list[WriteItem]:
        return [item for room in self.rooms.values() for item in room.written]

    def objects(self) -> Mapping[str, ObjectSpec]:
        return {name: room.objects()[name] for name, room in self.rooms.items()}

    def whoami(self) -> str:
        return "a system of several objects in memory"

    def fields(self, object: str) -> Sequence[FieldSpec]:
        return []

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        page = self.rooms[object].pull(object, reading, cursor, fields)
        return replace(page, records=tuple(self._pointing(one) for one in page.records))

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Any]:
        return [self._pointing(one) for one in self.rooms[object].read(object, ids, fields)]

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        return self.rooms[object].find(object, key, values, fields)

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        return [self._pointing(one) for one in self.rooms[object].write(object, items, fields)]

    def _pointing(self, one: Any) -> Any:
        if isinstance(one, Record | GoneItem) and one.successor is not None:
            return replace(one, successor_object=self.converts_to)
        return one

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        return self.rooms[object].poll(object, job, items)

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        return []

    def close(self) -> None:
        return None


@dataclass(frozen=True)
class Setting:
    """How a hub is set up, beyond its systems. Everything is keyed by connection or by stream.

    `order` is the rank of the connections, strongest first; `judged` overrules it per field.
    """

    objects: Sequence[tuple[str, ObjectRules]] = ()
    order: Sequence[str] = ()
    create: Sequence[str] = ()
    conditions: Mapping[Stream, Condition] = field(default_factory=dict)
    take: Mapping[Stream, Condition] = field(default_factory=dict)
    locales: Mapping[str, Locale] = field(default_factory=dict)
    specs: Mapping[Stream, Mapping[str, FieldSpec]] = field(default_factory=dict)
    extra: Sequence[Field] = ()
    judged: Judged | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)
    version: str = "v1"


def tables_with(extra: Sequence[Field]) -> dict[Kind, Mapping[str, Field]]:
    """The field tables with custom fields of contacts."""
    return {**TABLES, Kind.CONTACT: {**TABLES[Kind.CONTACT], **{one.name: one for one in extra}}}


def policy_of(systems: Mapping[str, Any], setting: Setting) -> Policy:
    """The compiled configuration of these systems."""
    objects = setting.objects or [(name, rules(system.name)) for name, system in systems.items()]
    streams = {(name, one.name): one for name, one in objects}
    tables = tables_with(setting.extra)
    ranked = tuple(setting.order or systems)
    mappings = {
        stream: compile_mapping(
            stream[0],
            one,
            tables[one.kind],
            setting.locales.get(stream[0], Locale()),
            setting.specs.get(stream, {}),
        )
        for stream, one in streams.items()
        if one.kind is not None
    }

    def judged(kind: Kind, name: str) -> FieldPolicy:
        return FieldPolicy(tables[kind][name].strategy, lambda stage: ranked)

    create: dict[Stream, Condition] = {one: Always() for one in mappings if one[0] in setting.create}
    return Policy(
        tables=tables,
        fields=setting.judged or judged,
        mappings=mappings,
        rules=streams,
        create={**create, **setting.conditions},
        take=setting.take,
        config_version=setting.version,
    )


def hub_of(
    folder: Path, clock: Clock, systems: Mapping[str, Any], setting: Setting, store: Store | None = None
) -> SmallHub:
    """A hub over these systems, as set."""
    policy = policy_of(systems, setting)
    specs = {stream: systems[stream[0]].objects()[stream[1]] for stream in policy.rules}
    store = store or new_store(folder)
    connectors: Mapping[str, Connector] = dict(systems)
    return SmallHub(systems, store, Parts(store, connectors, specs, policy, clock, Chance(), **setting.parts))


@lru_cache(maxsize=1)
def _empty_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hub.sqlite"
        open_store(f"sqlite:///{path}").close()
        return path.read_bytes()


def new_store(folder: Path) -> Store:
    """An empty store in a file of this folder; its schema is made once and copied."""
    path = folder / "hub.sqlite"
    path.write_bytes(_empty_database())
    return open_store(f"sqlite:///{path}")


def with_fuse(hub: SmallHub, **fuses: Fuse) -> None:
    """Give the hub other fuses."""
    hub.parts = replace(hub.parts, fuses={**hub.parts.fuses, **fuses})


# -- people ---------------------------------------------------------------------------------------


def ann(**more: Json) -> dict[str, Json]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


def person(number: int, **more: Json) -> dict[str, Json]:
    """Somebody whose name and address nobody else has."""
    return {
        "email": f"p{number}@example.com",
        "first_name": f"First{number}",
        "last_name": f"Last{number}",
        **more,
    }


class When:
    """A condition met while a field of the contact holds a value."""

    def __init__(self, name: str, value: Value) -> None:
        self.name, self.value = name, value

    def met(self, values: Mapping[str, Value], now: datetime) -> Any:
        from tests.sync.small_hub import Said

        return Said(values.get(self.name) == self.value, f"{self.name} is not {self.value}")

    def next_change(self, values: Mapping[str, Value], now: datetime) -> datetime | None:
        return None


# -- looking --------------------------------------------------------------------------------------


def told(system: Memory, path: str) -> list[Json]:
    """What the living records of a system hold in one field, in the order of their ids."""
    living = system.living()
    return [living[id].get(path) for id in sorted(living, key=int)]


def contacts(hub: SmallHub, kind: Kind = Kind.CONTACT) -> dict[str, Mapping[str, Value]]:
    """The values of every entity of a kind that has a living record, by public id."""
    found: dict[str, Mapping[str, Value]] = {}
    for number in range(1, 2000):
        for case in hub.store.load([number]):
            if case.entity.kind is kind and any(link.remote_id for link in case.links):
                found[case.entity.public_id] = case.entity.values
        if number > 400 and not found:
            break
    return found


def public(hub: SmallHub, text: str, kind: Kind = Kind.CONTACT) -> str:
    """The public id of the one entity that this text finds."""
    (found,) = hub.store.find(kind, text, 10)
    return found


def links(hub: SmallHub, text: str) -> set[tuple[str, str, str | None]]:
    """(connection, object, remote id) of every link of a contact, tombstones apart."""
    case = hub.store.case(public(hub, text))
    return {(*link.stream, link.remote_id) for link in case.links if link.state.value != "tombstone"}


def parked(hub: SmallHub) -> list[str]:
    """Why pending writes wait for a person."""
    return [one.error for one in hub.store.deliveries([DeliveryState.PARKED], None, 10_000)]


def aside(hub: SmallHub, connection: str | None = None) -> dict[str, str]:
    """Fields set aside, with the reason."""
    return {key: why.reason for _, key, why in hub.store.quarantined(connection, 10_000)}


def until_quiet(hub: SmallHub, clock: Clock, most: int = 6) -> None:
    """Sync until a run writes nothing; it is a failure if there is no end to it."""
    for _ in range(most):
        clock.sleep(timedelta(minutes=20).total_seconds())
        before = written(hub)
        hub.sync()
        if written(hub) == before:
            return
    raise AssertionError(f"still writing after {most} runs")


def written(hub: SmallHub) -> int:
    return sum(len(system.written) for system in hub.systems.values())


def mapped(*pairs: str | FieldRule, **renamed: str) -> list[FieldRule]:
    """Field rules: names as they are, and `ours=theirs`."""
    same = [one if isinstance(one, FieldRule) else FieldRule(one, one) for one in pairs]
    return same + [FieldRule(ours, theirs) for ours, theirs in renamed.items()]
