"""What a sync costs: calls, writes and memory. (CPU is measured by `make bench`.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from math import ceil
from pathlib import Path

import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import NAMES, House, dice, house, word

PEOPLE = int(os.environ.get("TRUEUP_EFFORT_PEOPLE", "400"))
MEMORY = os.environ.get("TRUEUP_MEMORY_CONTACTS", "5000,10000")
"""A smaller and a larger base; `make soak` takes 10,000 and 100,000."""
ROOT = Path(__file__).resolve().parents[2]


def people(folder: Path, names: tuple[str, ...], known_to: tuple[str, ...]) -> Hands:
    """Everybody in some of the systems."""
    hands = Hands(house(folder, names), dice(1))
    for number in range(PEOPLE):
        for name in known_to:
            hands.create(name, f"{word(number).lower()}@example.com", word(number), "Zult")
    hands.house.wait(hours=1)
    return hands


def asked(at: House, since: dict[str, int]) -> Counter[tuple[str, str]]:
    """Requests by (connection, object) after these numbers; signing in is nobody's object."""
    found: Counter[tuple[str, str]] = Counter()
    for name, standin in at.sandbox.standins.items():
        for one in standin.ledger.asked[since[name] :]:
            if one.kind != "token":
                found[name, _object(one.path)] += 1
    return found


def _object(path: str) -> str:
    words = ("contacts", "companies", "users", "organizations", "subscriptions")
    return next((word for word in words if word in path), "all")


def test_a_run_in_which_nothing_changed_writes_nothing_and_asks_twice_per_object(tmp_path: Path) -> None:
    hands = people(tmp_path, NAMES, NAMES)
    hands.house.settle()
    hands.house.wait(hours=2)
    before, calls = hands.house.writes(), hands.house.calls()
    hands.house.sync()
    made = asked(hands.house, calls)
    assert hands.house.writes() == before
    # Salesforce is asked by query, whatever the object: two for each of its three.
    allowed = {place: 6 if place == ("sales", "all") else 2 for place in made}
    assert {place: count for place, count in made.items() if count > allowed[place]} == {}


def least(count: int, batch: int) -> int:
    return ceil(count / batch)


def _first_load(folder: Path, more: int) -> dict[str, tuple[int, int]]:
    """Calls of a first load and the least, by connection: HubSpot's listing in pages of 100, for each page
    `more` calls for what is not in it (companies, preferences), one empty listing of companies;
    Salesforce's three empty listings and its creates in batches of 200, which need no reading before them.
    Metadata and signing in come once per start and are not counted."""
    hands = people(folder, ("marketing", "sales"), ("marketing",))
    before = hands.house.calls()
    hands.house.sync()
    made = hands.house.calls()
    assert len(hands.people("sales")) == PEOPLE
    fewest = {"marketing": (1 + more) * least(PEOPLE, 100) + 1, "sales": 3 + least(PEOPLE, 200)}
    return {name: (made[name] - before[name], number) for name, number in fewest.items()}


def test_a_first_load_makes_at_most_a_twentieth_more_calls_than_the_least(tmp_path: Path) -> None:
    made = _first_load(tmp_path, more=2)
    # One more for each account: what the system's metadata tells is asked once, whatever their number.
    assert {name: pair for name, pair in made.items() if pair[0] > 1.05 * pair[1] + 1} == {}


def test_a_first_load_makes_no_call_more_than_that(tmp_path: Path) -> None:
    made = _first_load(tmp_path, more=3)
    assert {name: pair for name, pair in made.items() if pair[0] > pair[1]} == {}


def test_an_update_of_many_costs_one_reading_and_one_writing_per_batch(tmp_path: Path) -> None:
    """HubSpot has no versions: before a batch of 100 is written, it is read once more. That is the least."""
    hands = people(tmp_path, ("marketing", "sales"), ("marketing", "sales"))
    hands.house.settle()
    hands.house.release()
    hands.house.settle()
    for object, id in hands.people("sales"):
        hands.house.sales.user_edit(object, id, {"Title": "Zotter"})
    hands.house.wait(minutes=20)
    since = len(hands.house.marketing.ledger.asked)
    hands.house.sync()
    kinds = Counter(one.kind for one in hands.house.marketing.ledger.asked[since:])
    assert kinds["batch_update"] == least(PEOPLE, 100)
    assert kinds["batch_read"] <= 1.05 * least(PEOPLE, 100)


@pytest.mark.slow
def test_a_larger_base_takes_at_most_a_fifth_more_memory() -> None:
    sizes = [int(size) for size in MEMORY.split(",")]
    small, large = (_loaded(size) for size in sizes)
    assert large["created"] == sizes[1]
    assert large["rss"] <= 1.2 * small["rss"], (small, large)


def _loaded(count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.load", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    told: dict[str, float] = json.loads(done.stdout)
    return told
