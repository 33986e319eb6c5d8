"""An opt-in waits for its fuse; an opt-out of the same record does not wait with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sync.consenting import FLAG, ann, consent_hub, later, opted_out
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from tests.sync.test_doubt import Typing
from trueup.mapping.schema import ConsentRule
from trueup.model.run import RunOutcome
from trueup.sync.inbox import reread
from trueup.sync.rules.guard import DEFAULT_FUSES, Fuse

SUBSCRIBED = ConsentRule("sms", "marketing", "sms", opted_out=True, evidence=("time",))
NO_SMS = ConsentRule("sms", "marketing", "nosms", opted_out=True)


def one_out_one_in(folder: Path, clock: Clock, allowed: int) -> SmallHub:
    """Ann opts out of e-mail and, with evidence, into SMS; `allowed` opt-ins pass the fuse."""
    systems = {"source": Memory(clock), "target": Memory(clock)}
    objects = {"source": rules(consent=(FLAG, SUBSCRIBED)), "target": rules(consent=(FLAG, NO_SMS))}
    hub = consent_hub(folder, clock, systems, objects)
    systems["source"].add(**ann(optout=False, sms=None))
    systems["target"].add(**ann(optout=False, nosms=True))
    hub.parts = replace(hub.parts, fuses={**DEFAULT_FUSES, "opt_in": Fuse(count=allowed)})
    hub.sync()
    clock.tick(3600)
    said = {"status": "SUBSCRIBED", "at": clock.now().isoformat(), "source": "form"}
    systems["source"].edit("1", optout=True, sms=said)
    clock.tick(60)
    hub.sync()
    return hub


def shown(hub: SmallHub) -> tuple[object, object]:
    ann = hub.systems["target"].values("1")
    return ann["optout"], ann["nosms"]


@pytest.mark.parametrize(("allowed", "held"), [(0, True), (1, False)], ids=["held", "allowed"])
def test_the_opt_out_goes_at_once_and_the_opt_in_when_its_fuse_lets_it(
    tmp_path: Path, allowed: int, held: bool
) -> None:
    clock = Clock()
    hub = one_out_one_in(tmp_path, clock, allowed)
    assert shown(hub) == (True, held)
    clock.tick(60)
    report = hub.sync()
    assert (shown(hub), report.outcome is RunOutcome.HELD) == ((True, held), held)


def test_an_opt_out_overtakes_an_opt_in_that_is_held_already(tmp_path: Path) -> None:
    clock = Clock()
    hub = one_out_one_in(tmp_path, clock, allowed=0)
    hub.systems["target"].edit("1", optout=False)
    for _ in range(2):
        clock.tick(60)
        hub.sync()
    assert shown(hub) == (True, True)


def in_again_at_the_source(folder: Path, clock: Clock) -> SmallHub:
    """Ann opted out at the source, which was written to the target, and in again, which nobody read yet."""
    told = ConsentRule("email", "marketing", "mail", opted_out=True, evidence=("time",))
    systems = {"source": Memory(clock), "target": Memory(clock)}
    hub = consent_hub(folder, clock, systems, {"source": rules(consent=(told,))})
    systems["source"].add(**ann(mail=None))
    systems["target"].add(**ann(optout=False))
    hub.sync()
    systems["source"].edit("1", mail={"status": "UNSUBSCRIBED"})
    later(hub, clock)
    assert systems["target"].values("1")["optout"] is True
    said = {"status": "SUBSCRIBED", "at": clock.now().isoformat(), "source": "form"}
    systems["source"].edit("1", mail=said)
    return hub


def test_who_opts_out_again_where_the_tick_was_taken_away_by_hand_is_heard(tmp_path: Path) -> None:
    clock = Clock()
    hub = in_again_at_the_source(tmp_path, clock)
    hub.systems["target"].edit("1", optout=False)
    later(hub, clock)
    assert not opted_out(hub)
    clock.tick(60)
    hub.systems["target"].edit("1", optout=True)
    later(hub, clock)
    assert opted_out(hub)
    assert hub.systems["target"].values("1")["optout"] is True


def test_who_opts_out_again_before_the_untick_was_decided_is_heard(tmp_path: Path) -> None:
    clock = Clock()
    hub = in_again_at_the_source(tmp_path, clock)
    for out in (False, True):
        clock.tick(60)
        hub.systems["target"].edit("1", optout=out)
        reread(hub.parts, ("target", "people"), ["1"], None)
    later(hub, clock)
    assert opted_out(hub)
    assert hub.systems["target"].values("1")["optout"] is True


def test_an_opt_out_that_ours_met_counts_as_of_when_it_was_said(tmp_path: Path) -> None:
    """Else an opt-in between the two would lift what was said after it."""
    clock = Clock()
    source, target = Memory(clock), Typing(clock)
    hub = consent_hub(tmp_path, clock, {"target": target, "source": source})
    for system in hub.systems.values():
        system.add(**ann(optout=False))
    hub.sync()
    source.edit("1", optout=True)
    clock.tick(60)
    target.typed = {"optout": True}
    hub.sync()
    later(hub, clock)
    case = hub.store.case("c-1")
    said = [event.at for event in case.consent if event.subject == "target/people/1"]
    assert said == [clock.now() - timedelta(seconds=65)]
