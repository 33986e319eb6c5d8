"""How short failing histories become: those that show the named defects, each shrunk with its defect made.

`python -m tests.simulation.shrinking --every 5` prints for every fifth of them the events that are left, and
the seconds of CPU that it took.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import chain
from statistics import median

from tests.simulation.defects import DEFECTS
from tests.simulation.defects.base import Defect
from trueup.testing.drawing import plan_of
from trueup.testing.plan import Plan
from trueup.testing.shrink import shrunk

SEARCHED = 1_000
"""So many histories are looked through where the one that is kept shows its defect no more."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="shrinking", description=__doc__)
    parser.add_argument("--every", type=int, default=5, metavar="N", help="every so manieth defect")
    found = [_told(one) for one in list(DEFECTS.values())[:: parser.parse_args(arguments).every]]
    print(f"{len(found)} histories; events left: median {median(found):g}, most {max(found)}")
    return 0


def _told(defect: Defect) -> int:
    with defect.made():
        before = next(filter(defect.shows, chain([defect.plan], map(plan_of, range(SEARCHED)))))
        began = time.process_time()
        after = shrunk(before, defect.shows)
        seconds = time.process_time() - began
    print(f"{defect.name}: {_events(before)} -> {_events(after)}, {seconds:.0f} s", flush=True)
    return _events(after)


def _events(plan: Plan) -> int:
    """What happens in it, by itself and during something else."""
    return sum(1 + len(one.during) for one in plan.events)


if __name__ == "__main__":
    sys.exit(main())
