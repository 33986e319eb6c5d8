"""Whether two names may be of one person: what keeps a family's shared mailbox from becoming one contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from rapidfuzz.distance import JaroWinkler

from trueup.dedupe.latin import is_initial, sounds, spelled_words
from trueup.model.values import Value

Name: TypeAlias = tuple[str, str]
"""First and last name, folded to Latin letters without diacritics; empty where not known."""

FullName: TypeAlias = tuple[str, str, str, str]
"""First, last and middle name and suffix, folded likewise."""

ALIKE = 0.84
"""From this similarity on, two first names are taken for spellings of one (Jhon and John)."""


def name_of(values: Mapping[str, Value]) -> Name:
    """The name among a record's canonical values."""
    return (_folded(values.get("first_name")), _folded(values.get("last_name")))


def _folded(text: Value) -> str:
    return " ".join(spelled_words(str(text))) if text else ""


def contradict(one: Name, other: Name) -> bool:
    """Whether two names cannot be one person's: the first names are no spelling, initial, short form or swap
    of each other, or the one word that is all of a name is neither the other's first nor last name."""
    first, last = one
    second, other_last = other
    if not any(one) or not any(other):
        return False
    if not all(one) or not all(other):
        return not any(_may_be_one(a, b) for a in one if a for b in other if b)
    if _may_be_one(first, second):
        return False
    swapped = bool(last and other_last) and _may_be_one(first, other_last) and _may_be_one(second, last)
    return not swapped


def _may_be_one(first: str, second: str) -> bool:
    a, b = first.split(), second.split()
    if a[0] == b[0] or a[0] in b or b[0] in a:
        return True
    short, long = sorted((a[0], b[0]), key=len)
    if long.startswith(short) and (len(short) == 1 or len(short) >= 3):
        return True
    return JaroWinkler.similarity(a[0].translate(_SOUND), b[0].translate(_SOUND)) >= ALIKE


def full_name_of(values: Mapping[str, Value]) -> FullName:
    """All that tells two people of one family apart."""
    return (*name_of(values), _folded(values.get("middle_name")), _folded(values.get("name_suffix")))


def agree(one: FullName, other: FullName) -> bool:
    """Whether two names are one person's in every part: first and last name are there on both sides, are
    spellings of each other or swapped, and nothing else that both say contradicts."""
    if not all((*one[:2], *other[:2])):
        return False
    if any(a and b and not _may_be_one(a, b) for a, b in zip(one[2:], other[2:], strict=True)):
        return False
    straight = _may_be_one(one[0], other[0]) and _may_be_one(one[1], other[1])
    return straight or (_may_be_one(one[0], other[1]) and _may_be_one(one[1], other[0]))


_SOUND = str.maketrans("hy", "gi")
"""One Cyrillic letter is written h or g, another y or i: Halyna and Galina."""


def contradicts_all(name: Name, known: Iterable[Name]) -> bool:
    """Whether a name contradicts every known name of an entity; nothing known contradicts nothing."""
    names = [one for one in known if any(one)]
    return bool(names) and all(contradict(name, one) for one in names)


def likeness(one: str, other: str) -> int:
    """How surely two parts of names are one word: 3 the same word in any script, 2 an initial or some of its
    words (a double name), 1 another form that sounds near, 0 not at all."""
    a, b = sorted((sounds(one), sounds(other)), key=len)
    if not a or not b:
        return 0
    if a == b:
        return 3
    if all(any(word == own or (is_initial(word) and own.startswith(word)) for own in b) for word in a):
        return 2
    if all(map(is_initial, b)) and all(x.startswith(y) for x, y in zip(a, b, strict=False)):
        return 2
    return 1 if _may_be_one(_folded(one), _folded(other)) else 0


def is_initials(text: str) -> bool:
    """Whether a part of a name says nothing but initials: `T.`, `Т. Г.`, `J`; a sign of a script without
    capitals (`李`) is a word."""
    if "." in text:
        return all(map(is_initial, sounds(text)))
    return all(len(word) == 1 and word.lower() != word.upper() for word in text.split())


def fit(one: Iterable[str], other: Iterable[str]) -> int:
    """How surely two names of as many parts are the same, part by part; 0 where one of the parts is not."""
    found = [likeness(mine, theirs) for mine, theirs in zip(one, other, strict=True)]
    return sum(found) if all(found) else 0


def is_family_only(name: Name) -> bool:
    """Whether one word of a family name is all of a name."""
    first, last = name
    return not first and len(last.split()) == 1


def half_of(one: Name, other: Name) -> bool:
    """Whether one of two names lacks a half, and the other says the one that is there, too: the same words in
    any script wherever they stand, or another form of them in the same half. An initial is too little."""
    if all(one) and all(other):
        return False
    halves = [(place, half) for place, half in enumerate(one) if half]
    others = [(place, half) for place, half in enumerate(other) if half]
    if not halves or not others:
        return False
    if len(halves) > len(others):
        halves, others = others, halves
    (place, half), *_ = halves
    return any(_says(whole, half) >= (1 if place == at else 2) for at, whole in others)


def _says(whole: str, half: str) -> int:
    """How surely a half of a name says all the words of another; an initial says none."""
    mine, theirs = sounds(half), sounds(whole)
    if len(mine) > len(theirs) or any(map(_is_letter, mine)) or any(map(_is_letter, theirs)):
        return 0
    return likeness(half, whole)


def _is_letter(word: str) -> bool:
    return is_initial(word) and word.lower() != word.upper()
