"""What fits what: comparing, adding, guessing names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import process

from trueup.lifecycle.expressions.shapes import ANY, PLAIN, ListOf, Named, Shape, Sort, sort_of


def declared_as(shape: Shape) -> Named:
    """A declaration that has this shape, for lists that a condition writes itself."""
    return PLAIN.get(sort_of(shape) or Sort.ANY, ANY)


def meant(name: str, known: Iterable[str]) -> str:
    """A guess at a misspelt name, empty if nothing is near."""
    near = process.extractOne(name, sorted(known), score_cutoff=65)
    return f"did you mean `{near[0]}`?" if near else ""


def listed(names: Sequence[str]) -> str:
    """Some names for a message."""
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def comparable(left: Shape, right: Shape) -> bool:
    """Whether two shapes can be equal."""
    if Sort.ANY in (left, right):
        return True
    if isinstance(left, ListOf) or isinstance(right, ListOf):
        return isinstance(left, ListOf) and isinstance(right, ListOf)
    return sort_of(left) is not None and sort_of(left) == sort_of(right)


def ordered(shape: Shape) -> bool:
    """Whether things of this shape have an order."""
    return sort_of(shape) in (Sort.NUMBER, Sort.TEXT, Sort.TIME, Sort.DAY, Sort.SPAN, Sort.ANY)


def comparison_hint(left: Shape, right: Shape) -> str:
    """What was probably meant by comparing these two."""
    kinds = {sort_of(left), sort_of(right)}
    if Sort.NUMBER in kinds and kinds & {Sort.TIME, Sort.DAY}:
        return "`days_since(…)` is a number of days"
    if None in kinds and (isinstance(left, ListOf) or isinstance(right, ListOf)):
        return "`… in [a, b]` asks whether a list holds something"
    return ""


_N, _T, _M, _D, _S = Sort.NUMBER, Sort.TEXT, Sort.TIME, Sort.DAY, Sort.SPAN
SUMS: Mapping[tuple[str, Sort | None, Sort | None], Shape] = {
    ("+", _N, _N): _N,
    ("-", _N, _N): _N,
    ("*", _N, _N): _N,
    ("/", _N, _N): _N,
    ("%", _N, _N): _N,
    ("+", _T, _T): _T,
    ("+", _M, _S): _M,
    ("+", _S, _M): _M,
    ("-", _M, _S): _M,
    ("-", _M, _M): _S,
    ("+", _S, _S): _S,
    ("-", _S, _S): _S,
}
"""What comes out of which operands; everything else has no meaning."""
