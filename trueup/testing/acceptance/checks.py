"""What a check is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from trueup.connectors.base import Capability
from trueup.testing.acceptance.desk import Desk

Run: TypeAlias = Callable[[Desk], None]


class Failed(AssertionError):
    """A connector does not keep a promise; the text says what was seen."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of a connector. `remedy`: where to look when it is not kept.

    `many`: it starts with so many records that readings have several pages. Where the capability `needs` is
    not claimed, `otherwise` is asked in its place (nothing, where the engine relies on nothing).
    """

    name: str
    promise: str
    remedy: str
    run: Run
    many: bool = False
    needs: Capability | None = None
    otherwise: Check | None = None


_CHECKS: dict[str, Check] = {}
_FALLBACKS: dict[str, Check] = {}


def check(
    promise: str,
    remedy: str,
    *,
    many: bool = False,
    needs: Capability | None = None,
    otherwise: Check | None = None,
) -> Callable[[Run], Check]:
    """The decorated function is a check under its own name."""

    def kept(run: Run) -> Check:
        made = Check(run.__name__, promise, remedy, run, many, needs, otherwise)
        _CHECKS[made.name] = made
        return made

    return kept


def fallback(promise: str, remedy: str, *, many: bool = False) -> Callable[[Run], Check]:
    """A check that stands in for one whose capability is not claimed."""

    def kept(run: Run) -> Check:
        made = Check(run.__name__, promise, remedy, run, many)
        _FALLBACKS[made.name] = made
        return made

    return kept


def checks() -> Mapping[str, Check]:
    """Every check that each connector is asked, by name."""
    return _CHECKS


def named() -> frozenset[str]:
    """The names of all checks, those that stand in for others too."""
    return frozenset(_CHECKS) | frozenset(_FALLBACKS)


def fail(seen: str) -> NoReturn:
    raise Failed(seen)


def expect(holds: object, seen: str) -> None:
    """Fail with what was seen, unless it holds."""
    if not holds:
        raise Failed(seen)
