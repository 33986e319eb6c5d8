"""Named transforms: two-way, by table. What a file can say behind `transform:`.

A transform stands between a system's form and what `canonical.parse` reads. `read` takes a remote value
(never None) and gives a raw one, `write` takes a canonical value (never None) and gives the remote one.
Both answer Rejected instead of raising. Law: parse(read(write(v))) is a fixed point for every v.
Parameters stand in brackets: `date_dmy(.)`, `decimal(comma)`, `money_minor(EUR)`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rapidfuzz import process

from trueup.mapping.amounts import as_number, decimal, money, money_minor, read_rounded, rounded
from trueup.mapping.steps import Make, Step, one, plain, same
from trueup.model.canonical import Locale, clean
from trueup.model.canonical.moments import day, moment_of, moment_text, read_date
from trueup.model.canonical.numbers import read_bool, read_decimal
from trueup.model.canonical.phones import national, read_phone
from trueup.model.canonical.places import country_iso3, country_name, language_name, read_language
from trueup.model.canonical.text import described, read_text
from trueup.model.record import Json
from trueup.model.values import Rejected, Type, Value


@dataclass(frozen=True, slots=True)
class Transform:
    """One named pair of steps. `whole`: of a set it takes the list as a whole, not each element.
    `arguments`: what stood in brackets, signs as themselves."""

    name: str
    read: Step
    write: Step
    whole: bool = False
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table: which types of fields a name is for, its parameters, how it is made."""

    says: str
    types: frozenset[Type]
    make: Make
    parameters: str = ""
    whole: bool = False


class UnknownTransform(ValueError):
    """The name, its parameters or the field's type do not fit. The message says what would."""


_TEXTS = frozenset({Type.TEXT, Type.EMAIL, Type.CHOICE, Type.URL, Type.COUNTRY, Type.LANGUAGE, Type.ZONE})
_SETS = frozenset({Type.TEXTS, Type.EMAILS, Type.PHONES, Type.REFERENCES})
_SIGNS = {
    "comma": ",",
    "dot": ".",
    "point": ".",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
    "slash": "/",
    "dash": "-",
    "newline": "\n",
    "tab": "\t",
}
_CALL = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_A_DIGIT = re.compile(r"\d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def transform(text: str, type: Type, locale: Locale) -> Transform:
    """The transform that `text` names, for a field of this type. Raises UnknownTransform."""
    found = _CALL.fullmatch(text)
    name = found[1] if found else text
    entry = TRANSFORMS.get(name)
    if found is None or entry is None:
        raise UnknownTransform(_unknown(name))
    if type not in entry.types and (entry.whole or not type.is_set or type.element not in entry.types):
        fitting = ", ".join(name for name, entry in TRANSFORMS.items() if type in entry.types)
        raise UnknownTransform(f"`{name}` is not for fields of type {type}; for these there are: {fitting}")
    arguments = _arguments(found[2])
    try:
        read, write = entry.make(arguments, locale, type)
    except (ValueError, TypeError) as error:
        wanted = f"{name}({entry.parameters})" if entry.parameters else f"{name} without parameters"
        raise UnknownTransform(f"`{text}`: {error}; it is written {wanted}") from None
    return Transform(name, read, write, entry.whole, arguments)


def _unknown(name: str) -> str:
    near = process.extractOne(name, list(TRANSFORMS), score_cutoff=70)
    meant = f"; did you mean `{near[0]}`?" if near else ""
    return f"there is no transform `{name}`{meant} There are: {', '.join(TRANSFORMS)}"


def _arguments(inside: str | None) -> tuple[str, ...]:
    if inside is None or not inside.strip():
        return () if inside is None or inside == "" else (inside,)
    parts = [inside] if len(inside) == 1 else inside.split(",")
    return tuple(_SIGNS.get(part.strip(), part.strip() or part) for part in parts)


def _cased(change: Callable[[str], str]) -> Make:
    def step(raw: Json) -> Json:
        previous = None
        if isinstance(raw, int | float):
            raw = _as_text(raw) if isinstance(raw, bool) else read_text(raw)
        while isinstance(raw, str) and raw != previous:
            previous, raw = raw, clean(change(raw))
        return raw

    return plain(step, step)


def _without_blanks(text: str) -> str:
    return "_".join(text.lower().split())


def _as_text(value: Value) -> Json:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _joined(default: str) -> Make:
    """A list as one text. An element that holds the separator cannot be kept there and is left out.

    What becomes the separator when it is read as text (any line break becomes `\\n`, a Greek question mark
    `;`) separates, too: else an element would hold it that was read, and could not be written back.
    """

    def make(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
        sign = one(arguments, default)
        if any(sign[:size] == sign[-size:] for size in range(1, len(sign))):
            raise ValueError(f"`{sign}` begins as it ends: beside such a sign an end is not told from it")

        def read(raw: Json) -> Json | Rejected:
            if isinstance(raw, list | tuple):
                held = any(sign in str(element) or sign in clean(str(element)) for element in raw)
                return Rejected(f"an element holds the separator `{sign}`") if held else raw
            if not isinstance(raw, str):
                return Rejected(f"expected elements separated by `{sign}`, found {described(raw)}")
            return [part for piece in raw.split(sign) for part in clean(piece).split(sign)]

        def write(value: Value) -> Json:
            return sign.join(str(element) for element in value if sign not in str(element)) or None

        return read, write

    return make


def _between_names(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
    if one(arguments, ",") not in (",", " "):
        raise ValueError("takes `comma` or `space`")
    return same, same


def _without_extension(value: Value) -> Json:
    return str(value).partition(";ext=")[0]


def _phone_national(arguments: tuple[str, ...], locale: Locale, _: Type) -> tuple[Step, Step]:
    region = one(arguments, locale.phone_region).upper()
    if not region:
        raise ValueError("needs a region, or `phone_region` in the connection or hub.yaml")

    def read(raw: Json) -> Json | Rejected:
        return read_phone(clean(raw), region) if isinstance(raw, str) and _A_DIGIT.search(raw) else raw

    def write(value: Value) -> Json:
        return national(str(value), region)

    return read, write


def _date_ordered(order: str, default: str) -> Make:
    def make(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
        sign = one(arguments, default)
        no_such_day = Rejected(f"no such day in the order {_ORDERS[order]}")
        signs = re.escape(sign) if arguments else "/ -"
        shape = re.compile(rf"(\d{{1,2}})[{signs}](\d{{1,2}})[{signs}](\d{{4}})", re.ASCII)

        def read(raw: Json) -> Json | Rejected:
            found = shape.fullmatch(raw.strip()) if isinstance(raw, str) else None
            if found is None:
                return _unordered_date(raw, order)
            first, second, year = found.groups()
            said = day(year, second, first) if order == "dmy" else day(year, first, second)
            return no_such_day if isinstance(said, Rejected) else said

        def write(value: Value) -> Json:
            year, month, of_month = str(value).split("-")
            return sign.join((of_month, month, year) if order == "dmy" else (month, of_month, year))

        return read, write

    return make


_ORDERS = {"dmy": "day, month, year", "mdy": "month, day, year"}
_TWO_DIGITS = re.compile(r"\d{1,2}[./ -]\d{1,2}[./ -]\d{2}", re.ASCII)


def _unordered_date(raw: Json, order: str) -> Json | Rejected:
    """What is written with other signs than the transform's is read as without it: a date that begins with
    its year needs no order, dots mean day, month, year; blanks stay blanks."""
    if not isinstance(raw, str):
        return Rejected(f"expected a date, found {described(raw)}")
    if _TWO_DIGITS.fullmatch(raw.strip()):
        return Rejected("a year of two digits: the century is not known")
    return raw


def _epoch(per_second: int) -> Make:
    step = timedelta(microseconds=10**6 // per_second)

    def read(raw: Json) -> Json | Rejected:
        if isinstance(raw, str) and not raw.strip():
            return raw
        number = read_decimal(raw)
        if isinstance(number, Rejected):
            return Rejected(f"expected a number of {'milli' if per_second > 1 else ''}seconds since 1970")
        try:
            return moment_text(_EPOCH + math.floor(Decimal(number)) * step)
        except (OverflowError, ValueError):
            return Rejected("a time that no calendar has")

    def write(value: Value) -> Json:
        text = str(value)
        moment = moment_of(text) if "T" in text else moment_of(f"{text}T00:00:00+00:00")
        return (moment - _EPOCH) // step

    return plain(read, write)


def _bool_words(default: tuple[Json, Json]) -> Make:
    def make(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
        if arguments and len(arguments) != 2:
            raise ValueError("takes two words")
        yes, no = arguments or default
        words = {str(yes).casefold(): True, str(no).casefold(): False}
        if len(words) != 2:
            raise ValueError("takes two different words")

        def read(raw: Json) -> Json | Rejected:
            if isinstance(raw, str) and not raw.strip():
                return raw
            known = words.get(str(raw).strip().casefold()) if isinstance(raw, str | int) else None
            return read_bool(raw) if known is None else known

        return read, lambda value: yes if value else no

    return make


def _read_date(raw: Json) -> Json | Rejected:
    return raw if isinstance(raw, str) and not raw.strip() else read_date(raw)


def _language_name(value: Value) -> Json:
    """The name where it is read as the same language again; else the tag (languages of few speakers)."""
    name = language_name(str(value))
    return name if read_language(name) == str(value).split("-")[0] else value


def _underscored(value: Value) -> Json:
    return str(value).replace("-", "_")


def _entry(says: str, types: frozenset[Type] | Type, make: Make, parameters: str = "") -> Entry:
    whole = types is _SETS
    return Entry(says, types if isinstance(types, frozenset) else frozenset({types}), make, parameters, whole)


_NUMBERS = frozenset({Type.INT, Type.DECIMAL})
_DAYS = frozenset({Type.DATE, Type.DATETIME})

TRANSFORMS: Mapping[str, Entry] = {
    "text": _entry("as text, whatever it is", _TEXTS | _NUMBERS | {Type.BOOL}, plain(same, _as_text)),
    "lower": _entry("in lower case there", _TEXTS, _cased(str.lower)),
    "upper": _entry("in upper case there", _TEXTS, _cased(str.upper)),
    "tag": _entry("in lower case there, `_` for blanks", _TEXTS, _cased(_without_blanks)),
    "semicolon_list": _entry("one text, elements between `;`", _SETS, _joined(";")),
    "comma_list": _entry("one text, elements between `,`", _SETS, _joined(",")),
    "joined_list": _entry("one text, elements between a sign of choice", _SETS, _joined("|"), "pipe"),
    "phone_e164": _entry("E.164, without the extension", Type.PHONE, plain(same, _without_extension)),
    "phone_national": _entry("as written inside a country", Type.PHONE, _phone_national, "UA"),
    "date_iso": _entry("YYYY-MM-DD", Type.DATE, plain(_read_date, same)),
    "date_dmy": _entry("day, month, year", Type.DATE, _date_ordered("dmy", "/"), "slash"),
    "date_mdy": _entry("month, day, year", Type.DATE, _date_ordered("mdy", "/"), "slash"),
    "epoch_ms": _entry("milliseconds since 1970, UTC", _DAYS, _epoch(1000)),
    "epoch_s": _entry("seconds since 1970, UTC", _DAYS, _epoch(1)),
    "bool_yes_no": _entry("Yes and No, or other words", Type.BOOL, _bool_words(("Yes", "No")), "Ja, Nein"),
    "bool_01": _entry("1 and 0", Type.BOOL, _bool_words((1, 0))),
    "bool_text": _entry("the words true and false", Type.BOOL, _bool_words(("true", "false"))),
    "integer": _entry("a whole number, fractions rounded", _NUMBERS, plain(read_rounded, rounded)),
    "number": _entry("a JSON number", _NUMBERS, plain(same, as_number)),
    "decimal": _entry("text with this decimal sign", _NUMBERS, decimal, "comma"),
    "money": _entry("a plain amount, always in this currency", Type.MONEY, money, "EUR"),
    "money_minor": _entry(
        "a whole number of cents", frozenset({Type.MONEY, Type.DECIMAL}), money_minor, "EUR"
    ),
    "country_iso2": _entry("DE", Type.COUNTRY, plain(same, same)),
    "country_iso3": _entry("DEU", Type.COUNTRY, plain(same, country_iso3)),
    "country_name": _entry("Germany", Type.COUNTRY, plain(same, country_name)),
    "language": _entry("pt-BR", Type.LANGUAGE, plain(same, same)),
    "language_underscore": _entry("pt_BR", Type.LANGUAGE, plain(same, _underscored)),
    "language_name": _entry("Portuguese", Type.LANGUAGE, plain(same, _language_name)),
    "full_name": _entry("a name in one text: Ann Smith", Type.TEXT, plain(same, same)),
    "last_first": _entry("a name in one text: Smith, Ann", Type.TEXT, _between_names, "space"),
}
"""Every transform by name, in the order in which the documentation lists them."""
