"""Canonical values of every type, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from trueup.model.canonical import Locale, parse
from trueup.model.fields import ADDRESS_PARTS, Field
from trueup.model.values import Rejected, Type

KYIV = Locale("UA", "Europe/Kyiv")

_RAW: dict[Type, st.SearchStrategy[Any]] = {
    Type.TEXT: st.text(max_size=40),
    Type.EMAIL: st.emails() | st.sampled_from(["Ann@ex.com", "анна@пример.укр", "o'hara+x@ex.co.uk"]),
    Type.PHONE: st.sampled_from(["067 123 45 67", "+16502530000 x12", "+39021234567", "+4989123456"]),
    Type.URL: st.sampled_from(["acme.com", "https://bücher.de/a?b=c", "HTTP://ACME.com:8080/X"]),
    Type.DATE: st.dates().map(str),
    Type.DATETIME: st.datetimes().map(str),
    Type.BOOL: st.booleans(),
    Type.INT: st.integers(-(2**63) + 1, 2**63 - 1),
    Type.DECIMAL: st.decimals(-(10**15), 10**15, places=6).map(str),
    Type.MONEY: st.builds(
        lambda amount, code: {"amount": str(amount), "currency": code},
        st.decimals(0, 10**9, places=2),
        st.sampled_from(["EUR", "JPY", "KWD"]),
    ),
    Type.CHOICE: st.sampled_from(["gold", "standard"]),
    Type.COUNTRY: st.sampled_from(["DE", "US", "UA", "XK", "NA", "CI", "KR", "TW"]),
    Type.LANGUAGE: st.sampled_from(["de", "pt-BR", "zh-Hans-CN", "uk", "no", "el", "he"]),
    Type.ZONE: st.sampled_from(["Europe/Kyiv", "UTC", "America/New_York"]),
    Type.ADDRESS: st.dictionaries(st.sampled_from(ADDRESS_PARTS[:-1]), st.text(max_size=20), max_size=4)
    | st.fixed_dictionaries({"city": st.sampled_from(["Ulm", "ULM", "Łódź"]), "country": st.just("DE")}),
    Type.REFERENCE: st.integers(1, 10**9).map(str),
}


def canonical(field: Field, locale: Locale = KYIV) -> st.SearchStrategy[Any]:
    """Canonical values of a field, None among them."""
    if field.type.is_set:
        raw: st.SearchStrategy[Any] = st.lists(_RAW[field.type.element], max_size=5)
    else:
        raw = _RAW[field.type]
    values = raw.map(lambda each: parse(field, each, locale))
    return st.none() | values.filter(lambda value: not isinstance(value, Rejected))


RAW = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=True),
    st.text(max_size=30),
    st.sampled_from(["", " ", "N/A", "Unknown", "Yes", "1", "01.02.2003", "2/3/2004", "a;b, c|d", "12,5"]),
    st.lists(st.text(max_size=6) | st.integers(), max_size=4),
    st.dictionaries(st.sampled_from(["amount", "currency", "status", "at"]), st.text(max_size=6), max_size=2),
)
"""What systems may send where something else is expected."""
