"""The frozen keys of consent and suppression.

These functions never change: suppression lists hold nothing but their hashes, which cannot be made anew.
Whatever is learnt about addresses later goes into `trueup.dedupe.normalise`; here it stays as it was in
version 1: invisible characters away, trim, NFKC, lower case, domain in its ASCII form; no rules of
providers. The file uses only the standard library, so that no dependency can move a key either.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

SUBJECT_VERSION = 1
_SHORTEST_SECRET = 16


def email_subject_key(email: str) -> str:
    """The key of an e-mail address; of any other text its folded form. A fixed point of itself."""
    if email.isascii() and email.isprintable():  # nothing to fold but the case
        return _undotted(email.strip().lower())
    text = _folded("".join(c for c in email if unicodedata.category(c) not in ("Cf", "Cc")))
    local, at, domain = text.rpartition("@")
    if not (local and at and domain):
        return text
    return f"{local}@{'.'.join(_ascii(label) for label in domain.rstrip('.').split('.'))}"


def _undotted(text: str) -> str:
    """Without the dots at the end of a domain in ASCII."""
    if text[-1:] != ".":
        return text
    local, at, domain = text.rpartition("@")
    return f"{local}@{domain.rstrip('.')}" if local and at and domain else text


def phone_subject_key(phone: str) -> str:
    """The key of a canonical phone number (E.164): without its extension. Other text stays as it is."""
    return phone.partition(";ext=")[0]


def keyed(key: str, secret: bytes) -> str:
    """The HMAC under which a key is stored: version, then 64 hexadecimal digits.

    `secret` is the hub's own, at least 16 bytes; without it nobody can test an address against the list.
    """
    if len(secret) < _SHORTEST_SECRET:
        raise ValueError(f"the secret of subject keys needs at least {_SHORTEST_SECRET} bytes")
    digest = hmac.new(secret, key.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return f"{SUBJECT_VERSION}:{digest}"


def email_subject_digest(email: str, secret: bytes) -> str:
    """`keyed` of `email_subject_key`."""
    return keyed(email_subject_key(email), secret)


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.strip())
    return unicodedata.normalize("NFKC", text.lower()).strip()


def _ascii(label: str) -> str:
    """`straße` as `xn--strae-oqa`; a label in ASCII, or of nothing that can be encoded, as it is."""
    if label.isascii() or not label.isprintable():
        return label
    return "xn--" + label.encode("punycode").decode("ascii")
