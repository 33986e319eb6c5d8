"""What people do in the stand-in org's screens, and what the ledger remembers."""

from __future__ import annotations

import pytest

from tests.connectors.salesforce.org import Desk, codes
from trueup.connectors.salesforce.vendor_rules import Fail


def test_a_converted_lead_points_at_its_contact_account_and_opportunity() -> None:
    desk = Desk()
    values = {"Email": "ann@example.com", "City": "Bern", "HasOptedOutOfEmail": True, "Score__c": 7}
    lead = desk.org.user_convert_lead(desk.lead("Meier", **values), opportunity="Deal")
    row = desk.get(f"/sobjects/Lead/{lead['Id']}").json()
    assert row["IsConverted"] and not row["IsDeleted"] and row["Status"] == "Closed - Converted"
    contact = desk.get(f"/sobjects/Contact/{row['ConvertedContactId']}").json()
    assert contact["AccountId"] == row["ConvertedAccountId"]
    assert (contact["Email"], contact["MailingCity"]) == ("ann@example.com", "Bern")
    assert contact["HasOptedOutOfEmail"] is True and contact["Score__c"] == 7.0
    assert desk.get(f"/sobjects/Opportunity/{row['ConvertedOpportunityId']}").json()["Name"] == "Deal"


def test_a_converted_lead_is_read_only() -> None:
    desk = Desk()
    lead = desk.org.user_convert_lead(desk.lead())["Id"]
    answer = desk.send("PATCH", f"/sobjects/Lead/{lead}", {"Title": "x"})
    assert codes(answer) == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    with pytest.raises(Fail):
        desk.org.user_convert_lead(lead)


def test_a_lead_converted_into_a_contact_fills_only_its_gaps() -> None:
    desk = Desk()
    contact = desk.contact("Meier", Email="old@example.com")
    desk.org.user_convert_lead(desk.lead(Email="new@example.com", Phone="1"), contact_id=contact)
    row = desk.get(f"/sobjects/Contact/{contact}").json()
    assert (row["Email"], row["Phone"]) == ("old@example.com", "1")


def test_a_merge_bins_the_losers_names_the_master_and_moves_both_stamps() -> None:
    desk = Desk()
    winner, loser = desk.contact(), desk.contact()
    account = desk.org.user_create("Account", {"Name": "KG"})
    lesser = desk.org.user_create("Account", {"Name": "Kg"})
    desk.org.user_edit("Contact", winner, {"AccountId": lesser})
    desk.clock.pass_(minutes=1)
    desk.org.user_merge("Contact", winner, loser)
    desk.org.user_merge("Account", account, lesser)
    rows = {row["Id"]: row for row in desk.soql(
        "SELECT Id, IsDeleted, MasterRecordId, SystemModstamp, AccountId FROM Contact", "/queryAll"
    )}  # fmt: skip
    assert rows[loser]["IsDeleted"] and rows[loser]["MasterRecordId"] == winner
    assert rows[winner]["AccountId"] == account
    assert {row["SystemModstamp"] for row in rows.values()} == {"2026-03-01T09:01:00.000+0000"}


def test_a_merge_takes_at_most_three_records() -> None:
    desk = Desk()
    with pytest.raises(Fail):
        desk.org.user_merge("Lead", *(desk.lead() for _ in range(4)))


def test_an_undeleted_record_lives_again_with_its_unique_value() -> None:
    desk = Desk()
    lead = desk.lead(Hub_Id__c="c-1")
    desk.org.user_delete("Lead", lead)
    desk.clock.pass_(minutes=1)
    desk.org.user_undelete("Lead", lead)
    assert desk.get(f"/sobjects/Lead/{lead}").json()["SystemModstamp"].startswith("2026-03-01T09:01")
    body = {"LastName": "Meier", "Company": "KG", "Hub_Id__c": "c-1"}
    assert codes(desk.send("POST", "/sobjects/Lead", body)) == ["DUPLICATE_VALUE"]


def test_a_record_out_of_the_bin_is_seen_by_no_query() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.org.user_delete("Lead", lead)
    desk.org.user_empty_bin("Lead", lead)
    assert desk.soql("SELECT Id FROM Lead", "/queryAll") == []


def test_the_ledger_tells_who_changed_what() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.org.user_edit("Lead", lead, {"Title": "CFO"}, by="eve")
    desk.send("PATCH", f"/sobjects/Lead/{lead}", {"Title": "COO"})
    (eves,), (ours,) = desk.org.ledger.writes("eve"), desk.org.ledger.writes()
    assert (eves.before, eves.after) == ({"Title": None}, {"Title": "CFO"})
    assert (ours.action, ours.id, ours.before) == ("update", lead, {"Title": "CFO"})


def test_the_same_history_makes_the_same_ids() -> None:
    assert [Desk().lead(), Desk().contact()] == [Desk().lead(), Desk().contact()]
    assert Desk().lead() == "00QKp0000000001MAA"


def test_a_won_opportunity_is_closed_with_full_probability() -> None:
    desk = Desk()
    values = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-04-01"}
    deal = desk.org.user_create("Opportunity", values)
    assert desk.get(f"/sobjects/Opportunity/{deal}").json()["Probability"] == 10.0
    desk.org.user_edit("Opportunity", deal, {"StageName": "Closed Won"})
    row = desk.get(f"/sobjects/Opportunity/{deal}").json()
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (True, True, 100.0)
