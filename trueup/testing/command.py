"""`trueup-world`: live seeds, replay one, tell its story, make a failing plan short."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trueup.testing.drawing import plan_of
from trueup.testing.plan import Plan
from trueup.testing.shrink import shrunk
from trueup.testing.soak import soak
from trueup.testing.trial import tried


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing was found; 1: something was."""
    said = _parser().parse_args(arguments)
    if said.seeds is not None:
        return _soak(said.seeds, said.jobs)
    plan = (
        Plan.of_document(json.loads(Path(said.plan).read_text("utf-8"))) if said.plan else plan_of(said.seed)
    )
    trial = tried(plan, print if said.explain else None)
    if said.shrink and trial.wrong:
        plan = shrunk(plan, lambda one: not trial.checks.isdisjoint(tried(one).checks))
        trial = tried(plan)
        print(json.dumps(plan.document(), indent=1))
    print(f"seed {plan.seed}: journal {trial.digest}", file=sys.stderr)
    for one in trial.wrong if not said.explain or said.shrink else ():
        print(one)
    return 1 if trial.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trueup-world", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, metavar="N", help="live this one")
    what.add_argument("--seeds", type=_range, metavar="A-B", help="live all from A up to B, without B")
    what.add_argument("--plan", metavar="FILE", help="live a plan that was kept")
    parser.add_argument("--explain", action="store_true", help="tell the life as a story")
    parser.add_argument("--shrink", action="store_true", help="make a failing plan short, and print it")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes for --seeds")
    return parser


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or int(first) + 1))


def _soak(seeds: range, jobs: int) -> int:
    began = time.perf_counter()
    found = soak(seeds, jobs, lambda told: print(told, flush=True))
    seconds = time.perf_counter() - began
    rate = len(seeds) / seconds
    print(f"{len(seeds)} seeds in {seconds:.0f} s, {rate:.1f} a second; {found.failed} failed")
    for name in ("seen", "exempt", "asked"):
        print(f"{name}: {dict(sorted(getattr(found, name).items()))}")
    lacking = [*found.lacking(), *found.excused_too_much()]
    for told in lacking:
        print(told)
    return 1 if found.failed or lacking else 0


if __name__ == "__main__":
    raise SystemExit(main())
