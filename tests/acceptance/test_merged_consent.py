"""An opt-out that nobody had read when its record was merged away inside the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import dice, house
from tests.acceptance.verdicts import mailable


def two_of_zann(folder: Path, name: str, known: bool) -> Hands:
    """Zann twice in one system, under two addresses, and once in sales; `known`: the hub has read them."""
    hands = Hands(house(folder, ("marketing", "sales", "support")), dice(1))
    hands.create(name, "zann@example.com", "Zann", "Zle")
    hands.create(name, "zann@home.example", "Zann", "Zle")
    if known:
        hands.house.wait(hours=1)
        hands.house.settle()
        hands.house.release()
        hands.house.settle()
    return hands


def merged(hands: Hands, name: str) -> None:
    """The one at home opts out and is merged into the other one; the hub reads it all afterwards."""
    first, second = sorted(hands.people(name), key=lambda one: int(one[1]))[:2]
    hands.opt_out(name, *second)
    if name == "marketing":
        hands.house.marketing.user_merge("contacts", first[1], second[1])
    else:
        hands.house.support.user_merge(second[1], first[1])
    hands.house.wait(hours=1)
    hands.house.settle()
    hands.house.release()
    hands.house.settle()


def mailed(hands: Hands) -> list[tuple[str, str]]:
    """Records of Zann, under either address, that would still get marketing mail."""
    return [
        (name, id)
        for name in ("marketing", "sales", "support")
        for object, id in hands.people(name)
        if mailable(hands.house, name, object, id)
    ]


@pytest.mark.parametrize(("name", "known"), [("marketing", True), ("marketing", False), ("support", True)])
def test_an_opt_out_that_was_merged_away_unread_still_holds_for_the_person(
    name: str, known: bool, tmp_path: Path
) -> None:
    hands = two_of_zann(tmp_path, name, known)
    merged(hands, name)
    assert mailed(hands) == []
