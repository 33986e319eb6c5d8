"""P24, P27, P29, P30, P31: what a run does with limits, counts, cursors and other runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.demands.crashes import Crash, Wire, reborn, wired
from tests.demands.hubs import OPT_OUT, Setting, hub_of, mapped, person, told, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import WriteItem
from trueup.errors import (
    Held,
    LeaseLost,
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Transient,
    Unauthorized,
)
from trueup.model.delivery import DeliveryState
from trueup.model.record import Page, Ref
from trueup.model.run import RunOutcome
from trueup.services.budget import Allowance, TokenBudget
from trueup.sync.engine import Report
from trueup.sync.owning import LEASE
from trueup.sync.parts import Pace
from trueup.sync.rules.guard import Fuse

FREE = {name: Fuse() for name in ("create", "change", "clear", "delete", "opt_in")}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock, **more: Any) -> SmallHub:
    fields = mapped("email", "first_name", "last_name", "job_title")
    systems = {name: Memory(clock, page=20) for name in ("source", "target")}
    objects = [(name, rules(fields=fields, consent=(OPT_OUT,))) for name in systems]
    return hub_of(folder, clock, systems, Setting(objects, create=("target",), **more))


# -- P24 ------------------------------------------------------------------------------------------


class Metered:
    """A system of which every call costs one from a budget, as `http.py` asks it; one item per write."""

    def __init__(self, inner: Memory, budget: TokenBudget, lane: str) -> None:
        self.inner, self._budget, self._lane = inner, budget, lane
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        if name not in ("pull", "read", "find", "write"):
            return call

        def asked(*args: Any) -> Any:
            wait = self._budget.ask("target", "default", self._lane, 1.0)
            if wait > 0:
                raise RateLimited("the budget is used up", retry_after=wait)
            self.calls += 1
            return call(*args)

        return asked


def metered(hub: SmallHub, clock: Clock, calls: int) -> tuple[Metered, Metered]:
    """Put a daily budget around the target, whose writes cost a call each."""
    target = hub.systems["target"]
    budget = TokenBudget(clock, [Allowance("target", calls, 86_400.0)], reserve=0.10)
    normal, urgent = Metered(target, budget, "normal"), Metered(target, budget, "urgent")
    connectors: dict[str, Any] = {**hub.parts.connectors, "target": normal}
    specs = {stream: replace(spec, write_batch=1) for stream, spec in hub.parts.specs.items()}
    hub.parts = replace(hub.parts, connectors=connectors, urgent={"target": urgent}, specs=specs, fuses=FREE)
    return normal, urgent


def test_p24_a_used_up_budget_stops_cleanly_and_the_run_goes_on_the_next_day(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    metered(hub, clock, 50)
    for number in range(120):
        hub.systems["source"].add(**person(number))
    report = hub.sync()
    made = len(hub.systems["target"].living())
    assert report.outcome is RunOutcome.PARTIAL
    assert 30 <= made <= 45
    for _ in range(3):
        clock.sleep(86_400)
        hub.sync()
    assert len(hub.systems["target"].living()) == len(hub.systems["target"].written) == 120


def test_p24_an_opt_out_leaves_although_ordinary_work_has_used_its_share(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    for number in range(100):
        hub.systems["source"].add(**person(number))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    normal, urgent = metered(hub, clock, 40)
    hub.systems["target"].written.clear()
    for number in range(1, 101):
        hub.systems["source"].edit(str(number), job_title="new")
    hub.systems["source"].edit("100", no_mail=True)
    report = hub.sync()
    assert report.outcome is RunOutcome.PARTIAL
    first = hub.systems["target"].written[0]
    assert first.values == {"no_mail": True}
    assert hub.systems["target"].values("100")["no_mail"] is True
    assert urgent.calls == 1
    assert normal.calls <= 36


def test_p24_an_opt_out_leaves_although_reading_has_used_the_budget(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**person(1))
    hub.sync()
    hub.release()
    metered(hub, clock, 40)
    hub.systems["source"].edit("1", no_mail=True)
    hub.systems["target"].pull = _unread  # type: ignore[method-assign, assignment]
    report = hub.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert told(hub.systems["target"], "no_mail") == [True]


def _unread(*args: Any) -> Page:
    raise RateLimited("nothing left for reading", retry_after=3600)


# -- P27 ------------------------------------------------------------------------------------------

READ = ("new", "changed", "same", "deleted", "older", "filtered", "rejected")
ENDED = ("done", "failed", "overtaken", "superseded")
FAULTS = st.sampled_from(["", "", "lost", "locked", "refused", "one field", "stale batch"])
ERRORS = st.sampled_from(
    [None, None, None, OutcomeUnknown("lost"), Malformed("html"), Transient("down"), Refused("bad batch"),
     RateLimited("slow", retry_after=600), Unauthorized("expired")]
)  # fmt: skip


def adds_up(report: Report) -> None:
    streams = {place[:2] for place in report.tally.counts}
    for stream in streams:
        counted = {what: report.tally.counts[(*stream, what)] for what in ("read", *READ)}
        assert counted["read"] == sum(counted[what] for what in READ), (stream, counted)


def accounted_for(hub: SmallHub) -> None:
    """Every write that was ever intended has ended, or stands in the outbox with a state and a reason. Those
    that would have made a record (once more where a field was refused) go with who was deleted."""
    intended = sum(
        report.tally.get(what) for report in hub.reports for what in ("creates", "updates", "deactivates")
    )
    ended = sum(report.tally.get(what) for report in hub.reports for what in ("done", "overtaken"))
    everything = hub.store.deliveries(list(DeliveryState), None, 100_000)
    by_state = {state: sum(one.state is state for one in everything) for state in DeliveryState}
    assert by_state[DeliveryState.DONE] + by_state[DeliveryState.OVERTAKEN] == ended, by_state
    assert len(everything) <= intended <= len(everything) + 2 * len(gone_unmade(hub)), (by_state, intended)


def gone_unmade(hub: SmallHub) -> list[str]:
    """Who was deleted in the source and has no record in the target."""
    refs = [Ref("source", "people", id) for id in hub.systems["source"].rows]
    cases = {id: hub.store.case(id).links for id in hub.store.resolve(refs).values()}
    return [id for id, links in cases.items() if [one.buried for one in links] == ["deleted"]]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    plan=st.lists(st.tuples(FAULTS, FAULTS), min_size=12, max_size=12),
    pulls=st.lists(ERRORS, max_size=3),
    writes=st.lists(ERRORS, max_size=3),
    edits=st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=6),
)
def test_p27_what_was_read_is_the_sum_of_what_became_of_it_under_every_fault(
    plan: Sequence[tuple[str, str]],
    pulls: Sequence[Exception | None],
    writes: Sequence[Exception | None],
    edits: Sequence[tuple[int, bool]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    clock = Clock()
    hub = pair(tmp_path_factory.mktemp("counts"), clock)
    source, target = hub.systems["source"], hub.systems["target"]
    for number in range(12):
        source.add(**person(number))
    _trouble(target, dict(enumerate(plan, 1)), [*pulls], [*writes])
    for cycle in range(3):
        report = hub.sync()
        adds_up(report)
        hub.release()
        for id, gone in edits if cycle == 0 else ():
            source.delete(str(id)) if gone else source.edit(str(id), job_title=f"edit {cycle}")
        clock.tick(700)
    if hub.reports[-1].outcome is RunOutcome.COMPLETED:
        open_ones = hub.store.deliveries(
            [DeliveryState.DUE, DeliveryState.DOUBT, DeliveryState.PARKED], None, 99
        )
        assert [one for one in open_ones if one.state is not DeliveryState.PARKED] == []
    accounted_for(hub)
    hub.store.close()


def _trouble(
    target: Memory,
    plan: Mapping[int, tuple[str, str]],
    pulls: list[Exception | None],
    writes: list[Exception | None],
) -> None:
    """Faults of single items by the person they concern, and of whole calls in turn."""
    asked: dict[str, int] = {}

    def fault(item: WriteItem) -> str:
        number = (
            int("".join(filter(str.isdigit, str(item.values.get("email", item.id or "1")))) or 1) % 12 + 1
        )
        turn = asked.get(item.key, 0)
        return plan[number][turn] if turn < 2 else ""

    def refuse(values: Mapping[str, Any]) -> dict[str, str]:
        number = int("".join(filter(str.isdigit, str(values.get("email", "1")))) or 1) % 12 + 1
        return {"refused": {"": "no"}, "one field": {"last_name": "no"}}.get(plan[number][0], {})

    def locked(item: WriteItem) -> bool:
        answer = fault(item) == "locked"
        asked[item.key] = asked.get(item.key, 0) + 1
        return answer

    target.refuse, target.locked = refuse, locked
    target.loses = lambda item: fault(item) == "lost"
    pull, write = target.pull, target.write

    def troubled_pull(*args: Any) -> Page:
        error = pulls.pop(0) if pulls else None
        if error is not None and not isinstance(error, OutcomeUnknown | Refused):
            raise error
        return pull(*args)

    def troubled_write(*args: Any) -> Any:
        error = writes.pop(0) if writes else None
        if isinstance(error, OutcomeUnknown | Malformed):
            write(*args)
        if error is not None:
            raise error
        return write(*args)

    target.pull, target.write = troubled_pull, troubled_write  # type: ignore[method-assign, assignment]


def test_p27_a_run_that_could_not_read_is_no_success(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].broken = [Transient("down")]
    report = hub.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert list(report.failed) == ["source"]


def test_p27_rows_that_are_no_records_are_counted_and_named(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    source = hub.systems["source"]
    source.add(**person(1))
    original = source.pull
    source.pull = lambda *args: replace(original(*args), rejected=(("row 7", "no id"),))  # type: ignore[method-assign]
    report = hub.sync()
    adds_up(report)
    assert report.tally.get("rejected") == 1
    assert report.outcome is RunOutcome.WITH_ERRORS
    assert any("row 7" in note and "no id" in note for note in report.tally.notes)


# -- P29 ------------------------------------------------------------------------------------------


def test_p29_a_crash_at_any_step_of_a_reading_loses_no_change(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    for at in range(1, _steps(first) + 1, 5):
        folder = tmp_path / str(at)
        folder.mkdir()
        hub, clock = _many_changes(folder)
        wire = Wire(at)
        wired(hub, wire)
        with pytest.raises(Crash):
            hub.sync()
        hub = reborn(hub, folder, clock)
        hub.sync()
        until_quiet(hub, clock)
        assert set(told(hub.systems["target"], "job_title")) == {"new"}, wire.steps[at - 1]
        hub.store.close()


def _many_changes(folder: Path) -> tuple[SmallHub, Clock]:
    clock = Clock()
    hub = pair(folder, clock, parts={"fuses": FREE})
    hub.systems["source"].page = 4
    for number in range(10):
        hub.systems["source"].add(**person(number, job_title="old"))
    hub.sync()
    hub.release()
    clock.tick(60)
    for id in list(hub.systems["source"].rows):
        hub.systems["source"].edit(id, job_title="new")
    return hub, clock


def _steps(folder: Path) -> int:
    hub, _ = _many_changes(folder)
    wire = Wire()
    wired(hub, wire)
    hub.sync()
    hub.store.close()
    return len(wire.steps)


def test_p29_a_version_that_comes_again_or_late_is_no_news(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    source = hub.systems["source"]
    source.add(**person(1, job_title="old"))
    hub.sync()
    hub.release()
    late = source._record("1", ["email", "first_name", "last_name", "job_title", "no_mail"])
    source.edit("1", job_title="new")
    until_quiet(hub, clock)
    before = written(hub)
    source.pull = lambda *args: Page((late,), {"since": 99}, False)  # type: ignore[method-assign]
    report = hub.sync()
    assert report.tally.get("older") == 1
    assert told(hub.systems["target"], "job_title") == ["new"]
    assert written(hub) == before


def test_p29_a_full_listing_from_time_to_time_finds_what_the_change_feed_lost(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    hub.parts = replace(hub.parts, paces={"source": Pace(full_listing=timedelta(days=1))})
    source = hub.systems["source"]
    source.add(**person(1, job_title="old"))
    hub.sync()
    hub.release()
    hub.sync()
    number = source.rows["1"].number
    source.edit("1", job_title="new")
    source.rows["1"].number = number
    hub.sync()
    assert told(hub.systems["target"], "job_title") == ["old"]
    clock.sleep(86_500)
    hub.sync()
    assert told(hub.systems["target"], "job_title") == ["new"]


# -- P30 ------------------------------------------------------------------------------------------


def test_p30_many_pages_bring_everybody_once(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].page = 7
    for number in range(500):
        hub.systems["source"].add(**person(number))
    report = hub.sync()
    assert report.tally.get("read", "source") == 500
    assert len(hub.systems["target"].living()) == 500


# -- P31 ------------------------------------------------------------------------------------------


def test_p31_while_one_run_works_a_second_does_nothing(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**person(1))
    others: list[Exception] = []

    def four_more() -> None:
        hub.systems["target"].between = lambda: None
        for number in range(4):
            rival = SmallHub(hub.systems, hub.store, replace(hub.parts, worker=f"rival {number}"))
            try:
                rival.sync()
            except Held as error:
                others.append(error)

    hub.systems["target"].between = four_more
    hub.sync()
    assert [error.code for error in others] == ["TU-RUN-011"] * 4  # type: ignore[attr-defined]
    assert len(hub.systems["target"].living()) == 1


def test_p31_the_next_run_takes_over_when_the_lease_of_a_dead_one_ends(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**person(1))
    wired(hub, Wire(20))
    with pytest.raises(Crash):
        hub.sync()
    rival = replace(hub.parts, worker="rival", store=hub.store, connectors=dict(hub.systems))
    heir = SmallHub(hub.systems, hub.store, rival)
    with pytest.raises(Held):
        heir.sync()
    clock.sleep(LEASE.total_seconds() + 1)
    assert heir.sync().outcome is RunOutcome.COMPLETED
    assert len(hub.systems["target"].living()) == 1


def test_p31_the_next_run_takes_over_at_once_when_the_process_of_the_dead_one_has_ended(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**person(1))
    wired(hub, Wire(20))
    with pytest.raises(Crash):
        hub.sync()
    dead = hub.store.owner("run")
    assert dead is not None
    ended = {dead.owner}.__contains__
    rival = replace(hub.parts, worker="rival", ended=ended, store=hub.store, connectors=dict(hub.systems))
    heir = SmallHub(hub.systems, hub.store, rival)
    heir.sync()
    until_quiet(heir, clock)
    assert len(hub.systems["target"].living()) == 1
    assert [run.outcome for run in hub.store.runs(9)][-1] is RunOutcome.FAILED


def test_p31_a_late_answer_to_a_run_that_was_taken_over_makes_nothing_twice(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**person(1))
    target = hub.systems["target"]
    original = target.write

    def answers_after_the_lease_has_ended(*args: Any) -> Any:
        outcome = original(*args)
        target.write = original  # type: ignore[method-assign]
        clock.sleep(LEASE.total_seconds() + 60)
        SmallHub(hub.systems, hub.store, replace(hub.parts, worker="heir")).sync()
        return outcome

    target.write = answers_after_the_lease_has_ended  # type: ignore[method-assign, assignment]
    with pytest.raises(LeaseLost):
        hub.sync()
    until_quiet(hub, clock)
    assert [one["email"] for one in target.living().values()] == ["p1@example.com"]
    assert len(hub.store.deliveries(list(DeliveryState), "target", 10)) == 1
