"""Moves between stages."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Table

from trueup.store.tables.columns import AUTO, big, metadata, serial, words

transitions = Table(
    "transitions",
    metadata,
    serial(),
    big("entity_id", ForeignKey("entities.id")),
    words("from_stage"),
    words("to_stage"),
    words("state"),  # pending, committed, failed
    words("cause"),
    words("evidence", default="[]"),
    words("package", default=""),
    big("run_id"),
    big("requested_at"),
    big("ended_at", null=True),
    words("reason", default=""),
    Index("ix_transitions_entity_id", "entity_id"),
    **AUTO,
)
