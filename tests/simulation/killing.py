"""How many fresh histories it takes until each named defect is found by a check that is meant for it.

`python -m tests.simulation.killing --seeds 10000` prints a table: the defect, the check, the seeds to kill.
It answers 1 if fewer of the defects were found than SHARES ask for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from tests.simulation.defects import DEFECTS
from trueup.testing.drawing import plan_of
from trueup.testing.trial import tried

SHARES = {1_000: 0.80, 10_000: 0.95}
"""The share of the defects that so many histories must find."""
ALONE = 60
"""So many histories each defect has for itself."""
CHUNK = 25


@dataclass(frozen=True, slots=True)
class Kill:
    """What became of a defect. `checks`: those that found it, of those that are meant for it; none where
    it lived. `seed`: the history in which they did; `lived`: how many histories it took."""

    defect: str
    checks: tuple[str, ...]
    seed: int
    lived: int


def hunted(seeds: range, name: str) -> Kill:
    """The first of these seeds that finds this defect."""
    defect = DEFECTS[name]
    with defect.made():
        for place, seed in enumerate(seeds, 1):
            found = tried(plan_of(seed)).checks & defect.killed_by
            if found:
                return Kill(name, tuple(sorted(found)), seed, place)
    return Kill(name, (), -1, len(seeds))


def hunted_together(first: int, seeds: range, names: Sequence[str]) -> list[Kill]:
    """Those of these defects that some of these seeds find. All are made at once: only what a history finds
    then is looked for with each alone, and only what is found with it alone counts."""
    found: dict[str, Kill] = {}
    groups = [list(names)]
    for seed in seeds:
        for group in tuple(groups):
            living = [name for name in group if name not in found]
            with ExitStack() as stack:
                for name in living:
                    stack.enter_context(DEFECTS[name].made())
                checks = tried(plan_of(seed)).checks
            suspects = [name for name in living if DEFECTS[name].killed_by & checks]
            kills = [hunted(range(seed, seed + 1), name) for name in suspects]
            found |= {one.defect: replace(one, lived=seed - first + 1) for one in kills if one.checks}
            if checks and not any(one.checks for one in kills) and len(living) > 1:
                # what several mistakes break only together hides each of them
                groups.remove(group)
                groups += [living[::2], living[1::2]]
    return list(found.values())


def killed(
    seeds: range,
    jobs: int,
    names: Collection[str] = DEFECTS.keys(),
    alone: int = ALONE,
    chunk: int = CHUNK,
    told: Callable[[Kill], object] = lambda kill: None,
) -> list[Kill]:
    """What became of each of these defects: alone for a while, and together whichever are left, by pieces.
    `told` hears of each as soon as it is known."""
    known: dict[str, Kill] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for one in pool.map(partial(hunted, seeds[:alone]), names):
            known[one.defect] = one
            told(one)
        for start in range(alone, len(seeds), chunk * jobs):
            left = [name for name, one in known.items() if not one.checks]
            if not left:
                break
            chunks = [
                seeds[at : at + chunk] for at in range(start, min(start + chunk * jobs, len(seeds)), chunk)
            ]
            together = partial(hunted_together, seeds.start, names=left)
            for kill in chain.from_iterable(pool.map(together, chunks)):
                earlier = known[kill.defect]
                if not earlier.checks or kill.lived < earlier.lived:
                    known[kill.defect] = kill
                    told(kill)
    return [one if one.checks else replace(one, lived=len(seeds)) for one in known.values()]


def table(kills: Sequence[Kill]) -> Iterator[str]:
    """As it stands among the figures, the quickest first."""
    yield "| defect | found by | histories until then |"
    yield "|---|---|---|"
    for one in sorted(kills, key=lambda kill: (not kill.checks, kill.lived, kill.defect)):
        count = str(one.lived) if one.checks else f"not in {one.lived}"
        yield f"| {one.defect} | {', '.join(one.checks) or '—'} | {count} |"
    found = sum(bool(one.checks) for one in kills)
    yield f"\n{found} of {len(kills)} defects found, {found / len(kills):.0%}"


def lacking(kills: Sequence[Kill], lived: int) -> list[str]:
    """Where fewer defects were found within so many of the histories that were lived than SHARES ask for."""
    shares = {
        within: sum(bool(one.checks) and one.lived <= within for one in kills) / len(kills)
        for within in SHARES
    }
    return [
        f"only {shares[within]:.0%} of the defects were found within {within:,} histories,"
        f" {share:.0%} are asked for"
        for within, share in SHARES.items()
        if within <= lived and shares[within] < share
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, metavar="N", help="so many histories at most")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first of them")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")
    said = parser.parse_args(arguments)
    seeds = range(said.first, said.first + said.seeds)
    kills = killed(seeds, said.jobs, told=lambda kill: print(kill, file=sys.stderr, flush=True))
    too_few = lacking(kills, len(seeds))
    print("\n".join([*table(kills), *too_few]))
    return 1 if too_few else 0


if __name__ == "__main__":
    raise SystemExit(main())
