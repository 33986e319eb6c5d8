"""Full names: read into their parts, and joined out of them.

`Dr. Juan de la Vega III`, `Smith, Ann`, `Иванов Иван Иванович` and `محمد بن سلمان` are read into
salutation, first, middle and last name and suffix. A single word is the last name: sales systems take
no person without one, and the word is written back the same. A nickname in brackets is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TypeAlias

from nameparser import Parser, PatronymicRule, Policy

from trueup.model.canonical import clean, is_placeholder
from trueup.model.fields import NAME_PARTS
from trueup.model.values import Type, Value

Parts: TypeAlias = tuple[str | None, ...]
"""One for each of NAME_PARTS."""

MAX_PARSED = 200
"""Characters. A longer text is no name to take apart: it is a last name as a whole."""

_UKRAINIAN_PATRONYMIC = re.compile(r"\w+(?:івна|ївна|йович|ович|евич)", re.IGNORECASE)
_ROUNDS = 4


@lru_cache(maxsize=32_768)
def parts_of(text: str) -> Parts:
    """The parts of a written name, such that `parts_of(joined(parts_of(text))) == parts_of(text)`."""
    parts = _parsed(text)
    for _ in range(_ROUNDS):
        again = _parsed(joined(parts))
        if again == parts:
            return parts
        parts = again
    return _whole(text)


def joined(parts: Parts) -> str:
    """The parts in the order they are said, separated by a space."""
    return " ".join(part for part in parts if part)


def last_first(parts: Parts) -> str:
    """`Smith, Ann`, as registers write it; like `joined` where that would be read as something else."""
    salutation, first, middle, last, suffix = parts
    given = " ".join(part for part in (salutation, first, middle) if part)
    text = ", ".join(part for part in (last, given, suffix) if part)
    plain = joined(parts)
    return text if last and given and parts_of(text) == parts_of(plain) else plain


def of_values(values: Mapping[str, Value]) -> Parts:
    """The name parts among canonical values."""
    return tuple(values.get(part) for part in NAME_PARTS)


def _whole(text: str) -> Parts:
    return (None, None, None, text, None)


def _parsed(text: str) -> Parts:
    words = text.split()
    if len(words) < 2 or len(text) > MAX_PARSED:
        return _whole(" ".join(words))
    found = _parser().parse(_given_first(words))
    title, given, middle, family, suffix = (
        _known(part) for part in (found.title, found.given, found.middle, found.family, found.suffix)
    )
    if not family:  # `Sir Ian`: the one name there is
        given, family = "", given
    if not family and not middle:
        return _whole(" ".join(words))
    return (title or None, given or None, middle or None, family or None, suffix or None)


def _known(part: str) -> str:
    """The part, without stray commas; nothing where a placeholder stands (`Unknown Smith`)."""
    part = clean(part).strip(" ,")
    return "" if is_placeholder(Type.TEXT, part) else part


def _given_first(words: list[str]) -> str:
    """`Іваненко Олена Петрівна` with its family name at the end; other orders as they are."""
    if len(words) == 3 and _UKRAINIAN_PATRONYMIC.fullmatch(words[2]) and "," not in "".join(words):
        return " ".join((*words[1:], words[0]))
    return " ".join(words)


@cache
def _parser() -> Parser:
    return Parser(policy=Policy(patronymic_rules=frozenset({PatronymicRule.EAST_SLAVIC})))
