"""F077, F078: what nothing can be made of, beside what would go through."""

from __future__ import annotations

from pathlib import Path

from tests.demands.hubs import Setting, hub_of, parked, person, told
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import WriteItem
from trueup.store.open import open_store

HALF_A_DAY = 43_200.0


def pair(folder: Path, clock: Clock, people: int) -> SmallHub:
    systems = {"source": Memory(clock, page=100), "target": Memory(clock, page=100)}
    hub = hub_of(folder, clock, systems, Setting(create=("target",)))
    for number in range(people):
        systems["source"].add(**person(number, job_title="old"))
    hub.sync()
    hub.release()
    return hub


def reopened(hub: SmallHub, folder: Path, clock: Clock) -> SmallHub:
    """The same hub in another process: all that it knows is in the database."""
    hub.store.close()
    store = open_store(f"sqlite:///{folder / 'hub.sqlite'}")
    return hub_of(folder, clock, hub.systems, Setting(create=("target",)), store)


def test_f077_the_poisoned_record_waits_for_a_person_and_the_outage_only_for_its_end(tmp_path: Path) -> None:
    clock = Clock()
    hub = pair(tmp_path, clock, 5)
    target, down = hub.systems["target"], False
    target.refuse = lambda values: {"": "poison"} if values.get("job_title") == "poison" else {}
    target.locked = lambda item: down
    for id in ("1", "2", "3"):
        hub.systems["source"].edit(id, job_title="poison" if id == "2" else "new")
    hub.sync()
    assert told(target, "job_title") == ["new", "old", "new", "old", "old"]
    assert len(parked(hub)) == 1
    down = True
    for id in ("4", "5"):
        hub.systems["source"].edit(id, job_title="newer")
    for _ in range(10):
        clock.tick(1800)
        hub.sync()
    assert len(parked(hub)) == 1
    down = False
    clock.tick(7200)
    hub.sync()
    assert told(target, "job_title") == ["new", "old", "new", "newer", "newer"]


def test_f078_how_often_a_write_was_tried_outlives_every_process_that_tried_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = pair(tmp_path, clock, 1)
    tried: list[WriteItem] = []
    hub.systems["target"].locked = lambda item: tried.append(item) is None
    hub.systems["source"].edit("1", job_title="new")
    for _ in range(10):
        hub = reopened(hub, tmp_path, clock)
        hub.sync()
        clock.tick(HALF_A_DAY)
    (why,) = parked(hub)
    assert why.startswith("gave up after 3 days")
    before = len(tried)
    for _ in range(10):
        hub = reopened(hub, tmp_path, clock)
        hub.sync()
        clock.tick(HALF_A_DAY)
    assert len(tried) == before
