"""JSON as text: one way to write values down, for the store, for digests and for comparison."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import orjson

from trueup.model.record import Json

_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def dumps(value: Json) -> str:
    """JSON text with sorted keys.

    What orjson does not take but JSON can say (halves of surrogate pairs, integers over 64 bits) is
    written by the standard library and marked by a leading space, so that it reads back the same.
    """
    try:
        return orjson.dumps(value, option=_SORTED).decode()
    except TypeError:
        return " " + json.dumps(value, sort_keys=True)


def loads(text: str | None) -> Any:
    """What `dumps` wrote; an empty mapping for nothing."""
    if text is None:
        return {}
    return json.loads(text) if text[:1] == " " else orjson.loads(text)


def digest(value: Json) -> str:
    """A short, stable fingerprint of a JSON value; it does not tell the value."""
    return blake2b(dumps(value).encode(), digest_size=12).hexdigest()
