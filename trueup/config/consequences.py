"""Problems that are only consequences of others are left out: each mistake is told once.

A word with an invisible character is also an unknown word; a file that could be read only in part seems
to lack what others refer to. Telling that too would send people looking in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby

from trueup.config.codes import Code
from trueup.config.nodes import Document
from trueup.errors import Problem

_SLIPS = {
    code.value
    for code in (Code.SYNTAX, Code.INVISIBLE, Code.UNQUOTED, Code.DUPLICATE, Code.LOOKALIKE, Code.SECRET)
}
_RESTS_ON: Mapping[str, frozenset[str]] = {
    Code.FIELD.value: frozenset({"hub"}),
    Code.CONFINED.value: frozenset({"hub"}),
    Code.VALUES.value: frozenset({"hub", "lifecycle"}),
    Code.CONDITION.value: frozenset({"hub", "lifecycle"}),
    Code.STAGE.value: frozenset({"lifecycle"}),
    Code.NAME.value: frozenset({"connections", "lifecycle"}),
    Code.ACTION.value: frozenset({"connections"}),
    Code.EXAMPLE.value: frozenset({"hub", "lifecycle", "connections"}),
}
"""What kinds of files a problem's kind rests on: a half-read one of them makes it doubtful."""


def half_read(documents: Mapping[str, Document], unread: Iterable[str]) -> frozenset[str]:
    """The files of which only a part is known: hub, lifecycle, connections/NAME."""
    return frozenset({*unread, *(key for key, document in documents.items() if not document.complete)})


def certain(
    found: Iterable[Problem],
    partial: frozenset[str],
    lost: Iterable[str],
    documents: Mapping[str, Document],
) -> list[Problem]:
    """The problems between files without those that may only come from a half-read file, or from a block
    that is missing from one of those in `lost`: what is said in the rest of these still counts."""
    kinds = {key.partition("/")[0] for key in (*partial, *lost)}
    files = {documents[key].file for key in partial if key in documents}
    return [
        problem
        for problem in found
        if problem.file not in files and not kinds & _RESTS_ON.get(problem.code, frozenset())
    ]


def told_once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted, without repeats, without what a slip in the same place explains, and without missing keys that
    are there under a misspelt name."""
    kept: list[Problem] = []
    every = set(problems)
    told = sorted(every - _misspelt_only(every))
    for _, group in groupby(told, key=lambda problem: (problem.file, problem.line)):
        line = list(group)
        slips = [problem for problem in line if problem.code in _SLIPS]
        kept.extend(one for one in line if one in slips or not any(_explains(slip, one) for slip in slips))
    return tuple(kept)


_MEANT = re.compile(r"did you mean `(\w+)`\?")


def _misspelt_only(problems: Iterable[Problem]) -> set[Problem]:
    """Missing keys that an unknown key was meant to be. One unknown key stands for what its own block lacks,
    or, where that lacks nothing, for what the blocks below lack because of it."""
    missing = [one for one in problems if one.code == Code.MISSING.value]
    found: set[Problem] = set()
    for slip in problems:
        meant = _MEANT.search(slip.hint) if slip.code == Code.KEY.value else None
        if meant is None:
            continue
        named = [one for one in missing if one.file == slip.file and f"`{meant[1]}:" in one.remedy]
        around = [one for one in named if one.line <= slip.line]
        found.update([max(around)] if around else named)
    return found


def _explains(slip: Problem, other: Problem) -> bool:
    if slip.line == 0:
        return False
    tab = slip.code == Code.INVISIBLE.value and slip.column == 1
    apart = slip.column + slip.width <= other.column or other.column + other.width <= slip.column
    return tab or not apart
