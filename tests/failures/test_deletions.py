"""F101, F104, F106: deletions that are none, and those that meet an edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.salesforce.org import Desk, pages, records
from tests.demands.hubs import Setting, ann, hub_of, mapped, parked, person, public, told, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.model.record import Reading
from trueup.model.run import RunOutcome

FIELDS = ("email", "first_name", "last_name", "job_title")


def test_f101_a_server_that_makes_its_pages_smaller_while_it_is_read_hides_nobody() -> None:
    desk = Desk()
    ids = [desk.lead(f"No{number}") for number in range(9)]
    connector = desk.connector()
    assert len(pages(connector, "Lead", Reading.LISTING, None, ())) == 1
    desk.org.pages.cap = 2
    found = pages(connector, "Lead", Reading.LISTING, None, ())
    assert len(found) == 5
    assert [record.id for record in records(found)] == ids


def pair(folder: Path, clock: Clock, **there: str) -> SmallHub:
    systems = {"a": Memory(clock, page=50), "b": Memory(clock, page=50)}
    objects = [("a", rules(fields=mapped(*FIELDS))), ("b", rules(fields=mapped(*FIELDS), **there))]
    hub = hub_of(folder, clock, systems, Setting(objects, create=("b",)))
    systems["a"].add(**ann(job_title="CTO"))
    systems["a"].add(**person(2, job_title="CTO"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


@pytest.mark.parametrize("first", ["delete", "edit"])
def test_f104_an_edit_outlives_the_deletion_of_the_same_moment_elsewhere(first: str, tmp_path: Path) -> None:
    clock = Clock()
    hub = pair(tmp_path, clock)
    acts = {
        "delete": lambda: hub.systems["a"].delete("1"),
        "edit": lambda: hub.systems["b"].edit("1", job_title="COO"),
    }
    for act in (first, *(other for other in acts if other != first)):
        acts[act]()
    until_quiet(hub, clock)
    assert told(hub.systems["b"], "job_title") == ["COO", "CTO"]
    assert hub.contact("ann@example.com")["job_title"] == "COO"


def test_f104_where_deletions_are_passed_on_the_edit_that_goes_with_it_is_in_the_history(
    tmp_path: Path,
) -> None:
    clock = Clock()
    hub = pair(tmp_path, clock, deleted_elsewhere="delete")
    who = public(hub, "ann@example.com")
    hub.systems["a"].delete("1")
    hub.systems["b"].edit("1", job_title="COO")
    until_quiet(hub, clock)
    assert told(hub.systems["b"], "email") == ["p2@example.com"]
    changed = [one for row in hub.store.history(who, 50) for one in row.changes if one.field == "job_title"]
    assert "COO" in [one.new for one in changed]


def test_f106_a_write_for_somebody_who_is_deleted_meanwhile_is_closed_and_the_others_go_out(
    tmp_path: Path,
) -> None:
    clock = Clock()
    hub = pair(tmp_path, clock)
    b = hub.systems["b"]
    for id in ("1", "2"):
        hub.systems["a"].edit(id, job_title="COO")

    def deleted_just_before_the_write() -> None:
        if b.calls[-1] == "write":
            b.between = lambda: None
            b.delete("1")

    b.between = deleted_just_before_the_write
    report = hub.sync()
    assert told(b, "job_title") == ["COO"]
    assert report.outcome is RunOutcome.COMPLETED
    assert parked(hub) == []
    until_quiet(hub, clock)
    assert len(b.rows) == 2
