"""`trueup sync` is killed again and again during a first load: in the end everybody is everywhere, once.

The command runs as it is installed, over stand-ins on loopback, by the real clock. A first load that got
through is followed by another one until all kills are spent. TRUEUP_KILLS and TRUEUP_KILLED_PEOPLE set the
figures. What a killed run left in doubt rests for minutes before it may be looked up; after the last kill
that time is let pass on the stand-ins' clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

import httpx
import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import NAMES, dice, disagreements, house, prepare, word, write_config
from tests.acceptance.verdicts import doubles, strays
from trueup.commands.desk import Reality
from trueup.commands.opening import environment_for
from trueup.commands.sandboxing import makers
from trueup.commands.standins import Standins, save_standins
from trueup.config.load import load
from trueup.sandbox.server import Sandbox

PEOPLE = int(os.environ.get("TRUEUP_KILLED_PEOPLE", "150"))
KILLS = int(os.environ.get("TRUEUP_KILLS", "6"))
TRUEUP = Path(sys.executable).with_name("trueup")
AGO = timedelta(hours=2)
LONGEST = 20.0
"""Seconds after which a run is killed in any case: it may rest for something in doubt."""


@dataclass
class Striker:
    """Kills the process at work around its n-th request from now, before it is done or a little after,
    and after so many seconds in any case."""

    process: subprocess.Popen[str] | None = None
    after: int = 0
    delay: float | None = None
    struck: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def aim(self, process: subprocess.Popen[str], chance: Random) -> None:
        seconds = chance.uniform(0.3, 4.0) if chance.random() < 0.2 else LONGEST
        with self.lock:
            self.process, self.after = process, chance.randint(1, 60)
            self.delay = chance.choice((None, 0.0, 0.01, 0.05, 0.2))
        self._later(seconds, process)

    def over(
        self, handle: Callable[[httpx.Request], httpx.Response]
    ) -> Callable[[httpx.Request], httpx.Response]:
        def handled(request: httpx.Request) -> httpx.Response:
            aimed = self._counts()
            if aimed is not None and self.delay is None:
                self._strike(aimed)
            answer = handle(request)
            if aimed is not None and self.delay is not None:
                self._later(self.delay, aimed)
            return answer

        return handled

    def _counts(self) -> subprocess.Popen[str] | None:
        with self.lock:
            self.after -= 1
            return self.process if self.after == 0 else None

    def _later(self, seconds: float, process: subprocess.Popen[str]) -> None:
        timer = threading.Timer(seconds, self._strike, [process])
        timer.daemon = True
        timer.start()

    def _strike(self, process: subprocess.Popen[str]) -> None:
        with self.lock:
            if process.returncode is None:
                process.send_signal(SIGKILL)


def start(config: Path) -> subprocess.Popen[str]:
    command = [TRUEUP, "sync", "--sandbox", "--approve-first", "--config", config]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def open_sandbox(config: Path) -> Sandbox:
    """The stand-ins of this configuration, as `trueup sandbox` makes them."""
    sandbox = Sandbox(makers(load(config, environment_for(config, Reality.SANDBOX))))
    prepare(sandbox)
    return sandbox


def known_to_some(sandbox: Sandbox, folder: Path, config: Path, seed: int) -> Hands:
    """People whom one to three systems know, for two hours already."""
    environment = environment_for(config, Reality.SANDBOX)
    hands = Hands(house(folder / "aside", sandbox=sandbox, environment=environment), dice(seed))
    hands.house.close()
    sandbox.clock.advance(-AGO)
    for number in range(PEOPLE):
        for name in hands.dice.sample(NAMES, hands.dice.randint(1, 3)):
            hands.create(name, f"{word(number).lower()}@example.com", word(number), "Zult")
    sandbox.clock.advance(AGO)
    return hands


def loaded_under_fire(folder: Path, seed: int, kills: int) -> int:
    """One first load, killed at random moments (at most `kills` times) until it gets through; how often."""
    config = write_config(folder / "hub")
    sandbox = open_sandbox(config)
    hands, striker = known_to_some(sandbox, folder, config, seed), Striker()
    for standin in sandbox.standins.values():
        aimed: Any = standin
        aimed.handle = striker.over(standin.handle)
    with sandbox:
        save_standins(config, Standins(os.getpid(), str(config / "trueup.sqlite"), dict(sandbox.urls)))
        while striker.struck < kills:
            process = start(config)
            striker.aim(process, hands.dice)
            said, _ = process.communicate(timeout=600)
            if process.returncode != -SIGKILL:
                assert process.returncode in (0, 1), said
                assert "another run is at work" not in said
                assert "TU-GEN-500" not in said
                break
            striker.struck += 1
    at_rest(hands, folder, config, sandbox)
    return striker.struck


def at_rest(hands: Hands, folder: Path, config: Path, sandbox: Sandbox) -> None:
    """The same hub goes on in this process, while time passes: nobody twice, nobody missing."""
    environment = environment_for(config, Reality.SANDBOX)
    hands.house = house(folder, sandbox=sandbox, config=config, environment=environment)
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
    kills, load = 0, 0
    while kills < KILLS:
        folder = tmp_path / str(load)
        folder.mkdir()
        kills += loaded_under_fire(folder, load, KILLS - kills)
        load += 1
        assert load <= KILLS, f"only {kills} kills hit in {load} loads of {PEOPLE} people"
