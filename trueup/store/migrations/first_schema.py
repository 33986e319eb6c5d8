"""The tables of the first schema, frozen: what migration 0001 makes. Changes go into later migrations.

Names: a *stream* is one object of one connection. Ids are integers inside; public ids (`c-17`) exist at
the edge only. Times are whole microseconds since 1970 UTC (`codec.micros`); JSON is text (`codec.dumps`);
flags are 0 or 1. All three read the same on SQLite and PostgreSQL.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

OPEN_WORDS = "('due', 'sent', 'doubt', 'waiting', 'gated', 'parked')"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BIG = BigInteger().with_variant(Integer(), "sqlite")


def _serial() -> Column[int]:
    """An id that is never given twice, also after its row went."""
    return Column("id", BIG, primary_key=True, autoincrement=True)


def _big(name: str, *refers: ForeignKey, null: bool = False, default: int | None = None) -> Column[int]:
    at_server = None if default is None else text(str(default))
    return Column(name, BIG, *refers, nullable=null, server_default=at_server)


def _key(name: str, *refers: ForeignKey) -> Column[int]:
    return Column(name, BIG, *refers, primary_key=True, autoincrement=False)


def _its(name: str, parent: str, *, key: bool = False) -> Column[int]:
    """The id of a row of `parent` that is no foreign key.

    A database looks every foreign key up by itself, which costs more than the row. Where both rows are
    written in one transaction, or the parent is locked, the code keeps them together; each test of a verb
    ends with a look whether it did (`tests/store/conftest.py`).
    """
    type = Integer() if parent == "streams" else BIG
    return Column(name, type, nullable=False, primary_key=key, autoincrement=False, info={"of": parent})


def _small(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    """A number that stays below two thousand million."""
    at_server = None if default is None else text(str(default))
    return Column(name, Integer, nullable=null, server_default=at_server)


def _flag(name: str, default: int) -> Column[int]:
    return Column(name, SmallInteger, nullable=False, server_default=text(str(default)))


def _text(name: str, *, null: bool = False, default: str | None = None) -> Column[str]:
    at_server = None if default is None else text(f"'{default}'")
    return Column(name, Text, nullable=null, server_default=at_server)


def _word(name: str) -> Column[str]:
    """Text that is only ever compared whole: by its bytes, which no locale slows down."""
    return Column(name, Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


AUTO: dict[str, Any] = {"sqlite_autoincrement": True}
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
HALF_FULL: dict[str, Any] = {"postgresql_with": {"fillfactor": 50}}
"""For rows that are written again soon: the new version finds room on the same page, and takes the place of
the version before the last."""

# -- connections, streams, entities, links -------------------------------------------------------------

connections = Table(
    "connections",
    metadata,
    _serial(),
    _text("name"),
    _flag("configured", 1),
    _big("released_at", null=True),
    _text("released_by", default=""),
    _big("approved_at", null=True),
    _text("approved_by", default=""),
    UniqueConstraint("name"),
    **AUTO,
)

streams = Table(
    "streams",
    metadata,
    _serial(),
    _big("connection_id", ForeignKey("connections.id")),
    _text("object"),
    _text("cursor", null=True),
    _big("broken_off", null=True),  # when the reading of changes began that is at `cursor`, null: it ended
    _text("listing_cursor", null=True),
    _big("listing", default=0),  # the listing that runs, or ran last
    _big("listing_began_at", null=True),
    _big("listing_rejected", default=0),  # rows of it that could not be read
    _big("listed", default=0),  # the last listing that was complete
    _big("listed_at", null=True),
    _big("missing_run", null=True),  # which found that a listing lacks more than is believed to be deleted
    _big("missing_number", default=0),  # how many records
    _big("missing_listing", default=0),  # the listing that lacked them
    _big("missing_before", null=True),  # when that began
    _flag("missing_accepted", 0),  # a person said that they were deleted
    _big("newest", default=0),  # the highest link id at its end: what is above came since
    _big("read_at", null=True),
    _big("read_since", null=True),  # when the reading began that ended then
    _text("fields", default="[]"),
    _text("terms", default="{}"),  # binding key to a fingerprint of how its field takes what we write
    _big("keys_version", default=0),  # of the normaliser that made the match keys of its links
    _big("keys_after", null=True),  # those of the links up to this one, null: of all
    UniqueConstraint("connection_id", "object"),
    **AUTO,
)

formats = Table(
    "formats",  # what a field of a system that does not answer did with our values
    metadata,
    _key("stream_id", ForeignKey("streams.id")),
    _word("path"),
    _big("as_sent", default=0),
    _big("otherwise", default=0),
    _big("in_row", default=0),  # otherwise, since it was last as sent
    _flag("learned", 0),
    **CLUSTERED,
)

entities = Table(
    "entities",
    metadata,
    _serial(),
    _big("created_at"),
    _big("updated_at"),
    _big("look_again_at", null=True),
    _small("revision", default=0),
    _flag("provisional", 0),
    _text("kind"),
    _text("data", default="{}"),  # field address to canonical value
    _text("sources", default="[]"),  # one group per source with the fields that came from it
    _text("title", default=""),  # what a person would type to find it, case-folded
    _partial("ix_entities_look_again", "kind", "look_again_at", where="look_again_at is not null"),
    Index("ix_entities_kind_title", "kind", "title"),
    **AUTO,
)

entity_aliases = Table(
    "entity_aliases",
    metadata,
    _key("id"),  # the id that was merged away
    _big("entity_id", ForeignKey("entities.id")),
    _big("at"),
    Index("ix_entity_aliases_entity_id", "entity_id"),
)

links = Table(
    "links",
    metadata,
    _serial(),
    _big("entity_id", ForeignKey("entities.id"), null=True),  # none: a stranger
    _big("changed_at", null=True),
    _big("seen_at", null=True),
    _big("buried_at", null=True),
    _big("told_at", null=True),  # where lists lag: when the system itself last told of this record
    _its("stream_id", "streams"),
    _small("rev", default=0),
    _small("listing", default=0),
    _small("withheld", default=0),
    _flag("is_primary", 1),
    _flag("fresh", 1),
    _flag("active", 1),
    _flag("entered", 0),  # the conditions of `create` were met once
    _text("remote_id", null=True),  # none while a create is wanted
    _text("kind"),
    _text("state"),
    _text("version", null=True),
    Column("digest", LargeBinary, nullable=True),  # a reading with this content is no news
    _text("buried", null=True),  # why it is a tombstone: deleted, missing, merged
    UniqueConstraint("stream_id", "remote_id"),
    Index("ix_links_entity_id", "entity_id"),
    _partial("ux_links_wanted", "entity_id", "stream_id", where="remote_id is null", unique=True),
    _partial("ix_links_strangers", "stream_id", "id", where="entity_id is null and state = 'live'"),
    _partial("ix_links_withheld", "stream_id", "entity_id", where="withheld > 0"),
    **AUTO,
    **HALF_FULL,
)

link_docs = Table(
    "link_docs",
    metadata,
    _its("link_id", "links", key=True),
    _text("observed"),
    _text("base", null=True),
    _text("agreed", null=True),
    _text("assumed", null=True),
    _text("quarantine", null=True),
    _text("published", null=True),
)

link_missed = Table(
    "link_missed",  # what the hub held before it changed while a record could not be judged
    metadata,
    _key("link_id", ForeignKey("links.id")),
    _text("held"),  # field address to canonical value
)

link_aliases = Table(
    "link_aliases",  # an old id leads to a link, never to another alias: no cycles
    metadata,
    _key("stream_id", ForeignKey("streams.id")),
    _word("remote_id"),
    _big("link_id", ForeignKey("links.id")),
    Index("ix_link_aliases_link_id", "link_id"),
    **CLUSTERED,
)

dangling = Table(
    "dangling",  # what a record points at before anybody knows it
    metadata,
    _key("stream_id", ForeignKey("streams.id")),
    _word("remote_id"),
    _key("link_id", ForeignKey("links.id")),  # the referrer
    Index("ix_dangling_link_id", "link_id"),
    **CLUSTERED,
)

entity_references = Table(
    "entity_references",
    metadata,
    _key("entity_id", ForeignKey("entities.id")),
    _word("field"),
    _key("target_id", ForeignKey("entities.id")),
    Index("ix_entity_references_target_id", "target_id"),
    **CLUSTERED,
)

# -- identity ------------------------------------------------------------------------------------------

match_keys = Table(
    "match_keys",
    metadata,
    _key("digest"),  # of entity kind, kind of key and key
    _its("link_id", "links", key=True),
    Index("ix_match_keys_link_id", "link_id"),
    **CLUSTERED,
)

awaited_companies = Table(
    "awaited_companies",  # contacts that name a company which none is linked for, by the key of its name
    metadata,
    _key("digest"),  # as in match keys
    _its("entity_id", "entities", key=True),
    Index("ix_awaited_companies_entity_id", "entity_id"),
    **CLUSTERED,
)

match_decisions = Table(
    "match_decisions",
    metadata,
    _serial(),
    _big("left_id"),
    _big("right_id"),
    _text("verdict"),
    Column("score", Float, nullable=False),
    _text("evidence", default="{}"),  # levels, never values
    _text("author"),
    _big("at"),
    _big("revoked_at", null=True),
    _text("revoked_by", default=""),
    Index("ix_match_decisions_left_id", "left_id"),
    Index("ix_match_decisions_right_id", "right_id"),
    _partial("ix_match_decisions_unsure", "id", where="verdict = 'unsure' and revoked_at is null"),
    **AUTO,
)

merge_snapshots = Table(
    "merge_snapshots",  # what each part was before a merge; unmerge needs it
    metadata,
    _serial(),
    _big("kept_id", ForeignKey("entities.id")),
    _big("merged_id"),
    _big("at"),
    _text("author"),
    _text("data"),
    _big("undone_at", null=True),
    Index("ix_merge_snapshots_kept_id", "kept_id"),
    Index("ix_merge_snapshots_merged_id", "merged_id"),
    **AUTO,
)

# -- work ----------------------------------------------------------------------------------------------

due = Table(
    "due",
    metadata,
    Column("mark", BIG, primary_key=True, autoincrement=True),  # never given twice
    _text("kind"),
    _big("entity_id", ForeignKey("entities.id")),
    _text("reasons"),
    _big("not_before", default=0),
    UniqueConstraint("kind", "entity_id"),
    **AUTO,
)

edits = Table(
    "edits",  # made in the hub and not decided yet
    metadata,
    _serial(),
    _big("entity_id", ForeignKey("entities.id")),
    _text("field"),
    _text("value"),
    _text("author"),
    _big("at"),
    _flag("pin", 0),
    Index("ix_edits_entity_id", "entity_id"),
    **AUTO,
)

deliveries = Table(
    "deliveries",
    metadata,
    _serial(),
    _its("link_id", "links"),
    _its("entity_id", "entities"),
    _big("not_before"),
    _big("created_at"),
    _big("sent_at", null=True),
    _big("ended_at", null=True),
    _big("failing_since", null=True),
    _its("stream_id", "streams"),
    _small("entity_revision"),
    _small("attempts", default=0),
    _small("fence", null=True),
    _small("run_id"),
    _flag("open", 1),
    _text("kind"),
    _text("lane"),
    _text("state"),
    _text("gate", default=""),
    _text("package", default=""),
    _text("replaced", null=True),  # what stood there; stays when the delivery is closed
    Column("digest", LargeBinary, nullable=False),
    _text("owner", default=""),
    _text("config_version"),
    _text("job", null=True),
    _text("error", default=""),
    _text("code", default=""),
    CheckConstraint(f"(open = 1) = (state in {OPEN_WORDS})", name="open"),
    Index("ix_deliveries_link_id", "link_id"),
    _partial("ux_deliveries_open", "link_id", "lane", where="open = 1", unique=True),
    _partial(
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
    _its("delivery_id", "deliveries", key=True),
    _text("payload"),
)

history = Table(
    "history",
    metadata,
    _serial(),
    _its("entity_id", "entities"),
    _big("at"),
    _small("run_id"),
    _small("revision"),
    _text("data"),
    Index("ix_history_entity_id", "entity_id"),
    **AUTO,
)

runs = Table(
    "runs",
    metadata,
    _serial(),
    _text("kind"),
    _text("outcome"),
    _text("config_version"),
    _text("author"),
    _big("started_at"),
    _big("ended_at", null=True),
    _text("counts", default="{}"),
    _text("notes", default="[]"),
    **AUTO,
)

leases = Table(
    "leases",
    metadata,
    _word("name"),
    _text("owner"),
    _big("number"),
    _big("until"),
)

# -- consent, suppression, audit -----------------------------------------------------------------------

consent_events = Table(
    "consent_events",  # append-only
    metadata,
    _serial(),
    _text("subject"),
    _text("subject_kind"),
    _text("channel"),
    _text("purpose"),
    _text("state"),
    _big("at"),
    _flag("certain", 0),
    _text("source"),
    _text("evidence", default=""),
    _big("key", null=True),  # of an address, as in `consent_addresses`
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
    _key("key"),  # digest of the subject
    _its("entity_id", "entities", key=True),
    Index("ix_consent_addresses_entity_id", "entity_id"),
    **CLUSTERED,
)

suppressions = Table(
    "suppressions",  # keyed digests by the frozen key function: no addresses
    metadata,
    _word("key"),
    Column("key_version", Integer, primary_key=True, autoincrement=False),
    _text("reason"),
    _text("author"),
    _big("at"),
)

audit = Table(
    "audit",  # chained; ids, field names and keyed digests only, no personal values
    metadata,
    _serial(),
    _big("at"),
    _text("author"),
    _text("action"),
    _text("subject"),
    _text("details", default="{}"),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    **AUTO,
)

settings = Table("settings", metadata, _word("name"), _text("value"))

# -- lifecycle -----------------------------------------------------------------------------------------

transitions = Table(
    "transitions",
    metadata,
    _serial(),
    _big("entity_id", ForeignKey("entities.id")),
    _text("from_stage"),
    _text("to_stage"),
    _text("state"),  # pending, committed, failed
    _text("cause"),
    _text("evidence", default="[]"),
    _text("package", default=""),
    _big("run_id"),
    _big("requested_at"),
    _big("ended_at", null=True),
    _text("reason", default=""),
    Index("ix_transitions_entity_id", "entity_id"),
    **AUTO,
)

# -- facts ---------------------------------------------------------------------------------------------

activities = Table(
    "activities",  # events; never reconciled, counted once
    metadata,
    _key("stream_id", ForeignKey("streams.id")),
    _word("remote_id"),
    _text("name"),
    _big("subject_stream_id", null=True),
    _text("subject_id", null=True),  # remote id, or an address key where the stream is none
    _big("at", null=True),
    _text("amount", null=True),
    _text("currency", null=True),
    _text("data", null=True),
    Index("ix_activities_at", "at"),
    **CLUSTERED,
)

activity_days = Table(
    "activity_days",
    metadata,
    _key("subject_stream_id"),  # 0: the subject is an address key
    _word("subject_id"),
    _word("name"),
    _key("day"),  # days since 1970
    _word("currency"),
    _big("count"),
    _text("amount", null=True),  # decimal text
    **CLUSTERED,
)

cases = Table(
    "cases",  # orders, tickets, subscriptions: the latest version
    metadata,
    _serial(),
    _big("stream_id", ForeignKey("streams.id")),
    _text("remote_id"),
    _text("name"),
    _text("state"),
    _big("subject_stream_id", null=True),
    _text("subject_id", null=True),
    _big("at", null=True),
    _text("amount", null=True),
    _text("currency", default=""),
    _text("version", null=True),
    _flag("deleted", 0),
    _text("data", null=True),
    _big("seen_at"),
    UniqueConstraint("stream_id", "remote_id"),
    Index("ix_cases_subject", "subject_stream_id", "subject_id"),
    **AUTO,
)

case_states = Table(
    "case_states",
    metadata,
    _serial(),
    _big("case_id", ForeignKey("cases.id")),
    _text("state"),
    _text("amount", null=True),
    _flag("deleted", 0),
    _big("at", null=True),
    _big("seen_at"),
    Index("ix_case_states_case_id", "case_id"),
    **AUTO,
)

counters = Table(
    "counters",
    metadata,
    _key("stream_id", ForeignKey("streams.id")),
    _word("remote_id"),
    _word("name"),
    _big("subject_stream_id", null=True),
    _text("subject_id", null=True),
    _text("amount", null=True),
    _big("at", null=True),
    _text("version", null=True),
    Index("ix_counters_subject", "subject_stream_id", "subject_id"),
    **CLUSTERED,
)

# -- beside the person ---------------------------------------------------------------------------------

campaigns = Table(
    "campaigns",
    metadata,
    _serial(),
    _text("key"),
    _text("name"),
    _text("data", default="{}"),
    _big("created_at"),
    UniqueConstraint("key"),
    **AUTO,
)

campaign_members = Table(
    "campaign_members",
    metadata,
    _key("campaign_id", ForeignKey("campaigns.id")),
    _key("entity_id", ForeignKey("entities.id")),
    _text("state"),
    _big("first_at"),
    _big("changed_at"),
    _text("data", null=True),
    Index("ix_campaign_members_entity_id", "entity_id"),
    **CLUSTERED,
)

tasks = Table(
    "tasks",
    metadata,
    _serial(),
    _big("entity_id", ForeignKey("entities.id")),
    _text("title"),
    _text("state"),
    _text("owner", default=""),
    _big("due_at", null=True),
    _big("created_at"),
    _big("ended_at", null=True),
    _text("data", null=True),
    Index("ix_tasks_entity_id", "entity_id"),
    **AUTO,
)

notes = Table(
    "notes",
    metadata,
    _serial(),
    _big("entity_id", ForeignKey("entities.id")),
    _text("author"),
    _text("body"),
    _big("at"),
    _text("source", default=""),
    Index("ix_notes_entity_id", "entity_id"),
    **AUTO,
)

documents = Table(
    "documents",
    metadata,
    _serial(),
    _big("entity_id", ForeignKey("entities.id")),
    _text("name"),
    _text("media_type"),
    _big("size"),
    _text("location"),
    _big("at"),
    _text("source", default=""),
    Index("ix_documents_entity_id", "entity_id"),
    **AUTO,
)

relationships = Table(
    "relationships",
    metadata,
    _serial(),
    _big("from_id", ForeignKey("entities.id")),
    _big("to_id", ForeignKey("entities.id")),
    _text("role"),
    _text("source"),
    _big("since", null=True),
    _big("until", null=True),
    UniqueConstraint("from_id", "to_id", "role", "source"),
    Index("ix_relationships_to_id", "to_id"),
    **AUTO,
)

segment_members = Table(
    "segment_members",
    metadata,
    _word("segment"),
    _key("entity_id", ForeignKey("entities.id")),
    _big("since"),
    Index("ix_segment_members_entity_id", "entity_id"),
    **CLUSTERED,
)
