"""How statements reach the database: one small seam, two dialects behind it.

Statements are written once, in the common part of both SQL dialects, with `?` for parameters and
`in ints(?)` / `in texts(?)` for a list that is one parameter. Bulk work goes through `insert`, `upsert`
and `update`, which each dialect does in its cheapest way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]


class Tx(Protocol):
    """One open transaction. Everything in it happens, or nothing."""

    lock: str  # what a select ends with to keep its rows until the end; empty where nobody else writes
    share: str  # the same for rows that may be read by others meanwhile

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        ...

    def row(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query."""
        ...

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; how many rows it touched."""
        ...

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert many rows."""
        ...

    def insert_new(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        """Insert the rows that break no uniqueness, leave out the others; how many were inserted."""
        ...

    def upsert(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows, or set `columns` where `keys` exist. A row holds keys, then columns; keys differ."""
        ...

    def update(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Set `columns` of the rows with these keys. A row holds keys, then columns; keys differ."""
        ...

    def allocate(self, table: str, count: int) -> list[int]:
        """Ids that no row of this table ever had and nobody else gets."""
        ...

    def hold(self, names: Sequence[str]) -> None:
        """Wait for these named locks and keep them until the end of the transaction."""
        ...


class Database(Protocol):
    """Runs verbs: each call is one transaction, repeated as a whole where the database asks for that."""

    def read(self, verb: Callable[[Tx], T]) -> T:
        """One consistent view; writes nothing."""
        ...

    def write(self, verb: Callable[[Tx], T]) -> T:
        """Commits at the end, or leaves no trace. Raises Transient when the database stays busy."""
        ...

    def tidy(self) -> Sequence[str]:
        """Give back the room of the queues that were worked off, where the database does not at once; of
        those that could not be, why."""
        ...

    def close(self) -> None: ...


def marks(count: int) -> str:
    return ",".join("?" * count)


def settings(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in columns)
