"""Sentences of systems without the values that stand in them."""

from __future__ import annotations

import re

from trueup.config.mask import masked

_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w.-])\+?\d(?:[ ()./-]{0,2}\d){8,}(?![\w-])")
_ID = re.compile(r"\b(?=[A-Za-z]*\d)[A-Za-z0-9]{15,18}\b|(?<![\w-])\d{4,}(?![\w-])")


def covered(text: str) -> str:
    """Text without secrets, e-mail addresses and telephone numbers: the rest stands verbatim."""
    # "sales token: the endpoint …" names an operation of ours, not a secret
    text = _EMAIL.sub("‹e-mail›", masked(text.replace(" token: the ", " token request: the ")))
    return _NUMBER.sub("‹number›", text)


def without_values(text: str) -> str:
    """As `covered`, and without record ids: sentences that differ only in them are one cause."""
    return _ID.sub("‹id›", covered(text))
