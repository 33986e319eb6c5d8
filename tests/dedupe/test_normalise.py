"""The one normaliser: what counts as the same address, number, name and company."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.dedupe.known import DOTLESS_MAIL, FREE_MAIL, LEGAL_FORMS, LEGAL_PHRASES, PLUS_MAIL
from trueup.dedupe.normalise import (
    KEY_FIELDS,
    KEY_KINDS,
    NORMALISER_VERSION,
    company_key,
    domain_key,
    email_key,
    email_subject_digest,
    email_subject_key,
    is_free_mail,
    is_role_mailbox,
    match_keys,
    name_key,
    phone_key,
)
from trueup.model.fields import Kind
from trueup.model.values import Value

ANN = [
    " Ann@Ex.com ",
    "ann@ex.com",
    "ANN@EX.COM",
    "ａｎｎ@ex.com",
    "ann＠ex.com",
    "a\u200bnn@ex.com\ufeff",
    "ann@ex.com.",
]


@pytest.mark.parametrize("spelling", ANN)
def test_one_address_in_all_its_spellings_is_one_subject_and_one_key(spelling: str) -> None:
    assert email_subject_key(spelling) == "ann@ex.com"
    assert email_key(spelling) == "ann@ex.com"


@pytest.mark.parametrize("spelling", ["ann@straße.de", "ANN@STRAßE.DE", "ann@xn--strae-oqa.de"])
def test_a_domain_is_one_in_unicode_and_in_ascii(spelling: str) -> None:
    assert email_subject_key(spelling) == "ann@xn--strae-oqa.de"


FROZEN = [
    ("Ann.Smith+News@GMail.com", "ann.smith+news@gmail.com"),
    ("ﬁona@ex.com", "fiona@ex.com"),
    ("İnci@ex.com", "i̇nci@ex.com"),
    ("анна@Пример.УКР", "анна@xn--e1afmkfd.xn--j1amh"),
    ("a b@ex.com", "a b@ex.com"),
    ("x@y@ex.com", "x@y@ex.com"),
    ("No Address ", "no address"),
    ("@ex.com", "@ex.com"),
    ("ann@", "ann@"),
    ("", ""),
]


@pytest.mark.parametrize(("email", "key"), FROZEN)
def test_the_subject_key_is_frozen(email: str, key: str) -> None:
    """Golden values: if this fails, the suppression lists out there no longer protect anybody."""
    assert email_subject_key(email) == key


def test_the_keyed_subject_is_frozen_and_needs_a_real_secret() -> None:
    secret = b"0123456789abcdef"
    assert email_subject_digest("Ann@Ex.com", secret) == email_subject_digest("ann@ex.com", secret)
    assert email_subject_digest("ann@ex.com", secret) == (
        "1:3674b0732918000b77dbc96650f19b8da05cf39a737b589412d2fb8cc22d2ff0"
    )
    assert email_subject_digest("ann@ex.com", b"another secret of 16") != email_subject_digest(
        "ann@ex.com", secret
    )
    with pytest.raises(ValueError, match="16 bytes"):
        email_subject_digest("ann@ex.com", b"short")


@given(st.text() | st.emails())
def test_a_subject_key_is_a_fixed_point(text: str) -> None:
    key = email_subject_key(text)
    assert email_subject_key(key) == key


@given(st.text() | st.emails())
def test_a_match_key_is_a_fixed_point_and_nothing_raises(text: str) -> None:
    key = email_key(text)
    assert key is None or email_key(key) == key
    name_key(text), company_key(text), domain_key(text), phone_key(text, "UA"), is_role_mailbox(text)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("ann.smith+news@googlemail.com", "AnnSmith@gmail.com"),
        ("ann+x@outlook.com", "ann@outlook.com"),
        ("ann@protonmail.com", "ann+shop@pm.me"),
        ("ivan.petrov@ya.ru", "ivan-petrov@yandex.ru"),
    ],
)
def test_a_provider_delivers_both_to_one_mailbox(a: str, b: str) -> None:
    assert email_key(a) == email_key(b)
    assert email_subject_key(a) != email_subject_key(b)


@pytest.mark.parametrize(("a", "b"), [("a.nn@acme.com", "ann@acme.com"), ("ann+x@acme.com", "ann@acme.com")])
def test_elsewhere_a_dot_or_a_plus_may_be_another_person(a: str, b: str) -> None:
    assert email_key(a) != email_key(b)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("8 (912) 345-67-89", "RU"),
        ("+7 912 345 67 89", "RU"),
        ("tel:+79123456789;ext=5", "UA"),
        ("+79123456789;ext=5", ""),
        ("+79123456789", ""),
    ],
)
def test_a_phone_has_one_key_without_its_extension(text: str, region: str) -> None:
    assert phone_key(text, region) == "+79123456789"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("Ann", "Smith"), ("SMITH", "ann")),
        (("José", "Núñez"), ("Jose", "Nunez")),
        (("Иван", "Щукин"), ("Ivan", "Shchukin")),
        (("Дмитрий", "Йовович"), ("Dmitry", "Yovovich")),
        (("Ελένη", "Παπαδοπούλου"), ("Eleni", "Papadopoyloy")),
        (("Jürgen", "Müller"), ("Juergen", "Mueller")),
        (("Søren", "Łukasz"), ("Soren", "Lukasz")),
        (("Mary", "Smith-Jones"), ("mary smith", "jones")),
        (("Conan", "O’Brien"), ("Conan", "OBrien")),
        (("Straße", None), ("STRASSE", "")),
    ],
)
def test_one_name_in_two_spellings_has_one_key(a: tuple[str | None, ...], b: tuple[str | None, ...]) -> None:
    assert name_key(*a) == name_key(*b) is not None


@pytest.mark.parametrize(
    ("cyrillic", "latin"),
    [
        ("Олена Петренко", "Olena Petrenko"),
        ("Сергій Петренко", "Serhii Petrenko"),
        ("Сергій Петренко", "Petrenko Sergiy"),
        ("Григорій Дем'яниченко", "Hryhorii Demianychenko"),
        ("Юрій Цимбалюк", "Yurii Tsymbaliuk"),
        ("Зоряна Щербак", "Zoriana Shcherbak"),
        ("Ігор Жук", "Ihor Zhuk"),
        ("Максим Хоменко", "Maksym Khomenko"),
        ("Євген Ґалаґан", "Yevhen Galagan"),
        ("Дар'я Коваль", "Daria Koval"),
    ],
)
def test_a_name_in_two_scripts_and_its_usual_spellings_is_one_key(cyrillic: str, latin: str) -> None:
    assert name_key(cyrillic) == name_key(latin)


@pytest.mark.parametrize(
    ("one", "other"), [("Олена", "Олег"), ("Ivan Petrenko", "Иван Петров"), ("Yana", "Hanna")]
)
def test_different_names_stay_different_in_two_scripts(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_arabic_letters_have_a_latin_key_and_different_names_differ() -> None:
    assert name_key("سلمان") == "slman"
    assert name_key("Ann", "Smith") != name_key("Anna", "Smith")
    assert name_key(None, " - ") is None


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("ACME, Inc.", "Acme GmbH & Co. KG"),
        ("ООО «Ромашка»", "Romashka LLC"),
        ("ТОВ Ромашка", "Ромашка"),
        ("Kowalski Sp. z o.o.", "Kowalski S.A."),
        ("The Widget Company", "Widget Ltd."),
        ("Novák s.r.o.", "NOVAK"),
        ("Jensen A/S", "Jensen ApS"),
        ("Marks & Spencer plc", "Marks and Spencer"),
    ],
)
def test_a_company_has_one_key_whatever_its_legal_form(a: str, b: str) -> None:
    assert company_key(a) == company_key(b) != ""


def test_a_company_that_is_nothing_but_a_legal_form_keeps_its_name() -> None:
    assert company_key("AG") == "ag"
    assert company_key("Co & Co") != company_key("Acme & Co")
    assert company_key("!!!") == ""


@pytest.mark.parametrize(
    "text",
    ["acme.com", "WWW.Acme.com", "https://www.acme.com/x?y", "ann@acme.com", "acme.com:8080", "acme.com."],
)
def test_a_domain_is_found_in_addresses_of_all_kinds(text: str) -> None:
    assert domain_key(text) == "acme.com"


@pytest.mark.parametrize(
    "text", ["ann@gmail.com", "https://yandex.ru", "web.de", "localhost", "", "no domain"]
)
def test_free_mail_and_what_is_no_domain_never_stand_for_a_company(text: str) -> None:
    assert domain_key(text) is None


def test_free_mail_is_known_by_address_and_by_domain() -> None:
    assert is_free_mail("Ann@GMX.de") and is_free_mail("gmx.de") and not is_free_mail("ann@acme.com")


@pytest.mark.parametrize(
    "email", ["info@acme.com", "No-Reply@acme.com", "billing+eu@acme.com", "Kontakt@firma.de"]
)
def test_an_office_is_not_a_person(email: str) -> None:
    assert is_role_mailbox(email)


def test_the_hub_names_role_mailboxes_of_its_own() -> None:
    assert not is_role_mailbox("front@acme.com")
    assert is_role_mailbox("front@acme.com", ["front@*"])
    assert is_role_mailbox("ann@desk.acme.com", ["*@desk.acme.com"])
    assert not is_role_mailbox("ann@desk-acme.com", ["*@desk.acme.com"])


def test_a_contact_is_found_by_every_address_it_holds_or_held_and_by_its_numbers() -> None:
    values = {
        "email": "Ann@ex.com",
        "emails": ["ann@ex.com", "a@work.com", "sales@work.com"],
        "former_emails": ["old@ex.com"],
        "phone": "+380671234567;ext=2",
        "phones": ["+16502530000"],
        "phones.fax": "+16502530001",
        "first_name": "Ann",
        "last_name": "Smith",
    }
    assert match_keys(Kind.CONTACT, values) == [
        ("email", "a@work.com"),
        ("email", "ann@ex.com"),
        ("email", "old@ex.com"),
        ("email", "sales@work.com"),
        ("email+name", "sales@work.com an smit"),
        ("phone", "+16502530000"),
        ("phone", "+380671234567"),
        ("phone+name", "+16502530000 an smit"),
        ("phone+name", "+380671234567 an smit"),
    ]


def test_a_company_is_found_by_its_domains_and_its_name() -> None:
    values = {
        "name": "Acme, Inc.",
        "website": "https://www.acme.com",
        "email": "acme@gmail.com",
        "domains": ["acme.de"],
        "vat_number": "DE 123.45",
    }
    assert match_keys(Kind.COMPANY, values) == [
        ("domain", "acme.com"),
        ("domain", "acme.de"),
        ("name", "acme"),
        ("registration", "DE12345"),
    ]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_key_is_named_where_people_search_by_keys(kind: Kind) -> None:
    values: dict[str, Value] = {name: "+16502530000" for fields in KEY_FIELDS.values() for name in fields}
    several = ("emails", "former_emails", "domains", "phones", "former_phones")
    values |= {"email": "a@acme.com", **dict.fromkeys(several, ["+16502530000"])}
    assert {name for name, _ in match_keys(kind, values)} <= set(KEY_KINDS)
    assert match_keys(kind, values)


def test_a_user_is_found_by_email_and_a_deal_by_its_external_id() -> None:
    assert match_keys(Kind.USER, {"email": "Rep@acme.com"}) == [("email", "rep@acme.com")]
    assert match_keys(Kind.DEAL, {"name": "Deal", "external_id": "A-1"}) == [("external_id", "A-1")]
    assert match_keys(Kind.CONTACT, {"email": None, "phones": None}) == []


def _keys_of_everything() -> list[tuple[str, str]]:
    """The keys of values that try every rule: each provider, legal form, alphabet, and odd spellings."""
    mails = [f"Ann.B-C+x@{domain}" for domain in sorted({*PLUS_MAIL, *DOTLESS_MAIL, *FREE_MAIL, "acme.de"})]
    firms = [f"ACME & Söhne, {form}" for form in sorted({*LEGAL_FORMS, *LEGAL_PHRASES, "A.G.", "a/s"})]
    names = ["Łukasz Đặng", "Олена Щур", "Ελένη Ψ", "محمد", "Ann-Marie O'Hara", "ß æ ø þ", "李 小龙"]
    found = [key for one in mails for key in match_keys(Kind.CONTACT, {"email": one, "former_emails": [one]})]
    for name in names:
        person = {
            "first_name": name,
            "last_name": "Lee",
            "phone": "+16502530000;ext=12",
            "email": "info@acme.de",
            "external_id": " 7 ",
        }
        found += match_keys(Kind.CONTACT, person)
    for name in (*firms, *names):
        found += match_keys(
            Kind.COMPANY, {"name": name, "vat_number": "DE 12.34-5", "website": "www.Acme.de/x"}
        )
    found += [key for one in mails for key in match_keys(Kind.COMPANY, {"email": one})]
    return found


def test_a_change_of_a_match_key_has_a_version_of_its_own() -> None:
    made = blake2b(repr(_keys_of_everything()).encode(), digest_size=4).hexdigest()
    assert (NORMALISER_VERSION, made) == (3, "521f28e3"), (
        "match keys come out differently: grow NORMALISER_VERSION, so that every hub makes its keys anew, and"
        " write the pair down here"
    )
