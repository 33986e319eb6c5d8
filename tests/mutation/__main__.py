"""How many mutants of the code that decides are killed by its tests.

`python -m tests.mutation` tries all of them (hours); `--share 8` every eighth, drawn by name, so that the
same are drawn again tomorrow; `--module trueup.sync.rules.verdict` those of one module; `--again` those
that lived when they were tried last. It answers 1 if less than ENOUGH are killed, or if a mutant is listed
as equivalent and is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.mutation.mutants import ROOT, Key
from tests.mutation.reviewed import equivalent, outdated
from tests.mutation.table import ROOMS
from tests.mutation.trial import Fate, Outcome, outcomes_of

ENOUGH = 0.85


def table(outcomes: Sequence[Outcome], reviewed: Mapping[Key, str]) -> Iterator[str]:
    """Module by module, and all."""
    fates = "killed | timeout | survived | no test comes there"
    yield f"| module | mutants | {fates} | of these equivalent | killed, raw | killed |"
    yield "|---" * 9 + "|"
    for module in dict.fromkeys(one.key.module for one in outcomes):
        yield _line(f"`{module}`", [one for one in outcomes if one.key.module == module], reviewed)
    yield _line("all", outcomes, reviewed)


def _line(name: str, outcomes: Sequence[Outcome], reviewed: Mapping[Key, str]) -> str:
    fates = Counter(one.fate for one in outcomes)
    same = sum(one.key in reviewed for one in outcomes if one.fate is not Fate.KILLED)
    figures = (len(outcomes), *(fates[fate] for fate in Fate), same)
    shares = f"{_rate(outcomes):.1%} | {_rate(outcomes, same):.1%}"
    return f"| {name} | {' | '.join(f'{one:,}' for one in figures)} | {shares} |"


def _rate(outcomes: Sequence[Outcome], without: int = 0) -> float:
    killed = sum(one.fate is Fate.KILLED for one in outcomes)
    return killed / max(len(outcomes) - without, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", action="append", metavar="M", help="this module only (again for more)")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="every Nth mutant")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which share")
    parser.add_argument(
        "--seconds", type=float, default=12.0, help="so long are the tests of a mutant, watched"
    )
    parser.add_argument("--slowest", type=float, default=6.0, help="no single test is longer")
    parser.add_argument("--outcomes", type=Path, default=ROOT / ".mutants", metavar="FOLDER")
    parser.add_argument("--again", action="store_true", help="only what lived in the folder of outcomes")
    parser.add_argument("--tell", action="store_true", help="only tell what is in the folder of outcomes")
    said = parser.parse_args(arguments)
    said.outcomes.mkdir(exist_ok=True)
    found: list[Outcome] = []
    modules: list[str] = []
    for room in ROOMS:
        chosen = [one for one in room.modules if one in (said.module or room.modules)]
        told = said.outcomes / f"{room.name}.jsonl"
        if chosen and not said.tell:
            work = {"modules": chosen, "files": room.tests, "outcomes": str(told)}
            work |= {name: getattr(said, name) for name in ("share", "seed", "seconds", "slowest", "again")}
            subprocess.run(
                [sys.executable, "-m", "tests.mutation.trial", json.dumps(work)], check=True, cwd=ROOT
            )
        found += [one for one in outcomes_of(told) if one.key.module in chosen]
        modules += chosen
    reviewed = equivalent()
    alive = [one for one in found if one.fate is not Fate.KILLED and one.key not in reviewed]
    wrong = list(outdated(reviewed, found, modules))
    print(*(f"{one.fate}: {one.key}" for one in alive), "", *table(found, reviewed), "", *wrong, sep="\n")
    same = sum(one.key in reviewed for one in found if one.fate is not Fate.KILLED)
    return 0 if _rate(found, same) >= ENOUGH and not wrong else 1


if __name__ == "__main__":
    raise SystemExit(main())
