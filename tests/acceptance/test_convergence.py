"""Random lives at the three vendors' systems: they come to agree, and nothing that people typed is lost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import pytest

from tests.acceptance.hands import ALL, EDITS, MORE, Hands
from tests.acceptance.kit import NAMES, dice, disagreements, house, refused_values
from tests.acceptance.verdicts import doubles, lost, strays, too_early, unheard
from trueup.model.run import RunOutcome
from trueup.sandbox.standin import Fault
from trueup.sync.decide import Deciding, decide_all
from trueup.sync.doubts import resolve
from trueup.sync.engine import Report, landing
from trueup.sync.identifying import identify_all
from trueup.sync.outbox import Push
from trueup.sync.rules.guard import Meter
from trueup.sync.tally import Undecided

SEEDS = int(os.environ.get("TRUEUP_CONVERGENCE_SEEDS", "6"))
ACTS = int(os.environ.get("TRUEUP_CONVERGENCE_ACTS", "25"))


def _all_are_decided(undecided: Undecided) -> None:
    raise AssertionError(str(undecided))


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
            told = Report(run_id).tally
            decide_all(parts, Deciding(run_id, Meter(parts.fuses, {}), told.planned, told.undecided), None)
            assert not told.lost
            for connection, gate in parts.store.gated(run_id):
                parts.store.open_gates(connection, gate, "", parts.now())
            parts.store.finish_run(run_id, RunOutcome.PARTIAL, {}, (), parts.now())
        case "push":
            push = Push(parts, Report(0).tally, None)
            resolve(push, some)
            push.run(some)
        case _:
            at.sync(*some)
    hands.done.append(f"  hub: {some}")


def verdict(hands: Hands) -> list[str]:
    at = hands.house
    return [*disagreements(at), *doubles(at), *strays(at), *lost(at), *unheard(at, hands)]


def converges(hands: Hands, acts: str, number: int = ACTS) -> None:
    """Acts and steps in any order, then quiet: all agree, and a further run writes nothing."""
    for _ in range(number):
        hands.act(acts)
        while hands.dice.random() < 0.5:
            step(hands)
    hands.house.settle()
    wrong = verdict(hands)
    assert not wrong, "\n".join([*wrong, "after:", *hands.done])
    assert acts == ALL or not refused_values(hands.house)
    before = hands.house.writes()
    hands.house.wait(minutes=20)
    report = hands.house.sync()
    assert hands.house.writes() == before
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


@pytest.mark.parametrize("seed", [1, 23])
def test_lives_in_which_a_clearing_met_a_write_without_an_answer_converge(seed: int, tmp_path: Path) -> None:
    converges(lived(tmp_path, seed), EDITS, 40)


@pytest.mark.parametrize(("seed", "acts"), [(2, EDITS), (1111, MORE), (2017, ALL)])
def test_lives_in_which_somebody_edited_what_a_job_had_written_converge(
    seed: int, acts: str, tmp_path: Path
) -> None:
    converges(lived(tmp_path, seed), acts, 60)


@pytest.mark.parametrize("seed", [2033, 2159])
def test_lives_with_a_refused_address_and_with_a_merge_that_nobody_read_converge(
    seed: int, tmp_path: Path
) -> None:
    converges(lived(tmp_path, seed), ALL, 60)


# -- order ------------------------------------------------------------------------------------------------


def ended(folder: Path, seed: int, order: tuple[str, ...]) -> list[tuple[object, ...]]:
    """What everybody holds after the same life, with the systems read in this order, one run each."""
    hands = Hands(house(folder), dice(seed))
    for _ in range(6):
        token = hands.token()
        for name in hands.dice.sample(NAMES, hands.dice.randint(1, 3)):
            more = {"phone": f"+49 30 {30000000 + hands.typed}"} if hands.dice.random() < 0.5 else {}
            hands.create(name, f"{token.lower()}@example.com", token, hands.token(), **more)
    hands.house.wait(hours=1)
    for name in order:
        hands.house.sync(name)
    hands.house.settle()
    hands.house.release()
    hands.house.settle()
    for _ in range(12):
        hands.act(EDITS)
    hands.house.wait(minutes=20)
    for name in order:
        landing(hands.house.hub.parts, [name], Report(0), None)
    hands.house.settle()
    assert not verdict(hands)
    return sorted(tuple(sorted(_plain(entity.values).items())) for entity, _ in hands.house.entities())


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if value
    }


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_result_is_the_same_for_all_six_orders_of_the_systems(seed: int, tmp_path: Path) -> None:
    ends = []
    for number, order in enumerate(permutations(NAMES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        ends.append(ended(folder, 3000 + seed, order))
    assert all(end == ends[0] for end in ends)


# -- the create gate --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(NAMES)))
def test_nobody_is_created_in_a_system_before_it_was_listed_to_its_end(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    """By the ledgers. Marketing has more people than one page shows; the first sync of it is cut off."""
    hands = Hands(house(tmp_path), dice(1))
    for number in range(230):
        token = hands.token()
        name = NAMES[number % 3] if number < 30 else "marketing"
        hands.create(name, f"{token.lower()}@example.com", token, "Zult")
    hands.house.wait(hours=1)
    hands.house.marketing.faults = [
        Fault("list", 2, "status", 500), Fault("list", 3, "status", 500),
        Fault("list", 4, "status", 500), Fault("list", 5, "status", 500),
    ]  # fmt: skip
    for name in order:
        hands.house.sync(name)
    assert hands.house.reports[order.index("marketing")].failed.keys() == {"marketing"}
    assert not [one for name, one in hands.house.effects() if name == "marketing"]
    hands.house.settle()
    assert too_early(hands.house, {"marketing": 4, "sales": 3, "support": 1}) == []
    assert [len(hands.people(name)) for name in NAMES] == [230, 230, 230]


# -- opt-outs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_opt_out_in_one_system_reaches_all_others_also_unreleased_ones(name: str, tmp_path: Path) -> None:
    hands = Hands(house(tmp_path), dice(2))
    for other in NAMES:
        hands.create(other, "zann@example.com", "Zann", f"Zof{other}")
    hands.house.wait(hours=1)
    hands.house.settle()
    hands.opt_out(name, *hands.people(name)[0])
    hands.house.wait(minutes=5)
    hands.house.sync()
    assert unheard(hands.house, hands) == []
    assert hands.house.contact("zann@example.com").values["consent.email.marketing"] == "opted_out"
