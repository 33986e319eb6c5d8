"""The hunt for the named defects: what is found alone, what is found together, and what lives."""

from __future__ import annotations

from tests.simulation.killing import hunted, killed, table

AT_ONCE = "the first part of a name answers for all of it"
LATER = "no guard"
NEVER = "an opt-in needs no source"
SEEDS = range(8)


def test_a_hunt_says_of_every_defect_after_how_many_histories_it_is_found() -> None:
    kills = {one.defect: one for one in killed(SEEDS, 2, (AT_ONCE, LATER, NEVER), alone=2, chunk=2)}
    assert kills.keys() == {AT_ONCE, LATER, NEVER}
    assert kills[AT_ONCE] == hunted(SEEDS, AT_ONCE)
    assert (kills[NEVER].checks, kills[NEVER].lived) == ((), len(SEEDS))
    later = kills[LATER]
    assert later.checks and later.lived > 2
    alone = hunted(range(later.seed, later.seed + 1), LATER)
    assert (alone.checks, later.lived) == (later.checks, later.seed + 1)
    told = list(table(list(kills.values())))
    assert told[2].startswith(f"| {AT_ONCE} |") and told[4] == f"| {NEVER} | — | not in {len(SEEDS)} |"
    assert told[-1] == "\n2 of 3 defects found, 67%"
