"""Dates and times of PostgreSQL that Python has none for: `infinity`, the years before 1 and after 9999.

The driver refuses the whole result in which one stands. Here it is read as the text that the server sent
(`Beyond`), so that it is a bad value of one field of one row.
"""

from __future__ import annotations

from typing import Any

from trueup.connectors.sql.values import Beyond

_TYPES = ("date", "timestamp", "timestamptz")


def read_beyond(connection: Any) -> None:
    """Teach a psycopg connection to read such values."""
    from psycopg.pq import Format

    for name in _TYPES:
        oid = connection.adapters.types[name].oid
        usual = connection.adapters.get_loader(oid, Format.TEXT)
        connection.adapters.register_loader(oid, _lenient(usual))


def _lenient(usual: Any) -> Any:
    """A loader like `usual`, which answers Beyond where that one raises."""
    from psycopg import DataError
    from psycopg.adapt import Loader

    class Lenient(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._usual = usual(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._usual(data)
            except DataError:
                return Beyond(bytes(data).decode())

    return Lenient
