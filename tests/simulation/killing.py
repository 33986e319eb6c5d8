"""How many fresh histories it takes until each named defect is found by a check that is meant for it.

`python -m tests.simulation.killing --seeds 1000` prints a table: the defect, the check, the seeds to kill.
It answers 1 if less than SOON of the defects were found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.simulation.defects import DEFECTS
from trueup.testing.drawing import plan_of
from trueup.testing.trial import tried

SOON = 0.8
"""The share of the defects that a thousand histories must find."""


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


def table(kills: Sequence[Kill]) -> Iterator[str]:
    """As it stands among the figures, the quickest first."""
    yield "| defect | found by | histories until then |"
    yield "|---|---|---|"
    for one in sorted(kills, key=lambda kill: (not kill.checks, kill.lived, kill.defect)):
        count = str(one.lived) if one.checks else f"not in {one.lived}"
        yield f"| {one.defect} | {', '.join(one.checks) or '—'} | {count} |"
    found = sum(bool(one.checks) for one in kills)
    yield f"\n{found} of {len(kills)} defects found, {found / len(kills):.0%}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, metavar="N", help="so many histories at most")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first of them")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")
    said = parser.parse_args(arguments)
    seeds = range(said.first, said.first + said.seeds)
    with ProcessPoolExecutor(said.jobs) as pool:
        kills = list(pool.map(partial(hunted, seeds), DEFECTS))
    print("\n".join(table(kills)))
    return 0 if sum(bool(one.checks) for one in kills) >= SOON * len(kills) else 1


if __name__ == "__main__":
    raise SystemExit(main())
