"""One check at work: a system, a connector, and short ways to use both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from trueup.connectors.base import Capability, Connector, ObjectSpec, Outcome, Pending, WriteItem
from trueup.connectors.boundary import Bounded
from trueup.errors import ConnectorError, Transient
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, Json, Page, Reading, Record
from trueup.testing.acceptance.harness import SHOUTED, CannotPlay, Harness, System, Trouble

MOST_PAGES = 500
TRIES = 3
MOST_POLLS = 60
POLL_AFTER = 10.0
FEW = 3
"""So many records there are at the start of a check that needs no pages."""


class Allowance:
    """A budget that counts what it is asked for; `wait`: what it answers, in seconds."""

    def __init__(self) -> None:
        self.asked = 0
        self.wait = 0.0

    def ask(self, connection: str, group: str, lane: str, cost: float) -> float:
        self.asked += 1
        return self.wait

    def learn(self, connection: str, group: str, remaining: float | None, reset_in: float | None) -> None:
        """What the system tells of its limits is not needed here."""


@dataclass(slots=True)
class Desk:
    """`ids`: the records that were there at the start, in the order of their values."""

    harness: Harness
    system: System
    budget: Allowance
    connector: Connector
    ids: list[str] = field(default_factory=list)
    opened: list[Connector] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100_000))

    # -- what is known ------------------------------------------------------------------------------------

    @property
    def object(self) -> str:
        return self.harness.object

    @property
    def spec(self) -> ObjectSpec:
        return self.connector.objects()[self.object]

    def can(self, capability: Capability) -> bool:
        return capability in self.spec.capabilities

    # -- people -------------------------------------------------------------------------------------------

    def make(self) -> str:
        """Somebody makes one more record."""
        return self.system.make(self.fresh())

    def edit(self, id: str, text: Json) -> None:
        self.system.edit(id, {self.harness.field: text})

    def fresh(self) -> Mapping[str, Json]:
        """Values that no other record has."""
        return self.harness.values(next(self.numbers))

    def text(self, id: str, field: str = "") -> Json:
        """What the system holds in the field; None for an empty text."""
        held = self.system.look(id)
        return None if held is None else plain(held.get(field or self.harness.field))

    def settle(self) -> None:
        """Let time pass until every change is seen."""
        self.system.wait(max(self.harness.settled, self.spec.lag))

    # -- reading ------------------------------------------------------------------------------------------

    def another(self) -> Connector:
        """A connector for the same account, as another process has it."""
        connector = Bounded(self.system.connect(self.budget), self.harness.name)
        self.opened.append(connector)
        return connector

    def pages(
        self,
        reading: Reading,
        cursor: Cursor | None = None,
        between: Callable[[Sequence[Page]], None] = lambda pages: None,
    ) -> list[Page]:
        """A whole reading; `between` is called before each further page, with those that came."""
        found: list[Page] = []
        while True:
            page = self._page(reading, cursor)
            found.append(page)
            if not page.more:
                return found
            if len(found) >= MOST_PAGES:
                raise AssertionError(f"a {reading} does not end: {MOST_PAGES} pages and more to come")
            between(found)
            cursor = page.cursor

    def _page(self, reading: Reading, cursor: Cursor | None) -> Page:
        """A page; what passes is waited for and asked again, as the hub does."""
        for _ in range(TRIES - 1):
            try:
                return self.connector.pull(self.object, reading, cursor, self.harness.fields)
            except Transient:
                self.system.wait(1.0)
        return self.connector.pull(self.object, reading, cursor, self.harness.fields)

    def changes(self, cursor: Cursor | None) -> list[Page]:
        return self.pages(Reading.CHANGES, cursor)

    def position(self) -> Cursor:
        """Where CHANGES start from now on, after all that is there was read and is seen."""
        self.settle()
        cursor = self.pages(Reading.LISTING)[-1].cursor
        self.settle()
        return self.changes(cursor)[-1].cursor

    def listed(self, id: str) -> Record:
        """What a listing says of a record that is there."""
        found = latest(self.pages(Reading.LISTING)).get(id)
        if found is None:
            raise AssertionError("a record that is there is in no listing under its id")
        return found

    def record(self, id: str) -> Record:
        (found,) = self.connector.read(self.object, [id], self.harness.fields)
        if not isinstance(found, Record):
            raise AssertionError(f"a record that is there is answered with {type(found).__name__}")
        return found

    # -- writing ------------------------------------------------------------------------------------------

    def item(self, kind: WriteKind, id: str | None = None, **more: Json) -> WriteItem:
        """A write with a key of its own."""
        values = more.pop("values", {})
        return WriteItem(f"key-{next(self.numbers)}", kind, id, values, **more)

    def change(self, id: str, text: Json) -> WriteItem:
        """An update of the one field."""
        return self.item(WriteKind.UPDATE, id, values={self.harness.field: text})

    def creation(self) -> WriteItem:
        return self.item(WriteKind.CREATE, None, values=self.fresh())

    def write(self, *items: WriteItem) -> list[Outcome]:
        """Their outcomes, remote jobs waited for."""
        outcomes = list(self.connector.write(self.object, items, self.harness.fields))
        if len(outcomes) != len(items):
            raise AssertionError(f"{len(outcomes)} outcomes for {len(items)} items")
        return self.finished(items, outcomes)

    def finished(self, items: Sequence[WriteItem], outcomes: list[Outcome]) -> list[Outcome]:
        """These outcomes once no remote job works on any of them."""
        for _ in range(MOST_POLLS):
            jobs = {outcome.job for outcome in outcomes if isinstance(outcome, Pending)}
            if not jobs:
                return outcomes
            self.system.wait(POLL_AFTER)
            for job in jobs:
                self._polled(job, items, outcomes)
        raise AssertionError("a remote job never ends")

    def _polled(self, job: str, items: Sequence[WriteItem], outcomes: list[Outcome]) -> None:
        mine = [at for at, one in enumerate(outcomes) if isinstance(one, Pending) and one.job == job]
        told = self.connector.poll(self.object, job, [items[at] for at in mine])
        for at, outcome in zip(mine, told, strict=True):
            outcomes[at] = outcome

    # -- trouble ------------------------------------------------------------------------------------------

    def strike(self, trouble: Trouble) -> None:
        secret = next(iter(self.system.secrets), "")
        self.system.way.strike(trouble, SHOUTED.format(secret=secret))

    def heal(self) -> None:
        self.system.way.heal()


def attempt(call: Callable[[], object]) -> tuple[object, ConnectorError | None]:
    """What a call answers, or the error of trueup that it ends with."""
    try:
        return call(), None
    except ConnectorError as error:
        return None, error


def plain(value: Json) -> Json:
    """A value as the suite compares it: an empty text is no value."""
    return None if value == "" else value


def records(pages: Sequence[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def latest(pages: Sequence[Page]) -> dict[str, Record]:
    """By id, what each record said last."""
    return {record.id: record for record in records(pages)}


def several(pages: Sequence[Page], least: int) -> None:
    """A check of page borders that meets none proves nothing. `least`: so many records are there to come."""
    came = len(latest(pages))
    if len(pages) < 2 and came < least:
        raise AssertionError(f"{came} of {least} records came, and no further page")
    if len(pages) < 2:
        raise CannotPlay(f"all {came} records came in one page: raise `many` of the harness")


def stored(cursor: Cursor) -> Cursor:
    """A cursor as it comes back from the hub's store."""
    again: Cursor = orjson.loads(orjson.dumps(cursor))
    return again


def guarded(item: WriteItem, version: str | None) -> WriteItem:
    return replace(item, version=version)
