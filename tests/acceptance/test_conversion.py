"""A lead becomes a contact while the hub has something to say to it."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.hands import Hands
from tests.acceptance.kit import dice, disagreements, house
from tests.acceptance.verdicts import mailable, strays


def hands_on_a_lead(folder: Path) -> Hands:
    """Zann, whom marketing and sales know, released."""
    hands = Hands(house(folder, ("marketing", "sales")), dice(1))
    hands.create("marketing", "zann@example.com", "Zann", "Zle")
    hands.house.wait(hours=1)
    hands.house.settle()
    hands.house.release()
    hands.house.settle()
    return hands


def converted(hands: Hands) -> None:
    """The lead is converted; the hub reads that, and all comes to rest."""
    ((_, lead),) = hands.people("sales")
    hands.house.sales.user_convert_lead(lead)
    hands.house.wait(minutes=5)
    hands.house.sync("sales")
    hands.house.settle()
    assert [object for object, _ in hands.people("sales")] == ["Contact"]


def test_an_edit_decided_before_the_conversion_reaches_the_contact(tmp_path: Path) -> None:
    hands = hands_on_a_lead(tmp_path)
    hands.set("marketing", *hands.people("marketing")[0], "job_title", "Zo")
    hands.house.wait(minutes=5)
    hands.house.sync("marketing")
    converted(hands)
    assert disagreements(hands.house) == []
    assert strays(hands.house) == []
    ((_, contact),) = hands.people("sales")
    assert hands.house.sales.org.get("Contact", contact)["Title"] == "Zo"


def test_an_opt_out_decided_before_the_conversion_reaches_the_contact(tmp_path: Path) -> None:
    hands = hands_on_a_lead(tmp_path)
    hands.opt_out("marketing", *hands.people("marketing")[0])
    hands.house.wait(minutes=5)
    hands.house.sync("marketing")
    converted(hands)
    assert strays(hands.house) == []
    ((object, contact),) = hands.people("sales")
    assert not mailable(hands.house, "sales", object, contact)
