"""Transforms of numbers and money: decimal signs, rounding, cents, one fixed currency."""

from __future__ import annotations

from decimal import Decimal

from trueup.mapping.steps import Step, one, same
from trueup.model.canonical import Locale
from trueup.model.canonical.numbers import currencies, decimal_text, read_decimal
from trueup.model.record import Json
from trueup.model.values import Rejected, Type, Value


def decimal(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
    sign = one(arguments, ".")
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


def rounded(value: Value) -> Json:
    """Half to even: what a field for whole numbers keeps of a fraction."""
    return int(Decimal(value).to_integral_value())


def read_rounded(raw: Json) -> Json | Rejected:
    if isinstance(raw, str) and not raw.strip():
        return raw
    number = read_decimal(raw)
    return number if isinstance(number, Rejected) else rounded(number)


_DIGITS = {
    code: digits
    for digits, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for code in codes.split()
}  # ISO 4217, minor units; all others have 2


def money_minor(arguments: tuple[str, ...], _: Locale, type: Type) -> tuple[Step, Step]:
    word = one(arguments, "2").upper()
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


def money(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
    code = one(arguments, "").upper()
    if code not in currencies():
        raise ValueError("the parameter is a currency code")
    return _in_currency(same, as_number, code)


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
