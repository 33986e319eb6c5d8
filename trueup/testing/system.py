"""A simulated system: records with all their versions, what people do there, and what the hub asks of it.

It is judged by what it keeps itself: every act with its author, and every version that it ever showed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from trueup.model.record import Json
from trueup.testing.sorts import EMPLOYER, PEOPLE, Sort
from trueup.testing.traits import OPT_OUT, OPTED_IN, Traits, plain_address

HUB = "hub"
HUB_ID = "hub_id"
ROBOT = "robot"
"""Who writes where neither the hub nor a person does: what a system itself does to its records."""
ROBOT_WAITS = timedelta(seconds=10)
ROBOT_MARK = " r"
"""What a workflow appends to a value, and so long after it was written."""
SHORT = 4
"""So many characters a field takes that became shorter."""
RETYPED, LISTED, NUMBERED, RENAMED = "retyped", "listed", "numbered", "renamed"
DRIFTS = ("removed", "refused", "short", RETYPED, LISTED, NUMBERED, RENAMED)
"""What may become of a field for a while: nobody sees or sets it, the hub may not set it, it takes only short
values, it is of another type (an object, a list, a number), it has another name. Of `phase` an option may go:
`no mql`."""
OTHERWISE: Mapping[str, Callable[[str, Json], Mapping[str, Json]]] = {
    RETYPED: lambda name, value: {name: {"value": value}},
    LISTED: lambda name, value: {name: [] if value is None else [value]},
    NUMBERED: lambda name, value: {name: _number(value)},
    RENAMED: lambda name, value: {f"{name}_2": value},
}
"""What answers hold of such a field: nothing that can be understood. People go on typing there."""


@dataclass(frozen=True, slots=True)
class Version:
    """A record as it stood from `at` on. `number` grows over the system; lists show it from `shown_at`."""

    number: int
    at: datetime
    stamp: datetime
    shown_at: datetime
    values: Mapping[str, Json]
    deleted: bool = False
    successor: str | None = None


@dataclass(slots=True)
class Row:
    """A record. `person` is who it is about, which no system and no hub knows; `by` who made it. `served` are
    the versions that some answer held, `landed` those that the hub stored, and when first. `archived`: it may
    come back. `blind`: by version, which fields could not be understood, or were not asked for, when it was
    stored; `sighted`: when one of them was read after all."""

    id: str
    person: str
    by: str
    versions: list[Version] = field(default_factory=list)
    served: set[int] = field(default_factory=set)
    landed: dict[int, datetime] = field(default_factory=dict)
    archived: bool = False
    blind: dict[int, frozenset[str]] = field(default_factory=dict)
    sighted: dict[tuple[int, str], datetime] = field(default_factory=dict)

    @property
    def now(self) -> Version:
        return self.versions[-1]

    def read(self, number: int, name: str) -> bool:
        """Whether the hub stored this version with this field in it."""
        return number in self.landed and name not in self.blind.get(number, ())

    def reaches(self, number: int, blind: frozenset[str], at: datetime) -> None:
        """The hub stores this version, without these fields."""
        self.landed.setdefault(number, at)
        before = self.blind.get(number, blind)
        self.sighted |= {(number, name): at for name in before - blind}
        self.blind[number] = before & blind

    def read_at(self, number: int, name: str) -> datetime | None:
        """When the hub first stored this version with this field in it."""
        return self.sighted.get((number, name), self.landed[number]) if self.read(number, name) else None

    @property
    def living(self) -> bool:
        return not self.now.deleted

    def shown(self, at: datetime) -> Version | None:
        """As lists and look-ups show it at this time, None before they do."""
        return next((one for one in reversed(self.versions) if one.shown_at <= at), None)


@dataclass(frozen=True, slots=True)
class Act:
    """One change of one record: who did it, the fields as they were and are, and the version that it made."""

    place: int
    at: datetime
    by: str
    what: str  # create | update | delete | archive | revive | merge
    id: str
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    number: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a write was not applied: `exists` (with the id), `stale`, `gone` (with a successor), `invalid`."""

    what: str
    id: str = ""
    field: str = ""


class System:
    """The records of one sort in one account. `count` numbers the acts of all systems of a world in one row;
    `companies`: those that its people may belong to."""

    def __init__(
        self,
        traits: Traits,
        now: Callable[[], datetime],
        count: Iterator[int],
        sort: Sort = PEOPLE,
        companies: System | None = None,
    ) -> None:
        self.traits = traits
        self.sort = sort
        self.companies = companies
        self.empty = {**sort.empty, **({EMPLOYER: None} if companies is not None else {})}
        self.rows: dict[str, Row] = {}
        self.acts: list[Act] = []
        self.unguarded: set[int] = set()  # versions that a repeated upsert made over whatever stood there
        self.cut: set[int] = set()  # versions of which the hub had said more than was kept
        self.drifts: dict[str, str] = {}  # remote field to what became of it
        self.drifted: set[str] = set()  # every field of which something became ever
        self.hints: list[tuple[datetime, str]] = []  # which record moved, and when the hub is told
        self._rewrites: list[tuple[datetime, Row]] = []
        self._now = now
        self._count = count
        self._number = 0

    # -- looking ------------------------------------------------------------------------------------------

    def living(self) -> list[Row]:
        return [row for row in self.rows.values() if row.living]

    def shows(self, name: str) -> bool:
        """Whether answers hold this field as things are now."""
        return self.drifts.get(name) != "removed"

    def tells(self, name: str) -> bool:
        """Whether what answers hold of this field can be understood."""
        return self.drifts.get(name) not in ("removed", *OTHERWISE)

    def refuses(self, values: Mapping[str, Json], by: str) -> str:
        """The field that is not taken from this author as things are now; empty: all are."""
        for name, value in values.items():
            what = self.drifts.get(name, "")
            gone = what == "removed" or (what in ("refused", *OTHERWISE) and by == HUB)
            if gone or (what == "short" and len(str(value or "")) > SHORT) or what == f"no {value}":
                return name
        return ""

    def hinted(self) -> list[str]:
        """The records that the hub is told of now."""
        now = self._now()
        told = [id for at, id in self.hints if at <= now]
        self.hints = [(at, id) for at, id in self.hints if at > now]
        return told

    def due(self) -> Iterator[datetime]:
        """When the workflow of this system has something to do."""
        yield from (at for at, _ in self._rewrites)

    def automations(self) -> None:
        """The workflow of this system does what is due."""
        name, now = self.traits.robot, self._now()
        due = [row for at, row in self._rewrites if at <= now]
        self._rewrites = [(at, row) for at, row in self._rewrites if at > now]
        for row in due:
            value = row.now.values.get(name)
            if row.living and isinstance(value, str) and value and not value.endswith(ROBOT_MARK):
                marked = value + ROBOT_MARK
                if self.traits.keeps(name, marked) != value:
                    self.user_edit(row, name, marked, ROBOT)

    def drift(self, name: str, what: str) -> None:
        """From now on this is what became of the field."""
        hidden = not self.tells(name)
        self.drifts[name] = what
        self.drifted.add(name)
        self._touch(hidden and self.tells(name))

    def mend(self) -> None:
        """Every field is again what it was; who lacked one is touched, so that it is seen again."""
        hidden = not all(map(self.tells, self.drifts))
        self.drifts.clear()
        self._touch(hidden)

    def _touch(self, shown_again: bool) -> None:
        """Where a field that nobody saw is shown again its records are in the next changes."""
        for row in self.living() if shown_again else ():
            self._put(row, ROBOT, "update", {})

    def true_time(self) -> datetime:
        return self._now()

    def clock(self) -> datetime:
        """The system's own time."""
        return self._now() + timedelta(seconds=self.traits.skew)

    def archived(self) -> list[Row]:
        return [row for row in self.rows.values() if row.archived]

    # -- what people do -----------------------------------------------------------------------------------

    def user_create(self, person: str, values: Mapping[str, Json]) -> Row:
        taken = {name: value for name, value in values.items() if not self.refuses({name: value}, "user")}
        return self._create(person, "user", {**self.empty, **self._kept(taken)})

    def user_edit(
        self, row: Row, name: str, value: Json, by: str = "user", stamp: datetime | None = None
    ) -> None:
        """`stamp`: what a client with a broken clock says of when that was."""
        if not self.refuses({name: value}, by):
            self._put(row, by, "update", {name: self.traits.keeps(name, value)}, stamp=stamp)

    def user_delete(self, row: Row) -> None:
        self._put(row, "user", "delete", {}, deleted=True)

    def user_opt_in(self, row: Row, said: Mapping[str, Json] | None) -> None:
        """The mark is taken away; `said`: when and where that was asked for, in so far as anybody knows."""
        kept: Mapping[str, Json] = {OPTED_IN: said} if self.traits.dated else {}
        self._update(row, "user", {OPT_OUT: False, **kept})

    def user_archive(self, row: Row) -> None:
        """Gone for everybody who asks, until somebody brings it back."""
        row.archived = True
        self._put(row, "user", "archive", {}, deleted=True)

    def user_revive(self, row: Row) -> None:
        """The archived record as it was, under its id; not where another one has its address meanwhile."""
        if self._taken(row.now.values, row) is None:
            row.archived = False
            self._put(row, "user", "revive", {})

    def user_merge(self, loser: Row, winner: Row) -> None:
        """Join two records: the winner takes what it lacks, the loser points at it."""
        lacking = {name: value for name, value in loser.now.values.items() if not winner.now.values.get(name)}
        lacking = {name: value for name, value in lacking.items() if self.shows(name)}
        if loser.now.values.get(OPT_OUT):
            lacking[OPT_OUT] = True
        self._put(loser, "user", "merge", {}, deleted=True, successor=winner.id)
        self._update(
            winner,
            "user",
            {name: value for name, value in lacking.items() if value and name not in (HUB_ID, OPTED_IN)},
        )

    # -- what the hub asks --------------------------------------------------------------------------------

    def create(self, values: Mapping[str, Json], person: str) -> Row | Problem:
        problem = self.problem(values, None)
        if problem is not None:
            return problem
        return self._create(person, HUB, {**self.empty, **self._kept(values)})

    def update(self, id: str, values: Mapping[str, Json], version: str | None) -> Row | Problem:
        row = self.rows.get(id)
        if row is None or not row.living:
            return Problem("gone", (row.now.successor or "") if row is not None else "")
        if version is not None and version != str(row.now.number):
            return Problem("stale")
        problem = self.problem(values, row)
        if problem is not None:
            return problem
        kept = self._kept(values)
        self._update(row, HUB, kept)
        if any(_is_cut(value, kept[name]) for name, value in values.items()):
            self.cut.add(row.now.number)
        return row

    def upsert(self, hub_id: str, values: Mapping[str, Json], person: str) -> Row | Problem:
        """By the hub's own id in a unique field."""
        found = next((row for row in self.living() if row.now.values.get(HUB_ID) == hub_id), None)
        if found is not None:
            written = self.update(found.id, values, None)
            if isinstance(written, Row):
                self.unguarded.add(written.now.number)
            return written
        return self.create({**values, HUB_ID: hub_id}, person)

    # -- inside -------------------------------------------------------------------------------------------

    def problem(self, values: Mapping[str, Json], row: Row | None) -> Problem | None:
        """Why these values cannot stand in this record (None: a new one)."""
        refused, taken = self.refuses(values, HUB), self._taken(values, row)
        if refused:
            return Problem("invalid", field=refused)
        if self.companies is not None and not self.companies.has(values.get(EMPLOYER)):
            return Problem("invalid", field=EMPLOYER)
        return Problem("exists", taken.id, self.sort.key) if taken is not None else None

    def has(self, id: Json) -> bool:
        """Whether this is the id of a living record, or of none."""
        return id is None or (str(id) in self.rows and self.rows[str(id)].living)

    def _taken(self, values: Mapping[str, Json], but: Row | None) -> Row | None:
        key = self.sort.key
        said = plain_address(values.get(key))
        if not (self.traits.unique_email and said):
            return None
        holders = (row for row in self.living() if plain_address(row.now.values.get(key)) == said)
        return next((row for row in holders if row is not but), None)

    def _kept(self, values: Mapping[str, Json]) -> dict[str, Json]:
        return {name: self.traits.keeps(name, value) for name, value in values.items()}

    def _create(self, person: str, by: str, values: Mapping[str, Json]) -> Row:
        row = Row(self._id(len(self.rows) + 1), person, by)
        self.rows[row.id] = row
        self._put(row, by, "create", values)
        return row

    def _update(self, row: Row, by: str, values: Mapping[str, Json]) -> None:
        self._put(row, by, "update", values)

    def _put(
        self,
        row: Row,
        by: str,
        what: str,
        values: Mapping[str, Json],
        deleted: bool = False,
        successor: str | None = None,
        stamp: datetime | None = None,
    ) -> None:
        self._number += 1
        before = row.now.values if row.versions else {}
        at, own = self._now(), stamp or self.clock()
        whole = {**before, **values}
        if values.get(OPT_OUT):
            whole[OPTED_IN] = None
        shown = at + timedelta(seconds=self.traits.lag)
        row.versions.append(
            Version(self._number, at, _floored(own, self.traits.grain), shown, whole, deleted, successor)
        )
        if self.traits.robot in values and by != ROBOT:
            self._rewrites.append((at + ROBOT_WAITS, row))
        told = {name: before.get(name) for name in values}
        if self.traits.hints:
            self.hints += [(at + wait, self._hinted(row)) for wait in _HINTS[self._number % len(_HINTS)]]
        self.acts.append(Act(next(self._count), at, by, what, row.id, told, dict(values), self._number))

    def _hinted(self, row: Row) -> str:
        """Whom a hint names: now and then whoever is made next, of whom nothing can be read yet."""
        return row.id if self._number % 7 else self._id(len(self.rows) + 1)

    def _id(self, number: int) -> str:
        return f"{self.traits.name[0]}{self.sort.mark}{number:03d}"


_HINTS: Sequence[Sequence[timedelta]] = (
    (timedelta(0),),
    (),
    (timedelta(0), timedelta(seconds=1)),
    (timedelta(seconds=300),),
    (timedelta(0), timedelta(seconds=50_000)),
)
"""How long the hints of a change take, one change after another: lost, late, twice, out of order."""


def _number(value: Json) -> Json:
    """Its digits alone, if it has any."""
    digits = "".join(one for one in str(value or "") if one.isdigit())
    return int(digits) if digits else None


def _is_cut(said: Json, kept: Json) -> bool:
    both = isinstance(said, str) and isinstance(kept, str)
    return both and len(kept) < len(said) and said.startswith(kept)


def _floored(moment: datetime, grain: float) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    steps = int((moment - epoch).total_seconds() / grain + 1e-6)
    return epoch + timedelta(seconds=steps * grain)
