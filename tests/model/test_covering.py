"""Sentences of systems: what is covered, what stands, and which differ only by values."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from random import Random
from uuid import UUID

import pytest

from trueup.model.covering import covered, shape_of, without_values


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("ann@example.com is taken", "‹e-mail› is taken"),
        ("call +49 30 901820 64", "call ‹number›"),
        ("answered 404 at 12:30", "answered 404 at 12:30"),
        ("limit 40,000 a day", "limit 40,000 a day"),
        ("version 67.0 of 2026-01-05", "version 67.0 of 2026-01-05"),
        ("token=pat-eu1-0123456789abcdef", "token=" + "•" * 24),
        ("sales token: the token endpoint gave none", "sales token request: the token endpoint gave none"),
    ],
)
def test_only_what_is_somebody_s_is_covered(says: str, told: str) -> None:
    assert covered(says) == told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.com is taken by 4711", "bob@example.org is taken by 12345"),
        ("duplicate of 00QKp00000001AAMAQ", "duplicate of 00QKp00000001BBMAQ"),
    ],
)
def test_sentences_that_differ_by_values_are_one_cause(one: str, other: str) -> None:
    assert without_values(one) == without_values(other)


def test_sentences_that_differ_by_words_are_two_causes() -> None:
    assert without_values("field email is invalid") != without_values("field phone is invalid")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'Boss' is no option of role", "'Chief' is no option of role"),
        ('Value "a@b" too long: 300 of 255', 'Value "c d" too long: 270 of 255'),
        ("«Київ» не знайдено", "«Львів» не знайдено"),
        ("record 12 is locked", "record 7 is locked"),
    ],
)
def test_sentences_that_quote_another_value_each_time_are_of_one_shape(one: str, other: str) -> None:
    assert shape_of(one) == shape_of(other)


def test_a_value_that_was_sent_is_known_without_quotes() -> None:
    sentences = [shape_of(f"bad value for picklist: {word}", sent=[word]) for word in ("Boss", "Head of it")]
    assert sentences[0] == sentences[1]


def test_fields_in_quotes_stay_apart_and_a_word_with_an_apostrophe_is_no_quote() -> None:
    one, other = (shape_of(f"'{field}' is required", ["email", "phone"]) for field in ("email", "phone"))
    assert one != other
    assert shape_of("doesn't fit, and won't be kept") != shape_of("doesn't show, and won't be kept")


@pytest.mark.parametrize(
    "path",
    [
        "../exports/customers_of_the_school_2024_final.csv",
        "../2026-01-01_customers_from_the_old_system.csv",
        "/home/olena/Documents/school2024/exports/of-customers.txt",
        "config/trueup_of_the_school_2024_copy_1.sqlite",
        "config/connections/newsletter_and_customers_2024.yaml:3",
    ],
)
def test_the_path_of_a_file_that_somebody_named_is_shown(path: str) -> None:
    assert covered(f"{path}: no such file") == f"{path}: no such file"


@pytest.mark.parametrize(
    "text",
    [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "url/2/qwertyuiopasdfghjklzxcvbnmqwerty",
        "GET /oauth/token/abcdefghijklmnopqrstuvwxyz0123456789/x",
        "/v1/keys/secretsecretsecretsecret12345678",
        "/v1/keys/secretsecretsecretsecret12345678.csv",
        "/v1/keys/qwertyuiopasdfghjklzxcvbnmqwerty.csv",
        "/home/olena/Documents/school2024/exports/of-customers",
        "/home/olena/Documents/school2024/exports/of-customers.nothing",
    ],
)
def test_what_is_no_file_or_holds_no_words_is_covered(text: str) -> None:
    assert text not in covered(text)


def test_the_name_of_an_encoding_is_no_number_of_somebody() -> None:
    for name in ("windows-1251", "iso-8859-2", "utf-16"):
        assert shape_of(f"holds a character that {name} has not") == f"holds a character that {name} has not"
    assert "5551234" not in shape_of("number windows-5551234, utf-5551234 and 5551234")


@pytest.mark.parametrize("around", ["{}", "/{}", "/srv/{}.csv", "../{}.db", "token {}"])
@pytest.mark.parametrize("drawn", ["base64", "base64url", "hex", "uuid"])
def test_whatever_is_drawn_by_a_machine_is_covered_wherever_it_stands(around: str, drawn: str) -> None:
    random = Random(f"{around} {drawn}")
    for _ in range(2_000):
        some = random.randbytes(random.randint(24, 48))
        secret = {
            "base64": b64encode(some).decode(),
            "base64url": urlsafe_b64encode(some).decode().rstrip("="),
            "hex": some.hex(),
            "uuid": str(UUID(bytes=some[:16])),
        }[drawn]
        if any(map(str.isdigit, secret)):  # one without may be words
            assert secret not in covered(around.format(secret))
