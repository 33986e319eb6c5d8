"""The functions that a condition may call, each with what it takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import cel

from trueup.lifecycle.expressions import running
from trueup.lifecycle.expressions.shapes import (
    ListOf,
    MapOf,
    Shape,
    Sort,
    Thing,
    Unknown,
    moment,
    number,
    unknown,
)
from trueup.lifecycle.expressions.shapes import time_or_day as _time_or_day

ONE_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `takes`: the kinds that each operand may have (of a method the target is the first).

    `check` says what is wrong with a literal last operand, empty if nothing.
    """

    takes: tuple[tuple[Sort | type, ...], ...]
    gives: Shape
    apply: Callable[..., Thing]
    written: str
    method_only: bool = True
    check: Callable[[Thing], str] | None = None


def days_between(when: Thing, now: datetime, zone: str, until: bool) -> Thing:
    """Whole days since (or until) a time or a date; a date is counted by the calendar of `zone`."""
    when = _time_or_day(when, "")
    if isinstance(when, Unknown):
        return unknown("a time that cannot be read")
    if isinstance(when, datetime):
        return (when - now) // ONE_DAY if until else (now - when) // ONE_DAY
    days = (now.astimezone(_zone(zone)).date() - when).days
    return -days if until else days


def day_count_reached(when: Thing, count: int, zone: str, until: bool) -> datetime | None:
    """The first moment at which `days_between` is `count`; None where no calendar has it."""
    when = _time_or_day(when, "")
    days = timedelta(days=-count if until else count)
    try:
        if isinstance(when, datetime):
            return when + days - ONE_DAY + _INSTANT if until else when + days
        if isinstance(when, date):
            return datetime.combine(when + days, time(), _zone(zone)).astimezone(UTC)
    except OverflowError:
        return None
    return None


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _matching() -> cel.Program:
    return cel.compile("text.matches(pattern)")


def _matches(text: Thing, pattern: Thing) -> bool:
    """By the regular expressions of CEL, whose time is linear in the text."""
    return bool(_matching().execute({"text": _as_text(text), "pattern": _as_text(pattern)}))


def _check_pattern(pattern: Thing) -> str:
    try:
        _matches("", pattern)
    except (ValueError, RuntimeError, TypeError):
        return "not a regular expression"
    return ""


def _check_time(text: Thing) -> str:
    return "not a point in time" if isinstance(moment(text, ""), Unknown) else ""


def _check_span(text: Thing) -> str:
    try:
        _span(text)
    except ValueError:
        return 'not a duration; written "36h", "30m", "1.5h"'
    return ""


_UNITS = {"h": 3600, "m": 60, "s": 1}


def _span(text: Thing) -> timedelta:
    """`1h30m`; there are no days in CEL durations."""
    sign, rest = (-1, text[1:]) if str(text).startswith("-") else (1, str(text))
    total, digits = Decimal(0), ""
    for letter in rest:
        if letter in _UNITS and digits:
            total, digits = total + Decimal(digits) * _UNITS[letter], ""
        elif letter.isdecimal() or letter == ".":
            digits += letter
        else:
            raise ValueError
    if digits or not rest or total > 10**10:
        raise ValueError
    return sign * timedelta(microseconds=int(total * 1_000_000))


def _as_text(thing: Thing) -> str:
    if not isinstance(thing, str):
        raise TypeError
    return thing


def _contains(thing: Thing, part: Thing) -> bool:
    return _as_text(part) in thing if isinstance(thing, str) else running.inside(part, thing)


def _number(thing: Thing) -> Thing:
    found = number(thing, "")
    if isinstance(found, Unknown):
        raise ValueError
    return found


def _moment(thing: Thing) -> Thing:
    found = moment(thing, "")
    if isinstance(found, Unknown):
        raise ValueError
    return found


def _string(thing: Thing) -> str:
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, Decimal):
        return format(thing, "f")
    if isinstance(thing, list | dict):
        raise TypeError
    return str(thing)


_TEXT = (Sort.TEXT,)
_SIZED = (Sort.TEXT, ListOf, MapOf)
_CALENDAR = (Sort.TIME, Sort.DAY)
_SIMPLE = (Sort.TEXT, Sort.NUMBER, Sort.TRUTH)


def _method(
    apply: Callable[..., Thing], written: str, check: Callable[[Thing], str] | None = None
) -> Function:
    return Function((_TEXT, _TEXT), Sort.TRUTH, apply, written, check=check)


def _part(written: str, read: Callable[[Thing], int]) -> Function:
    return Function((_CALENDAR,), Sort.NUMBER, lambda thing: read(_time_or_day(thing, "")), written)


def _free(
    takes: tuple[Sort | type, ...], gives: Shape, apply: Callable[..., Thing], written: str
) -> Function:
    return Function((takes,), gives, apply, written, method_only=False)


FUNCTIONS: Mapping[str, Function] = {
    "days_since": _free(_CALENDAR, Sort.NUMBER, lambda thing: thing, "days_since(field)"),
    "days_until": _free(_CALENDAR, Sort.NUMBER, lambda thing: thing, "days_until(field)"),
    "size": _free(_SIZED, Sort.NUMBER, len, "size(list) or size(text)"),
    "contains": Function(
        ((Sort.TEXT, ListOf), _SIMPLE),
        Sort.TRUTH,
        _contains,
        'text.contains("part") or list.contains(element)',
    ),
    "startsWith": _method(lambda text, part: _as_text(text).startswith(part), 'text.startsWith("part")'),
    "endsWith": _method(lambda text, part: _as_text(text).endswith(part), 'text.endsWith("part")'),
    "matches": _method(_matches, 'text.matches("pattern")', _check_pattern),
    "lowerAscii": Function((_TEXT,), Sort.TEXT, lambda text: _as_text(text).lower(), "text.lowerAscii()"),
    "int": _free(_SIMPLE, Sort.NUMBER, lambda thing: int(_number(thing)), "int(value)"),
    "double": _free(_SIMPLE, Sort.NUMBER, lambda thing: Decimal(_number(thing)), "double(value)"),
    "string": _free((*_SIMPLE, *_CALENDAR), Sort.TEXT, _string, "string(value)"),
    "timestamp": Function(
        ((Sort.TEXT, Sort.TIME),), Sort.TIME, _moment, 'timestamp("2024-12-31T00:00:00Z")', False, _check_time
    ),
    "duration": Function(((Sort.TEXT,),), Sort.SPAN, _span, 'duration("36h")', False, _check_span),
    "getFullYear": _part("date.getFullYear()", lambda day: int(day.year)),
    "getMonth": _part("date.getMonth(), from 0", lambda day: int(day.month) - 1),
    "getDayOfMonth": _part("date.getDayOfMonth(), from 0", lambda day: int(day.day) - 1),
}

MACROS = ("exists", "all")
