"""F016 to F023: what the hub wrote does not come back as news, and nobody is written for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, contacts, hub_of, mapped, person, told, until_quiet, written
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import Capability
from trueup.mapping.schema import FieldRule

NAMES = ("sales", "marketing", "support")
LISTS_ONLY = ALL - {Capability.INCREMENTAL, Capability.DELETES_VISIBLE}
NO_VERSIONS = ALL - {Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def in_step(folder: Path, clock: Clock, **systems: Memory) -> SmallHub:
    """Systems that hold twenty people, brought in step; contacts are created in all of them."""
    objects = [(name, rules(fields=FIELDS, deleted_elsewhere="delete")) for name in systems]
    hub = hub_of(folder, clock, systems, Setting(objects, create=tuple(systems)))
    for number in range(20):
        next(iter(systems.values())).add(**person(number, job_title="old"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


FIELDS = mapped("email", "first_name", "last_name", "job_title")


def test_f018_after_the_last_edit_of_a_list_each_other_system_is_written_once_at_most(
    tmp_path: Path, clock: Clock
) -> None:
    objects = [(name, rules(fields=("email", "first_name", "last_name", "tags"))) for name in NAMES]
    systems = {name: Memory(clock, capabilities=NO_VERSIONS) for name in NAMES}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=NAMES))
    systems["sales"].add(**ann(tags=["a", "b"]))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    for name, tags in zip(NAMES, (["b", "c"], ["d"], ["e", "a"]), strict=True):
        systems[name].edit("1", tags=tags)
    before = written(hub)
    for _ in range(6):
        clock.tick(60)
        hub.sync()
    assert written(hub) - before <= len(NAMES)
    assert len({tuple(sorted(told(one, "tags")[0])) for one in systems.values()}) == 1  # type: ignore[arg-type]


def test_f020_a_filler_for_a_required_field_is_never_taken_for_a_value(tmp_path: Path, clock: Clock) -> None:
    fields = [
        *mapped("email", "first_name", "job_title"),
        FieldRule("last_name", "last_name", default="see file"),
    ]
    objects = [("sales", rules(fields=fields)), ("form", rules(fields=mapped("email", "last_name")))]
    systems = {"sales": Memory(clock), "form": Memory(clock)}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("sales",)))
    systems["sales"].add(email="bob@example.com", last_name="see file")
    for email in ("ann@example.com", "bob@example.com"):
        systems["form"].add(email=email)
    until_quiet(hub, clock)
    assert told(systems["sales"], "last_name") == ["see file", "see file"]
    systems["sales"].edit("2", job_title="CTO")
    until_quiet(hub, clock)
    assert told(systems["form"], "last_name") == [None, None]
    assert hub.contact("ann@example.com").get("last_name") is None


def test_f022_a_source_that_makes_its_records_anew_every_day_moves_nobody(
    tmp_path: Path, clock: Clock
) -> None:
    source = Memory(clock, page=100, capabilities=LISTS_ONLY)
    target = Memory(clock, page=100)
    hub = in_step(tmp_path, clock, source=source, target=target)
    before = written(hub)
    for day in range(1, 4):
        clock.tick(86_400)
        rows = [dict(row.values) for row in source.rows.values()]
        source.rows = {}
        for number, values in enumerate(rows):
            source.put(f"day-{day}-{number}", **values)
        source.edit(f"day-{day}-7", job_title=f"title of day {day}")
        hub.sync()
    assert len(contacts(hub)) == len(target.living()) == 20
    assert written(hub) - before <= 3
    assert target.living().keys() == {str(number) for number in range(1, 21)}
