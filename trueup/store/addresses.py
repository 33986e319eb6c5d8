"""The addresses by which consent follows a person."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.model.canonical.subject import email_subject_key, phone_subject_key
from trueup.model.values import Value

_SEVERAL = {"emails": "email", "former_emails": "email", "phones": "phone", "former_phones": "phone"}
_KEYS = {"email": email_subject_key, "phone": phone_subject_key}


def subjects_of(values: Mapping[str, Value]) -> set[str]:
    """The frozen keys of all addresses and numbers among these canonical values."""
    found: set[str] = set()
    for name, value in values.items():
        family = _SEVERAL.get(name) or _family(name)
        if family is not None and value:
            found.update(_KEYS[family](one) for one in (value if isinstance(value, list) else [value]))
    return found


def _family(name: str) -> str | None:
    """Which kind of address a field holds (`email`, `emails.work`, `phones.mobile`), None for no address."""
    head = name.partition(".")[0]
    return {"email": "email", "emails": "email", "phone": "phone", "phones": "phone"}.get(head)
