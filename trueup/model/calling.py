"""What people call an entity: the words by which they know it from others."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.model.values import Value


def full_name(values: Mapping[str, Value]) -> str:
    """First and last name, or a company's or deal's; empty where none is held."""
    parts = (values.get("first_name"), values.get("last_name"))
    return " ".join(str(one) for one in parts if one) or str(values.get("name") or "")


def called(values: Mapping[str, Value]) -> str:
    """Name and e-mail address, as far as they are held; without either a number, else nothing."""
    known = [one for one in (full_name(values), str(values.get("email") or "")) if one]
    return ", ".join(known) or str(values.get("phone") or values.get("phones.mobile") or "")
