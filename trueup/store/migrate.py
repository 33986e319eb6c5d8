"""Bring a database to the newest schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, pool, text
from sqlalchemy.engine import make_url

SCRIPTS = Path(__file__).parent / "migrations"
NEWEST = "head"
LOCK = 7_263_184_550_912
"""Any number; whoever migrates PostgreSQL holds it, so that two starting workers do it once."""


def migrate(url: str, to: str = NEWEST) -> None:
    """Upgrade (or create) the schema, all steps in one transaction. Nothing happens where it is newest."""
    with _connected(url) as connection:
        command.upgrade(_config(connection), to)


def take_back(url: str, to: str) -> None:
    """Go back to an older schema, in one transaction."""
    with _connected(url) as connection:
        command.downgrade(_config(connection), to)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    sqlite = make_url(url).get_backend_name() == "sqlite"
    engine = _sqlite(url) if sqlite else create_engine(url, poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            if not sqlite:
                connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": LOCK})
            yield connection
    finally:
        engine.dispose()


def fill(raw: sqlite3.Connection) -> None:
    """Give an empty database in memory the newest schema; migrated once per process, then copied."""
    raw.deserialize(_empty())


@cache
def _empty() -> bytes:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=pool.StaticPool)
    _begin_immediately(engine)
    with engine.begin() as connection:
        command.upgrade(_config(connection), NEWEST)
    image = raw.serialize()
    engine.dispose()
    return image


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _sqlite(url: str) -> Engine:
    """Autocommit for the driver, BEGIN by us: so that DDL is part of the transaction."""
    engine = create_engine(
        url, poolclass=pool.NullPool, connect_args={"isolation_level": None, "timeout": 60.0}
    )
    _begin_immediately(engine)
    return engine


def _begin_immediately(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql("begin immediate")
