"""The terms on which a field takes what we write: our rule, and what its system says of it."""

from __future__ import annotations

from dataclasses import asdict, replace

from trueup.mapping.schema import ConsentRule, FieldRule
from trueup.model.jsontext import digest
from trueup.model.record import FieldSpec


def terms_of(rule: FieldRule | ConsentRule, spec: FieldSpec | None) -> str:
    """A fingerprint of the terms. A longer field, another encoding, one more choice, a field that may be
    written to or is there at all now make another one; where the rule stands and what the system calls the
    field do not."""
    said = None if spec is None else asdict(replace(spec, label=""))
    return digest([asdict(replace(rule, origin="")), said])
