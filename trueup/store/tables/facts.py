"""What happened: activities, cases, counters."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Table, UniqueConstraint

from trueup.store.tables.columns import AUTO, CLUSTERED, big, flag, key, metadata, serial, word, words

activities = Table(
    "activities",  # events; never reconciled, counted once
    metadata,
    key("stream_id", ForeignKey("streams.id")),
    word("remote_id"),
    words("name"),
    big("subject_stream_id", null=True),
    words("subject_id", null=True),  # remote id, or an address key where the stream is none
    big("at", null=True),
    words("amount", null=True),
    words("currency", null=True),
    words("data", null=True),
    Index("ix_activities_at", "at"),
    **CLUSTERED,
)

activity_days = Table(
    "activity_days",
    metadata,
    key("subject_stream_id"),  # 0: the subject is an address key
    word("subject_id"),
    word("name"),
    key("day"),  # days since 1970
    word("currency"),
    big("count"),
    words("amount", null=True),  # decimal text
    **CLUSTERED,
)

cases = Table(
    "cases",  # orders, tickets, subscriptions: the latest version
    metadata,
    serial(),
    big("stream_id", ForeignKey("streams.id")),
    words("remote_id"),
    words("name"),
    words("state"),
    big("subject_stream_id", null=True),
    words("subject_id", null=True),
    big("at", null=True),
    words("amount", null=True),
    words("currency", default=""),
    words("version", null=True),
    flag("deleted", 0),
    words("data", null=True),
    big("seen_at"),
    big("changed_at", null=True),  # when its system says that this version was made; `at` may move both ways
    UniqueConstraint("stream_id", "remote_id"),
    Index("ix_cases_subject", "subject_stream_id", "subject_id"),
    **AUTO,
)

case_states = Table(
    "case_states",
    metadata,
    serial(),
    big("case_id", ForeignKey("cases.id")),
    words("state"),
    words("amount", null=True),
    flag("deleted", 0),
    big("at", null=True),
    big("seen_at"),
    Index("ix_case_states_case_id", "case_id"),
    **AUTO,
)

counters = Table(
    "counters",
    metadata,
    key("stream_id", ForeignKey("streams.id")),
    word("remote_id"),
    word("name"),
    big("subject_stream_id", null=True),
    words("subject_id", null=True),
    words("amount", null=True),
    big("at", null=True),
    words("version", null=True),
    Index("ix_counters_subject", "subject_stream_id", "subject_id"),
    **CLUSTERED,
)
