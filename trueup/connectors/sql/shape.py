"""What a table looks like: columns, their kinds, constraints; read from the database itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.expression import ColumnClause, TableClause

from trueup.connectors.sql.settings import TableSettings
from trueup.errors import Refused
from trueup.model.record import FieldSpec


class Kind(StrEnum):
    """What a column holds, as far as conversion is concerned; the values are FieldSpec types."""

    TEXT = "text"
    INT = "int"
    DECIMAL = "decimal"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    JSON = "object"
    UUID = "uuid"
    TIME = "time"
    BYTES = "bytes"
    OTHER = "unknown"


# Enum before String and Boolean before Integer: SQLAlchemy derives some of its types from others.
_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (sa.Enum, Kind.CHOICE),
    (sa.Boolean, Kind.BOOL),
    (sa.Integer, Kind.INT),
    (sa.Numeric, Kind.DECIMAL),
    (sa.DateTime, Kind.DATETIME),
    (sa.Date, Kind.DATE),
    (sa.Time, Kind.TIME),
    (sa.JSON, Kind.JSON),
    (sa.Uuid, Kind.UUID),
    (sa.types._Binary, Kind.BYTES),
    (sa.String, Kind.TEXT),
)

_SPEC_TYPES = {Kind.UUID: "text", Kind.TIME: "text", Kind.BYTES: "unknown"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `generated`: the database makes its value. `default`: it has one when none is given."""

    name: str
    kind: Kind
    type: sa.types.TypeEngine[Any]
    nullable: bool
    default: bool
    generated: bool
    length: int | None
    label: str
    reference: str | None = None

    @property
    def zoned(self) -> bool:
        """Whether the database itself keeps the zone of a date-time."""
        return bool(getattr(self.type, "timezone", False))

    @property
    def int_bits(self) -> int:
        if isinstance(self.type, sa.SmallInteger):
            return 15
        return 63 if isinstance(self.type, sa.BigInteger) else 31


@dataclass(frozen=True, slots=True)
class Shape:
    """A table or view with its columns by name and its unique column sets, by constraint name."""

    settings: TableSettings
    dialect: str
    view: bool
    columns: Mapping[str, Column]
    uniques: Mapping[str, tuple[str, ...]]
    clause: TableClause

    def of(self, name: str) -> ColumnClause[Any]:
        return self.clause.c[name]

    @property
    def key(self) -> Column:
        return self.columns[self.settings.key]

    def readable(self) -> list[str]:
        """Every column that can be given as JSON, in the table's order."""
        return [name for name, column in self.columns.items() if column.kind is not Kind.BYTES]


def look(connection: Connection, settings: TableSettings) -> Shape:
    """Read the table's shape. Refused when the table or a configured column does not exist."""
    inspector = sa.inspect(connection)
    try:
        found = inspector.get_columns(settings.table, schema=settings.schema)
    except sa.exc.NoSuchTableError:
        found = []
    if not found:
        raise Refused(f"there is no table or view `{settings.table}`", code="TU-REF-020",
                      remedy=f"say which one it is below `objects: {settings.name}:`, as `table: NAME`",
                      )  # fmt: skip
    dialect = connection.dialect.name
    view = settings.table in inspector.get_view_names(schema=settings.schema)
    references = _references(inspector, settings)
    primary = inspector.get_pk_constraint(settings.table, schema=settings.schema)
    columns = {said["name"]: _column(said, primary, references, dialect) for said in found}
    _require(settings, columns)
    return Shape(
        settings=settings,
        dialect=dialect,
        view=view,
        columns=columns,
        uniques={} if view else _uniques(inspector, settings, primary),
        clause=_clause(settings, columns, dialect),
    )


def field_specs(shape: Shape, objects: Mapping[str, TableSettings]) -> list[FieldSpec]:
    """The columns as FieldSpecs; a foreign key names the configured object of its table, if there is one."""
    names = {settings.table: name for name, settings in objects.items()}
    alone = {columns[0] for columns in shape.uniques.values() if len(columns) == 1}
    return [_field_spec(shape, column, alone, names) for column in shape.columns.values()]


def _field_spec(shape: Shape, column: Column, alone: set[str], objects: Mapping[str, str]) -> FieldSpec:
    reference = (objects.get(column.reference, column.reference),) if column.reference else ()
    fixed = shape.view or column.generated or column.kind is Kind.BYTES
    options = getattr(column.type, "enums", []) if column.kind is Kind.CHOICE else []
    return FieldSpec(
        name=column.name,
        label=column.label,
        type="reference" if reference else _SPEC_TYPES.get(column.kind, column.kind.value),
        writable=not fixed and column.name not in shape.settings.changed_at,
        required=not (fixed or column.nullable or column.default),
        unique=column.name in alone,
        max_length=column.length,
        options={value: value for value in options},
        reference_to=reference,
    )


def _column(
    said: Mapping[str, Any], primary: Mapping[str, Any], references: Mapping[str, str], dialect: str
) -> Column:
    kind = next((kind for of, kind in _KINDS if isinstance(said["type"], of)), Kind.OTHER)
    return Column(
        name=said["name"],
        kind=kind,
        type=said["type"],
        nullable=bool(said.get("nullable", True)),
        default=said.get("default") is not None,
        generated=_generated(said, primary, kind, dialect),
        length=getattr(said["type"], "length", None) if kind is Kind.TEXT else None,
        label=said.get("comment") or said["name"],
        reference=references.get(said["name"]),
    )


def _generated(said: Mapping[str, Any], primary: Mapping[str, Any], kind: Kind, dialect: str) -> bool:
    if said.get("computed") or said.get("identity") or said.get("autoincrement") is True:
        return True
    # in SQLite a lone INTEGER primary key is the row id, which the database counts up
    return dialect == "sqlite" and kind is Kind.INT and primary.get("constrained_columns") == [said["name"]]


def _references(inspector: sa.Inspector, settings: TableSettings) -> dict[str, str]:
    keys = inspector.get_foreign_keys(settings.table, schema=settings.schema)
    return {
        key["constrained_columns"][0]: key["referred_table"]
        for key in keys
        if len(key["constrained_columns"]) == 1
    }


def _uniques(
    inspector: sa.Inspector, settings: TableSettings, primary: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, Sequence[Any]] = {}
    auto = {"include_auto_indexes": True} if inspector.dialect.name == "sqlite" else {}
    for index in inspector.get_indexes(settings.table, schema=settings.schema, **auto):
        if index.get("unique") and all(index["column_names"]):
            found[str(index["name"])] = index["column_names"]
    for number, unique in enumerate(inspector.get_unique_constraints(settings.table, schema=settings.schema)):
        found[str(unique["name"] or f"unique {number}")] = unique["column_names"]
    if primary.get("constrained_columns"):
        found[str(primary.get("name") or "primary key")] = primary["constrained_columns"]
    return {name: tuple(str(column) for column in columns) for name, columns in found.items()}


def _require(settings: TableSettings, columns: Mapping[str, Column]) -> None:
    named = (settings.key, *settings.changed_at, settings.upsert_key, *settings.keys)
    missing = {name: "there is no such column" for name in named if name and name not in columns}
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise Refused(f"table `{settings.table}` has no column {names}", fields=missing, code="TU-REF-020")


def _clause(settings: TableSettings, columns: Mapping[str, Column], dialect: str) -> TableClause:
    """The table for queries. SQLite keeps what it is given, whatever the column is declared as: it is
    read and written raw, so that one odd value cannot make a page unreadable."""
    typed = [
        sa.column(name, sa.types.NullType() if dialect == "sqlite" else column.type)
        for name, column in columns.items()
    ]
    return sa.table(settings.table, *typed, schema=settings.schema)
