"""What filling one system with people has in common: who did it, and where each row went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.sandbox.dirt import Values

BY = "import"
"""The author of seeded records in the ledgers."""


@dataclass(slots=True)
class Filled:
    """Where each row went: row key to (object, remote id); and why a row went nowhere."""

    records: dict[str, tuple[str, str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def named(row: Values) -> bool:
    return bool(row.get("first_name") or row.get("last_name") or row.get("full_name"))


def address_once(row: Values, taken: set[str]) -> str | None:
    """The row's e-mail address, unless another row of this system has it."""
    email = row.get("email")
    if not email or email.lower() in taken:
        return None
    taken.add(email.lower())
    return str(email)


def said(values: Mapping[str, Any]) -> Values:
    return {name: value for name, value in values.items() if value not in (None, "")}
