"""Each named mistake is found by the world, by a check that is meant for it; every check finds one."""

from __future__ import annotations

import json
import os
from itertools import chain

import pytest

from tests.simulation.defects import DEFECTS
from trueup.testing.drawing import plan_of
from trueup.testing.oracle import BELONGING, CHECKS
from trueup.testing.trial import tried
from trueup.testing.watch import STEP_CHECKS

SEARCHED = int(os.environ.get("TRUEUP_DEFECT_SEEDS", "60"))
"""How many histories are lived when the one that showed a defect once shows it no more."""


@pytest.mark.parametrize("name", DEFECTS)
def test_a_named_defect_is_found_by_a_check_that_is_meant_for_it(name: str) -> None:
    defect = DEFECTS[name]
    plans = chain([defect.plan], map(plan_of, range(SEARCHED)))
    with defect.made():
        assert any(map(defect.shows, plans)), f"{name} lives through {1 + SEARCHED} histories"


def test_without_a_defect_the_same_histories_break_nothing() -> None:
    told = {json.dumps(one.plan.document()): one.plan for one in DEFECTS.values()}
    assert not [said for plan in told.values() for said in tried(plan).wrong]


def test_every_check_is_meant_for_some_defect() -> None:
    meant = frozenset[str]().union(*(one.killed_by for one in DEFECTS.values()))
    assert {*CHECKS, *STEP_CHECKS, BELONGING} <= meant


def test_there_are_sixty_of_them() -> None:
    assert len(DEFECTS) >= 60
