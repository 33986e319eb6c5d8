"""What happened to an entity, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trueup.model.plan import Change, Conflict


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One decision's changes. `first_sight` names the Ref when all fields came from one first sight.

    `released`: (record, binding key) of fields that a person gave back to the rules at that time.
    """

    at: datetime
    run_id: int
    revision: int
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...] = ()
    first_sight: str = ""
    released: tuple[tuple[str, str], ...] = ()
