"""What is learned of fields that keep our values in a form of their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """What a value of ours turned out to be when it was read for the first time after an unanswered write."""

    AS_SENT = "as_sent"  # or its equal
    FORM = "form"  # the system's own form of it
    EDIT = "edit"  # somebody's edit


@dataclass(frozen=True, slots=True)
class Kept:
    """What one field of one record kept of our value."""

    connection: str
    object: str
    path: str
    how: How


@dataclass(frozen=True, slots=True)
class Format:
    """What a field of a system that does not answer did with our values: how many records kept them as sent,
    how many otherwise. `learned`: otherwise so often in a row that it is known to have a form of its own."""

    connection: str
    object: str
    path: str
    as_sent: int = 0
    otherwise: int = 0
    learned: bool = False
