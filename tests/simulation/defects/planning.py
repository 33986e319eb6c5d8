"""Mistakes in applying a saved plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.defects.base import always, defect, instead
from tests.simulation.scenarios import SCENARIOS
from trueup.model.plan import Case
from trueup.services import opting_out, planfile, syncing
from trueup.services.opting_out import Planned
from trueup.services.planfile import Drift, SavedPlan, key_of

BEYOND = "nothing beyond the plan"
_OUTDATED = SCENARIOS["the apply of a saved plan of which a part is outdated"]


def _all_still_hold(original: Any, saved: SavedPlan, now: Any) -> Drift:
    found: Drift = original(saved, now)
    return replace(found, equal=frozenset(saved.entities), outdated=())


def _by_first_record(original: Any, case: Case) -> set[str]:
    return {key_of(case)}


def _whatever_record(original: Any, case: Case, *rest: Any) -> Any:
    """A write is as it was planned, to whichever record it goes."""
    return original(replace(case, links=()), *rest)


PLANNING = (
    defect(
        "a saved plan lets everybody through",
        _OUTDATED,
        BEYOND,
        (Planned, "chosen", always(True)),
        (Planned, "holds", always(True)),
    ),
    defect(
        "whoever moved since counts as still planned",
        _OUTDATED,
        BEYOND,
        (syncing, "drift", instead(_all_still_hold)),
        (Planned, "holds", always(True)),
    ),
    defect(
        "what moves while a plan is applied goes along",
        "a-reading-that-is-lost-while-a-plan-is-applied",
        BEYOND,
        (Planned, "holds", always(True)),
    ),
    defect(
        "a planned write goes to any record",
        "a-twin-that-came-after-the-plan",
        BEYOND,
        *((room, "digests", instead(_whatever_record)) for room in (opting_out, planfile, syncing)),
    ),
    defect(
        "whom a plan knows by another record is not in it",
        "a-record-that-a-plan-did-not-read",
        BEYOND,
        (syncing, "names_of", instead(_by_first_record)),
        (Planned, "holds", always(True)),
    ),
)
