"""Tables of real people in a real PostgreSQL, each with a log that its own triggers write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tests.live.postgres_server import fresh_database

_LOG = """
create table log (entry bigint generated always as identity, op text, row_id integer);
create function stamped() returns trigger language plpgsql as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end $$;
create function logged() returns trigger language plpgsql as $$
begin
  insert into log (op, row_id) values (lower(tg_op), coalesce(new.id, old.id));
  return null;
end $$;
"""
_WATCH = """
create trigger stamps before insert or update on {table} for each row execute function stamped();
create trigger logs after insert or update or delete on {table} for each row execute function logged();
"""


@dataclass(frozen=True, slots=True)
class Tables:
    """One system's database, as the people see it who work in it."""

    url: str
    engine: sa.Engine

    def run(self, statement: str, rows: Any = None) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), rows)

    def rows(self, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(statement), values).mappings()]

    def one(self, statement: str, **values: Any) -> Any:
        """The only value of the only row."""
        (row,) = self.rows(statement, **values)
        (value,) = row.values()
        return value

    def watch(self, *tables: str) -> None:
        for table in tables:
            self.run(_WATCH.format(table=table))

    def written(self) -> int:
        """How many rows were ever made, changed or removed."""
        return int(self.one("select count(*) from log"))


@contextmanager
def tables(*statements: str) -> Iterator[Tables]:
    """A new database with these tables and a log."""
    with fresh_database() as url:
        engine = sa.create_engine(url)
        made = Tables(url, engine)
        try:
            for statement in (_LOG, *statements):
                made.run(statement)
            yield made
        finally:
            engine.dispose()


def batches(rows: Iterable[dict[str, Any]], size: int = 1000) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
