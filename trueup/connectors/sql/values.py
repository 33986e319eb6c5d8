"""Values between the database and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import orjson

from trueup.connectors.sql.shape import Column, Kind
from trueup.model.counting import counted
from trueup.model.record import Json


class Unfit(ValueError):
    """A value that this column cannot give or take; the message says why, without the value."""


class Beyond(str):
    """A date or time that no calendar here has, as the database wrote it (`infinity`)."""


# -- out of the database ------------------------------------------------------------------------------


def outward(column: Column, raw: Any, zone: tzinfo) -> Json:
    """A value as JSON. Dates as ISO, date-times as ISO in UTC (naive ones are taken to be in `zone`),
    decimals as text. Unfit for bytes, and for dates beyond any calendar.
    """
    if isinstance(raw, Beyond):
        raise Unfit("holds a date that no calendar has")
    if isinstance(raw, (bytes, bytearray, memoryview)):
        raise Unfit("holds bytes")
    if raw is None:
        return None
    if column.kind is Kind.DATETIME:
        moment = instant(raw, zone)
        return moment.isoformat() if moment else _plain(raw)
    if column.kind is Kind.BOOL and raw in (0, 1):
        return bool(raw)
    if column.kind is Kind.DECIMAL and isinstance(raw, (int, float)):
        return str(Decimal(repr(raw)))
    if column.kind is Kind.JSON and isinstance(raw, str):
        return _parsed(raw)
    return _plain(raw)


def instant(raw: Any, zone: tzinfo) -> datetime | None:
    """A stamp as aware UTC; None for what is none. Numbers are epoch seconds, or milliseconds if large."""
    if isinstance(raw, str):
        raw = moment_in(raw)
    if isinstance(raw, (int, float, Decimal)) and not isinstance(raw, bool):
        return _from_epoch(float(raw))
    if isinstance(raw, date) and not isinstance(raw, datetime):
        raw = datetime.combine(raw, time())
    if not isinstance(raw, datetime):
        return None
    aware = raw if raw.tzinfo else raw.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        return None


def moment_in(text: str) -> datetime | None:
    """A date-time written as ISO, with or without a zone; None for what is none."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _from_epoch(number: float) -> datetime | None:
    if not math.isfinite(number) or not 1e8 <= number < 1e14:
        return None  # a counter, not a time
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)


def _parsed(text: str) -> Json:
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def _plain(raw: Any) -> Json:
    match raw:
        case bool() | int() | str():
            return raw
        case float():
            return raw if math.isfinite(raw) else str(raw)
        case datetime() | date() | time():
            return raw.isoformat()
        case timedelta():
            return str(raw.total_seconds())
        case dict():
            return {str(name): _plain(value) for name, value in raw.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(value) for value in raw]
        case None:
            return None
        case _:
            return str(raw)


# -- into the database --------------------------------------------------------------------------------


def inward(column: Column, value: Json, zone: tzinfo, dialect: str) -> Any:
    """A JSON value as this column takes it. Unfit when it cannot be stored there as it is."""
    if value is None:
        return None
    match column.kind:
        case Kind.TEXT | Kind.CHOICE:
            return _text(column, value, dialect)
        case Kind.INT:
            return _integer(column, value)
        case Kind.DECIMAL:
            return str(_decimal(value)) if dialect == "sqlite" else _decimal(value)
        case Kind.BOOL:
            return _bool(value)
        case Kind.DATE:
            return _as_stored(_date(value), dialect)
        case Kind.DATETIME:
            return _as_stored(_local(column, value, zone), dialect)
        case Kind.TIME:
            return _as_stored(_time(value), dialect)
        case Kind.UUID:
            return _uuid(value)
        case Kind.JSON:
            return orjson.dumps(value).decode() if dialect == "sqlite" else value
        case Kind.BYTES:
            raise Unfit("takes bytes, which cannot be written from here")
        case Kind.OTHER:
            return value if isinstance(value, (str, int, float)) else orjson.dumps(value).decode()


def key_value(column: Column, id: str) -> Any:
    """A remote id as the key column holds it. Unfit when no row can have it."""
    if column.kind is Kind.INT:
        return _integer(column, id)
    if column.kind is Kind.UUID:
        return _uuid(id)
    return _decimal(id) if column.kind is Kind.DECIMAL else id


def digest(values: Sequence[Json]) -> str:
    """A short content hash of one row's values, in column order."""
    from hashlib import blake2b

    packed = orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS)
    return blake2b(packed, digest_size=12).hexdigest()


def _text(column: Column, value: Json, dialect: str) -> str:
    if isinstance(value, (bool, dict, list)):
        raise Unfit("takes text")
    text = str(value)
    if column.length is not None and len(text) > column.length:
        raise Unfit(f"takes at most {counted(column.length, 'character')}, not {len(text)}")
    if "\0" in text and dialect != "sqlite":
        raise Unfit("cannot hold a NUL character")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Unfit("cannot hold half of a surrogate pair")
    return text


def _integer(column: Column, value: Json) -> int:
    if isinstance(value, bool):
        return int(value)  # flags are kept as 1 and 0 where there is no type for them
    try:
        number = int(str(value)) if not isinstance(value, float) else int(value)
    except (ValueError, OverflowError):
        raise Unfit("takes a whole number") from None
    if isinstance(value, float) and number != value:
        raise Unfit("takes a whole number")
    if not -(2**column.int_bits) <= number < 2**column.int_bits:
        raise Unfit("takes a smaller number")
    return number


def _decimal(value: Json) -> Decimal:
    if isinstance(value, (bool, dict, list)):
        raise Unfit("takes a number")
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise Unfit("takes a number") from None


def _bool(value: Json) -> bool:
    if value in (True, False, 0, 1):
        return bool(value)
    raise Unfit("takes true or false")


def _date(value: Json) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Unfit("takes a date such as 2026-01-31") from None


def _time(value: Json) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise Unfit("takes a time such as 13:30:00") from None


def _local(column: Column, value: Json, zone: tzinfo) -> datetime:
    moment = instant(str(value), zone)
    if moment is None:
        raise Unfit("takes a date-time such as 2026-01-31T13:30:00+00:00")
    return moment if column.zoned else moment.astimezone(zone).replace(tzinfo=None)


def _uuid(value: Json) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Unfit("takes a UUID") from None


def _as_stored(value: date | time, dialect: str) -> Any:
    if dialect != "sqlite":
        return value
    return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
