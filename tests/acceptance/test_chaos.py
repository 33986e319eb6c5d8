"""People go on working, systems misbehave, and runs are killed: in the end nothing is lost and nobody twice.

Real processes of `trueup` over a hub in SQLite and in PostgreSQL, by the real clock, judged by the stand-ins
and their ledgers. TRUEUP_CHAOS_KILLS sets how often a hub's process is killed, TRUEUP_CHAOS_PEOPLE how many
people there are at first. Every write looks before (`guard_age: 0s`), as people type within seconds here.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
from typing import Any

import httpx
import pytest

from tests.acceptance.hands import ALL, EDITS, Hands
from tests.acceptance.kit import NAMES, dice, disagreements, house, write_config
from tests.acceptance.striking import TRUEUP, Striker, open_sandbox, start
from tests.acceptance.verdicts import doubles, lost, strays, unheard
from tests.live.postgres_server import fresh_database
from trueup.commands.desk import Reality
from trueup.commands.opening import environment_for
from trueup.commands.standins import Standins, save_standins
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.sandbox.server import Sandbox
from trueup.sandbox.standin import Fault

KILLS = int(os.environ.get("TRUEUP_CHAOS_KILLS", "0"))
PEOPLE = int(os.environ.get("TRUEUP_CHAOS_PEOPLE", "25"))
SEED = 1
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MISFORTUNES = (
    Fault("*", 0, "lost_request"),
    Fault("*", 0, "lost_answer"),
    Fault("*", 0, "status", 500),
    Fault("*", 0, "status", 429, {"Retry-After": "1"}),
    Fault("*", 0, "status_after", 502),
    Fault("*", 0, "body", body=b"<html>down for maintenance</html>"),
    Fault("*", 0, "body_after", body=b'{"half": [1, '),
)


@dataclass
class Chaos:
    """A hub's folder, its systems, the people at work in them (until `evening`), and who kills."""

    config: Path
    sandbox: Sandbox
    hands: Hands
    striker: Striker
    kills: int = 0
    runs: int = 0
    meanwhile: int = 0
    evening: bool = False

    def begin(self) -> None:
        """From now on requests are counted by the striker, and people may type before one is answered."""
        for name, standin in self.sandbox.standins.items():
            if isinstance(standin, ZendeskStandIn):
                standin.jobs.seconds = 0.5
            aimed: Any = standin
            aimed.handle = self.striker.over(self._typing(name, standin.handle))

    def _typing(
        self, name: str, handle: Callable[[httpx.Request], httpx.Response]
    ) -> Callable[[httpx.Request], httpx.Response]:
        def handled(request: httpx.Request) -> httpx.Response:
            typed = not self.evening and request.method == "GET" and self.hands.dice.random() < 0.1
            if typed and not self._busy(name):
                self.hands.act_at(name, EDITS)
                self.meanwhile += 1
            return handle(request)

        return handled

    def _busy(self, name: str) -> bool:
        """Nobody can tell an edit in the second of a write from a form of our value (decision 0016), and what
        a job of the system finds it writes over itself."""
        standin = self.sandbox.standins[name]
        if isinstance(standin, ZendeskStandIn) and standin.jobs.active:
            return True
        since = self.sandbox.clock.now() - 2 * SECOND
        return any(one.by == "api" and one.at > since for one in standin.ledger.effects)

    def days_work(self) -> None:
        """Some acts anywhere, a second after what the last run wrote, and misfortunes that are to come."""
        time.sleep(1.1)
        for standin in self.sandbox.standins.values():
            if isinstance(standin, ZendeskStandIn):
                standin.jobs.advance()
        time.sleep(1.1)
        for _ in range(self.hands.dice.randint(1, 4)):
            self.hands.act_at(self.hands.dice.choice(NAMES), ALL)
        for name in NAMES:
            standin = self.sandbox.standins[name]
            for _ in range(self.hands.dice.randint(0, 2)):
                nth = standin.ledger.calls() + self.hands.dice.randint(1, 25)
                standin.faults.append(replace(self.hands.dice.choice(MISFORTUNES), nth=nth))

    def run(self) -> None:
        """One sync, which is killed unless it is faster."""
        process = start(self.config)
        self.runs += 1
        self.striker.aim(process, self.hands.dice)
        said, _ = process.communicate(timeout=600)
        if process.returncode == -SIGKILL:
            self.kills += 1
            return
        assert process.returncode in (0, 1, 3), said
        assert "another run is at work" not in said
        assert "TU-GEN-500" not in said


@pytest.fixture(params=["sqlite", "postgresql"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of the hub's memory."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.sqlite'}"
    else:
        with fresh_database() as url:
            yield url


def opened(folder: Path, memory: str) -> Chaos:
    """People whom one to three systems know, for two hours already, and a hub that knows nobody."""
    config = write_config(folder / "hub", more=f"database: {memory}")
    for name in NAMES:
        with (config / "connections" / f"{name}.yaml").open("a", encoding="utf-8") as file:
            file.write("guard_age: 0s\n")
    sandbox = open_sandbox(config)
    environment = environment_for(config, Reality.SANDBOX)
    hands = Hands(house(folder / "aside", sandbox=sandbox, environment=environment), dice(SEED))
    hands.house.close()
    sandbox.clock.advance(-120 * MINUTE)
    for _ in range(PEOPLE):
        token = hands.token()
        for name in hands.dice.sample(NAMES, hands.dice.randint(1, 3)):
            hands.create(name, f"{token.lower()}@example.com", token, hands.token())
    sandbox.clock.advance(120 * MINUTE)
    return Chaos(config, sandbox, hands, Striker())


def first_load(config: Path) -> None:
    """Once to its end, by the commands that an engineer types."""
    for words in (
        ["sync", "--approve-first"],
        *(["connections", "release", name, "--yes"] for name in NAMES),
    ):
        done = subprocess.run(
            [TRUEUP, *words, "--sandbox", "--config", config], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def at_rest(chaos: Chaos, folder: Path) -> list[str]:
    """The same hub goes on in this process, while time passes and nothing happens any more; what is wrong."""
    chaos.evening = True
    for standin in chaos.sandbox.standins.values():
        standin.faults.clear()
    environment = environment_for(chaos.config, Reality.SANDBOX)
    at = house(folder, sandbox=chaos.sandbox, config=chaos.config, environment=environment)
    chaos.hands.house = at
    try:
        at.settle()
        return [*disagreements(at), *doubles(at), *strays(at), *lost(at), *unheard(at, chaos.hands)]
    finally:
        at.close()


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.skipif(not KILLS, reason="its moments are random: `make soak`, or TRUEUP_CHAOS_KILLS")
def test_a_hub_that_is_killed_while_people_work_and_systems_fail_loses_and_doubles_nothing(
    tmp_path: Path, memory: str
) -> None:
    chaos = opened(tmp_path, memory)
    with chaos.sandbox:
        save_standins(chaos.config, Standins(os.getpid(), memory, dict(chaos.sandbox.urls)))
        first_load(chaos.config)
        chaos.begin()
        while chaos.kills < KILLS:
            chaos.days_work()
            chaos.run()
            assert chaos.runs <= 5 * KILLS + 5, f"only {chaos.kills} of {chaos.runs} runs were hit"
    chaos.hands.dice = dice(SEED)
    wrong = at_rest(chaos, tmp_path / "hub")
    assert not wrong, "\n".join([*wrong, "after:", *chaos.hands.done])
