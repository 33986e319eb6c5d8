"""`trueup-world`: live seeds, replay one, tell its story, make a failing plan short."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.testing.trial import Trial

# The world is imported in the functions: without the extra this command says what it needs.

_HEADINGS = {"seen": "what happened", "exempt": "what was excused", "asked": "what was checked"}


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing was found; 1: something was; 2: it could not be lived."""
    said = _parser().parse_args(arguments)
    if find_spec("greenlet") is None:
        print("trueup-world needs the extra `testing`: pip install 'trueup[testing]'", file=sys.stderr)
        return 2
    return _soak(said.seeds, said.jobs) if said.seeds is not None else _one(said)


def _one(said: argparse.Namespace) -> int:
    from trueup.testing.drawing import plan_of
    from trueup.testing.plan import Plan
    from trueup.testing.shrink import shrunk
    from trueup.testing.trial import tried

    plan = (
        Plan.of_document(json.loads(Path(said.plan).read_text("utf-8"))) if said.plan else plan_of(said.seed)
    )
    trial = tried(plan, print if said.explain else None)
    if said.shrink and trial.wrong:
        plan = shrunk(plan, lambda one: not trial.checks.isdisjoint(tried(one).checks))
        trial = tried(plan)
        print(json.dumps(plan.document(), indent=1))
    print(f"seed {plan.seed}: {_verdict(trial)}; journal {trial.digest}", file=sys.stderr)
    for one in trial.wrong if not said.explain or said.shrink else ():
        print(one)
    return 1 if trial.wrong else 0


def _verdict(trial: Trial) -> str:
    number = len(trial.wrong)
    return f"{number} {'thing is' if number == 1 else 'things are'} wrong" if number else "every check holds"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trueup-world", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=_number, metavar="N", help="live this one")
    what.add_argument("--seeds", type=_range, metavar="A-B", help="live all from A up to B, without B")
    what.add_argument("--plan", metavar="FILE", help="live a plan that was kept")
    parser.add_argument("--explain", action="store_true", help="tell the life as a story")
    parser.add_argument("--shrink", action="store_true", help="make a failing plan short, and print it")
    parser.add_argument("--jobs", type=_number, default=2, metavar="N", help="processes for --seeds")
    return parser


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number from 0 on")
    return int(text)


def _range(text: str) -> range:
    first, sign, last = text.partition("-")
    seeds = range(_number(first), _number(last) if sign else _number(first) + 1)
    if not seeds:
        raise argparse.ArgumentTypeError(f"`{text}` holds no seed: write the lower one first, as in 0-1000")
    return seeds


def _soak(seeds: range, jobs: int) -> int:
    from trueup.testing.soak import ENOUGH, soak

    began = time.perf_counter()
    found = soak(seeds, jobs, lambda told: print(told, flush=True))
    seconds = time.perf_counter() - began
    for name, heading in _HEADINGS.items():
        _tell(heading, getattr(found, name))
    lacking = [*found.lacking(), *found.excused_too_much()]
    for told in lacking:
        print(told)
    if found.lived < ENOUGH:
        print(f"Whether enough happened is asked from {ENOUGH} histories on.")
    rate = len(seeds) / seconds
    print(f"{len(seeds)} seeds in {seconds:.0f} s, {rate:.1f} a second; {found.failed} failed")
    return 1 if found.failed or lacking else 0


def _tell(heading: str, counts: Mapping[str, int]) -> None:
    """Counters as a paragraph: hundreds of lines would hide what is wrong."""
    told = "; ".join(f"{what} {number:,}" for what, number in sorted(counts.items())) or "nothing"
    lines = textwrap.wrap(told, 110, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    print(f"{heading}:", *lines, sep="\n")


if __name__ == "__main__":
    raise SystemExit(main())
