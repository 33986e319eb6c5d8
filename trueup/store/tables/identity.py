"""Who is whom: match keys, decisions, undone merges."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Table

from trueup.store.tables.columns import AUTO, CLUSTERED, big, its, key, metadata, partial, serial, words

match_keys = Table(
    "match_keys",
    metadata,
    key("digest"),  # of entity kind, kind of key and key
    its("link_id", "links", key=True),
    Index("ix_match_keys_link_id", "link_id"),
    **CLUSTERED,
)

awaited_companies = Table(
    "awaited_companies",  # contacts that name a company which none is linked for, by the key of its name
    metadata,
    key("digest"),  # as in match keys
    its("entity_id", "entities", key=True),
    Index("ix_awaited_companies_entity_id", "entity_id"),
    **CLUSTERED,
)

match_decisions = Table(
    "match_decisions",
    metadata,
    serial(),
    big("left_id"),
    big("right_id"),
    words("verdict"),
    Column("score", Float, nullable=False),
    words("evidence", default="{}"),  # levels, never values
    words("author"),
    big("at"),
    big("revoked_at", null=True),
    words("revoked_by", default=""),
    Index("ix_match_decisions_left_id", "left_id"),
    Index("ix_match_decisions_right_id", "right_id"),
    partial("ix_match_decisions_unsure", "id", where="verdict = 'unsure' and revoked_at is null"),
    **AUTO,
)

merge_snapshots = Table(
    "merge_snapshots",  # what each part was before a merge; unmerge needs it
    metadata,
    serial(),
    big("kept_id", ForeignKey("entities.id")),
    big("merged_id"),
    big("at"),
    words("author"),
    words("data"),
    big("undone_at", null=True),
    Index("ix_merge_snapshots_kept_id", "kept_id"),
    Index("ix_merge_snapshots_merged_id", "merged_id"),
    **AUTO,
)
