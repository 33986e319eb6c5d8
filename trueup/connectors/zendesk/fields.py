"""The vendor's names in its complaints, as remote paths of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trueup.connectors.base import RefusedItem, WriteItem

_OURS = {"external": "external_id", "organization": "organization_id", "value": "email", "base": ""}
_SENTENCE = re.compile(r"(?:^|, |; )([A-Z][\w ]{0,60}): ")
_TAKEN = re.compile(r"is already being used by another|has already been taken")


def is_taken(outcome: RefusedItem) -> bool:
    """Whether another record holds what this one was to have."""
    return any(_TAKEN.search(why) for why in outcome.fields.values())


def about(item: WriteItem, says: str) -> Mapping[str, str]:
    """Which of the item's fields a sentence like `Email: … is already being used` is about."""
    names = [found.strip().lower().replace(" ", "_") for found in _SENTENCE.findall(says)]
    return named(item, dict.fromkeys(names, says), says)


def named(item: WriteItem, complaints: Mapping[str, str], says: str) -> Mapping[str, str]:
    """Complaints by the vendor's names, by ours; what is about no field that we sent, is about the record."""
    found: dict[str, str] = {}
    for name, reason in complaints.items():
        found[_path(item, name)] = reason or says
    return found or {"": says}


def _path(item: WriteItem, name: str) -> str:
    sent = {*item.values, *([item.upsert[0]] if item.upsert else [])}
    plain = _OURS.get(name, name)
    for candidate in (plain, f"user_fields.{name}", f"organization_fields.{name}"):
        if candidate in sent:
            return candidate
    return "identities.email" if plain == "email" and "identities.email" in sent else ""


def refused(item: WriteItem, reason: str, complaints: Mapping[str, str]) -> RefusedItem:
    """The outcome of an item that was refused with complaints by field."""
    return RefusedItem(reason, named(item, complaints, reason))
