"""`publish:` on an outward field: not oftener than said, not for less than said, and never forgotten."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.mapping.schema import Direction, FieldRule, Publish
from trueup.mapping.thresholds import threshold
from trueup.model.fields import Kind
from trueup.model.values import Type, Value

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hub_with(folder: Path, clock: Clock, publish: Publish, **target: object) -> SmallHub:
    """A score that comes from `source` and is published in `target`, which has a title beside it."""
    out = FieldRule("score", "score", Direction.OUT, publish=publish)
    systems = {"source": Memory(clock), "target": Memory(clock, **target)}  # type: ignore[arg-type]
    names = ("email", "first_name", "last_name", "job_title")
    objects = {"source": rules(fields=(*names, "score")), "target": rules(fields=(*names, out))}
    hub = small_hub(folder, clock, systems, create=("target",), objects=objects)
    systems["source"].add(
        email="ann@example.com", first_name="Ann", last_name="Lee", job_title="CTO", score=10
    )
    hub.sync()
    hub.release()
    return hub


def published(hub: SmallHub) -> object:
    return hub.systems["target"].values("1")["score"]


def scores(hub: SmallHub, clock: Clock, number: int, later: float = 3600) -> None:
    clock.tick(later)
    hub.systems["source"].edit("1", score=number)
    hub.sync()


def test_a_first_value_goes_at_once(tmp_path: Path, clock: Clock) -> None:
    assert published(hub_with(tmp_path, clock, Publish(DAY))) == 10


def test_a_first_value_that_comes_later_goes_at_once_too(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    hub.systems["source"].add(email="bob@example.com", first_name="Bob", last_name="Ray")
    hub.sync()
    clock.tick(60)
    hub.systems["source"].edit("2", score=7)
    hub.sync()
    assert hub.systems["target"].values("2")["score"] == 7


def test_a_value_that_was_written_just_now_waits_for_its_time(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    scores(hub, clock, 11)
    scores(hub, clock, 12)
    assert published(hub) == 10
    assert hub.contact("ann@example.com")["score"] == 12


def test_what_waited_leaves_when_its_time_has_come_although_nothing_moved(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    scores(hub, clock, 12)
    (id,) = hub.store.find(Kind.CONTACT, "ann@example.com", 5)
    number = hub.store.case(id).entity.id
    assert hub.store.due([Kind.CONTACT], clock.now() + timedelta(hours=22), 0, 10) == []
    assert hub.store.due([Kind.CONTACT], clock.now() + timedelta(hours=24), 0, 10) == [number]
    clock.tick(DAY)
    hub.sync()
    assert published(hub) == 12


def test_a_moving_value_is_written_once_a_day(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    before = len(hub.systems["target"].written)
    for hour in range(72):
        scores(hub, clock, 20 + hour)
    assert len(hub.systems["target"].written) - before == 3


def test_the_other_fields_of_the_record_do_not_wait(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    clock.tick(60)
    hub.systems["source"].edit("1", score=12, job_title="COO")
    hub.sync()
    assert (published(hub), hub.systems["target"].values("1")["job_title"]) == (10, "COO")


def test_a_value_that_came_back_is_not_written_at_all(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    before = len(hub.systems["target"].written)
    clock.tick(60)
    hub.store.edit(
        hub.store.find(Kind.CONTACT, "ann@example.com", 1)[0], {"score": 5}, "ops", clock.now(), False
    )
    hub.sync()
    hub.store.edit(
        hub.store.find(Kind.CONTACT, "ann@example.com", 1)[0], {"score": 10}, "ops", clock.now(), False
    )
    hub.sync()
    clock.tick(2 * DAY)
    hub.sync()
    assert len(hub.systems["target"].written) == before


def test_a_lost_answer_does_not_make_the_time_forgotten(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    clock.tick(2 * DAY)
    target = hub.systems["target"]
    lost = [True]
    target.loses = lambda item: bool(lost) and lost.pop()
    scores(hub, clock, 12)
    hub.sync()
    assert published(hub) == 12
    scores(hub, clock, 13)
    assert published(hub) == 12


def test_a_change_too_small_is_not_written_however_long_it_stands(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(None, "5"))
    scores(hub, clock, 14)
    scores(hub, clock, 14, later=40 * DAY)
    assert published(hub) == 10


def test_small_changes_add_up_until_they_are_worth_a_write(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(None, "5"))
    for number in (12, 14, 15):
        scores(hub, clock, number)
    assert published(hub) == 15


def test_a_change_must_be_both_large_and_late_enough(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY, "5"))
    scores(hub, clock, 30)
    assert published(hub) == 10
    clock.tick(DAY)
    hub.sync()
    assert published(hub) == 30
    scores(hub, clock, 31, later=3 * DAY)
    assert published(hub) == 30


def test_why_it_is_not_written_yet_is_said(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, Publish(DAY))
    clock.tick(60)
    hub.systems["source"].edit("1", score=12)
    report = hub.sync()
    reasons = [reason for _, _, reason, _ in report.tally.reasons()]
    assert reasons == ["waits for its time: at most every 1d (score)"]


@pytest.mark.parametrize(
    ("text", "type", "before", "after", "reached"),
    [
        ("5", Type.INT, 10, 15, True),
        ("5", Type.INT, 10, 14, False),
        ("5", Type.INT, 10, 5, True),
        ("0.5", Type.DECIMAL, "-1", "-1.5", True),
        ("10%", Type.DECIMAL, "200", "219.99", False),
        ("10%", Type.DECIMAL, "200", "220", True),
        ("10%", Type.INT, 0, 1, True),
        ("5", Type.INT, 10, None, True),
        ("5", Type.INT, None, 1, True),
        ("5", Type.INT, 10, 10, False),
        ("100", Type.MONEY, {"amount": "5", "currency": "EUR"}, {"amount": "90", "currency": "EUR"}, False),
        ("100", Type.MONEY, {"amount": "5", "currency": "EUR"}, {"amount": "5", "currency": "USD"}, True),
        ("3d", Type.DATE, "2026-01-30", "2026-02-01", False),
        ("3d", Type.DATE, "2026-01-30", "2026-02-02", True),
        ("2h", Type.DATETIME, "2026-01-30T10:00:00Z", "2026-01-30T11:59:00Z", False),
        ("2h", Type.DATETIME, "2026-01-30T10:00:00.5Z", "2026-01-30T07:00:00Z", True),
    ],
)
def test_a_threshold_compares_with_what_was_agreed(
    text: str, type: Type, before: Value, after: Value, reached: bool
) -> None:
    least = threshold(text, type)
    assert least is not None
    assert least.reached(before, after) is reached


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("5", Type.TEXT),
        ("3d", Type.INT),
        ("5", Type.DATE),
        ("0", Type.INT),
        ("-1", Type.INT),
        ("a lot", Type.INT),
    ],
)
def test_a_threshold_that_says_nothing_of_its_field_is_none(text: str, type: Type) -> None:
    assert threshold(text, type) is None
