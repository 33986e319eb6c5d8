"""Dates and points in time. A date is a date: no zone ever moves it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from trueup.model.canonical.text import described
from trueup.model.record import Json
from trueup.model.values import Rejected

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?", re.ASCII | re.DOTALL)
_SLASHED = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)", re.ASCII)
_DOTTED = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_EITHER = re.compile(r"\d\d?[/-]\d\d?[/-]\d{2,4}", re.ASCII)
_CANONICAL = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.0+)?(?:Z|\+00:?00)", re.ASCII)
_SHAPES = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,12})?)?(?: ?(?:Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII,
)

_NO_DATE = Rejected("not a date (YYYY-MM-DD)")
_NO_SUCH_DAY = Rejected("a date that no calendar has")
_AMBIGUOUS = Rejected("day and month could be either; `transform: date_dmy` or `date_mdy` says which")
_NO_TIME = Rejected("not a point in time (YYYY-MM-DDTHH:MM:SSZ)")


def read_date(raw: Json) -> str | Rejected:
    """`YYYY-MM-DD`. Of a point in time the day is taken as it is written, in whatever zone it is."""
    if not isinstance(raw, str):
        return Rejected(f"expected a date, found {described(raw)}")
    text = raw.strip()
    if found := _ISO.fullmatch(text) or _SLASHED.fullmatch(text) or _COMPACT.fullmatch(text):
        return day(found[1], found[2], found[3])
    if found := _DOTTED.fullmatch(text):
        return day(found[3], found[2], found[1])
    return _AMBIGUOUS if _EITHER.fullmatch(text) else _NO_DATE


def day(year: str | int, month: str | int, of_month: str | int) -> str | Rejected:
    """The canonical date of these three, if there is such a day."""
    try:
        return date(int(year), int(month), int(of_month)).isoformat()
    except ValueError:
        return _NO_SUCH_DAY


def read_moment(raw: Json, zone: str) -> str | Rejected:
    """UTC with `Z`. A time without an offset is in `zone`; a date alone is its midnight there."""
    if not isinstance(raw, str):
        return Rejected(f"expected a point in time, found {described(raw)}")
    text = raw.strip()
    if (utc := _CANONICAL.fullmatch(text)) and _is_time(utc[1]):
        return f"{utc[1]}Z"
    if not _SHAPES.fullmatch(text):
        return _NO_TIME
    try:
        moment = datetime.fromisoformat(_for_python(text))
        return moment_text(moment if moment.tzinfo else moment.replace(tzinfo=_zone(zone)))
    except (ValueError, OverflowError):
        return _NO_TIME


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _for_python(text: str) -> str:
    text = text.replace(",", ".")
    if text.endswith(("UTC", "GMT")):
        text = text[:-3].rstrip() + "Z"
    return f"{text[:10]}T{text[11:].replace(' ', '')}" if len(text) > 10 else text


def moment_text(moment: datetime) -> str:
    """The canonical text of an aware time."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def moment_of(text: str) -> datetime:
    """The aware time of a canonical text."""
    return datetime.fromisoformat(text)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day_in_zone(text: str, zone: str) -> str:
    """The date that a canonical point in time falls on in `zone`."""
    return moment_of(text).astimezone(_zone(zone)).date().isoformat()
