"""`trueup sync` is killed again and again during a first load: in the end everybody is everywhere, once.

The command runs as it is installed, over stand-ins on loopback, by the real clock. A first load that got
through is followed by another one until all kills are spent. TRUEUP_KILLS and TRUEUP_KILLED_PEOPLE set the
figures. What a killed run left in doubt rests for minutes before it may be looked up; after the last kill
that time is let pass on the stand-ins' clock.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import NAMES, dice, disagreements, house, word, write_config
from tests.acceptance.striking import Striker, open_sandbox, start
from tests.acceptance.verdicts import doubles, strays
from trueup.commands.desk import Reality
from trueup.commands.opening import environment_for
from trueup.commands.standins import Standins, save_standins
from trueup.sandbox.server import Sandbox

PEOPLE = int(os.environ.get("TRUEUP_KILLED_PEOPLE", "150"))
KILLS = int(os.environ.get("TRUEUP_KILLS", "6"))
AGO = timedelta(hours=2)


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
        save_standins(
            config, Standins(os.getpid(), f"sqlite:///{config / 'trueup.sqlite'}", dict(sandbox.urls))
        )
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
