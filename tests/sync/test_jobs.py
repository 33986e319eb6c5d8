"""Writes that a system does in the background: what people do meanwhile is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.connectors.base import Capability, Done, Outcome, Pending, WriteItem

NO_ANSWER = ALL - {Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD}


@dataclass
class Background(Memory):
    """Does what it is sent at once and tells so only when it was asked `patience` times."""

    polls: int = 0
    patience: int = 100

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        super().write(object, items, fields)
        self.polls = self.patience
        return [Pending("job 1")] * len(items)

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        self.polls -= 1
        return [Pending(job) if self.polls > 0 else Done(str(item.id)) for item in items]


def test_an_edit_that_was_read_before_the_job_was_told_done_is_kept(tmp_path: Path) -> None:
    clock = Clock()
    slow = Background(clock, capabilities=NO_ANSWER)
    hub = small_hub(tmp_path, clock, {"sales": Memory(clock), "slow": slow})
    hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    slow.add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", job_title="COO")
    hub.sync()
    assert slow.values("1")["job_title"] == "COO" and slow.polls > 0
    slow.edit("1", job_title="Owner")
    slow.polls = 2
    clock.tick(60)
    for _ in range(3):
        hub.sync()
        clock.tick(60)
    assert [system.values("1")["job_title"] for system in hub.systems.values()] == ["Owner", "Owner"]


LAG = 300.0


def put_back_while_the_job_ran(folder: Path, polls: int = 1) -> SmallHub:
    """The hub's value was written by a job; before it was told done, a person put back what stood there. With
    two `polls` the lists are read before it is told done."""
    clock = Clock()
    slow = Background(clock, capabilities=NO_ANSWER, lag=LAG)
    hub = small_hub(folder, clock, {"sales": Memory(clock), "slow": slow})
    hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    slow.add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", job_title="COO")
    hub.sync()
    assert slow.values("1")["job_title"] == "COO" and slow.polls > 0
    clock.tick(60)
    slow.edit("1", job_title="CTO")
    slow.polls = polls
    return hub


def titles(hub: SmallHub, slow_id: str = "1") -> list[object]:
    sales, slow = hub.systems.values()
    return [sales.values("1")["job_title"], slow.values(slow_id)["job_title"]]


def after_the_lag(hub: SmallHub, runs: int = 3) -> None:
    for _ in range(runs):
        hub.parts.clock.sleep(LAG + 2)
        hub.systems["slow"].polls = 1  # type: ignore[attr-defined]
        hub.sync()


@pytest.mark.parametrize("polls", [1, 2])
def test_an_old_value_that_was_put_back_before_the_job_was_told_done_is_found(
    tmp_path: Path, polls: int
) -> None:
    """Its lists may show it still, so the record itself is asked; where it stood there while nobody knew
    whether the job had begun, after the lag."""
    hub = put_back_while_the_job_ran(tmp_path, polls)
    hub.sync()
    assert titles(hub) == ["COO", "COO" if polls == 1 else "CTO"]
    after_the_lag(hub)
    assert titles(hub) == ["COO", "COO"]
    lost = [(one.lost, one.lost_source) for row in hub.store.history("c-1", 20) for one in row.conflicts]
    assert lost == [("CTO", "slow/people/1")]


def test_an_old_value_that_a_reading_showed_while_the_job_ran_is_found_too(tmp_path: Path) -> None:
    hub = put_back_while_the_job_ran(tmp_path, polls=2)
    hub.sync()
    hub.parts.clock.sleep(60)
    hub.sync()
    after_the_lag(hub)
    assert titles(hub) == ["COO", "COO"]


def test_who_puts_the_old_value_back_once_more_is_heard(tmp_path: Path) -> None:
    hub = put_back_while_the_job_ran(tmp_path)
    hub.sync()
    after_the_lag(hub)
    hub.systems["slow"].edit("1", job_title="CTO")
    after_the_lag(hub)
    assert titles(hub) == ["CTO", "CTO"]


def test_a_record_that_was_changed_after_the_job_by_the_systems_own_time_holds_an_edit(
    tmp_path: Path,
) -> None:
    hub = put_back_while_the_job_ran(tmp_path, polls=2)
    hub.sync()
    hub.systems["slow"].edit("1", job_title="CTO", last_name="Lee")
    hub.sync()
    after_the_lag(hub)
    assert titles(hub) == ["CTO", "CTO"]


def test_what_was_read_as_written_while_the_job_ran_is_agreed_and_who_changes_it_then_is_heard(
    tmp_path: Path,
) -> None:
    hub = put_back_while_the_job_ran(tmp_path)
    slow = hub.systems["slow"]
    slow.edit("1", job_title="COO")
    slow.polls = 100  # type: ignore[attr-defined]
    hub.sync()
    slow.edit("1", job_title="CTO")
    after_the_lag(hub)
    assert titles(hub) == ["CTO", "CTO"]


def test_what_the_answer_leaves_out_is_not_asked_for_again_and_again(tmp_path: Path) -> None:
    hub = put_back_while_the_job_ran(tmp_path)
    slow = hub.systems["slow"]
    hub.sync()
    slow.hidden = {"job_title"}
    slow.calls.clear()
    after_the_lag(hub, 4)
    assert slow.calls.count("read") == 1


def test_what_was_hidden_is_read_again_once_and_nothing_else_is(tmp_path: Path) -> None:
    hub = put_back_while_the_job_ran(tmp_path)
    slow = hub.systems["slow"]
    hub.sync()
    slow.calls.clear()
    hub.sync()
    assert "read" not in slow.calls
    slow.keeps = lambda path, value: "CTO" if path == "job_title" else value
    after_the_lag(hub, 6)
    written = [one.values["job_title"] for one in slow.written]
    slow.calls.clear()
    after_the_lag(hub, 1)
    assert written == ["COO", "COO"]
    assert "read" not in slow.calls


def test_what_was_hidden_and_moved_meanwhile_is_read_under_its_new_id(tmp_path: Path) -> None:
    hub = put_back_while_the_job_ran(tmp_path, polls=2)
    slow = hub.systems["slow"]
    hub.sync()
    old = slow.rows["1"]
    slow.rows["7"] = replace(
        old, values={**old.values, "job_title": "Owner"}, stamp=hub.parts.clock.now() + timedelta(seconds=9)
    )
    slow.rows["1"] = replace(old, deleted=True, successor="7")
    slow.calls.clear()
    after_the_lag(hub, 3)
    assert slow.calls.count("read") == 2
    assert titles(hub, slow_id="7") == ["Owner", "Owner"]


def test_a_write_that_becomes_visible_late_costs_no_call(tmp_path: Path) -> None:
    clock = Clock()
    silent = Memory(clock, capabilities=NO_ANSWER, lag=LAG)
    hub = small_hub(tmp_path, clock, {"sales": Memory(clock), "silent": silent})
    for system in hub.systems.values():
        system.add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", job_title="COO")
    hub.sync()
    silent.calls.clear()
    for _ in range(3):
        clock.tick(LAG + 2)
        hub.sync()
    assert set(silent.calls) == {"pull changes"}


def three_of_one_job(folder: Path, patience: int = 100) -> SmallHub:
    """The titles of three people were written by one job that the hub asks for in this run and the next."""
    clock = Clock()
    slow = Background(clock, capabilities=NO_ANSWER, lag=LAG)
    hub = small_hub(folder, clock, {"sales": Memory(clock), "slow": slow})
    for number in range(3):
        for system in hub.systems.values():
            system.add(email=f"p{number}@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    slow.calls.clear()
    slow.patience = patience
    for number in range(3):
        hub.systems["sales"].edit(str(number + 1), job_title="COO")
    hub.sync()
    clock.tick(60)
    slow.polls = 1
    return hub


def test_an_edit_after_the_job_wrote_is_told_from_a_form_by_the_stamps_of_the_others(tmp_path: Path) -> None:
    hub = three_of_one_job(tmp_path)
    hub.systems["slow"].edit("2", job_title="Owner")
    hub.sync()
    after_the_lag(hub)
    for system in hub.systems.values():
        assert [system.values(id)["job_title"] for id in "123"] == ["COO", "Owner", "COO"]


def test_where_all_records_of_a_job_were_touched_since_a_form_is_not_taken_for_an_edit(
    tmp_path: Path,
) -> None:
    hub = three_of_one_job(tmp_path)
    for id, title in (("1", "COO"), ("2", "!OOC"), ("3", "COO")):
        hub.systems["slow"].edit(id, job_title=title, last_name="Lee")
    hub.sync()
    after_the_lag(hub)
    assert [hub.systems["sales"].values(id)["job_title"] for id in "123"] == ["COO", "COO", "COO"]


@pytest.mark.parametrize(("patience", "calls"), [(3, 0), (100, 1)])
def test_only_a_job_that_is_asked_for_late_costs_a_reading(patience: int, calls: int, tmp_path: Path) -> None:
    hub = three_of_one_job(tmp_path, patience)
    before_the_write = 1
    hub.sync()
    assert hub.systems["slow"].calls.count("read") == before_the_write + calls
