"""One run from end to end, over systems in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.model.run import RunOutcome


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    clock = Clock()
    systems = {"sales": Memory(clock), "marketing": Memory(clock), "support": Memory(clock)}
    return small_hub(tmp_path, clock, systems, create=("sales", "marketing", "support"))


def ann(**more: object) -> dict[str, object]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


def test_a_new_record_is_created_in_every_system_that_takes_it(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    report = hub.sync()
    assert report.outcome is RunOutcome.COMPLETED
    for system in hub.systems.values():
        held = list(system.living().values())
        assert [one["email"] for one in held] == ["ann@example.com"]
        assert held[0]["job_title"] == "CTO"


def test_what_a_system_gives_a_new_record_reaches_the_others_in_the_same_run(hub: SmallHub) -> None:
    hub.systems["sales"].gives = {"department": "Sales north"}
    hub.systems["marketing"].add(**ann())
    hub.sync()
    assert hub.systems["marketing"].values("1")["department"] == "Sales north"
    assert hub.systems["support"].values("1")["department"] == "Sales north"
    assert "read" not in hub.systems["sales"].calls
    before = hub.writes()
    hub.sync()
    assert hub.writes() == before


def test_the_next_run_writes_nothing(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann())
    hub.systems["sales"].add(email="bob@example.com", first_name="Bob", last_name="Ray")
    hub.sync()
    before = hub.writes()
    report = hub.sync()
    assert hub.writes() == before
    assert report.tally.get("creates") == 0


def test_an_edit_in_one_system_arrives_in_the_others(hub: SmallHub) -> None:
    id = hub.systems["marketing"].add(**ann())
    hub.sync()
    hub.release()
    hub.systems["marketing"].edit(id, job_title="COO")
    hub.sync()
    assert {one["job_title"] for system in hub.systems.values() for one in system.living().values()} == {
        "COO"
    }


def test_the_same_person_in_two_systems_becomes_one_contact(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    hub.systems["sales"].add(**ann(department="R&D"))
    hub.sync()
    assert [len(system.living()) for system in hub.systems.values()] == [1, 1, 1]
    values = hub.contact("ann@example.com")
    assert (values["job_title"], values["department"]) == ("CTO", "R&D")


def test_a_first_load_fills_and_withholds_what_differs(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    hub.systems["sales"].add(**ann(job_title="Boss"))
    report = hub.sync()
    assert report.tally.get("withheld") == 1
    assert hub.systems["marketing"].values("1")["job_title"] == "CTO"
    hub.release()
    hub.sync()
    assert hub.systems["marketing"].values("1")["job_title"] == "Boss"


def test_of_two_edits_the_higher_rank_wins_and_the_loser_is_recorded(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    hub.systems["marketing"].edit("1", job_title="from marketing")
    hub.systems["sales"].edit("1", job_title="from sales")
    report = hub.sync()
    assert report.tally.conflicts == 1
    assert {one["job_title"] for system in hub.systems.values() for one in system.living().values()} == {
        "from sales"
    }
    (public,) = hub.store.find(hub.store.case("c-1").entity.kind, "ann@example.com", 5)
    conflicts = [c for row in hub.store.history(public, 10) for c in row.conflicts]
    assert [(c.lost, c.kept) for c in conflicts] == [("from marketing", "from sales")]


def test_edits_of_different_fields_are_both_kept(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann())
    hub.sync()
    hub.release()
    hub.systems["marketing"].edit("1", job_title="CTO")
    hub.systems["sales"].edit("1", department="R&D")
    hub.sync()
    for system in hub.systems.values():
        held = system.values("1")
        assert (held["job_title"], held["department"]) == ("CTO", "R&D")


def test_a_cleared_value_is_cleared_everywhere(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", job_title=None)
    hub.sync()
    assert {one["job_title"] for system in hub.systems.values() for one in system.living().values()} == {None}


def test_an_empty_value_at_first_sight_never_overwrites(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann(job_title="CTO"))
    hub.systems["sales"].add(**ann(job_title=None))
    hub.sync()
    assert hub.systems["sales"].values("1")["job_title"] == "CTO"


def test_a_system_that_keeps_less_than_it_was_sent_is_left_in_peace(tmp_path: Path) -> None:
    clock = Clock()
    short = Memory(clock, keeps=lambda path, value: value[:3] if path == "job_title" and value else value)
    systems = {"sales": Memory(clock), "short": short}
    hub = small_hub(tmp_path, clock, systems, create=("sales", "short"))
    systems["sales"].add(**ann(job_title="Director"))
    hub.sync()
    hub.release()
    hub.sync()
    before = hub.writes()
    hub.sync()
    assert short.values("1")["job_title"] == "Dir"
    assert systems["sales"].values("1")["job_title"] == "Director"
    assert hub.writes() == before


def test_tags_are_merged_element_by_element(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann(tags=["beach"]))
    hub.sync()
    hub.release()
    hub.systems["marketing"].edit("1", tags=["beach", "news"])
    hub.systems["sales"].edit("1", tags=[])
    hub.sync()
    assert {tuple(system.values("1")["tags"]) for system in hub.systems.values()} == {("news",)}


def test_a_deleted_record_is_not_made_again(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann())
    hub.sync()
    hub.systems["support"].delete("1")
    for _ in range(3):
        hub.sync()
    assert hub.systems["support"].living() == {}
    assert len(hub.systems["sales"].living()) == 1


def test_nothing_is_written_before_somebody_approved(hub: SmallHub) -> None:
    hub.systems["marketing"].add(**ann())
    report = hub.sync(approve=False)
    assert report.outcome is RunOutcome.HELD
    assert hub.writes() == 0
    hub.sync(approve=True)
    assert len(hub.systems["sales"].living()) == 1


def test_people_are_matched_over_chunks_as_within_one(tmp_path: Path) -> None:
    from dataclasses import replace

    from trueup.sync.parts import Timing

    clock = Clock()
    systems = {"sales": Memory(clock), "marketing": Memory(clock)}
    hub = small_hub(tmp_path, clock, systems, create=("sales", "marketing"))
    hub.parts = replace(hub.parts, timing=Timing(chunk=4))
    for number in range(10):
        for system in systems.values():
            system.add(**ann(email=f"p{number}@example.com"))
    report = hub.sync()
    assert report.tally.get("creates") == 0
    assert hub.store.unsure(10) == []


def test_two_of_a_family_with_one_mailbox_wait_for_a_person(hub: SmallHub) -> None:
    hub.systems["marketing"].add(email="family@example.com", first_name="Ann", last_name="Lee")
    hub.systems["support"].add(email="family@example.com", first_name="Bob", last_name="Lee")
    hub.sync()
    assert len(hub.store.unsure(10)) == 1
    assert [len(one.living()) for one in hub.systems.values()] == [1, 1, 1]


def test_a_role_mailbox_identifies_nobody(hub: SmallHub) -> None:
    hub.systems["marketing"].add(email="info@example.com", first_name="Ann", last_name="Lee")
    hub.systems["support"].add(email="info@example.com", first_name="Bob", last_name="Lee")
    hub.sync()
    assert hub.store.unsure(10) == []
    assert len(hub.systems["support"].living()) == 2


def test_the_same_name_at_a_role_mailbox_waits_for_a_verdict(hub: SmallHub) -> None:
    hub.systems["marketing"].add(email="info@example.com", first_name="Ann", last_name="Lee")
    hub.systems["support"].add(email="info@example.com", first_name="Ann", last_name="Lee")
    hub.sync()
    hub.sync()
    assert len(hub.store.unsure(10)) == 1
    assert [len(hub.systems[name].living()) for name in ("marketing", "support")] == [1, 1]


def test_nobody_is_created_where_a_record_waits_for_the_verdict_that_it_is_the_same_person(
    tmp_path: Path,
) -> None:
    clock = Clock()
    systems = {"sales": Memory(clock), "support": Memory(clock)}
    hub = small_hub(tmp_path, clock, systems, create=("support",))
    systems["sales"].add(email="family@example.com", first_name="Ann", last_name="Lee")
    systems["support"].add(email="family@example.com", first_name="Bob", last_name="Lee")
    hub.sync()
    assert len(systems["support"].living()) == 1


def test_only_the_connection_that_asks_for_it_is_listed_again(hub: SmallHub, tmp_path: Path) -> None:
    from dataclasses import replace
    from datetime import timedelta

    from trueup.sync.parts import Pace

    hub.parts = replace(hub.parts, paces={"sales": Pace(full_listing=timedelta(hours=1))})
    hub.sync()
    hub.systems["sales"].clock.tick(3700)
    hub.sync()
    listed = {name: one.calls.count("pull listing") for name, one in hub.systems.items()}
    assert listed == {"sales": 2, "marketing": 1, "support": 1}


def test_only_the_connection_that_allows_it_is_written_without_reading_again(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.sync.memory import ALL
    from trueup.connectors.base import Capability
    from trueup.sync.parts import Pace

    clock = Clock()
    plain = ALL - {Capability.CONDITIONAL_WRITE}
    systems = {
        "sales": Memory(clock),
        "a": Memory(clock, capabilities=plain),
        "b": Memory(clock, capabilities=plain),
    }
    hub = small_hub(tmp_path, clock, systems, create=("a", "b"))
    hub.parts = replace(hub.parts, paces={"a": Pace(guard_age=0.0)})
    systems["sales"].add(**ann())
    hub.sync()
    hub.release()
    systems["sales"].edit("1", job_title="CTO")
    hub.sync()
    assert [systems[name].calls.count("read") for name in ("a", "b")] == [1, 0]
