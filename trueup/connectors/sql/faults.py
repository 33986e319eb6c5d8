"""What a database's error means: by SQLSTATE where it has one, by SQLite's fixed sentences otherwise.

The database's own words may hold values of the row, so they are never passed on; the names of columns
and constraints are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import exc

from trueup.connectors.base import RefusedItem
from trueup.connectors.sql.shape import Shape
from trueup.errors import ConnectorError, OutcomeUnknown, Refused, Transient, Unauthorized
from trueup.model.record import Json

_UNAUTHORIZED = ("28", "3D000", "42501", "25006")
_RETRY = ("08", "40", "53", "55", "57", "58")
_LOGIN = re.compile(
    r"password|authentication|role .* does not exist|database .* does not exist|access denied", re.I
)
_SQLITE_COLUMNS = re.compile(r"^(NOT NULL|UNIQUE) constraint failed: (.+)$")

_SAID = {
    "not null": "must not be empty",
    "unique": "is taken by another row",
    "check": "breaks a rule of the table",
    "foreign key": "points at a row that does not exist, or is pointed at",
    "data": "cannot be stored there",
}


def state(error: exc.DBAPIError) -> str:
    """The SQLSTATE, or empty."""
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")


def failure(error: exc.SQLAlchemyError, connection: str, operation: str) -> ConnectorError:
    """The error for the call as a whole, when nothing of it was committed."""
    where: dict[str, Any] = {"connection": connection, "operation": operation}
    if not isinstance(error, exc.DBAPIError):
        return _not_from_the_database(error, where)
    code, said = state(error), str(error.orig)
    if code.startswith(_UNAUTHORIZED) or _LOGIN.search(said) or "readonly database" in said:
        return Unauthorized("the database refuses this login or lacks a permission for it", **where,
                            remedy="check the URL of the connection and what its user may do")  # fmt: skip
    if "unable to open database file" in said or "file is not a database" in said:
        return Unauthorized("the database file cannot be opened", **where,
                            remedy="check that it is a SQLite database, and that this user may read and"
                            " write it")  # fmt: skip
    if code.startswith("42") or "no such" in said:
        return Transient(
            "the table is not what it was when it was last looked at", **where, code="TU-CON-013"
        )
    if isinstance(error, (exc.OperationalError, exc.InterfaceError)) or code.startswith(_RETRY):
        return Transient("the database cannot be reached or is busy", **where)
    return Refused(f"the database refuses the request ({code or type(error.orig).__name__})", **where)


def lost_commit(connection: str, operation: str) -> OutcomeUnknown:
    """The connection broke while the commit was under way."""
    return OutcomeUnknown("no answer to the commit", connection=connection, operation=operation)


def refusal(error: exc.DBAPIError, shape: Shape, values: Mapping[str, Json]) -> RefusedItem | None:
    """The error as the refusal of one row; None when it does not concern the row."""
    code = state(error)
    if not isinstance(error, (exc.IntegrityError, exc.DataError)) and not code.startswith(("22", "23")):
        return None
    kind, columns = _violated(error, shape, values)
    said = _SAID[kind]
    name = ", ".join(f"`{column}`" for column in columns) or "the row"
    code = "TU-REF-011" if kind == "unique" else "TU-REF-001"
    return RefusedItem(f"{name} {said}", dict.fromkeys(columns, said) or {"": said}, code=code)


def _violated(error: exc.DBAPIError, shape: Shape, values: Mapping[str, Json]) -> tuple[str, tuple[str, ...]]:
    said = str(error.orig)
    lite = _SQLITE_COLUMNS.match(said)
    if lite:
        columns = tuple(part.split(".", 1)[-1].strip() for part in lite[2].split(","))
        return lite[1].lower(), tuple(column for column in columns if column in shape.columns)
    diag: Any = getattr(error.orig, "diag", None)
    column, constraint = getattr(diag, "column_name", None), getattr(diag, "constraint_name", None)
    named = (column,) if column else shape.uniques.get(str(constraint), ())
    match state(error):
        case "23502":
            return "not null", named
        case "23505":
            return "unique", named
        case "23514":
            return "check", named
        case "23503":
            return "foreign key", _written_references(shape, values)
    if "FOREIGN KEY" in said:
        return "foreign key", _written_references(shape, values)
    if isinstance(error, exc.IntegrityError):
        return ("unique" if "uplicate" in said or "UNIQUE" in said else "check"), named
    return "data", named


def _written_references(shape: Shape, values: Mapping[str, Json]) -> tuple[str, ...]:
    """Foreign keys among the written columns: neither database names the one that failed reliably."""
    return tuple(name for name in values if name in shape.columns and shape.columns[name].reference)


def _not_from_the_database(error: exc.SQLAlchemyError, where: dict[str, Any]) -> ConnectorError:
    if isinstance(error, exc.TimeoutError):
        return Transient("every connection to the database is in use", **where)
    return Refused(f"the request cannot be put to this database ({type(error).__name__})", **where)
