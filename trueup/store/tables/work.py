"""What is to be done and was done: marks, edits, deliveries, history, runs, leases."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, UniqueConstraint

from trueup.store.tables.columns import (
    AUTO,
    BIG,
    HALF_FULL,
    OPEN_WORDS,
    big,
    flag,
    its,
    metadata,
    partial,
    serial,
    small,
    word,
    words,
)

due = Table(
    "due",
    metadata,
    Column("mark", BIG, primary_key=True, autoincrement=True),  # never given twice
    words("kind"),
    big("entity_id", ForeignKey("entities.id")),
    words("reasons"),
    big("not_before", default=0),
    UniqueConstraint("kind", "entity_id"),
    **AUTO,
)

edits = Table(
    "edits",  # made in the hub and not decided yet
    metadata,
    serial(),
    big("entity_id", ForeignKey("entities.id")),
    words("field"),
    words("value"),
    words("author"),
    big("at"),
    flag("pin", 0),
    Index("ix_edits_entity_id", "entity_id"),
    **AUTO,
)

deliveries = Table(
    "deliveries",
    metadata,
    serial(),
    its("link_id", "links"),
    its("entity_id", "entities"),
    big("not_before"),
    big("created_at"),
    big("sent_at", null=True),
    big("ended_at", null=True),
    big("failing_since", null=True),
    its("stream_id", "streams"),
    small("entity_revision"),
    small("attempts", default=0),
    small("fence", null=True),
    small("run_id"),
    flag("open", 1),
    words("kind"),
    words("lane"),
    words("state"),
    words("gate", default=""),
    words("package", default=""),
    words("replaced", null=True),  # what stood there; stays when the delivery is closed
    Column("digest", LargeBinary, nullable=False),
    words("owner", default=""),
    words("config_version"),
    words("job", null=True),
    words("error", default=""),
    words("code", default=""),
    CheckConstraint(f"(open = 1) = (state in {OPEN_WORDS})", name="open"),
    Index("ix_deliveries_link_id", "link_id"),
    partial("ux_deliveries_open", "link_id", "lane", where="open = 1", unique=True),
    partial(
        "ix_deliveries_ready",
        *("stream_id", "state", "lane", "kind", "not_before", "id"),  # as a batch is taken: nothing to sort
        where="open = 1",
    ),
    **AUTO,
    **HALF_FULL,
)

delivery_docs = Table(
    "delivery_docs",  # values, wants, effects, upsert; goes when the delivery is closed
    metadata,
    its("delivery_id", "deliveries", key=True),
    words("payload"),
)

history = Table(
    "history",
    metadata,
    serial(),
    its("entity_id", "entities"),
    big("at"),
    small("run_id"),
    small("revision"),
    words("data"),
    Index("ix_history_entity_id", "entity_id"),
    **AUTO,
)

runs = Table(
    "runs",
    metadata,
    serial(),
    words("kind"),
    words("outcome"),
    words("config_version"),
    words("author"),
    big("started_at"),
    big("ended_at", null=True),
    words("counts", default="{}"),
    words("notes", default="[]"),
    **AUTO,
)

leases = Table(
    "leases",
    metadata,
    word("name"),
    words("owner"),
    big("number"),
    big("until"),
)
