"""Filling `{placeholders}` in the requests of a manifest: no logic, no expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote as url_quote

from trueup.connectors.paths import ABSENT
from trueup.model.record import Json

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")
Quote = Literal["none", "single", "double"]
_QUOTED = frozenset({"id", "ids", "value", "values"})
_MARK = {"single": "'", "double": '"'}


def fill(template: Json, values: Mapping[str, Json], quote: Quote = "none") -> Json:
    """The template with values put in; ABSENT if it needs one that is missing.

    Entries of objects and lists that are ABSENT are left out. Text that is one placeholder and nothing
    else becomes the value itself; a list that is put into a list is spread in it.
    """
    if isinstance(template, str):
        return _text(template, values, quote)
    if isinstance(template, Mapping):
        return _object(template, values, quote)
    if isinstance(template, list):
        return _list(template, values, quote)
    return template


def _list(template: Sequence[Json], values: Mapping[str, Json], quote: Quote) -> list[Json]:
    filled: list[Json] = []
    for part in template:
        value = fill(part, values, quote)
        if isinstance(value, list) and isinstance(part, str):
            filled += value
        elif value is not ABSENT:
            filled.append(value)
    return filled


def _object(template: Mapping[str, Json], values: Mapping[str, Json], quote: Quote) -> dict[str, Json]:
    filled: dict[str, Json] = {}
    for name, part in template.items():
        value = fill(part, values, quote)
        if value is ABSENT:
            continue
        if name == "*":
            filled.update(value)
        else:
            filled[name] = value
    return filled


def _text(template: str, values: Mapping[str, Json], quote: Quote) -> Json:
    names = _PLACEHOLDER.findall(template)
    if not names:
        return template
    if any(values.get(name, ABSENT) is ABSENT for name in names):
        return ABSENT
    if template == "{" + names[0] + "}" and quote == "none":
        return values[names[0]]
    return _PLACEHOLDER.sub(lambda found: _inside(found[1], values[found[1]], quote), template)


def _inside(name: str, value: Json, quote: Quote) -> str:
    mark = _MARK.get(quote, "") if name in _QUOTED else ""
    if isinstance(value, list | tuple):
        return ",".join(_quoted(part, mark) for part in value)
    return _quoted(value, mark)


def _quoted(value: Json, mark: str) -> str:
    text = as_text(value)
    if not mark:
        return text
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


def as_text(value: Json) -> str:
    """A value as it stands in a URL or header: `true`, `false`, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(as_text(part) for part in value)
    return str(value)


def fill_path(template: str, values: Mapping[str, Json]) -> str:
    """A path with values put in, each percent-encoded as one segment. KeyError names a missing one.

    A value can therefore never reach another path: `../x` stays one segment.
    """

    def part(found: re.Match[str]) -> str:
        value = values.get(found[1], ABSENT)
        if value is ABSENT or value in ("", None):
            raise KeyError(found[1])
        text = as_text(value)
        segment = url_quote(text, safe="")
        return segment.replace(".", "%2E") if set(text) == {"."} else segment

    return _PLACEHOLDER.sub(part, template)


def fill_items(template: Json, each: Sequence[Mapping[str, Json]]) -> list[Json]:
    """One filled template for each set of values."""
    return [fill(template, values) for values in each]
