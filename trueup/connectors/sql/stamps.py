"""The column that says when a row changed: how it orders, and what a cursor keeps of it.

A cursor keeps a stamp as the database compares it, never converted, so that nothing is lost to rounding
or zones. SQLite keeps date-times as texts of many shapes; they are compared through `strftime`, which
brings texts with and without fraction, `T`, `Z` or an offset into one order (to the millisecond; rows
that fall together there are told apart by their key).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.connectors.sql.shape import Kind, Shape
from trueup.connectors.sql.values import Beyond, instant, moment_in
from trueup.errors import Refused
from trueup.model.record import Json

_SQLITE_FORM = "%Y-%m-%d %H:%M:%f"
_DAY = timedelta(days=1)
_BEYOND = "beyond "
"""In a cursor, before a stamp that no calendar has (`infinity`)."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The change stamp of one table. `kind` is the kind of its first column.

    `raw`: the expression as stored; `order`: the expression that queries compare and sort by.
    """

    kind: Kind
    text: bool
    optional: bool
    column: str
    type: sa.types.TypeEngine[Any]
    raw: sa.ColumnElement[Any]
    order: sa.ColumnElement[Any]
    zone: tzinfo

    def encode(self, value: Any) -> Json:
        """An `order` value for a cursor."""
        if isinstance(value, Beyond):
            return f"{_BEYOND}{value}"
        if isinstance(value, (datetime, date)):
            return value.isoformat()
        return str(value) if isinstance(value, Decimal) else value

    def decode(self, kept: Json) -> Any:
        """What `encode` kept, for a comparison with `order`."""
        if self.text or not isinstance(kept, str):
            return kept
        if self.kind is Kind.DECIMAL:
            return Decimal(kept)
        if kept.startswith(_BEYOND):
            return self.compared(Beyond(kept.removeprefix(_BEYOND)))
        return date.fromisoformat(kept) if self.kind is Kind.DATE else datetime.fromisoformat(kept)

    def compared(self, value: Any) -> Any:
        """A stamp as read, for a comparison in the database: it knows the order of what no calendar has."""
        return sa.type_coerce(str(value), self.type) if isinstance(value, Beyond) else value

    def readable(self, kept: Json) -> bool:
        """Whether a kept value can be one that readings start from. SQLite orders texts that are no time
        (hour 24); a number that is none orders above all others."""
        if isinstance(kept, str) and kept.startswith(_BEYOND):
            return False
        try:
            value = self.decode(kept)
        except (ValueError, ArithmeticError, TypeError):
            return False
        if isinstance(value, (float, Decimal)):
            return math.isfinite(value)
        return not self.text or (isinstance(value, str) and moment_in(value) is not None)

    def instant(self, value: Any) -> datetime | None:
        """A stamp, raw or in order form, as aware UTC."""
        return instant(value, self.zone)

    def before(self, kept: Json, seconds: float) -> Any:
        """The `order` value `seconds` before a kept one: where a reading with lookback begins."""
        back = timedelta(seconds=seconds)
        value = self.decode(kept)
        if self.kind is Kind.DATE and not self.text:
            return _moved(value, -max(_DAY, back))
        if isinstance(value, (int, float, Decimal)):
            return self._number_before(value, seconds)
        moment = datetime.fromisoformat(value) if self.text else value
        moment = _moved(moment, -(back + self._hour_lived_twice(moment)))
        return _sqlite_text(moment) if self.text else moment

    def _number_before(self, value: Any, seconds: float) -> Any:
        if instant(value, self.zone) is None:
            return value  # a counter: `>=` is all the overlap there is
        return value - type(value)(seconds * (1000 if value > 10**11 else 1))

    def _hour_lived_twice(self, moment: datetime) -> timedelta:
        """Naive local stamps run back when the clocks do; that much more has to be read again."""
        if moment.tzinfo:
            return timedelta()
        earlier = _moved(moment, -_DAY).replace(tzinfo=self.zone).utcoffset() or timedelta()
        later = _moved(moment, _DAY).replace(tzinfo=self.zone).utcoffset() or timedelta()
        return max(timedelta(), earlier - later)

    def token(self, raw: Any) -> str | None:
        """The version token that a stored stamp makes; None where it says too little to be one, and the hash
        of the content takes its place."""
        if raw is None or self.kind is Kind.DATE or (self.optional and isinstance(raw, Beyond)):
            return None
        return raw.isoformat() if isinstance(raw, (datetime, date)) else str(raw)

    def moved(self, old: Any, now: datetime) -> Any:
        """A stamp for this column that is later than `old`, in the same form; `now` where it can be."""
        if isinstance(old, (int, float, Decimal)) and not isinstance(old, bool):
            return self._number_moved(old, now)
        if self.kind is Kind.INT:
            return int(now.timestamp())
        if self.kind is Kind.DATE:
            return now.astimezone(self.zone).date()
        if self.text:
            return _text_moved(str(old or "2026-01-01 00:00:00"), now, self.zone)
        naive = isinstance(old, datetime) and old.tzinfo is None
        moment = now.astimezone(self.zone).replace(tzinfo=None) if naive else now
        return max(moment, _moved(old, timedelta(microseconds=1))) if isinstance(old, datetime) else moment

    def _number_moved(self, old: Any, now: datetime) -> Any:
        if instant(old, self.zone) is None:
            return old + 1
        return max(type(old)(now.timestamp() * (1000 if old > 10**11 else 1)), old + 1)


def stamp_of(shape: Shape, zone: tzinfo) -> Stamp | None:
    """The stamp of a table, None when none is configured. Refused for a column that cannot be ordered."""
    names = shape.settings.changed_at
    if not names:
        return None
    columns = [shape.columns[name] for name in names]
    raw: sa.ColumnElement[Any] = shape.of(names[0])
    if len(names) > 1:
        raw = sa.func.coalesce(*(shape.of(name) for name in names))
    kind = columns[0].kind
    numeric = kind in (Kind.INT, Kind.DECIMAL)
    if not numeric and kind not in (Kind.DATE, Kind.DATETIME) and shape.dialect != "sqlite":
        reason = "changed_at must be a date-time or a number"
        raise Refused(reason, fields={names[0]: reason}, code="TU-REF-020")
    text = shape.dialect == "sqlite" and not numeric
    return Stamp(
        kind=kind,
        text=text,
        optional=text or all(column.nullable for column in columns),
        column=names[0],
        type=columns[0].type,
        raw=raw,
        order=_sqlite_order(raw) if text else raw,
        zone=zone,
    )


def _sqlite_order(raw: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Texts by `strftime`; numbers kept in a date-time column as epoch seconds, or milliseconds if large."""
    seconds = sa.case((raw > 10**11, raw / 1000.0), else_=raw)
    number = sa.func.typeof(raw).in_(("integer", "real"))
    return sa.case(
        (number, sa.func.strftime(_SQLITE_FORM, seconds, "unixepoch")),
        else_=sa.func.strftime(_SQLITE_FORM, raw),
    )


def database_now(connection: Connection, zone: tzinfo) -> datetime:
    """The database's own clock as aware UTC; where it tells local time, that of the connection's zone."""
    match connection.dialect.name:
        case "sqlite":
            said: Any = connection.scalar(sa.select(sa.func.strftime(_SQLITE_FORM, "now")))
            return datetime.fromisoformat(said).replace(tzinfo=UTC)
        case "postgresql":
            said = connection.scalar(sa.select(sa.func.clock_timestamp()))
        case _:
            said = connection.scalar(sa.select(sa.func.current_timestamp()))
    moment = instant(said, zone)
    assert moment is not None  # every database has a clock
    return moment


def latest(stamps: Sequence[Any], stamp: Stamp, now: datetime) -> Any:
    """The last of ascending `order` values that can be read and is not in the future; None without one.

    A row dated 2099 must not move the cursor there: everything after it would be missed until then.
    """
    for value in reversed(stamps):
        moment = stamp.instant(value)
        if not stamp.readable(stamp.encode(value)):
            continue
        if moment is None or moment <= now:
            return value
    return None


def _sqlite_text(moment: datetime) -> str:
    return moment.isoformat(" ", "milliseconds")


def _moved(moment: Any, by: timedelta) -> Any:
    """A date or date-time, later or earlier, but not beyond the first and last that there are."""
    try:
        return moment + by
    except OverflowError:
        end = type(moment).max if by > timedelta() else type(moment).min
        return end.replace(tzinfo=moment.tzinfo) if isinstance(moment, datetime) else end


def _text_moved(old: str, now: datetime, zone: tzinfo) -> str:
    """`now` written the way `old` is: with `T` or blank, with or without fraction, `Z` or offset."""
    before = instant(old, zone)
    fraction = "." in old
    step = timedelta(microseconds=1) if fraction else timedelta(seconds=1)
    moment = now if before is None else max(now, _moved(before, step))
    tail = old[10:]
    zoned = tail.endswith(("Z", "z")) or "+" in tail or "-" in tail
    local = moment.astimezone(UTC if zoned else zone)
    text = local.isoformat("T" if old[10:11] == "T" else " ", "microseconds" if fraction else "seconds")
    if tail.endswith(("Z", "z")):
        return text.replace("+00:00", "Z")
    return text if zoned else text[:-6]
