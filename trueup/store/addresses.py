"""The addresses by which consent follows a person."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from trueup.model.canonical.subject import email_subject_key, phone_subject_key
from trueup.model.values import Value

_KEYS = {"email": email_subject_key, "phone": phone_subject_key}


def subjects_of(values: Mapping[str, Value]) -> set[str]:
    """The frozen keys of all addresses and numbers among these canonical values."""
    found: set[str] = set()
    for name, value in values.items():
        if value and (family := _family(name)) is not None:
            found.update(_KEYS[family](one) for one in (value if isinstance(value, list) else [value]))
    return found


@cache
def _family(name: str) -> str | None:
    """Which kind of address a field holds (`email`, `emails.work`, `phones.mobile`), None for no address."""
    head = name.partition(".")[0]
    return {"email": "email", "emails": "email", "phone": "phone", "phones": "phone"}.get(
        head, "email" if name == "former_emails" else None
    )
