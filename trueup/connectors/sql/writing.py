"""Records to rows: one batch is one transaction, every item in a savepoint of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection

from trueup.connectors.base import Done, GoneItem, Outcome, RefusedItem, StaleItem, WriteItem
from trueup.connectors.sql import reading, stamps
from trueup.connectors.sql.faults import refusal
from trueup.connectors.sql.reading import Row, Table
from trueup.connectors.sql.values import Unfit, inward
from trueup.model.delivery import WriteKind
from trueup.model.record import Json

Stored = dict[str, Any]
_SHARED = "several rows have this key"


def write_batch(
    connection: Connection, table: Table, items: Sequence[WriteItem], fields: Sequence[str]
) -> list[Outcome]:
    """Apply the items in order inside the caller's transaction; nothing of a refused item stays."""
    if table.shape.view:
        return [RefusedItem("a view cannot be written; name the table") for _ in items]
    if table.shape.dialect == "postgresql":
        # what is checked at the commit would refuse the whole batch: have each row answer for itself
        connection.execute(sa.text("set constraints all immediate"))
    return [_isolated(_Writing(connection, table, item, fields)) for item in items]


@dataclass(frozen=True, slots=True)
class _Writing:
    connection: Connection
    table: Table
    item: WriteItem
    fields: Sequence[str]


def _isolated(writing: _Writing) -> Outcome:
    stored = _stored(writing)
    if isinstance(stored, RefusedItem):
        return stored
    try:
        return _in_savepoint(writing, stored)
    except NotOneRow as error:
        key = writing.table.shape.settings.key
        return RefusedItem(str(error), {key: "does not lead to one row"})
    except exc.DBAPIError as error:
        refused = refusal(error, writing.table.shape, writing.item.values)
        if refused is None:
            raise
        if refused.code != "TU-REF-011":
            return refused
        return _taken(writing, stored, refused)


def _in_savepoint(writing: _Writing, stored: Stored) -> Outcome:
    with writing.connection.begin_nested() as savepoint:
        outcome = _apply(writing, stored)
        if isinstance(outcome, RefusedItem):
            savepoint.rollback()
    return outcome


def _apply(writing: _Writing, stored: Stored) -> Outcome:
    match writing.item.kind:
        case WriteKind.CREATE:
            return _create(writing, stored)
        case WriteKind.UPDATE | WriteKind.DEACTIVATE | WriteKind.REACTIVATE:
            return _change(writing, stored)
        case WriteKind.DELETE:
            return _delete(writing)
        case WriteKind.MERGE:
            return RefusedItem("a table has no way to merge rows")


# -- values -------------------------------------------------------------------------------------------


def _stored(writing: _Writing) -> Stored | RefusedItem:
    """The values as the columns take them, or what is wrong with which."""
    stored: Stored = {}
    wrong: dict[str, str] = {}
    for name, value in _asked(writing.item).items():
        column = writing.table.shape.columns.get(name)
        if column is None:
            wrong[name] = "there is no such column"
            continue
        try:
            kept = inward(column, value, writing.table.zone, writing.table.shape.dialect)
            stored[name] = sa.null() if kept is None else kept
        except Unfit as error:
            wrong[name] = str(error)
    if not wrong:
        return stored
    return RefusedItem("; ".join(f"`{name}` {why}" for name, why in wrong.items()), wrong)


def _asked(item: WriteItem) -> Mapping[str, Json]:
    """The item's values; a create that must not double carries its key even where the mapping does not."""
    return {item.upsert[0]: item.upsert[1], **item.values} if item.upsert else item.values


# -- create -------------------------------------------------------------------------------------------


def _create(writing: _Writing, stored: Stored) -> Outcome:
    if writing.item.upsert is not None:
        there = _upsert_target(writing, *writing.item.upsert)
        if there is not None:
            return there if isinstance(there, RefusedItem) else _update(writing, there, stored)
    key = _insert(writing, stored)
    if key is None:  # SQLite lets a text key be null
        name = writing.table.shape.settings.key
        return RefusedItem(f"`{name}` must be given: the database makes no key", {name: "must not be empty"})
    row = _touched(writing, _row(writing, key), None)
    return Done(row.record.id, row.record, created=True)


def _insert(writing: _Writing, stored: Stored) -> Any:
    """Insert and answer the key: given, returned, or counted up by the database."""
    table, settings = writing.table, writing.table.shape.settings
    insert = sa.insert(table.shape.clause).values(stored)
    if writing.connection.dialect.insert_returning:
        return writing.connection.execute(insert.returning(table.key)).scalar()
    result = writing.connection.execute(insert)
    return stored.get(settings.key, result.lastrowid)


def _upsert_target(writing: _Writing, name: str, value: Json) -> Row | RefusedItem | None:
    """The one row that has the key already. Creates with one key wait for each other (PostgreSQL: by an
    advisory lock; SQLite: there is one writer)."""
    table = writing.table
    if table.shape.dialect == "postgresql":
        text = f"{table.shape.settings.table}.{name}={str(value).casefold()}"
        writing.connection.execute(
            sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(text, 0)))
        )
    found = reading.by_values(writing.connection, table, name, [value], [])
    if len(found) > 1:
        return RefusedItem(f"{len(found)} rows have this `{name}`", {name: "is not unique"}, found[0].id)
    return _row_named(writing, found[0].id) if found else None


def _taken(writing: _Writing, stored: Stored, refused: RefusedItem) -> Outcome:
    """A unique column holds the value already: say in which row, or, for an upsert, update that row."""
    existing = _holder(writing, stored, tuple(refused.fields))
    upsert = writing.item.upsert
    if existing is not None and upsert is not None and upsert[0] in refused.fields:
        again = WriteItem(writing.item.key, WriteKind.UPDATE, existing, writing.item.values)
        return _isolated(_Writing(writing.connection, writing.table, again, writing.fields))
    return RefusedItem(refused.reason, refused.fields, existing, refused.code)


def _holder(writing: _Writing, stored: Stored, columns: tuple[str, ...]) -> str | None:
    if not columns or not all(name in stored for name in columns):
        return None
    same = [writing.table.shape.of(name) == stored[name] for name in columns]
    query = sa.select(writing.table.key).select_from(writing.table.shape.clause).where(*same).limit(1)
    key = writing.connection.execute(query).scalar()
    return None if key is None else str(key)


# -- change and delete --------------------------------------------------------------------------------


def _change(writing: _Writing, stored: Stored) -> Outcome:
    if not stored and writing.item.kind is not WriteKind.UPDATE:
        return RefusedItem(f"the configuration names no values that {writing.item.kind} a row")
    row = _addressed(writing)
    return _update(writing, row, stored) if isinstance(row, Row) else row


def _addressed(writing: _Writing) -> Row | GoneItem | StaleItem:
    """The row that the item means, locked, and in the version that the item expects."""
    row = _row_named(writing, writing.item.id or "")
    if row is None:
        return GoneItem()
    expected = writing.item.version
    return row if expected is None or expected == row.record.version else StaleItem()


def _update(writing: _Writing, row: Row, stored: Stored) -> Outcome:
    """Update the row that was just read. Where no lock is held, its stamp must still be the same."""
    if not stored:
        return Done(row.record.id, row.record)
    table = writing.table
    where = [table.key == row.key]
    if table.stamp is not None and row.stored is not None:
        where.append(table.stamp.raw == table.stamp.compared(row.stored))
    if not _changed(writing, sa.update(table.shape.clause).where(*where).values(stored)):
        return StaleItem()
    key = stored.get(table.shape.settings.key, row.key)
    after = _touched(writing, _row(writing, key), row.stored)
    return Done(after.record.id, after.record)


def _touched(writing: _Writing, row: Row, before: Any) -> Row:
    """Move the change stamp where the database did not do so itself (a trigger, a default): without that
    a second write guarded with the old version would pass, and other readers would miss the change."""
    stamp = writing.table.stamp
    if stamp is None or row.stored != before or stamp.column in writing.item.values:
        return row
    if writing.table.shape.columns[stamp.column].generated or (before is None and stamp.token(row.stored)):
        return row
    moved = stamp.moved(before, stamps.database_now(writing.connection, stamp.zone))
    clause = writing.table.shape.clause
    _changed(writing, sa.update(clause).where(writing.table.key == row.key).values({stamp.column: moved}))
    return _row(writing, row.key)


def _delete(writing: _Writing) -> Outcome:
    row = _addressed(writing)
    if not isinstance(row, Row):
        return row
    _changed(writing, sa.delete(writing.table.shape.clause).where(writing.table.key == row.key))
    return Done(row.record.id)


def _changed(writing: _Writing, statement: sa.Update | sa.Delete) -> int:
    """How many rows a statement about one row hit: none or one. NotOneRow for more: several people."""
    hit = writing.connection.execute(statement).rowcount
    if hit > 1:
        raise NotOneRow(_SHARED)
    return hit


def _row(writing: _Writing, key: Any) -> Row:
    """The row with this key; RowLost if it is not there."""
    row = _row_if_any(writing, writing.table.key == key)
    if row is None:
        raise RowLost(writing.table.shape.settings.table)
    return row


def _row_named(writing: _Writing, id: str) -> Row | None:
    column, keys = writing.table.named([id])
    return _row_if_any(writing, column == keys[0]) if keys else None


def _row_if_any(writing: _Writing, where: sa.ColumnElement[bool]) -> Row | None:
    """The row with this key, locked where the database has row locks. NotOneRow if it is not the only one
    (no constraint need hold the column that the configuration calls the key), or cannot be read."""
    query = writing.table.select(writing.fields).where(where).limit(2)
    if writing.table.shape.dialect != "sqlite":
        query = query.with_for_update()
    found = reading.fetch(writing.connection, writing.table, writing.fields, query)
    if len(found.places) > 1:
        raise NotOneRow(_SHARED)
    if found.places and not found.rows:
        raise NotOneRow("the row holds a value that cannot be read")
    return found.rows[0] if found.rows else None


class NotOneRow(Exception):
    """What is there under a key is not one row that can be read; the text says what it is."""


class RowLost(Exception):
    """A row that was just written is not there when read back (a trigger, a row policy)."""
