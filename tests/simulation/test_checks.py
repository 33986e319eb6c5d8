"""Of single checks: that they find what only they are meant to find, and what they ask of whom."""

from __future__ import annotations

from tests.simulation.defects import DEFECTS
from trueup.testing.drawing import plan_of
from trueup.testing.trial import tried


def test_what_was_replaced_in_the_hub_does_not_come_back() -> None:
    with DEFECTS["our own writes are news"].made():
        wrong = tried(plan_of(23)).wrong
    assert any("in whose place the hub put" in one for one in wrong)
