"""Where things are: JMESPath expressions, compiled once, with a short way for plain dotted ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import jmespath

from trueup.model.record import Json

_PLAIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
ABSENT: Json = object()
"""Not said at all, as opposed to None, said to be empty."""


@lru_cache(maxsize=4096)
def path(expression: str) -> Callable[[Json], Json]:
    """The function that finds `expression` in a JSON value; None where there is nothing.

    Raises ValueError for what is no JMESPath. An empty expression finds nothing, ever.
    """
    if not expression:
        return lambda value: None
    if expression == "@":
        return lambda value: value
    if _PLAIN.fullmatch(expression):
        return _plain(tuple(expression.split(".")))
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"no JMESPath: {expression!r} ({error})") from error

    def search(value: Json) -> Json:
        try:
            return compiled.search(value)
        except jmespath.exceptions.JMESPathError:
            return None  # a function met a type that it does not take: there is nothing here

    return search


def _plain(steps: tuple[str, ...]) -> Callable[[Json], Json]:
    def walk(value: Json) -> Json:
        for step in steps:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value

    return walk


def pick(values: Json, names: Sequence[str], nested: bool) -> dict[str, Json]:
    """Those of `names` that `values` says; a dotted name walks into objects when `nested`.

    An object that is None on the way says that everything below it is empty.
    """
    if not isinstance(values, Mapping):
        return {}
    found: dict[str, Json] = {}
    for name in names:
        value = values.get(name, ABSENT)
        if value is ABSENT and nested and "." in name:
            value = _walk(values, name.split("."))
        if value is not ABSENT:
            found[name] = value
    return found


def _walk(value: Json, steps: Sequence[str]) -> Json:
    for step in steps:
        if value is None:
            return None
        if not isinstance(value, Mapping) or step not in value:
            return ABSENT
        value = value[step]
    return value


def nest(flat: Mapping[str, Json]) -> dict[str, Json]:
    """Dotted names as objects in objects: `user_fields.tier` becomes `{"user_fields": {"tier": …}}`."""
    whole: dict[str, Json] = {}
    for name, value in flat.items():
        *above, last = name.split(".")
        place = whole
        for step in above:
            place = place.setdefault(step, {})
        place[last] = value
    return whole
