"""Truth values, whole numbers, decimals and money. Decimals are text: exact, without exponent."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache

import pycountry

from trueup.model.canonical.locale import AUTO
from trueup.model.canonical.text import described
from trueup.model.record import Json
from trueup.model.values import Rejected

_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE = frozenset({"false", "no", "off", "0", "n", "f"})
_LARGEST = 2**63 - 1
_MAX_DIGITS = 38  # what databases keep of a decimal (NUMERIC(38))
_SPACES = re.compile("[ \u00a0\u2009\u202f'\u2019]")
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_GROUPED = {sign: re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+") for sign in ".,"}
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_SPACED = re.compile("[+-]?\\d{1,3}(?:[ \u00a0\u2009\u202f'\u2019]\\d{3})+(?:[.,]\\d*)?")
_AMBIGUOUS_COMMA = Rejected(
    "the comma may group thousands or mark decimals; `transform: decimal(comma)` says which"
)
_MONEY = re.compile(r"(?:([A-Za-z]{3})\s*)?([+-]?[\d.,'\s]*\d)(?:\s*([A-Za-z]{3}))?")


def read_bool(raw: Json) -> bool | Rejected:
    """true/false, yes/no, on/off, 1/0, y/n, t/f in any case."""
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else str(raw) if isinstance(raw, int) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    return Rejected(f"expected true or false, found {_other(raw)}")


def read_int(raw: Json, sign: str = AUTO) -> int | Rejected:
    """A whole number of at most 64 bits; `12.0` is one, `12.5` is not."""
    if type(raw) is int:
        return raw if -_LARGEST <= raw <= _LARGEST else Rejected("a number beyond 64 bits")
    if isinstance(raw, str) and len(raw) < 19 and raw.isascii() and raw.isdigit():
        return int(raw)
    number = _decimal(raw, sign)
    if isinstance(number, Rejected):
        return number
    if number != number.to_integral_value():
        return Rejected("expected a whole number, found a fraction")
    return int(number) if abs(number) <= _LARGEST else Rejected("a number beyond 64 bits")


def read_decimal(raw: Json, sign: str = AUTO) -> str | Rejected:
    """A decimal number as text. A comma may be the decimal sign where it cannot be anything else."""
    number = _decimal(raw, sign)
    return number if isinstance(number, Rejected) else decimal_text(number)


def decimal_text(number: Decimal) -> str:
    """Without exponent, without zeros that say nothing: 12.50 is `12.5`, -0 is `0`."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def read_money(raw: Json, sign: str = AUTO) -> dict[str, str] | Rejected:
    """`{"amount": …, "currency": …}`, or text that names its currency by code (`12.50 EUR`)."""
    if isinstance(raw, dict):
        amount, code = raw.get("amount"), raw.get("currency")
    elif isinstance(raw, str) and (found := _MONEY.fullmatch(raw.strip())):
        amount, code = found[2], found[1] or found[3]
    else:
        return Rejected(f"expected an amount with its currency, found {described(raw)}")
    if not isinstance(code, str) or code.upper() not in currencies():
        return Rejected("an amount without a currency code of ISO 4217")
    number = read_decimal(amount, sign)
    return number if isinstance(number, Rejected) else {"amount": number, "currency": code.upper()}


@cache
def currencies() -> frozenset[str]:
    """The currency codes of ISO 4217."""
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


def _decimal(raw: Json, sign: str) -> Decimal | Rejected:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        return Rejected(f"expected a number, found {described(raw)}")
    if isinstance(raw, int) and raw.bit_length() > 128:
        return Rejected("a number of too many digits")
    text = _plain_text(raw.strip(), sign) if isinstance(raw, str) else str(raw)
    if isinstance(text, Rejected):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Rejected("not a number")
    return _bounded(number)


def _bounded(number: Decimal) -> Decimal | Rejected:
    if not number.is_finite():
        return Rejected("not a number")
    if number and max(abs(number.adjusted()) + 1, len(number.as_tuple().digits)) > _MAX_DIGITS:
        return Rejected("a number of too many digits")
    return number if number else Decimal(0)


def _plain_text(text: str, sign: str) -> str | Rejected:
    """The number with `.` as its decimal sign and no grouping."""
    if len(text) > 100:
        return Rejected("a number of too many digits")
    if not text.isascii() or not text[:1].isdigit():
        text = text.replace("\u2212", "-")
    if _SPACES.search(text):
        if not _SPACED.fullmatch(text):
            return Rejected("not a number")
        text = _SPACES.sub("", text)
    if sign == AUTO:
        if _AMBIGUOUS.fullmatch(text):
            return _AMBIGUOUS_COMMA
        sign = _sign_of(text)
    text = _ungrouped(text, "." if sign == "," else ",")
    text = text.replace(",", ".") if sign == "," else text
    return text if text.isascii() and _PLAIN.fullmatch(text) else Rejected("not a number")


def _sign_of(text: str) -> str:
    """Which of `.` and `,` marks the decimals: the last one, unless it repeats (then it groups)."""
    dot, comma = text.rfind("."), text.rfind(",")
    if dot < 0 and comma < 0:
        return "."
    last = "." if dot > comma else ","
    other = "," if last == "." else "."
    return other if text.count(last) > 1 else last


def _ungrouped(text: str, group: str) -> str:
    whole = text.split("," if group == "." else ".")[0]
    return text.replace(group, "") if _GROUPED[group].fullmatch(whole) else text


def _other(raw: Json) -> str:
    return "another word" if isinstance(raw, str) else described(raw)
