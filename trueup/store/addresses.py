"""The addresses by which consent follows a person."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.dedupe.normalise import email_subject_key
from trueup.model.values import Value

_SEVERAL = ("emails", "former_emails")


def subjects_of(values: Mapping[str, Value]) -> set[str]:
    """The frozen keys of all addresses among these canonical values."""
    found = {value for name, value in values.items() if name == "email" or name.startswith("emails.")}
    for name in _SEVERAL:
        found.update(values.get(name) or ())
    keys = {email_subject_key(address) for address in found if isinstance(address, str)}
    return {key for key in keys if key is not None}
