"""Transitions that lead back to each other on the same facts: a contact would swing for ever.

The conditions are tried, not proved: on every combination of values at, just below and just above the
numbers that they name (their words, for choices). Counts that start anew with a stage or a cycle are at
their start, and a score is what the entered stages leave of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, product

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.condition_names import entity_names
from trueup.config.lifecycle_settings import Lifecycle
from trueup.config.vocabulary import ScorePolicy, Since
from trueup.lifecycle.conditions import Condition, Named, compile_condition
from trueup.model.fields import Field, Kind
from trueup.model.values import Type, Value

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MOST = 5_000
_ROUNDS = 24
Facts = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Way:
    """One transition that happens by itself. `position`: in the file."""

    position: int
    to: str
    starts: tuple[str, ...]
    condition: Condition


def check_loops(report: Report) -> None:
    life = report.config.lifecycle
    ways = list(_ways(report))
    names = entity_names(report.config, Kind.CONTACT)
    told: set[frozenset[int]] = set()
    for there, back in _pairs(ways):
        pair = frozenset({there.position, back.position})
        if pair in told:
            continue
        samples = _samples((there, back), names, life)
        facts = next((one for one in samples if _swings(ways, life, there, back, one)), None)
        if facts is not None:
            told.add(pair)
            _say(report, there, back, facts)


def _ways(report: Report) -> Iterator[Way]:
    """Transitions by condition alone, in order; those that do not compile are told of elsewhere."""
    names = entity_names(report.config, Kind.CONTACT)
    life = report.config.lifecycle
    for position, said in enumerate(life.transitions):
        if said.when is None or said.by is not None or not said.to:
            continue
        compiled = compile_condition(said.when, names, "", report.config.hub.time_zone)
        if isinstance(compiled, Condition):
            yield Way(position, said.to[0], said.from_ or tuple(life.stages), compiled)


def _pairs(ways: Sequence[Way]) -> Iterator[tuple[Way, Way]]:
    for there in ways:
        for back in ways:
            if there.to in back.starts and back.to in there.starts and there.to != back.to:
                yield there, back


# -- facts to try -------------------------------------------------------------------------------------


def _samples(pair: tuple[Way, Way], names: Mapping[str, Named], life: Lifecycle) -> Iterator[Facts]:
    """Combinations of values of all names that the pair speaks of."""
    used = sorted({name for way in pair for name in way.condition.names} - {"stage"})
    text = " ".join(way.condition.text for way in pair)
    choices = [_values(name, names.get(name), text, life) for name in used]
    for values in islice(product(*choices), _MOST):
        yield dict(zip(used, values, strict=True))


def _values(name: str, named: Named | None, text: str, life: Lifecycle) -> list[Value]:
    summary = life.summaries.get(name)
    if name == "days_in_stage" or (summary is not None and summary.since is not Since.EVER):
        return [0 if named in (Type.INT, Type.DECIMAL) else None]
    if isinstance(named, Field):
        return list(named.options) if named.options else _of_type(named.type, text)
    return _of_type(named, text) if isinstance(named, Type) else [None]


def _of_type(type: Type, text: str) -> list[Value]:
    """Values of a type around what the conditions name."""
    numbers = {int(float(number)) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)} | {0}
    words = re.findall(r"""["']([^"']*)["']""", text)
    near = sorted({number + step for number in numbers for step in (-1, 0, 1) if number + step >= 0})
    if type in (Type.INT, Type.DECIMAL, Type.MONEY):
        return list(near)
    if type is Type.DATETIME:
        return [(_NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z") for days in near]
    if type is Type.DATE:
        return [(_NOW - timedelta(days=days)).date().isoformat() for days in near]
    if type is Type.BOOL:
        return [False, True]
    return [[], words] if type.is_set else ["", *words]


# -- trying them --------------------------------------------------------------------------------------


def _swings(ways: Sequence[Way], life: Lifecycle, there: Way, back: Way, facts: Facts) -> bool:
    """Whether a contact with these facts, in the stage that `back` leads to, comes back there for ever."""
    if not there.condition.met(facts, _NOW).met or not back.condition.met(facts, _NOW).met:
        return False
    stage, known, seen = back.to, dict(facts), 0
    for _ in range(_ROUNDS):
        way = _taken(ways, stage, known)
        if way is None:
            return False
        seen += way.position == there.position
        stage = way.to
        known = _entered(life, stage, known)
    return seen > 1


def _taken(ways: Sequence[Way], stage: str, facts: Facts) -> Way | None:
    """The first transition out of a stage whose condition is met."""
    with_stage = {**facts, "stage": stage}
    out = (way for way in ways if stage in way.starts and way.to != stage)
    return next((way for way in out if way.condition.met(with_stage, _NOW).met), None)


def _entered(life: Lifecycle, stage: str, facts: Facts) -> dict[str, Value]:
    """The facts after entry to a stage: its policy for the score."""
    known = dict(facts)
    policy = life.stages[stage].score if stage in life.stages else ScorePolicy.KEEP
    if "score" in known and policy is not ScorePolicy.KEEP:
        known["score"] = known["score"] // 2 if policy is ScorePolicy.HALVE else 0
    return known


def _say(report: Report, there: Way, back: Way, facts: Facts) -> None:
    document = report.config.documents["lifecycle"]
    line = document.mark("transitions", there.position, "when").line
    shown = ", ".join(f"{name} = {_shown(value)}" for name, value in facts.items())
    report.at_value(
        "lifecycle",
        ("transitions", back.position, "when"),
        Code.LOOP,
        f"a contact would swing between `{there.to}` and `{back.to}` for ever",
        hint=f"the way to `{there.to}` is in line {line}",
        remedy=f"let the two exclude each other, or count with `since: stage_cycle`; such a contact: {shown}",
    )


def _shown(value: Value) -> str:
    return "nothing" if value in (None, "", []) else str(value).removesuffix("T00:00:00Z")
