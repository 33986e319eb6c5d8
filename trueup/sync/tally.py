"""What a run did, in numbers that add up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trueup.mapping.compiled import remote_path
from trueup.model.calling import called
from trueup.model.consent import ConsentState, consent_of
from trueup.model.counting import counted
from trueup.model.delivery import DeliveryState, Effect, Lane, Write, WriteKind
from trueup.model.fields import PREFIX
from trueup.model.formats import How
from trueup.model.history import Conflict
from trueup.model.landing import Landed
from trueup.model.plan import Plan
from trueup.model.record import Json
from trueup.sync.rules.ledger import PUT_BACK
from trueup.sync.rules.publishing import UNTIL

SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """One intended change of one field in one system, for people to look at. `called`: whom it is about.
    `effect`: `fill`, `replace`, `clear`, `opt-out` (or its lifting), or `create` of a whole record, which
    names no field."""

    entity: str
    called: str
    connection: str
    object: str
    field: str
    effect: str
    old: Json
    new: Json
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Undecided:
    """An entity that could not be decided because of a mistake in this program; it stays due, the others
    go on. `error` is the kind of the mistake and its place, and holds no value of anybody."""

    entity: str
    error: str

    def __str__(self) -> str:
        return (
            f"{self.entity} could not be decided and is left as it was ({self.error}); the others go on."
            f" This is a mistake in trueup: please report it with this line"
        )


@dataclass(slots=True)
class Tally:
    """Counts by (connection, object, what), with samples per (connection, what) and notes.

    Readings: `read` = `new` + `changed` + `same` + `deleted` + `older` + `filtered` + `rejected`; beside it
    `gone`, the known records that a reading says are there no more, or a complete listing lacks.
    Intentions: `creates`, `updates`, `deactivates`, `reactivates`, `deletes`; of the updates' fields `fills`,
    `replaces`, `clears`, `opt_outs` (consent, which no fuse or release holds back); `withheld` (fields),
    `skipped: reason` (records), `left out: reason` (one field of a record, the others of which go on); beside
    them `creates_opted_out`, the creates for people who opted out of something.
    Writes: `pending_before` + the intentions = `done` + `failed` + `overtaken` + `held` + `pending` + those
    that a newer decision replaced before they were sent.
    `lost` are the ids of what could not be decided. `put_back`: opt-outs that somebody took away in a system
    and that stand, as (entity, what it is called, what was said there); counted as `opt_ins_refused`.
    `forms`: records that kept our value in a form of the system's own, by (connection, object, path).
    """

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    forms: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    conflicts: int = 0
    changes: int = 0
    entities: int = 0
    lost: set[str] = field(default_factory=set)
    put_back: list[tuple[str, str, Conflict]] = field(default_factory=list)

    def add(self, stream: tuple[str, str], what: str, number: int = 1) -> None:
        if number:
            self.counts[(*stream, what)] += number

    def rekeyed(self, number: int) -> None:
        """How many records are found by other keys than before, because the rules changed."""
        if number:
            self.notes.append(
                f"{counted(number, 'record is', 'records are')} compared by newer rules than before:"
                " match keys were made anew"
            )

    def get(self, what: str, connection: str | None = None) -> int:
        """The sum of one count, over all connections or of one."""
        return sum(
            number
            for (name, _, kind), number in self.counts.items()
            if kind == what and connection in (None, name)
        )

    def landed(self, stream: tuple[str, str], landed: Landed) -> None:
        for what in ("read", "new", "changed", "same", "deleted", "older"):
            self.add(stream, what, getattr(landed, what))
        known = min(landed.recognised, self.counts[(*stream, "new")])  # others an earlier run has counted
        self.add(stream, "changed", known)
        self.add(stream, "new", -known)
        if not self.counts[(*stream, "new")]:
            del self.counts[(*stream, "new")]
        self.add(stream, "gone", landed.buried + landed.vanished)

    def planned(self, plan: Plan) -> None:
        """Count one decision's intentions."""
        self.entities += 1
        self.changes += len(plan.changes)
        self.conflicts += len(plan.conflicts)
        self.forms.update((one.connection, one.object, one.path) for one in plan.kept if one.how is How.FORM)
        for conflict in plan.conflicts:
            if conflict.rule == PUT_BACK:
                self._put_back(plan, conflict)
        for write in plan.writes:
            self._write(plan, write, withheld=False)
        for write in plan.withheld:
            self._write(plan, write, withheld=True)
        for connection, object, reason in plan.skipped if plan.changes else ():
            self.add((connection, object), _unwritten(plan, reason))

    def _put_back(self, plan: Plan, conflict: Conflict) -> None:
        connection, object, _ = conflict.lost_source.split("/", 2)
        self.add((connection, object), "opt_ins_refused")
        self.put_back.append((plan.entity.public_id, called(plan.entity.values), conflict))

    def began_with(self, waiting: Mapping[tuple[str, str, str], int]) -> None:
        """The writes, by (connection, object, state), that waited before the run."""
        for (connection, object, _), number in waiting.items():
            self.add((connection, object), "pending_before", number)

    def ended_with(self, waiting: Mapping[tuple[str, str, str], int]) -> None:
        """The writes, by (connection, object, state), that wait after it; those that fuses hold apart."""
        for (connection, object, state), number in waiting.items():
            what = "held" if state == DeliveryState.GATED else "pending"
            self.add((connection, object), what, number)

    def undecided(self, one: Undecided) -> None:
        """Note an entity that could not be decided, once."""
        if one.entity not in self.lost:
            self.lost.add(one.entity)
            self.notes.append(str(one))

    def _write(self, plan: Plan, write: Write, withheld: bool) -> None:
        stream = (write.connection, write.object)
        if withheld:
            self.add(stream, "withheld", len(write.wants))
        else:
            self.add(stream, _WORDS[write.kind])
            if write.kind is WriteKind.CREATE and _opted_out(plan):
                self.add(stream, "creates_opted_out")
            if write.lane is Lane.URGENT:
                self.add(stream, "opt_outs", len(write.effects))
            elif write.kind is WriteKind.UPDATE:
                for effect in write.effects.values():
                    self.add(stream, _EFFECTS[effect])
        self._sample(plan, write, withheld)

    def _sample(self, plan: Plan, write: Write, withheld: bool) -> None:
        for key, effect in _effects(write):
            what = "sampled withheld" if withheld else f"sampled {effect}"
            place = (write.connection, write.object, what)
            if self.counts[place] < SAMPLES:
                self.counts[place] += 1
                self.samples.append(_sampled(plan, write, key, effect, withheld))

    def flat(self) -> Mapping[str, int]:
        """The counts as they are stored with a run."""
        return {
            ".".join(place): number
            for place, number in sorted(self.counts.items())
            if not place[2].startswith("sampled ")
        }

    def reasons(self) -> Iterable[tuple[str, str, str, int]]:
        """Why records, and single fields of them, are not written: (connection, object, reason, how many)."""
        for (connection, object, what), number in sorted(self.counts.items()):
            for sign in (SKIPPED, LEFT_OUT):
                if what.startswith(sign):
                    yield connection, object, what.removeprefix(sign), number


SKIPPED, LEFT_OUT = "skipped: ", "left out: "
"""Begin the counts of what is not written, with the reason: of a whole record, of one field of it."""


def is_of_field(reason: str) -> bool:
    """Whether only a field of the record waits for this (`Plan.skipped`): the others are written."""
    return reason.startswith(UNTIL) or _TARGET.fullmatch(reason) is not None


_TARGET = re.compile(r"waits for (([a-z]+)--?\d+)")


def _unwritten(plan: Plan, reason: str) -> str:
    found = _TARGET.fullmatch(reason)
    if found is not None:
        return f"{LEFT_OUT}{_pointing(plan, found[1])} waits for {_whom(found[2])}"
    return f"{LEFT_OUT if is_of_field(reason) else SKIPPED}{_group(reason)}"


def _pointing(plan: Plan, target: str) -> str:
    """The field that holds this entity's id."""
    held = sorted(plan.entity.values.items())
    found = (name for name, value in held if value == target or (isinstance(value, list) and target in value))
    return next(found, "a field")


def _whom(prefix: str) -> str:
    kind = next(kind for kind, each in PREFIX.items() if each == prefix)
    return f"a {kind} that has no record there yet"


def _opted_out(plan: Plan) -> bool:
    return any(
        state == ConsentState.OPTED_OUT and consent_of(name) is not None
        for name, state in plan.entity.values.items()
    )


def _effects(write: Write) -> Iterable[tuple[str, str]]:
    """(binding key, effect) of each field that a write is about; of a new record only that it is made."""
    if write.kind is WriteKind.CREATE:
        return [("", "create")]
    if write.lane is Lane.URGENT:
        return [(key, "opt-out") for key in write.effects]
    return [(key, effect.value) for key, effect in write.effects.items()]


def _sampled(plan: Plan, write: Write, key: str, effect: str, withheld: bool) -> Sample:
    path = remote_path(key, write.values) if key else ""
    return Sample(
        plan.entity.public_id,
        called(plan.entity.values),
        write.connection,
        write.object,
        key,
        effect,
        write.replaced.get(path),
        write.values.get(path),
        withheld,
    )


_WORDS = {
    WriteKind.CREATE: "creates",
    WriteKind.UPDATE: "updates",
    WriteKind.DEACTIVATE: "deactivates",
    WriteKind.REACTIVATE: "reactivates",
    WriteKind.DELETE: "deletes",
    WriteKind.MERGE: "merges",
}
_EFFECTS = {Effect.FILL: "fills", Effect.REPLACE: "replaces", Effect.CLEAR: "clears"}


def _group(reason: str) -> str:
    """Reasons that name a time are counted together."""
    return re.sub(r"^waits until [-0-9: ]+: ", "waits for its time: ", reason)
