"""Transforms: every name in the table is two-way, and never raises for data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mapping.strategies import KYIV, RAW, canonical
from trueup.mapping.apply import compile_bindings
from trueup.mapping.check import violations
from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.mapping.schema import FieldRule, ObjectRules
from trueup.mapping.transforms import TRANSFORMS, UnknownTransform, transform
from trueup.model.canonical import Locale, parse
from trueup.model.fields import Field, Kind
from trueup.model.values import Rejected, Type

PAIRS = [
    (name, type)
    for name, entry in TRANSFORMS.items()
    for type in sorted(entry.types)
    if not (name.startswith("money") and type is Type.MONEY)  # these need a currency
]
PARAMETERS = [
    ("money(EUR)", Type.MONEY),
    ("money_minor(JPY)", Type.MONEY),
    ("money_minor(KWD)", Type.DECIMAL),
    ("decimal(comma)", Type.DECIMAL),
    ("date_dmy(.)", Type.DATE),
    ("date_mdy(-)", Type.DATE),
    ("bool_yes_no(Ja, Nein)", Type.BOOL),
    ("joined_list(newline)", Type.TEXTS),
    ("phone_national(US)", Type.PHONE),
    ("lower", Type.TEXTS),
    ("tag", Type.TEXTS),
]


def binding(text: str, type: Type, locale: Locale = KYIV, **rule: Any) -> Binding:
    table = {"x": Field("x", type)}
    rules = ObjectRules("o", Kind.CONTACT, (FieldRule("x", "r", transform=text, **rule),))
    return compile_bindings(rules, table, locale)[0]


def read(text: str, type: Type, raw: Any, locale: Locale = KYIV) -> Any:
    result = binding(text, type, locale).read(raw)
    return result if isinstance(result, Rejected) else result["x"]


def write(text: str, type: Type, value: Any, locale: Locale = KYIV) -> Any:
    return binding(text, type, locale).write({"x": value})


@pytest.mark.parametrize(("text", "type"), PAIRS + PARAMETERS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_transform_obeys_the_laws_for_every_value(text: str, type: Type, data: st.DataObject) -> None:
    table = {"x": Field("x", type)}
    mapping = ObjectMapping("c", "o", Kind.CONTACT, (binding(text, type),), ("r",), frozenset({"r"}))
    value, raw = data.draw(canonical(table["x"])), data.draw(RAW)
    assert violations(mapping.bindings, [{"x": value}], [{"r": raw}], table) == []


@pytest.mark.parametrize(("text", "type"), PAIRS + PARAMETERS)
@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_blank_is_empty_through_every_transform(text: str, type: Type, blank: Any) -> None:
    assert read(text, type, blank) is None


@pytest.mark.parametrize(("text", "type"), PAIRS + PARAMETERS)
def test_an_empty_value_is_written_as_empty(text: str, type: Type) -> None:
    assert write(text, type, None) is None


@pytest.mark.parametrize(
    ("text", "type", "remote", "value"),
    [
        ("text", Type.INT, "7", 7),
        ("lower", Type.EMAIL, "ann@ex.com", "ann@ex.com"),
        ("tag", Type.TEXTS, ["early_bird"], ["early_bird"]),
        ("semicolon_list", Type.TEXTS, "beach;ski", ["beach", "ski"]),
        ("comma_list", Type.TEXTS, "a,b", ["a", "b"]),
        ("joined_list(pipe)", Type.TEXTS, "a|b", ["a", "b"]),
        ("phone_e164", Type.PHONE, "+380671234567", "+380671234567"),
        ("phone_national", Type.PHONE, "067 123 4567", "+380671234567"),
        ("phone_national(US)", Type.PHONE, "(650) 253-0000", "+16502530000"),
        ("date_iso", Type.DATE, "1990-12-31", "1990-12-31"),
        ("date_dmy", Type.DATE, "31/12/1990", "1990-12-31"),
        ("date_dmy(.)", Type.DATE, "31.12.1990", "1990-12-31"),
        ("date_mdy", Type.DATE, "12/31/1990", "1990-12-31"),
        ("epoch_ms", Type.DATETIME, 1704103200123, "2024-01-01T10:00:00.123000Z"),
        ("epoch_s", Type.DATETIME, 1704103200, "2024-01-01T10:00:00Z"),
        ("epoch_ms", Type.DATE, 641520000000, "1990-05-01"),
        ("bool_yes_no", Type.BOOL, "Yes", True),
        ("bool_yes_no(Ja, Nein)", Type.BOOL, "Nein", False),
        ("bool_01", Type.BOOL, 0, False),
        ("bool_text", Type.BOOL, "true", True),
        ("integer", Type.INT, 12, 12),
        ("number", Type.DECIMAL, 12.5, "12.5"),
        ("decimal(comma)", Type.DECIMAL, "1234,5", "1234.5"),
        ("money(EUR)", Type.MONEY, 12.5, {"amount": "12.5", "currency": "EUR"}),
        ("money_minor(EUR)", Type.MONEY, 1250, {"amount": "12.5", "currency": "EUR"}),
        ("money_minor(JPY)", Type.MONEY, 1250, {"amount": "1250", "currency": "JPY"}),
        ("money_minor", Type.DECIMAL, 1250, "12.5"),
        ("country_name", Type.COUNTRY, "Germany", "DE"),
        ("country_iso3", Type.COUNTRY, "DEU", "DE"),
        ("country_iso2", Type.COUNTRY, "DE", "DE"),
        ("language", Type.LANGUAGE, "pt-BR", "pt-BR"),
        ("language_underscore", Type.LANGUAGE, "pt_BR", "pt-BR"),
        ("language_name", Type.LANGUAGE, "German", "de"),
    ],
)
def test_a_transform_reads_and_writes_its_own_form(text: str, type: Type, remote: Any, value: Any) -> None:
    assert read(text, type, remote) == value
    assert write(text, type, value) == remote


@pytest.mark.parametrize(
    ("text", "type", "raw", "value"),
    [
        ("semicolon_list", Type.TEXTS, [" a", "b "], ["a", "b"]),
        ("epoch_ms", Type.DATETIME, "1704103200000", "2024-01-01T10:00:00Z"),
        ("bool_01", Type.BOOL, True, True),
        ("bool_yes_no", Type.BOOL, "false", False),
        ("date_dmy", Type.DATE, "1990-12-31", "1990-12-31"),
        ("decimal(comma)", Type.DECIMAL, 12.5, "12.5"),
    ],
)
def test_a_transform_also_reads_what_cannot_be_mistaken(text: str, type: Type, raw: Any, value: Any) -> None:
    assert read(text, type, raw) == value


def test_day_and_month_keep_their_places() -> None:
    assert read("date_dmy", Type.DATE, "05/06/1990") == "1990-06-05"
    assert read("date_mdy", Type.DATE, "05/06/1990") == "1990-05-06"
    assert isinstance(read("date_mdy", Type.DATE, "31/12/1990"), Rejected)


@pytest.mark.parametrize("text", ["date_mdy", "date_dmy", "date_mdy(slash)", "date_dmy(-)"])
def test_dots_mean_day_month_year_unless_the_transform_is_about_dots(text: str) -> None:
    assert read(text, Type.DATE, "05.06.1990") == "1990-06-05"
    assert read("date_mdy(.)", Type.DATE, "05.06.1990") == "1990-05-06"


def test_a_transform_that_names_its_sign_decides_nothing_about_other_signs() -> None:
    refused = read("date_dmy(.)", Type.DATE, "05/06/1990")
    assert isinstance(refused, Rejected)
    assert "day and month could be either" in refused.reason


@pytest.mark.parametrize(
    ("text", "raw", "reason"),
    [
        ("date_dmy", "09/14/1963", "no such day in the order day, month, year"),
        ("date_mdy", "14/09/1963", "no such day in the order month, day, year"),
        ("date_dmy", "14/09/63", "a year of two digits: the century is not known"),
    ],
)
def test_what_is_wrong_with_a_date_is_said(text: str, raw: str, reason: str) -> None:
    assert read(text, Type.DATE, raw) == Rejected(reason)


def test_an_element_that_holds_the_separator_is_left_out_and_the_rest_is_kept() -> None:
    assert write("semicolon_list", Type.TEXTS, ["a;b", "c"]) == "c"


def test_a_half_cent_and_a_foreign_currency_are_refused_by_a_field_of_cents() -> None:
    assert isinstance(write("money_minor(EUR)", Type.MONEY, {"amount": "0.005", "currency": "EUR"}), Rejected)
    assert isinstance(write("money_minor(EUR)", Type.MONEY, {"amount": "1", "currency": "USD"}), Rejected)


def test_a_number_too_exact_for_json_is_written_as_text() -> None:
    assert write("number", Type.DECIMAL, "9007199254740993.25") == "9007199254740993.25"


def test_an_unknown_name_lists_what_exists_and_guesses_what_was_meant() -> None:
    with pytest.raises(UnknownTransform) as caught:
        transform("semicolonlist", Type.TEXTS, KYIV)
    assert "did you mean `semicolon_list`?" in str(caught.value)
    assert all(name in str(caught.value) for name in TRANSFORMS)


@pytest.mark.parametrize(
    ("text", "type", "says"),
    [
        ("date_dmy", Type.BOOL, "bool_yes_no"),
        ("lower(1)", Type.TEXT, "without parameters"),
        ("money", Type.MONEY, "money(EUR)"),
        ("decimal(x)", Type.DECIMAL, "`dot` or `comma`"),
        ("last_first(pipe)", Type.TEXT, "`comma` or `space`"),
        ("bool_yes_no(Ja)", Type.BOOL, "two words"),
        ("bool_yes_no(a, A)", Type.BOOL, "different"),
    ],
)
def test_a_transform_that_does_not_fit_says_what_would(text: str, type: Type, says: str) -> None:
    with pytest.raises(UnknownTransform, match="(?s).*" + says.replace("(", r"\(").replace(")", r"\)")):
        transform(text, type, KYIV)


def test_national_numbers_need_a_region() -> None:
    with pytest.raises(UnknownTransform, match="phone_region"):
        transform("phone_national", Type.PHONE, Locale())


JOINED = ["joined_list(newline)", "joined_list(tab)", "semicolon_list", "comma_list", "joined_list(->)"]
ODD_SIGNS = st.text(
    st.sampled_from("a b;,->\n\r\t\x0b\x0c\x85\u2028\u2029\u200b\u037e\u0338\u200d"), max_size=12
)


@pytest.mark.parametrize("text", JOINED)
@settings(deadline=None, max_examples=300)
@given(raw=ODD_SIGNS | st.lists(ODD_SIGNS, max_size=4), value=st.lists(ODD_SIGNS, max_size=4))
def test_what_a_joined_list_holds_is_read_again_whatever_signs_stand_in_it(
    text: str, raw: Any, value: list[str]
) -> None:
    field = Field("x", Type.TEXTS)
    one = binding(text, Type.TEXTS)
    assert violations([one], [{"x": parse(field, value, KYIV)}], [{"r": raw}], {"x": field}) == []


@pytest.mark.parametrize("sign", ["\r", "\r\n", "\x0b", "\x85", "\u2028"])
def test_a_line_break_of_any_kind_counts_as_the_separator_newline(sign: str) -> None:
    reads = binding("joined_list(newline)", Type.TEXTS).read
    assert reads(f"a{sign}b\nc") == {"x": ["a", "b", "c"]}
    assert isinstance(reads([f"0{sign}0"]), Rejected)
    assert reads(["a", "b"]) == {"x": ["a", "b"]}


def test_a_separator_that_begins_as_it_ends_is_refused() -> None:
    with pytest.raises(UnknownTransform, match="begins as it ends"):
        transform("joined_list(||)", Type.TEXTS, KYIV)


def test_a_number_has_the_same_bound_however_it_is_written() -> None:
    reads = binding("money(EUR)", Type.MONEY).read
    assert isinstance(reads(1e38), Rejected)
    assert isinstance(reads("1" + "0" * 38), Rejected)
