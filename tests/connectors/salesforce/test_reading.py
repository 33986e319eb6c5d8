"""Reading Salesforce: whole listings, changes since, single records, look-ups."""

from __future__ import annotations

import json

import pytest

from tests.connectors.salesforce.org import Clock, Desk, pages, records
from trueup.connectors.base import GoneItem
from trueup.connectors.salesforce.vendor import Field
from trueup.errors import Malformed, RateLimited, Refused, Transient, Unauthorized
from trueup.model.record import Reading, Record
from trueup.sandbox.standin import Fault

LISTING, CHANGES = Reading.LISTING, Reading.CHANGES


def test_a_listing_brings_every_living_record_once_and_its_count() -> None:
    desk = Desk(page_cap=2)
    ids = [desk.lead(f"No{number}") for number in range(5)]
    desk.org.user_delete("Lead", ids[4])
    found = pages(desk.connector(), "Lead", LISTING, None, ("LastName",))
    assert [record.id for record in records(found)] == ids[:4]
    assert [record.values for record in records(found)] == [{"LastName": f"No{n}"} for n in range(4)]
    assert [page.total for page in found] == [4, None]


def test_a_record_carries_its_stamp_as_version() -> None:
    desk = Desk()
    desk.lead()
    (record,) = records(pages(desk.connector(), "Lead", LISTING, None, ("Email",)))
    assert (record.version, record.changed_at) == ("2026-03-01T09:00:00.000+0000", desk.clock.now())
    assert record.values == {"Email": None}


def test_a_parents_field_is_a_path_and_empty_without_a_parent() -> None:
    desk = Desk()
    account = desk.org.user_create("Account", {"Name": "Meier KG"})
    desk.contact("With", AccountId=account)
    desk.contact("Without")
    found = records(pages(desk.connector(), "Contact", LISTING, None, ("LastName", "Account.Name")))
    assert [record.values["Account.Name"] for record in found] == ["Meier KG", None]


def test_a_converted_lead_is_alive_and_names_the_contact() -> None:
    desk = Desk()
    lead = desk.org.user_convert_lead(desk.lead())
    (record,) = records(pages(desk.connector(), "Lead", LISTING, None, ("LastName",)))
    assert not record.deleted
    assert (record.successor, record.successor_object) == (lead["ConvertedContactId"], "Contact")


def test_changes_after_a_listing_bring_edits_deletions_and_merges() -> None:
    desk = Desk()
    stays, edited, deleted, loser = (desk.lead(name) for name in ("Stays", "Old", "Gone", "Loser"))
    connector = desk.connector()
    desk.clock.pass_(hours=2)
    rest = pages(connector, "Lead", LISTING, None, ("LastName",))[-1].cursor
    desk.clock.pass_(minutes=5)
    desk.org.user_edit("Lead", edited, {"LastName": "New"})
    desk.org.user_delete("Lead", deleted)
    desk.clock.pass_(seconds=1)
    desk.org.user_merge("Lead", stays, loser)
    found = {record.id: record for record in records(pages(connector, "Lead", CHANGES, rest, ("LastName",)))}
    assert found[edited].values == {"LastName": "New"} and not found[edited].deleted
    assert found[deleted].deleted and found[deleted].successor is None
    assert found[loser].deleted and found[loser].successor == stays
    assert found[loser].successor_object is None
    assert not found[stays].deleted


def test_the_next_changes_begin_some_minutes_before_the_newest_stamp() -> None:
    desk = Desk()
    connector = desk.connector()
    early = desk.lead("Early")
    desk.clock.pass_(minutes=10)
    late = desk.lead("Late")
    rest = pages(connector, "Lead", CHANGES, None, ())[-1].cursor
    again = records(pages(connector, "Lead", CHANGES, rest, ()))
    assert early != late and [record.id for record in again] == [late]


def test_a_commit_that_shows_later_than_its_stamp_is_not_missed() -> None:
    desk = Desk()
    connector = desk.connector()
    desk.clock.pass_(minutes=10)
    desk.lead("Newest")
    rest = pages(connector, "Lead", CHANGES, None, ())[-1].cursor
    desk.clock.pass_(minutes=-4)
    slow = desk.lead("Slow transaction")
    desk.clock.pass_(minutes=10)
    assert slow in [record.id for record in records(pages(connector, "Lead", CHANGES, rest, ()))]


def test_equal_stamps_over_a_page_border_lose_nothing() -> None:
    desk = Desk(page_cap=2)
    ids = [desk.lead(f"No{number}") for number in range(7)]
    found = pages(desk.connector(), "Lead", CHANGES, None, ())
    assert [record.id for record in records(found)] == ids
    assert len(found) == 4


def test_edits_between_the_pages_of_a_reading_come_in_the_same_reading() -> None:
    desk = Desk(page_cap=2)
    ids = []
    for number in range(5):
        desk.clock.pass_(seconds=1)
        ids.append(desk.lead(f"No{number}"))
    connector = desk.connector()
    first = connector.pull("Lead", CHANGES, None, ("Title",))
    desk.clock.pass_(seconds=1)
    desk.org.user_edit("Lead", ids[0], {"Title": "COO"})
    desk.org.user_edit("Lead", ids[2], {"Title": "CFO"})
    rest = records(pages(connector, "Lead", CHANGES, first.cursor, ("Title",)))
    assert sorted(record.id for record in rest) == sorted([ids[0], *ids[2:]])
    assert {record.values["Title"] for record in rest if record.id in (ids[0], ids[2])} == {"COO", "CFO"}


def test_an_edit_during_a_listing_comes_with_the_changes_after_it() -> None:
    desk = Desk(page_cap=2)
    ids = [desk.lead(f"No{number}") for number in range(4)]
    connector = desk.connector()
    first = connector.pull("Lead", LISTING, None, ("Title",))
    desk.clock.pass_(minutes=1)
    desk.org.user_edit("Lead", ids[0], {"Title": "COO"})
    rest = pages(connector, "Lead", LISTING, first.cursor, ("Title",))
    desk.clock.pass_(hours=1)
    changes = records(pages(connector, "Lead", CHANGES, rest[-1].cursor, ("Title",)))
    assert {"Title": "COO"} in [record.values for record in changes]


def test_a_clock_of_ours_that_is_minutes_fast_loses_no_edit_after_a_listing() -> None:
    desk, fast = Desk(), Clock()
    fast.pass_(minutes=12)
    lead = desk.lead()
    connector = desk.connector(clock=fast)
    rest = pages(connector, "Lead", LISTING, None, ())[-1].cursor
    desk.clock.pass_(seconds=5)
    desk.org.user_edit("Lead", lead, {"Title": "COO"})
    assert [record.id for record in records(pages(connector, "Lead", CHANGES, rest, ()))] == [lead]


@pytest.mark.parametrize("reading", [LISTING, CHANGES])
def test_a_page_filled_to_the_limit_is_not_the_last(reading: Reading) -> None:
    desk = Desk()
    for number in range(4001):
        desk.lead(f"No{number}")
    found = pages(desk.connector(), "Lead", reading, None, ())
    assert [len(page.records) for page in found] == [2000, 2000, 1]


def test_a_reading_goes_on_in_another_process_from_its_cursor() -> None:
    desk = Desk(page_cap=2)
    ids = [desk.lead(f"No{number}") for number in range(5)]
    first = desk.connector().pull("Lead", LISTING, None, ())
    saved = json.loads(json.dumps(dict(first.cursor)))
    desk.clock.pass_(days=3)
    rest = records(pages(desk.connector(), "Lead", LISTING, saved, ()))
    assert [record.id for record in (*first.records, *rest)] == ids


def test_a_session_that_ends_between_two_pages_is_opened_again() -> None:
    desk = Desk(page_cap=2)
    ids = [desk.lead(f"No{number}") for number in range(4)]
    connector = desk.connector()
    first = connector.pull("Lead", LISTING, None, ())
    desk.org.expire_sessions()
    rest = records(pages(connector, "Lead", LISTING, first.cursor, ()))
    assert [record.id for record in (*first.records, *rest)] == ids


def test_wrong_credentials_are_told_and_not_tried_again_at_once() -> None:
    desk = Desk()
    connector = desk.connector(client_secret="wrong-secret")
    for _ in range(2):
        with pytest.raises(Unauthorized) as told:
            connector.whoami()
    assert "gave no token" in str(told.value) and "wrong-secret" not in str(told.value)
    assert desk.org.ledger.calls("token") == 2  # the desk's own, and one of the connector


def test_a_refresh_token_signs_in_too() -> None:
    assert "Acme" in Desk().connector(kind="refresh_token", refresh_token="refresh").whoami()


def test_the_account_is_named_by_org_and_id() -> None:
    desk = Desk()
    assert desk.connector().whoami() == f"Salesforce: Acme GmbH {desk.org.org_id}"


def test_calls_go_to_the_instance_that_the_token_answer_names() -> None:
    desk = Desk(instance_url="https://eu12.my.salesforce.com")
    assert "Acme" in desk.connector().whoami()


def test_an_exhausted_allowance_makes_the_whole_connection_wait() -> None:
    desk = Desk(allowance=1)
    desk.get("/limits")
    with pytest.raises(RateLimited) as told:
        desk.connector().pull("Lead", LISTING, None, ())
    assert told.value.retry_after == 900.0


def test_the_remaining_calls_of_the_day_are_learnt_from_every_answer() -> None:
    desk = Desk(allowance=100)
    desk.connector().pull("Lead", LISTING, None, ())
    assert desk.allowance.remaining == [99.0]


def test_a_server_that_stays_away_is_a_passing_fault_of_a_reading() -> None:
    desk = Desk()
    desk.org.faults = [Fault("query", number, "status", 503) for number in range(1, 9)]
    with pytest.raises(Transient):
        desk.connector().pull("Lead", LISTING, None, ())


def test_a_lost_answer_of_a_reading_is_asked_for_again() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.org.faults = [Fault("query", 1, "lost_answer"), Fault("query", 2, "lost_request")]
    assert [record.id for record in desk.connector().pull("Lead", LISTING, None, ()).records] == [lead]


def test_an_html_page_is_no_empty_listing() -> None:
    desk = Desk()
    desk.org.faults = [Fault("query", 1, "body", body=b"<html>maintenance</html>")]
    with pytest.raises(Malformed):
        desk.connector().pull("Lead", LISTING, None, ())


def test_records_are_read_by_id_in_the_order_asked_for() -> None:
    desk = Desk()
    alive, dead, loser = desk.lead("Alive"), desk.lead("Dead"), desk.lead("Loser")
    converted = desk.org.user_convert_lead(desk.lead("Converted"))
    desk.org.user_delete("Lead", dead)
    desk.org.user_merge("Lead", alive, loser)
    ids = [loser, "no id", converted["Id"], dead, "00QKp00000zzzzzAAA", alive]
    found = desk.connector().read("Lead", ids, ("LastName",))
    assert found[0] == GoneItem(alive)
    assert found[1] == found[3] == found[4] == GoneItem()
    assert isinstance(found[2], Record) and found[2].successor == converted["ConvertedContactId"]
    assert isinstance(found[5], Record) and found[5].values == {"LastName": "Alive"}
    assert desk.org.ledger.calls("query_all") == 2  # what one answer does not bring is asked for once more


def test_two_hundred_records_are_one_call() -> None:
    desk = Desk()
    ids = [desk.lead(f"No{number}") for number in range(201)]
    found = desk.connector().read("Lead", ids[:200], ("LastName", "Email", "Company", "OwnerId"))
    assert all(isinstance(record, Record) for record in found)
    assert desk.org.ledger.calls("query_all") == 1


def test_records_are_found_by_address_without_regard_to_case() -> None:
    desk = Desk()
    ann = desk.lead(Email="Ann.O'Hara@Example.com")
    desk.lead(Email=None)
    wanted = ["ann.o'hara@example.com", "", None, "x\\'y@z.de"]
    found = desk.connector().find("Lead", "Email", wanted, ("Email",))
    assert [record.id for record in found] == [ann]


def test_a_look_up_of_very_many_values_is_cut_to_addresses_that_fit() -> None:
    desk = Desk()
    for number in range(3):
        desk.lead(Email=f"ann{number}@example.com")
    addresses = [f"ann{number}@example.com" for number in range(2000)]
    assert len(desk.connector().find("Lead", "Email", addresses, ("Email",))) == 3
    assert {entry.status for entry in desk.org.ledger.asked} == {200}


def test_a_look_up_with_many_answers_follows_the_pages() -> None:
    desk = Desk(page_cap=2)
    for _ in range(5):
        desk.lead("Meier")
    assert len(desk.connector().find("Lead", "LastName", ["Meier"], ())) == 5


def test_a_hidden_field_is_absent_and_the_others_come() -> None:
    desk = Desk(page_cap=1)
    ids = [desk.lead("Meier", Title="COO"), desk.lead("Huber", Title="CFO")]
    desk.org.hide("Lead", "HasOptedOutOfEmail")
    desk.org.hide("Lead", "MiddleName")
    fields = ("LastName", "HasOptedOutOfEmail", "MiddleName", "Title")
    connector = desk.connector()
    found = records(pages(connector, "Lead", CHANGES, None, fields))
    assert [record.values for record in found] == [
        {"LastName": "Meier", "Title": "COO"},
        {"LastName": "Huber", "Title": "CFO"},
    ]
    (read,) = connector.read("Lead", ids[:1], fields)
    assert isinstance(read, Record) and set(read.values) == {"LastName", "Title"}
    (looked_up,) = connector.find("Lead", "LastName", ["Huber"], fields)
    assert set(looked_up.values) == {"LastName", "Title"}


def test_a_hidden_field_is_asked_for_once_in_a_reading_and_again_in_the_next() -> None:
    desk = Desk(page_cap=1)
    for number in range(3):
        desk.lead(f"No{number}")
    hidden = desk.org.org.types["Lead"].fields["Title"]
    desk.org.hide("Lead", "Title")
    connector = desk.connector()
    rest = pages(connector, "Lead", CHANGES, None, ("Title",))[-1].cursor
    assert [entry.status for entry in desk.org.ledger.asked if entry.kind == "query_all"].count(400) == 1
    desk.org.add_field("Lead", hidden)
    desk.org.pages.cap = 2000
    found = records(pages(connector, "Lead", CHANGES, rest, ("Title",)))
    assert all(record.values == {"Title": None} for record in found)


def test_a_hidden_field_of_a_parent_hides_only_the_path_to_it() -> None:
    desk = Desk()
    desk.contact("Meier", Phone="1")
    desk.org.hide("Account", "Phone")
    fields = ("Phone", "Account.Phone", "Boss.Name")
    (record,) = records(pages(desk.connector(), "Contact", LISTING, None, fields))
    assert record.values == {"Phone": "1"}


def test_a_field_that_the_reading_itself_needs_may_not_be_hidden() -> None:
    desk = Desk()
    desk.org.hide("Lead", "MasterRecordId")
    with pytest.raises(Refused) as told:
        desk.connector().pull("Lead", LISTING, None, ("LastName",))
    assert set(told.value.fields) == {"MasterRecordId"}


def test_a_deal_names_its_people_and_how_it_ended() -> None:
    desk = Desk()
    lead = desk.org.user_convert_lead(desk.lead(), opportunity="Big deal")
    deal = lead["ConvertedOpportunityId"]
    fields = ("Name", "Outcome", "OpportunityContactRoles.ContactId", "StageName")
    connector = desk.connector()
    (record,) = records(pages(connector, "Opportunity", LISTING, None, fields))
    assert record.values == {
        "Name": "Big deal",
        "Outcome": "open",
        "OpportunityContactRoles.ContactId": [lead["ConvertedContactId"]],
        "StageName": "Prospecting",
    }
    for stage, outcome in (("Closed Lost", "lost"), ("Closed Won", "won")):
        desk.org.user_edit("Opportunity", deal, {"StageName": stage})
        (now,) = connector.read("Opportunity", [deal], ("Outcome",))
        assert isinstance(now, Record) and now.values == {"Outcome": outcome}


def test_queues_and_users_are_listed_as_owners() -> None:
    desk = Desk()
    eve = desk.org.add_user("Eve Meier", "eve@acme.example")
    connector = desk.connector()
    users = records(pages(connector, "User", LISTING, None, ("Email", "IsActive")))
    assert {"Email": "eve@acme.example", "IsActive": True} in [r.values for r in users if r.id == eve]
    queues = records(pages(connector, "Group", LISTING, None, ("Name",)))
    assert [queue.values["Name"] for queue in queues] == ["Inbound queue"]


def test_the_orgs_own_description_of_a_field_is_told() -> None:
    desk = Desk()
    desk.org.add_field("Lead", Field("Plan__c", "string", 20, nillable=False))
    fields = {field.name: field for field in desk.connector().fields("Lead")}
    name = fields["LastName"]
    assert (name.type, name.max_length, name.required) == ("text", 80, True)
    assert fields["Status"].type == "choice" and "Recycled" in fields["Status"].options
    assert not fields["Status"].required and fields["Plan__c"].required
    assert fields["Interests__c"].type == "multi_choice" and fields["Hub_Id__c"].unique
    assert fields["OwnerId"].reference_to == ("User", "Group")
    assert not fields["IsConverted"].writable and fields["Email"].writable
    deal = {field.name: field for field in desk.connector().fields("Opportunity")}
    assert not deal["Outcome"].writable and set(deal["Outcome"].options) == {"open", "won", "lost"}


def test_a_reading_that_was_broken_off_rests_where_it_began() -> None:
    desk = Desk(page_cap=1)
    connector = desk.connector()
    first = desk.lead("First")
    desk.lead("Second")
    begun = connector.pull("Lead", CHANGES, None, ())
    desk.clock.pass_(minutes=60)
    desk.lead("Much later")
    rest = pages(connector, "Lead", CHANGES, begun.cursor, ())[-1].cursor
    again = records(pages(connector, "Lead", CHANGES, rest, ()))
    assert first in [record.id for record in again]
