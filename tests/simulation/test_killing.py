"""The hunt for the named defects: what is found alone, what is found together, and what lives."""

from __future__ import annotations

from tests.simulation.killing import Kill, hunted, killed, lacking, table

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


def test_a_hunt_fails_where_too_few_were_found_in_time() -> None:
    soon, late, never = Kill("a", ("x",), 1, 900), Kill("b", ("x",), 1, 1_001), Kill("c", (), -1, 10_000)
    assert lacking([soon] * 4 + [late], 10_000) == []
    assert lacking([soon] * 3 + [late] * 2, 1_000) == [
        "only 60% of the defects were found within 1,000 histories, 80% are asked for"
    ]
    assert lacking([soon] * 9 + [never], 9_999) == []
    assert lacking([soon] * 9 + [never], 10_000) == [
        "only 90% of the defects were found within 10,000 histories, 95% are asked for"
    ]
