"""F085, F088: records that look alike, of one person and of several."""

from __future__ import annotations

from pathlib import Path

from tests.demands.hubs import Setting, contacts, hub_of, links, mapped, person, told, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules

NAMES = ("sales", "marketing", "support")
FIELDS = ("email", "first_name", "last_name", "job_title")


def house(folder: Path, clock: Clock, create: tuple[str, ...] = ()) -> SmallHub:
    systems = {name: Memory(clock, page=50) for name in NAMES}
    objects = [(name, rules(fields=mapped(*FIELDS))) for name in NAMES]
    return hub_of(folder, clock, systems, Setting(objects, create=create))


def test_f085_a_record_that_was_merged_and_is_listed_all_the_same_makes_no_second_contact(
    tmp_path: Path,
) -> None:
    clock = Clock()
    hub = house(tmp_path, clock, create=("marketing",))
    sales = hub.systems["sales"]
    sales.add(**person(1))
    until_quiet(hub, clock)
    sales.add(**person(1, job_title="CTO"))  # made of the first one, of which nothing says that it is over
    for id in ("1", "2"):
        sales.edit(id, job_title="COO")
        until_quiet(hub, clock)
    assert len(contacts(hub)) == 1
    assert told(hub.systems["marketing"], "email") == ["p1@example.com"]


def test_f088_people_of_one_name_stay_apart_and_nothing_of_theirs_is_written_over(tmp_path: Path) -> None:
    clock = Clock()
    hub = house(tmp_path, clock)
    for number, name in enumerate(NAMES):
        for more in (0, 10):
            who = {"first_name": "Ann", "last_name": "Lee", "job_title": f"job {number + more}"}
            hub.systems[name].add(email=f"a{number + more}@example.com", **who)
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    assert len(contacts(hub)) == 6
    assert {name: told(hub.systems[name], "job_title") for name in NAMES} == {
        name: [f"job {number}", f"job {number + 10}"] for number, name in enumerate(NAMES)
    }
    assert links(hub, "a0@example.com") == {("sales", "people", "1")}
