"""The canonical forms: what each type makes of what systems send."""

from __future__ import annotations

import unicodedata
from typing import Any

import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.model.canonical import Locale, clean, comparable, is_placeholder, parse, same
from trueup.model.canonical.places import country_iso3, country_name
from trueup.model.fields import Field
from trueup.model.values import Rejected, Type

KYIV = Locale("UA", "Europe/Kyiv")

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NEAR_MISSES = st.text(alphabet="0123456789+-.,:;/TZ@eE aбé()'\u200d\u00a0", max_size=30)


def read(type: Type, raw: Any, locale: Locale = KYIV, **more: Any) -> Any:
    return parse(Field("x", type, **more), raw, locale)


def refused(type: Type, raw: Any, locale: Locale = KYIV, **more: Any) -> str:
    result = read(type, raw, locale, **more)
    assert isinstance(result, Rejected), result
    return result.reason


FIELDS = [
    *(Field("x", type) for type in Type),
    Field("x", Type.CHOICE, options=("gold", "unknown")),
    Field("x", Type.TEXT, max_length=5),
]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.type}{field.options or ''}")
@settings(deadline=None)
@given(raw=ANYTHING | NEAR_MISSES)
def test_a_canonical_value_reads_as_itself_and_nothing_ever_raises(field: Field, raw: Any) -> None:
    value = parse(field, raw, KYIV)
    if not isinstance(value, Rejected):
        assert parse(field, value, KYIV) == value


@settings(deadline=None)
@given(st.text())
def test_cleaned_text_is_a_fixed_point_in_nfc_without_outer_space(text: str) -> None:
    if not isinstance(parse(Field("x", Type.TEXT), text, KYIV), Rejected):
        cleaned = clean(text)
        assert clean(cleaned) == cleaned == unicodedata.normalize("NFC", cleaned) == cleaned.strip()


@settings(deadline=None)
@given(st.text(min_size=4))
def test_a_reason_never_repeats_the_value(text: str) -> None:
    secret = f"q7{text}7q"
    for type in Type:
        result = read(type, secret)
        assert not isinstance(result, Rejected) or "q7" not in result.reason


BLANKABLE = [Type.TEXT, Type.EMAIL, Type.PHONE, Type.DATE, Type.COUNTRY, Type.CHOICE, Type.URL]


@pytest.mark.parametrize("type", BLANKABLE)
@pytest.mark.parametrize("raw", [None, "", " ", "\u200b", "Unknown", "N/A", "n/a", "-", "00000"])
def test_nothing_in_all_its_spellings_is_empty(type: Type, raw: Any) -> None:
    assert read(type, raw) is None


@pytest.mark.parametrize(
    ("type", "raw", "value"),
    [
        (Type.INT, 0, 0),
        (Type.INT, "0", 0),
        (Type.DECIMAL, 0.0, "0"),
        (Type.BOOL, False, False),
        (Type.BOOL, 0, False),
        (Type.TEXT, 0, "0"),
        (Type.TEXT, "0", "0"),
        (Type.TEXT, "NA", "NA"),
        (Type.TEXT, "Null", "Null"),
        (Type.COUNTRY, "NA", "NA"),
    ],
)
def test_zero_false_and_names_that_look_like_nothing_are_values(type: Type, raw: Any, value: Any) -> None:
    result = read(type, raw)
    assert result == value and type is not None and result is not None


def test_false_in_a_text_field_is_rejected_and_not_taken_for_empty() -> None:
    assert refused(Type.TEXT, False) == "expected text, found true or false"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("e\u0301", "é"),
        ("\ufeffAnn\u200b ", "Ann"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("An\u200dn", "Ann"),
        ("İstanbul ß", "İstanbul ß"),
        ("\u202eevil", "evil"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"),
        ("x\U000e0067y", "xy"),
    ],
)
def test_text_loses_what_cannot_be_seen_and_keeps_what_means_something(raw: str, value: str) -> None:
    assert read(Type.TEXT, raw) == value


@pytest.mark.parametrize("word", ["NO", "on", "02142", "1e3", "12:30", "2020-01-01"])
def test_text_stays_text_whatever_it_looks_like(word: str) -> None:
    assert read(Type.TEXT, word) == word


@pytest.mark.parametrize(
    ("type", "raw", "reason"),
    [
        (Type.TEXT, "a\x00b", "NUL"),
        (Type.TEXT, "\ud800", "half of a character"),
        (Type.TEXT, "x" * 1_000_000, "262,144 characters"),
        (Type.TEXT, ["a"], "a list"),
        (Type.TEXT, {"a": 1}, "an object"),
        (Type.TEXT, float("inf"), "not one"),
        (Type.EMAIL, "a" * 488 + "@example.com", "254 characters"),
        (Type.EMAIL, "ann@localhost", "e-mail"),
        (Type.EMAIL, "Ann <ann@ex.com>", "e-mail"),
        (Type.PHONE, "call me", "not a phone number"),
        (Type.PHONE, "12", "not a phone number"),
        (Type.URL, "javascript:alert(1)", "http"),
        (Type.BOOL, 2, "true or false"),
        (Type.INT, 12.5, "fraction"),
        (Type.INT, 2**64, "64 bits"),
        (Type.DECIMAL, "1e400", "digits"),
        (Type.DECIMAL, "1e999999999", "not a number"),
        (Type.DECIMAL, True, "true or false"),
        (Type.MONEY, 5, "currency"),
        (Type.MONEY, {"amount": 1, "currency": "XXZ"}, "ISO 4217"),
        (Type.DATE, "05/06/1990", "date_dmy"),
        (Type.DATE, "1990-02-30", "calendar"),
        (Type.DATE, 5, "a number"),
        (Type.DATETIME, 1_700_000_000, "a number"),
        (Type.DATETIME, "2024-01-01T25:00:00Z", "point in time"),
        (Type.COUNTRY, "Atlantis", "country"),
        (Type.LANGUAGE, "en-XX", "region"),
        (Type.ZONE, "Mars/Base", "IANA"),
        (Type.TEXTS, "a;b", "expected a list"),
        (Type.EMAILS, ["ann@ex.com", "x"], "element 2"),
        (Type.REFERENCE, True, "true or false"),
    ],
)
def test_what_has_no_canonical_form_is_rejected_with_its_reason(type: Type, raw: Any, reason: str) -> None:
    assert reason in refused(type, raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" Ann@Ex.COM ", "Ann@ex.com"),
        ("ann@xn--strae-oqa.de", "ann@straße.de"),
        ("ann@STRASSE.de", "ann@strasse.de"),
        ("ann＠ex.com", "ann@ex.com"),
        ("Ünï@пример.укр", "Ünï@пример.укр"),
        ('"ann x"@ex.com', '"ann x"@ex.com'),
        ("ann@corp.local", "ann@corp.local"),
        ("test@test.com", None),
        ("mailto:ann@ex.com", "ann@ex.com"),
        ("MailTo: Ann@Ex.com;", "Ann@ex.com"),
        ("ann@ex.com;", "ann@ex.com"),
        ("ann@ex.com, Ann@ex.com", "ann@ex.com"),
        ("mailto:Ünï@пример.укр,", "Ünï@пример.укр"),
        ("mailto:ann@xn--strae-oqa.de", "ann@straße.de"),
    ],
)
def test_an_email_keeps_its_local_part_and_lowers_its_domain(raw: str, value: str | None) -> None:
    assert read(Type.EMAIL, raw) == value


@pytest.mark.parametrize("between", [", ", ",", "; ", " ", " | "])
def test_of_several_emails_in_a_field_of_one_none_is_taken_and_the_reason_says_how_to_read_them(
    between: str,
) -> None:
    assert refused(Type.EMAIL, f"a@x.ua{between}b@y.ua").startswith("2 e-mail addresses in a field of one")


@pytest.mark.parametrize("raw", ["@", "mailto:", ";;", "ann at ex.com;", "a@x.ua, nobody", "mailto:a@b@x.ua"])
def test_what_holds_no_email_stays_refused(raw: str) -> None:
    assert refused(Type.EMAIL, raw) == "not an e-mail address"


@pytest.mark.parametrize("word", ["немає", "Нет", "BRAK", "nie ma"])
def test_none_is_a_word_for_nothing_only_where_a_word_can_be_no_value(word: str) -> None:
    empty = (Type.EMAIL, Type.PHONE, Type.URL, Type.DATE, Type.DATETIME, Type.INT, Type.DECIMAL, Type.COUNTRY)
    assert {read(type, word) for type in empty} == {None}
    assert read(Type.TEXT, word) == word
    assert read(Type.CHOICE, word) == word


def test_emails_are_the_same_whatever_their_case_and_once_in_a_set() -> None:
    assert same(Type.EMAIL, "Ann@ex.com", "ann@ex.com")
    assert not same(Type.TEXT, "Ann", "ann")
    assert read(Type.EMAILS, ["b@x.de", "Ann@x.de", "ann@x.de"]) == ["Ann@x.de", "b@x.de"]
    assert same(Type.EMAILS, ["Ann@x.de", "b@x.de"], ["b@x.de", "ann@x.de"])


def test_an_empty_set_and_none_are_the_same() -> None:
    assert read(Type.TEXTS, []) is None
    assert same(Type.TEXTS, [], None)
    assert comparable(Type.TEXTS, ["a"]) == ("a",)


@pytest.mark.parametrize(
    ("region", "raw", "value"),
    [
        ("RU", "8 (912) 345-67-89", "+79123456789"),
        ("RU", "+7 912 345 67 89", "+79123456789"),
        ("RU", "tel:+79123456789;ext=5", "+79123456789;ext=5"),
        ("UA", "067 123-45-67", "+380671234567"),
        ("UA", "+38067 1234567", "+380671234567"),
        ("UA", "380671234567", "+380671234567"),
        ("UA", 380671234567, "+380671234567"),
        ("UA", "0044 20 7946 0958", "+442079460958"),
        ("US", "(650) 253-0000 x12", "+16502530000;ext=12"),
        ("DE", "+39 02 1234567", "+39021234567"),
        ("", "+1 (555) 123-4567", "+15551234567"),
        ("UA", "+380000000000", None),
        ("UA", "1234567", None),
    ],
)
def test_a_phone_is_e164_with_its_extension(region: str, raw: Any, value: str | None) -> None:
    assert read(Type.PHONE, raw, Locale(region)) == value


def test_a_national_number_without_a_region_is_rejected_and_says_what_is_missing() -> None:
    assert "phone_region" in refused(Type.PHONE, "067 123-45-67", Locale())


@pytest.mark.parametrize("hours", [-12, -11, -5, 0, 1, 5, 13, 14])
def test_a_birthday_never_moves_whatever_the_zone(hours: int) -> None:
    sign = "-" if hours < 0 else "+"
    written = f"1990-05-01T00:00:00{sign}{abs(hours):02}:00"
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "Europe/Kyiv"):
        assert read(Type.DATE, written, Locale(time_zone=zone)) == "1990-05-01"
        assert read(Type.DATE, "1990-05-01", Locale(time_zone=zone)) == "1990-05-01"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("31.12.1999", "1999-12-31"),
        ("1999/12/31", "1999-12-31"),
        ("19991231", "1999-12-31"),
        ("0000-00-00", None),
        ("1900-01-01", None),
    ],
)
def test_a_date_is_read_where_only_one_day_can_be_meant(raw: str, value: str | None) -> None:
    assert read(Type.DATE, raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("2024-01-01T10:00:00.000+0000", "2024-01-01T10:00:00Z"),
        ("2024-01-01 10:00:00 +0200", "2024-01-01T08:00:00Z"),
        ("2024-01-01T10:00:00", "2024-01-01T08:00:00Z"),
        ("2024-07-01T10:00:00", "2024-07-01T07:00:00Z"),
        ("2024-03-31T03:30:00", "2024-03-31T01:30:00Z"),
        ("2024-01-01", "2023-12-31T22:00:00Z"),
        ("2024-01-01T10:00:00.1234567Z", "2024-01-01T10:00:00.123456Z"),
    ],
)
def test_a_time_is_utc_and_a_naive_one_is_in_the_connections_zone(raw: str, value: str) -> None:
    assert read(Type.DATETIME, raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("12,50", "12.5"),
        ("1.234,5", "1234.5"),
        ("1,234.50", "1234.5"),
        ("1.234.567", "1234567"),
        ("1\u00a0234,50", "1234.5"),
        ("0,125", "0.125"),
        (0.1, "0.1"),
        ("-0.00", "0"),
        ("1e3", "1000"),
    ],
)
def test_a_decimal_is_exact_text_and_understands_the_comma(raw: Any, value: str) -> None:
    assert read(Type.DECIMAL, raw) == value


def test_a_comma_that_could_mean_two_things_is_rejected_unless_the_locale_says_which() -> None:
    assert "decimal(comma)" in refused(Type.DECIMAL, "1,234")
    assert read(Type.DECIMAL, "1,234", Locale(decimal=",")) == "1.234"
    assert read(Type.DECIMAL, "1,234", Locale(decimal=".")) == "1234"


def test_money_names_its_currency() -> None:
    assert read(Type.MONEY, "12,50 eur") == {"amount": "12.5", "currency": "EUR"}
    assert read(Type.MONEY, {"amount": 7, "currency": "JPY"}) == {"amount": "7", "currency": "JPY"}


GERMANY = ["DE", "de", "DEU", "276", "Germany", "Deutschland", "Німеччина", "Германия", "ドイツ", "ألمانيا"]


@pytest.mark.parametrize("raw", GERMANY)
def test_a_country_is_known_by_code_and_by_its_name_in_many_languages(raw: str) -> None:
    assert read(Type.COUNTRY, raw) == "DE"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("UK", "GB"),
        ("Korea", "KR"),
        ("U.S.A.", "US"),
        ("the Netherlands", "NL"),
        ("Czech Republic", "CZ"),
        ("Türkiye", "TR"),
    ],
)
def test_a_country_is_known_by_what_people_call_it(raw: str, value: str) -> None:
    assert read(Type.COUNTRY, raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [("pt_br", "pt-BR"), ("German", "de"), ("Українська", "uk"), ("ger", "de"), ("English (US)", "en-US")],
)
def test_a_language_is_a_tag(raw: str, value: str) -> None:
    assert read(Type.LANGUAGE, raw) == value


def test_a_choice_is_an_option_whatever_its_case_even_one_that_looks_like_nothing() -> None:
    options = ("gold", "unknown")
    assert read(Type.CHOICE, " Gold ", options=options) == "gold"
    assert read(Type.CHOICE, "Unknown", options=options) == "unknown"
    assert read(Type.CHOICE, "N/A", options=options) is None
    assert refused(Type.CHOICE, "brass", options=options) == "not one of gold, unknown"


def test_a_custom_field_holds_no_more_than_it_declares() -> None:
    assert "5 characters" in refused(Type.TEXT, "abcdef", max_length=5)


def test_old_zone_names_are_read_as_todays() -> None:
    assert read(Type.ZONE, "europe/kiev") == "Europe/Kyiv"


def test_ids_are_taken_as_they_are() -> None:
    assert read(Type.REFERENCE, "00000") == "00000"
    assert read(Type.REFERENCE, 17) == "17"
    assert is_placeholder(Type.TEXT, "00000")


def test_every_country_is_read_back_from_its_name_and_its_long_code() -> None:
    for country in pycountry.countries:
        for word in (country_name(country.alpha_2), country_iso3(country.alpha_2)):
            assert read(Type.COUNTRY, word) == country.alpha_2


@pytest.mark.parametrize(
    ("region", "raw", "value"),
    [
        ("UA", "380971234567.0", "+380971234567"),
        ("UA", "+380971234567,0", "+380971234567"),
        ("UA", "0971234567.0", "+380971234567"),
        ("UA", 380971234567.0, "+380971234567"),
        ("UA", "8-097-7654321", "+380977654321"),
        ("UA", "8 (044) 279-11-22", "+380442791122"),
        ("UA", "80977654321", "+380977654321"),
        ("LT", "8-612-34567", "+37061234567"),
        ("RU", "8 (912) 345-67-89", "+79123456789"),
        ("UA", "86 138 0013 8000", "+8613800138000"),
    ],
)
def test_a_phone_is_understood_as_spreadsheets_and_old_habits_write_it(
    region: str, raw: Any, value: str
) -> None:
    assert phone_in(region, raw) == value


@pytest.mark.parametrize(("region", "raw"), [("UA", "3.80971E+11"), ("UA", "3,80971e11")])
def test_a_phone_that_has_lost_its_digits_is_set_aside(region: str, raw: str) -> None:
    assert isinstance(phone_in(region, raw), Rejected)


def phone_in(region: str, raw: Any) -> Any:
    return parse(Field("phone", Type.PHONE), raw, Locale(region))
