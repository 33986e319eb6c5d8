"""A small system in memory, as a Connector: the engine's rules are tested on it without any wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from trueup.connectors.base import (
    Capability,
    Done,
    Elements,
    GoneItem,
    NotApplied,
    ObjectSpec,
    Outcome,
    RefusedItem,
    StaleItem,
    UnknownItem,
    WebhookRequest,
    WriteItem,
)
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record

ALL = frozenset(
    {
        Capability.INCREMENTAL,
        Capability.COMPLETE_LISTING,
        Capability.DELETES_VISIBLE,
        Capability.BATCH_READ,
        Capability.BATCH_WRITE,
        Capability.CONDITIONAL_WRITE,
        Capability.ANSWERS_WITH_RECORD,
        Capability.LOOKUP_BY_KEY,
        Capability.READ_YOUR_WRITES,
    }
)


class Clock:
    """A clock that moves only when told, or when somebody sleeps."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def tick(self, seconds: float = 1.0) -> None:
        self.sleep(seconds)


class Chance:
    def random(self) -> float:
        return 0.5


@dataclass(slots=True)
class Row:
    values: dict[str, Json]
    number: int
    stamp: datetime
    deleted: bool = False
    successor: str | None = None
    born: datetime | None = None


@dataclass
class Memory:
    """One object of one system. `keeps` is what it makes of a value that is sent; `refuse` may refuse.

    `hidden` are fields that its answers leave out; `lag` is how many seconds a new record stays unknown to
    look-ups; `gives` is what every record made through the API gets from it; `loses` are items that are
    applied but not answered, `locked` those that are not applied now.
    """

    clock: Clock
    name: str = "people"
    kind: str = "contact"
    capabilities: frozenset[Capability] = ALL
    page: int = 3
    keys: tuple[str, ...] = ("email",)
    keeps: Callable[[str, Json], Json] = lambda path, value: value
    refuse: Callable[[Mapping[str, Json]], dict[str, str]] = lambda values: {}
    rows: dict[str, Row] = field(default_factory=dict)
    sequence: int = 0
    calls: list[str] = field(default_factory=list)
    written: list[WriteItem] = field(default_factory=list)
    between: Callable[[], None] = lambda: None
    broken: list[Exception] = field(default_factory=list)
    after_write: list[Exception] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    lag: float = 0.0
    gives: Mapping[str, Json] = field(default_factory=dict)
    loses: Callable[[WriteItem], bool] = lambda item: False
    locked: Callable[[WriteItem], bool] = lambda item: False

    # -- what people do there ---------------------------------------------------------------------

    def add(self, **values: Json) -> str:
        id = str(len(self.rows) + 1)
        self._put(id, values)
        return id

    def put(self, id: str, **values: Json) -> None:
        """A new record under an id of the caller's choice."""
        self._put(id, values)

    def edit(self, id: str, **values: Json) -> None:
        self._put(id, {**self.rows[id].values, **values})

    def delete(self, id: str) -> None:
        row = self.rows[id]
        self._put(id, row.values)
        self.rows[id].deleted = True

    def merge(self, loser: str, winner: str) -> None:
        """The system joins two of its records: the loser is gone and points at the winner."""
        self.delete(loser)
        self.rows[loser].successor = winner

    def values(self, id: str) -> dict[str, Json]:
        return self.rows[id].values

    def living(self) -> dict[str, dict[str, Json]]:
        return {id: row.values for id, row in self.rows.items() if not row.deleted}

    def _put(self, id: str, values: Mapping[str, Json]) -> None:
        self.sequence += 1
        self.clock.tick(0.001)
        now, before = self.clock.now(), self.rows.get(id)
        born = before.born if before is not None and before.born is not None else now
        self.rows[id] = Row(dict(values), self.sequence, now, born=born)

    # -- the connector ----------------------------------------------------------------------------

    def objects(self) -> Mapping[str, ObjectSpec]:
        spec = ObjectSpec(self.name, self.kind, self.capabilities, 100, 100, self.lag, keys=self.keys)
        return {self.name: spec}

    def whoami(self) -> str:
        return "a system in memory"

    def fields(self, object: str) -> Sequence[FieldSpec]:
        return []

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        self.calls.append(f"pull {reading.value}")
        self._maybe_fail()
        state = dict(cursor or {})
        start = state.get("start", self.sequence)
        since = state.get("since", 0) if reading is Reading.CHANGES else 0
        after = state.get("after", 0)
        due = sorted(
            (row.number, id)
            for id, row in self.rows.items()
            if row.number > max(since, after) and (reading is Reading.CHANGES or not row.deleted)
        )
        some = due[: self.page]
        more = len(due) > self.page
        records = tuple(self._record(id, fields) for _, id in some)
        if more:
            return Page(records, {**state, "start": start, "after": some[-1][0]}, True)
        return Page(
            records, {"since": min(start, self.sequence) if reading is Reading.LISTING else start}, False
        )

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        self.calls.append("read")
        self._maybe_fail()
        return [
            self._gone(id) if id not in self.rows or self.rows[id].deleted else self._record(id, fields)
            for id in ids
        ]

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        self.calls.append("find")
        wanted = {str(value).casefold() for value in values}
        return [
            self._record(id, fields)
            for id, row in self.rows.items()
            if not row.deleted and str(row.values.get(key)).casefold() in wanted and self._indexed(row)
        ]

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        self.calls.append("write")
        self._maybe_fail()
        outcomes = [self._answer(item, fields) for item in items]
        if self.after_write:
            raise self.after_write.pop(0)
        return outcomes

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        raise AssertionError("there are no jobs here")

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        return []

    def close(self) -> None:
        return None

    def _maybe_fail(self) -> None:
        self.between()
        if self.broken:
            raise self.broken.pop(0)

    def _gone(self, id: str) -> GoneItem:
        return GoneItem(self.rows[id].successor if id in self.rows else None)

    def _indexed(self, row: Row) -> bool:
        return row.born is None or (self.clock.now() - row.born).total_seconds() >= self.lag

    def _answer(self, item: WriteItem, fields: Sequence[str]) -> Outcome:
        if self.locked(item):
            return NotApplied("the row is locked")
        outcome = self._apply(item, fields)
        return UnknownItem("the answer was lost") if self.loses(item) else outcome

    def _apply(self, item: WriteItem, fields: Sequence[str]) -> Outcome:
        problems = self.refuse(item.values)
        if problems:
            return RefusedItem("refused", problems)
        id = item.id
        if item.kind is WriteKind.CREATE:
            id = str(len(self.rows) + 1)
            self.rows[id] = Row(dict(self.gives), 0, self.clock.now(), born=self.clock.now())
        assert id is not None
        row = self.rows.get(id)
        if row is None or row.deleted:
            return self._gone(id)
        if item.version is not None and item.version != str(row.number):
            return StaleItem()
        self.written.append(item)
        if item.kind is WriteKind.DELETE:
            self.delete(id)
            return Done(id)
        self._put(
            id, {**row.values, **{path: self._kept(path, value, row) for path, value in item.values.items()}}
        )
        record = self._record(id, fields) if Capability.ANSWERS_WITH_RECORD in self.capabilities else None
        return Done(id, record, item.kind is WriteKind.CREATE)

    def _kept(self, path: str, value: Json, row: Row) -> Json:
        if isinstance(value, Elements):
            held = [one for one in row.values.get(path) or [] if one not in value.remove]
            return held + [one for one in value.add if one not in held]
        return self.keeps(path, value)

    def _record(self, id: str, fields: Sequence[str]) -> Record:
        row = self.rows[id]
        said = {path: row.values.get(path) for path in fields if path not in self.hidden}
        known = {} if row.deleted else said
        gone, successor = row.deleted and row.successor is None, row.successor
        return Record(id, known, str(row.number), row.stamp, deleted=gone, successor=successor)
