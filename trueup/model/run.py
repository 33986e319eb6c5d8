"""Passes over the hub, who owns it meanwhile, and what people decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trueup.model.record import Json


@dataclass(frozen=True, slots=True)
class Fence:
    """Ownership of a piece of work. `number` grows with every owner; commits check it."""

    name: str
    owner: str
    number: int
    until: datetime


class RunOutcome(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    WITH_ERRORS = "completed_with_errors"
    PARTIAL = "partial"
    HELD = "held"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Gate:
    """The gated writes of one kind to a connection. `held`: a run that ended held some of them back, so that
    they are for a person to let through."""

    number: int
    held: bool


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One decision of a person: who, when, what, about what. `details`: ids, names and counts, no values.
    `digest` covers the row and, by `previous`, every row before it."""

    at: datetime
    user: str
    action: str
    subject: str
    details: Mapping[str, Json]
    previous: bytes = b""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Chain:
    """The decisions of people, looked through from the first: `rows` of them are as they were written, the
    last of these with digest `last`. `broken` is the next one, which is not; None where all are."""

    rows: int
    last: bytes
    broken: AuditRow | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One pass. `counts` is a flat mapping (`sales.Lead.read` to number) that adds up."""

    id: int
    kind: str
    started_at: datetime
    config_version: str
    outcome: RunOutcome = RunOutcome.RUNNING
    ended_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    user: str = ""
