"""Opening a database: drivers by name, and what SQLite needs to keep its promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, Engine, make_url

from trueup.connectors.sql.loaders import read_beyond
from trueup.errors import Unauthorized

IMMEDIATE = {"trueup_begin": "BEGIN IMMEDIATE"}
_TIMEOUTS = """
select set_config(name, case name when 'lock_timeout' then '30000' else '300000' end, false)
from pg_settings where name in ('lock_timeout', 'statement_timeout') and setting = '0'
"""
"""Milliseconds, where the server sets no limit itself: nothing here waits for ever."""
_PREFERRED = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}


def open_database(url: str, connection: str, folder: Path) -> Engine:
    """An engine for `url`; nothing is connected yet. The relative path of a SQLite file leads from `folder`.
    Unauthorized when the URL or its driver is no good."""
    try:
        parsed = _seen_from(folder, make_url(url))
        parsed = parsed.set(drivername=_PREFERRED.get(parsed.drivername, parsed.drivername))
        engine = sa.create_engine(parsed, hide_parameters=True, pool_pre_ping=True, **_options(parsed))
    except exc.ArgumentError:
        raise Unauthorized("the URL of the database is not one", connection=connection,
                           remedy="write it as postgresql://user:password@host/name or sqlite:///file",
                           ) from None  # fmt: skip
    except (ImportError, exc.NoSuchModuleError):
        raise Unauthorized("the driver of this database is not installed", connection=connection,
                           remedy="install it, for PostgreSQL: pip install 'trueup[postgres]'",
                           ) from None  # fmt: skip
    if parsed.get_backend_name() == "sqlite":
        _prepare_sqlite(engine)
    if parsed.get_backend_name() == "postgresql":
        _prepare_postgresql(engine)
    return engine


def require_file(engine: Engine, connection: str) -> None:
    """Unauthorized when the URL names a SQLite file that does not exist (SQLite would make an empty one)."""
    file = _file(engine.url)
    if file is not None and not file.is_file():
        raise Unauthorized(f"there is no file {file.name} at the path of the URL", connection=connection,
                           remedy="write the path as seen from the folder of hub.yaml (sqlite:///FILE), or"
                           " whole, with one `/` more (sqlite:////folder/FILE)",
                           )  # fmt: skip


def _seen_from(folder: Path, url: URL) -> URL:
    file = _file(url)
    return url if file is None else url.set(database=str(folder / file))


def _file(url: URL) -> Path | None:
    """The SQLite file that a URL names; None where it names another database, or none that is a file."""
    named = url.database
    if url.get_backend_name() != "sqlite" or not named or named.startswith((":memory:", "file:")):
        return None
    return Path(named)


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "postgresql":
        return {"connect_args": {"connect_timeout": 10, "tcp_user_timeout": 60_000}}
    return {}


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves: the driver would only at the first write
        raw.execute("PRAGMA foreign_keys = ON")
        raw.create_function("trueup_fold", 1, _fold, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("trueup_begin", "BEGIN"))


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        with raw.cursor() as cursor:
            cursor.execute(_TIMEOUTS)
        raw.commit()  # or they would be undone with the first transaction
        if engine.dialect.driver == "psycopg":
            read_beyond(raw)


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
