"""The addresses by which consent follows a person."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from trueup.model.values import Value

_SINGLE = ("email",)
_SEVERAL = ("emails", "former_emails")


def email_subject_key(address: str) -> str:
    """The frozen key of an address: trimmed, NFKC, lower case."""
    return unicodedata.normalize("NFKC", address).strip().casefold()


def subjects_of(values: Mapping[str, Value]) -> set[str]:
    """The keys of all addresses among these canonical values."""
    found = {values.get(name) for name in _SINGLE}
    found.update(value for name, value in values.items() if name.startswith("emails."))
    for name in _SEVERAL:
        found.update(values.get(name) or ())
    return {email_subject_key(address) for address in found if isinstance(address, str) and address}
