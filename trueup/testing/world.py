"""A simulated world: the real engine over simulated systems, one thread, one seeded history.

Workers are greenlets: whoever is at work is at one of its ports, and only there the world acts, pauses or
kills it. The same plan gives the same journal, byte for byte.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from greenlet import getcurrent, greenlet

from trueup.errors import ConnectorError, Held, LeaseLost, PlanDrifted, Transient, TrueupError
from trueup.model.delivery import DeliveryState
from trueup.model.plan import Case
from trueup.model.record import Ref
from trueup.model.run import RunOutcome
from trueup.ports import Store
from trueup.store.codec import id_of
from trueup.store.migrate import empty
from trueup.store.open import open_store
from trueup.sync import inbox
from trueup.sync.engine import Order, Report, run
from trueup.sync.parts import Parts
from trueup.sync.rules.backfill import Way
from trueup.sync.rules.guard import DEFAULT_FUSES, Fuse
from trueup.sync.rules.policy import Stream
from trueup.testing.firms import FIRM_ACTS, Firms
from trueup.testing.hub import LISTED_EVERY, parts_for
from trueup.testing.operating import Operator, Told
from trueup.testing.people import People
from trueup.testing.plan import Event, Plan
from trueup.testing.ports import STEP, Crash, DatabaseFails, WorldClock
from trueup.testing.saving import apply, fill_back, save
from trueup.testing.sorts import COMPANIES, PEOPLE
from trueup.testing.system import System
from trueup.testing.traits import FIELDS, plain_address
from trueup.testing.turning import Turning
from trueup.testing.vocabulary import OBJECT, manifest_of
from trueup.testing.wire import Fault, Wire

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CYCLES = 20
TIGHT = 2
"""So many writes a tight fuse lets through in one run."""
_WIDE = {name: Fuse(1_000_000) for name in DEFAULT_FUSES}
_QUIET = (RunOutcome.COMPLETED, RunOutcome.WITH_ERRORS)


@dataclass(slots=True)
class Worker:
    """A process: what it works with, at which of its steps it is, and what its plan has for it. `late`: it
    stood still, and has not asked the store since, which would tell it that others went on without it."""

    name: str
    parts: Parts | None = None
    task: greenlet | None = None
    steps: int = 0
    dead: bool = False
    paused: bool = False
    late: bool = False
    event: Event = field(default_factory=lambda: Event("run"))


@dataclass(slots=True)
class Watch:
    """Who looks on: told after every step of a worker, what the hub asks of a system, and what it stores."""

    stepped: Callable[[World, Worker, str], None] = lambda world, worker, what: None
    asked: Callable[[World, Stream, str, object], None] = lambda world, stream, route, body: None
    stored: Callable[[World, str, tuple[Any, ...], Any], None] = lambda world, verb, given, answer: None


class World:
    """One history while it happens. `violations`: what was found wrong, with the place in the journal;
    `saved`: where its people save a plan."""

    def __init__(self, plan: Plan, store: Store, folder: Path, watch: Watch | None = None) -> None:
        self.plan, self.store, self.watch = plan, store, watch or Watch()
        self.saved = folder / "the.plan"
        self.clock = WorldClock(START)
        self.journal: list[str] = []
        self.violations: list[str] = []
        self.seen: Counter[str] = Counter()
        self.reports: list[Report] = []
        self.people: dict[str, str] = {}
        self.at_work: Worker | None = None
        self.told: list[Told] = []
        self.allowed: set[int] = set()  # writes that a person let through, by id
        self.given_up: dict[int, datetime] = {}  # and that a person discarded, with when that was
        self.meanwhile: set[int] = set()  # acts while a run was under way, by place
        self.belated: list[tuple[Stream, Any]] = []  # requests before which a process stood still
        self.config = Turning(plan.systems, self.clock.now, self.seen)
        self.manifests = {one.name: manifest_of(one, STEP if plan.unsteady else 0.0) for one in plan.systems}
        count = itertools.count(1)
        self.companies = {
            one.name: System(one, self.clock.now, count, COMPANIES) for one in plan.systems if one.companies
        }
        self.systems = {
            one.name: System(one, self.clock.now, count, PEOPLE, self.companies.get(one.name))
            for one in plan.systems
        }
        self.all = (*self.systems.values(), *self.companies.values())
        self.assigned: dict[tuple[str, str], datetime] = {}  # since when a record is somebody's
        self.wires = {name: self._wired(name) for name in self.systems}
        self.somebody = People(self.systems, self.people, self.seen)
        self.firms = Firms(self.systems, self.people, self.seen)
        self.operator = Operator(self)
        self.workers: dict[int, Worker] = {}
        self._processes = itertools.count(1)
        self._killed: set[str] = set()
        self._world = getcurrent()
        self.clock.passed, self.clock.next_due = self._time_passed, self._next_due

    # -- what happens -------------------------------------------------------------------------------------

    def live(self) -> None:
        """Carry out the plan, then let everything come to rest."""
        for event in self.plan.events:
            self.do(event)
        self.rest()

    def do(self, event: Event) -> None:
        self.note(f"{event.document()}")
        match event.do:
            case "wait":
                self.clock.advance(event.seconds)
            case "clock":
                self.clock.step(event.seconds)
                self.seen["hub clock step"] += 1
            case "fault":
                self._at(event).plan(Fault(event.route, event.nth, event.what))
            case "turn":
                self.config.turn(event)
            case "remap":
                self.config.remap(event)
            case "storm":
                for wire in self.wires.values():
                    wire.plan(Fault(event.route, event.nth, event.what))
                self.seen["storm"] += 1
            case "forge":
                self._forge(event)
            case "grant":
                self._at(event).grant()
            case "run" | "plan" | "apply":
                self._run(event)
            case "resume":
                self._resume(event.worker)
            case "release":
                self.operator.release()
            case "operator":
                self.operator.operate(event)
            case what if what in FIRM_ACTS:
                self.firms.live(event)
            case _:
                self.somebody.live(event)
        self.clock.advance(0.25)
        for system in self.all:
            self._listen(system, system.hinted())

    def rest(self) -> None:
        """Faults and edits have stopped: resume who stands still, and sync until nothing is written. A person
        accepts what is missing: no system lies any more."""
        self.clock.off = 0.0
        self.config.back()
        for wire in self.wires.values():
            wire.forgive()
        for system in self.all:
            system.mend()
        for number in sorted(self.workers):
            self._resume(number)
        self.config.back()  # what Ann did while they went on
        self.operator.release()
        self.operator.retry()
        self._come_to_rest()
        for way in Way.PULL, Way.PUSH:
            if any(self.config.back_fills(way)):
                began = self.clock.now()
                self._run(Event("fill back", worker=99, what=way.value))
                self.config.filled(way, began)
                self._come_to_rest()

    def list_again(self) -> None:
        """Wait until everything is due to be listed again, and sync until nothing is written."""
        self.clock.advance(LISTED_EVERY.total_seconds())
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        for _ in range(CYCLES):
            self.clock.advance(2 * 86_400.0)
            before = self.writes()
            self.operator.approve()
            self.operator.accept()
            self.operator.retry_new()
            report = self.sync()
            if self.writes() == before and report is not None and report.outcome in _QUIET:
                return
        self.violations.append(f"silence: no rest after {CYCLES} cycles: {self.complaints()}")

    def sync(self) -> Report | None:
        """One undisturbed run over everything."""
        before = len(self.reports)
        self._run(Event("run", worker=99, of=tuple(range(len(self.plan.systems)))))
        return self.reports[-1] if len(self.reports) > before else None

    def contacts(self) -> list[str]:
        """The public ids of everybody of whom some record was read, in a settled order."""
        return self.known(self.systems)

    def known(self, systems: Mapping[str, System]) -> list[str]:
        """The same of those whose records these are."""
        refs = [Ref(name, one.sort.object, id) for name, one in systems.items() for id in one.rows]
        return sorted(set(self.store.resolve(refs).values()), key=lambda id: (len(id), id))

    def everybody(self) -> list[tuple[str, Case]]:
        """Each of them with all that the hub holds of them."""
        ids = self.contacts()
        cases = {case.entity.id: case for case in self.store.load([id_of(id) for id in ids])}
        return [(id, cases[id_of(id)]) for id in ids]

    def writes(self) -> int:
        return sum(1 for system in self.all for act in system.acts if act.by == "hub")

    def complaints(self) -> list[str]:
        """What a person would look at when things do not come to rest."""
        states = [one for one in DeliveryState if one not in (DeliveryState.DONE, DeliveryState.SUPERSEDED)]
        open_ones = self.store.deliveries(states, None, 20)
        said = [
            f"{one.write.connection} {one.state} {one.error} {dict(one.write.values)}" for one in open_ones
        ]
        last = [f"{one.outcome} {one.failed} {one.held} {one.tally.notes[:3]}" for one in self.reports[-1:]]
        return [*last, *said]

    def note(self, text: str) -> None:
        self.journal.append(f"{self.clock.now().isoformat()} {text}")

    def digest(self) -> str:
        """Of the whole journal: equal for equal histories."""
        return hashlib.blake2b("\n".join(self.journal).encode(), digest_size=16).hexdigest()

    # -- the hub ------------------------------------------------------------------------------------------

    def _run(self, event: Event) -> None:
        worker = self.workers.get(event.worker)
        if worker is not None and worker.paused:
            self._resume(event.worker)
            return
        worker = Worker(f"w{event.worker}-{next(self._processes)}", event=event)
        self.workers[event.worker] = worker
        worker.task = greenlet(lambda: self._at_work(worker, event))
        self._switch_to(worker)

    def _resume(self, number: int) -> None:
        worker = self.workers.get(number)
        if worker is not None and worker.paused:
            worker.paused = False
            self.seen["resumed"] += 1
            self._switch_to(worker)

    def _listen(self, system: System, ids: Sequence[str]) -> None:
        """The process that hears hints looks up what they name; it stores that, and decides nothing. Nobody
        listens before the first run, and what cannot be read now is lost."""
        name, object = system.traits.name, system.sort.object
        if not ids or not self.workers or self.config.lacks(name):
            return
        if self.store.stream(name, object).listed_at is None:
            self.seen["hint before the first listing"] += len(ids)
            return  # which reads everybody as they are then, and tells who is gone by whom it lacks
        self.note(f"{name} hints at {', '.join(ids)}")
        self.seen["hint"] += len(ids)
        self.seen["hint twice"] += len(ids) - len(set(ids))
        self.seen["hint of nobody"] += sum(id not in system.rows for id in ids)
        before, worker = self.at_work, Worker(f"h{next(self._processes)}")
        worker.parts = self._parts(worker)
        with self._survived(worker):
            try:
                inbox.reread(worker.parts, (name, object), list(ids), None)
            except ConnectorError:
                self.seen["hint that could not be read"] += 1
        self.at_work = before

    def _forge(self, event: Event) -> None:
        """Hints that no system sent: of nobody, and of whoever is there."""
        system = self.systems[self.plan.systems[event.at % len(self.plan.systems)].name]
        known = sorted(system.rows)[event.pick % max(1, len(system.rows)) :][:1]
        self.seen["hint forged"] += event.other
        self._listen(system, [f"forged-{number}" for number in range(event.other)] + known)

    def _parts(self, worker: Worker) -> Parts:
        ways = {name: (self.manifests[name], self.wires[name]) for name in self.config.names()}
        point = self._point_of(worker)
        parts = parts_for(worker.name, ways, self.config.policy, self.store, self.clock, point, self._stored)
        return _with_fuses(parts, self.plan.tight, self._ended)

    def _switch_to(self, worker: Worker) -> None:
        assert worker.task is not None
        worker.task.parent = getcurrent()
        worker.task.switch()

    def _at_work(self, worker: Worker, event: Event) -> None:
        with self._survived(worker):
            worker.parts = self._parts(worker)
            report = self._carried_out(worker.parts, event)
            if report is not None:
                self.reports.append(report)
                self.note(f"{worker.name} {report.outcome} {sorted(report.tally.flat().items())}")

    def _carried_out(self, parts: Parts, event: Event) -> Report | None:
        """What a process is started for: to sync, to save a plan, or to apply the one that was saved."""
        if event.do == "plan":
            save(parts, self.saved)
            return None
        if event.do == "apply":
            return self._applied(parts)
        if event.do == "fill back":
            return fill_back(parts, self.saved, list(self.config.back_fills(Way(event.what))))
        names = [self.plan.systems[place % len(self.plan.systems)].name for place in event.of]
        some = tuple(name for name in dict.fromkeys(names) if name in parts.connectors)
        return run(parts, Order(some, user="ann", approve_first=True))

    def _applied(self, parts: Parts) -> Report | None:
        if not self.saved.exists():
            self.seen["no plan to apply"] += 1
            return None
        report = apply(parts, self.saved)
        self.seen["applied"] += 1
        return report

    @contextmanager
    def _survived(self, worker: Worker) -> Iterator[None]:
        """What may end a run without being a mistake of the hub."""
        try:
            yield
        except Crash:
            self.seen["crash"] += 1
            self.seen["crash in doubt"] += bool(self.store.deliveries([DeliveryState.SENT], None, 1))
            self.note(f"{worker.name} was killed at step {worker.steps}")
        except (Held, LeaseLost, PlanDrifted, Transient, DatabaseFails) as error:
            self.seen[type(error).__name__] += 1
            self.note(f"{worker.name} {type(error).__name__}")
        except TrueupError as error:
            self.violations.append(f"run ends: {worker.name} ended with {type(error).__name__}: {error}")
        except Exception as error:  # the hub itself is on trial here
            self.violations.append(f"run ends: {worker.name} ended with {type(error).__name__}: {error}")

    def _point_of(self, worker: Worker) -> Callable[[str, str], None]:
        def point(phase: str, what: str) -> None:
            if worker.dead:
                raise Crash
            worker.steps += 1
            self.at_work = worker
            self.note(f"{worker.name} {worker.steps} {phase} {what}")
            for step, event in worker.event.during:
                if step == worker.steps:
                    made = self._acts()
                    self.do(event)
                    self.meanwhile.update(range(made + 1, self._acts() + 1))
                    self.at_work = worker
            if phase == "after":
                worker.late = worker.late and "/" in what
                self.watch.stepped(self, worker, what)
            if worker.steps == worker.event.crash:
                worker.dead = True
                self._killed.add(worker.name)
                raise Crash
            if worker.steps == worker.event.fail and not ("/" in what or what == "sleep"):
                self.seen["database fails"] += 1
                raise DatabaseFails(f"the database fails {phase} {what}")
            if worker.steps == worker.event.pause:
                worker.paused = True
                assert worker.task is not None and worker.task.parent is not None
                worker.task.parent.switch()
                self.at_work, worker.late = worker, True

        return point

    def _stored(self, verb: str, given: tuple[Any, ...], answer: Any) -> None:
        """Remember which versions of which records the hub has in its store."""
        self.watch.stored(self, verb, given, answer)
        if verb == "land":
            for record in given[0].records:
                self._reached(given[0].connection, given[0].object, record.version)
        elif verb == "settle":
            for one in given[0]:
                if one.version is not None:
                    write = self.store.delivery(one.delivery_id).write
                    self._reached(write.connection, write.object, one.version)
        elif verb == "commit" and self.at_work is not None and self.at_work.parts:
            self.config.decided(self.store, self.at_work.parts.policy, given[0])
        elif verb == "assign":
            for link in self.store.links([one.link_id for one in given[0]]):
                if link.entity_id is not None:
                    self.assigned.setdefault((link.connection, link.remote_id or ""), self.clock.now())

    def _reached(self, name: str, object: str, version: str | None) -> None:
        held = self.systems if object == OBJECT else self.companies
        for row in held[name].rows.values():
            if version is not None and any(one.number == int(version) for one in row.versions):
                blind = frozenset(one for one in held[name].drifts if not held[name].tells(one))
                row.reaches(int(version), blind | self._unmapped(name, object), self.clock.now())

    def _unmapped(self, name: str, object: str) -> frozenset[str]:
        """The fields that whoever is at work does not ask this system for."""
        by = self.at_work
        mapping = by.parts.policy.mappings.get((name, object)) if by and by.parts else None
        return frozenset(FIELDS).difference(mapping.remote_fields) if mapping else frozenset()

    def _ended(self, name: str) -> bool:
        """Whether the process of this name has certainly ended, as one on the same machine can tell."""
        return name in self._killed and not self.plan.apart

    # -- inside -------------------------------------------------------------------------------------------

    def _at(self, event: Event) -> Wire:
        return self.wires[self.plan.systems[event.at % len(self.plan.systems)].name]

    def _wired(self, name: str) -> Wire:
        wire = Wire(self.systems[name], self.clock.now, self._person_of)
        wire.arriving = lambda object, route, body: self._arrives((name, object), route, body)
        return wire

    def _person_of(self, address: str) -> str:
        return self.people.get(plain_address(address), f"?{address}")

    def _acts(self) -> int:
        """How many there were so far; the place of the last one."""
        return sum(len(system.acts) for system in self.all)

    def _arrives(self, stream: Stream, route: str, body: object) -> None:
        by = self.at_work
        if by is not None and by.late:
            self.belated.append((stream, body))
        self.watch.asked(self, stream, route, body)

    def _next_due(self) -> datetime | None:
        """When the next request lands late, or the next workflow goes to work."""
        late = (at for wire in self.wires.values() for at in wire.due())
        rewrites = (at for system in self.all for at in system.due())
        return min((*late, *rewrites), default=None)

    def _time_passed(self) -> None:
        for wire in self.wires.values():
            wire.land_late()
        for system in self.all:
            system.automations()


def _with_fuses(parts: Parts, tight: bool, ended: Callable[[str], bool]) -> Parts:
    fuses = {name: Fuse(TIGHT) for name in DEFAULT_FUSES} if tight else _WIDE
    return replace(parts, fuses=fuses, ended=ended)


@contextmanager
def lived(plan: Plan, folder: Path, watch: Watch | None = None) -> Iterator[World]:
    """The world after the whole history of a plan, on a new store in `folder` that is open meanwhile."""
    file = folder / "world.sqlite"
    file.write_bytes(empty())
    with lived_on(f"sqlite:///{file}", plan, folder, watch) as world:
        yield world


@contextmanager
def lived_on(url: str, plan: Plan, folder: Path, watch: Watch | None = None) -> Iterator[World]:
    """The same on the empty database at `url`; files go to `folder`."""
    store = open_store(url)
    try:
        world = World(plan, store, folder, watch)
        world.live()
        yield world
    finally:
        store.close()
