"""Conditions: CEL over what is known of a contact, checked when it is written, never raising when asked.

The package `cel` evaluates, but has no tree to look at, short-circuits over misspelt names, raises on
None, dates and sets, and knows neither decimals nor the unknown. So a condition is read and typed here:
every name and function is resolved, wherever it stands; what is unknown stays unknown and is named; money
is exact. `cel` remains the judge of what CEL is (`compile_condition` refuses what it refuses, and the
tests hold both to the same answers) and matches regular expressions, in linear time.

Beyond CEL: whole numbers and decimals compare and mix; `days_since(x)`, `days_until(x)`; `x == null` and
`has(x)` ask whether something is known; `list.contains(x)` is `x in list`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import cel

from trueup.lifecycle.expressions import shapes
from trueup.lifecycle.expressions.functions import FUNCTIONS, MACROS, day_count_reached, days_between
from trueup.lifecycle.expressions.meaning import ConditionProblem, Days, Reader
from trueup.lifecycle.expressions.running import Facts, Run
from trueup.lifecycle.expressions.shapes import ANY, DaysSince, ListOf, MapOf, Named, Sort, Thing, sort_of
from trueup.lifecycle.expressions.syntax import Binary, Node, SyntaxProblem, parse

__all__ = [
    "ANY",
    "FUNCTION_NAMES",
    "Condition",
    "ConditionProblem",
    "DaysSince",
    "ListOf",
    "MapOf",
    "Met",
    "Named",
    "NotMet",
    "Unknown",
    "Verdict",
    "compile_condition",
]

FUNCTION_NAMES = (*FUNCTIONS, *MACROS, "has")
"""All that a condition may call."""


@dataclass(frozen=True, slots=True)
class Met:
    """The condition holds."""

    met: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotMet:
    """It does not hold; `reason` names the part that fails. No value is in it."""

    reason: str
    met: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It counts as not met, because nobody knows `parts` (names, or what could not be computed)."""

    parts: tuple[str, ...]
    met: bool = False

    @property
    def reason(self) -> str:
        return f"{', '.join(self.parts)} {'is' if len(self.parts) == 1 else 'are'} not known"


Verdict: TypeAlias = Met | NotMet | Unknown

_MET = Met()
_CEL_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition. `names` are those it uses; `origin` is where it is written."""

    text: str
    origin: str
    names: tuple[str, ...]
    run: Run
    parts: tuple[tuple[str, Run], ...]
    days: tuple[Days, ...]
    zone: str

    def met(self, values: Mapping[str, Thing], now: datetime | None = None) -> Verdict:
        """Whether it holds. `values` by dotted name (or maps in maps); `now`, aware, is for counting days.

        Never raises: what cannot be computed is Unknown.
        """
        return self._verdict(Facts(values, now))

    def _verdict(self, facts: Facts) -> Verdict:
        result = self.run(facts)
        if result is True:
            return _MET
        if isinstance(result, shapes.Unknown):
            return Unknown(tuple(sorted(result.parts)))
        if result is not False:
            return Unknown((f"`{self.text}` (neither true nor false)",))
        failing = next((said for said, run in self.parts if run(facts) is False), self.text)
        return NotMet(f"`{failing}` is false")

    def next_change(self, values: Mapping[str, Thing], now: datetime) -> datetime | None:
        """The earliest time after `now` at which the same values give another verdict; None if never.

        Where days are computed with instead of compared, it is the next day's turn, changed or not.
        """
        present = self.met(values, now)
        for time, certain in sorted(self._turns(Facts(values, now), now)):
            if not certain or _differs(self.met(values, time), present):
                return time
        return None

    def _turns(self, facts: Facts, now: datetime) -> Iterator[tuple[datetime, bool]]:
        """Times at which a number of days passes what it is compared with; False: compared with nothing."""
        for days in self.days:
            when = days.when(facts)
            present = days_between(when, now, self.zone, days.until)
            if isinstance(when, shapes.Unknown) or isinstance(present, shapes.Unknown):
                continue
            certain = bool(days.against)
            for count in _counts(days, facts) if certain else [present - 1 if days.until else present + 1]:
                time = day_count_reached(when, count, self.zone, days.until)
                if time is not None and time > now:
                    yield time, certain


def _counts(days: Days, facts: Facts) -> Iterator[int]:
    """The numbers of days beside what they are compared with, where a comparison can turn."""
    for against in days.against:
        number = against(facts)
        if isinstance(number, int | Decimal) and not isinstance(number, bool) and -(10**6) < number < 10**6:
            whole = math.floor(number)
            yield from (whole - 1, whole, whole + 1)


def _differs(left: Verdict, right: Verdict) -> bool:
    return type(left) is not type(right)


def compile_condition(
    text: str, names: Mapping[str, Named], origin: str, zone: str = "UTC"
) -> Condition | list[ConditionProblem]:
    """The condition, ready to be asked; or everything that is wrong with it.

    `names`: all that it may speak of, by dotted name. `zone`: whose calendar counts days for dates.
    """
    try:
        tree = parse(text)
    except SyntaxProblem as wrong:
        return [ConditionProblem(wrong.message, wrong.start, wrong.length, wrong.hint)]
    reader = Reader(text, names, zone)
    meaning = reader.meaning(tree)
    if sort_of(meaning.shape) not in (Sort.TRUTH, Sort.ANY):
        reader.problem(tree, f"this is {shapes.described(meaning.shape)}, a condition is true or false")
    if not reader.problems and (refused := _refused_by_cel(text)):
        return [refused]
    if reader.problems:
        return sorted(reader.problems, key=lambda problem: (problem.offset, problem.message))
    parts = tuple(
        (text[node.start : node.end], Reader(text, names, zone).meaning(node).run) for node in _ands(tree)
    )
    return Condition(text, origin, tuple(sorted(reader.used)), meaning.run, parts, tuple(reader.days), zone)


def _ands(node: Node) -> Iterator[Node]:
    """The parts that all must hold."""
    if isinstance(node, Binary) and node.sign == "&&":
        yield from _ands(node.left)
        yield from _ands(node.right)
    else:
        yield node


def _refused_by_cel(text: str) -> ConditionProblem | None:
    """What the package says against the text, None if it is CEL."""
    try:
        cel.compile(text)
    except ValueError as error:
        found = _CEL_PLACE.search(str(error))
        if found is None:
            return ConditionProblem("this is not CEL", 0, len(text))
        line, column = int(found[1]), int(found[2])
        before = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
        return ConditionProblem(f"this is not CEL: {found[3]}", min(before + column - 1, len(text)), 1)
    return None
