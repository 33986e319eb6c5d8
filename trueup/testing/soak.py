"""Many histories: what they were made of, whether that was enough to prove anything, and what they found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from math import sqrt

from trueup.testing.drawing import plan_of
from trueup.testing.trial import Trial, tried
from trueup.testing.watch import STEP_CHECKS
from trueup.testing.wire import FAULTS, STRIKES

FLOOR: Mapping[str, int] = {
    "hub update": 1_000,
    "hub create": 1_000,
    "hub clears": 1_000,
    "conflicts": 100,
    "user merge": 30,
    "redirects": 30,
    "crash": 300,
    "crash in doubt": 30,
    "resumed": 100,
    "Held": 100,
    "merge chain": 15,
    "database fails": 100,
    "fault lost answer": 100,
    "fault 401": 30,
    "token expiry": 300,
    "drift": 30,
    "robot update": 100,
    "integration": 30,
    "user archive": 100,
    "user revive": 30,
    "stamp far ahead": 50,
    "hub clock step": 300,
    "opt-in": 100,
    "opt-in without evidence": 100,
    "opt-out lifted": 20,
    "uneven page": 1_000,
    "forgotten item": 100,
    "hint": 1_000,
    "hint twice": 100,
    "hint of nobody": 300,
    "hint forged": 500,
    "storm": 30,
    "set back": 12,
    "retyped": 100,
    "turn closed": 30,
    "turn paused": 30,
    "field unmapped": 80,
    "field in": 40,
    "field out": 40,
    "decided with another mapping": 300,
    "accented address": 80,
    "drift listed": 20,
    "drift numbered": 20,
    "drift renamed": 20,
    "applied": 80,
    "PlanDrifted": 30,
    "company made": 600,
    "company joined": 700,
    "company left": 80,
    "company deletion": 100,
    "company merge": 20,
    "company twin": 50,
}
"""What a thousand histories must at least hold: who does nothing breaks nothing."""
EXCUSED = 0.01
"""Of the values that people typed, at most this share may be excused, but for chance (two standard deviations
of the count)."""
ENOUGH = 200
"""Fewer histories tell nothing of how often things happen in many: the floor is asked for from here on."""
PAIRS = 0.95
"""Of all misfortunes on all ways to a system, at least this share must have struck, in so many histories:"""
PAIRS_FROM = 10_000
_CHUNK = 25


@dataclass(slots=True)
class Soak:
    """How many histories ended how. The counters are those of Trial, added up."""

    lived: int = 0
    failed: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    exempt: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    def add(self, trial: Trial) -> None:
        self.lived += 1
        self.failed += bool(trial.wrong)
        self.seen.update(trial.seen)
        self.exempt.update(trial.exempt)
        self.asked.update(trial.asked)

    def lacking(self) -> list[str]:
        """What these histories held less of than FLOOR says for so many, by more than chance (two standard
        deviations of a count), and misfortunes that struck none. Of fewer than ENOUGH nothing is demanded."""
        if self.lived < ENOUGH:
            return []
        found = [
            f"too little of {what}: {self.seen[what]} in {self.lived} histories, of 1,000 at least {least}"
            for what, least in FLOOR.items()
            if self.seen[what] < (due := least * self.lived / 1_000) - 2 * sqrt(due)
        ]
        found += [f"the check `{name}` was never asked" for name in STEP_CHECKS if not self.asked[name]]
        found += [f"no {what} ever struck" for what in FAULTS if not self.seen[f"fault {what}"]]
        pairs = [f"{what} at {route}" for route, what in STRIKES]
        never = [pair for pair in pairs if not self.seen[pair]]
        if self.lived >= PAIRS_FROM and len(never) > (1 - PAIRS) * len(pairs):
            found.append(f"{len(never)} of {len(pairs)} misfortunes never struck where they could: {never}")
        return found

    def excused_too_much(self) -> list[str]:
        typed, excused = self.seen["values typed"], self.exempt.total()
        if excused - 2 * sqrt(excused) <= EXCUSED * typed:
            return []
        return [f"{excused} of {typed} typed values are excused: {dict(self.exempt)}"]


def soak(seeds: Sequence[int], jobs: int, told: Callable[[str], None]) -> Soak:
    """Live these seeds in so many processes, and tell of each that fails."""
    found = Soak()
    for trial in trials(seeds, jobs):
        found.add(trial)
        if trial.wrong:
            told(f"seed {trial.plan.seed} ({trial.plan.profile}): {trial.wrong[0]}")
    return found


def trials(seeds: Sequence[int], jobs: int) -> Iterator[Trial]:
    """These seeds, lived in so many processes, in order."""
    if jobs < 2:
        yield from map(_one, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_one, seeds, chunksize=_CHUNK)


def _one(seed: int) -> Trial:
    return tried(plan_of(seed))
