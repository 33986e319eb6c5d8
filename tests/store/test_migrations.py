"""The schema comes up from any earlier step, with its data, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from trueup.model.entity import Agreed
from trueup.store.migrate import migrate, take_back
from trueup.store.open import open_store
from trueup.store.tables import metadata


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_knows(url: str, engine: Engine) -> None:
    migrate(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert compare_metadata(context, metadata) == []


def test_every_index_of_the_tables_is_there(url: str, engine: Engine) -> None:
    migrate(url)
    there = {index["name"] for table in metadata.tables for index in inspect(engine).get_indexes(table)}
    wanted = {index.name for table in metadata.tables.values() for index in table.indexes}
    assert wanted <= there


FIRST = (
    "insert into connections (id, name) values (1, 'sales')",
    "insert into streams (id, connection_id, object) values (1, 1, 'contacts')",
    "insert into links (id, stream_id, remote_id, kind, state) values (1, 1, '7', 'contact', 'live')",
    "insert into links (id, stream_id, remote_id, kind, state) values (2, 1, '8', 'contact', 'live')",
    "insert into link_docs (link_id, observed, base, agreed)"
    """ values (1, '{"a":2}', '{"a":1}', '{"a":[1,1,0]}')""",
    """insert into link_docs (link_id, observed) values (2, '{"a":3}')""",
)


def first(url: str, engine: Engine) -> None:
    """A database as the first schema held it."""
    migrate(url, "0001")
    with engine.begin() as connection:
        for statement in FIRST:
            connection.execute(text(statement.replace(":", r"\:")))


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_what_was_remembered_beside_documents_is_split_off_and_kept(url: str, engine: Engine) -> None:
    first(url, engine)
    store = open_store(url)
    links = store.known("sales", "contacts", ["7", "8"])
    store.close()
    assert (links["7"].observed, links["7"].base, links["7"].agreed) == (
        {"a": 2},
        {"a": 1},
        {"a": Agreed(1, 1)},
    )
    assert (links["8"].observed, links["8"].base, links["8"].agreed) == ({"a": 3}, {}, {})
    assert rows(engine, "select link_id from link_notes") == [(1,)]


def test_a_step_can_be_taken_back_with_its_data(url: str, engine: Engine) -> None:
    first(url, engine)
    migrate(url)
    take_back(url, "0001")
    found = rows(engine, "select link_id, observed, base, agreed, assumed from link_docs order by link_id")
    assert found == [(1, '{"a":2}', '{"a":1}', '{"a":[1,1,0]}', None), (2, '{"a":3}', None, None, None)]


def test_a_migration_that_fails_leaves_everything_as_it_was(url: str, engine: Engine) -> None:
    first(url, engine)
    with engine.begin() as connection:
        connection.execute(text("create table link_notes (x integer)"))
    with pytest.raises(Exception, match="link_notes"):
        migrate(url)
    assert rows(engine, "select version_num from alembic_version") == [("0001",)]
    assert rows(engine, "select count(*) from link_docs where base is not null") == [(1,)]


def test_the_newest_schema_is_left_alone(url: str) -> None:
    migrate(url)
    migrate(url)
    open_store(url).close()
