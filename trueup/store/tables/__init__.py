"""The tables, as they are at the newest migration.

Names: a *stream* is one object of one connection. Ids are integers inside; public ids (`c-17`) exist at
the edge only. Times are whole microseconds since 1970 UTC (`codec.micros`); JSON is text (`codec.dumps`);
flags are 0 or 1. All three read the same on SQLite and PostgreSQL. Long tables name their widest columns
first: PostgreSQL pads what stands the other way round.
"""

from __future__ import annotations

from trueup.store.tables import beside, consent, facts, identity, lifecycle, records, work
from trueup.store.tables.columns import metadata

__all__ = ["beside", "consent", "facts", "identity", "lifecycle", "metadata", "records", "work"]
