"""Queries as we build them: columns once, look-ups that fit, ids that can be ids."""

from __future__ import annotations

from urllib.parse import quote_plus

from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.salesforce.org import Desk
from trueup.connectors.salesforce.connector import long_id
from trueup.connectors.salesforce.soql import LONGEST_QUERY, fitting, is_id, select, visible
from trueup.connectors.salesforce.vendor_rules import long_id as long_id_of_the_vendor


def test_a_column_is_selected_once_however_it_is_written() -> None:
    query = "SELECT Id, SystemModstamp, {fields} FROM Lead"
    wanted = ["Email", "id", "EMAIL", "SystemModstamp", "Owner.Email"]
    assert select(query, wanted) == "SELECT Id, SystemModstamp, Email, Owner.Email FROM Lead"
    assert select(query, []) == "SELECT Id, SystemModstamp FROM Lead"


def test_what_is_no_column_is_selected_by_what_it_comes_from() -> None:
    query = "SELECT Id, {fields} FROM Opportunity"
    assert select(query, ["Outcome", "IsWon"]) == "SELECT Id, IsClosed, IsWon FROM Opportunity"
    children = "(SELECT ContactId FROM OpportunityContactRoles)"
    assert select(query, ["OpportunityContactRoles.ContactId"]) == f"SELECT Id, {children} FROM Opportunity"


def test_a_column_that_is_not_shown_takes_its_paths_along() -> None:
    says = "ERROR at Row:1:Column:8 No such column 'Name' on entity '{}'. If you are attempting to"
    fields = ["Name", "Account.Name", "Account.Phone", "Outcome"]
    assert visible("Contact", fields, says.format("Contact")) == fields[1:]
    assert visible("Contact", fields, says.format("Account")) == ["Name", "Account.Phone", "Outcome"]
    assert visible("Opportunity", fields, "No such column 'IsWon' on entity 'Opportunity'") == fields[:3]
    assert visible("Contact", fields, "Didn't understand relationship 'Account' in") == ["Name", "Outcome"]
    assert visible("Contact", fields, "unexpected token: 'x'") == fields


def test_only_what_looks_like_an_id_is_asked_for() -> None:
    assert is_id("003Kp0000000001") and is_id("003Kp0000000001MAA")
    assert not is_id("003Kp0000000001MA") and not is_id("003Kp00000000'1") and not is_id("")


@given(st.lists(st.text(min_size=1, max_size=200), max_size=300))
def test_values_are_cut_into_slices_that_fit_and_lose_none(values: list[str]) -> None:
    query = "SELECT Id FROM Lead WHERE Email IN ()"
    slices = list(fitting(values, query))
    assert [value for part in slices for value in part] == values
    for part in slices:
        quoted = ",".join("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in part)
        assert len(quote_plus(query + quoted)) <= LONGEST_QUERY


@given(st.text(min_size=1, max_size=40).map(str.strip).filter(bool))
def test_any_name_that_can_be_kept_is_found_again(name: str) -> None:
    desk = Desk()
    lead = desk.lead("Meier", Title=name)
    kept = desk.org.org.get("Lead", lead)["Title"]
    found = desk.connector().find("Lead", "Title", [kept], ("Title",))
    assert [record.values for record in found] == [{"Title": kept}]


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=15, max_size=15))
def test_long_ids_agree_with_the_vendors(short: str) -> None:
    assert long_id(short) == long_id_of_the_vendor(short) and long_id(long_id(short)) == long_id(short)


def test_a_long_id_is_the_one_that_is_known() -> None:
    assert long_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"
