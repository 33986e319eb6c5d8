"""Writing to a real Tryton: through the party, guarded, each item for itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.tryton.conftest import FIELDS, Desk, Person
from tests.live.tryton_server import TrytonServer
from trueup.connectors.base import Done, Elements, GoneItem, Outcome, RefusedItem, StaleItem, WriteItem
from trueup.model.delivery import WriteKind
from trueup.model.record import Record

pytestmark = pytest.mark.server
CREATE, UPDATE, DELETE = WriteKind.CREATE, WriteKind.UPDATE, WriteKind.DELETE
OFF, ON = WriteKind.DEACTIVATE, WriteKind.REACTIVATE


def done(outcome: Outcome) -> Record:
    assert isinstance(outcome, Done) and outcome.record is not None, outcome
    return outcome.record


def mechanisms(person: Person, id: int | str) -> list[tuple[int, str, str]]:
    """Id, type and value of the active contact mechanisms."""
    names = [f"contact_mechanisms.{name}" for name in ("type", "value", "active")]
    parts = person.look("party.party", int(id), *names)["contact_mechanisms."]
    return [(part["id"], part["type"], part["value"]) for part in parts if part["active"]]


def test_a_create_makes_the_party_with_its_parts_and_tells_what_is_kept(person: Person, desk: Desk) -> None:
    company = person.company("Beta")
    values = {
        "name": "Ada", "email": "a@x.ch", "phone": "044 1", "address.city": "Basel",
        "address.street": "Main 1",        "company": str(company), "website": None,
    }  # fmt: skip
    (outcome,) = desk.write(CREATE, (None, values))
    record = done(outcome)
    assert isinstance(outcome, Done) and outcome.created
    assert {name: record.values[name] for name in values} == values
    assert record == desk.record(outcome.id)


def test_several_are_created_in_one_call_in_their_order(person: Person, desk: Desk, unique: str) -> None:
    desk.write(CREATE, (None, {"name": "warm"}))
    before = desk.budget.calls
    outcomes = desk.write(CREATE, *((None, {"name": f"{unique} {number}"}) for number in range(40)))
    assert [done(outcome).values["name"] for outcome in outcomes] == [f"{unique} {n}" for n in range(40)]
    assert desk.budget.calls - before == 2  # create, read back


def test_a_new_company_gets_the_category_that_makes_it_one(person: Person, desk: Desk) -> None:
    item = WriteItem("k", CREATE, None, {"name": "Gamma"})
    (outcome,) = desk.connector.write("companies", [item], FIELDS)
    assert desk.record(done(outcome).id, "companies").values["categories"] == []
    assert done(outcome).id in desk.read_all_ids("companies")


def test_a_new_company_without_such_a_category_is_refused(server: TrytonServer, person: Person) -> None:
    desk = Desk(server, options={"company_category": "Nobody made this"})
    (outcome,) = desk.connector.write("companies", [WriteItem("k", CREATE, None, {"name": "G"})], FIELDS)
    assert isinstance(outcome, RefusedItem) and "Nobody made this" in outcome.reason


def test_a_changed_e_mail_keeps_its_mechanism(person: Person, desk: Desk) -> None:
    id = person.party("Ada", email=["a@x.ch", "b@x.ch"], phone="044 1")
    ids = [part[0] for part in mechanisms(person, id)]
    record = done(desk.update(id, email="new@x.ch"))
    assert emails(record) == ["new@x.ch", "b@x.ch"]
    assert [part[0] for part in mechanisms(person, id)] == ids


def test_another_e_mail_becomes_the_first_without_losing_one(person: Person, desk: Desk) -> None:
    id = person.party("Ada", email=["a@x.ch", "b@x.ch"])
    assert emails(done(desk.update(id, email="b@x.ch"))) == ["b@x.ch", "a@x.ch"]


def test_a_first_value_of_a_kind_makes_a_mechanism(person: Person, desk: Desk) -> None:
    record = done(desk.update(person.party("Ada"), email="a@x.ch", mobile="079 1"))
    assert (record.values["email"], record.values["mobile"]) == ("a@x.ch", "079 1")


def test_clearing_switches_the_mechanism_off(person: Person, desk: Desk) -> None:
    id = person.party("Ada", email="a@x.ch", phone="044 1")
    record = done(desk.update(id, email=None))
    assert (record.values["email"], record.values["phone"]) == (None, "044 1")
    assert len(person.look("party.party", id, "contact_mechanisms")["contact_mechanisms"]) == 1


def of(*values: str) -> list[Any]:
    return [{"value": value} for value in values]


def emails(record: Record) -> list[str]:
    return [one["value"] for one in record.values["mechanisms.email"]]


LISTS: dict[str, tuple[Any, list[str]]] = {
    "the same": (of("a@x.ch", "b@x.ch"), ["a@x.ch", "b@x.ch"]),
    "another order changes nothing": (of("b@x.ch", "a@x.ch"), ["a@x.ch", "b@x.ch"]),
    "one less": (of("a@x.ch"), ["a@x.ch"]),
    "the first one less": (of("b@x.ch"), ["b@x.ch"]),
    "one more": (of("a@x.ch", "b@x.ch", "c@x.ch"), ["a@x.ch", "b@x.ch", "c@x.ch"]),
    "others": (of("c@x.ch", "d@x.ch", "e@x.ch"), ["c@x.ch", "d@x.ch", "e@x.ch"]),
    "none": ([], []),
    "add and remove": (Elements((*of("c@x.ch"),), (*of("b@x.ch"),)), ["a@x.ch", "c@x.ch"]),
    "add what is there, remove what is not": (
        Elements((*of("a@x.ch"),), (*of("z@x.ch"),)),
        ["a@x.ch", "b@x.ch"],
    ),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_of_e_mails_becomes_what_was_asked(person: Person, desk: Desk, what: str) -> None:
    asked, kept = LISTS[what]
    id = person.party("Ada", email=["a@x.ch", "b@x.ch"], phone="044 1")
    assert emails(done(desk.update(id, mechanisms__email=asked))) == kept
    assert [value for _, type, value in mechanisms(person, id) if type == "phone"] == ["044 1"]


def test_a_slot_and_a_list_together_say_which_is_first(person: Person, desk: Desk) -> None:
    id = person.party("Ada", email=["a@x.ch", "b@x.ch"])
    record = done(desk.update(id, email="c@x.ch", mechanisms__email=of("a@x.ch", "c@x.ch")))
    assert emails(record) == ["c@x.ch", "a@x.ch"]


def test_an_address_is_changed_in_part_or_made(person: Person, desk: Desk) -> None:
    id = person.party("Ada", address={"street": "Main 1", "city": "Basel"})
    record = done(desk.update(id, address__city="Bern"))
    assert (record.values["address.street"], record.values["address.city"]) == ("Main 1", "Bern")
    other = done(desk.update(person.party("Bob"), address__city="Chur", address__street=None))
    assert other.values["address.city"] == "Chur"


def parts(record: Record) -> list[tuple[Any, ...]]:
    return [(one.get("street"), one.get("city"), one.get("party_name")) for one in record.values["addresses"]]


MAIN = {"street": "Main 1", "city": "Basel"}


def with_two(person: Person) -> tuple[int, list[int]]:
    """A party with two addresses, and their ids."""
    id = person.party("Ada", address=MAIN)
    person.make("party.address", party=id, street="Hill 2", city="Chur", party_name="Cabin")
    return id, person.look("party.party", id, "addresses")["addresses"]


def test_all_addresses_are_read_with_their_ids_and_names(person: Person, desk: Desk) -> None:
    id, (main, hill) = with_two(person)
    assert desk.record(id).values["addresses"] == [
        {"id": str(main), **MAIN},
        {"id": str(hill), "street": "Hill 2", "city": "Chur", "party_name": "Cabin"},
    ]


def test_single_addresses_are_changed_made_and_switched_off_by_their_ids(person: Person, desk: Desk) -> None:
    id, (main, hill) = with_two(person)
    change = Elements(
        ({"id": str(hill), "city": "Arosa", "party_name": "Hut"}, {"street": "New 3", "city": "Bern"}),
        ({"id": str(main), **MAIN},),
    )
    record = done(desk.update(id, addresses=change))
    assert parts(record) == [("Hill 2", "Arosa", "Hut"), ("New 3", "Bern", None)]
    assert record.values["addresses"][0]["id"] == str(hill)
    assert not person.look("party.address", main, "active")["active"]


def test_a_move_with_a_list_keeps_the_old_address_behind_the_new_one(person: Person, desk: Desk) -> None:
    id, (main, _) = with_two(person)
    new = Elements(({"street": "New 3", "city": "Bern"},))
    record = done(desk.update(id, address__street="New 3", address__city="Bern", addresses=new))
    assert [street for street, _, _ in parts(record)] == ["New 3", "Main 1", "Hill 2"]
    assert record.values["addresses"][1]["id"] == str(main)


def test_another_address_becomes_the_first_without_losing_one(person: Person, desk: Desk) -> None:
    id, (main, hill) = with_two(person)
    record = done(desk.update(id, address__street="Hill 2", address__city="Chur"))
    assert [one["id"] for one in record.values["addresses"]] == [str(hill), str(main)]


def test_an_address_in_another_spelling_becomes_the_first_and_overwrites_none(
    person: Person, desk: Desk
) -> None:
    id, (main, hill) = with_two(person)
    record = done(desk.update(id, address__street="HILL 2", address__city="Chur"))
    assert [one["id"] for one in record.values["addresses"]] == [str(hill), str(main)]


def test_a_part_that_is_not_mapped_makes_the_next_first_address_no_other_one(
    person: Person, desk: Desk, unique: str
) -> None:
    id, (main, hill) = with_two(person)
    country = person.make("country.country", name=unique, code="LI")
    place = {"country": country, "code": "LI-01", "name": "Balzers", "type": "commune"}
    subdivision = person.make("country.subdivision", **place)
    person.change("party.address", main, country=country, subdivision=subdivision)
    new = {"address__street": "Hill 2", "address__city": "Chur", "address__country": None}
    record = done(desk.update(id, **new))
    assert [one["id"] for one in record.values["addresses"]] == [str(hill), str(main)]


def test_an_address_that_says_less_than_another_is_made_beside_it(person: Person, desk: Desk) -> None:
    id, (main, hill) = with_two(person)
    record = done(desk.update(id, addresses=Elements(({"city": "Basel"},))))
    assert [(one["id"], one.get("street")) for one in record.values["addresses"]][:2] == [
        (str(main), "Main 1"),
        (str(hill), "Hill 2"),
    ]
    assert parts(record)[2] == (None, "Basel", None)


def test_a_mail_in_another_spelling_becomes_the_first_and_overwrites_none(person: Person, desk: Desk) -> None:
    id = person.party("Ada", email=["a@x.ch", "B@x.ch"])
    record = done(desk.update(id, email="b@x.ch"))
    assert [one["value"] for one in record.values["mechanisms.email"]] == ["b@x.ch", "a@x.ch"]


def test_what_is_added_later_does_not_take_the_first_place(person: Person, desk: Desk) -> None:
    id, (_, hill) = with_two(person)
    desk.update(id, address__street="Hill 2", address__city="Chur")
    person.make("party.address", party=id, street="Late 4", city="Thun")
    assert desk.record(id).values["addresses"][0]["id"] == str(hill)


def test_mechanisms_are_read_and_changed_with_type_and_name(person: Person, desk: Desk) -> None:
    id = person.party("Ada", phone="+41446681811", mobile="+41791234567")
    (phone, _, _), (mobile, _, _) = mechanisms(person, id)
    change = Elements(
        ({"id": str(mobile), "name": "Private"}, {"value": "+41446681812", "type": None, "name": "Desk"}),
        ({"id": str(phone)},),
    )
    record = done(desk.update(id, mechanisms__phones=change))
    said = [
        (one["type"], one["value"].replace(" ", ""), one.get("name"))
        for one in record.values["mechanisms.phones"]
    ]
    assert said == [("phone", "+41446681812", "Desk"), ("mobile", "+41791234567", "Private")]


def test_a_country_is_written_by_its_code(person: Person, desk: Desk) -> None:
    person.make("country.country", name="Austria", code="AT")
    id = person.party("Ada")
    assert done(desk.update(id, address__country="AT")).values["address.country"] == "AT"
    refused = desk.update(id, address__country="XX")
    assert isinstance(refused, RefusedItem) and list(refused.fields) == ["address.country"]
    assert done(desk.update(id, address__country=None)).values["address.country"] is None


@pytest.mark.parametrize("employ", [Person.employ, Person.employ_from_the_company])
def test_the_employer_is_changed_and_ended(person: Person, desk: Desk, employ: Any) -> None:
    id, first, second = person.party("Ada"), person.company("A"), person.company("B")
    employ(person, id, first)
    assert done(desk.update(id, company=str(second))).values["company"] == str(second)
    assert done(desk.update(id, company=None)).values["company"] is None


def test_categories_are_added_and_removed_by_name(person: Person, desk: Desk) -> None:
    for name in ("Gold", "Silver"):
        person.once("party.category", name)
    id = person.party("Ada")
    assert done(desk.update(id, categories=["Gold", "Silver"])).values["categories"] == ["Gold", "Silver"]
    assert done(desk.update(id, categories=Elements(remove=("Gold",)))).values["categories"] == ["Silver"]
    refused = desk.update(id, categories=Elements(add=("Nobody made this",)))
    assert isinstance(refused, RefusedItem) and list(refused.fields) == ["categories"]


OTHERS = {
    "the party": lambda person, id, part: person.change("party.party", id, name="Edited"),
    "a mechanism": lambda person, id, part: person.change(
        "party.contact_mechanism", part, value="edited@x.ch"
    ),
    "a new mechanism": lambda person, id, part: person.make(
        "party.contact_mechanism", party=id, type="phone", value="1"
    ),
    "an address": lambda person, id, part: person.make("party.address", party=id, city="Chur"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_write_with_an_old_version_is_stale(person: Person, desk: Desk, what: str) -> None:
    id = person.party("Ada", email="a@x.ch")
    version = desk.record(id).version
    OTHERS[what](person, id, mechanisms(person, id)[0][0])
    assert desk.update(id, version, email="ours@x.ch") == StaleItem()
    assert "ours@x.ch" not in [value for _, _, value in mechanisms(person, id)]


def test_our_own_write_moves_the_version(person: Person, desk: Desk) -> None:
    id = person.party("Ada", email="a@x.ch")
    first = desk.record(id).version
    second = done(desk.update(id, first, email="b@x.ch")).version
    assert desk.update(id, first, email="c@x.ch") == StaleItem()
    assert done(desk.update(id, second, name="Ada King")).values["name"] == "Ada King"


def test_the_server_itself_refuses_what_moved_between_our_reading_and_our_write(
    person: Person, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    id = person.party("Ada", email="a@x.ch")
    version, part = desk.record(id).version, mechanisms(person, id)[0][0]
    send = httpx.Client.send

    def just_before_the_write(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        if b"party.party.write" in request.content:
            monkeypatch.undo()
            person.change("party.contact_mechanism", part, value="edited@x.ch")
        return send(client, request, **options)

    monkeypatch.setattr(httpx.Client, "send", just_before_the_write)
    assert desk.update(id, version, email="ours@x.ch") == StaleItem()
    assert mechanisms(person, id)[0][2] == "edited@x.ch"


def test_one_refused_item_does_not_spoil_the_batch(person: Person, desk: Desk) -> None:
    first, second, third = person.party("A"), person.party("B"), person.party("C")
    taken = person.look("party.party", third, "code")["code"]
    person.change("party.party", second, active=False)
    outcomes = desk.write(UPDATE, (first, {"name": "A2"}), (second, {"name": "B2"}), (third, {"name": "C2"}))
    assert [type(outcome) for outcome in outcomes] == [Done, RefusedItem, Done]
    refused = outcomes[1]
    assert (
        isinstance(refused, RefusedItem) and list(refused.fields) == ["name"] and '"B"' not in refused.reason
    )
    made, double = desk.write(CREATE, (None, {"name": "D"}), (None, {"name": "E", "code": taken}))
    assert isinstance(made, Done) and isinstance(double, RefusedItem)
    assert (list(double.fields), double.existing_id) == (["code"], str(third))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"nickname": "x"}, "nickname"),
        ({"company": "no number"}, "company"),
        ({"email": {"no": "text"}}, "email"),
        ({"address.planet": "Mars"}, "address.planet"),
        ({"mechanisms.pigeon": [{"value": "x"}]}, "mechanisms.pigeon"),
        ({"lang": "1"}, "lang"),
    ],
)
def test_a_value_that_cannot_be_written_is_refused_by_name(
    person: Person, desk: Desk, values: dict[str, Any], field: str
) -> None:
    id = person.party("Ada")
    (outcome,) = desk.write(UPDATE, (id, {"name": "changed", **values}))
    assert isinstance(outcome, RefusedItem) and list(outcome.fields) == [field]
    assert desk.record(id).values["name"] == "Ada"


def test_what_is_not_there_is_gone(person: Person, desk: Desk) -> None:
    id = person.party("Ada")
    assert [type(outcome) for outcome in desk.write(DELETE, (id, {}))] == [Done]
    assert desk.write(DELETE, (id, {}), ("x", {})) == [GoneItem(), GoneItem()]
    assert desk.update(id, name="B") == GoneItem()


def test_a_party_in_use_is_not_deleted(person: Person, desk: Desk) -> None:
    person.sell_to(person.party("Buyer"), "Ten chairs")
    (employee,) = person.call("company.employee.search_read", [], 0, 1, None, ["party"])
    (outcome,) = desk.write(DELETE, (employee["party"], {}))
    assert isinstance(outcome, RefusedItem) and desk.record(employee["party"]).values["name"] == "Rep"


def test_switching_off_and_on_again_with_values(person: Person, desk: Desk) -> None:
    id = person.party("Ada")
    assert done(desk.write(OFF, (id, {"name": "Left"}))[0]).values["active"] is False
    record = done(desk.write(ON, (id, {"name": "Back", "email": "a@x.ch"}))[0])
    assert (record.values["active"], record.values["name"], record.values["email"]) == (
        True,
        "Back",
        "a@x.ch",
    )


def test_two_writes_to_one_party_in_one_batch_both_arrive(person: Person, desk: Desk) -> None:
    id = person.party("Ada")
    outcomes = desk.write(UPDATE, (id, {"name": "A"}), (id, {"email": "a@x.ch"}))
    assert [done(outcome).values["name"] for outcome in outcomes] == ["A", "A"]
    assert done(outcomes[1]).values["email"] == "a@x.ch"


def test_opportunities_are_not_written(desk: Desk) -> None:
    (outcome,) = desk.connector.write(
        "opportunities", [WriteItem("k", CREATE, None, {"description": "x"})], []
    )
    assert isinstance(outcome, RefusedItem)


def test_hostile_texts_arrive_unharmed(person: Person, desk: Desk) -> None:
    name = '\'; drop table party_party; -- \u202e 💥 %s {x} \\ "q" <b>'
    assert done(desk.update(person.party("Ada"), name=name)).values["name"] == name
