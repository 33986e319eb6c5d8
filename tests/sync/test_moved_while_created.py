"""What moves in a contact while its create is on the way reaches the new record, decision after decision."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, hub_of, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import WriteItem
from trueup.model.delivery import DeliveryState, WriteKind


@pytest.fixture
def clock() -> Clock:
    return Clock()


def in_doubt(folder: Path, clock: Clock, **more: str) -> SmallHub:
    """Ann was made in the target, where look-ups know her an hour later; the answer was lost."""
    target = Memory(clock, lag=3_600.0)
    hub = hub_of(folder, clock, {"source": Memory(clock), "target": target}, Setting(create=("target",)))
    lost: list[WriteItem] = []

    def loses(item: WriteItem) -> bool:
        lost.append(item)
        return len(lost) == 1 and item.kind is WriteKind.CREATE

    target.loses = loses
    hub.sync()
    hub.release()
    hub.systems["source"].add(**ann(**more))
    hub.sync()
    assert len(hub.store.deliveries([DeliveryState.DOUBT], "target", 10)) == 1
    return hub


@pytest.mark.parametrize(
    "edits",
    [
        [{"job_title": "CTO"}],
        [{"job_title": "CTO"}, {"department": "R&D"}],
        [{"job_title": "CTO"}, {"job_title": "COO"}, {"department": "R&D"}, {"last_name": "Low"}],
    ],
    ids=["one", "two", "several"],
)
def test_every_decision_meanwhile_is_told(edits: list[dict[str, str]], tmp_path: Path, clock: Clock) -> None:
    hub, said = in_doubt(tmp_path, clock), ann()
    for edit in edits:
        said |= edit
        hub.systems["source"].edit("1", **said)
        hub.sync(connections=("source",))
    clock.tick(7_200)
    until_quiet(hub, clock)
    (made,) = hub.systems["target"].living().values()
    assert {name: made.get(name) for name in said} == said


def test_of_several_records_of_one_address_the_one_that_says_what_was_sent_was_made(
    tmp_path: Path, clock: Clock
) -> None:
    hub = in_doubt(tmp_path, clock)
    target = hub.systems["target"]
    target.put("0", email=ann()["email"], first_name="Andrea")
    clock.tick(7_200)
    hub.sync(connections=("target",))
    assert hub.store.known("target", "people", ["1"])["1"].primary


def test_what_moved_before_another_record_was_found_counts_no_more_once_that_was_decided(
    tmp_path: Path, clock: Clock
) -> None:
    hub = in_doubt(tmp_path, clock, job_title="CTO")
    source, target = hub.systems["source"], hub.systems["target"]
    del target.rows["1"]  # it had never arrived
    target.put("0", email=ann()["email"])
    source.edit("1", job_title=None)
    hub.sync(connections=("source",))
    clock.tick(7_200)
    until_quiet(hub, clock)
    assert target.values("0").get("job_title") is None
    source.edit("1", job_title="CTO")
    until_quiet(hub, clock)
    assert target.values("0")["job_title"] == "CTO"
