"""Writing to Salesforce: batches with an outcome for each item, and what a refusal says."""

from __future__ import annotations

import orjson
import pytest

from tests.connectors.salesforce.org import Desk, create, update
from trueup.connectors.base import (
    Connector,
    Done,
    GoneItem,
    NotApplied,
    RefusedItem,
    UnknownItem,
    WriteItem,
)
from trueup.connectors.salesforce.vendor import DuplicateRule
from trueup.errors import OutcomeUnknown, RateLimited, Transient
from trueup.model.delivery import WriteKind
from trueup.model.record import Reading
from trueup.sandbox.standin import Fault

NEW = {"LastName": "Meier", "Company": "Meier KG"}


def test_a_created_record_answers_with_its_id() -> None:
    desk = Desk()
    (done,) = desk.connector().write("Lead", [create(**NEW)], ())
    assert isinstance(done, Done) and done.created and done.record is None
    assert desk.get(f"/sobjects/Lead/{done.id}").json()["LastName"] == "Meier"


def test_an_update_touches_only_what_it_names_and_clears_with_null() -> None:
    desk = Desk()
    lead = desk.lead(Title="COO", Phone="1")
    assert desk.connector().write("Lead", [update(lead, Title=None)], ()) == [Done(lead)]
    row = desk.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Title"], row["Phone"]) == (None, "1")


def test_two_hundred_items_are_one_call_and_three_bad_ones_fail_alone() -> None:
    desk = Desk()
    items = [create(f"key-{number}", **NEW) for number in range(200)]
    items[3] = create("key-3", LastName="Meier")
    items[77] = create("key-77", **NEW, Email="no address")
    items[199] = create("key-199", **NEW, Nothing__c="x")
    outcomes = desk.connector().write("Lead", items, ())
    refused = {
        index: set(outcome.fields)
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, RefusedItem)
    }
    assert refused == {3: {"Company"}, 77: {"Email"}, 199: {"Nothing__c"}}
    assert desk.org.ledger.calls("create_many") == 1
    assert len(desk.soql("SELECT Id FROM Lead")) == 197


def test_each_refused_field_has_its_own_reason() -> None:
    desk = Desk()
    lead = desk.lead()
    (refused,) = desk.connector().write("Lead", [update(lead, Email="x", FirstName="y" * 41)], ())
    assert isinstance(refused, RefusedItem)
    assert "invalid email" in refused.fields["Email"] and "too large" in refused.fields["FirstName"]


def test_a_value_that_spoils_the_whole_batch_is_found_by_halving() -> None:
    desk = Desk()
    items = [create(f"key-{number}", **NEW) for number in range(8)]
    items[5] = create("key-5", **NEW, DoNotCall="yes")
    outcomes = desk.connector().write("Lead", items, ())
    assert [isinstance(outcome, Done) for outcome in outcomes] == [True] * 5 + [False] + [True] * 2
    assert isinstance(outcomes[5], RefusedItem)
    assert len(desk.soql("SELECT Id FROM Lead")) == 7


def test_a_field_hidden_from_us_is_refused_by_name() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.org.hide("Lead", "HasOptedOutOfEmail")
    (refused,) = desk.connector().write("Lead", [update(lead, HasOptedOutOfEmail=True)], ())
    assert isinstance(refused, RefusedItem) and set(refused.fields) == {"HasOptedOutOfEmail"}


def test_a_locked_row_was_not_written_and_may_be_tried_again() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.org.lock(lead)
    connector = desk.connector()
    (first,) = connector.write("Lead", [update(lead, Title="COO")], ())
    assert isinstance(first, NotApplied)
    assert connector.write("Lead", [update(lead, Title="COO")], ()) == [Done(lead)]


def test_a_lost_answer_leaves_the_outcome_unknown_and_the_record_can_be_looked_up() -> None:
    desk = Desk()
    desk.org.faults = [Fault("create_many", 1, "lost_answer")]
    connector = desk.connector()
    with pytest.raises(OutcomeUnknown):
        connector.write("Lead", [create(**NEW, Email="ann@example.com")], ())
    assert desk.org.ledger.calls("create_many") == 1
    assert len(connector.find("Lead", "Email", ["ann@example.com"], ())) == 1


def test_a_server_error_after_a_write_is_an_unknown_outcome() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.org.faults = [Fault("update_many", 1, "status_after", 500)]
    (outcome,) = desk.connector().write("Lead", [update(lead, Title="COO")], ())
    assert isinstance(outcome, UnknownItem)


def test_a_server_that_is_unavailable_took_nothing() -> None:
    desk = Desk()
    body = b'[{"errorCode": "SERVER_UNAVAILABLE", "message": "Server unavailable"}]'
    desk.org.faults = [Fault("update_many", 1, "status", 503, body=body)]
    (outcome,) = desk.connector().write("Lead", [update(desk.lead(), Title="COO")], ())
    assert isinstance(outcome, NotApplied)


def test_a_request_that_never_left_was_not_applied() -> None:
    desk = Desk()
    desk.org.faults = [Fault("create_many", 1, "lost_request")]
    with pytest.raises(Transient):
        desk.connector().write("Lead", [create(**NEW)], ())


def test_an_exhausted_allowance_stops_the_batch() -> None:
    desk = Desk(allowance=1)
    desk.get("/limits")
    with pytest.raises(RateLimited):
        desk.connector().write("Lead", [create(**NEW), create("key-2", **NEW)], ())


def test_an_unusable_answer_to_a_write_is_an_unknown_outcome() -> None:
    desk = Desk()
    items = [create(f"key-{number}", **NEW) for number in range(2)]
    desk.org.faults = [Fault("create_many", 1, "body_after", body=b'[{"success": true, "id": "00Q"}]')]
    outcomes = desk.connector().write("Lead", items, ())
    assert [type(outcome) for outcome in outcomes] == [UnknownItem, UnknownItem]


def test_a_unique_value_that_is_taken_names_the_holder_in_the_long_form() -> None:
    desk = Desk()
    holder = desk.lead(Hub_Id__c="c-1")
    (refused,) = desk.connector().write("Lead", [create(**NEW, Hub_Id__c="c-1")], ())
    assert isinstance(refused, RefusedItem)
    assert (refused.existing_id, set(refused.fields)) == (holder, {"Hub_Id__c"})
    assert refused.code == "TU-REF-011"


def test_a_duplicate_that_the_org_finds_names_the_record_where_the_answer_does() -> None:
    desk = Desk()
    twin = desk.lead(Email="ann@example.com")
    desk.org.org.duplicates = DuplicateRule.BLOCK
    connector = desk.connector()
    item = create(**NEW, Email="ann@example.com")
    (bare,) = connector.write("Lead", [item], ())
    assert isinstance(bare, RefusedItem) and (bare.existing_id, bare.code) == (None, "TU-REF-002")
    desk.org.details_in_collections = True
    (told,) = connector.write("Lead", [item], ())
    assert isinstance(told, RefusedItem) and told.existing_id == twin


def test_a_duplicate_of_another_object_is_no_existing_id_of_this_one() -> None:
    desk = Desk()
    contact = desk.contact(Email="ann@example.com")
    desk.org.org.duplicates = DuplicateRule.BLOCK
    desk.org.details_in_collections = True
    (refused,) = desk.connector().write("Lead", [create(**NEW, Email="ann@example.com")], ())
    assert isinstance(refused, RefusedItem) and refused.existing_id is None and contact in refused.reason


def test_an_alerting_duplicate_rule_is_overruled_only_where_the_connection_says_so() -> None:
    desk = Desk()
    desk.lead(Email="ann@example.com")
    desk.org.org.duplicates = DuplicateRule.ALERT
    item = create(**NEW, Email="ann@example.com")
    assert isinstance(desk.connector().write("Lead", [item], ())[0], RefusedItem)
    assert isinstance(desk.connector(save_duplicates="true").write("Lead", [item], ())[0], Done)


def test_an_update_of_what_is_gone_says_where_it_went() -> None:
    desk = Desk()
    fine, dead, loser = desk.lead(), desk.lead(), desk.lead()
    lead = desk.org.user_convert_lead(desk.lead())
    desk.org.user_delete("Lead", dead)
    desk.org.user_merge("Lead", fine, loser)
    ids = [dead, fine, loser, lead["Id"], "00QKp00000zzzzzAAA"]
    outcomes = desk.connector().write("Lead", [update(id, Title="COO") for id in ids], ())
    assert outcomes == [
        GoneItem(),
        Done(fine),
        GoneItem(fine),
        GoneItem(lead["ConvertedContactId"], "Contact"),
        GoneItem(),
    ]


def test_what_was_written_stands_even_if_the_successor_cannot_be_read() -> None:
    desk = Desk()
    fine, dead = desk.lead(), desk.lead()
    desk.org.user_delete("Lead", dead)
    desk.org.faults = [Fault("query_all", number, "lost_request") for number in range(1, 9)]
    outcomes = desk.connector().write("Lead", [update(id, Title="COO") for id in (fine, dead)], ())
    assert outcomes == [Done(fine), GoneItem()]


@pytest.mark.parametrize("says", ["NOT_FOUND", "INSUFFICIENT_ACCESS_OR_READONLY"])
def test_a_record_that_is_there_and_may_not_be_changed_is_refused_for_want_of_a_right(says: str) -> None:
    desk = Desk()
    body = {"success": False, "errors": [{"statusCode": says, "message": "no", "fields": []}]}
    desk.org.faults = [Fault("update_many", 1, "body", body=orjson.dumps([body]))]
    (refused,) = desk.connector().write("Lead", [update(desk.lead(), Title="COO")], ())
    assert isinstance(refused, RefusedItem)
    assert (refused.code, refused.existing_id) == ("TU-REF-012", None)


def test_an_owner_who_is_not_there_is_a_refused_field_and_no_gone_record() -> None:
    desk = Desk()
    (refused,) = desk.connector().write("Lead", [update(desk.lead(), OwnerId="005Kp00000zzzzzAAA")], ())
    assert isinstance(refused, RefusedItem) and set(refused.fields) == {"OwnerId"}


def test_a_create_with_the_external_id_makes_one_record_however_often_it_is_sent() -> None:
    desk = Desk()
    connector = desk.connector(external_id_field="Hub_Id__c")
    item = WriteItem("key-1", WriteKind.CREATE, None, NEW, upsert=("Hub_Id__c", "c-1"))
    (first,) = connector.write("Lead", [item], ())
    (again,) = connector.write("Lead", [item], ())
    assert isinstance(first, Done) and isinstance(again, Done)
    assert (first.id, first.created, again.created) == (again.id, True, False)


def test_a_create_that_may_happen_once_is_refused_where_no_external_id_field_is_named() -> None:
    desk = Desk()
    once = WriteItem("key-1", WriteKind.CREATE, None, NEW, upsert=("Hub_Id__c", "c-1"))
    outcomes = desk.connector().write("Lead", [once, create("key-2", **NEW)], ())
    assert [type(outcome) for outcome in outcomes] == [RefusedItem, Done]


def test_a_switch_is_an_update_of_the_orgs_own_field() -> None:
    desk = Desk()
    lead = desk.lead()
    item = WriteItem("key-1", WriteKind.DEACTIVATE, lead, {"Active__c": False})
    assert desk.connector().write("Lead", [item], ()) == [Done(lead)]
    assert desk.get(f"/sobjects/Lead/{lead}").json()["Active__c"] is False


def test_deletions_go_many_at_a_time_and_one_done_before_is_gone() -> None:
    desk = Desk()
    one, two = desk.lead(), desk.lead()
    desk.org.user_delete("Lead", two)
    items = [WriteItem(id, WriteKind.DELETE, id, {}) for id in (one, two)]
    assert desk.connector().write("Lead", items, ()) == [Done(one), GoneItem()]
    assert desk.org.ledger.calls("delete_many") == 1


def test_a_merge_is_refused_for_there_is_no_resource_for_it() -> None:
    desk = Desk()
    item = WriteItem("key-1", WriteKind.MERGE, desk.lead(), {}, merge_into=desk.lead())
    (refused,) = desk.connector().write("Lead", [item], ())
    assert isinstance(refused, RefusedItem)


def test_a_task_for_a_handoff_is_made_and_users_are_not() -> None:
    desk = Desk()
    connector = desk.connector()
    values = {"Subject": "Call Ann", "WhoId": desk.lead(), "ActivityDate": "2026-03-02"}
    assert isinstance(connector.write("Task", [create(**values)], ())[0], Done)
    assert isinstance(connector.write("User", [create(Name="Eve")], ())[0], RefusedItem)


def test_what_we_create_keeps_its_owner_unless_the_connection_wants_assignment_rules() -> None:
    desk = Desk()
    desk.org.org.lead_assignment = desk.org.queue
    eve = desk.org.add_user("Eve", "eve@acme.example")

    def owner(connector: Connector) -> object:
        (done,) = connector.write("Lead", [create(**NEW, OwnerId=eve)], ())
        assert isinstance(done, Done)
        return desk.get(f"/sobjects/Lead/{done.id}").json()["OwnerId"]

    assert owner(desk.connector()) == eve
    assert owner(desk.connector(assignment_rules="true")) == desk.org.queue


def test_our_own_write_is_read_back_at_once() -> None:
    desk = Desk()
    connector = desk.connector()
    (done,) = connector.write("Lead", [create(**NEW)], ())
    page = connector.pull("Lead", Reading.CHANGES, None, ("LastName",))
    assert isinstance(done, Done) and [record.id for record in page.records] == [done.id]
