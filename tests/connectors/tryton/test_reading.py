"""Reading a real Tryton: whole parties, every change of a part, merges and deletions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.tryton.conftest import Desk, Person
from tests.live.tryton_server import TrytonServer
from trueup.connectors.base import Capability, GoneItem
from trueup.errors import NotFound, Refused
from trueup.model.record import Reading, Record

pytestmark = pytest.mark.server
LISTING, CHANGES = Reading.LISTING, Reading.CHANGES


def test_a_party_arrives_with_its_parts(person: Person, desk: Desk) -> None:
    country = person.make("country.country", name="Switzerland", code="CH")
    address = {"street": "Main 1\nBack door", "city": "Basel", "postal_code": "4001", "country": country}
    id = person.party("Ada Lovelace", email=["a@x.ch", "b@x.ch"], mobile="079 1", address=address)
    record = desk.record(id)
    lists = {name: record.values[name] for name in ("mechanisms.email", "mechanisms.phones", "addresses")}
    said = {
        name: [{k: v for k, v in one.items() if k != "id"} for one in some] for name, some in lists.items()
    }
    assert {**record.values, **said} == {
        "name": "Ada Lovelace", "code": person.look("party.party", id, "code")["code"], "active": True,
        "email": "a@x.ch", "phone": None, "mobile": "079 1", "website": None,
        "mechanisms.email": [{"type": "email", "value": "a@x.ch"}, {"type": "email", "value": "b@x.ch"}],
        "mechanisms.phones": [{"type": "mobile", "value": "079 1"}],
        "addresses": [
            {"street": "Main 1\nBack door", "city": "Basel", "postal_code": "4001", "country": "CH"},
        ],
        "address.street": "Main 1\nBack door",
        "address.city": "Basel", "address.postal_code": "4001", "address.country": "CH",
        "company": None, "categories": [],
    }  # fmt: skip
    assert record.changed_at is not None and record.changed_at.tzinfo is not None


def test_a_listing_brings_every_party_once_inactive_ones_too(person: Person, desk: Desk, unique: str) -> None:
    made = person.call("party.party.create", [{"name": f"{unique} {number}"} for number in range(450)])
    person.change("party.party", made[7], active=False)
    records, _ = desk.read_all(LISTING)
    mine = {id: record for id, record in records.items() if str(record.values["name"]).startswith(unique)}
    assert set(mine) == {str(id) for id in made}
    assert [record.values["active"] for record in mine.values()].count(False) == 1


def test_persons_and_companies_are_told_apart_by_category(person: Person, desk: Desk, unique: str) -> None:
    company, human = person.company(f"{unique} AG"), person.party(unique)
    people, companies = desk.read_all(LISTING)[0], desk.read_all(LISTING, object="companies")[0]
    assert str(human) in people and str(human) not in companies
    assert str(company) in companies and str(company) not in people


def test_a_domain_of_their_own_tells_them_apart(server: TrytonServer, person: Person, unique: str) -> None:
    wanted = person.party(f"{unique} yes")
    person.party(f"{unique} no")
    desk = Desk(server, objects={"parties": {"where": [["name", "=", f"{unique} yes"]]}})
    assert set(desk.read_all(LISTING)[0]) == {str(wanted)}


EDITS = {
    "the party itself": lambda person, id: person.change("party.party", id, name="Ada King"),
    "an e-mail in its own form": lambda person, id: person.change(
        "party.contact_mechanism", part(person, id, "contact_mechanisms"), value="new@x.ch"
    ),
    "an address in its own form": lambda person, id: person.change(
        "party.address", part(person, id, "addresses"), city="Bern"
    ),
    "a new e-mail": lambda person, id: person.make(
        "party.contact_mechanism", party=id, type="email", value="2@x.ch"
    ),
    "a new address": lambda person, id: person.make("party.address", party=id, city="Chur"),
    "a new employer": lambda person, id: person.employ(id, person.company("E")),
    "an employer who says so": lambda person, id: person.employ_from_the_company(id, person.company("E")),
    "being switched off": lambda person, id: person.change("party.party", id, active=False),
}


def part(person: Person, id: int, name: str) -> int:
    return int(person.look("party.party", id, name)[name][0])


@pytest.mark.parametrize("what", EDITS)
def test_every_edit_of_a_party_or_its_parts_is_a_change(
    server: TrytonServer, person: Person, what: str
) -> None:
    import time

    desk = Desk(server, options={"lookback": 0})
    id = person.party("Ada", email="a@x.ch", address={"city": "Basel"})
    untouched = person.party("Bob", email="b@x.ch")
    before = desk.record(id)
    time.sleep(1.1)  # the server tells its time in whole seconds
    _, page = desk.read_all(CHANGES)
    time.sleep(1.1)
    EDITS[what](person, id)
    changed, _ = desk.read_all(CHANGES, page.cursor)
    assert str(untouched) not in changed
    assert changed[str(id)].version != before.version
    assert changed[str(id)] == desk.record(id)


def test_the_lookback_reads_again_what_was_just_changed(person: Person, desk: Desk) -> None:
    id = person.party("Ada")
    _, page = desk.read_all(LISTING)
    assert str(id) in desk.read_all(CHANGES, page.cursor)[0]


def test_an_impossible_time_gives_nothing(desk: Desk, person: Person) -> None:
    person.party("Ada")
    assert desk.read_all(CHANGES, {"since": "2099-01-01T00:00:00+00:00"})[0] == {}


def test_a_poll_without_changes_costs_two_calls(person: Person, desk: Desk) -> None:
    desk.read_all(CHANGES, {"since": "2099-01-01T00:00:00+00:00"})
    before = desk.budget.calls
    desk.read_all(CHANGES, {"since": "2099-01-01T00:00:00+00:00"})
    assert desk.budget.calls - before == 2


def test_a_merged_party_names_the_one_that_replaced_it(person: Person, desk: Desk) -> None:
    loser, winner = person.party("Ada"), person.party("Ada Lovelace")
    person.replace(loser, winner)
    record = desk.record(loser)
    assert (record.successor, record.values["active"]) == (str(winner), False)
    assert desk.update(loser, name="Adele") == GoneItem(str(winner))


def test_a_deleted_party_is_gone_and_absent_from_the_listing(person: Person, desk: Desk) -> None:
    id = person.party("Ada")
    person.call("party.party.delete", [id])
    assert list(desk.connector.read("parties", [str(id), "x"], ["name"])) == [GoneItem(), GoneItem()]
    assert str(id) not in desk.read_all(LISTING)[0]


def test_records_come_in_the_order_asked(person: Person, desk: Desk) -> None:
    first, second = person.party("A"), person.party("B")
    found = desk.connector.read("parties", [str(second), "999999", str(first)], ["name"])
    assert [one.values["name"] if isinstance(one, Record) else one for one in found] == ["B", GoneItem(), "A"]


@pytest.mark.parametrize("employ", [Person.employ, Person.employ_from_the_company])
def test_the_employer_is_a_reference(person: Person, desk: Desk, employ: Any) -> None:
    company, id = person.company("Beta"), person.party("Ada")
    employ(person, id, company)
    assert desk.record(id).values["company"] == str(company)
    spec = {spec.name: spec for spec in desk.connector.fields("parties")}["company"]
    assert (spec.type, spec.reference_to) == ("reference", ("companies",))


def test_an_employment_that_has_ended_is_none(person: Person, desk: Desk) -> None:
    company, id = person.company("Beta"), person.party("Ada")
    person.employ(id, company, end_date={"__class__": "date", "year": 2020, "month": 1, "day": 1})
    assert desk.record(id).values["company"] is None


def test_without_a_relation_type_nothing_is_said_about_employers(
    server: TrytonServer, person: Person
) -> None:
    desk = Desk(server, options={"company_relation": "Nobody made this"})
    assert "company" not in desk.record(person.party("Ada")).values
    assert "company" not in [spec.name for spec in desk.connector.fields("parties")]


@pytest.mark.parametrize("email", ["{}_b%c@example.com", "{}.\\x@example.com", "{}@EXAMPLE.com"])
def test_an_e_mail_finds_exactly_its_holders_in_any_case(
    person: Person, desk: Desk, unique: str, email: str
) -> None:
    email = email.format(unique)
    wanted = person.party("Ada", email=["first@x.ch", email])
    person.party("Ada", email=f"{unique}xbyc@example.com")
    person.party("Ada", phone=email)
    found = desk.connector.find("parties", "email", [email.upper(), "nobody@x.ch"], ["name"])
    assert [record.id for record in found] == [str(wanted)]


def test_a_switched_off_e_mail_finds_nobody_and_is_not_said(person: Person, desk: Desk, unique: str) -> None:
    id = person.party("Ada", email=f"{unique}@x.ch")
    person.change("party.contact_mechanism", part(person, id, "contact_mechanisms"), active=False)
    assert desk.connector.find("parties", "email", [f"{unique}@x.ch"], []) == []
    assert desk.record(id).values["email"] is None


def test_codes_and_names_are_keys_and_others_are_refused(person: Person, desk: Desk, unique: str) -> None:
    id = person.party(f"{unique} Ada")
    code = person.look("party.party", id, "code")["code"]
    assert [record.id for record in desk.connector.find("parties", "code", [code], [])] == [str(id)]
    assert [record.id for record in desk.connector.find("parties", "name", [f"{unique} ADA"], [])] == [
        str(id)
    ]
    with pytest.raises(Refused):
        desk.connector.find("parties", "lang", ["en"], [])


def test_the_fields_are_what_tryton_says(desk: Desk) -> None:
    specs = {spec.name: spec for spec in desk.connector.fields("parties")}
    assert specs["name"].label == "Name" and specs["name"].writable
    assert specs["email"].type == "email" and specs["address.country"].type == "text"
    assert not specs["code"].writable and specs["code"].unique
    assert specs["write_date"].type == "datetime" and not specs["write_date"].writable
    assert specs["mechanisms.email"].type == "object" and "contact_mechanisms" not in specs


def test_fields_that_do_not_exist_are_not_said(person: Person, desk: Desk) -> None:
    (record,) = desk.connector.read("parties", [str(person.party("Ada"))], ["name", "nickname", "lang.code"])
    assert isinstance(record, Record) and record.values == {"name": "Ada", "lang.code": None}


def test_what_it_can_do_is_declared(desk: Desk) -> None:
    spec = desk.connector.objects()["parties"]
    assert {
        Capability.INCREMENTAL,
        Capability.CONDITIONAL_WRITE,
        Capability.ELEMENT_WRITES,
    } <= spec.capabilities
    assert Capability.DELETES_VISIBLE not in spec.capabilities
    with pytest.raises(NotFound):
        desk.connector.pull("invoices", LISTING, None, [])


def test_opportunities_are_read_as_deals(person: Person, desk: Desk) -> None:
    buyer = person.party("Buyer")
    id = person.sell_to(buyer, "Ten chairs")
    names = ["description", "party", "state", "amount", "currency.code"]
    page = desk.connector.pull("opportunities", CHANGES, {"since": "2026-01-01T00:00:00+00:00"}, names)
    records = {record.id: record for record in page.records}
    assert records[str(id)].values == {
        "description": "Ten chairs", "party": str(buyer), "state": "lead", "amount": "12.50",
        "currency.code": "CHF",
    }  # fmt: skip
    assert desk.connector.objects()["opportunities"].kind == "deal"
