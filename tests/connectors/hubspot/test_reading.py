"""HubSpot: reading contacts, companies, deals and owners."""

from __future__ import annotations

import pytest

from tests.connectors.hubspot.conftest import Desk
from trueup.connectors.base import GoneItem
from trueup.connectors.hubspot.vendor_properties import Definition
from trueup.errors import Malformed, RateLimited, Transient, Unauthorized
from trueup.model.record import Reading, Record
from trueup.sandbox.standin import Fault

FIELDS = ["email", "firstname", "jobtitle"]


def records(found: object) -> list[Record]:
    assert isinstance(found, list)
    assert all(isinstance(one, Record) for one in found)
    return found


def test_a_listing_brings_every_contact_past_the_page_border(desk: Desk) -> None:
    ids = {desk.contact(email=f"p{number}@example.com") for number in range(205)}
    assert {record.id for record in desk.listing("contacts", FIELDS)} == ids


def test_an_empty_property_is_said_to_be_empty_not_absent(desk: Desk) -> None:
    desk.contact(email="ann@example.com")
    assert desk.listing("contacts", FIELDS)[0].values == {
        "email": "ann@example.com",
        "firstname": None,
        "jobtitle": None,
    }


def test_changes_start_where_the_listing_started(desk: Desk) -> None:
    desk.contact(email="old@example.com")
    desk.clock.advance(7200)
    desk.listing("contacts", FIELDS)
    new = desk.contact(email="new@example.com")
    desk.settle()
    assert [record.id for record in desk.changes("contacts", FIELDS)] == [new]


def test_a_change_that_the_search_index_shows_late_is_not_missed(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    desk.listing("contacts", FIELDS)
    desk.clock.advance(3600)
    desk.portal.user_edit("contacts", id, {"jobtitle": "Boss"})
    assert "Boss" not in [record.values["jobtitle"] for record in desk.changes("contacts", FIELDS)]
    desk.clock.advance(10)
    assert [record.values["jobtitle"] for record in desk.changes("contacts", FIELDS)] == ["Boss"]


def test_an_index_that_is_almost_a_minute_late_loses_nothing(desk: Desk) -> None:
    desk.portal.portal.index_lag = 55
    desk.listing("contacts", FIELDS)
    desk.clock.advance(3600)
    id = desk.contact(email="ann@example.com")
    desk.clock.advance(50)
    assert desk.changes("contacts", FIELDS) == []
    desk.clock.advance(10)
    assert [record.id for record in desk.changes("contacts", FIELDS)] == [id]


def test_what_a_late_index_shows_carries_the_old_version(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    desk.settle()
    desk.portal.user_edit("contacts", id, {"jobtitle": "Boss"})
    shown = desk.connector.pull("contacts", Reading.CHANGES, None, FIELDS).records[0]
    read = desk.connector.read("contacts", [id], FIELDS)[0]
    assert isinstance(read, Record)
    assert (shown.version or "") < (read.version or "")


def test_many_changes_in_one_millisecond_are_all_brought(desk: Desk) -> None:
    desk.listing("contacts", FIELDS)
    desk.clock.advance(3600)
    ids = {desk.contact(email=f"p{number}@example.com") for number in range(450)}
    desk.settle()
    assert {record.id for record in desk.changes("contacts", FIELDS)} == ids


def test_a_search_past_ten_thousand_records_goes_on(desk: Desk) -> None:
    desk.listing("contacts", [])
    desk.clock.advance(3600)
    for number in range(10_150):
        desk.portal.portal.create("contacts", {"email": f"p{number}@example.com"}, desk.clock.now())
    desk.settle()
    assert len({record.id for record in desk.changes("contacts", [])}) == 10_150


def test_a_record_that_changes_during_the_pull_is_not_lost(desk: Desk) -> None:
    first = desk.contact(email="first@example.com")
    for number in range(300):
        desk.contact(email=f"p{number}@example.com")
    desk.settle()
    page = desk.connector.pull("contacts", Reading.CHANGES, None, FIELDS)
    desk.portal.user_edit("contacts", first, {"jobtitle": "Boss"})
    desk.settle()
    while page.more:
        page = desk.connector.pull("contacts", Reading.CHANGES, page.cursor, FIELDS)
    desk.cursor = page.cursor
    assert "Boss" in [record.values["jobtitle"] for record in desk.changes("contacts", FIELDS)]


def test_a_pull_goes_on_after_any_page_in_another_process(desk: Desk) -> None:
    ids = {desk.contact(email=f"p{number}@example.com") for number in range(250)}
    first = desk.connector.pull("contacts", Reading.LISTING, None, FIELDS)
    cursor = {**first.cursor}  # all that a restart keeps
    second = desk.connector.pull("contacts", Reading.LISTING, cursor, FIELDS)
    third = desk.connector.pull("contacts", Reading.LISTING, second.cursor, FIELDS)
    assert {record.id for page in (first, second, third) for record in page.records} == ids
    assert not third.more


def test_deleted_contacts_arrive_with_the_changes(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    desk.listing("contacts", FIELDS)
    desk.clock.advance(1800)
    desk.portal.user_delete("contacts", id)
    found = desk.changes("contacts", FIELDS)
    assert [(record.id, record.deleted) for record in found] == [(id, True)]


def test_a_deletion_is_told_once(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    desk.listing("contacts", FIELDS)
    desk.portal.user_delete("contacts", id)
    desk.clock.advance(1800)
    desk.changes("contacts", FIELDS)
    desk.clock.advance(1800)
    assert desk.changes("contacts", FIELDS) == []


def test_a_deletion_names_the_records_that_were_merged_into_it_before(desk: Desk) -> None:
    one, two = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    desk.listing("contacts", FIELDS)
    desk.clock.advance(1800)
    third = desk.portal.user_merge("contacts", one, two)
    desk.portal.user_delete("contacts", third)
    (found,) = desk.changes("contacts", FIELDS)
    assert (found.id, found.deleted, found.aliases) == (third, True, (one, two))


def test_the_recycle_bin_is_not_read_on_every_poll(desk: Desk) -> None:
    desk.listing("contacts", FIELDS)
    for _ in range(10):
        desk.clock.advance(60)
        desk.changes("contacts", FIELDS)
    assert desk.portal.ledger.calls("list") == 1


def test_reading_by_id_keeps_the_order_and_names_the_gone(desk: Desk) -> None:
    one, two = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    desk.portal.user_delete("contacts", one)
    found = desk.connector.read("contacts", [two, one, "999999"], FIELDS)
    assert [record.id if isinstance(record, Record) else record for record in found] == [
        two,
        GoneItem(),
        GoneItem(),
    ]


def test_two_hundred_ids_cost_two_calls(desk: Desk) -> None:
    ids = [desk.contact(email=f"p{number}@example.com") for number in range(200)]
    desk.connector.read("contacts", ids, FIELDS)
    assert desk.portal.ledger.calls() == 2


def test_a_merged_id_answers_with_the_third_record_that_names_both(desk: Desk) -> None:
    one, two = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    third = desk.portal.user_merge("contacts", one, two)
    found = records(list(desk.connector.read("contacts", [one, two], FIELDS)))
    assert [record.id for record in found] == [third, third]
    assert found[0].aliases == (one, two)


def test_a_merge_in_hubspot_shows_in_the_changes(desk: Desk) -> None:
    one, two = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    desk.clock.advance(3600)
    desk.listing("contacts", FIELDS)
    third = desk.portal.user_merge("contacts", one, two)
    desk.settle()
    assert [(record.id, record.aliases) for record in desk.changes("contacts", FIELDS)] == [
        (third, (one, two))
    ]


def test_a_look_up_by_email_shows_a_write_at_once_and_ignores_case(desk: Desk) -> None:
    id = desk.contact(email="Ann@Example.com")
    found = desk.connector.find("contacts", "email", ["ANN@example.com", "nobody@example.com"], FIELDS)
    assert [record.id for record in found] == [id]


def test_a_look_up_by_another_field_uses_the_search(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com", phone="+491701234567")
    desk.settle()
    assert [record.id for record in desk.connector.find("contacts", "phone", ["+491701234567"], FIELDS)] == [
        id
    ]


def test_a_look_up_by_text_ignores_case(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com", city="Kiel")
    desk.settle()
    assert [record.id for record in desk.connector.find("contacts", "city", ["KIEL"], FIELDS)] == [id]


@pytest.mark.parametrize("fields", [3, 60, 200])
def test_a_look_up_by_long_values_stays_within_what_a_search_takes(desk: Desk, fields: int) -> None:
    long = "a-very-long-name-of-a-company-that-sells-many-things"
    domains = [f"{long}-{number}.{long}.example" for number in range(25)]
    for domain in domains:
        desk.portal.user_create("companies", {"domain": domain})
    desk.settle()
    names = ["domain", *(f"custom_property_number_{number}" for number in range(fields))]
    found = desk.connector.find("companies", "domain", domains, names)
    assert sorted(record.values["domain"] for record in found) == sorted(domains)


def test_more_fields_than_a_search_takes_are_read_all_the_same(desk: Desk) -> None:
    names = [f"custom_property_with_a_long_name_{number}" for number in range(120)]
    for name in names:
        desk.portal.add_property("contacts", Definition(name))
    desk.contact(email="ann@example.com", **{names[77]: "yes"})
    desk.settle()
    record = desk.connector.pull("contacts", Reading.CHANGES, None, [*FIELDS, *names]).records[0]
    assert (record.values[names[77]], record.values["email"]) == ("yes", "ann@example.com")


def test_associated_companies_come_as_ids_for_a_whole_page_in_one_call(desk: Desk) -> None:
    contact, lonely = desk.contact(email="ann@example.com"), desk.contact(email="bob@example.com")
    one = desk.portal.user_create("companies", {"name": "One"})
    two = desk.portal.user_create("companies", {"name": "Two"})
    desk.portal.user_associate("contacts", contact, "companies", one)
    desk.portal.user_associate("contacts", contact, "companies", two)
    wanted = ["associations.companies", "associations.companies.primary"]
    found = {record.id: record.values for record in desk.listing("contacts", wanted)}
    assert found[contact] == {"associations.companies": [one, two], "associations.companies.primary": one}
    assert found[lonely] == {"associations.companies": [], "associations.companies.primary": None}
    assert desk.portal.ledger.calls("links_read") == 1


def test_subscriptions_come_with_time_and_source_for_a_whole_page_in_one_call(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    for number in range(60):
        desk.contact(email=f"p{number}@example.com")
    desk.portal.user_unsubscribe("p7@example.com", "Newsletter")
    found = {record.id: record.values for record in desk.listing("contacts", ["subscription.Newsletter"])}
    out = [values for values in found.values() if values["subscription.Newsletter"]["status"] == "opted_out"]
    assert [values["subscription.Newsletter"]["source"] for values in out] == ["PUBLIC_PAGE"]
    assert out[0]["subscription.Newsletter"]["at"] == "2026-03-01T12:00:00.000Z"
    assert desk.portal.ledger.calls("statuses_read") == 1


def test_a_subscription_that_the_portal_does_not_have_is_absent_not_unknown(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    desk.contact(email="ann@example.com")
    assert desk.listing("contacts", ["subscription.Tips"])[0].values == {}


def test_companies_deals_and_owners_are_read(desk: Desk) -> None:
    company = desk.portal.user_create("companies", {"name": "Acme", "domain": "acme.example"})
    deal = desk.portal.user_create("deals", {"dealname": "Big", "amount": "100.50"})
    owner = desk.portal.add_owner("rep@example.com", "Rita", "Rep")
    assert desk.listing("companies", ["name", "domain"])[0].id == company
    assert desk.listing("deals", ["dealname", "amount"])[0].values["amount"] == "100.50"
    assert [(record.id, record.values) for record in desk.listing("owners", ["email", "firstName"])] == [
        (owner, {"email": "rep@example.com", "firstName": "Rita"})
    ]
    assert [record.id for record in desk.changes("deals", ["dealname"])] == [] or deal


def test_fields_tell_types_options_and_what_cannot_be_written(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    desk.portal.add_property(
        "contacts", Definition("likes", "enumeration", "checkbox", options=("sea", "hills"))
    )
    known = {spec.name: spec for spec in desk.connector.fields("contacts")}
    assert known["email"].type == "email"
    assert known["likes"].type == "multi_choice"
    assert list(known["likes"].options) == ["sea", "hills"]
    assert not known["hs_object_id"].writable
    assert known["subscription.Newsletter"].type == "object"
    assert known["associations.companies"].reference_to == ("companies",)


def test_whoami_names_the_portal(desk: Desk) -> None:
    assert desk.connector.whoami() == "HubSpot: portal 424242"


def test_a_wrong_token_is_unauthorized_after_one_call(desk: Desk) -> None:
    desk.portal.tokens.clear()
    with pytest.raises(Unauthorized):
        desk.connector.whoami()
    assert desk.portal.ledger.calls() == 1


def test_a_rate_limit_of_ten_seconds_frees_the_worker(desk: Desk) -> None:
    desk.portal.rate = (1, 10.0)
    desk.connector.whoami()
    with pytest.raises(RateLimited) as caught:
        desk.connector.whoami()
    assert caught.value.retry_after == 10.0


def test_a_rate_limit_of_one_second_is_waited_out(desk: Desk) -> None:
    desk.portal.search_rate = (1, 1.0)
    desk.settle()
    desk.connector.find("contacts", "phone", ["1"], [])
    desk.connector.find("contacts", "phone", ["2"], [])
    assert desk.clock.slept == [1.0]


def test_half_a_page_is_no_page(desk: Desk) -> None:
    desk.contact(email="ann@example.com")
    desk.portal.faults.append(Fault("list", 1, "body", body=b'{"results": [{"id": "101", "prop'))
    with pytest.raises(Malformed):
        desk.listing("contacts", FIELDS)


def test_an_html_page_with_status_200_is_no_empty_listing(desk: Desk) -> None:
    desk.portal.faults.append(Fault("list", 1, "body", body=b"<html>Back soon</html>"))
    with pytest.raises(Malformed):
        desk.listing("contacts", FIELDS)


def test_an_answer_without_a_list_of_records_is_no_empty_listing(desk: Desk) -> None:
    desk.portal.faults.append(Fault("search", 1, "body", body=b'{"total": 0}'))
    with pytest.raises((Malformed, AssertionError)):
        desk.changes("contacts", FIELDS)


def test_a_passing_failure_of_a_read_is_tried_again(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    desk.portal.faults += [Fault("list", 1, "lost_request"), Fault("list", 2, "status", 503)]
    assert [record.id for record in desk.listing("contacts", FIELDS)] == [id]


def test_a_lasting_failure_of_a_read_is_told(desk: Desk) -> None:
    desk.portal.faults += [Fault("list", number, "lost_request") for number in (1, 2, 3)]
    with pytest.raises(Transient):
        desk.listing("contacts", FIELDS)
