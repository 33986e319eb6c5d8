"""The connector for databases: tables and views as objects, rows as records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection

from trueup.connectors.base import GoneItem, ObjectSpec, Outcome, WebhookRequest, WriteItem
from trueup.connectors.columns import require_columns
from trueup.connectors.settings import ConnectionSettings
from trueup.connectors.sql import reading, writing
from trueup.connectors.sql.database import IMMEDIATE, open_database, require_file
from trueup.connectors.sql.faults import failure, lost_commit
from trueup.connectors.sql.reading import Table
from trueup.connectors.sql.settings import OBJECT_OPTIONS, SIGN_IN, object_spec, table_settings
from trueup.connectors.sql.shape import field_specs, look
from trueup.connectors.sql.stamps import stamp_of
from trueup.errors import ConfigError, NotFound, Problem, Refused, Unauthorized
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record
from trueup.ports import Budget, Clock

__all__ = ["OBJECT_OPTIONS", "SIGN_IN", "SqlConnector", "connect"]

T = TypeVar("T")


def connect(
    settings: ConnectionSettings, transport: httpx.BaseTransport | None, clock: Clock, budget: Budget
) -> SqlConnector:
    """The connector for `auth: {kind: url, url: …}`. ConfigError without a URL or without a key column.

    A database is spoken to over its driver, not over HTTP, and has no rate limit to share: `transport`
    and `budget` are not used, and time is the database's own.
    """
    url = settings.auth.get("url", "")
    if not url:
        file = f"connections/{settings.name}.yaml"
        raise ConfigError([Problem(file, 0, 0, "`url` is missing", hint="auth: {kind: url, url: ...}")])
    return SqlConnector(settings.name, url, settings.objects, settings.time_zone, settings.folder)


class SqlConnector:
    """One database. The objects are the tables that the connection's configuration names.

    `url` is a SQLAlchemy URL; `postgresql://` means the driver psycopg. Date-times without a zone are
    taken to be in `time_zone`. Columns that hold bytes are not read. A relative path of a SQLite file leads
    from `folder`.
    """

    def __init__(
        self,
        name: str,
        url: str,
        objects: Mapping[str, Mapping[str, Any]],
        time_zone: str = "UTC",
        folder: Path = Path(),
    ) -> None:
        self.name = name
        self._tables = {object: table_settings(object, said) for object, said in objects.items()}
        self._specs = {object: object_spec(settings) for object, settings in self._tables.items()}
        self._zone = ZoneInfo(time_zone)
        self._engine = open_database(url, name, folder)
        self._shapes: dict[str, Table] = {}

    def objects(self) -> Mapping[str, ObjectSpec]:
        return self._specs

    def whoami(self) -> str:
        """The kind of database, its version and its name (for SQLite the file's name, without folder)."""

        def ask(connection: Connection) -> str:
            connection.execute(sa.select(1))
            version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
            base = (self._engine.url.database or "memory").replace("\\", "/").rsplit("/", 1)[-1]
            user = f" as {self._engine.url.username}" if self._engine.url.username else ""
            return f"{connection.dialect.name} {version}, database {base}{user}"

        return self._reading("whoami", ask)

    def fields(self, object: str) -> Sequence[FieldSpec]:
        self._shapes.pop(object, None)  # asked for live metadata: look again
        return self._reading(
            f"fields {object}",
            lambda connection: field_specs(self._table(connection, object).shape, self._tables),
        )

    def pull(self, object: str, reading_: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        """One page. Refused without a column that is wanted."""
        page = reading.listing if reading_ is Reading.LISTING else reading.changes

        def ask(connection: Connection) -> Page:
            table = self._table(connection, object)
            require_columns(f"`{table.shape.settings.table}`", fields, list(table.shape.columns))
            return page(connection, table, fields, cursor)

        return self._reading(f"pull {object}", ask)

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        def ask(connection: Connection) -> list[Record | GoneItem]:
            found = reading.by_ids(connection, self._table(connection, object), ids, fields)
            return [found.get(id) or GoneItem() for id in ids]

        return self._reading(f"read {object}", ask)

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        def ask(connection: Connection) -> list[Record]:
            table = self._table(connection, object)
            if key not in table.shape.columns:
                raise Refused(f"`{object}` has no column `{key}`", fields={key: "there is no such column"})
            return reading.by_values(connection, table, key, values, fields)

        return self._reading(f"find {object}", ask)

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        """One transaction; what one row cannot do does not touch the others."""
        operation = f"write {object}"
        try:
            with self._connected() as connection:
                connection = connection.execution_options(**IMMEDIATE)
                transaction = connection.begin()
                outcomes = writing.write_batch(connection, self._table(connection, object), items, fields)
                self._commit(connection, transaction, operation)
                return outcomes
        except exc.SQLAlchemyError as error:
            self._shapes.pop(object, None)
            raise failure(error, self.name, operation) from None
        except writing.RowLost:
            raise Refused("a row that was written cannot be read back", connection=self.name,
                          operation=operation) from None  # fmt: skip

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        raise Refused("a database has no remote jobs", connection=self.name)

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        raise Unauthorized("a database sends no webhooks", connection=self.name)

    def close(self) -> None:
        self._engine.dispose()

    def _reading(self, operation: str, ask: Callable[[Connection], T]) -> T:
        try:
            with self._connected() as connection:
                return ask(connection)
        except Refused:
            self._shapes.clear()  # what is missing may be put back
            raise
        except exc.SQLAlchemyError as error:
            self._shapes.clear()
            raise failure(error, self.name, operation) from None

    def _connected(self) -> Connection:
        require_file(self._engine, self.name)
        return self._engine.connect()

    def _commit(self, connection: Connection, transaction: sa.Transaction, operation: str) -> None:
        try:
            transaction.commit()
        except exc.DBAPIError as error:
            if error.connection_invalidated:
                raise lost_commit(self.name, operation) from None
            raise

    def _table(self, connection: Connection, object: str) -> Table:
        """The table behind an object; looked up once, and again after a database error."""
        if object not in self._tables:
            raise NotFound(f"connection `{self.name}` has no object `{object}`")
        if object not in self._shapes:
            shape = look(connection, self._tables[object])
            self._shapes[object] = Table(shape, stamp_of(shape, self._zone), self._zone)
        return self._shapes[object]
