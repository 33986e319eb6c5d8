"""Connections, streams, and what was read there: entities, links and what is kept of each."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, UniqueConstraint

from trueup.store.tables.columns import (
    AUTO,
    CLUSTERED,
    HALF_FULL,
    big,
    flag,
    its,
    key,
    metadata,
    partial,
    serial,
    small,
    word,
    words,
)

connections = Table(
    "connections",
    metadata,
    serial(),
    words("name"),
    flag("configured", 1),
    big("released_at", null=True),
    words("released_by", default=""),
    big("approved_at", null=True),
    words("approved_by", default=""),
    UniqueConstraint("name"),
    **AUTO,
)

streams = Table(
    "streams",
    metadata,
    serial(),
    big("connection_id", ForeignKey("connections.id")),
    words("object"),
    words("cursor", null=True),
    big("broken_off", null=True),  # when the reading of changes began that is at `cursor`, null: it ended
    words("listing_cursor", null=True),
    words("listing_fields", default="[]"),  # the remote paths that it was read for up to there
    big("listing", default=0),  # the listing that runs, or ran last
    big("listing_began_at", null=True),
    big("listing_rejected", default=0),  # rows of it that could not be read
    big("listed", default=0),  # the last listing that was complete
    big("listed_at", null=True),
    big("missing_run", null=True),  # which found that a listing lacks more than is believed to be deleted
    big("missing_number", default=0),  # how many records
    big("missing_listing", default=0),  # the listing that lacked them
    big("missing_before", null=True),  # when that began
    flag("missing_accepted", 0),  # a person said that they were deleted
    big("newest", default=0),  # the highest link id at its end: what is above came since
    big("read_at", null=True),
    big("read_since", null=True),  # when the reading began that ended then
    words("fields", default="[]"),
    words("terms", default="{}"),  # binding key to a fingerprint of how its field takes what we write
    big("keys_version", default=0),  # of the normaliser that made the match keys of its links
    big("keys_after", null=True),  # those of the links up to this one, null: of all
    UniqueConstraint("connection_id", "object"),
    **AUTO,
)

formats = Table(
    "formats",  # what a field of a system that does not answer did with our values
    metadata,
    key("stream_id", ForeignKey("streams.id")),
    word("path"),
    big("as_sent", default=0),
    big("otherwise", default=0),
    big("in_row", default=0),  # otherwise, since it was last as sent
    flag("learned", 0),
    **CLUSTERED,
)

entities = Table(
    "entities",
    metadata,
    serial(),
    big("created_at"),
    big("updated_at"),
    big("look_again_at", null=True),
    small("revision", default=0),
    flag("provisional", 0),
    words("kind"),
    words("data", default="{}"),  # field address to canonical value
    words("sources", default="[]"),  # one group per source with the fields that came from it
    words("title", default=""),  # what a person would type to find it, case-folded
    partial("ix_entities_look_again", "kind", "look_again_at", where="look_again_at is not null"),
    Index("ix_entities_kind_title", "kind", "title"),
    **AUTO,
)

entity_aliases = Table(
    "entity_aliases",
    metadata,
    key("id"),  # the id that was merged away
    big("entity_id", ForeignKey("entities.id")),
    big("at"),
    Index("ix_entity_aliases_entity_id", "entity_id"),
)

links = Table(
    "links",
    metadata,
    serial(),
    big("entity_id", ForeignKey("entities.id"), null=True),  # none: a stranger
    big("changed_at", null=True),
    big("seen_at", null=True),
    big("buried_at", null=True),
    big("told_at", null=True),  # where lists lag: when the system itself last told of this record
    its("stream_id", "streams"),
    small("rev", default=0),
    small("listing", default=0),
    small("withheld", default=0),
    flag("is_primary", 1),
    flag("fresh", 1),
    flag("active", 1),
    flag("entered", 0),  # the conditions of `create` were met once
    words("remote_id", null=True),  # none while a create is wanted
    words("kind"),
    words("state"),
    words("version", null=True),
    Column("digest", LargeBinary, nullable=True),  # a reading with this content is no news
    words("buried", null=True),  # why it is a tombstone: deleted, missing, merged
    UniqueConstraint("stream_id", "remote_id"),
    Index("ix_links_entity_id", "entity_id"),
    partial("ux_links_wanted", "entity_id", "stream_id", where="remote_id is null", unique=True),
    partial("ix_links_strangers", "stream_id", "id", where="entity_id is null and state = 'live'"),
    partial("ix_links_withheld", "stream_id", "entity_id", where="withheld > 0"),
    **AUTO,
    **HALF_FULL,
)

link_docs = Table(
    "link_docs",
    metadata,
    its("link_id", "links", key=True),
    words("observed"),
)

link_notes = Table(
    "link_notes",  # only for links with something to remember beside what was observed
    metadata,
    key("link_id", ForeignKey("links.id")),
    words("base", null=True),
    words("agreed", null=True),
    words("assumed", null=True),
    words("quarantine", null=True),
    words("published", null=True),
    big("look_at", null=True),  # when the record is to be read again: see `sync.rules.observe.look_at`
    partial("ix_link_notes_look_at", "look_at", where="look_at is not null"),
)

link_missed = Table(
    "link_missed",  # what the hub held before it changed while a record could not be judged
    metadata,
    key("link_id", ForeignKey("links.id")),
    words("held"),  # field address to canonical value
)

link_aliases = Table(
    "link_aliases",  # an old id leads to a link, never to another alias: no cycles
    metadata,
    key("stream_id", ForeignKey("streams.id")),
    word("remote_id"),
    big("link_id", ForeignKey("links.id")),
    Index("ix_link_aliases_link_id", "link_id"),
    **CLUSTERED,
)

dangling = Table(
    "dangling",  # what a record points at before anybody knows it
    metadata,
    key("stream_id", ForeignKey("streams.id")),
    word("remote_id"),
    key("link_id", ForeignKey("links.id")),  # the referrer
    Index("ix_dangling_link_id", "link_id"),
    **CLUSTERED,
)

entity_references = Table(
    "entity_references",
    metadata,
    key("entity_id", ForeignKey("entities.id")),
    word("field"),
    key("target_id", ForeignKey("entities.id")),
    Index("ix_entity_references_target_id", "target_id"),
    **CLUSTERED,
)
