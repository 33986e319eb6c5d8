"""What counts as a deletion, and of whom: no row that cannot be read, and nobody who is still there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.consenting import ann, both_have_ann, consent_hub, later
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.connectors.base import Capability, GoneItem
from trueup.model.record import Cursor, Page, Reading, Record


class Garbled(Memory):
    """A system some of whose rows cannot be read; `names` is what its listing then says of one."""

    unreadable: frozenset[str] = frozenset()
    names = "line {id}"

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        page = super().pull(object, reading, cursor, fields)
        bad = [record.id for record in page.records if record.id in self.unreadable]
        kept = tuple(record for record in page.records if record.id not in self.unreadable)
        told = tuple((self.names.format(id=id), "the birth date is no date") for id in bad)
        return replace(page, records=kept, rejected=told)


LISTED = ALL - {Capability.CONDITIONAL_WRITE, Capability.INCREMENTAL}


class Denying(Memory):
    """A system that says of the `denied` records, asked for them by id, that they are not there. Its listings
    take so long that they guard no write."""

    denied: frozenset[str] = frozenset()

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        self.clock.tick(300)
        return super().pull(object, reading, cursor, fields)

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        found = super().read(object, ids, fields)
        return [GoneItem() if id in self.denied else one for id, one in zip(ids, found, strict=True)]


def test_a_record_that_is_not_there_when_it_is_asked_for_is_not_written_to_until_a_listing_shows_it(
    tmp_path: Path,
) -> None:
    clock = Clock()
    here, there = Memory(clock), Denying(clock, capabilities=LISTED)
    hub = small_hub(tmp_path, clock, {"here": here, "there": there}, create=("here", "there"))
    here.add(email="ann@example.com", job_title="one")
    settled(hub)
    written = len(there.written)
    here.edit("1", job_title="two")
    there.denied = frozenset({"1"})
    hub.sync()
    assert len(there.written) == written
    there.denied = frozenset()
    later(hub, clock)
    assert [values["job_title"] for values in there.living().values()] == ["two"]


@pytest.mark.parametrize("capabilities", [LISTED, LISTED | {Capability.INCREMENTAL}])
def test_an_opt_out_goes_to_a_record_that_is_not_there_when_it_is_asked_for(
    capabilities: frozenset[Capability], tmp_path: Path
) -> None:
    """Should it be there all the same, nothing else might ever bring it back; and then it does come back."""
    clock = Clock()
    here, there = Memory(clock), Denying(clock, capabilities=capabilities)
    hub = consent_hub(tmp_path, clock, {"here": here, "there": there})
    both_have_ann(hub)
    hub.release()
    here.edit("1", optout=True, job_title="two")
    there.denied = frozenset({"1"})
    later(hub, clock)
    assert [set(item.values) for item in there.written] == [{"optout"}]
    there.denied = frozenset()
    for _ in range(2):
        later(hub, clock)
    assert (there.values("1")["optout"], there.values("1")["job_title"]) == (True, "two")


def hub_of(folder: Path, clock: Clock, source: Memory) -> SmallHub:
    """`source` is mirrored by `target`, which deletes whoever was deleted there."""
    objects = {"source": rules(), "target": rules(deleted_elsewhere="delete")}
    return small_hub(folder, clock, {"source": source, "target": Memory(clock)}, objects=objects)


def settled(hub: SmallHub) -> None:
    hub.sync()
    hub.release()
    hub.sync()


def four_people(folder: Path, clock: Clock) -> tuple[SmallHub, Garbled]:
    source = Garbled(clock, capabilities=ALL - {Capability.INCREMENTAL})
    hub = hub_of(folder, clock, source)
    for system in hub.systems.values():
        for number in range(4):
            system.add(email=f"p{number}@example.com")
    settled(hub)
    return hub, source


@pytest.mark.parametrize("names", ["line {id}", "{id}", "{id}.birthday"])
def test_a_row_that_cannot_be_read_is_not_deleted(tmp_path: Path, names: str) -> None:
    clock = Clock()
    hub, source = four_people(tmp_path, clock)
    source.unreadable, source.names = frozenset({"2"}), names
    later(hub, clock)
    assert "2" in hub.systems["target"].living()


@pytest.mark.parametrize(
    ("names", "believed"), [("line {id}", False), ("{id}", True)], ids=["nobody knows whose", "named"]
)
def test_beside_a_row_that_names_nobody_no_absence_is_believed(
    tmp_path: Path, names: str, believed: bool
) -> None:
    clock = Clock()
    hub, source = four_people(tmp_path, clock)
    source.unreadable, source.names = frozenset({"1"}), names  # on another page than the one deleted
    source.delete("4")
    later(hub, clock)
    assert ("4" not in hub.systems["target"].living()) is believed
    assert any("could not be read" in note for note in hub.reports[-1].tally.notes) is not believed
    source.unreadable = frozenset()
    later(hub, clock)
    assert sorted(hub.systems["target"].living()) == ["1", "2", "3"]


def test_of_two_records_of_a_person_one_may_go(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_of(tmp_path, clock, Memory(clock))
    source, target = hub.systems["source"], hub.systems["target"]
    for _ in range(2):
        source.add(**ann())
    source.add(email="bob@example.com")
    target.add(**ann())
    settled(hub)
    source.delete("2")
    later(hub, clock)
    assert "1" in target.living()
    source.delete("1")
    later(hub, clock)
    assert "1" not in target.living()


def test_records_that_a_system_joins_are_deleted_nowhere(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_of(tmp_path, clock, Memory(clock))
    for system in hub.systems.values():
        system.add(**ann())
        system.add(**ann(email="lee@example.com"))
        system.add(email="z@example.com")
    settled(hub)
    hub.systems["source"].merge("2", "1")
    later(hub, clock)
    assert sorted(hub.systems["target"].living()) == ["1", "2", "3"]


@pytest.mark.parametrize("at_once", [True, False])
def test_who_was_deleted_wherever_he_was_known_is_made_nowhere_when_a_system_takes_newcomers(
    at_once: bool, tmp_path: Path
) -> None:
    clock = Clock()
    here, there = Memory(clock), Memory(clock)
    hub = small_hub(tmp_path, clock, {"here": here, "there": there}, create=("there",))
    open_to_all = hub.parts.policy
    hub.parts = replace(hub.parts, policy=replace(open_to_all, create={}))
    here.add(email="ann@example.com", job_title="one")
    here.add(email="bob@example.com", job_title="two")
    settled(hub)
    here.delete("1")
    if not at_once:
        hub.sync()
    hub.parts = replace(hub.parts, policy=open_to_all)
    for id in ("c-1", "c-2"):
        hub.store.mark_due([hub.store.case(id).entity.id], "looked_at")
    later(hub, clock)
    assert [values["email"] for values in there.living().values()] == ["bob@example.com"]
