"""What kind of thing a part of a condition is, and how values become such things.

Python values inside a running condition: text is str, a number is int or Decimal (never float), a truth
value bool, a point in time an aware datetime, a day a date, a span a timedelta, a list a list, a map a
dict. Whatever is not known is an `Unknown`, which names the parts that nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeAlias

from trueup.model.fields import Field
from trueup.model.values import Type


class Sort(StrEnum):
    """The simple kinds of things, in the words of messages."""

    TEXT = "text"
    NUMBER = "a number"
    TRUTH = "true or false"
    TIME = "a point in time"
    DAY = "a date"
    SPAN = "a duration"
    NULL = "null"
    ANY = "anything"


@dataclass(frozen=True, slots=True)
class Words:
    """Text that is one of these words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list or set; one that is empty, or not said, is an empty list."""

    element: Named


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with text keys. `keys`: the only ones there are, empty for any."""

    value: Named
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DaysSince:
    """A number that the clock makes: whole days since the time or date under another name."""

    name: str


class Anything(StrEnum):
    ANY = "any"


ANY = Anything.ANY
"""A value of a kind that nobody declared (a field of a remote record)."""

Named: TypeAlias = Type | Field | ListOf | MapOf | DaysSince | Anything
"""What a name may be declared as."""

Shape: TypeAlias = Sort | Words | ListOf | MapOf
Thing: TypeAlias = Any

_SORTS = {
    Type.BOOL: Sort.TRUTH,
    Type.INT: Sort.NUMBER,
    Type.DECIMAL: Sort.NUMBER,
    Type.MONEY: Sort.NUMBER,
    Type.DATE: Sort.DAY,
    Type.DATETIME: Sort.TIME,
}


PLAIN: Mapping[Sort, Type] = {
    Sort.TEXT: Type.TEXT,
    Sort.NUMBER: Type.DECIMAL,
    Sort.TRUTH: Type.BOOL,
    Sort.TIME: Type.DATETIME,
    Sort.DAY: Type.DATE,
}
"""A type of each simple kind that has one."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not known; `parts` are names, or sentences about what could not be computed."""

    parts: frozenset[str]


def unknown(*parts: str) -> Unknown:
    return Unknown(frozenset(parts))


def both(*things: Thing) -> Unknown | None:
    """All that is unknown among these, None if everything is known."""
    parts = [thing.parts for thing in things if thing.__class__ is Unknown]
    return Unknown(frozenset().union(*parts)) if parts else None


def shape_of(named: Named) -> Shape:
    """The shape of a declared name."""
    if isinstance(named, Field):
        return Words(named.options) if named.type is Type.CHOICE and named.options else shape_of(named.type)
    if isinstance(named, Type):
        return ListOf(named.element) if named.is_set else _SORTS.get(named, Sort.TEXT)
    if isinstance(named, DaysSince):
        return Sort.NUMBER
    return named if isinstance(named, ListOf | MapOf) else Sort.ANY


def described(shape: Shape) -> str:
    """The shape in words."""
    match shape:
        case Words():
            return "text"
        case ListOf():
            return "a list"
        case MapOf():
            return "a map"
    return shape.value


def sort_of(shape: Shape) -> Sort | None:
    """The simple kind, None for lists and maps."""
    if isinstance(shape, Words):
        return Sort.TEXT
    return shape if isinstance(shape, Sort) else None


def read_as(shape: Shape) -> Callable[[Thing, str], Thing]:
    """The function that makes a thing of a value, given the name to blame when it cannot."""
    match shape:
        case ListOf(element=element):
            return lambda value, name: _list(value, name, shape_of(element))
        case MapOf():
            return lambda value, name: value if isinstance(value, Mapping) else _wrong(value, name, "a map")
    return _READERS[sort_of(shape) or Sort.ANY]


def _wrong(value: Thing, name: str, expected: str) -> Unknown:
    return unknown(name) if value is None else unknown(f"{name} (not {expected})")


def _list(value: Thing, name: str, element: Shape) -> Thing:
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        return _wrong(value, name, "a list")
    values = sorted(value, key=str) if isinstance(value, set | frozenset) else value
    read = read_as(element)
    things = [read(each, name) for each in values if each is not None]
    return both(*things) or things


def _text(value: Thing, name: str) -> Thing:
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else _wrong(value, name, "text")


MOST_DIGITS = 100
"""A number beyond that is none to a condition."""


def number(value: Thing, name: str) -> Thing:
    """An exact number; money is its amount."""
    if isinstance(value, Mapping):
        value = value.get("amount")
    if isinstance(value, bool):
        return _wrong(value, name, "a number")
    if isinstance(value, int | Decimal):
        return value if isinstance(value, int) or is_usual(value) else _wrong(value, name, "a number")
    if not isinstance(value, float | str):
        return _wrong(value, name, "a number")
    text = repr(value) if isinstance(value, float) else value.strip()
    try:
        exact = Decimal(text) if text.isascii() and len(text) <= 100 else Decimal("nan")
    except InvalidOperation:
        exact = Decimal("nan")
    return exact if is_usual(exact) else _wrong(value, name, "a number")


def is_usual(exact: Decimal) -> bool:
    """Whether a number can be written out. `1e9999999` takes nine letters and, as a whole number, an hour."""
    return exact.is_finite() and abs(exact.adjusted()) <= MOST_DIGITS


def _truth(value: Thing, name: str) -> Thing:
    return value if isinstance(value, bool) else _wrong(value, name, "true or false")


def moment(value: Thing, name: str) -> Thing:
    """An aware point in time; a time without zone is UTC."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
    except ValueError:
        return _wrong(value, name, "a point in time")
    if not isinstance(value, datetime):
        return _wrong(value, name, "a point in time")
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def day(value: Thing, name: str) -> Thing:
    """A date; of a point in time its date as written."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else _wrong(value, name, "a date")
    except ValueError:
        return _wrong(value, name, "a date")


def _any(value: Thing, name: str) -> Thing:
    """A value of undeclared kind: as it is, floats exact, sets as lists."""
    if isinstance(value, float):
        return number(value, name)
    if isinstance(value, set | frozenset | tuple):
        return _list(value, name, Sort.ANY)
    return unknown(name) if value is None else value


def time_or_day(value: Thing, name: str) -> Thing:
    """A datetime or date out of either, or out of the text of either."""
    if isinstance(value, datetime | date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == 10:
        return day(value, name)
    return moment(value, name)


_READERS: Mapping[Sort, Callable[[Thing, str], Thing]] = {
    Sort.TEXT: _text,
    Sort.NUMBER: number,
    Sort.TRUTH: _truth,
    Sort.TIME: moment,
    Sort.DAY: day,
    Sort.SPAN: lambda value, name: (
        value if isinstance(value, timedelta) else _wrong(value, name, "a duration")
    ),
    Sort.NULL: lambda value, name: value,
    Sort.ANY: _any,
}
