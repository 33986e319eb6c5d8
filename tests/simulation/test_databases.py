"""The same history goes the same way and ends in the same state on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.postgres_server import fresh_database
from tests.simulation.scenarios import SCENARIOS
from trueup.testing.drawing import plan_of
from trueup.testing.plan import Plan
from trueup.testing.world import lived_on

SEEDS = int(os.environ.get("TRUEUP_DATABASE_SEEDS", "12"))
CHUNK = 4


@dataclass(frozen=True, slots=True)
class Ending:
    """The journal of a history, and all that is known of every person and company at its end."""

    journal: list[str]
    known: dict[str, Any]


def ending(url: str, plan: Plan, folder: Path) -> Ending:
    with lived_on(url, plan, folder) as world:
        everybody = (*world.contacts(), *world.known(world.companies))
        known = {id: (world.store.case(id), world.store.history(id, 1000)) for id in everybody}
        return Ending(world.journal, known)


def compared(plan: Plan, folder: Path) -> None:
    files = [folder / f"{plan.seed}-{one}" for one in ("lite", "big")]  # saved plans lie there, too
    for one in files:
        one.mkdir()
    lite = ending(f"sqlite:///{files[0] / 'hub.sqlite'}", plan, files[0])
    with fresh_database() as url:
        big = ending(url, plan, files[1])
    apart = [pair for pair in zip(lite.journal, big.journal, strict=False) if pair[0] != pair[1]]
    assert not apart, f"seed {plan.seed}: first {apart[0]}"
    assert len(lite.journal) == len(big.journal)
    assert lite.known == big.known
    assert lite.known


@pytest.mark.server
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_a_history_is_the_same_on_both_databases(first: int, tmp_path: Path) -> None:
    for seed in range(first, min(first + CHUNK, SEEDS)):
        compared(plan_of(seed), tmp_path)


@pytest.mark.server
@pytest.mark.parametrize("name", list(SCENARIOS)[::6])
def test_a_job_is_the_same_on_both_databases(name: str, tmp_path: Path) -> None:
    compared(SCENARIOS[name], tmp_path)
