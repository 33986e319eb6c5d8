"""Consent: an append-only ledger of events; a state is derived, never stored as a field of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsentState(StrEnum):
    OPTED_OUT = "opted_out"
    UNKNOWN = "unknown"
    OPTED_IN = "opted_in"


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """Someone said, or a system shows, what may be sent.

    `subject` is an address key (`address`) or a Ref as text (`ref`); an event that names both is two
    rows. `certain`: `at` is when it happened; else it is when it was first seen. `source` is the
    connection (or `hub:<user>`), `evidence` the words that prove an opt-in, empty for none.
    """

    subject_kind: str  # address | ref
    subject: str
    channel: str
    purpose: str
    state: ConsentState
    at: datetime
    certain: bool
    source: str
    evidence: str = ""


def consent_field(channel: str, purpose: str) -> str:
    """The address of a consent state among a contact's values (`consent.email.marketing`)."""
    return f"consent.{channel}.{purpose}"
