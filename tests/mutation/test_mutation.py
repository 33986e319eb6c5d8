"""The tool that tries mutants tells what is killed from what is not."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.mutation.__main__ import table
from tests.mutation.mutants import ROOT, Key, mutants
from tests.mutation.reviewed import equivalent, outdated
from tests.mutation.swap import Alive, put
from tests.mutation.table import ROOMS
from tests.mutation.trial import Fate, Outcome, apart, in_turns, outcomes_of
from trueup.sync.rules.backoff import next_try

EXAMPLE = "tests.mutation.example"
BACKOFF = "trueup.sync.rules.backoff"


@pytest.fixture(scope="module")
def fates(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Fate]:
    """What becomes of the mutants of the example."""
    told = tmp_path_factory.mktemp("mutants") / "outcomes"
    work = {
        "modules": [EXAMPLE],
        "files": ["tests/mutation/test_example.py"],
        "outcomes": str(told),
        "share": 1,
        "seed": 0,
        "seconds": 5.0,
        "slowest": 2.0,
        "again": False,
    }
    subprocess.run([sys.executable, "-m", "tests.mutation.trial", json.dumps(work)], check=True, cwd=ROOT)
    return {(one.key.function, one.key.text): one.fate for one in outcomes_of(told)}


@pytest.mark.parametrize(
    ("function", "text", "fate"),
    [
        ("above", "return number > limit → return number >= limit", Fate.KILLED),
        (
            "spoken",
            'def spoken(number: int, unit: str = "m") -> str:'
            ' → def spoken(number: int, unit: str = "M") -> str:',
            Fate.KILLED,
        ),
        ("_text", "return str(number + 0) → return str(number + 1)", Fate.KILLED),
        ("Counter.step", "return 1 → return 2", Fate.KILLED),
        ("Counter.add", "self.count += self.step() → self.count = self.step()", Fate.KILLED),
        ("loose", "return number > 0 → return number >= 0", Fate.SURVIVED),
        ("forgotten", "return number + 1 → return number - 1", Fate.UNSEEN),
        ("signed", 'return "+" + str(number) → return "+" + str(None)', Fate.KILLED),
        ("signed", 'return "-" + str(-number) → return "-" + str(+number)', Fate.UNSEEN),
    ],
)
def test_a_mutant_meets_its_fate(
    fates: dict[tuple[str, str], Fate], function: str, text: str, fate: Fate
) -> None:
    assert fates[function, text] is fate


def test_a_mutant_of_the_engine_runs_in_its_own_process_only() -> None:
    """Whoever imported the function by its name runs the mutant, too."""
    text = "max(0, failures - 1) → max(1, failures - 1)"
    before, after = text.split(" → ")
    (waits_longer,) = (one for one in mutants(BACKOFF) if after in one.key.text and before in one.key.text)
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def first_wait() -> str:
        put(waits_longer, Alive([next_try]))
        return str(next_try(1, now, None, 0.0) - now)

    assert apart(first_wait, 10) == (Fate.KILLED, "0:00:04")
    assert next_try(1, now, None, 0.0) == now + timedelta(seconds=2)


def test_a_mutant_that_does_not_end_is_told_apart() -> None:
    def for_ever() -> str:
        while True:
            pass

    assert apart(for_ever, 1) == (Fate.TIMEOUT, "")


def test_no_test_with_many_cases_keeps_all_others_waiting() -> None:
    took = {
        "f.py::many[1]": 2.0,
        "f.py::many[2]": 2.0,
        "f.py::other": 3.0,
        "f.py::slow": 9.0,
        "f.py::quick": 0.1,
    }
    enters = dict.fromkeys(took, 5) | {"f.py::many[2]": 1}
    tests = in_turns(took, took, enters, seconds=6.0, slowest=8.0)
    assert tests == ["f.py::quick", "f.py::many[2]", "f.py::other"]
    assert in_turns(took, took, enters, seconds=9.0, slowest=8.0) == [*tests, "f.py::many[1]"]


def test_a_mutant_has_the_same_name_when_other_lines_move() -> None:
    keys = [one.key for one in mutants(EXAMPLE)]
    assert len(set(keys)) == len(keys)
    assert Key(EXAMPLE, "forgotten", "return number + 1 → return number - 1") in keys
    drawn = [key for key in keys if key.drawn(3, 0)]
    assert 0 < len(drawn) < len(keys)


def test_all_that_the_table_names_is_there() -> None:
    for room in ROOMS:
        for module in room.modules:
            assert (ROOT / Path(*module.split("."))).with_suffix(".py").exists(), module
        for file in room.tests:
            assert (ROOT / file).exists(), file
    modules = [module for room in ROOMS for module in room.modules]
    assert len(set(modules)) == len(modules)
    assert {key.module for key in equivalent()} <= {*modules}


def test_what_is_listed_as_equivalent_and_is_not_is_told() -> None:
    seen = Key(EXAMPLE, "Counter.step", "return 1 → return 2")
    gone = Key(EXAMPLE, "Counter.step", "return 7 → return 8")
    same = Key(EXAMPLE, "loose", "return number > 0 → return number >= 0")
    listed = dict.fromkeys((seen, gone, same), "nobody counts")
    outcomes = [Outcome(seen, Fate.KILLED, "test_methods"), Outcome(same, Fate.SURVIVED)]
    assert list(outdated(listed, outcomes, [EXAMPLE])) == [f"gone: {gone}", f"killed by test_methods: {seen}"]


def test_equivalent_mutants_are_taken_off_and_timeouts_are_no_kills() -> None:
    keys = [Key("m", "f", str(number)) for number in range(4)]
    fates = (Fate.KILLED, Fate.TIMEOUT, Fate.SURVIVED, Fate.UNSEEN)
    outcomes = [Outcome(key, fate) for key, fate in zip(keys, fates, strict=True)]
    *_, last = table(outcomes, {keys[2]: "the same"})
    assert last == "| all | 4 | 1 | 1 | 1 | 1 | 1 | 25.0% | 33.3% |"
