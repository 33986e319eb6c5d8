"""E-mail addresses and URLs."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

import email_validator
import idna

from trueup.model.values import Rejected

MAX_EMAIL = 254  # RFC 5321, 4.5.3.1.3
MAX_URL = 8_192

_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ORDINARY = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+[A-Za-z]{{2,63}})")
_HOST = re.compile(r"[^\s/?#@:]+(?:\.[^\s/?#@:]+)+")
_ORDINARY_URL = re.compile(r"(https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+)((?:[/?#]\S*)?)", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=//|[^\d/])")

_SCHEME_OF_MAIL = re.compile(r"(?i)mailto:\s*")
_BETWEEN = re.compile(r"[\s,;|]+")

_AS_LIST = "`emails[]` with a transform such as `comma_list` reads them all"
_NOT_AN_ADDRESS = "not an e-mail address"


def read_email(text: str) -> str | Rejected:
    """An e-mail address: local part as typed, domain lower-case and in Unicode. `mailto:` before it and
    signs of a list behind it are no part of it. Of several addresses none is taken: nobody says which one."""
    if len(text) > MAX_EMAIL:
        return Rejected(f"longer than an e-mail address can be ({MAX_EMAIL} characters)", "TU-VAL-002")
    found = _ORDINARY.fullmatch(text)
    if found is None or "xn--" in text or "XN--" in text:
        return _unusual_email(text)
    local, domain = found.groups()
    return f"{local}@{domain.lower()}" if len(local) <= 64 else Rejected("the part before @ is too long")


@lru_cache(maxsize=4096)
def _unusual_email(text: str) -> str | Rejected:
    read = _addressed(text)
    return _validated(text) if read is None else read


def _addressed(text: str) -> str | Rejected | None:
    """What a text says that is more than an address: signs around one, or several; None where neither."""
    bare = _SCHEME_OF_MAIL.sub("", text).strip(" ,;|")
    parts = {part.lower(): part for part in reversed(_BETWEEN.split(bare))}
    if not all(map(_ORDINARY.fullmatch, parts)):
        return read_email(bare) if bare != text and bare.count("@") == 1 else None
    if len(parts) > 1:
        return Rejected(f"{len(parts)} e-mail addresses in a field of one ({_AS_LIST})")
    (one,) = parts.values()
    return read_email(one) if one != text else None


def _validated(text: str) -> str | Rejected:
    if "@" not in text:
        text = unicodedata.normalize("NFKC", text)
    local, at, domain = text.rpartition("@")
    domain = unicodedata.normalize("NFKC", domain)
    try:
        found = email_validator.validate_email(
            f"{local}{at}{domain}",
            check_deliverability=False,
            globally_deliverable=False,
            allow_quoted_local=True,
        )
    except (email_validator.EmailNotValidError, ValueError):
        return Rejected(_NOT_AN_ADDRESS)
    if "." not in found.domain:
        return Rejected(f"{_NOT_AN_ADDRESS}: the part after @ has no dot")
    normalized = f"{found.local_part}@{found.domain.lower()}"
    return normalized if len(normalized) <= MAX_EMAIL else Rejected(_NOT_AN_ADDRESS)


@lru_cache(maxsize=4096)
def read_url(text: str) -> str | Rejected:
    """A web address; `https` where no scheme is written, no lone slash at the end."""
    if len(text) > MAX_URL:
        return Rejected(f"longer than {MAX_URL:,} characters", "TU-VAL-002")
    found = _ORDINARY_URL.fullmatch(text)
    if found is not None and text.isascii() and text.isprintable() and "xn--" not in found[1]:
        return found[1] if found[2] == "/" else text
    return _unusual_url(text)


def _unusual_url(text: str) -> str | Rejected:
    if any(character.isspace() for character in text):
        return Rejected("not a web address: holds a space")
    scheme = _SCHEME.match(text)
    if scheme is None:
        text = f"https://{text.removeprefix('//')}"
    elif scheme[1].lower() not in ("http", "https"):
        return Rejected("not a web address: only http and https are")
    try:
        return _assembled(text)
    except ValueError:
        return Rejected("not a web address")


def _assembled(text: str) -> str | Rejected:
    parts = urlsplit(text)
    host = unicode_host(parts.hostname or "")
    if not _HOST.fullmatch(host):
        return Rejected("not a web address: no host with a dot")
    user = parts.netloc.rpartition("@")[0]
    port = f":{parts.port}" if parts.port is not None else ""
    where = f"{user}@{host}{port}" if user else f"{host}{port}"
    rest = text[text.index(parts.netloc) + len(parts.netloc) :]
    return f"{parts.scheme.lower()}://{where}{'' if rest == '/' else rest}"


def unicode_host(host: str) -> str:
    """A host in lower case and Unicode (`xn--bcher-kva.de` is `bücher.de`); unreadable ones as given."""
    host = unicodedata.normalize("NFC", host.lower())
    if "xn--" not in host:
        return host
    try:
        return idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return host
