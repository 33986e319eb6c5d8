"""PostgreSQL by psycopg 3: read committed, rows locked in id order, bulk work by COPY."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import Dialect, Engine, create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import TypeEngine

from trueup.errors import Broken, Transient, TrueupError
from trueup.store import tables
from trueup.store.sql import Row, T, Tx, settings

TRIES = 8
"""A verb that met a deadlock is repeated as a whole; each time one of the parties gets through."""

_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

_WORKED_OFF = " union all ".join(
    f"select '{queue}' where pg_total_relation_size('{queue}') > 262144"
    f" and (select count(*) from (select 1 from {queue} limit 101) as few) <= 100"
    for queue in ("due", "delivery_docs")
)
"""Queues of a quarter of a megabyte and more in which hardly anything stands. (The server's own counts of
dead rows come late.)"""

_AGAIN = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)


def psycopg_url(url: str) -> str:
    """The same URL, naming the driver that is used."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


class PostgresDatabase:
    """A pool of connections; each verb takes one."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)

    def read(self, verb: Callable[[Tx], T]) -> T:
        return self._run(verb, "repeatable read read only")

    def write(self, verb: Callable[[Tx], T]) -> T:
        for _ in range(TRIES - 1):
            try:
                return self._run(verb, "read committed")
            except _AGAIN:
                continue
        try:
            return self._run(verb, "read committed")
        except errors.UniqueViolation as error:
            raise Broken(f"the database refused a row: {_said(error)}") from error
        except _AGAIN as error:
            raise Transient(f"the database is too busy: {_said(error)}", code="TU-STO-010") from error

    def tidy(self) -> list[str]:
        """Write the queues anew that a run filled and emptied.

        Somebody who works at them goes first, a role that does not own them may not, the disk may be full:
        whatever it is, it is told. The queues are as good as before, only longer, and the run is over.
        """
        told: list[str] = []
        try:
            with self._connected() as connection:
                self._written_anew(connection, told)
        except (TrueupError, psycopg.Error) as error:
            told.append(str(error).partition("\n")[0])
        return [f"the hub's database: a queue was not written anew ({why})" for why in told]

    def _written_anew(self, connection: Any, told: list[str]) -> None:
        warned = partial(_warned, told)
        connection.add_notice_handler(warned)
        try:
            for (name,) in connection.execute(_WORKED_OFF).fetchall():
                connection.execute(f"vacuum (full, skip_locked) {name}")
        finally:
            connection.remove_notice_handler(warned)

    def close(self) -> None:
        self._engine.dispose()

    def _run(self, verb: Callable[[Tx], T], isolation: str) -> T:
        with self._connected() as connection:
            connection.execute(f"begin isolation level {isolation}")
            try:
                answer = verb(PostgresTx(connection))
            except BaseException:
                _undo(connection)
                raise
            connection.execute("commit")
            return answer

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A connection of the driver's; what the server refuses is raised by what happens next."""
        try:
            pooled = self._engine.raw_connection()
        except OperationalError as error:
            raise Transient(f"the database cannot be reached: {error.orig}", code="TU-STO-011") from error
        connection: Any = pooled.driver_connection
        try:
            yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if isinstance(error, _AGAIN):
                raise
            if connection.broken:
                pooled.invalidate(error)
            raise Transient(f"the database does not answer: {_said(error)}", code="TU-STO-010") from error
        except psycopg.Error as error:
            if isinstance(error, _AGAIN):
                raise
            raise Broken(f"the database refused a statement: {_said(error)}") from error
        finally:
            pooled.close()


def _warned(told: list[str], notice: Any) -> None:
    if notice.severity_nonlocalized == "WARNING":
        told.append(str(notice.message_primary))


def _said(error: psycopg.Error) -> str:
    """What the server says in one sentence: its details name the row's values, which are people's."""
    return error.diag.message_primary or str(error).partition("\n")[0]


def _undo(connection: Any) -> None:
    if not connection.broken:
        connection.execute("rollback")


def _engine(url: str) -> Engine:
    """Autocommit, because verbs begin and end their transactions themselves."""
    return create_engine(url, isolation_level="AUTOCOMMIT", pool_size=5, max_overflow=20, pool_pre_ping=True)


class PostgresTx:
    """A transaction on one PostgreSQL connection."""

    lock = " for no key update"
    share = " for share"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, *values: Any) -> list[Row]:
        found: list[Row] = self._connection.execute(_postgres(sql), _plain(values)).fetchall()
        return found

    def row(self, sql: str, *values: Any) -> Row | None:
        found: Row | None = self._connection.execute(_postgres(sql), _plain(values)).fetchone()
        return found

    def run(self, sql: str, *values: Any) -> int:
        count: int = self._connection.execute(_postgres(sql), _plain(values)).rowcount
        return count

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        if rows:
            self._copy(table, columns, rows)

    def insert_new(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        return self._bulk(_insert_new, table, columns, (), rows) if rows else 0

    def upsert(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        if rows:
            self._bulk(_upsert, table, keys, columns, rows)

    def update(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        if rows:
            self._bulk(_update, table, keys, columns, rows)

    def allocate(self, table: str, count: int) -> list[int]:
        if not count:
            return []
        column = "mark" if table == "due" else "id"
        found = self.rows(
            "select nextval(s) from (select pg_get_serial_sequence(?, ?)::regclass as s offset 0) as its,"
            " generate_series(1, ?::int)",
            table,
            column,
            count,
        )
        return sorted(id for (id,) in found)

    def hold(self, names: Sequence[str]) -> None:
        """Advisory locks, taken in one order by everybody; two names may rarely share one."""
        numbers = sorted({_number(name) for name in names})
        if numbers:
            self.run(
                "select pg_advisory_xact_lock(n) from"
                " (select n from unnest(?::bigint[]) with ordinality as u (n, place) order by place) as s",
                numbers,
            )

    def _bulk(
        self,
        statement: Callable[[str, tuple[str, ...], tuple[str, ...]], str],
        table: str,
        keys: Sequence[str],
        columns: Sequence[str],
        rows: Sequence[Row],
    ) -> int:
        """One statement for all rows: a parameter per column, each an array."""
        arrays = [_array(column) for column in zip(*rows, strict=True)]
        count: int = self._connection.execute(statement(table, tuple(keys), tuple(columns)), arrays).rowcount
        return count

    def _copy(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy,
        ):
            for row in rows:
                copy.write_row(row)


def _plain(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Lists as array literals: written here in one go, not element by element."""
    for value in values:
        if value.__class__ is list:
            return tuple(_array(one) if one.__class__ is list else one for one in values)
    return values


def _array(elements: Sequence[Any]) -> str:
    """An array literal of whole numbers, texts, bytes and nulls."""
    return "{" + ",".join([str(one) if one.__class__ is int else _element(one) for one in elements]) + "}"


def _element(one: Any) -> str:
    if one is None:
        return "null"
    if one.__class__ is bytes:
        return f'"\\\\x{one.hex()}"'
    return '"' + str(one).replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _postgres(sql: str) -> str:
    sql = re.sub(r"\bnot in ints\(\?\)", "<> all(?::bigint[])", sql)
    sql = re.sub(r"\bin ints\(\?\)", "= any(?::bigint[])", sql)
    sql = re.sub(r"\bin texts\(\?\)", "= any(?::text[])", sql)
    return sql.replace("?", "%s")


@cache
def _insert_new(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    names = ", ".join(keys)
    given = f"select {names} from {_given(table, keys)} order by {names}"
    return f"insert into {table} ({names}) {given} on conflict do nothing"


@cache
def _upsert(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    names, order = ", ".join((*keys, *columns)), ", ".join(keys)
    action = f"update set {settings(columns)}" if columns else "nothing"
    given = f"select {names} from {_given(table, keys + columns)} order by {order}"
    return f"insert into {table} ({names}) {given} on conflict ({order}) do {action}"


@cache
def _update(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    sets = ", ".join(f"{column} = s.{column}" for column in columns)
    where = " and ".join(f"t.{key} = s.{key}" for key in keys)
    return f"update {table} t set {sets} from {_given(table, keys + columns)} where {where}"


def _given(table: str, columns: tuple[str, ...]) -> str:
    """The rows of a call, as a table `s`. (A temporary table costs twice as much for some hundred rows.)"""
    own = tables.metadata.tables[table].c
    arrays = ", ".join(f"%s::{_type(own[column].type)}[]" for column in columns)
    return f"unnest({arrays}) as s ({', '.join(columns)})"


def _type(type: TypeEngine[Any]) -> str:
    return type.compile(_DIALECT).partition(" COLLATE")[0]


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
