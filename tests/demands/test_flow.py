"""P21, P22, P23, P25, P26, P33, P34: what flows, and what is kept from flowing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import (
    Setting,
    ann,
    aside,
    contacts,
    hub_of,
    mapped,
    parked,
    person,
    told,
    until_quiet,
    with_fuse,
    written,
)
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import Capability
from trueup.errors import Refused, Transient
from trueup.model.delivery import DeliveryState, WriteKind
from trueup.model.run import RunOutcome
from trueup.sync.inbox import reread
from trueup.sync.rules.guard import Fuse

NAMES = ("a", "b", "c")
LISTS_ONLY = ALL - {Capability.INCREMENTAL, Capability.DELETES_VISIBLE}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ring(folder: Path, clock: Clock, names: tuple[str, ...] = NAMES) -> SmallHub:
    systems = {name: Memory(clock) for name in names}
    return hub_of(folder, clock, systems, Setting(create=names))


def pair(folder: Path, clock: Clock, people: int = 0, **source: object) -> SmallHub:
    """A source that is read and a target that contacts are created in; `people` are synced already."""
    systems = {"source": Memory(clock, page=100, **source), "target": Memory(clock, page=100)}  # type: ignore[arg-type]
    hub = hub_of(folder, clock, systems, Setting(create=("target",)))
    for number in range(people):
        systems["source"].add(**person(number, job_title="x"))
    if people:
        hub.sync()
        hub.release()
        until_quiet(hub, clock)
    return hub


# -- P21 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("a", "b"), NAMES])
def test_p21_one_change_is_at_most_one_write_per_system(
    names: tuple[str, ...], tmp_path: Path, clock: Clock
) -> None:
    hub = ring(tmp_path, clock, names)
    hub.systems["a"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    for name in names:
        before = {each: len(hub.systems[each].written) for each in names}
        hub.systems[name].edit("1", job_title=f"edited in {name}")
        for _ in range(4):
            hub.sync()
        more = {each: len(hub.systems[each].written) - before[each] for each in names}
        assert more == {each: int(each != name) for each in names}


def test_p21_a_poll_and_single_readings_of_the_same_change_write_it_once(
    tmp_path: Path, clock: Clock
) -> None:
    hub = ring(tmp_path, clock)
    hub.systems["a"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    before = written(hub)
    hub.systems["a"].edit("1", job_title="COO")
    for name in NAMES * 2:
        reread(hub.parts, (name, "people"), ["1"], None)
    hub.sync()
    for name in NAMES:
        reread(hub.parts, (name, "people"), ["1"], None)
    hub.sync()
    assert written(hub) == before + 2
    assert [told(hub.systems[name], "job_title") for name in NAMES] == [["COO"]] * 3


# -- P22 ------------------------------------------------------------------------------------------

GONE_ELSEWHERE = [
    ("keep", {"active": True}),
    ("deactivate", {"active": False}),
    ("delete", None),
]


@pytest.mark.parametrize(("policy", "left"), GONE_ELSEWHERE)
def test_p22_a_deletion_follows_its_policy_and_nobody_rises_again(
    policy: str, left: dict[str, bool] | None, tmp_path: Path, clock: Clock
) -> None:
    fields = mapped("email", "first_name", "last_name", "job_title")
    objects = [
        ("a", rules(fields=fields)),
        ("b", rules(fields=fields, deleted_elsewhere=policy, deactivate={"active": False})),
    ]
    systems = {"a": Memory(clock), "b": Memory(clock)}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("a", "b")))
    systems["a"].add(**ann())
    hub.sync()
    systems["b"].edit("1", active=True)
    hub.sync()
    systems["a"].delete("1")
    for _ in range(6):
        hub.sync()
    assert systems["a"].living() == {}
    held = list(systems["b"].living().values())
    assert [{"active": one["active"]} for one in held] == ([left] if left else [])
    assert len(systems["a"].rows) == len(systems["b"].rows) == 1


def test_p22_an_edit_of_what_is_left_does_not_bring_the_deleted_record_back(
    tmp_path: Path, clock: Clock
) -> None:
    hub = ring(tmp_path, clock, ("a", "b"))
    hub.systems["a"].add(**ann())
    hub.sync()
    hub.release()
    hub.systems["a"].delete("1")
    hub.sync()
    hub.systems["b"].edit("1", job_title="still at work")
    for _ in range(5):
        hub.sync()
    assert hub.systems["a"].living() == {}
    assert len(hub.systems["a"].rows) == 1
    assert told(hub.systems["b"], "job_title") == ["still at work"]


def test_p22_many_deletions_that_would_be_passed_on_are_held(tmp_path: Path, clock: Clock) -> None:
    fields = mapped("email", "first_name", "last_name")
    objects = [("a", rules(fields=fields)), ("b", rules(fields=fields, deleted_elsewhere="delete"))]
    systems = {"a": Memory(clock, page=100), "b": Memory(clock, page=100)}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("b",)))
    for number in range(30):
        systems["a"].add(**person(number))
    hub.sync()
    for id in list(systems["a"].rows)[:25]:
        systems["a"].delete(id)
    report = hub.sync(approve=False)
    assert report.outcome is RunOutcome.HELD
    assert len(systems["b"].living()) == 30
    hub.store.open_gates("b", "delete", "boss", hub.parts.now())
    hub.sync(approve=False)
    assert len(systems["b"].living()) == 5


# -- P23 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_p23_an_empty_or_partial_listing_deletes_nobody_and_additions_go_on(
    share: float, tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, people=100, capabilities=LISTS_ONLY)
    source, target = hub.systems["source"], hub.systems["target"]
    hidden = {id: source.rows.pop(id) for id in list(source.rows)[int(100 * share) :]}
    clock.tick(60)
    source.rows["new"] = type(next(iter(hidden.values())))(person(500), 10_000, clock.now())
    report = hub.sync()
    assert report.outcome is RunOutcome.HELD
    assert report.tally.get("gone") == 0
    assert report.tally.get("held missing") == len(hidden)
    assert any("complete" in note for note in report.tally.notes)
    assert len(target.living()) == 101
    source.rows.update(hidden)
    assert hub.sync().outcome is RunOutcome.COMPLETED


def test_p23_a_listing_that_broke_off_says_nothing_about_absence(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, people=10, capabilities=LISTS_ONLY)
    source = hub.systems["source"]
    source.page = 3
    original = source.pull

    def breaks(object, reading, cursor, fields):  # type: ignore[no-untyped-def]
        if cursor:
            raise Transient("the line broke")
        return original(object, reading, cursor, fields)

    source.pull = breaks  # type: ignore[method-assign]
    report = hub.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert report.tally.get("gone") == 0
    assert len(hub.systems["target"].living()) == 10


# -- P25, P26 -------------------------------------------------------------------------------------


def test_p25_one_poison_record_is_parked_and_all_others_are_synced(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    target = hub.systems["target"]
    target.refuse = lambda values: (
        {"": "this one never works"} if values["email"] == "p77@example.com" else {}
    )
    for number in range(300):
        hub.systems["source"].add(**person(number))
    report = hub.sync()
    assert len(target.living()) == 299
    assert len(parked(hub)) == 1
    assert report.outcome is RunOutcome.WITH_ERRORS
    before = written(hub)
    hub.sync()
    assert written(hub) == before


def test_p25_one_unreadable_field_does_not_stop_its_record(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    for number in range(20):
        title = {"not": "text"} if number == 7 else f"title {number}"
        hub.systems["source"].add(**person(number, job_title=title))
    report = hub.sync()
    assert report.outcome is RunOutcome.COMPLETED
    assert len(hub.systems["target"].living()) == 20
    assert list(aside(hub, "source")) == ["job_title"]


def test_p26_a_batch_answer_without_indexes_names_the_three_bad_and_writes_the_rest_once(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    target, bad = hub.systems["target"], {"p3@example.com", "p50@example.com", "p99@example.com"}
    for number in range(100):
        hub.systems["source"].add(**person(number))
    original = target.write

    def all_or_nothing(object, items, fields):  # type: ignore[no-untyped-def]
        if any(item.values.get("email") in bad for item in items):
            raise Refused("something in this batch is wrong")
        return original(object, items, fields)

    target.write = all_or_nothing  # type: ignore[method-assign]
    hub.sync()
    hub.sync()
    assert len(target.living()) == len(target.written) == 97
    waiting = hub.store.deliveries([DeliveryState.PARKED], None, 100)
    assert {one.write.values["email"] for one in waiting} == bad


# -- P33 ------------------------------------------------------------------------------------------


def test_p33_a_first_load_writes_nothing_before_it_was_approved(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    for number in range(50):
        hub.systems["source"].add(**person(number))
    for _ in range(3):
        assert hub.sync(approve=False).outcome is RunOutcome.HELD
    assert written(hub) == 0
    hub.sync(approve=True)
    assert len(hub.systems["target"].living()) == 50


def test_p33_after_the_first_load_a_flood_of_new_records_waits_for_approval(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, people=5)
    with_fuse(hub, create=Fuse(count=10))
    for number in range(100, 140):
        hub.systems["source"].add(**person(number))
    report = hub.sync(approve=False)
    assert report.outcome is RunOutcome.HELD
    assert len(hub.systems["target"].living()) == 15
    hub.store.open_gates("target", "create", "boss", hub.parts.now())
    hub.sync(approve=False)
    assert len(hub.systems["target"].living()) == 45


def test_p33_a_first_load_replaces_nothing_and_says_what_differs(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    for number in range(20):
        hub.systems["source"].add(**person(number, job_title="from the source"))
        differs = "other" if number % 4 == 0 else "from the source"
        hub.systems["target"].add(**person(number, job_title=differs))
    report = hub.sync()
    assert written(hub) == 0
    assert report.tally.get("withheld") == 5
    assert len(hub.store.withheld("target", "people", 0, 100)) == 5


# -- P34 ------------------------------------------------------------------------------------------


def test_p34_only_locked_rows_are_sent_again(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, people=100)
    target = hub.systems["target"]
    locks = {str(number): 2 for number in range(1, 101, 20)}

    def locked(item: object) -> bool:
        id = getattr(item, "id", None) or ""
        locks[id] = locks.get(id, 0) - 1
        return locks[id] >= 0

    target.locked = locked
    before = len(target.written)
    for id in list(hub.systems["source"].rows):
        hub.systems["source"].edit(id, job_title="new")
    with_fuse(hub, change=Fuse())
    until_quiet(hub, clock)
    assert set(told(target, "job_title")) == {"new"}
    assert len(target.written) - before == 100
    assert all(item.kind is WriteKind.UPDATE for item in target.written[before:])
    assert parked(hub) == []
    assert len(contacts(hub)) == 100
