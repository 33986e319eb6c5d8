"""Beside the person: campaigns, tasks, notes, documents, relationships, segments."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Table, UniqueConstraint

from trueup.store.tables.columns import AUTO, CLUSTERED, big, key, metadata, serial, word, words

campaigns = Table(
    "campaigns",
    metadata,
    serial(),
    words("key"),
    words("name"),
    words("data", default="{}"),
    big("created_at"),
    UniqueConstraint("key"),
    **AUTO,
)

campaign_members = Table(
    "campaign_members",
    metadata,
    key("campaign_id", ForeignKey("campaigns.id")),
    key("entity_id", ForeignKey("entities.id")),
    words("state"),
    big("first_at"),
    big("changed_at"),
    words("data", null=True),
    Index("ix_campaign_members_entity_id", "entity_id"),
    **CLUSTERED,
)

tasks = Table(
    "tasks",
    metadata,
    serial(),
    big("entity_id", ForeignKey("entities.id")),
    words("title"),
    words("state"),
    words("owner", default=""),
    big("due_at", null=True),
    big("created_at"),
    big("ended_at", null=True),
    words("data", null=True),
    Index("ix_tasks_entity_id", "entity_id"),
    **AUTO,
)

notes = Table(
    "notes",
    metadata,
    serial(),
    big("entity_id", ForeignKey("entities.id")),
    words("author"),
    words("body"),
    big("at"),
    words("source", default=""),
    Index("ix_notes_entity_id", "entity_id"),
    **AUTO,
)

documents = Table(
    "documents",
    metadata,
    serial(),
    big("entity_id", ForeignKey("entities.id")),
    words("name"),
    words("media_type"),
    big("size"),
    words("location"),
    big("at"),
    words("source", default=""),
    Index("ix_documents_entity_id", "entity_id"),
    **AUTO,
)

relationships = Table(
    "relationships",
    metadata,
    serial(),
    big("from_id", ForeignKey("entities.id")),
    big("to_id", ForeignKey("entities.id")),
    words("role"),
    words("source"),
    big("since", null=True),
    big("until", null=True),
    UniqueConstraint("from_id", "to_id", "role", "source"),
    Index("ix_relationships_to_id", "to_id"),
    **AUTO,
)

segment_members = Table(
    "segment_members",
    metadata,
    word("segment"),
    key("entity_id", ForeignKey("entities.id")),
    big("since"),
    Index("ix_segment_members_entity_id", "entity_id"),
    **CLUSTERED,
)
