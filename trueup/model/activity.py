"""Facts: events, cases and counters; counted once by remote id, never reconciled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trueup.model.record import Json


class FactKind(StrEnum):
    EVENT = "event"  # happened once, never changes
    CASE = "case"  # has a state that changes; the latest version is kept, state changes as history
    COUNTER = "counter"  # a vendor's total; the last value wins


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact as a system tells it. Hangs on the Ref (object, remote id) or address key it came with.

    `at` is when it happened or will happen, `changed_at` when the system last changed what it says of it.
    `name` says of what kind it is (`order`, `ticket`, `email_opened`); `amount` is decimal text.
    """

    kind: FactKind
    name: str
    remote_id: str
    object: str
    subject: str  # remote id of the person's or company's record, empty if only an address is known
    subject_object: str
    at: datetime | None
    state: str = ""
    amount: str | None = None
    currency: str = ""
    address_key: str = ""
    version: str | None = None
    deleted: bool = False
    changed_at: datetime | None = None
    values: Mapping[str, Json] = field(default_factory=dict)
