"""F001 to F015: nobody is made twice, and nobody is taken for somebody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.demands.hubs import Setting, ann, aside, contacts, hub_of, links, person, until_quiet, written
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.connectors.base import Capability, Outcome, RefusedItem, WriteItem
from trueup.connectors.csv.connector import CsvConnector
from trueup.model.delivery import DeliveryState, WriteKind
from trueup.model.entity import LinkState

LISTS_ONLY = ALL - {Capability.INCREMENTAL, Capability.DELETES_VISIBLE}
FIELDS = ("email", "first_name", "last_name", "job_title")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock, **target: Any) -> SmallHub:
    """A source that is read and a target that contacts are created in."""
    systems = {"source": Memory(clock, page=100), "target": Memory(clock, page=100, **target)}
    return hub_of(folder, clock, systems, Setting(create=("target",)))


def answers(target: Memory, answer: Callable[[WriteItem, Outcome], Outcome]) -> None:
    """The target carries creates out, and says something else of them."""
    write = target.write

    def told(object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        done = write(object, items, fields)
        creates = [item.kind is WriteKind.CREATE for item in items]
        return [answer(*both) if new else both[1] for new, *both in zip(creates, items, done, strict=True)]

    target.write = told  # type: ignore[method-assign]


def test_f002_who_arrives_again_before_the_index_shows_the_new_record_is_not_made_again(
    tmp_path: Path, clock: Clock
) -> None:
    systems = {name: Memory(clock, lag=30.0) for name in ("source", "form", "target")}
    hub = hub_of(tmp_path, clock, systems, Setting(create=("target",)))
    systems["source"].add(**ann())
    hub.sync()
    clock.tick(5)
    assert systems["target"].find("people", "email", ["ann@example.com"], ["email"]) == []
    systems["form"].add(**ann())
    until_quiet(hub, clock)
    assert len(systems["target"].rows) == len(contacts(hub)) == 1


def test_f003_two_ids_of_one_person_in_one_page_are_two_records_of_one_contact(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    for _ in range(2):
        hub.systems["source"].add(**ann())
    hub.sync()
    assert len(contacts(hub)) == len(hub.systems["target"].rows) == 1
    assert {one[0::2] for one in links(hub, "ann@example.com")} == {
        ("source", "1"),
        ("source", "2"),
        ("target", "1"),
    }


def test_f006_an_address_that_is_none_makes_no_new_contact_with_every_run(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann(email="ann at example"))
    for turn in range(3):
        hub.systems["source"].edit("1", job_title=f"title {turn}")
        hub.sync()
        clock.tick(60)
    assert len(contacts(hub)) == len(hub.systems["target"].rows) == 1
    assert list(aside(hub, "source")) == ["email"]


def test_f007_two_people_without_an_address_are_two_records_and_neither_takes_the_others_values(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    for number in (1, 2):
        hub.systems["source"].add(**person(number, email=None, job_title=f"title {number}"))
    until_quiet(hub, clock)
    held = hub.systems["target"].living().values()
    assert sorted((one["first_name"], one["job_title"]) for one in held) == [
        ("First1", "title 1"),
        ("First2", "title 2"),
    ]


def test_f009_a_create_that_was_refused_and_made_all_the_same_becomes_the_link(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    answers(hub.systems["target"], lambda item, done: RefusedItem("bad request", {"": "bad request"}))
    hub.systems["source"].add(**ann())
    for _ in range(3):
        clock.tick(60)
        hub.sync()
    assert len(hub.systems["target"].rows) == 1
    assert links(hub, "ann@example.com") == {("source", "people", "1"), ("target", "people", "1")}


def test_f011_a_table_with_the_address_in_other_letters_brings_nobody_new(
    tmp_path: Path, clock: Clock
) -> None:
    table = tmp_path / "import.csv"
    table.write_text(
        "id,email,first_name,last_name,job_title\n1,ANN@Example.COM,Ann,Lee,\n", encoding="utf-8"
    )
    options = {"path": str(table), "key": "id"}
    read = CsvConnector("import", options, {"people": {"entity": "contact"}}, clock.now)
    crm = Memory(clock)
    crm.add(**ann())
    systems: dict[str, Any] = {"crm": crm, "import": read}
    objects = {name: rules(fields=FIELDS) for name in systems}
    hub = small_hub(tmp_path, clock, systems, objects=objects, create=("crm",))
    hub.sync()
    assert len(contacts(hub)) == len(crm.rows) == 1


def test_f013_ids_that_come_in_other_letters_delete_nobody_and_write_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    systems = {"source": Memory(clock, page=100, capabilities=LISTS_ONLY), "target": Memory(clock)}
    objects = [(name, rules(fields=FIELDS, deleted_elsewhere="delete")) for name in systems]
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("target",)))
    source = systems["source"]
    for number in range(20):
        source.put(f"ab{number}", **person(number))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    before = written(hub)
    source.rows = {id.upper(): row for id, row in source.rows.items()}
    for _ in range(3):
        clock.tick(3600)
        hub.sync()
    assert written(hub) == before
    assert len(contacts(hub)) == 20


def test_f014_who_is_archived_there_counts_as_deleted_there_and_is_not_asked_for_again_and_again(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    target = hub.systems["target"]
    old = target.add(**ann())
    target.delete(old)
    hub.sync()
    exists = RefusedItem("exists", {"email": "taken"}, existing_id=old)
    asked: list[str] = []

    def taken(object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        asked.extend(item.kind.value for item in items)
        return [exists for _ in items]

    target.write = taken  # type: ignore[method-assign]
    hub.systems["source"].add(**ann())
    for turn in range(8):
        clock.tick(3600)
        hub.systems["source"].edit("1", job_title=f"title {turn}")
        hub.sync()
    assert asked == ["create"]
    states = {one.connection: one.state for one in hub.store.case("c-1").links}
    assert states == {"source": LinkState.LIVE, "target": LinkState.TOMBSTONE}


def test_f015_after_a_create_that_failed_the_next_attempt_is_a_create(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    source, target = hub.systems["source"], hub.systems["target"]
    target.refuse = lambda values: {"last_name": "may not be empty"} if not values.get("last_name") else {}
    source.add(**ann(last_name=None))
    hub.sync()
    assert target.rows == {} and hub.store.deliveries([DeliveryState.PARKED], None, 9)
    clock.tick(60)
    source.edit("1", last_name="Lee")
    hub.sync()
    assert [item.kind for item in target.written] == [WriteKind.CREATE]
    assert [one["last_name"] for one in target.living().values()] == ["Lee"]
