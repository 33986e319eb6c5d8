"""The whole verdict on a field: what it becomes, by whom, by which rule, and who lost to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.model.entity import Source
from trueup.model.fields import Field, Strategy
from trueup.model.history import Conflict
from trueup.model.values import Type, Value
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import FieldPolicy
from trueup.sync.rules.verdict import HUB, Question, Verdict, judge, may_edit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUTHORITY = ("a", "b", "c")
UNLISTED = "not an authority for this field in this stage"


def asked(
    strategy: Strategy,
    *claims: Claim,
    current: Value = None,
    source: Source | None = None,
    type: Type = Type.TEXT,
    options: tuple[str, ...] = (),
    ranked: bool = False,
    on_clash: str = "add",
    stage: str | None = None,
) -> Question:
    """In the stage `lead` only `b` may decide."""
    policy = FieldPolicy(strategy, lambda said: ("b",) if said == "lead" else AUTHORITY, ranked, on_clash)
    return Question(Field("x", type, strategy, options=options), current, source, claims, policy, stage)


def edit(connection: str, value: Value, minutes: int | None = 0, **more: object) -> Claim:
    at = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Claim("x", value, connection, f"{connection}/people/1", at=at, **more)  # type: ignore[arg-type]


def first(connection: str, value: Value) -> Claim:
    return Claim("x", value, connection, f"{connection}/people/1", first=True)


def hub(value: Value, minutes: int = 0, id: int = 1, pin: bool = False) -> Claim:
    at = NOW + timedelta(minutes=minutes)
    return Claim("x", value, HUB, f"hub:{id}", at=at, user="ops", pin=pin, edit_id=id)


def held_by(connection: str, how: str = "edit", minutes: int = 0, **more: object) -> Source:
    at = NOW + timedelta(minutes=minutes)
    return Source(connection, how, at, f"{connection}/people/1", **more)  # type: ignore[arg-type]


def lost(loser: Claim, kept: Value, to: str, rule: str) -> Conflict:
    return Conflict("x", loser.value, loser.source, kept, to, rule)


def won(winner: Claim, rule: str, *losers: Claim) -> Verdict:
    return Verdict(
        winner.value, winner, rule, tuple(lost(one, winner.value, winner.source, rule) for one in losers)
    )


def stays(question: Question, rule: str, to: str, *losers: Claim) -> Verdict:
    current = question.current
    return Verdict(current, None, rule, tuple(lost(one, current, to, rule) for one in losers))


# -- authority -------------------------------------------------------------------------------------


def test_of_edits_the_highest_authority_wins_and_the_others_are_told_that_they_lost() -> None:
    one, two, three = edit("c", "3"), edit("a", "1"), edit("b", "2")
    assert judge(asked(Strategy.AUTHORITY, one, two, three)) == won(two, "authority", one, three)


def test_who_says_the_same_as_the_winner_has_not_lost() -> None:
    one, two, three = edit("a", "1"), edit("b", "1"), edit("c", "3")
    assert judge(asked(Strategy.AUTHORITY, one, two, three)) == won(one, "authority", three)


def test_a_second_record_of_a_system_comes_just_below_its_first_and_before_the_next_system() -> None:
    below, above, other = edit("a", "second", rank_below=1), edit("a", "first"), edit("b", "other")
    assert judge(asked(Strategy.AUTHORITY, below, other, above)).winner is above
    assert judge(asked(Strategy.AUTHORITY, other, below)).winner is below


def test_of_two_records_of_one_rank_the_name_decides() -> None:
    one, two = (replace(edit("a", id), source=f"a/people/{id}", rank_below=1) for id in "12")
    assert judge(asked(Strategy.AUTHORITY, two, one)).winner is one


def test_an_edit_goes_before_a_first_sight_of_a_higher_rank() -> None:
    known, new = edit("c", "edited"), first("a", "seen")
    assert judge(asked(Strategy.AUTHORITY, new, known)) == won(known, "authority", new)


def test_who_is_no_authority_in_this_stage_changes_nothing_and_is_told() -> None:
    one = edit("a", "1")
    question = asked(Strategy.AUTHORITY, one, current="0", source=held_by("b"), stage="lead")
    assert judge(question) == stays(question, UNLISTED, "b/people/1", one)


def test_beside_an_edit_that_may_not_a_first_sight_fills() -> None:
    one, new = edit("z", "1"), first("b", "2")
    assert judge(asked(Strategy.AUTHORITY, one, new)) == won(new, "first sight", one)


def test_what_was_kept_is_named_by_its_record_else_by_its_origin_else_it_is_the_hubs() -> None:
    one = edit("z", "1")
    for source, name in (
        (held_by("b"), "b/people/1"),
        (Source("rule", "rule", NOW), "rule"),
        (None, "hub"),
    ):
        question = asked(Strategy.AUTHORITY, one, current="0", source=source)
        assert judge(question) == stays(question, UNLISTED, name, one)


def test_who_says_what_is_held_anyway_has_not_lost() -> None:
    question = asked(Strategy.AUTHORITY, edit("z", "0"), current="0", source=held_by("a"))
    assert judge(question) == stays(question, UNLISTED, "a/people/1")


def test_where_ranks_count_a_lower_one_displaces_no_value_of_a_higher() -> None:
    lower = edit("c", "new")
    question = asked(Strategy.AUTHORITY, lower, current="old", source=held_by("b"), ranked=True)
    assert judge(question) == stays(question, UNLISTED, "b/people/1", lower)
    assert judge(replace(question, current=None)).winner is lower
    assert judge(replace(question, source=None)).winner is lower
    assert judge(replace(question, source=held_by("hub"))).winner is lower
    assert judge(replace(question, source=held_by("c"))).winner is lower
    assert judge(replace(question, policy=replace(question.policy, ranked=False))).winner is lower


def test_whether_somebody_may_edit_hangs_on_the_stage() -> None:
    question = asked(Strategy.AUTHORITY, stage="lead")
    assert [may_edit(question, edit(name, "1")) for name in (*AUTHORITY, HUB)] == [False, True, False, True]


# -- first sights ----------------------------------------------------------------------------------


def test_of_first_sights_the_highest_rank_fills() -> None:
    low, high, none = first("c", "3"), first("a", "1"), first("z", "0")
    assert judge(asked(Strategy.AUTHORITY, none, low, high)) == won(high, "first sight", none, low)


def test_a_first_sight_displaces_only_a_first_sight_of_a_lower_rank() -> None:
    new = first("b", "new")
    question = asked(Strategy.AUTHORITY, new, current="old", source=held_by("c", "first"))
    assert judge(question) == won(new, "first sight")
    for source in (held_by("a", "first"), held_by("b", "first"), held_by("c"), None):
        kept = replace(question, source=source)
        assert judge(kept) == stays(kept, "first sight", source.ref if source else "hub", new)


def test_a_first_sight_of_somebody_unlisted_fills_nothing() -> None:
    new = first("z", "new")
    question = asked(Strategy.AUTHORITY, new)
    assert judge(question) == stays(question, UNLISTED, "hub", new)


# -- edits in the hub ------------------------------------------------------------------------------


def test_the_last_edit_in_the_hub_goes_before_every_system() -> None:
    earlier, later, system = hub("1", id=1), hub("2", minutes=1, id=2), edit("a", "3", minutes=9)
    for claims in permutations((earlier, later, system)):
        losers = [one for one in claims if one is not later]
        assert judge(asked(Strategy.AUTHORITY, *claims)) == won(later, "edited in the hub", *losers)


def test_of_two_edits_in_the_hub_in_one_moment_the_one_that_was_kept_last_counts() -> None:
    one, two = hub("1", id=1), hub("2", id=2)
    assert judge(asked(Strategy.AUTHORITY, two, one)).winner is two


def test_an_edit_in_the_hub_is_later_if_it_was_kept_later_though_its_clock_was_set_back() -> None:
    one, two = hub("1", minutes=3, id=1), hub("2", minutes=1, id=2)
    assert judge(asked(Strategy.AUTHORITY, one, two)).winner is two


def test_what_is_pinned_stays_until_somebody_edits_it_in_the_hub() -> None:
    system = edit("a", "new")
    question = asked(Strategy.AUTHORITY, system, current="old", source=held_by(HUB, "hub", pinned=True))
    assert judge(question) == stays(question, "pinned", "hub/people/1", system)
    person = hub("newer")
    assert judge(replace(question, claims=[system, person])) == won(person, "edited in the hub", system)


# -- an emptiness ----------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [Strategy.AUTHORITY, Strategy.LATEST])
def test_what_was_emptied_is_filled_by_a_first_sight_of_something_else(strategy: Strategy) -> None:
    gone, other = edit("a", None), first("c", "other")
    question = asked(strategy, gone, other, current="old", source=held_by("b"))
    assert judge(question) == won(other, "first sight", gone)


def test_what_was_emptied_is_not_filled_by_the_very_value_that_was_taken_away() -> None:
    gone, same = edit("a", None), first("c", "old")
    question = asked(Strategy.AUTHORITY, gone, same, current="old", source=held_by("b"))
    assert judge(question) == won(gone, "authority", same)


def test_what_was_emptied_is_not_filled_by_somebody_unlisted_nor_by_another_edit() -> None:
    gone, other, later = edit("a", None), first("z", "other"), edit("b", "2")
    question = asked(Strategy.AUTHORITY, gone, other, later, current="old", source=held_by("b"))
    assert judge(question) == won(gone, "authority", other, later)


def test_an_emptiness_that_a_person_pins_is_filled_by_nobody() -> None:
    gone, other = hub(None, pin=True), first("a", "other")
    assert judge(asked(Strategy.AUTHORITY, gone, other, current="old")) == won(
        gone, "edited in the hub", other
    )
    unpinned = replace(gone, pin=False)
    assert judge(asked(Strategy.AUTHORITY, unpinned, other, current="old")).winner is other


# -- latest ----------------------------------------------------------------------------------------


def test_the_latest_edit_wins_whatever_its_rank() -> None:
    old, new = edit("a", "1", 1), edit("c", "3", 3)
    assert judge(asked(Strategy.LATEST, old, new)) == won(new, "latest", old)


def test_of_edits_in_one_moment_the_higher_rank_wins() -> None:
    one, two, below = edit("a", "1"), edit("b", "2"), edit("a", "3", rank_below=1)
    for claims in permutations((one, two, below)):
        assert judge(asked(Strategy.LATEST, *claims)).winner is one
    for claims in permutations((two, below)):
        assert judge(asked(Strategy.LATEST, *claims)).winner is below


def test_where_one_time_is_missing_authority_decides() -> None:
    one, two = edit("a", "1", None), edit("b", "2", 5)
    assert judge(asked(Strategy.LATEST, two, one)) == won(one, "authority", two)


def test_an_edit_older_than_the_one_that_is_held_comes_too_late() -> None:
    one = edit("a", "1", -5)
    question = asked(Strategy.LATEST, one, current="0", source=held_by("c"))
    assert judge(question) == stays(question, "latest", "c/people/1", one)
    for source in (held_by("c", minutes=-5), held_by("c", "first"), held_by("c", "first", 9), None):
        assert judge(replace(question, source=source)) == won(one, "latest")


def test_the_latest_edit_of_somebody_unlisted_does_not_count() -> None:
    one, two = edit("z", "1", 5), edit("c", "2", 0)
    assert judge(asked(Strategy.LATEST, one, two)) == won(two, "latest", one)


def test_without_edits_the_latest_is_a_first_sight() -> None:
    new = first("c", "1")
    assert judge(asked(Strategy.LATEST, new)) == won(new, "first sight")


# -- the most complete -----------------------------------------------------------------------------


def test_the_longest_edit_wins_and_of_two_as_long_the_higher_rank() -> None:
    short, long, other = edit("a", "Al"), edit("c", "Alexander"), edit("b", "Alexandra")
    assert judge(asked(Strategy.MOST_COMPLETE, short, long, other)) == won(
        other, "most complete", short, long
    )
    empty = edit("a", None)
    assert judge(asked(Strategy.MOST_COMPLETE, empty, edit("c", "Al"))).value == "Al"


def test_an_edit_that_may_not_decide_is_not_the_most_complete() -> None:
    short, long = edit("b", "Al"), edit("c", "Alexander")
    question = asked(Strategy.MOST_COMPLETE, long, short, current="A", source=held_by("b"), ranked=True)
    assert judge(question) == won(short, "most complete", long)


def test_of_first_sights_the_longest_fills_and_displaces_a_shorter_one() -> None:
    short, long = first("a", "Al"), first("c", "Alexander")
    assert judge(asked(Strategy.MOST_COMPLETE, short, long)) == won(long, "first sight", short)
    shorter = asked(Strategy.MOST_COMPLETE, long, current="Al", source=held_by("a", "first"))
    assert judge(shorter) == won(long, "first sight")
    longer = asked(Strategy.MOST_COMPLETE, short, current="Alexander", source=held_by("c", "first"))
    assert judge(longer) == stays(longer, "first sight", "c/people/1", short)
    beside = [first("b", "Alexandra"), first("a", "Alexandre")]
    assert judge(asked(Strategy.MOST_COMPLETE, *beside)).value == "Alexandre"


# -- first, highest, lowest, furthest, strictest ---------------------------------------------------


def test_the_first_value_stays_for_ever() -> None:
    one = edit("a", "1", 5)
    question = asked(Strategy.FIRST, one, current="0", source=held_by("c", "first"))
    assert judge(question) == stays(question, "the first value stays", "c/people/1", one)
    assert judge(replace(question, current=None, source=None)) == won(one, "authority")


@pytest.mark.parametrize(
    ("strategy", "rule", "less", "more"),
    [(Strategy.MAX, "highest", "9", "10"), (Strategy.MIN, "lowest", "10", "9")],
)
def test_the_highest_and_the_lowest(strategy: Strategy, rule: str, less: str, more: str) -> None:
    weak, strong, unlisted, empty = edit("a", less), edit("c", more), edit("z", "5000"), edit("b", None)
    if strategy is Strategy.MIN:
        unlisted = edit("z", "-5000")
    question = asked(strategy, weak, strong, unlisted, empty, type=Type.DECIMAL)
    assert judge(question) == won(strong, rule, weak, unlisted, empty)
    held = replace(question, claims=[weak], current=more, source=held_by("c"))
    assert judge(held) == stays(held, rule, "c/people/1", weak)
    same = replace(held, claims=[edit("b", more)])
    assert judge(same) == stays(same, rule, "c/people/1")
    corrected = replace(held, source=held_by("a"))
    assert judge(corrected) == won(weak, rule)
    seen = first("a", less)
    seen_again = replace(corrected, claims=[seen])
    assert judge(seen_again) == stays(seen_again, rule, "a/people/1", seen)
    nothing = replace(held, claims=[empty])
    assert judge(nothing) == stays(nothing, rule, "c/people/1", empty)
    tied = [edit("b", more), edit("a", more)]
    assert judge(replace(held, claims=tied, current=None, source=None)).winner is tied[1]


def test_a_stage_goes_forward_and_never_back() -> None:
    options = ("new", "lead", "customer")
    near, far, unknown, unlisted = (
        edit("a", "lead"),
        edit("c", "customer"),
        edit("b", "friend"),
        edit("z", "customer"),
    )
    question = asked(
        Strategy.FURTHEST, near, far, unknown, current="new", source=held_by("a"), options=options
    )
    assert judge(question) == won(far, "furthest", near, unknown)
    later = replace(question, claims=[near, unlisted], current="customer")
    assert judge(later) == stays(later, "a stage does not go back", "a/people/1", near)
    same = replace(question, claims=[near], current="lead")
    assert judge(same) == stays(same, "a stage does not go back", "a/people/1")
    nobody = replace(question, claims=[unknown, unlisted])
    assert judge(nobody) == stays(nobody, "furthest", "a/people/1", unknown, unlisted)
    assert judge(replace(question, current=None)).winner is far
    assert judge(replace(question, current="friend", claims=[near])).winner is near
    tied = [edit("b", "lead"), edit("a", "lead")]
    assert judge(replace(question, claims=tied)).winner is tied[1]


def test_of_options_the_strictest_is_the_first() -> None:
    options = ("never", "asked", "always")
    strict, loose, unknown = edit("z", "never"), edit("a", "always"), edit("b", "perhaps")
    question = asked(Strategy.MOST_RESTRICTIVE, loose, strict, unknown, current="asked", options=options)
    assert judge(question) == won(strict, "most restrictive", loose, unknown)
    held = replace(question, claims=[loose, unknown])
    assert judge(held) == stays(held, "most restrictive", "hub", loose, unknown)
    nobody = replace(question, claims=[unknown])
    assert judge(nobody) == stays(nobody, "most restrictive", "hub", unknown)
    same = replace(question, claims=[edit("a", "asked")])
    assert judge(same).winner is None
    assert judge(replace(question, claims=[loose], current=None)).winner is loose
    tied = [edit("b", "never"), edit("a", "never")]
    assert judge(replace(question, claims=tied)).winner is tied[1]


# -- sets ------------------------------------------------------------------------------------------


def moved(connection: str, added: str = "", removed: str = "", **more: object) -> Claim:
    claim = hub([], id=1) if connection == HUB else edit(connection, [])
    more = {"added": frozenset(added.split()), "removed": frozenset(removed.split())} | more
    return replace(claim, **more)  # type: ignore[arg-type]


def sets(current: str, *claims: Claim, **more: object) -> Question:
    held = sorted(current.split()) or None
    return asked(Strategy.UNION, *claims, current=held, type=Type.TEXTS, **more)  # type: ignore[arg-type]


def test_what_is_added_anywhere_stays_and_what_is_removed_anywhere_goes() -> None:
    one, two = moved("c", "p"), moved("b", "q", "x")
    assert judge(sets("x y", one, two)) == Verdict(["p", "q", "y"], two, "union")


def test_whoever_moved_something_is_who_decided_not_who_ranks_higher_and_moved_nothing() -> None:
    nothing, one = moved("a", "x", "z"), moved("c", "p")
    assert judge(sets("x", nothing, one)) == Verdict(["p", "x"], one, "union")
    taker = moved("b", removed="x")
    assert judge(sets("x", moved("a", "x"), taker)).winner is None
    assert judge(sets("x y", nothing, taker)) == Verdict(
        ["x", "y"], None, "union", judge(sets("x y", nothing, taker)).conflicts
    )


def test_of_what_is_both_added_and_removed_the_policy_says_which_counts() -> None:
    adds, takes = moved("a", "p"), moved("b", removed="p")
    assert judge(sets("p x", adds, takes)).value == ["p", "x"]
    assert judge(sets("p x", adds, takes, on_clash="remove")) == Verdict(["x"], takes, "union")


def test_a_set_of_which_nothing_is_left_is_empty() -> None:
    takes = moved("a", removed="x")
    assert judge(sets("x", takes)) == Verdict(None, takes, "union")


def test_a_first_sight_takes_nothing_out_of_a_set() -> None:
    seen = replace(moved("a", "p", "x"), first=True)
    assert judge(sets("x", seen)).value == ["p", "x"]


def test_who_may_not_decide_adds_and_removes_nothing() -> None:
    question = sets("x", moved("z", "p", "x"))
    assert judge(question).value == ["x"]
    assert judge(question).winner is None


def test_people_and_systems_move_the_same_set() -> None:
    person, system = moved(HUB, "p"), moved("a", "q")
    assert judge(sets("x", person, system)) == Verdict(["p", "q", "x"], person, "edited in the hub")


def test_who_pins_a_set_pins_it_as_they_edited_it() -> None:
    pins, system = moved(HUB, "p", pin=True), moved("a", "q", "x")
    earlier = replace(moved(HUB, "r", pin=True, edit_id=0), at=NOW + timedelta(hours=1))
    verdict = judge(sets("x", system, pins, earlier))
    assert (verdict.value, verdict.winner, verdict.rule) == (["p", "r", "x"], pins, "edited in the hub")
    unmoved = moved(HUB, pin=True)
    assert judge(sets("x", unmoved)).winner is unmoved


def test_a_pinned_set_hears_no_system() -> None:
    question = sets("x", moved("a", "q", "x"), source=held_by(HUB, "hub", pinned=True))
    assert judge(question).value == ["x"]
    assert judge(question).rule == "pinned"


def test_a_group_of_values_is_compared_as_a_whole() -> None:
    both = {"city": "Bonn", "street": "Am Hof"}
    one, two, same = edit("a", both), edit("b", {"city": "Bonn"}), edit("c", dict(both))  # type: ignore[arg-type]
    assert judge(asked(Strategy.AUTHORITY, one, two, same)) == won(one, "authority", two)


# -- in whatever order -----------------------------------------------------------------------------

_claims = st.lists(
    st.builds(
        lambda connection, value, minutes, seen, below, id: Claim(
            "x", value, connection, f"{connection}/people/{id}", seen, below, NOW + timedelta(minutes=minutes)
        ),
        st.sampled_from([*AUTHORITY, "z"]),
        st.sampled_from(["1", "2", "33", None]),
        st.integers(0, 2),
        st.booleans(),
        st.integers(0, 1),
        st.integers(1, 3),
    ),
    min_size=2,
    max_size=5,
    unique_by=lambda claim: claim.source,
)


def told(question: Question, claims: Sequence[Claim]) -> tuple[object, ...]:
    verdict = judge(replace(question, claims=claims))
    return verdict.value, verdict.winner, verdict.rule, frozenset(verdict.conflicts)


@given(
    st.sampled_from([one for one in Strategy if one is not Strategy.UNION]),
    _claims,
    st.randoms(use_true_random=False),
    st.sampled_from([None, "1", "44"]),
    st.sampled_from([None, held_by("b"), held_by("b", "first", 1), held_by("a", minutes=2)]),
)
def test_the_verdict_hangs_on_no_order(
    strategy: Strategy, claims: list[Claim], chance: object, current: Value, source: Source | None
) -> None:
    question = asked(strategy, current=current, source=source, options=("1", "2", "33"))
    other = list(claims)
    chance.shuffle(other)  # type: ignore[attr-defined]
    assert told(question, claims) == told(question, other)
