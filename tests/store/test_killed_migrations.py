"""A migration that fails, or whose process or server is killed, at any moment: opened again it is whole.

The moments are before and after each statement, and before the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event, text

from tests.live.postgres_server import fresh_database
from tests.store.test_migrations import FIRST_STEP, first, rows, steps
from trueup.store.migrate import migrate
from trueup.store.open import open_store
from trueup.store.tables import metadata

Struck = Callable[[Connection], None]
STRIDE = 7
NEWEST = steps()[-1].revision
STARTS = pytest.mark.parametrize("start", [None, FIRST_STEP], ids=["an empty database", "the first schema"])


@contextmanager
def at_each_moment(told: Callable[[int, Connection], None]) -> Iterator[list[str]]:
    """`told` hears the number of each moment; what they were is the answer."""
    moments: list[str] = []

    def moment(connection: Connection, what: str) -> None:
        moments.append(what)
        told(len(moments), connection)

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": lambda at, cursor, statement, *rest: moment(at, f"before {statement}"),
        "after_cursor_execute": lambda at, cursor, statement, *rest: moment(at, f"after {statement}"),
        "commit": lambda at: moment(at, "before the commit"),
    }
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    try:
        yield moments
    finally:
        for name, listener in listeners.items():
            event.remove(Engine, name, listener)


def begun(url: str, engine: Engine, start: str | None) -> None:
    if start is not None:
        first(url, engine)


def at(engine: Engine, start: str | None) -> bool:
    """Whether the database stands where it stood: nothing is there, or the first schema with its data."""
    if start is None:
        with engine.connect() as connection:
            return not MigrationContext.configure(connection).get_current_heads()
    held = rows(engine, "select count(*) from link_docs where base is not null")
    return (rows(engine, "select version_num from alembic_version"), held) == ([(start,)], [(1,)])


def assert_whole(url: str, engine: Engine, start: str | None) -> None:
    """Opened, it has the newest schema, all that it held, and can be worked with."""
    store = open_store(url)
    try:
        store.register(["sales", "shop"], "v1")
        links = store.known("sales", "contacts", ["7", "8"])
        assert [(id, one.observed, one.base) for id, one in sorted(links.items())] == (
            [("7", {"a": 2}, {"a": 1}), ("8", {"a": 3}, {})] if start is not None else []
        )
    finally:
        store.close()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert context.get_current_heads() == (NEWEST,)
        assert compare_metadata(context, metadata) == []


class DiskFull(Exception):
    """What a database says that can go no further."""


def fails(connection: Connection) -> None:
    raise DiskFull


def struck_everywhere(url: str, engine: Engine, start: str | None, how: Struck) -> int:
    """Strike once at each moment of a migration, until it goes through; how many there are. Of the many
    moments in which a database is made from nothing it takes every `STRIDE`th."""
    for number in range(1, 10_000, 1 if start is not None else STRIDE):

        def strikes(moment: int, connection: Connection, number: int = number) -> None:
            if moment == number:
                how(connection)

        with at_each_moment(strikes) as moments:
            try:
                migrate(url)
            except Exception:
                assert len(moments) >= number, "it failed by itself"
            else:
                assert len(moments) < number, f"it took no notice of what happened {moments[number - 1]}"
                return len(moments)
        assert at(engine, start), f"struck {moments[number - 1]}"
    raise AssertionError("it never came to its end")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


@STARTS
def test_a_migration_that_fails_at_any_moment_changed_nothing_and_the_next_one_is_whole(
    url: str, engine: Engine, start: str | None
) -> None:
    begun(url, engine, start)
    assert struck_everywhere(url, engine, start, fails) >= 20
    assert_whole(url, engine, start)


@pytest.mark.server
@STARTS
def test_a_migration_whose_connection_is_killed_at_any_moment_changed_nothing(start: str | None) -> None:
    """The server ends the session where it stands, as it does when the process at its other end is gone."""
    with fresh_database() as url:
        engine, executioner = create_engine(url), create_engine(url)

        def killed(connection: Connection) -> None:
            driver: Any = connection.connection.dbapi_connection
            with executioner.connect() as other:
                kill = text("select pg_terminate_backend(:session, 5000)")
                assert other.scalar(kill, {"session": driver.info.backend_pid})

        begun(url, engine, start)
        assert struck_everywhere(url, engine, start, killed) >= 20
        assert_whole(url, engine, start)
        engine.dispose()
        executioner.dispose()


@STARTS
def test_a_file_whose_process_is_killed_at_any_moment_is_whole_when_it_is_opened_again(
    tmp_path: Path, start: str | None
) -> None:
    """What a killed process leaves is what its files hold at that moment: they are put aside and opened."""
    file = tmp_path / "hub.db"
    url = f"sqlite:///{file}"
    engine = create_engine(url)
    begun(url, engine, start)
    engine.dispose()
    left: dict[tuple[tuple[str, bytes], ...], int] = {}

    def put_aside(moment: int, connection: Connection | None) -> None:
        found = tuple((one.name, one.read_bytes()) for one in sorted(tmp_path.glob("hub.db*")))
        left.setdefault(found, moment)

    with at_each_moment(put_aside) as moments:
        migrate(url)
    put_aside(len(moments) + 1, None)
    assert len(moments) >= 20
    for files, moment in left.items():
        folder = tmp_path / str(moment)
        folder.mkdir()
        for name, held in files:
            (folder / name).write_bytes(held)
        again = create_engine(f"sqlite:///{folder / file.name}")
        assert_whole(str(again.url), again, start)
        again.dispose()
