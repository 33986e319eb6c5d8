"""Placeholder while the normaliser is being written."""
from __future__ import annotations
from collections.abc import Mapping
from typing import Any
from trueup.model.fields import Kind


def email_subject_key(address: str) -> str:
    return address.strip().casefold()


def phone_key(text: str) -> str:
    return text.split(";")[0]


def company_key(name: str) -> str:
    return name.strip().casefold()


def match_keys(kind: Kind, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    if kind is Kind.COMPANY:
        return [("name", company_key(values["name"]))] if values.get("name") else []
    return [("email", email_subject_key(values["email"]))] if values.get("email") else []
