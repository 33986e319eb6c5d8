"""A first load that is killed again and again: in the end everybody is everywhere, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import Any

import httpx
import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import NAMES, dice, disagreements, empty_sandbox, house, word, write_config
from tests.acceptance.verdicts import doubles, strays
from trueup.sandbox.server import Sandbox, SandboxClock

PEOPLE = int(os.environ.get("TRUEUP_KILLED_PEOPLE", "150"))
KILLS = int(os.environ.get("TRUEUP_KILLS", "6"))
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Striker:
    """Kills the process at work around its n-th request from now: before it is done, or a little after."""

    process: subprocess.Popen[bytes] | None = None
    after: int = 0
    delay: float | None = None
    struck: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def aim(self, process: subprocess.Popen[bytes], after: int, delay: float | None) -> None:
        with self.lock:
            self.process, self.after, self.delay = process, after, delay

    def over(
        self, handle: Callable[[httpx.Request], httpx.Response]
    ) -> Callable[[httpx.Request], httpx.Response]:
        def handled(request: httpx.Request) -> httpx.Response:
            strikes = self._counts()
            if strikes and self.delay is None:
                self._strike()
            answer = handle(request)
            if strikes and self.delay is not None:
                threading.Timer(self.delay, self._strike).start()
            return answer

        return handled

    def _counts(self) -> bool:
        with self.lock:
            self.after -= 1
            return self.process is not None and self.after == 0

    def _strike(self) -> None:
        with self.lock:
            if self.process is not None and self.process.poll() is None:
                self.process.send_signal(SIGKILL)
                self.struck += 1
            self.process = None


def start(config: Path, sandbox: Sandbox) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.acceptance.one_sync", str(config), json.dumps(sandbox.urls)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)


def known_to_some(sandbox: Sandbox, folder: Path, seed: int) -> Hands:
    """People whom one to three systems know."""
    hands = Hands(house(folder / "aside", sandbox=sandbox), dice(seed))
    hands.house.close()
    for number in range(PEOPLE):
        for name in hands.dice.sample(NAMES, hands.dice.randint(1, 3)):
            hands.create(name, f"{word(number).lower()}@example.com", word(number), "Zult")
    hands.house.wait(hours=1)
    return hands


def loaded_under_fire(folder: Path, seed: int, kills: int) -> int:
    """One first load, killed at random moments (at most `kills` times) until it gets through; how often."""
    sandbox = empty_sandbox(clock=SandboxClock())
    hands, striker = known_to_some(sandbox, folder, seed), Striker()
    for standin in sandbox.standins.values():
        aimed: Any = standin
        aimed.handle = striker.over(standin.handle)
    config = write_config(folder / "hub")
    with sandbox:
        while striker.struck < kills:
            process = start(config, sandbox)
            striker.aim(process, hands.dice.randint(1, 40), hands.dice.choice((None, 0.0, 0.01, 0.05)))
            _, said = process.communicate(timeout=600)
            assert process.returncode in (0, -SIGKILL), said.decode()
            if process.returncode == 0:
                break
        striker.aim(process, 0, None)
    at_rest(hands, folder, config, sandbox)
    return striker.struck


def at_rest(hands: Hands, folder: Path, config: Path, sandbox: Sandbox) -> None:
    """The same hub goes on in this process: nobody twice, nobody missing."""
    hands.house = house(folder, sandbox=sandbox, config=config)
    try:
        hands.house.settle()
        everybody = sorted(f"{word(number).lower()}@example.com" for number in range(PEOPLE))
        for name in NAMES:
            assert [hands.address(name, *one) for one in hands.people(name)] == everybody
        assert doubles(hands.house) == []
        assert strays(hands.house) == []
        hands.house.release()
        hands.house.settle()
        assert disagreements(hands.house) == []
    finally:
        hands.house.close()


@pytest.mark.slow
def test_a_first_load_killed_at_random_moments_makes_no_double_and_misses_nobody(tmp_path: Path) -> None:
    kills = 0
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        kills += loaded_under_fire(folder, number, KILLS - kills)
        if kills == KILLS:
            return
    raise AssertionError(f"only {kills} kills hit in {KILLS} loads of {PEOPLE} people")
