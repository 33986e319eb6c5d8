"""Several addresses of one person where one system has one slot and another has identities."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.hands import Hands
from tests.acceptance.kit import dice, house
from trueup.model.fields import Kind
from trueup.model.values import Value


def ann(folder: Path) -> Hands:
    """Zann in marketing (one slot) and in the helpdesk (identities), released."""
    hands = Hands(house(folder, ("marketing", "support")), dice(1))
    hands.create("marketing", "zann@example.com", "Zann", "Zle")
    rest(hands)
    hands.house.release()
    rest(hands)
    return hands


def rest(hands: Hands) -> None:
    hands.house.wait(hours=1)
    hands.house.settle()


def user(hands: Hands) -> int:
    ((_, id),) = hands.people("support")
    return int(id)


def identities(hands: Hands) -> dict[str, int]:
    """The addresses of the user, the primary one first, with the ids of their identities."""
    found = hands.house.support.account.people.identities_of(user(hands))
    mails = [one for one in found if one["type"] == "email"]
    return {one["value"]: one["id"] for one in sorted(mails, key=lambda one: not one["primary"])}


def in_marketing(hands: Hands) -> str:
    ((_, id),) = hands.people("marketing")
    return str(hands.house.marketing.portal.rows["contacts"][id].properties["email"])


def known(hands: Hands) -> dict[str, Value]:
    """What the hub holds of the one contact."""
    ((entity, _),) = hands.house.entities(Kind.CONTACT)
    return {name: entity.values.get(name) for name in ("email", "emails", "former_emails")}


def add(hands: Hands, address: str) -> int:
    body = {"type": "email", "value": address, "verified": True}
    people = hands.house.support.account.people
    return int(people.add_identity(user(hands), body, "agent")["id"])


def test_a_new_primary_address_leaves_the_old_one_where_it_is_listed(tmp_path: Path) -> None:
    hands = ann(tmp_path)
    hands.set("marketing", *hands.people("marketing")[0], "email", "zann@new.example")
    rest(hands)
    assert list(identities(hands)) == ["zann@new.example", "zann@example.com"]
    assert known(hands)["former_emails"] is None


def test_the_ids_that_came_with_the_record_are_used_and_not_looked_up(tmp_path: Path) -> None:
    hands = ann(tmp_path)
    hands.set("marketing", *hands.people("marketing")[0], "email", "zann@new.example")
    rest(hands)
    hands.set("marketing", *hands.people("marketing")[0], "email", "zann@example.com")
    rest(hands)
    assert list(identities(hands)) == ["zann@example.com", "zann@new.example"]
    assert hands.house.support.ledger.calls("identities.list") == 0


def test_an_address_that_an_agent_makes_the_primary_one_is_so_everywhere(tmp_path: Path) -> None:
    hands = ann(tmp_path)
    people = hands.house.support.account.people
    people.make_primary(user(hands), add(hands, "zann@home.example"), "agent")
    rest(hands)
    assert in_marketing(hands) == "zann@home.example"
    people.delete_identity(user(hands), identities(hands)["zann@example.com"], "agent")
    rest(hands)
    assert known(hands) == {
        "email": "zann@home.example",
        "emails": ["zann@home.example"],
        "former_emails": ["zann@example.com"],
    }
    assert list(identities(hands)) == ["zann@home.example"]


def test_one_system_adds_an_address_while_the_other_one_moves_the_primary(tmp_path: Path) -> None:
    hands = ann(tmp_path)
    add(hands, "zann@home.example")
    hands.set("marketing", *hands.people("marketing")[0], "email", "zann@new.example")
    rest(hands)
    assert set(identities(hands)) == {"zann@new.example", "zann@home.example", "zann@example.com"}
    assert in_marketing(hands) == next(iter(identities(hands))) == "zann@new.example"


def test_an_address_that_is_removed_in_the_hub_loses_just_its_identity(tmp_path: Path) -> None:
    hands = ann(tmp_path)
    kept = add(hands, "zann@home.example")
    add(hands, "zann@work.example")
    rest(hands)
    ((entity, _),) = hands.house.entities(Kind.CONTACT)
    emails = ["zann@example.com", "zann@home.example"]
    now = hands.house.sandbox.clock.now()
    hands.house.hub.store.edit(entity.public_id, {"emails": emails}, "ann", now, False)
    rest(hands)
    assert identities(hands)["zann@home.example"] == kept
    assert set(identities(hands)) == set(emails)
    assert known(hands)["former_emails"] == ["zann@work.example"]


def test_addresses_that_a_merge_left_reach_the_other_systems(tmp_path: Path) -> None:
    hands = ann(tmp_path)
    hands.create("marketing", "zann@home.example", "Zann", "Zle")
    first, second = (id for _, id in hands.people("marketing"))
    hands.house.marketing.user_merge("contacts", first, second)
    rest(hands)
    assert set(identities(hands)) == {"zann@example.com", "zann@home.example"}
    assert in_marketing(hands) == "zann@example.com"
