"""Fuses: how much a run may do before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DESTRUCTIVE = ("clear", "deactivate", "delete", "merge", "opt_in")
"""Kinds that wait until the run's decisions are complete and the guard has passed."""


@dataclass(frozen=True, slots=True)
class Fuse:
    """Beyond the smaller of the two a run is held: a count, and a share of the links at its start."""

    count: int | None = None
    share: float | None = None

    def allowance(self, links: int) -> int | None:
        """How many are allowed, None for any number. A share of a small base still allows a few."""
        limits = [] if self.count is None else [self.count]
        if self.share is not None:
            limits.append(max(FEW, int(links * self.share)))
        return min(limits) if limits else None


FEW = 20
"""A share of a small base would forbid everything; so many are always allowed by it."""

DEFAULT_FUSES: Mapping[str, Fuse] = {
    "create": Fuse(count=2000),
    "change": Fuse(count=5000, share=0.20),
    "clear": Fuse(count=100, share=0.01),
    "deactivate": Fuse(count=100, share=0.01),
    "delete": Fuse(count=100, share=0.01),
    "merge": Fuse(count=20),
    "opt_in": Fuse(count=100, share=0.001),
}


@dataclass(slots=True)
class Meter:
    """Counts one run's intentions per connection against their allowances. `held`: what an earlier run held
    back, by (connection, gate); `ahead`: links to which such a write follows, or goes from an earlier run."""

    fuses: Mapping[str, Fuse]
    links: Mapping[str, int]
    lifted: frozenset[str] = frozenset()
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    held: frozenset[tuple[str, str]] = frozenset()
    ahead: dict[tuple[str, str], set[int | None]] = field(default_factory=dict)

    def add(self, connection: str, kind: str, link_id: int | None = None) -> bool:
        """Count one more; whether it is still within the allowance."""
        place = (connection, kind)
        self.counts[place] = self.counts.get(place, 0) + 1
        self.ahead.get(place, set()).discard(link_id)
        return not self.tripped(connection, kind)

    def foresee(self, connection: str, kind: str, link_id: int | None) -> None:
        """One is decided and goes behind another write to its record: it counts at once, and once."""
        self.ahead.setdefault((connection, kind), set()).add(link_id)

    def at_least(self, connection: str, kind: str, number: int) -> None:
        """So many are there to be let through."""
        place = (connection, kind)
        self.counts[place] = max(self.counts.get(place, 0), number)

    def stay(self, gated: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """Which of these gated writes, by (connection, gate), stay behind at the end of the decisions."""
        return {
            place: number
            for place, number in gated.items()
            if place[1] not in DESTRUCTIVE or self.tripped(*place)
        }

    def tripped(self, connection: str, kind: str) -> bool:
        if kind in self.lifted:
            return False
        place = (connection, kind)
        if kind in DESTRUCTIVE and place in self.held:
            return True
        fuse = self.fuses.get(kind)
        allowed = fuse.allowance(self.links.get(connection, 0)) if fuse else None
        return allowed is not None and self.counts.get(place, 0) + len(self.ahead.get(place, ())) > allowed


def too_many_missing(missing: int, living: int, fuse: Fuse) -> bool:
    """Whether a listing lacks more records than may be believed to be deleted."""
    allowed = fuse.allowance(living)
    return missing > 0 and (missing == living or (allowed is not None and missing > allowed))
