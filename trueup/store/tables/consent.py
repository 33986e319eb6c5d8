"""Consent, suppression, audit, settings."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from trueup.store.tables.columns import AUTO, CLUSTERED, big, flag, its, key, metadata, serial, word, words

consent_events = Table(
    "consent_events",  # append-only
    metadata,
    serial(),
    words("subject"),
    words("subject_kind"),
    words("channel"),
    words("purpose"),
    words("state"),
    big("at"),
    flag("certain", 0),
    words("source"),
    words("evidence", default=""),
    big("key", null=True),  # of an address, as in `consent_addresses`
    Index("ix_consent_events_key", "key"),
    Index(
        "ux_consent_events_once",
        *("subject", "subject_kind", "channel", "purpose", "state", "at", "source"),
        unique=True,
    ),
    **AUTO,
)

consent_addresses = Table(
    "consent_addresses",  # every address an entity holds or ever held
    metadata,
    key("key"),  # digest of the subject
    its("entity_id", "entities", key=True),
    Index("ix_consent_addresses_entity_id", "entity_id"),
    **CLUSTERED,
)

suppressions = Table(
    "suppressions",  # keyed digests by the frozen key function: no addresses
    metadata,
    word("key"),
    Column("key_version", Integer, primary_key=True, autoincrement=False),
    words("reason"),
    words("author"),
    big("at"),
)

audit = Table(
    "audit",  # chained; ids, field names and keyed digests only, no personal values
    metadata,
    serial(),
    big("at"),
    words("author"),
    words("action"),
    words("subject"),
    words("details", default="{}"),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    **AUTO,
)

settings = Table("settings", metadata, word("name"), words("value"))
