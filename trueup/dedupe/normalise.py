"""The one normaliser: for matching, linking, suppression and consent.

A *match key* says that two values may be the same thing; it knows providers' rules and spellings, and
its version is stored with every key: a new version rebuilds them. A *subject key* (consent, suppression)
is frozen and lives in `trueup.model.canonical.subject`; both are reached from here: nobody writes a third.
Keys are compared, never shown and never written to a system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from trueup.dedupe.known import (
    DOTLESS_MAIL,
    DOTS_ARE_DASHES,
    FREE_MAIL,
    LEGAL_FORMS,
    LEGAL_PHRASES,
    PLUS_MAIL,
    ROLE_MAILBOXES,
)
from trueup.dedupe.latin import latin, sounds, words
from trueup.model.canonical.phones import read_phone
from trueup.model.canonical.subject import (
    SUBJECT_VERSION,
    email_subject_digest,
    email_subject_key,
    keyed,
    phone_subject_key,
)
from trueup.model.fields import NAME_PARTS, Kind
from trueup.model.values import Rejected, Value

__all__ = [
    "KEY_KINDS",
    "NORMALISER_VERSION",
    "SUBJECT_VERSION",
    "company_key",
    "domain_key",
    "email_key",
    "email_subject_digest",
    "email_subject_key",
    "is_free_mail",
    "is_role_mailbox",
    "keyed",
    "match_keys",
    "name_key",
    "phone_key",
    "phone_subject_key",
]

NORMALISER_VERSION = 3
"""Grows with every change of a match key."""

KEY_KINDS = ("external_id", "email", "email+name", "phone", "phone+name", "registration", "domain", "name")
"""The kinds of key that `match_keys` gives."""

_E164 = re.compile(r"\+\d+(?:;ext=\d+)?", re.ASCII)
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://")
_HOST = re.compile(r"[^\s/?#@:]+(?:\.[^\s/?#@:]+)+")
_DOTTED = re.compile(r"\b(?:\w\.){2,}")
_CONTACT_EMAILS = ("email", "emails.work", "emails.home", "emails.other")
_CONTACT_PHONES = ("phone", "phones.work", "phones.mobile", "phones.home", "phones.other")


@lru_cache(maxsize=32_768)
def email_key(email: str) -> str | None:
    """The mailbox an address reaches: `Ann.Smith+news@Googlemail.com` and `annsmith@gmail.com` are one.

    Only what a provider documents is folded: elsewhere a dot or a `+` may be another person.
    """
    key = email_subject_key(email)
    local, _, domain = key.rpartition("@")
    if not (local and domain):
        return None
    mailbox = PLUS_MAIL.get(domain)
    if mailbox is None:
        return key
    local = local.partition("+")[0] or local
    if mailbox in DOTLESS_MAIL:
        local = local.replace(".", "") or local
    if mailbox in DOTS_ARE_DASHES:
        local = local.replace(".", "-")
    return f"{local}@{mailbox}"


def phone_key(phone: str, region: str = "") -> str | None:
    """E.164 without the extension, of a canonical number or of one as people write it in `region`."""
    if _E164.fullmatch(phone):
        return phone_subject_key(phone)
    number = read_phone(phone.strip(), region)
    return None if isinstance(number, Rejected) else phone_subject_key(number)


def name_key(*parts: str | None) -> str | None:
    """The words of a name in any order, case, script (of those known) and spelling from one into another,
    with or without diacritics. Coarse: it is a key together with a number or an address only."""
    found = sorted(word for part in parts if part for word in sounds(part))
    return " ".join(found) or None


@lru_cache(maxsize=8192)
def company_key(name: str) -> str:
    """A company's name without legal form and punctuation: `ACME, Inc.` and `Acme GmbH & Co. KG` are `acme`.

    Empty where nothing is left.
    """
    text = _DOTTED.sub(lambda found: found[0].replace(".", "") + " ", latin(name))
    text = " ".join(words(text.replace("&", " and ").replace("a/s", "as")))
    for phrase in LEGAL_PHRASES:
        text = text.removesuffix(f" {phrase}").removeprefix(f"{phrase} ")
    return " ".join(_without_forms(text.split()))


def _without_forms(words: list[str]) -> list[str]:
    """Without legal forms and `and`, `the` at the ends; a name of nothing else stays as it is."""
    first, last = 0, len(words)
    while last - first > 1 and (words[last - 1] in LEGAL_FORMS or words[last - 1] == "and"):
        last -= 1
    while last - first > 1 and (words[first] in LEGAL_FORMS or words[first] == "the"):
        first += 1
    return words[first:last]


@lru_cache(maxsize=8192)
def domain_key(text: str) -> str | None:
    """The domain that stands for a company, of a domain, URL or e-mail address; None for free mail."""
    text = _SCHEME.sub("", text.strip().lower())
    host = re.split(r"[/?#]", text, maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    domain = email_subject_key(f"x@{host}").partition("@")[2].removeprefix("www.")
    return domain if _HOST.fullmatch(domain) and domain not in FREE_MAIL else None


def is_free_mail(email_or_domain: str) -> bool:
    """Whether the address or domain belongs to a provider that gives mailboxes to anybody."""
    return email_subject_key(f"x@{email_or_domain.rpartition('@')[2]}").partition("@")[2] in FREE_MAIL


def is_role_mailbox(email: str, patterns: Iterable[str] = ()) -> bool:
    """Whether an address stands for an office instead of a person: `info@…`, `billing+eu@…`.

    `patterns` are the hub's own, `*` for anything: `info@*`, `*@switchboard.example`.
    """
    key = email_subject_key(email)
    local = key.rpartition("@")[0].partition("+")[0]
    return local in ROLE_MAILBOXES or any(_pattern(pattern).fullmatch(key) for pattern in patterns)


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.strip().lower().split("*")))


def match_keys(kind: Kind, values: Mapping[str, Value]) -> list[tuple[str, str]]:
    """The (kind of key, key) pairs under which an entity's candidates are found; sorted, without repeats.

    Contact: `external_id`, `email` and `phone` (no fax) of all that it holds or held,
    `phone+name`, and of role mailboxes `email+name`.
    Company: `external_id`, `registration`, `domain` (no free mail), `name`. User: `email`. Deal:
    `external_id`.
    """
    match kind:
        case Kind.CONTACT:
            found = _contact_keys(values)
        case Kind.COMPANY:
            found = set(_company_keys(values))
        case Kind.USER:
            return [("email", key) for key in _keys(email_key(each) for each in _texts(values, ("email",)))]
        case _:
            found = set()
    found.update(("external_id", text.strip()) for text in _texts(values, ("external_id",)))
    return sorted(found)


KEY_FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.CONTACT: frozenset(
        (
            *_CONTACT_EMAILS,
            *_CONTACT_PHONES,
            "emails",
            "former_emails",
            "phones",
            "former_phones",
            *NAME_PARTS,
            "external_id",
        )
    ),
    Kind.COMPANY: frozenset(
        ("registration_number", "vat_number", "domain", "website", "email", "domains", "name", "external_id")
    ),
    Kind.USER: frozenset(("email", *NAME_PARTS)),
    Kind.DEAL: frozenset(("external_id",)),
}
"""All that who somebody is depends on: the fields of `match_keys`, and the names."""

OWN_FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.CONTACT: frozenset((*_CONTACT_EMAILS, "emails", "external_id")),
    Kind.COMPANY: frozenset(("registration_number", "external_id")),
    Kind.USER: frozenset(("email",)),
    Kind.DEAL: frozenset(("external_id",)),
}
"""Of these, what is one's own by its nature: a record without it would be met by nobody again."""


def _contact_keys(values: Mapping[str, Value]) -> set[tuple[str, str]]:
    emails = _texts(values, _CONTACT_EMAILS, ("emails", "former_emails"))
    phones = _texts(values, _CONTACT_PHONES, ("phones", "former_phones"))
    found = {("email", key) for key in map(email_key, emails) if key is not None}
    found.update(("phone", key) for key in map(phone_key, set(phones)) if key is not None)
    name = name_key(values.get("first_name"), values.get("last_name")) if found else None
    if name is not None:
        found.update(
            [
                (f"{kind}+name", f"{key} {name}")
                for kind, key in found
                if kind == "phone" or is_role_mailbox(key)
            ]
        )
    return found


def _company_keys(values: Mapping[str, Value]) -> Iterable[tuple[str, str]]:
    for field in ("registration_number", "vat_number"):
        yield from (("registration", key) for key in _keys(map(_code_key, _texts(values, (field,)))))
    places = _texts(values, ("domain", "website", "email"), ("domains",))
    yield from (("domain", key) for key in _keys(domain_key(each) for each in places))
    yield from (("name", key) for key in map(company_key, _texts(values, ("name",))) if key)


def _code_key(code: str) -> str | None:
    """A registration or VAT number without blanks, dots and dashes."""
    return re.sub(r"[\W_]+", "", code).upper() or None


def _keys(keys: Iterable[str | None]) -> list[str]:
    return [key for key in keys if key is not None]


def _texts(values: Mapping[str, Value], single: Iterable[str], sets: Iterable[str] = ()) -> list[str]:
    """The non-empty texts in these fields."""
    found = [value for name in single if (value := values.get(name)) and isinstance(value, str)]
    for name in sets:
        if several := values.get(name):
            found.extend(text for text in several if isinstance(text, str) and text)
    return found
