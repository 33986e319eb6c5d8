"""SQLite: WAL, one write connection per process that begins IMMEDIATE, readers beside it.

A transaction that reads first and writes later cannot be upgraded when somebody else wrote in between
(SQLITE_BUSY_SNAPSHOT, which no timeout helps against), so a writer takes the write lock at its start.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from trueup.errors import Broken, Transient
from trueup.model.jsontext import dumps
from trueup.store.sql import Row, T, Tx, marks, settings

BUSY_SECONDS = 30.0
_PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma synchronous = normal",
    "pragma foreign_keys = on",
    "pragma temp_store = memory",
    "pragma wal_autocheckpoint = 4000",  # pages; fewer times is cheaper for pages that are written often
    "pragma cache_size = -16000",
)


class SqliteDatabase:
    """A file, or memory (`:memory:`), where readers and the writer share the one connection."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._writer = self._connect()
        self._shared = path == ":memory:"
        self._idle: list[sqlite3.Connection] = []
        self._open: list[sqlite3.Connection] = [self._writer]

    def read(self, verb: Callable[[Tx], T]) -> T:
        if self._shared:
            return self.write(verb)
        connection = self._reader()
        try:
            return _transaction(connection, "begin", verb)
        finally:
            with self._reading:
                self._idle.append(connection)

    def write(self, verb: Callable[[Tx], T]) -> T:
        with self._writing:
            return _transaction(self._writer, "begin immediate", verb)

    def prepare(self, step: Callable[[sqlite3.Connection], None]) -> None:
        """Hand the writer to somebody who ends his own transactions (the migrations of a memory)."""
        with self._writing:
            step(self._writer)

    def tidy(self) -> list[str]:
        """Nothing to do: pages of deleted rows are used again at once."""
        return []

    def close(self) -> None:
        with self._writing, self._reading:
            for connection in self._open:
                connection.close()
            self._open.clear()
            self._idle.clear()

    def _reader(self) -> sqlite3.Connection:
        """One that nobody reads with, for as long as a reading takes."""
        with self._reading:
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("pragma query_only = on")
        with self._reading:
            self._open.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection


def _transaction(connection: sqlite3.Connection, begin: str, verb: Callable[[Tx], T]) -> T:
    try:
        connection.execute(begin)
        try:
            answer = verb(SqliteTx(connection))
        except BaseException:
            connection.rollback()
            raise
        connection.execute("commit")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.rollback()
        raise _kind_of(error) from error
    return answer


def _kind_of(error: sqlite3.Error) -> Exception:
    """Busy, full or unreadable disks may be better later; the rest is a fault of ours."""
    busy = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if busy in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return Transient(f"the database cannot write now: {error}", code="TU-STO-010")
    return Broken(f"the database refused a statement: {error}")


class SqliteTx:
    """A transaction on one SQLite connection."""

    lock = ""
    share = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return self._execute(_sqlite(sql), _plain(values)).fetchall()

    def row(self, sql: str, *values: Any) -> Row | None:
        found: Row | None = self._execute(_sqlite(sql), _plain(values)).fetchone()
        return found

    def run(self, sql: str, *values: Any) -> int:
        return self._execute(_sqlite(sql), _plain(values)).rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        if rows:
            self._connection.executemany(_insert(table, tuple(columns)), rows)

    def insert_new(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        statement = _insert(table, tuple(columns)) + " on conflict do nothing"
        return self._connection.executemany(statement, rows).rowcount

    def upsert(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        if rows:
            self._connection.executemany(_upsert(table, tuple(keys), tuple(columns)), rows)

    def update(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        if rows:
            self._connection.executemany(_update(table, tuple(keys), tuple(columns)), rows)

    def allocate(self, table: str, count: int) -> list[int]:
        if not count:
            return []
        ahead = "update sqlite_sequence set seq = seq + ? where name = ? returning seq"
        found = self._execute(ahead, (count, table)).fetchone()
        if found is None:
            self._execute("insert into sqlite_sequence (name, seq) values (?, ?)", (table, count))
            found = (count,)
        return list(range(found[0] - count + 1, found[0] + 1))

    def hold(self, names: Sequence[str]) -> None:
        """The transaction is the only writer already."""


def _plain(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for value in values:
        if value.__class__ is list:
            return tuple(dumps(one) if one.__class__ is list else one for one in values)
    return values


@cache
def _sqlite(sql: str) -> str:
    return re.sub(r"\b(ints|texts)\(\?\)", "(select value from json_each(?))", sql)


@cache
def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"insert into {table} ({', '.join(columns)}) values ({marks(len(columns))})"


@cache
def _upsert(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    action = f"update set {settings(columns)}" if columns else "nothing"
    return f"{_insert(table, keys + columns)} on conflict ({', '.join(keys)}) do {action}"


@cache
def _update(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    """Numbered parameters, because a row holds its keys first."""
    shift = len(keys)
    sets = ", ".join(f"{column} = ?{shift + place + 1}" for place, column in enumerate(columns))
    where = " and ".join(f"{key} = ?{place + 1}" for place, key in enumerate(keys))
    return f"update {table} set {sets} where {where}"
