"""What must hold at every step of a worker: checked while a history happens, not only at its end.

I1 to I7 of the plan of assurance; each violation names its check and the step in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from trueup.connectors.stamps import EPOCH, floor_stamp, parse_stamp
from trueup.model.consent import ConsentState
from trueup.model.delivery import DeliveryState
from trueup.model.record import Json
from trueup.model.run import Fence
from trueup.services.opting_out import HEARD
from trueup.sync.rules.policy import Stream
from trueup.testing.consents import MAIL, may_be_lifted, said
from trueup.testing.findings import lied
from trueup.testing.promises import Everybody, Fences, Fuses, Stages, allowed, one_primary
from trueup.testing.saving import Applying, planned, says_all
from trueup.testing.system import HUB_ID, System
from trueup.testing.vocabulary import OBJECT
from trueup.testing.world import Watch, Worker, World

Intent = tuple[str, str | None, Mapping[str, Json]]
"""A write that was stored as sent: the system, the record (None: a new one), and what it says."""
STEP_CHECKS = (
    *(
        "cursor safety",
        "versions are of their record",
        "opt-outs only tighten",
        "stages only climb",
        "one primary",
    ),
    *("fuses hold", "no effect without intent", "only what is allowed", "nothing beyond the plan", "fencing"),
)
"""All of them: a soak fails where one was never asked."""
_CHANGES = ("land", "settle", "commit", "assign")


@dataclass(slots=True)
class Invariants:
    """The checks, with what they have to remember: who is `out`, every write that was `sent`. `asked`: how
    often each was asked."""

    asked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEP_CHECKS, 0))
    out: set[str] = field(default_factory=set)
    sent: list[Intent] = field(default_factory=list)
    stages: Stages = field(default_factory=Stages)
    fences: Fences = field(default_factory=Fences)
    fuses: Fuses = field(default_factory=Fuses)
    applying: Applying = field(default_factory=Applying)

    def watch(self) -> Watch:
        return Watch(self.stepped, self.arrived, self.stored)

    def stepped(self, world: World, worker: Worker, what: str) -> None:
        """After a verb of the store: what it may have broken."""
        if what == "send":
            self.sent += [one for one in intents(world) if one not in self.sent]
            self._ask(world, worker, "fuses hold", self.fuses.after_send(world, worker.name))
        if what not in _CHANGES:
            return
        if what == "land":
            self._ask(world, worker, "cursor safety", cursor_safety(world))
            return
        everybody = world.everybody()
        companies = [(id, world.store.case(id)) for id in world.known(world.companies)]
        of_their_record = versions_are_of_their_record(world, [*everybody, *companies])
        self._ask(world, worker, "versions are of their record", of_their_record)
        if what != "commit":
            return
        self._ask(world, worker, "opt-outs only tighten", self._opt_outs(world, everybody))
        self._ask(world, worker, "stages only climb", self.stages.after_commit(everybody))
        self._ask(world, worker, "one primary", one_primary([*everybody, *companies]))

    def arrived(self, world: World, stream: Stream, route: str, body: object) -> None:
        """As a request reaches a system."""
        if route in ("create", "update", "upsert") and isinstance(body, Mapping):
            system = stream[0]
            known = list(intents(world))
            if world.at_work is not None and world.at_work.late:
                known += self.sent
            self._ask(world, None, "no effect without intent", intended(known, system, route, body))
            self._ask(world, None, "only what is allowed", allowed(world, stream, route, body))
            if _applies(world):
                sent = world.store.deliveries([DeliveryState.SENT], system, 1_000)
                by_plan = self.applying.beyond(planned(world.saved), system, sent, route, body)
                self._ask(world, None, "nothing beyond the plan", by_plan)

    def stored(self, world: World, verb: str, given: tuple[Any, ...], answer: Any) -> None:
        """As something is stored."""
        if verb == "commit" and _applies(world):
            self.applying.committed(given[0], given[1], answer)
        if verb == "mark_due" and given[1] == HEARD and _applies(world):
            self.applying.owes(given[0])
        for one in given:
            if isinstance(one, Fence) and verb not in ("take_over", "renew", "let_go"):
                self._ask(world, None, "fencing", self.fences.as_stored(verb, one))

    def _opt_outs(self, world: World, everybody: Everybody) -> Iterator[str]:
        """A contact that is opted out stays so, until the person opts in again, with evidence and later."""
        for id, case in everybody:
            state = case.entity.values.get(MAIL)
            if state == ConsentState.OPTED_OUT:
                self.out.add(id)
            elif id in self.out and state == ConsentState.OPTED_IN and may_be_lifted(said(world, case)):
                self.out.discard(id)
                world.seen["opt-out lifted"] += 1
            elif id in self.out:
                yield f"{id} was opted out and is {state}"

    def _ask(self, world: World, worker: Worker | None, name: str, wrong: Iterator[str]) -> None:
        self.asked[name] += 1
        where = f"{worker.name} step {worker.steps}" if worker is not None else "on the way"
        known = set(world.violations)
        for one in wrong:
            said = f"{name}: {one} ({where}, line {len(world.journal)})"
            if not any(before.startswith(f"{name}: {one} (") for before in known):
                world.violations.append(said)


def _applies(world: World) -> bool:
    """Whether who is at work applies a saved plan."""
    return world.at_work is not None and world.at_work.event.do == "apply"


def cursor_safety(world: World) -> Iterator[str]:
    """Whatever is not stored yet lies before the place where the next reading starts."""
    for system in world.all:
        name, object = system.traits.name, system.sort.object
        if lied(world, name):
            continue
        state = world.store.stream(name, object)
        if state.listed_at is None or not state.cursor or "phase" in state.cursor:
            continue
        since = _lower_bound(world, (name, object), state.cursor)
        for row in system.rows.values():
            version = row.now
            if version.deleted and (not row.landed or version.at < state.listed_at):
                continue  # it went before anybody read it, or before a listing that tells by lacking it
            unread = version.number not in row.landed and version.stamp < since
            if unread and (not version.deleted or system.traits.feed) and not _by_hub(system, row.id):
                yield f"{name}/{row.id} as of {version.stamp} is not stored; the next reading is from {since}"


def _lower_bound(world: World, stream: Stream, cursor: Mapping[str, Any]) -> Any:
    words = world.manifests[stream[0]].objects[stream[1]].changes
    assert words is not None
    moment = parse_stamp(cursor.get("since")) or EPOCH
    return floor_stamp(moment - timedelta(seconds=words.since.lookback), words.since.granularity)


def _by_hub(system: System, id: str) -> bool:
    """Whether the hub itself made the latest version: it knows what it wrote."""
    last = next((act for act in reversed(system.acts) if act.id == id), None)
    return last is not None and last.by == "hub"


def versions_are_of_their_record(world: World, everybody: Everybody) -> Iterator[str]:
    """The version that guards the next write to a record is one that this record had.

    That a record has one owner needs no check: the store has one row for each (`links`)."""
    for id, case in everybody:
        for link in case.links:
            systems = world.systems if link.object == OBJECT else world.companies
            row = systems[link.connection].rows.get(link.remote_id or "") if link.version else None
            if row is not None and not any(str(one.number) == link.version for one in row.versions):
                place = f"{link.connection}/{link.remote_id}"
                yield f"{id} holds of {place} the version {link.version}, which that record never had"


def intents(world: World) -> Iterator[Intent]:
    """What is stored as sent now."""
    for one in world.store.deliveries([DeliveryState.SENT, DeliveryState.DOUBT], None, 1_000):
        yield one.write.connection, one.link.remote_id, one.write.values


def intended(known: Sequence[Intent], system: str, route: str, body: Mapping[str, Any]) -> Iterator[str]:
    """What arrives was stored as sent before, with just this payload."""
    for item in body.get("items") or [body]:
        values = {key: value for key, value in item["values"].items() if key != HUB_ID}
        place = (system, item.get("id"))
        if not any(one[:2] == place and says_all(one[2], values) for one in known):
            record = item.get("id") or "a record"
            yield f"{system} is asked to {route} {record} with {sorted(values)}: nobody intended it"
