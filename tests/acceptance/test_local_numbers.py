"""A number that an agent types as one dials it at home, over three vendors and a hub in Germany."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import dice, house


def phones(hands: Hands) -> dict[str, object]:
    """What each system shows of the one person."""
    there = {name: hands.people(name)[0][1] for name in hands.house.wires}
    return {
        "marketing": hands.house.marketing.portal.rows["contacts"][there["marketing"]].properties["phone"],
        "sales": hands.house.sales.org.get("Lead", there["sales"])["Phone"],
        "support": hands.house.support.account.records.users[int(there["support"])]["phone"],
    }


def rest(hands: Hands) -> None:
    hands.house.wait(hours=1)
    hands.house.settle()


@pytest.mark.parametrize("local, meant", [("044 1234567", "+380441234567"), ("+49441234567", "+49441234567")])
def test_a_local_number_in_the_helpdesk_is_of_the_country_of_the_one_before(
    local: str, meant: str, tmp_path: Path
) -> None:
    hands = Hands(house(tmp_path), dice(1))
    hands.create("sales", "zann@example.com", "Zann", "Zle", phone="+380442223344")
    rest(hands)
    hands.house.release()
    rest(hands)
    assert set(phones(hands).values()) == {"+380442223344"}
    hands.set("support", *hands.people("support")[0], "phone", local)
    rest(hands)
    shown = phones(hands)
    assert (shown["marketing"], shown["sales"]) == (meant, meant)
    before = hands.house.writes()
    rest(hands)
    assert hands.house.writes() == before
