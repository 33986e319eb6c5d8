"""F069, F102: a system whose pages never end, each in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, hub_of, person, told
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import Capability
from trueup.model.record import Cursor, Page, Reading
from trueup.model.run import RunOutcome

MANY = 40
"""Pages after which a reading counts as endless; those of these systems have four."""


@dataclass
class Endless(Memory):
    """A system that, while `circles`, forgets where a reading is."""

    circles: bool = False
    asked: list[Cursor | None] = field(default_factory=list)

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        self.asked.append(cursor)
        assert len(self.asked) < MANY, "it goes round for ever"
        return self.astray(object, reading, cursor, fields) if self.circles else self._page(cursor, fields)

    def _page(self, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        start = int((cursor or {}).get("at", 0))
        ids = sorted(self.living())[start : start + self.page]
        more = start + self.page < len(self.living())
        records = tuple(self._record(id, fields) for id in ids)
        return Page(records, {"at": start + self.page} if more else {}, more)

    def astray(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        """What it answers once it circles; a listing like any other until somebody says how."""
        return self._page(cursor, fields)


class IgnoresThePlace(Endless):
    """Whatever place it is asked for, it answers with its first page."""

    def astray(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        first = self._page(None, fields)
        return Page(first.records, {"at": int((cursor or {}).get("at", 0)) + self.page}, True)


class RejectsForEver(Endless):
    """Whatever place it is asked for, it answers with one row that nobody can read."""

    def astray(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        place = {"at": int((cursor or {}).get("at", 0)) + self.page}
        return Page((), place, True, rejected=(("a row", "it has no id"),))


class GoesRound(Endless):
    """Its second page leads back to the first one."""

    def astray(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        at = int((cursor or {}).get("at", 0))
        return Page(self._page({"at": at}, fields).records, {"at": self.page - at}, True)


class TellsTwice(Endless):
    """A feed in which the same changes stand twice, one page after the other; then it goes on."""

    def astray(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        at, again = int((cursor or {}).get("at", 0)), int((cursor or {}).get("again", 0))
        page = self._page({"at": at}, fields)
        return page if again else Page(page.records, {"at": at, "again": 1}, True)


def hub(folder: Path, clock: Clock, source: Endless) -> SmallHub:
    systems = {"source": source, "target": Memory(clock, page=100), "third": Memory(clock)}
    made = hub_of(folder, clock, systems, Setting(create=("target",)))
    for number in range(8):
        source.add(**person(number, job_title="old"))
    systems["third"].add(**person(50))
    return made


def system(kind: type[Endless], clock: Clock, *more: Capability) -> Endless:
    return kind(clock, page=2, capabilities=ALL - {Capability.INCREMENTAL} | {*more})


@pytest.mark.parametrize("kind", [IgnoresThePlace, GoesRound])
def test_f069_pages_that_come_again_end_the_reading_and_the_other_systems_go_on(
    kind: type[Endless], tmp_path: Path
) -> None:
    clock = Clock()
    source = system(kind, clock)
    one = hub(tmp_path, clock, source)
    source.circles = True
    report = one.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert "pages" in str(report.failed["source"])
    assert "p50@example.com" in told(one.systems["target"], "email")
    source.circles = False
    source.asked.clear()
    one.sync()
    assert len(told(one.systems["target"], "email")) == 9


def test_f069_rows_that_nobody_can_read_and_that_come_for_ever_end_the_reading_too(tmp_path: Path) -> None:
    clock = Clock()
    source = system(RejectsForEver, clock)
    one = hub(tmp_path, clock, source)
    source.circles = True
    assert one.sync().outcome is RunOutcome.PARTIAL
    assert "p50@example.com" in told(one.systems["target"], "email")
    source.circles = False
    source.asked.clear()
    one.sync()
    assert "p2@example.com" in told(one.systems["target"], "email")


@pytest.mark.parametrize("kind", [IgnoresThePlace, GoesRound])
def test_f102_pages_that_come_again_delete_nobody(kind: type[Endless], tmp_path: Path) -> None:
    clock = Clock()
    source = system(kind, clock)
    one = hub(tmp_path, clock, source)
    one.sync()
    source.circles = True
    source.asked.clear()
    report = one.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert (report.tally.get("gone"), report.tally.get("held missing")) == (0, 0)
    assert len(one.systems["target"].living()) == 9


def knowing_all(folder: Path, clock: Clock, kind: type[Endless]) -> tuple[SmallHub, Endless]:
    """A system that tells changes was listed; then somebody comes, and it circles."""
    source = system(kind, clock, Capability.INCREMENTAL)
    one = hub(folder, clock, source)
    one.sync()
    source.add(**person(8))
    source.circles = True
    source.asked.clear()
    return one, source


def test_f069_changes_that_are_told_twice_and_go_on_are_all_read(tmp_path: Path) -> None:
    one, _ = knowing_all(tmp_path, Clock(), TellsTwice)
    assert one.sync().outcome is RunOutcome.COMPLETED
    assert "p8@example.com" in told(one.systems["target"], "email")


def test_f069_changes_that_are_told_for_ever_are_read_to_the_first_of_them(tmp_path: Path) -> None:
    one, source = knowing_all(tmp_path, Clock(), IgnoresThePlace)
    assert one.sync().outcome is RunOutcome.PARTIAL
    assert one.store.stream("source", "people").cursor == {"at": source.page}
    source.circles = False
    one.sync()
    assert "p8@example.com" in told(one.systems["target"], "email")
