"""The options that a connector understands, and the form of each: a file is judged before it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trueup.model.record import Json


@dataclass(frozen=True, slots=True)
class Option:
    """One key under `options:`, or of an object. `about`: what it says. `form`: what is meant, in words.

    `fits` tells whether a value has that form; it never raises. A `required` option of objects may stand
    with the connection, where the connection has one of that name.
    """

    about: str
    form: str
    fits: Callable[[Json], bool]
    required: bool = False


Options = Mapping[str, Option]


def is_text(value: Json) -> bool:
    """A name or the like; a number may be one (a column `2024`)."""
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def is_names(value: Json) -> bool:
    """One name, or a list of names."""
    return bool(value) and all(map(is_text, value)) if isinstance(value, list) else is_text(value)


def fits_pattern(pattern: str) -> Callable[[Json], bool]:
    """A check for a single value that, as text, is of the pattern from its beginning to its end."""

    def fits(value: Json) -> bool:
        return isinstance(value, (str, int, float)) and bool(re.fullmatch(pattern, str(value)))

    return fits


def names(about: str, form: str = "a column, or a list of columns") -> Option:
    return Option(about, form, is_names)


def text(about: str, form: str) -> Option:
    return Option(about, form, is_text)


CONTACT_OBJECT = text("for cases: the object that their `contact` is a record of", "the name of an object")
