"""Words that mix alphabets: a Cyrillic `с` in `custоmer` looks right and never matches."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trueup.config.codes import Code
from trueup.config.nodes import Document, Mark, Scalar, scalars
from trueup.config.suggest import LOOKALIKE, foreign_letters, script
from trueup.errors import Problem

_WORD = re.compile(r"[^\W\d_]+(?:_[^\W\d_]+)*")


def mixed_words(document: Document) -> Iterator[Problem]:
    """A problem for every word with Latin letters and letters that only look so."""
    for scalar in scalars(document.root):
        for match in _WORD.finditer(scalar.text):
            if _mixes(match.group(0)):
                yield _problem(document, scalar, match)


def _mixes(word: str) -> bool:
    scripts = {script(sign) for sign in word if sign != "_"}
    return "Latin" in scripts and any(sign in LOOKALIKE for sign in word)


def _problem(document: Document, scalar: Scalar, match: re.Match[str]) -> Problem:
    word = match.group(0)
    first = next(index for index, sign in enumerate(word) if sign in LOOKALIKE)
    offset = match.start() + first + (0 if scalar.plain else 1)
    inside = offset < scalar.mark.width
    mark = Mark(scalar.mark.line, scalar.mark.column + offset, 1) if inside else scalar.mark
    meant = "".join(LOOKALIKE.get(sign, sign) for sign in word)
    return document.problem(
        mark,
        Code.LOOKALIKE,
        f"`{word}` mixes alphabets",
        hint=f"{foreign_letters(word)} among Latin ones",
        remedy=f"type it with Latin letters: {meant}",
    )
