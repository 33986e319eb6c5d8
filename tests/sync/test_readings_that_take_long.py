"""Readings that were broken off, or take long, of a system whose lists of changes go by id: what is edited
behind the place that a reading has reached is in the next one only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.connectors.base import Capability
from trueup.errors import Transient
from trueup.model.record import Cursor, Page, Reading

UNGUARDED = ALL - {Capability.CONDITIONAL_WRITE}


@dataclass
class ById(Memory):
    """Its lists of changes go by id, one record a page; `turned` is called with the number of each page."""

    turned: Callable[[int], None] = lambda page: None

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        if reading is Reading.LISTING:
            return super().pull(object, reading, cursor, fields)
        state = dict(cursor or {})
        begun = {"since": state.get("since", 0), "start": state.get("start", self.sequence)}
        page, after = state.get("page", 0) + 1, state.get("id", "")
        self.turned(page)
        rest = sorted(id for id, row in self.rows.items() if row.number > begun["since"] and id > after)
        records = tuple(self._record(id, fields) for id in rest[:1])
        if len(rest) > 1:
            return Page(records, {**begun, "page": page, "id": rest[0]}, True)
        return Page(records, {"since": begun["start"]}, False)


def three(folder: Path) -> tuple[SmallHub, ById, Memory]:
    """Ann, Bob and Cid in both systems."""
    clock = Clock()
    slow, quick = ById(clock, capabilities=UNGUARDED), Memory(clock)
    hub = small_hub(folder, clock, {"slow": slow, "quick": quick}, order=("slow", "quick"))
    for name in ("ann", "bob", "cid"):
        for system in (slow, quick):
            system.add(email=f"{name}@example.com", job_title="one")
    hub.sync()
    hub.release()
    hub.sync()
    return hub, slow, quick


def broken_off(hub: SmallHub, slow: ById) -> None:
    """A reading of changes of all three that had got as far as Ann."""

    def fail(page: int) -> None:
        if page == 2:
            raise Transient("down")

    slow.turned = fail
    for id in ("1", "2", "3"):
        slow.edit(id, job_title="two")
    hub.sync()
    slow.turned = lambda page: None
    hub.parts.clock.sleep(3600)


def test_what_was_edited_behind_a_reading_that_was_broken_off_is_heard_by_the_run_that_goes_on(
    tmp_path: Path,
) -> None:
    hub, slow, quick = three(tmp_path)
    broken_off(hub, slow)
    slow.edit("1", job_title="three")
    hub.sync()
    assert quick.values("1")["job_title"] == "three"


def test_a_reading_that_was_broken_off_guards_no_write(tmp_path: Path) -> None:
    hub, slow, quick = three(tmp_path)
    broken_off(hub, slow)
    slow.edit("1", job_title="three")
    quick.edit("1", job_title="four")
    hub.sync()
    assert [system.values("1")["job_title"] for system in (slow, quick)] == ["three", "three"]


def test_what_stood_when_a_reading_began_is_what_it_has_read(tmp_path: Path) -> None:
    hub, slow, _ = three(tmp_path)
    broken_off(hub, slow)
    assert hub.store.stream("slow", "people").broken_off is not None
    began = hub.parts.now()
    hub.sync()
    state = hub.store.stream("slow", "people")
    assert (state.broken_off, state.read_since) == (None, began)


@pytest.mark.parametrize("seconds", [1.0, 60.0])
def test_a_reading_that_takes_longer_than_a_guard_may_be_old_guards_no_write(
    seconds: float, tmp_path: Path
) -> None:
    hub, slow, quick = three(tmp_path)
    for id in ("2", "3"):
        slow.edit(id, job_title="two")
    slow.turned = lambda page: hub.parts.clock.sleep(seconds) if page == 2 else None
    quick.edit("1", job_title="four")
    slow.calls.clear()
    hub.sync()
    assert slow.values("1")["job_title"] == "four"
    assert slow.calls.count("read") == (1 if seconds > 30 else 0)
