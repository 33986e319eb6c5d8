"""What a connection may say that only its connector understands: options, and how it signs in.

A file is judged by these before it is used, and editors complete it by the same forms (as JSON Schema).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trueup.model.record import Json


@dataclass(frozen=True, slots=True)
class Option:
    """One key under `options:`, or of an object. `about`: what it says. `form`: what is meant, in words.

    `fits` tells whether a value has that form; it never raises. `schema` says the same for editors, as far
    as JSON Schema can. A `required` option of objects may stand with the connection, where the connection
    has one of that name.
    """

    about: str
    form: str
    fits: Callable[[Json], bool]
    schema: Mapping[str, Json] = field(default_factory=dict)
    required: bool = False


Options = Mapping[str, Option]


@dataclass(frozen=True, slots=True)
class AuthKey:
    """One key under `auth:`. `help` says what it is, or where the vendor shows or issues it."""

    required: bool = True
    secret: bool = True
    help: str = ""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What `auth:` may say: the words for `kind`, the usual one first, and the keys beside it. Both are
    empty for what nobody signs in to."""

    ways: tuple[str, ...] = ()
    keys: Mapping[str, AuthKey] = field(default_factory=dict)


def is_text(value: Json) -> bool:
    """A name or the like; a number may be one (a column `2024`)."""
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def is_names(value: Json) -> bool:
    """One name, or a list of names."""
    return bool(value) and all(map(is_text, value)) if isinstance(value, list) else is_text(value)


_TEXT: Mapping[str, Json] = {"type": ["string", "integer"], "minLength": 1}
_NAMES: Mapping[str, Json] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_NUMBERS = ("7", "300", "67.0")
"""Numbers as people leave them unquoted: which of them fit tells whether a number is meant."""
_WORDS = re.compile(r"\(\?i:(\w+(?:\|\w+)*)\)")


def names(about: str, form: str = "a column, or a list of columns") -> Option:
    return Option(about, form, is_names, _NAMES)


def text(about: str, form: str) -> Option:
    return Option(about, form, is_text, _TEXT)


def matching(about: str, form: str, pattern: str) -> Option:
    """An option whose single value is, as text, of the pattern from its beginning to its end."""

    def fits(value: Json) -> bool:
        return isinstance(value, (str, int, float)) and bool(re.fullmatch(pattern, str(value)))

    return Option(about, form, fits, _pattern_schema(pattern))


def _pattern_schema(pattern: str) -> Mapping[str, Json]:
    """Words in any case are listed as they are usually written: not every editor knows `(?i:…)`."""
    if found := _WORDS.fullmatch(pattern):
        words: list[Json] = [*found[1].split("|")]
        return {"enum": [*words, True, False] if "true" in words else words}
    types = ["string", "number"] if any(re.fullmatch(pattern, one) for one in _NUMBERS) else ["string"]
    return {"type": types, "pattern": f"^(?:{pattern})$"}


CONTACT_OBJECT = text("for cases: the object that their `contact` is a record of", "the name of an object")
