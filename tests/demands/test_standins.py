"""P08, P36, P38 on the stand-ins of the vendors: merges and conversions as each of them does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.hands import Hands
from tests.acceptance.kit import House, dice, disagreements, house


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    """A released hub of marketing, sales and support, without people."""
    at = house(tmp_path)
    at.settle()
    at.release()
    yield Hands(at, dice(1))
    at.close()


def emails(hands: Hands, name: str) -> list[str]:
    return sorted(hands.address(name, *one) for one in hands.people(name))


def linked(at: House, text: str) -> set[tuple[str, str]]:
    """(connection, remote id) of the living records of a contact."""
    case = at.hub.store.case(at.contact(text).public_id)
    return {(one.connection, str(one.remote_id)) for one in case.links if one.state.value == "live"}


def test_p08_a_merge_in_hubspot_moves_the_link_to_the_third_record(hands: Hands) -> None:
    at = hands.house
    first = hands.create("marketing", "ann@example.com", "Ann", "Lee")
    second = hands.create("marketing", "ann@home.example", "Ann", "Lee", phone="+49 30 23456789")
    at.settle()
    people = {name: emails(hands, name) for name in ("sales", "support")}
    at.marketing.user_merge("contacts", first, second)
    at.settle()
    ((_, merged),) = hands.people("marketing")
    assert merged not in (first, second)
    assert ("marketing", merged) in linked(at, "ann@example.com")
    assert {name: emails(hands, name) for name in people} == people
    hands.set("marketing", "contacts", merged, "last_name", "Leeds")
    at.settle()
    assert at.contact("ann@example.com").values["last_name"] == "Leeds"
    assert [id for _, id in hands.people("marketing")] == [merged]


def test_p08_a_merge_in_zendesk_makes_the_loser_nowhere_again(hands: Hands) -> None:
    at = hands.house
    stays = hands.create("support", "ann@example.com", "Ann", "Lee")
    goes = hands.create("support", "ann@home.example", "Ann", "Lee")
    at.settle()
    people = {name: emails(hands, name) for name in ("sales", "marketing")}
    at.support.user_merge(goes, stays)
    at.settle()
    assert [id for _, id in hands.people("support")] == [stays]
    assert {name: emails(hands, name) for name in people} == people
    assert ("support", stays) in linked(at, "ann@example.com")


def test_p38_a_lead_converted_in_salesforce_keeps_contact_and_link(hands: Hands) -> None:
    at = hands.house
    lead = hands.create("sales", "ann@example.com", "Ann", "Lee")
    at.settle()
    before, people = at.contact("ann@example.com").public_id, len(hands.people("sales"))
    at.sales.user_convert_lead(lead)
    at.settle()
    ((object, person),) = hands.people("sales")
    assert (object, people) == ("Contact", 1)
    assert at.contact("ann@example.com").public_id == before
    assert ("sales", person) in linked(at, "ann@example.com")
    ((_, there),) = hands.people("marketing")
    hands.set("marketing", "contacts", there, "job_title", "Chief")
    at.settle()
    assert at.sales.org.get("Contact", person)["Title"] == "Chief"
    assert len(hands.people("sales")) == 1
    assert disagreements(at) == []


def test_p25_an_email_that_hubspot_has_already_stops_only_itself(hands: Hands) -> None:
    at = hands.house
    lead = hands.create("sales", "ann@example.com", "Ann", "Lee")
    hands.create("marketing", "bea@example.com", "Bea", "Stone")
    at.settle()
    hands.set("sales", "Lead", lead, "email", "bea@example.com")
    hands.set("sales", "Lead", lead, "job_title", "Chief")
    at.settle()
    rows = {row.properties["email"]: row.properties for row in at.marketing.portal.rows["contacts"].values()}
    titles = {email: said.get("jobtitle") for email, said in rows.items()}
    assert titles == {"ann@example.com": "Chief", "bea@example.com": None}
    ((_, _, aside),) = at.hub.store.quarantined("marketing", 10)
    assert aside.code == "TU-REF-011"
