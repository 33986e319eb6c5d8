"""Parts of an answer in the form that the code goes on with, or Malformed: nothing else is used of it."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.errors import Malformed
from trueup.model.record import Json


def table(value: Json, what: str) -> Mapping[str, Json]:
    """An object; none counts as an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{what} in the answer are no object")
    return value


def rows(value: Json, what: str) -> list[Mapping[str, Json]]:
    """A list of objects; none counts as an empty one."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Malformed(f"{what} in the answer are no list of objects")
    return value


def number(value: Json, what: str) -> int:
    """A whole number, also one written as text."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not text.isdecimal() or len(text) > 30:
        raise Malformed(f"{what} in the answer is no number")
    return int(text)


def id_in(row: Mapping[str, Json], name: str, what: str) -> str:
    """The id that stands under a name, as text."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise Malformed(f"{what} in the answer have no id")
    return str(value)
