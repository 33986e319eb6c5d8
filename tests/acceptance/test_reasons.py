"""In the middle of a random life and at its end each contact has exactly one reason in each system."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.acceptance.hands import ALL
from tests.acceptance.kit import NAMES, House, disagreements
from tests.acceptance.test_convergence import ACTS, lived, step
from trueup.model.entity import LinkState
from trueup.services.standing import standings

SEEDS = int(os.environ.get("TRUEUP_REASON_SEEDS", "6"))
IN_STEP = "in step"


def reasons(house: House, differ: Collection[tuple[str, str]] = ()) -> Counter[str]:
    """How many stand how. Whoever has no living record in a system, or one that differs from the contact (by
    id and connection), is not in step with it, and the reason is said."""
    found: Counter[str] = Counter()
    for entity, links in house.entities():
        told = standings(house.hub, house.hub.store.case(entity.public_id))
        assert sorted(one.connection for one in told) == sorted(NAMES), entity.public_id
        living = {one.connection for one in links if one.state is LinkState.LIVE and one.remote_id}
        for one in told:
            there = one.connection in living and (entity.public_id, one.connection) not in differ
            assert one.sentence and (there or one.word != IN_STEP), f"{entity.public_id}: {one}"
            found[one.word] += 1
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whoever_is_not_in_step_with_a_system_has_exactly_one_reason(seed: int, tmp_path: Path) -> None:
    """Of what people typed a moment ago the hub knows nothing: what differs is compared when all is read."""
    hands = lived(tmp_path, 3000 + seed)
    met: Counter[str] = Counter()
    for _ in range(ACTS):
        hands.act(ALL)
        while hands.dice.random() < 0.5:
            step(hands)
        met += reasons(hands.house)
    hands.house.settle()
    at_rest = reasons(
        hands.house, {(one.split()[0], one.split()[1].split("/")[0]) for one in disagreements(hands.house)}
    )
    assert at_rest[IN_STEP] >= len(NAMES)
    assert met.total() > met[IN_STEP], "nobody ever was out of step"
