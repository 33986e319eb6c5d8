"""An opt-out that was sent is done when the system shows it, and not before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.consenting import ann, both_have_ann, consent_hub, later, two
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.base import Capability
from trueup.errors import Transient
from trueup.model.delivery import DeliveryState
from trueup.model.record import Json
from trueup.model.run import RunOutcome

ANSWERING = pytest.mark.parametrize("capabilities", [ALL, ALL - {Capability.ANSWERS_WITH_RECORD}])


def parked(hub: SmallHub) -> list[str]:
    return [one.code for one in hub.store.deliveries([DeliveryState.PARKED], None, 9)]


def drops(path: str, value: Json) -> Json:
    """A system that takes an opt-out and undoes it."""
    return False if path == "optout" else value


@ANSWERING
def test_one_that_the_system_undoes_is_parked_and_told(
    tmp_path: Path, capabilities: frozenset[Capability]
) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, keeps=drops, capabilities=capabilities)
    both_have_ann(hub)
    hub.systems["source"].edit("1", optout=True)
    later(hub, clock)
    assert (parked(hub), hub.reports[-1].outcome) == (["TU-CON-060"], RunOutcome.WITH_ERRORS)


@ANSWERING
def test_a_parked_one_is_not_fought_over_and_goes_when_a_person_says_so(
    tmp_path: Path, capabilities: frozenset[Capability]
) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, keeps=drops, capabilities=capabilities)
    both_have_ann(hub)
    hub.systems["source"].edit("1", optout=True)
    for _ in range(3):
        later(hub, clock)
    target = hub.systems["target"]
    assert len(target.written) == 1
    target.keeps = lambda path, value: value
    ids = [one.id for one in hub.store.deliveries([DeliveryState.PARKED], None, 9)]
    hub.store.retry(ids, "steward", clock.now())
    later(hub, clock)
    assert (target.values("1")["optout"], parked(hub)) == (True, [])


def test_one_that_could_not_be_read_back_is_read_before_it_counts_as_delivered(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, capabilities=LATE)
    both_have_ann(hub)
    target = hub.systems["target"]

    def undone(path: str, value: Json) -> Json:
        target.broken = [Transient("503")]
        return drops(path, value)

    target.keeps = undone
    hub.systems["source"].edit("1", optout=True)
    for _ in range(2):
        later(hub, clock)
    assert (parked(hub), len(target.written)) == (["TU-CON-060"], 1)


LATE = ALL - {Capability.ANSWERS_WITH_RECORD}


def test_one_that_a_system_with_a_lag_undoes_is_sent_once_parked_and_told(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, keeps=drops, capabilities=LATE, lag=300.0)
    both_have_ann(hub)
    hub.systems["source"].edit("1", optout=True)
    hub.sync()
    assert (parked(hub), hub.reports[-1].tally.get("done")) == ([], 0)
    for _ in range(3):
        clock.tick(300)
        hub.sync()
    assert (len(hub.systems["target"].written), parked(hub)) == (1, ["TU-CON-060"])


def test_one_that_a_system_shows_late_is_done_when_it_shows_and_sent_once(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, capabilities=LATE, lag=300.0)
    both_have_ann(hub)
    target = hub.systems["target"]
    read = target.read
    target.read = lambda object, ids, fields: [  # type: ignore[method-assign]
        replace(one, values={**one.values, "optout": False}) for one in read(object, ids, fields)
    ]
    hub.systems["source"].edit("1", optout=True)
    hub.sync()
    target.read = read  # type: ignore[method-assign]
    clock.tick(301)
    assert hub.sync().tally.get("done") == 1
    assert (len(target.written), parked(hub)) == (1, [])


def test_one_that_shows_at_once_by_its_id_is_done_at_once(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, capabilities=LATE, lag=300.0)
    both_have_ann(hub)
    hub.systems["source"].edit("1", optout=True)
    assert hub.sync().tally.get("done") == 1


def test_what_somebody_edits_before_a_consent_is_read_back_is_heard(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, capabilities=LATE, lag=300.0)
    both_have_ann(hub)
    hub.release()
    target = hub.systems["target"]
    target.between = lambda: _edit_after_the_write(target)
    hub.systems["source"].edit("1", optout=True, last_name="Fox")
    hub.sync()
    assert [system.values("1")["last_name"] for system in hub.systems.values()] == ["Kim", "Kim"]


def _edit_after_the_write(system: Memory) -> None:
    if system.calls[-2:] == ["write", "read"] and system.values("1")["last_name"] == "Lee":
        system.edit("1", last_name="Kim")


def test_one_that_a_new_record_does_not_keep_is_written_again_and_told(tmp_path: Path) -> None:
    clock = Clock()
    systems = {"source": Memory(clock), "target": Memory(clock, keeps=drops)}
    hub = consent_hub(tmp_path, clock, systems, create=("target",))
    systems["source"].add(**ann(optout=True))
    hub.sync()
    assert (len(systems["target"].rows), parked(hub)) == (1, ["TU-CON-060"])


def test_one_that_was_taken_back_by_hand_is_written_at_every_decision(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    both_have_ann(hub)
    hub.systems["source"].edit("1", optout=True)
    later(hub, clock)
    for _ in range(2):
        hub.systems["target"].edit("1", optout=False)
        later(hub, clock)
        assert hub.systems["target"].values("1")["optout"] is True


def test_one_that_a_system_with_a_lag_took_and_never_shows_is_sent_once(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock, capabilities=LATE, lag=300.0)
    both_have_ann(hub)
    target = hub.systems["target"]
    target.hidden.add("optout")
    target.between = lambda: _fail_the_first_reading(target)
    hub.systems["source"].edit("1", optout=True)
    for _ in range(4):
        clock.tick(301)
        hub.sync()
    assert (len(target.written), target.values("1")["optout"], parked(hub)) == (1, True, [])
    assert not hub.store.deliveries([DeliveryState.DOUBT, DeliveryState.DUE], None, 9)


def _fail_the_first_reading(system: Memory) -> None:
    """Nobody can look right after the write."""
    if system.calls[-1] == "read" and system.calls.count("read") == 1:
        system.broken.append(Transient("down for a moment"))
