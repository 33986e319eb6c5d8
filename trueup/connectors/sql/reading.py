"""Rows to records: pages by keyset, look-ups by key, and rows that cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection

from trueup.connectors.sql import stamps
from trueup.connectors.sql.shape import Kind, Shape
from trueup.connectors.sql.stamps import Stamp
from trueup.connectors.sql.values import Unfit, digest, key_value, outward
from trueup.errors import Refused
from trueup.model.counting import counted
from trueup.model.record import Cursor, Json, Page, Record

Rejected = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it is read: its shape, its stamp, the zone of its naive date-times."""

    shape: Shape
    stamp: Stamp | None
    zone: tzinfo

    @property
    def key(self) -> sa.ColumnElement[Any]:
        return self.shape.of(self.shape.settings.key)

    def named(self, ids: Sequence[str]) -> tuple[sa.ColumnElement[Any], list[Any]]:
        """What look-ups by id compare, and with what; ids that no row can have are left out.

        SQLite keeps in a column without a declared type (of a view, say) numbers as numbers and texts as
        texts, and they never equal each other: there ids are compared as texts.
        """
        column = self.shape.key
        if self.shape.dialect == "sqlite" and column.kind in (Kind.OTHER, Kind.DECIMAL, Kind.UUID):
            return sa.cast(self.key, sa.Text), list(ids)
        keys = []
        for id in ids:
            with suppress(Unfit):
                keys.append(key_value(column, id))
        return self.key, keys

    @property
    def hashes(self) -> bool:
        """Whether some row's version is the hash of its content, so that every column must be read."""
        return self.stamp is None or self.stamp.optional or self.stamp.kind is Kind.DATE

    def wanted(self, fields: Sequence[str]) -> list[str]:
        readable = self.shape.readable()
        return readable if self.hashes else [name for name in readable if name in set(fields)]

    def select(self, fields: Sequence[str]) -> sa.Select[Any]:
        """Key, stamp as stored, stamp as ordered, then the columns of `wanted`."""
        none: sa.ColumnElement[Any] = sa.literal_column("NULL")
        raw, order = (self.stamp.raw, self.stamp.order) if self.stamp else (none, none)
        columns = [self.shape.of(name) for name in self.wanted(fields)]
        every = [self.key, raw, order, *columns]
        return sa.select(*(column.label(f"c{number}") for number, column in enumerate(every))).select_from(
            self.shape.clause
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read: where it stands (key, ordering stamp), its stamp as stored, and the record."""

    key: Any
    order: Any
    stored: Any
    record: Record


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one query brought: every row's place (key, ordering stamp), also of those that were rejected."""

    places: list[tuple[Any, Any]]
    rows: list[Row]
    rejected: list[Rejected]


# -- one row ------------------------------------------------------------------------------------------


def to_row(table: Table, fields: Sequence[str], raw: Sequence[Any]) -> tuple[Row, list[Rejected]]:
    """A fetched row as a record, and what of it could not be said."""
    id, rejected = str(raw[0]), []
    values: dict[str, Json] = {}
    for name, value in zip(table.wanted(fields), raw[3:], strict=True):
        try:
            values[name] = outward(table.shape.columns[name], value, table.zone)
        except Unfit as error:
            rejected.append((f"{id}.{name}", str(error)))
    token = table.stamp.token(raw[1]) if table.stamp else None
    wanted = set(fields)
    record = Record(
        id=id,
        values={name: value for name, value in values.items() if name in wanted},
        version=token or f"#{digest(list(values.values()))}",
        changed_at=table.stamp.instant(raw[1]) if table.stamp else None,
    )
    return Row(raw[0], raw[2], raw[1], record), rejected


def fetch(connection: Connection, table: Table, fields: Sequence[str], query: sa.Select[Any]) -> Fetched:
    """Run a query made from `table.select`. Rows that the driver cannot decode are set aside one by one."""
    try:
        return _collect(table, fields, connection.execute(query).all())
    except (exc.DataError, ValueError, OverflowError):
        return _one_by_one(connection, table, fields, query)


def _collect(table: Table, fields: Sequence[str], found: Iterable[Sequence[Any]]) -> Fetched:
    fetched = Fetched([], [], [])
    for raw in found:
        row, rejected = to_row(table, fields, raw)
        fetched.places.append((row.key, row.order))
        fetched.rows.append(row)
        fetched.rejected.extend(rejected)
    return fetched


def _one_by_one(
    connection: Connection, table: Table, fields: Sequence[str], query: sa.Select[Any]
) -> Fetched:
    """The same rows, each by its key; one that cannot be decoded is rejected by its id."""
    order = table.stamp.order if table.stamp else sa.null()
    places = query.with_only_columns(table.key, order, maintain_column_froms=True)
    fetched = Fetched([(key, at) for key, at in connection.execute(places)], [], [])
    for key, _ in fetched.places:
        try:
            part = _collect(
                table, fields, connection.execute(table.select(fields).where(table.key == key)).all()
            )
        except (exc.DataError, ValueError, OverflowError):
            fetched.rejected.append((str(key), "holds a value that cannot be read"))
            continue
        fetched.rows.extend(part.rows[:1])
        fetched.rejected.extend(part.rejected)
    return fetched


# -- pages --------------------------------------------------------------------------------------------


def listing(connection: Connection, table: Table, fields: Sequence[str], cursor: Cursor | None) -> Page:
    """Every row in the order of its key. The first page notes where the changes after it begin."""
    place = dict(cursor) if cursor else {"since": _newest(connection, table), "after": None}
    fetched, after = _keyset(connection, table, fields, place["after"], [])
    if not cursor:
        fetched.rejected.extend(_without_key(connection, table))
    return _page(fetched, {"since": place["since"]} if after is None else {**place, "after": after}, after)


def changes(connection: Connection, table: Table, fields: Sequence[str], cursor: Cursor | None) -> Page:
    """Rows by (stamp, key) from `since` less the lookback; then the rows that have no stamp at all."""
    place = _usable(_stamp(table), dict(cursor or {"since": None}))
    if not place.get("unstamped"):
        return _stamped(connection, table, fields, place)
    where = _stamp(table).order.is_(None)
    fetched, after = _keyset(connection, table, fields, place["after"], [where])
    return _page(fetched, {"since": place["since"]} if after is None else {**place, "after": after}, after)


def _stamped(connection: Connection, table: Table, fields: Sequence[str], place: dict[str, Json]) -> Page:
    stamp, limit = _stamp(table), table.shape.settings.page
    query = (
        table.select(fields).where(*_from(table, stamp, place)).order_by(stamp.order, table.key).limit(limit)
    )
    fetched = fetch(connection, table, fields, query)
    place = _advanced(connection, stamp, fetched, place)
    if len(fetched.places) == limit:
        return _page(fetched, place, True)
    since = place.get("high", place["since"])
    if stamp.optional:
        return _page(fetched, {"since": since, "unstamped": True, "after": None}, True)
    return _page(fetched, {"since": since}, None)


def _usable(stamp: Stamp, place: dict[str, Json]) -> dict[str, Json]:
    """The place without what cannot be read of it: from there the reading starts anew, and misses nothing."""
    since, high = place.get("since"), place.get("high")
    if since is not None and not stamp.readable(since):
        return {"since": None}
    if high is not None and not stamp.readable(high):
        return {"since": since}
    return place


def _stamp(table: Table) -> Stamp:
    if table.stamp is None:
        raise Refused("without `changed_at` a table has no changes, only listings")
    return table.stamp


def _from(table: Table, stamp: Stamp, place: Mapping[str, Json]) -> list[sa.ColumnElement[bool]]:
    if "at" in place:
        at, after = stamp.decode(place["at"]), _key_back(table, place["after"])
        tie = sa.and_(stamp.order == at, table.key > after)
        return [stamp.order >= at, sa.or_(stamp.order > at, tie)]
    if place["since"] is None:
        return [stamp.order.is_not(None)]
    return [stamp.order >= stamp.before(place["since"], table.shape.settings.lookback)]


def _advanced(
    connection: Connection, stamp: Stamp, fetched: Fetched, place: dict[str, Json]
) -> dict[str, Json]:
    """The place after these rows, with the highest stamp so far that is not in the future."""
    if not fetched.places:
        return place
    key, at = fetched.places[-1]
    now = stamps.database_now(connection, stamp.zone)
    high = stamps.latest([order for _, order in fetched.places], stamp, now)
    known = place.get("high", place["since"])
    if high is not None and (known is None or stamp.decode(known) < high):
        known = stamp.encode(high)
    return {"since": place["since"], "high": known, "at": stamp.encode(at), "after": _plain_key(key)}


def _keyset(
    connection: Connection, table: Table, fields: Sequence[str], after: Json, where: list[Any]
) -> tuple[Fetched, Json]:
    """A page in the order of the key, and the key after which the next one starts (None: there is none).

    One row more than the page is read: it tells whether there is more, and whether the last key repeats.
    """
    limit = table.shape.settings.page
    query = table.select(fields).where(table.key.is_not(None), *where).order_by(table.key).limit(limit + 1)
    if after is not None:
        query = query.where(table.key > _key_back(table, after))
    fetched = fetch(connection, table, fields, query)
    keys = [key for key, _ in fetched.places]
    kept = keys[:limit]
    rows = {row.key: row for row in reversed(fetched.rows)}
    repeated = [(str(key), "another row has the same key") for key, n in Counter(keys).items() if n > 1]
    page = [rows[key] for key in dict.fromkeys(kept) if key in rows]
    next_after = _plain_key(kept[-1]) if len(keys) > limit else None
    return Fetched(fetched.places[:limit], page, fetched.rejected + repeated), next_after


def _without_key(connection: Connection, table: Table) -> list[Rejected]:
    if not table.shape.key.nullable:
        return []
    count = connection.scalar(
        sa.select(sa.func.count()).select_from(table.shape.clause).where(table.key.is_(None))
    )
    return [(counted(count, "row"), f"`{table.shape.settings.key}` is empty")] if count else []


def _newest(connection: Connection, table: Table) -> Json:
    """The newest stamp that is not in the future: later changes are found from there on."""
    stamp = table.stamp
    if stamp is None:
        return None
    query = sa.select(stamp.order).where(stamp.order.is_not(None)).order_by(stamp.order.desc()).limit(200)
    found = list(connection.execute(query.select_from(table.shape.clause)).scalars())[::-1]
    newest = stamps.latest(found, stamp, stamps.database_now(connection, table.zone))
    return None if newest is None else stamp.encode(newest)


def _page(fetched: Fetched, cursor: Cursor, more: Json) -> Page:
    records = tuple(row.record for row in fetched.rows)
    return Page(records, cursor, more is not None, rejected=tuple(fetched.rejected))


def _plain_key(key: Any) -> Json:
    return key if isinstance(key, (int, float, str)) else str(key)


def _key_back(table: Table, kept: Json) -> Any:
    return key_value(table.shape.key, kept) if isinstance(kept, str) else kept


# -- by key -------------------------------------------------------------------------------------------


def by_ids(
    connection: Connection, table: Table, ids: Sequence[str], fields: Sequence[str]
) -> dict[str, Record]:
    """The rows that have these ids."""
    return {row.record.id: row.record for row in _chunks(connection, table, fields, *table.named(ids))}


def by_values(
    connection: Connection, table: Table, name: str, values: Sequence[Json], fields: Sequence[str]
) -> list[Record]:
    """The rows whose column holds one of the values; text is compared without regard to case."""
    column = table.shape.columns[name]
    if column.kind in (Kind.TEXT, Kind.OTHER):
        texts = sorted({str(value) for value in values})
        rows = _chunks(connection, table, fields, *_folded(table, name, texts))
    else:
        keys = [value for value in (_or_none(column, value) for value in values) if value is not None]
        rows = _chunks(connection, table, fields, table.shape.of(name), keys)
    return [row.record for row in rows]


def _folded(table: Table, name: str, texts: Sequence[str]) -> tuple[sa.ColumnElement[Any], list[str]]:
    column = table.shape.of(name)
    if table.shape.dialect != "sqlite":
        return sa.func.lower(column), sorted({text.lower() for text in texts})
    if all(text.isascii() for text in texts):
        return sa.func.lower(column), sorted({text.lower() for text in texts})
    return sa.func.trueup_fold(column), sorted({text.casefold() for text in texts})


def _or_none(column: Any, value: Json) -> Any:
    try:
        return key_value(column, str(value))
    except Unfit:
        return None


def _chunks(
    connection: Connection,
    table: Table,
    fields: Sequence[str],
    where: sa.ColumnElement[Any],
    keys: Sequence[Any],
) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(keys), 500):
        query = table.select(fields).where(where.in_(keys[start : start + 500])).order_by(table.key)
        rows += fetch(connection, table, fields, query).rows
    return rows
