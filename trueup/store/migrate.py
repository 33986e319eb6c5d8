"""Bring a database to the newest schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, pool, text
from sqlalchemy.engine import make_url

from trueup.errors import ConfigError, Problem

SCRIPTS = Path(__file__).parent / "migrations"
NEWEST = "head"
LOCK = 7_263_184_550_912
"""Any number; whoever migrates PostgreSQL holds it, so that two starting workers do it once."""


def migrate(url: str, to: str = NEWEST) -> None:
    """Upgrade (or create) the schema, all steps in one transaction. Nothing happens where it is newest.

    Raises ConfigError, and changes nothing, where the schema is none that this version knows: the name of a
    step holds a fingerprint of what it makes, so one that was changed has another name.
    """
    with _connected(url) as connection:
        found = set(MigrationContext.configure(connection).get_current_heads())
        _refuse_unknown(found, url)
        if to != NEWEST or found != {_steps()[0]}:
            command.upgrade(_config(connection), to)


@cache
def _steps() -> tuple[str, ...]:
    """The names of all steps, the newest first."""
    scripts = ScriptDirectory(str(SCRIPTS))
    return tuple(step.revision for step in scripts.walk_revisions())


def _refuse_unknown(found: AbstractSet[str], url: str) -> None:
    strange = sorted(found - set(_steps()))
    if strange:
        where = make_url(url).render_as_string(hide_password=True)
        what = f"the hub's database {where} was made by another version of trueup"
        told = f"{what}: it says schema {', '.join(strange)}, which this version does not know"
        raise ConfigError([Problem("hub.yaml", 0, 0, told, code="TU-STO-021", remedy=_OTHER_VERSION)])


_OTHER_VERSION = (
    "open it with the version that made it; nothing in it was changed. To go on with this version, keep it"
    " aside (move the file, or name another one under `database:`) and run `trueup plan`: the systems are"
    " read anew"
)


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
    raw.deserialize(empty())


@cache
def empty() -> bytes:
    """The image of an empty database of the newest schema, as a file of it would be."""
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
