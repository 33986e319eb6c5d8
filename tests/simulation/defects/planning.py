"""Mistakes in applying a saved plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.defects.base import always, defect, instead
from tests.simulation.scenarios import SCENARIOS
from trueup.services import syncing
from trueup.services.opting_out import Planned
from trueup.services.planfile import Drift, SavedPlan

BEYOND = "nothing beyond the plan"
_OUTDATED = SCENARIOS["the apply of a saved plan of which a part is outdated"]


def _all_still_hold(original: Any, saved: SavedPlan, now: Any) -> Drift:
    found: Drift = original(saved, now)
    return replace(found, equal=frozenset(saved.entities), outdated=())


PLANNING = (
    defect("a saved plan lets everybody through", _OUTDATED, BEYOND, (Planned, "chosen", always(True))),
    defect(
        "whoever moved since counts as still planned",
        _OUTDATED,
        BEYOND,
        (syncing, "drift", instead(_all_still_hold)),
    ),
)
