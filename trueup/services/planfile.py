"""A saved plan: a file of JSON lines, one per entity, that `sync --plan` can hold against the world.

The first line says of which configuration and about whom it is and what it back-fills, the last what it
counts. It holds personal data: only its owner may read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from trueup.errors import NotFound
from trueup.model.calling import full_name
from trueup.model.covering import covered
from trueup.model.delivery import Delivery, Write
from trueup.model.jsontext import digest, dumps, loads
from trueup.model.plan import Case, Plan
from trueup.model.record import Json
from trueup.services.backfilling import read_by
from trueup.services.ownfile import check_free, own_file
from trueup.services.scope import Scope
from trueup.sync.rules.backfill import Backfill, read_reason
from trueup.sync.rules.lanes import write_digest

FORMAT = 1
HUB = "hub"
"""Stands in place of a connection for what a back-fill changes in the hub."""


def key_of(case: Case) -> str:
    """What an entity is called in a plan: the first of its records; new contacts have no other name yet."""
    return min(_records(case), default=case.entity.public_id)


def names_of(case: Case) -> set[str]:
    """What a plan that was saved before may call this entity: another record may have been the first of them,
    or the only one."""
    return {case.entity.public_id, *_records(case)}


def _records(case: Case) -> list[str]:
    return [f"{link.connection}/{link.object}/{link.remote_id}" for link in case.links if link.remote_id]


def digests(case: Case, plan: Plan, fills: Sequence[Backfill] = ()) -> tuple[str, ...]:
    """What a plan would write to which records, and what a back-fill would change in the hub, in a comparable
    form."""
    records = {link.id: link.remote_id for link in case.links}
    writes = [
        f"{one.connection}/{one.object}/{digest([records.get(one.link_id), write_digest(one)])}"
        for one in plan.writes
    ]
    return tuple(sorted([*writes, *(f"{HUB}/{one.field}/{digest(one.new)}" for one in read_by(plan, fills))]))


@dataclass(slots=True)
class PlanWriter:
    """Writes a plan entity by entity; use it as a context."""

    path: Path
    config_version: str
    at: str
    scope: Scope = Scope()
    fills: Sequence[Backfill] = ()
    _open: ExitStack = field(default_factory=ExitStack)
    _file: BinaryIO | None = None
    _count: int = 0

    def __enter__(self) -> PlanWriter:
        """Raises NotOurs when something else than a plan stands at this path."""
        check_free(self.path, _begins_a_plan, "a plan")
        self._file = self._open.enter_context(own_file(self.path))
        fills = [one.reason for one in self.fills]
        about = {"only": self.scope.only, "limit": self.scope.limit}
        head = {"trueup_plan": FORMAT, "config": self.config_version, "at": self.at}
        self._line({**head, "about": about, "backfill": fills})
        return self

    def add(self, case: Case, plan: Plan) -> None:
        """One entity, also one of which nothing would be written: it is decided with the plan. Its writes
        bear the fuses that they met."""
        planned = digests(case, plan, self.fills)
        self._count += 1
        self._line(
            {
                "key": key_of(case),
                "entity": case.entity.public_id if case.entity.id > 0 else None,
                "revision": case.entity.revision,
                "links": [[*link.stream, link.remote_id, link.rev] for link in case.links],
                "digests": list(planned),
                "name": full_name(plan.entity.values),
                "email": plan.entity.values.get("email") or "",
                "writes": [write_document(one, case) for one in plan.writes],
                "withheld": [write_document(one, case) for one in plan.withheld],
                "aside": list(_aside(case, plan)),
            }
        )

    def add_unsent(self, case: Case, deliveries: Sequence[Delivery]) -> None:
        """Writes that earlier runs decided: for readers. A sync sends them with or without this plan."""
        self._line(
            {
                "entity": case.entity.public_id,
                "name": full_name(case.entity.values),
                "email": case.entity.values.get("email") or "",
                "unsent": [{**write_document(one.write, case), "run": one.run_id} for one in deliveries],
            }
        )

    def end(self, held: Iterable[tuple[str, str]]) -> None:
        """Everything is added. `held`: where fuses would hold back all that bears their name, by (connection,
        gate)."""
        self._line({"entities": self._count, "held": sorted(held)})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def _line(self, value: Mapping[str, Json]) -> None:
        assert self._file is not None
        self._file.write(f"{dumps(value)}\n".encode())


def _begins_a_plan(line: bytes) -> bool:
    return b'"trueup_plan":' in line


def _aside(case: Case, plan: Plan) -> Iterator[dict[str, Json]]:
    """The values that a plan leaves out: in records that are there and, with `record` None, in new ones."""
    links = {link.id: link for link in case.links}
    known = [(links[patch.link_id], patch.quarantine) for patch in plan.links]
    found = [(link.connection, link.object, link.remote_id, aside) for link, aside in known]
    found += [(one.connection, one.object, None, one.aside) for one in plan.writes]
    for connection, object, record, aside in found:
        for key, why in sorted(aside.items()):
            place = {"connection": connection, "object": object, "record": record, "field": key}
            yield {**place, "why": f"{covered(why.reason)} [{why.code}]"}


def write_document(write: Write, case: Case) -> dict[str, Json]:
    """A write as a saved plan tells of it.

    `record`: the id of the record that is written to, None for one to be made; `gate`: the fuse that it met.
    """
    return {
        "connection": write.connection,
        "object": write.object,
        "record": next((link.remote_id for link in case.links if link.id == write.link_id), None),
        "kind": write.kind.value,
        "lane": write.lane.value,
        "gate": write.gate,
        "values": dict(write.values),
        "replaces": dict(write.replaced),
        "effects": {key: effect.value for key, effect in write.effects.items()},
    }


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan as read from its file: what each entity was going to write."""

    config_version: str
    at: str
    scope: Scope = Scope()
    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fills: tuple[Backfill, ...] = ()


def read_plan(path: Path) -> SavedPlan:
    """A saved plan. Raises NotFound when the file is missing, no plan, or cut off."""
    if not path.is_file():
        raise NotFound(f"there is no plan file {path}")
    lines = list(_lines(path))
    if not lines or lines[0].get("trueup_plan") != FORMAT:
        raise NotFound(f"{path} is not a plan that `trueup plan --out` has written")
    if "entities" not in lines[-1]:
        raise NotFound(f"{path} is cut off: its last line is missing; make the plan again")
    entities = {str(line["key"]): tuple(line["digests"]) for line in lines[1:-1] if "key" in line}
    fills = [read_reason(reason) for reason in lines[0]["backfill"]]
    return SavedPlan(
        str(lines[0]["config"]),
        str(lines[0]["at"]),
        Scope(**lines[0]["about"]),
        entities,
        tuple(one for one in fills if one is not None),
    )


def _lines(path: Path) -> Iterator[dict[str, Json]]:
    with path.open("rb") as file:
        for line in file:
            try:
                yield loads(line.decode())
            except ValueError:
                yield {}


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the world has moved from a saved plan. `planned`: entities that it writes, or would now;
    `writes`: how many of its writes still hold, by (connection, object)."""

    equal: frozenset[str]
    outdated: Sequence[str]
    planned: int
    writes: Mapping[tuple[str, str], int]

    @property
    def share(self) -> float:
        return len(self.outdated) / self.planned if self.planned else 0.0


def drift(saved: SavedPlan, now: Mapping[str, tuple[str, ...]]) -> Drift:
    """Which entities of a saved plan would still be written just so."""
    equal = frozenset(key for key, planned in saved.entities.items() if now.get(key, ()) == planned)
    outdated = sorted(key for key in saved.entities if key not in equal)
    written = sum(1 for key, planned in saved.entities.items() if planned or key not in equal)
    return Drift(equal, outdated, written, _writes(saved, equal))


def without(saved: SavedPlan, moved: Drift, some: Set[str]) -> Drift:
    """The same with these among the outdated."""
    equal = moved.equal - some
    return replace(
        moved,
        equal=equal,
        outdated=sorted({*moved.outdated, *some}),
        writes=_writes(saved, equal),
    )


def _writes(saved: SavedPlan, equal: Set[str]) -> Mapping[tuple[str, str], int]:
    return Counter(place for key in equal for place in map(_place, saved.entities[key]) if place[0] != HUB)


def _place(digest: str) -> tuple[str, str]:
    connection, _, object = digest.rpartition("/")[0].partition("/")
    return connection, object
