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


def in_doubt(folder: Path, clock: Clock) -> SmallHub:
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
    hub.systems["source"].add(**ann())
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
