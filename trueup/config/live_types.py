"""Which canonical types fit which types of remote fields without a transform."""

from __future__ import annotations

from trueup.model.values import Type

_TEXTUAL = frozenset({"text", "choice", "email", "phone", "url", "unknown"})
_FITTING: dict[Type, frozenset[str]] = {
    Type.TEXT: _TEXTUAL,
    Type.EMAIL: frozenset({"email", "text"}),
    Type.PHONE: frozenset({"phone", "text"}),
    Type.URL: frozenset({"url", "text"}),
    Type.DATE: frozenset({"date", "text"}),
    Type.DATETIME: frozenset({"datetime", "text"}),
    Type.BOOL: frozenset({"bool", "text", "choice"}),
    Type.INT: frozenset({"int", "decimal", "text"}),
    Type.DECIMAL: frozenset({"decimal", "int", "text"}),
    Type.MONEY: frozenset({"decimal", "int", "text", "object"}),
    Type.CHOICE: _TEXTUAL,
    Type.COUNTRY: frozenset({"text", "choice"}),
    Type.LANGUAGE: frozenset({"text", "choice"}),
    Type.ZONE: frozenset({"text", "choice"}),
    Type.TEXTS: frozenset({"multi_choice", "object", "text", "choice"}),
    Type.EMAILS: frozenset({"object", "text", "email"}),
    Type.PHONES: frozenset({"object", "text", "phone"}),
    Type.ADDRESS: frozenset({"object"}),
    Type.ADDRESSES: frozenset({"object"}),
    Type.REFERENCE: frozenset({"reference", "int", "text"}),
    Type.REFERENCES: frozenset({"reference", "object", "text"}),
}


def fits(ours: Type, theirs: str) -> bool:
    """Whether a value of our type goes into their field, and back, as it is. Unknown types are let pass."""
    return theirs in ("unknown", "object") or theirs in _FITTING[ours]
