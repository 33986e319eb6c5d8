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

    @property
    def told_by(self) -> str:
        """Who told it: the record that shows it, or the person who typed it into the hub; of an event about
        an address the system."""
        return self.subject if self.subject_kind == "ref" and not self.by_hand else self.source

    @property
    def by_hand(self) -> bool:
        """Whether a person entered it in the hub."""
        return self.source.startswith(HUB)


HUB = "hub:"
"""Before the name of a person who said something in the hub."""


def consent_field(channel: str, purpose: str) -> str:
    """The address of a consent state among a contact's values (`consent.email.marketing`)."""
    return f"consent.{channel}.{purpose}"


def consent_of(name: str) -> tuple[str, str] | None:
    """Channel and purpose of such an address; None for any other."""
    parts = name.split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "consent" else None
