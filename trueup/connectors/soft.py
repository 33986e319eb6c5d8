"""Soft facts: what a vendor lets us know on the side, in the headers of its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trueup.connectors.manifest import Learn


def learned(words: Learn, headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """(calls that remain, seconds until the bucket is full again); None for what was not told."""
    found = re.search(words.pattern, headers.get(words.header, ""))
    return (_remaining(found) if found else None), _reset(words, headers)


def _remaining(found: re.Match[str]) -> float | None:
    named = found.groupdict()
    try:
        if "remaining" in named:
            return max(0.0, float(named["remaining"]))
        return max(0.0, float(named["limit"]) - float(named["used"]))
    except (KeyError, TypeError, ValueError):
        return None


def _reset(words: Learn, headers: Mapping[str, str]) -> float | None:
    if not words.reset_header:
        return None
    try:
        value = float(headers.get(words.reset_header, ""))
    except ValueError:
        return None
    return min(86_400.0, max(0.0, value / (1000.0 if words.reset_unit == "ms" else 1.0)))
