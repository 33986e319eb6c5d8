"""The functions that a condition becomes. None of them raises, whatever the facts are.

Three-valued: an operation on something unknown is unknown and names the same parts, except where the
rest decides alone: `false && unknown` is false, `true || unknown` is true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, DecimalException, localcontext
from typing import TypeAlias

from trueup.lifecycle.expressions.shapes import MOST_DIGITS, Thing, Unknown, both, moment, number, unknown


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition is asked about. `bound`: names that a macro (`exists`) goes through a list with."""

    values: Mapping[str, Thing]
    now: datetime | None
    bound: Mapping[str, Thing] = field(default_factory=dict)


Run: TypeAlias = Callable[[Facts], Thing]

_MISSING = object()
_FAULTS = (
    ValueError,
    TypeError,
    ArithmeticError,
    DecimalException,
    LookupError,
    AttributeError,
    RuntimeError,
)


def fact(name: str, read: Callable[[Thing, str], Thing]) -> Run:
    """The value under a dotted name: as one key, or through maps inside maps."""
    path = name.split(".")

    def run(facts: Facts) -> Thing:
        value = facts.values.get(name, _MISSING)
        return read(_inner(facts.values, path) if value is _MISSING else value, name)

    return run


def _inner(values: Thing, path: list[str]) -> Thing:
    for step in path:
        if not isinstance(values, Mapping):
            return None
        values = values.get(step)
    return values


def applied(runs: tuple[Run, ...], function: Callable[..., Thing], said: str) -> Run:
    """The function of things that are all known; what it cannot do is unknown, by the words of the text."""

    def run(facts: Facts) -> Thing:
        things = [each(facts) for each in runs]
        if (missing := both(*things)) is not None:
            return missing
        try:
            return function(*things)
        except _FAULTS:
            return unknown(f"`{said}` (cannot be computed)")

    return run


def joined(left: Run, right: Run, either: bool) -> Run:
    """And (`either` False) or or, three-valued."""

    def run(facts: Facts) -> Thing:
        first = left(facts)
        if first is either:
            return either
        second = right(facts)
        if second is either:
            return either
        return both(_truth(first), _truth(second)) or (not either)

    return run


def _truth(thing: Thing) -> Thing:
    return thing if isinstance(thing, bool | Unknown) else unknown("a part that is neither true nor false")


def negated(operand: Run, said: str) -> Run:
    def run(facts: Facts) -> Thing:
        thing = operand(facts)
        if isinstance(thing, bool):
            return not thing
        return thing if isinstance(thing, Unknown) else unknown(f"`{said}` (neither true nor false)")

    return run


def chosen(condition: Run, yes: Run, no: Run) -> Run:
    def run(facts: Facts) -> Thing:
        truth = _truth(condition(facts))
        if isinstance(truth, Unknown):
            return truth
        return yes(facts) if truth else no(facts)

    return run


def gathered(runs: tuple[Run, ...]) -> Run:
    """A list; of one with an unknown element nothing is known."""

    def run(facts: Facts) -> Thing:
        things = [each(facts) for each in runs]
        return both(*things) or things

    return run


def nothing(operand: Run, differ: bool) -> Run:
    """Whether something is unknown or empty (`x == null`); always known."""

    def run(facts: Facts) -> Thing:
        thing = operand(facts)
        empty = thing is None or isinstance(thing, Unknown) or (isinstance(thing, list) and not thing)
        return empty is not differ

    return run


def item(of: Run, key: Run, said: str) -> Run:
    return applied((of, key), lambda things, position: things[_position(position, things)], said)


def _position(position: Thing, things: Thing) -> int:
    if position != int(position) or position < 0 or not isinstance(things, list):
        raise LookupError
    return int(position)


def looked_up(of: Run, key: Run, read: Callable[[Thing, str], Thing], said: str) -> Run:
    """The entry of a map; an entry that is not there is unknown."""

    def entry(things: Thing, name: Thing) -> Thing:
        if isinstance(things, list):
            return things[_position(name, things)]
        return read(things.get(name), said)

    return applied((of, key), entry, said)


def over(list_of: Run, name: str, inner: Run, exists: bool, said: str) -> Run:
    """`exists` / `all` over a list: or / and of the condition for each element."""

    def run(facts: Facts) -> Thing:
        things = list_of(facts)
        if isinstance(things, Unknown):
            return things
        if not isinstance(things, list):
            return unknown(f"{said} (not a list)")
        results = [_truth(inner(replace(facts, bound={**facts.bound, name: each}))) for each in things]
        if exists in [result for result in results if isinstance(result, bool)]:
            return exists
        return both(*results) or (not exists)

    return run


# -- comparing ---------------------------------------------------------------------------------------


def _paired(left: Thing, right: Thing) -> tuple[Thing, Thing]:
    """Two things as one kind where a remote system's text stands beside a number, truth or time."""
    if isinstance(left, str) is isinstance(right, str):
        return left, right
    if isinstance(right, str):
        return left, _like(right, left)
    return _like(left, right), right


def _like(text: str, other: Thing) -> Thing:
    if isinstance(other, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(other, int | Decimal):
        thing = number(text, "")
    elif isinstance(other, datetime):
        thing = moment(text, "")
    else:
        return text
    return text if isinstance(thing, Unknown) else thing


def same(left: Thing, right: Thing) -> bool:
    """Equal and of one kind: true is not 1."""
    left, right = _paired(left, right)
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def inside(element: Thing, container: Thing) -> bool:
    """Whether a list holds the element, or a map the key."""
    if isinstance(container, Mapping):
        return element in container
    if not isinstance(container, list):
        raise TypeError
    return any(same(element, each) for each in container)


def _ordered(compare: Callable[[Thing, Thing], bool]) -> Callable[[Thing, Thing], bool]:
    def run(left: Thing, right: Thing) -> bool:
        left, right = _paired(left, right)
        if isinstance(left, bool | list) or isinstance(right, bool | list):
            raise TypeError
        if isinstance(left, datetime) is not isinstance(right, datetime) and isinstance(left, date):
            raise TypeError
        return bool(compare(left, right))

    return run


EQUALITY: Mapping[str, Callable[[Thing, Thing], bool]] = {
    "==": same,
    "!=": lambda left, right: not same(left, right),
}
ORDERS: Mapping[str, Callable[[Thing, Thing], bool]] = {
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}


# -- arithmetic: whole numbers as in CEL, decimals exact to 28 digits ---------------------------------


def _summed(left: Thing, right: Thing) -> Thing:
    return left + right if type(left) is not bool is not type(right) else _no()


def _no() -> Thing:
    raise TypeError


def _multiplied(left: Thing, right: Thing) -> Thing:
    numbers = all(isinstance(each, int | Decimal) and not isinstance(each, bool) for each in (left, right))
    if not numbers:
        raise TypeError
    return _bounded(left * right)


def _divided(left: Thing, right: Thing) -> Thing:
    """Whole numbers cut towards zero, as CEL does; decimals are divided."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) is (right < 0) else -quotient
    with localcontext() as context:
        context.prec = 28
        return _bounded(Decimal(left) / Decimal(right))


def _remainder(left: Thing, right: Thing) -> Thing:
    if isinstance(left, str):
        raise TypeError
    return (
        left - _divided(left, right) * right
        if isinstance(left, int) and isinstance(right, int)
        else left % right
    )


def _bounded(thing: Thing) -> Thing:
    if isinstance(thing, int) and thing.bit_length() > 256:
        raise ArithmeticError
    if isinstance(thing, Decimal) and abs(thing.adjusted()) > 2 * MOST_DIGITS:
        raise ArithmeticError
    return thing


ARITHMETIC: Mapping[str, Callable[[Thing, Thing], Thing]] = {
    "+": _summed,
    "-": operator.sub,
    "*": _multiplied,
    "/": _divided,
    "%": _remainder,
}
