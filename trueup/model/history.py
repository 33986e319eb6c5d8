"""What happened to an entity, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from trueup.model.values import Value

FIRST_SIGHT = "first sight"
"""The rule by which a field is filled that nobody had spoken of."""


class Change(NamedTuple):  # not a dataclass: made for every field of every record, at a third of the cost
    """A canonical value that moved, with its reason."""

    field: str
    old: Value
    new: Value
    source: str  # Ref as text, `hub:<user>`, or `rule`
    rule: str  # why it won: `authority`, `first sight`, `union`, `opt-out`, …


@dataclass(frozen=True, slots=True)
class Conflict:
    """An edit that lost, with the winner named."""

    field: str
    lost: Value
    lost_source: str
    kept: Value
    kept_source: str
    rule: str


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
