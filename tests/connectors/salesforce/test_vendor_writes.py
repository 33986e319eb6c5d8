"""The stand-in org takes writes: one record, many records, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.salesforce.org import Desk, codes
from trueup.connectors.salesforce.vendor import DuplicateRule, Field

MANY = "/composite/sobjects"


def records(*values: dict[str, Any], object: str = "Lead") -> dict[str, Any]:
    return {"allOrNone": False, "records": [{"attributes": {"type": object}} | each for each in values]}


def test_a_created_record_is_answered_with_its_id() -> None:
    desk = Desk()
    answer = desk.send("POST", "/sobjects/Lead/", {"LastName": "Meier", "Company": "Meier KG"})
    assert answer.status_code == 201 and answer.json()["success"] is True
    id = answer.json()["id"]
    assert len(id) == 18 and id.startswith("00Q")
    row = desk.get(f"/sobjects/Lead/{id}").json()
    assert (row["Status"], row["Active__c"], row["Name"]) == ("Open - Not Contacted", True, "Meier")


def test_an_update_answers_nothing_and_moves_the_stamp_by_whole_seconds() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.clock.pass_(seconds=5.7)
    answer = desk.send("PATCH", f"/sobjects/Lead/{lead}", {"Title": "COO"})
    assert (answer.status_code, answer.content) == (204, b"")
    row = desk.get(f"/sobjects/Lead/{lead}", fields="Title,SystemModstamp").json()
    assert (row["Title"], row["SystemModstamp"]) == ("COO", "2026-03-01T09:00:05.000+0000")


def test_a_write_that_changes_nothing_moves_the_stamp_too() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.clock.pass_(seconds=5)
    desk.send("PATCH", f"/sobjects/Lead/{lead}", {"LastName": "Meier"})
    assert desk.get(f"/sobjects/Lead/{lead}").json()["SystemModstamp"].startswith("2026-03-01T09:00:05")
    assert [(e.before, e.after) for e in desk.org.ledger.writes()] == [({}, {})]


def test_a_deleted_record_is_answered_with_entity_is_deleted() -> None:
    desk = Desk()
    lead = desk.lead()
    assert desk.send("DELETE", f"/sobjects/Lead/{lead}").status_code == 204
    assert codes(desk.send("PATCH", f"/sobjects/Lead/{lead}", {"Title": "x"})) == ["ENTITY_IS_DELETED"]
    assert codes(desk.get(f"/sobjects/Lead/{lead}")) == ["ENTITY_IS_DELETED"]


def test_an_unknown_record_is_not_found() -> None:
    assert codes(Desk().get("/sobjects/Lead/00QKp00000zzzzzAAA")) == ["NOT_FOUND"]
    assert codes(Desk().get("/sobjects/Lead/7")) == ["MALFORMED_ID"]


@pytest.mark.parametrize(
    ("values", "code", "fields"),
    [
        ({"LastName": None}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG", ["FirstName"]),
        ({"Email": "ann@example"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"Status": "Hot"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status"]),
        ({"IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsConverted"]),
        ({"OwnerId": "005Kp00000zzzzzAAA"}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
        ({"Unknown__c": 1}, "INVALID_FIELD", None),
        ({"title": "COO"}, "INVALID_FIELD", None),
        ({"DoNotCall": "yes"}, "JSON_PARSER_ERROR", None),
        ({"DoNotCall": None}, "JSON_PARSER_ERROR", None),
        ({"Score__c": "many"}, "JSON_PARSER_ERROR", None),
        ({"EmailBouncedDate": "yesterday"}, "JSON_PARSER_ERROR", None),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values: dict[str, Any], code: str, fields: Any) -> None:
    desk = Desk()
    answer = desk.send("PATCH", f"/sobjects/Lead/{desk.lead()}", values)
    assert (answer.status_code, codes(answer)) == (400, [code])
    assert answer.json()[0].get("fields") == fields
    assert desk.org.ledger.writes() == []


def test_what_is_kept_is_not_always_what_was_sent() -> None:
    desk = Desk()
    contact = desk.contact()
    sent = {
        "Title": "  COO ", "Department": "", "Score__c": "12.345", "Open_Tickets__c": 2.6,
        "Interests__c": "Wine;Reporting;CRM", "EmailBouncedDate": "2026-01-02T04:04:05.9+01:00",
    }  # fmt: skip
    assert desk.send("PATCH", f"/sobjects/Contact/{contact}", sent).status_code == 204
    row = desk.get(f"/sobjects/Contact/{contact}").json()
    kept = {name: row[name] for name in sent}
    assert kept == {
        "Title": "COO", "Department": None, "Score__c": 12.35, "Open_Tickets__c": 3.0,
        "Interests__c": "CRM;Reporting;Wine", "EmailBouncedDate": "2026-01-02T03:04:05.000+0000",
    }  # fmt: skip


def test_a_guarded_update_is_refused_when_the_record_moved() -> None:
    desk = Desk()
    lead = desk.lead()
    seen = "Sun, 01 Mar 2026 09:00:00 GMT"
    desk.clock.pass_(seconds=2)
    desk.org.user_edit("Lead", lead, {"Title": "CFO"})
    answer = desk.send("PATCH", f"/sobjects/Lead/{lead}", {"Title": "COO"}, **{"If-Unmodified-Since": seen})
    assert answer.status_code == 412
    now = {"If-Unmodified-Since": "Sun, 01 Mar 2026 09:00:02 GMT"}
    assert desk.send("PATCH", f"/sobjects/Lead/{lead}", {"Title": "COO"}, **now).status_code == 204


def test_an_edit_in_the_same_second_slips_past_the_guard() -> None:
    desk = Desk()
    lead = desk.lead()
    seen = {"If-Unmodified-Since": "Sun, 01 Mar 2026 09:00:00 GMT"}
    desk.clock.pass_(seconds=0.5)
    desk.org.user_edit("Lead", lead, {"Title": "CFO"})
    assert desk.send("PATCH", f"/sobjects/Lead/{lead}", {"Title": "COO"}, **seen).status_code == 204


def test_a_collection_answers_each_item_in_its_place() -> None:
    desk = Desk()
    good = {"LastName": "Meier", "Company": "Meier KG"}
    answer = desk.send("POST", MANY, records(good, {"LastName": "Huber"}, good | {"Email": "x"}, good))
    assert answer.status_code == 200
    results = answer.json()
    assert [result["success"] for result in results] == [True, False, False, True]
    assert results[1]["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [Company]",
            "fields": ["Company"],
        }
    ]
    assert results[2]["errors"][0]["statusCode"] == "INVALID_EMAIL_ADDRESS"
    assert len(desk.soql("SELECT Id FROM Lead")) == 2


def test_a_collection_of_updates_tells_what_is_deleted_locked_or_unknown() -> None:
    desk = Desk()
    fine, locked, dead = desk.lead(), desk.lead(), desk.lead()
    desk.org.lock(locked)
    desk.org.user_delete("Lead", dead)
    ids = (fine, locked, dead, "00QKp00000zzzzzAAA", None)
    body = records(*({"id": id, "Title": "COO"} for id in ids))
    results = desk.send("PATCH", MANY, body).json()
    found = [result["errors"][0]["statusCode"] if result["errors"] else "" for result in results]
    assert found == [
        "", "UNABLE_TO_LOCK_ROW", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MISSING_ARGUMENT",
    ]  # fmt: skip
    assert desk.send("PATCH", f"/sobjects/Lead/{locked}", {"Title": "COO"}).status_code == 204


def test_a_collection_takes_200_records_and_no_more() -> None:
    desk = Desk()
    good = {"LastName": "Meier", "Company": "Meier KG"}
    assert desk.send("POST", MANY, records(*[good] * 200)).status_code == 200
    assert codes(desk.send("POST", MANY, records(*[good] * 201))) == ["EXCEEDED_ID_LIMIT"]


def test_a_value_of_a_wrong_json_type_spoils_the_whole_collection() -> None:
    desk = Desk()
    good = {"LastName": "Meier", "Company": "Meier KG"}
    answer = desk.send("POST", MANY, records(good, good | {"DoNotCall": "yes"}))
    assert codes(answer) == ["JSON_PARSER_ERROR"]
    assert desk.soql("SELECT Id FROM Lead") == []


def test_a_collection_wants_a_type_with_each_record_and_no_all_or_none() -> None:
    desk = Desk()
    assert codes(desk.send("POST", MANY, {"records": [{"LastName": "Meier"}]})) == ["INVALID_TYPE"]
    body = records({"LastName": "Meier", "Company": "KG"}) | {"allOrNone": True}
    assert desk.send("POST", MANY, body).status_code == 400


def test_many_are_deleted_by_ids_in_the_query() -> None:
    desk = Desk()
    one, two = desk.lead(), desk.lead()
    desk.org.user_delete("Lead", two)
    results = desk.send("DELETE", f"{MANY}?ids={one},{two}&allOrNone=false").json()
    assert [result["success"] for result in results] == [True, False]


def test_retrieve_answers_in_order_and_null_for_what_is_not_there() -> None:
    desk = Desk()
    one, two = desk.lead("One"), desk.lead("Two")
    desk.org.user_delete("Lead", one)
    answer = desk.get(f"{MANY}/Lead", ids=f"{two},{one},{two}", fields="LastName").json()
    assert [row and row["LastName"] for row in answer] == ["Two", None, "Two"]
    assert codes(desk.get(f"{MANY}/Lead", ids=two, fields="No__c")) == ["INVALID_FIELD"]


def test_an_upsert_makes_one_record_of_a_repeated_create() -> None:
    desk = Desk()
    values = {"LastName": "Meier", "Company": "Meier KG"}
    first = desk.send("PATCH", "/sobjects/Lead/Hub_Id__c/c-1", values)
    again = desk.send("PATCH", "/sobjects/Lead/Hub_Id__c/C-1", values)
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert first.json()["id"] == again.json()["id"]


def test_an_upsert_of_many_tells_which_were_created() -> None:
    desk = Desk()
    desk.lead(Hub_Id__c="c-1")
    good = {"LastName": "Meier", "Company": "Meier KG"}
    body = records(*(good | {"Hub_Id__c": id} for id in ("c-1", "c-2")))
    results = desk.send("PATCH", f"{MANY}/Lead/Hub_Id__c", body).json()
    assert [result["created"] for result in results] == [False, True]


def test_an_upsert_needs_an_external_id_field_and_no_record_id() -> None:
    desk = Desk()
    answer = desk.send("PATCH", "/sobjects/Lead/Email/a@example.com", {"LastName": "Meier"})
    assert (answer.status_code, codes(answer)) == (404, ["NOT_FOUND"])
    body = records({"Hub_Id__c": "c-1", "Id": desk.lead()})
    results = desk.send("PATCH", f"{MANY}/Lead/Hub_Id__c", body).json()
    assert results[0]["errors"][0]["statusCode"] == "INVALID_FIELD"


def test_an_upsert_key_that_several_records_hold_writes_nothing() -> None:
    desk = Desk()
    desk.org.add_field("Lead", Field("Old_Id__c", "string", 20, external_id=True))
    ids = [desk.lead(Old_Id__c="7"), desk.lead(Old_Id__c="7")]
    answer = desk.send("PATCH", "/sobjects/Lead/Old_Id__c/7", {"Title": "COO"})
    assert answer.status_code == 300 and [url[-18:] for url in answer.json()] == ids
    assert desk.org.ledger.writes() == []


def test_a_unique_value_names_the_record_that_holds_it() -> None:
    desk = Desk()
    holder = desk.lead(Hub_Id__c="c-1")
    body = {"LastName": "Meier", "Company": "KG", "Hub_Id__c": "C-1"}
    (entry,) = desk.send("POST", "/sobjects/Lead", body).json()
    assert entry["errorCode"] == "DUPLICATE_VALUE" and entry["message"].endswith(f"id: {holder[:15]}")


def test_a_duplicate_rule_names_the_record_and_may_be_overruled_when_it_only_alerts() -> None:
    desk = Desk()
    twin = desk.contact(Email="ann@example.com")
    desk.org.org.duplicates = DuplicateRule.ALERT
    body = {"LastName": "Meier", "Company": "KG", "Email": "Ann@example.com"}
    (entry,) = desk.send("POST", "/sobjects/Lead", body).json()
    assert entry["errorCode"] == "DUPLICATES_DETECTED"
    match = entry["duplicateResult"]["matchResults"][0]["matchRecords"][0]["record"]
    assert (match["Id"], match["attributes"]["type"]) == (twin, "Contact")
    save = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true"}
    assert desk.send("POST", "/sobjects/Lead", body, **save).status_code == 201
    desk.org.org.duplicates = DuplicateRule.BLOCK
    assert codes(desk.send("POST", "/sobjects/Lead", body, **save)) == ["DUPLICATES_DETECTED"]


def test_a_duplicate_inside_a_collection_is_told_without_the_record() -> None:
    desk = Desk()
    desk.contact(Email="ann@example.com")
    desk.org.org.duplicates = DuplicateRule.BLOCK
    body = records({"LastName": "Meier", "Company": "KG", "Email": "ann@example.com"})
    (result,) = desk.send("POST", MANY, body).json()
    assert [error["statusCode"] for error in result["errors"]] == ["DUPLICATES_DETECTED"]
    assert "duplicateResult" not in result["errors"][0]


def test_the_orgs_own_rules_and_flows_act_on_every_save() -> None:
    desk = Desk()
    desk.org.org.validations.append(
        lambda object, row: "Leads need a title" if object == "Lead" and not row["Title"] else None
    )
    desk.org.org.flows.append(lambda object, row: {"Rating": "Hot"} if object == "Lead" else {})
    answer = desk.send("POST", "/sobjects/Lead", {"LastName": "Meier", "Company": "KG"})
    assert codes(answer) == ["FIELD_CUSTOM_VALIDATION_EXCEPTION"]
    answer = desk.send("POST", "/sobjects/Lead", {"LastName": "Meier", "Company": "KG", "Title": "COO"})
    assert desk.get(f"/sobjects/Lead/{answer.json()['id']}").json()["Rating"] == "Hot"


def test_a_lead_goes_to_whom_the_assignment_rule_says_unless_told_not_to() -> None:
    desk = Desk()
    desk.org.org.lead_assignment = desk.org.queue
    body = {"LastName": "Meier", "Company": "KG"}

    def owner(**headers: str) -> str:
        id = desk.send("POST", "/sobjects/Lead", body, **headers).json()["id"]
        return str(desk.get(f"/sobjects/Lead/{id}").json()["OwnerId"])

    assert owner() == desk.org.queue
    assert owner(**{"Sforce-Auto-Assign": "FALSE"}) == desk.org.integration_user


def test_tasks_are_created_and_never_changed_and_users_not_even_that() -> None:
    desk = Desk()
    body = {"Subject": "Call Ann", "WhoId": desk.lead()}
    task = desk.send("POST", "/sobjects/Task", body).json()["id"]
    assert task.startswith("00T")
    assert desk.send("PATCH", f"/sobjects/Task/{task}", {"Subject": "x"}).status_code == 400
    assert desk.send("POST", "/sobjects/User", {"Name": "Eve"}).status_code == 400
