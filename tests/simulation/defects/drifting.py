"""Mistakes about what systems do by themselves: tokens expire, fields go, workflows run, pages are lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.defects.base import answering, defect, instead
from tests.simulation.defects.histories import (
    ALPHA,
    BETA,
    RUN,
    SETTLED,
    goes_wrong,
    history,
    newcomer,
    typed,
)
from trueup.connectors import reading as pages
from trueup.connectors.auth import TokenCredential
from trueup.connectors.records import RecordReader
from trueup.model.entity import NEVER
from trueup.sync.rules import acknowledge, evidence, weighing
from trueup.testing.system import ROBOT_MARK
from trueup.testing.traits import Traits


def _empty_there(original: Any, self: Any, row: Any, fields: Any) -> Any:
    """What an answer leaves out is empty."""
    found = original(self, row, fields)
    if found is None or found.deleted or found.successor:
        return found
    return replace(found, values={**dict.fromkeys(fields), **found.values})


def _never_renewed(original: Any, self: Any, now: Any) -> Any:
    return None if self._token else original(self, now)


def _from_now(original: Any, stream: Any, position: Any) -> Any:
    """A reading whose page was forgotten goes on from when it began."""
    return {**original(stream, position), "since": position["started"]}


def _only_people(original: Any, reading: Any, table: Any) -> Any:
    """What a workflow made of a value is no edit."""
    return (claim for claim in original(reading, table) if not str(claim.value).endswith(ROBOT_MARK))


def _never_empty(original: Any, *args: Any) -> Any:
    return [claim for claim in original(*args) if claim.value not in (None, [])]


def _all_carried(done: Any) -> Any:
    """What a create left out is agreed like all else that it carried."""
    agreed = {key: pair for key, pair in done.agreed.items() if pair.hub is not NEVER}
    return replace(done, agreed=agreed, quarantine={})


LOST = "no lost update, no lost element, no resurrection, convergence"
WORK = "silence, bounded cost"

DRIFTING = (
    defect(
        "what an answer lacks was emptied",
        20,
        f"{LOST}, winners are people",
        (RecordReader, "read_whole", instead(_empty_there)),
    ),
    defect(
        "an expired token stays in use",
        14,
        f"{LOST}, {WORK}",
        (TokenCredential, "renew", instead(_never_renewed)),
    ),
    defect(
        "what a new record was refused is never written",
        "a-field-that-was-gone-when-its-record-was-made",
        LOST,
        (acknowledge, "done", answering(_all_carried)),
    ),
    defect(
        "a forgotten page is passed over",
        history(
            *(newcomer(ALPHA, BETA, token=token) for token in range(101, 104)),
            *SETTLED,
            *(replace(typed(ALPHA, 110 + place), pick=place) for place in range(3)),
            goes_wrong(ALPHA, "changes", "expired", nth=2),
            RUN,
            alpha=Traits("alpha", page=1),
        ),
        f"cursor safety, {LOST}",
        (pages, "_restarted", instead(_from_now)),
    ),
    defect(
        "a workflow is not listened to", 7, f"{LOST}, {WORK}", (evidence, "claims", instead(_only_people))
    ),
    defect(
        "clearings in the hub are dropped",
        14,
        "hub edits hold",
        (weighing, "edit_claims", instead(_never_empty)),
    ),
)
