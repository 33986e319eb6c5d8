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
from typing import TypeAlias

from rapidfuzz import process

from trueup.model.canonical import Locale, clean
from trueup.model.canonical.moments import day, moment_of, moment_text, read_date
from trueup.model.canonical.numbers import currencies, decimal_text, read_bool, read_decimal
from trueup.model.canonical.phones import national, read_phone
from trueup.model.canonical.places import country_iso3, country_name, language_name, read_language
from trueup.model.canonical.text import described, read_text
from trueup.model.record import Json
from trueup.model.values import Rejected, Type, Value

Step: TypeAlias = Callable[[Json], Json | Rejected]
Make: TypeAlias = Callable[[tuple[str, ...], Locale, Type], tuple[Step, Step]]


@dataclass(frozen=True, slots=True)
class Transform:
    """One named pair of steps. `whole`: of a set it takes the list as a whole, not each element."""

    name: str
    read: Step
    write: Step
    whole: bool = False


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
    try:
        read, write = entry.make(_arguments(found[2]), locale, type)
    except (ValueError, TypeError) as error:
        wanted = f"{name}({entry.parameters})" if entry.parameters else f"{name} without parameters"
        raise UnknownTransform(f"`{text}`: {error}; it is written {wanted}") from None
    return Transform(name, read, write, entry.whole)


def _unknown(name: str) -> str:
    near = process.extractOne(name, list(TRANSFORMS), score_cutoff=70)
    meant = f"; did you mean `{near[0]}`?" if near else ""
    return f"there is no transform `{name}`{meant} There are: {', '.join(TRANSFORMS)}"


def _arguments(inside: str | None) -> tuple[str, ...]:
    if inside is None or not inside.strip():
        return () if inside is None or inside == "" else (inside,)
    parts = [inside] if len(inside) == 1 else inside.split(",")
    return tuple(_SIGNS.get(part.strip(), part.strip() or part) for part in parts)


def _nothing_to_set(arguments: tuple[str, ...]) -> None:
    if arguments:
        raise ValueError("takes no parameters")


def _one(arguments: tuple[str, ...], default: str) -> str:
    if len(arguments) > 1:
        raise ValueError("takes one parameter")
    return arguments[0] if arguments else default


def _same(raw: Json) -> Json:
    return raw


def _plain(read: Step, write: Step) -> Make:
    """A transform without parameters."""

    def make(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
        _nothing_to_set(arguments)
        return read, write

    return make


def _cased(change: Callable[[str], str]) -> Make:
    def step(raw: Json) -> Json:
        previous = None
        if isinstance(raw, int | float):
            raw = _as_text(raw) if isinstance(raw, bool) else read_text(raw)
        while isinstance(raw, str) and raw != previous:
            previous, raw = raw, clean(change(raw))
        return raw

    return _plain(step, step)


def _as_text(value: Value) -> Json:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _joined(default: str) -> Make:
    """A list as one text. An element that holds the separator cannot be kept there and is left out."""

    def make(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
        sign = _one(arguments, default)

        def read(raw: Json) -> Json | Rejected:
            if isinstance(raw, list | tuple):
                held = any(sign in str(element) for element in raw)
                return Rejected(f"an element holds the separator `{sign}`") if held else raw
            if not isinstance(raw, str):
                return Rejected(f"expected elements separated by `{sign}`, found {described(raw)}")
            return raw.split(sign)

        def write(value: Value) -> Json:
            return sign.join(str(element) for element in value if sign not in str(element)) or None

        return read, write

    return make


def _without_extension(value: Value) -> Json:
    return str(value).partition(";ext=")[0]


def _phone_national(arguments: tuple[str, ...], locale: Locale, _: Type) -> tuple[Step, Step]:
    region = _one(arguments, locale.phone_region).upper()
    if not region:
        raise ValueError("needs a region, or `phone_region` in the connection or hub.yaml")

    def read(raw: Json) -> Json | Rejected:
        return read_phone(clean(raw), region) if isinstance(raw, str) and _A_DIGIT.search(raw) else raw

    def write(value: Value) -> Json:
        return national(str(value), region)

    return read, write


def _date_ordered(order: str, default: str) -> Make:
    def make(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
        sign = _one(arguments, default)
        shape = re.compile(r"(\d{1,2})[./ -](\d{1,2})[./ -](\d{4})", re.ASCII)

        def read(raw: Json) -> Json | Rejected:
            found = shape.fullmatch(raw.strip()) if isinstance(raw, str) else None
            if found is None:
                return _unordered_date(raw, order)
            first, second, year = found.groups()
            return day(year, second, first) if order == "dmy" else day(year, first, second)

        def write(value: Value) -> Json:
            year, month, of_month = str(value).split("-")
            return sign.join((of_month, month, year) if order == "dmy" else (month, of_month, year))

        return read, write

    return make


def _unordered_date(raw: Json, order: str) -> Json | Rejected:
    """A date that begins with its year needs no order; blanks stay blanks."""
    if not isinstance(raw, str):
        return Rejected(f"expected a date, found {described(raw)}")
    if not raw.strip() or re.match(r"\d{4}\D", raw.strip()):
        return raw
    return raw if not raw.strip()[0].isdigit() else Rejected(f"not a date in the order {order}")


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

    return _plain(read, write)


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


def _decimal(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
    sign = _one(arguments, ".")
    if sign not in (".", ","):
        raise ValueError("the decimal sign is `dot` or `comma`")

    def read(raw: Json) -> Json | Rejected:
        return raw if isinstance(raw, str) and not raw.strip() else read_decimal(raw, sign)

    return read, lambda value: str(value).replace(".", sign)


def as_number(value: Value) -> Json:
    """A canonical number as a JSON number, or as text where a JSON number would lose digits."""
    if isinstance(value, int):
        return value
    number = Decimal(value)
    if number == number.to_integral_value():
        return int(number) if abs(number) < 2**53 else str(value)
    return float(number) if Decimal(repr(float(number))) == number else str(value)


def _rounded(value: Value) -> Json:
    """Half to even: what a field for whole numbers keeps of a fraction."""
    return int(Decimal(value).to_integral_value())


def _read_rounded(raw: Json) -> Json | Rejected:
    if isinstance(raw, str) and not raw.strip():
        return raw
    number = read_decimal(raw)
    return number if isinstance(number, Rejected) else _rounded(number)


_DIGITS = {
    code: digits
    for digits, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for code in codes.split()
}  # ISO 4217, minor units; all others have 2


def _money_minor(arguments: tuple[str, ...], _: Locale, type: Type) -> tuple[Step, Step]:
    word = _one(arguments, "2").upper()
    if word not in currencies() and word not in ("0", "1", "2", "3", "4"):
        raise ValueError("the parameter is a currency code or a number of digits")
    digits = int(word) if word.isdigit() else _DIGITS.get(word, 2)
    code = word if type is Type.MONEY else ""
    if code.isdigit():
        raise ValueError("money needs the code of its currency")

    def read(raw: Json) -> Json | Rejected:
        if isinstance(raw, str) and not raw.strip():
            return raw
        amount = read_decimal(raw)
        if isinstance(amount, Rejected):
            return amount
        return decimal_text(Decimal(amount).scaleb(-digits))

    def write(value: Value) -> Json | Rejected:
        minor = Decimal(value).scaleb(digits)
        if minor != minor.to_integral_value():
            return Rejected(f"an amount with more than {digits} decimal digits")
        return int(minor)

    return _in_currency(read, write, code)


def _money(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
    code = _one(arguments, "").upper()
    if code not in currencies():
        raise ValueError("the parameter is a currency code")
    return _in_currency(_same, as_number, code)


def _in_currency(read: Step, write: Step, code: str) -> tuple[Step, Step]:
    """The steps for a plain amount, and for money of this one currency."""

    def read_money(raw: Json) -> Json | Rejected:
        amount = read(raw)
        if not code or isinstance(amount, Rejected) or (isinstance(amount, str) and not amount.strip()):
            return amount
        return {"amount": amount, "currency": code}

    def write_money(value: Value) -> Json | Rejected:
        if not isinstance(value, dict):
            return write(value)
        if value["currency"] != code:
            return Rejected(f"an amount in another currency than {code or 'the one that is set'}")
        return write(value["amount"])

    return read_money, write_money


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
    "text": _entry("as text, whatever it is", _TEXTS | _NUMBERS | {Type.BOOL}, _plain(_same, _as_text)),
    "lower": _entry("in lower case there", _TEXTS, _cased(str.lower)),
    "upper": _entry("in upper case there", _TEXTS, _cased(str.upper)),
    "semicolon_list": _entry("one text, elements between `;`", _SETS, _joined(";")),
    "comma_list": _entry("one text, elements between `,`", _SETS, _joined(",")),
    "joined_list": _entry("one text, elements between a sign of choice", _SETS, _joined("|"), "pipe"),
    "phone_e164": _entry("E.164, without the extension", Type.PHONE, _plain(_same, _without_extension)),
    "phone_national": _entry("as written inside a country", Type.PHONE, _phone_national, "UA"),
    "date_iso": _entry("YYYY-MM-DD", Type.DATE, _plain(_read_date, _same)),
    "date_dmy": _entry("day, month, year", Type.DATE, _date_ordered("dmy", "/"), "slash"),
    "date_mdy": _entry("month, day, year", Type.DATE, _date_ordered("mdy", "/"), "slash"),
    "epoch_ms": _entry("milliseconds since 1970, UTC", _DAYS, _epoch(1000)),
    "epoch_s": _entry("seconds since 1970, UTC", _DAYS, _epoch(1)),
    "bool_yes_no": _entry("Yes and No, or other words", Type.BOOL, _bool_words(("Yes", "No")), "Ja, Nein"),
    "bool_01": _entry("1 and 0", Type.BOOL, _bool_words((1, 0))),
    "bool_text": _entry("the words true and false", Type.BOOL, _bool_words(("true", "false"))),
    "integer": _entry("a whole number, fractions rounded", _NUMBERS, _plain(_read_rounded, _rounded)),
    "number": _entry("a JSON number", _NUMBERS, _plain(_same, as_number)),
    "decimal": _entry("text with this decimal sign", _NUMBERS, _decimal, "comma"),
    "money": _entry("a plain amount, always in this currency", Type.MONEY, _money, "EUR"),
    "money_minor": _entry(
        "a whole number of cents", frozenset({Type.MONEY, Type.DECIMAL}), _money_minor, "EUR"
    ),
    "country_iso2": _entry("DE", Type.COUNTRY, _plain(_same, _same)),
    "country_iso3": _entry("DEU", Type.COUNTRY, _plain(_same, country_iso3)),
    "country_name": _entry("Germany", Type.COUNTRY, _plain(_same, country_name)),
    "language": _entry("pt-BR", Type.LANGUAGE, _plain(_same, _same)),
    "language_underscore": _entry("pt_BR", Type.LANGUAGE, _plain(_same, _underscored)),
    "language_name": _entry("Portuguese", Type.LANGUAGE, _plain(_same, _language_name)),
    "full_name": _entry("a name in one text: Ann Smith", Type.TEXT, _plain(_same, _same)),
    "last_first": _entry("a name in one text: Smith, Ann", Type.TEXT, _plain(_same, _same)),
}
"""Every transform by name, in the order in which the documentation lists them."""
