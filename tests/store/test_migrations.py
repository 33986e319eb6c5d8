"""The schema comes up from any earlier step, with its data, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from io import StringIO
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url

from tests.live.postgres_server import fresh_database
from trueup.errors import ConfigError
from trueup.model.entity import Agreed
from trueup.store.migrate import SCRIPTS, migrate, take_back
from trueup.store.open import open_store
from trueup.store.tables import metadata


def steps() -> list[Script]:
    """The migrations, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return list(ScriptDirectory.from_config(config).walk_revisions())[::-1]


FIRST_STEP = steps()[0].revision


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
    migrate(url, FIRST_STEP)
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
    take_back(url, FIRST_STEP)
    found = rows(engine, "select link_id, observed, base, agreed, assumed from link_docs order by link_id")
    assert found == [(1, '{"a":2}', '{"a":1}', '{"a":[1,1,0]}', None), (2, '{"a":3}', None, None, None)]


def test_a_migration_that_fails_leaves_everything_as_it_was(url: str, engine: Engine) -> None:
    first(url, engine)
    with engine.begin() as connection:
        connection.execute(text("create table link_notes (x integer)"))
    with pytest.raises(Exception, match="link_notes"):
        migrate(url)
    assert rows(engine, "select version_num from alembic_version") == [(FIRST_STEP,)]
    assert rows(engine, "select count(*) from link_docs where base is not null") == [(1,)]


def test_the_newest_schema_is_left_alone(url: str) -> None:
    migrate(url)
    migrate(url)
    open_store(url).close()


def made_by(step: Script) -> str:
    """A fingerprint of all statements of a migration, on both databases."""
    said = StringIO()
    for dialect in ("sqlite", "postgresql"):
        context = MigrationContext.configure(
            dialect_name=dialect, opts={"as_sql": True, "output_buffer": said}
        )
        with Operations.context(context):
            step.module.upgrade()
    return blake2b(said.getvalue().encode(), digest_size=4).hexdigest()


@pytest.mark.parametrize("step", steps(), ids=lambda one: one.revision)
def test_a_migration_that_makes_something_else_than_before_has_another_name(step: Script) -> None:
    name = f"{step.revision.partition('_')[0]}_{made_by(step)}"
    assert step.revision == name, (
        f"what {step.path} makes was changed in place: a database that was made before would be opened, and"
        " fail. After a release, write a new migration instead. Before, name this one"
        f" {name} (its `revision`, and the `down_revision` of the next)"
    )


@pytest.mark.parametrize("name", ["0001", "0002", "0002_00000000", "other"])
def test_a_database_of_an_unknown_schema_is_refused_and_left_as_it_is(
    url: str, engine: Engine, name: str
) -> None:
    first(url, engine)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = :name"), {"name": name})
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    (problem,) = caught.value.problems
    assert "was made by another version of trueup" in problem.message
    assert f"schema {name}," in problem.message
    assert "move the file" in problem.remedy
    assert rows(engine, "select version_num from alembic_version") == [(name,)]
    assert rows(engine, "select count(*) from link_docs where base is not null") == [(1,)]


@pytest.mark.server
def test_the_password_of_the_database_is_not_told_with_it() -> None:
    with fresh_database() as url:
        migrate(url)
        spoken = make_url(url).set(password="hush-hush")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("update alembic_version set version_num = 'other'"))
        engine.dispose()
        with pytest.raises(ConfigError) as caught:
            migrate(spoken.render_as_string(hide_password=False))
        assert "hush" not in str(caught.value)
