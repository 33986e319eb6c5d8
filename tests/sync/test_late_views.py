"""Lists that lag, of a system whose stamps stand still for a day: an older view is no edit, and an edit that
could be an older view is heard all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import FIELDS, SmallHub, small_hub
from trueup.connectors.base import Capability, GoneItem
from trueup.errors import Transient
from trueup.model.record import Cursor, Page, Reading, Record

SILENT = ALL - {Capability.ANSWERS_WITH_RECORD}
UNGUARDED = SILENT - {Capability.CONDITIONAL_WRITE}


class Lagging(Memory):
    """Its stamps are days, or `exact`; with `stuck`, its lists show these records and no others."""

    stuck: Sequence[Record] = ()
    unreadable: bool = False
    exact: bool = False

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        page = super().pull(object, reading, cursor, fields)
        return replace(page, records=tuple(self.stuck)) if self.stuck else page

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        if self.unreadable:
            raise Transient("down")
        return super().read(object, ids, fields)

    def _record(self, id: str, fields: Sequence[str]) -> Record:
        record = super()._record(id, fields)
        if self.exact:
            return record
        return replace(record, changed_at=self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0))

    def view(self, id: str = "1") -> Record:
        """The record as it stands, to be shown by lists later."""
        return self._record(id, FIELDS)


def two(folder: Path) -> tuple[SmallHub, Lagging, Memory]:
    clock = Clock()
    slow, quick = Lagging(clock, lag=30.0), Memory(clock)
    hub = small_hub(folder, clock, {"slow": slow, "quick": quick})
    for system in (slow, quick):
        system.add(email="ann@example.com", job_title="one")
    hub.sync()
    hub.release()
    hub.sync()
    return hub, slow, quick


def titles(*systems: Memory) -> set[object]:
    return {system.values("1")["job_title"] for system in systems}


@pytest.mark.parametrize("seconds", [1.0, 20.0])
def test_an_older_view_after_our_write_takes_nothing_back(tmp_path: Path, seconds: float) -> None:
    hub, slow, quick = two(tmp_path)
    before = slow.view()
    quick.edit("1", job_title="two")
    hub.sync()
    hub.parts.clock.sleep(seconds)
    slow.stuck = [before]
    hub.sync()
    assert titles(slow, quick) == {"two"}


def test_an_edit_within_the_lag_of_what_was_told_is_heard(tmp_path: Path) -> None:
    hub, slow, quick = two(tmp_path)
    quick.edit("1", job_title="two")
    hub.sync()
    slow.edit("1", job_title="three")
    hub.sync()
    assert titles(slow, quick) == {"three"}


def test_the_place_in_the_stream_stays_until_the_record_could_be_read(tmp_path: Path) -> None:
    hub, slow, quick = two(tmp_path)
    quick.edit("1", job_title="two")
    hub.sync()
    slow.edit("1", job_title="three")
    slow.unreadable = True
    hub.sync()
    assert titles(quick) == {"two"}
    slow.unreadable = False
    hub.sync()
    assert titles(slow, quick) == {"three"}


def test_nothing_is_read_again_when_the_lag_is_over(tmp_path: Path) -> None:
    hub, slow, quick = two(tmp_path)
    quick.edit("1", job_title="two")
    hub.sync()
    hub.parts.clock.sleep(31)
    slow.edit("1", job_title="three")
    slow.calls.clear()
    hub.sync()
    assert titles(slow, quick) == {"three"}
    assert "read" not in slow.calls


def silent(folder: Path, able: frozenset[Capability] = SILENT) -> tuple[SmallHub, Lagging, Memory]:
    """As `two`, and the slow one does not answer what it keeps: only what changed a list is read back."""
    clock = Clock()
    slow, quick = Lagging(clock, lag=30.0, capabilities=able), Memory(clock)
    hub = small_hub(folder, clock, {"slow": slow, "quick": quick}, create=("slow",))
    for system in (slow, quick):
        system.add(email="ann@example.com", job_title="one", tags=["old"])
    hub.sync()
    hub.release()
    clock.tick(60)
    hub.sync()
    return hub, slow, quick


def tags(*systems: Memory) -> list[object]:
    return [system.values("1")["tags"] for system in systems]


def test_an_older_view_after_a_list_was_read_back_takes_no_element_away(tmp_path: Path) -> None:
    hub, slow, quick = silent(tmp_path)
    before = slow.view()
    quick.edit("1", tags=["old", "new"])
    hub.sync()
    slow.stuck = [before]
    hub.sync()
    assert tags(slow, quick) == [["old", "new"]] * 2


def test_a_view_of_an_edit_that_our_write_followed_takes_no_element_away(tmp_path: Path) -> None:
    hub, slow, quick = silent(tmp_path, UNGUARDED)
    slow.exact, views = True, list[Record]()

    def somebody_is_quicker() -> None:
        if slow.calls[-1] == "write" and not views:
            slow.edit("1", job_title="two")
            views.append(slow.view())

    slow.between = somebody_is_quicker
    quick.edit("1", tags=["old", "new"])
    hub.sync()
    slow.stuck = views
    hub.sync()
    assert tags(slow, quick) == [["old", "new"]] * 2
    hub.parts.clock.sleep(31)
    slow.stuck = [slow.view()]
    hub.sync()
    assert tags(slow, quick) == [["old", "new"]] * 2
    assert titles(slow, quick) == {"two"}


def test_what_was_taken_from_a_list_after_it_was_read_back_is_heard(tmp_path: Path) -> None:
    hub, slow, quick = silent(tmp_path)
    quick.edit("1", tags=["old", "new"])
    hub.sync()
    slow.edit("1", tags=["old"])
    hub.sync()
    assert tags(slow, quick) == [["old"]] * 2


def lost(hub: SmallHub) -> list[object]:
    return [one.lost for row in hub.store.history("c-1", 50) for one in row.conflicts]


def test_an_older_view_after_a_write_without_an_answer_takes_nothing_back_and_nothing_is_sent_again(
    tmp_path: Path,
) -> None:
    hub, slow, quick = silent(tmp_path)
    before = slow.view()
    quick.edit("1", job_title="two")
    hub.sync()
    slow.stuck, sent = [before], len(slow.written)
    hub.sync()
    assert (titles(slow, quick), len(slow.written), lost(hub)) == ({"two"}, sent, [])


def test_what_stood_there_before_our_write_and_was_put_back_within_the_lag_is_found_at_once(
    tmp_path: Path,
) -> None:
    """The list tells nothing, for it may be older than our write; the record itself does. Its stamps do not
    tell whether the system dropped what it was sent."""
    hub, slow, quick = silent(tmp_path)
    quick.edit("1", job_title="two")
    hub.sync()
    slow.edit("1", job_title="one")
    hub.sync()
    assert (titles(slow, quick), lost(hub)) == ({"two"}, ["one"])


def test_what_was_put_back_after_our_write_by_the_systems_own_time_is_heard_within_the_lag(
    tmp_path: Path,
) -> None:
    hub, slow, quick = silent(tmp_path)
    slow.exact = True
    quick.edit("1", job_title="two")
    hub.sync()
    slow.edit("1", job_title="one")
    hub.sync()
    assert titles(slow, quick) == {"one"}


def test_what_was_put_back_and_typed_over_between_two_readings_within_the_lag_is_in_the_history(
    tmp_path: Path,
) -> None:
    hub, slow, quick = silent(tmp_path)
    quick.edit("1", job_title="two")
    hub.sync()
    for word in ("one", "three"):
        slow.edit("1", job_title=word)
        hub.sync()
    assert {"one", "three"} <= {*lost(hub), *titles(slow, quick)}


def test_a_field_of_a_new_record_that_is_emptied_within_the_lag_is_found_at_once(tmp_path: Path) -> None:
    hub, slow, quick = silent(tmp_path)
    quick.add(email="bob@example.com", job_title="CTO")
    hub.sync()
    slow.edit("2", job_title=None)
    hub.sync()
    (row,) = [one for one in hub.store.history("c-2", 50) if one.conflicts]
    assert [(one.field, one.lost) for one in row.conflicts] == [("job_title", None)]
    assert slow.values("2")["job_title"] == "CTO"
