"""Random lives at the three vendors' systems: they come to agree, and nothing that people typed is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.hands import ALL, EDITS, MORE, Hands
from tests.acceptance.kit import NAMES, House, dice, disagreements, house
from tests.acceptance.verdicts import doubles, lost, strays, unheard
from trueup.model.plan import RunOutcome
from trueup.sync.decide import Deciding, decide_all
from trueup.sync.engine import Report, landing
from trueup.sync.identifying import identify_all
from trueup.sync.outbox import Push
from trueup.sync.rules.guard import Meter

SEEDS = int(os.environ.get("TRUEUP_CONVERGENCE_SEEDS", "6"))
ACTS = int(os.environ.get("TRUEUP_CONVERGENCE_ACTS", "25"))


def lived(folder: Path, seed: int) -> Hands:
    """A first load of people whom one to three systems know, released."""
    hands = Hands(house(folder), dice(seed))
    for _ in range(5):
        token = hands.token()
        for name in hands.dice.sample(NAMES, hands.dice.randint(1, 3)):
            more = {"phone": f"+49 30 {30000000 + hands.typed}"} if hands.dice.random() < 0.5 else {}
            hands.create(name, f"{token.lower()}@example.com", token, hands.token(), **more)
    hands.house.wait(hours=1)
    hands.house.settle()
    hands.house.release()
    hands.house.settle()
    return hands


def step(hands: Hands) -> None:
    """One thing that a hub does: pull here, decide, push there, or a whole run of some connections."""
    at, parts = hands.house, hands.house.hub.parts
    some = hands.dice.sample(NAMES, hands.dice.randint(1, 3))
    match hands.dice.choice(("pull", "decide", "push", "run")):
        case "pull":
            landing(parts, some[:1], Report(0), None)
        case "decide":
            identify_all(parts, None)
            run_id = parts.store.start_run("sync", parts.policy.config_version, "ann", parts.now())
            decide_all(parts, Deciding(run_id, Meter(parts.fuses, {}), lambda plan: None), None)
            for connection, gate in parts.store.gated(run_id):
                parts.store.open_gates(connection, gate, "fuse")
            parts.store.finish_run(run_id, RunOutcome.PARTIAL, {}, (), parts.now())
        case "push":
            push = Push(parts, Report(0).tally, None)
            push.resolve(some)
            push.run(some)
        case _:
            at.sync(*some)
    hands.done.append(f"  hub: {some}")


def verdict(hands: Hands) -> list[str]:
    at = hands.house
    return [*disagreements(at), *doubles(at), *strays(at), *lost(at), *unheard(at, hands)]


def converges(hands: Hands, acts: str) -> None:
    """Acts and steps in any order, then quiet: all agree, and a further run writes nothing."""
    for _ in range(ACTS):
        hands.act(acts)
        while hands.dice.random() < 0.5:
            step(hands)
    hands.house.settle()
    wrong = verdict(hands)
    assert not wrong, "\n".join([*wrong, "after:", *hands.done])
    before, calls = hands.house.writes(), len(hands.house.reports)
    hands.house.wait(minutes=20)
    report = hands.house.sync()
    assert hands.house.writes() == before, calls
    assert report.tally.get("creates") == 0


@pytest.mark.parametrize("seed", range(SEEDS))
def test_edits_at_three_systems_in_any_order_of_pulls_and_pushes_converge(seed: int, tmp_path: Path) -> None:
    converges(lived(tmp_path, seed), EDITS)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_stages_interests_tags_companies_and_opt_outs_converge_too(seed: int, tmp_path: Path) -> None:
    converges(lived(tmp_path, 1000 + seed), MORE)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_creations_deletions_merges_and_conversions_converge_too(seed: int, tmp_path: Path) -> None:
    converges(lived(tmp_path, 2000 + seed), ALL)
