"""What transforms are made of: pairs of steps, and how their parameters are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from trueup.model.canonical import Locale
from trueup.model.record import Json
from trueup.model.values import Rejected, Type

Step: TypeAlias = Callable[[Json], Json | Rejected]
Make: TypeAlias = Callable[[tuple[str, ...], Locale, Type], tuple[Step, Step]]
"""Parameters, locale and the field's type to (read, write). Raises ValueError where parameters do not fit."""


def nothing_to_set(arguments: tuple[str, ...]) -> None:
    """Raises ValueError if there are parameters."""
    if arguments:
        raise ValueError("takes no parameters")


def one(arguments: tuple[str, ...], default: str) -> str:
    """The only parameter, or the default."""
    if len(arguments) > 1:
        raise ValueError("takes one parameter")
    return arguments[0] if arguments else default


def same(raw: Json) -> Json:
    """The step that changes nothing."""
    return raw


def plain(read: Step, write: Step) -> Make:
    """A transform without parameters."""

    def make(arguments: tuple[str, ...], _: Locale, __: Type) -> tuple[Step, Step]:
        nothing_to_set(arguments)
        return read, write

    return make
