"""Full names: read into their parts, and joined out of them.

`Dr. Juan de la Vega III`, `Smith, Ann`, `Иванов Иван Иванович` and `محمد بن سلمان` are read into
salutation, first, middle and last name and suffix; in a column that registers fill (`last_first`) the
first word is the family name, with or without a comma: `Бойко Іван`. A single word is the last name: sales
systems take no person without one, and the word is written back the same. A nickname in brackets is left
out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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

_PATRONYMIC = re.compile(r"\w+(?:івна|ївна|овна|евна|ична|йович|ович|евич)", re.IGNORECASE)
_ROUNDS = 4

_GIVEN_AND_LAST = ("first_name", "middle_name", "last_name")
_LAST_FIRST = ("last_name", "first_name", "middle_name")


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
    """The parts in the order they are said, separated by a space. A suffix that the last name ends with, too
    (`McDonald Jr.`, `Jr.`), is said once."""
    *names, last, suffix = parts
    said = last is not None and suffix is not None and f" {last}".endswith(f" {suffix}")
    return " ".join(part for part in (*names, last, None if said else suffix) if part)


@lru_cache(maxsize=32_768)
def parts_of_register(text: str) -> Parts:
    """The parts of a name as registers write it, family name first, with a comma behind it or without.

    What `last_first` writes of the parts is read as the same parts again. More than three words without a
    comma are a last name as a whole: nobody knows where it ends, and it is written back the same.
    """
    parts = _registered(text)
    for _ in range(_ROUNDS):
        again = _registered(last_first(parts))
        if again == parts:
            return parts
        parts = again
    return _whole(text)


def last_first(parts: Parts, sign: str = ",") -> str:
    """`Smith, Ann`, as registers write it. With a blank as the sign `Smith Ann`, where that is read as the
    same parts; else with the comma (`Van Gogh, Vincent`)."""
    salutation, first, middle, last, suffix = parts
    given = " ".join(part for part in (salutation, first, middle) if part)
    plain = joined(parts)
    if not last or not given:
        return plain
    blank = " ".join(part for part in (last, given, suffix) if part)
    if sign == " " and _registered(blank) == parts_of(plain):
        return blank
    return ", ".join(part for part in (last, given, suffix) if part)


def of_values(values: Mapping[str, Value]) -> Parts:
    """The name parts among canonical values."""
    return tuple(values.get(part) for part in NAME_PARTS)


def _whole(text: str) -> Parts:
    return (None, None, None, text, None)


def _parsed(text: str) -> Parts:
    words = text.split()
    if len(words) < 2 or len(text) > MAX_PARSED:
        return _whole(" ".join(words))
    given_first = _given_first(words)
    if given_first is not None:
        first, middle, last = map(_known, given_first)
        return (None, first or None, middle or None, last or None, None)
    found = _parser().parse(" ".join(words))
    title, given, middle, family, suffix = (
        _known(part) for part in (found.title, found.given, found.middle, found.family, found.suffix)
    )
    if not family:  # `Sir Ian`: the one name there is
        given, family = "", given
    if not family and not middle:
        return _whole(" ".join(words))
    return (title or None, given or None, middle or None, family or None, suffix or None)


def _registered(text: str) -> Parts:
    """A name that begins with the family name, read once. A title may stand before it (`Dr. Smith Ann`)."""
    words = text.split()
    as_said = parts_of(text)
    if "," in text or len(words) < 2 or len(text) > MAX_PARSED:
        return as_said
    title, suffix = ((part or "").split() for part in (as_said[0], as_said[4]))
    end = len(words) - (len(suffix) if words[-len(suffix) :] == suffix else 0)
    start = len(title) if words[: len(title)] == title else 0
    core = words[start:end]
    last = _particles(core) + 1
    if len(core) < 2 or _is_given_first(core):
        return as_said
    if len(core) - last not in (1, 2):
        return _whole(" ".join(words))
    said = [*words[:start], *core[last:], *words[end:]]
    return parts_of(f"{' '.join(core[:last])}, {' '.join(said)}")


def _particles(words: list[str]) -> int:
    """How many words in small letters begin a family name: `van der Berg Jan`."""
    return next((place for place, word in enumerate(words) if not word[0].islower()), 0)


def _is_given_first(words: list[str]) -> bool:
    """`Олена Іванівна Кравчук`: the patronymic in the middle shows the other order."""
    shown = [_PATRONYMIC.fullmatch(word) is not None for word in words]
    return shown == [False, True, False]


def _known(part: str) -> str:
    """The part, without stray commas; nothing where a placeholder stands (`Unknown Smith`)."""
    part = clean(part).strip(" ,")
    return "" if is_placeholder(Type.TEXT, part) else part


def _given_first(words: list[str]) -> list[str] | None:
    """Given name, patronymic and family name of three words of which the second or the third is a patronymic;
    None for other names. Family names may look like one (`Климович`): of two the later one is it where the
    name begins with the family name (`Климович Олег Іванович`), else the earlier one."""
    if len(words) != 3 or any("," in word or word.endswith(".") for word in words):
        return None
    _, second, third = (_PATRONYMIC.fullmatch(word) is not None for word in words)
    if second:
        return words
    return [words[1], words[2], words[0]] if third else None


@cache
def _parser() -> Parser:
    return Parser(policy=Policy(patronymic_rules=frozenset({PatronymicRule.EAST_SLAVIC})))


@dataclass(frozen=True, slots=True)
class Cut:
    """How the words of a name belong to its parts: for each word in the order they are said, its part. What
    is not among the `parts` that it tells of (a title) stays as it was read."""

    words: tuple[str, ...]
    parts: tuple[str, ...]

    def of(self, read: Mapping[str, Value]) -> Mapping[str, Value] | None:
        """The parts of a whole name that were read out of as many words; None for another number of them."""
        words = _said(read, self.parts)
        if len(words) != len(self.words):
            return None
        laid = {
            part: [word for word, own in zip(words, self.words, strict=True) if own == part]
            for part in self.parts
        }
        return {**read, **{part: " ".join(found) or None for part, found in laid.items()}}


def cut_as_said(read: Mapping[str, Value], said: Mapping[str, Value]) -> Cut | None:
    """How a whole name is to be cut where somebody says the same words part by part, in the order of a whole
    name or with the last name first; None where the words are others."""
    for parts in (NAME_PARTS, _GIVEN_AND_LAST, _LAST_FIRST):
        words = [word.casefold() for word in _said(read, parts)]
        for order in (NAME_PARTS if parts == NAME_PARTS else _GIVEN_AND_LAST, _LAST_FIRST):
            if words and words == [word.casefold() for word in _said(said, order)]:
                return Cut(tuple(part for part in order for _ in _said(said, (part,))), parts)
    return None


def other_cuts(read: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
    """A whole name that was read in one order (the family name last, or first) as it would be read in the
    other one."""
    text = " ".join(_said(read, NAME_PARTS))
    yield dict(zip(NAME_PARTS, parts_of_register(text), strict=True))
    yield dict(zip(NAME_PARTS, parts_of(" ".join(_said(read, _LAST_FIRST))), strict=True))


def is_lone(read: Mapping[str, Value]) -> bool:
    """Whether a whole name is one word: which half of a name it is, nobody can tell by itself."""
    return len(_said(read, _GIVEN_AND_LAST)) == 1


def lone_as(part: str) -> Cut:
    """The one word as that half of a name."""
    return Cut((part,), _GIVEN_AND_LAST)


def _said(values: Mapping[str, Value], parts: Iterable[str]) -> list[str]:
    return [word for part in parts for word in str(values.get(part) or "").split()]
