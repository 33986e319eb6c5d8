"""The stand-in org answers SOQL: what it understands, what it refuses, how it pages."""

from __future__ import annotations

import pytest

from tests.connectors.salesforce.org import HOST, Desk, codes


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    account = desk.org.user_create("Account", {"Name": "O'Hara & Söhne"})
    desk.contact("Abel", Email="Abel@Example.com", AccountId=account, Score__c=10)
    desk.clock.pass_(seconds=1)
    desk.contact("Beck", Email="beck@example.com", Score__c=20, Active__c=False)
    desk.clock.pass_(seconds=1)
    desk.contact("Cole", Score__c=30)
    return desk


def names(desk: Desk, where: str) -> list[str]:
    return [row["LastName"] for row in desk.soql(f"SELECT LastName FROM Contact WHERE {where}")]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'abel'", ["Abel"]),
        ("Email != 'beck@example.com'", ["Abel", "Cole"]),
        ("Email = null", ["Cole"]),
        ("Email IN ('', 'no@example.com')", ["Cole"]),
        ("Score__c >= 20 AND Score__c < 30", ["Beck"]),
        ("Score__c < 15 OR Score__c > 25", ["Abel", "Cole"]),
        ("Active__c = TRUE AND (Score__c = 10 OR Score__c = 20)", ["Abel"]),
        ("LastName IN ('Abel', 'cole')", ["Abel", "Cole"]),
        ("LastName NOT IN ('Abel', 'cole')", ["Beck"]),
        ("NOT LastName LIKE 'A%'", ["Beck", "Cole"]),
        ("LastName LIKE '_e%'", ["Beck"]),
        ("SystemModstamp >= 2026-03-01T09:00:01Z", ["Beck", "Cole"]),
        ("SystemModstamp > 2026-03-01T10:00:01+01:00", ["Cole"]),
        ("Account.Name = 'O\\'Hara & Söhne'", ["Abel"]),
    ],
)
def test_a_condition_means_what_it_says(desk: Desk, where: str, found: list[str]) -> None:
    assert names(desk, where) == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Id, id FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = 'x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = 'a\\d'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Score__c = 1 AND Active__c = TRUE OR Email = null", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT 10 OFFSET 2001", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact ORDER BY Description", "MALFORMED_QUERY"),
        ("SELECT Nothing__c FROM Contact", "INVALID_FIELD"),
        ("SELECT Boss.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2026-03-01T09:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Score__c = 'ten'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Person", "INVALID_TYPE"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
def test_a_query_it_does_not_understand_is_refused(desk: Desk, query: str, code: str) -> None:
    answer = desk.get("/query", q=query)
    assert (answer.status_code, codes(answer)) == (400, [code])


def test_rows_come_with_attributes_and_nested_parents(desk: Desk) -> None:
    (row,) = desk.soql("SELECT Id, Account.Name, AccountId FROM Contact WHERE LastName = 'Abel'")
    assert row["attributes"]["type"] == "Contact" and row["attributes"]["url"].endswith(row["Id"])
    assert row["Account"]["Name"] == "O'Hara & Söhne" and row["Account"]["attributes"]["type"] == "Account"
    (row,) = desk.soql("SELECT Account.Name FROM Contact WHERE LastName = 'Beck'")
    assert row["Account"] is None


def test_children_come_as_a_nested_result() -> None:
    desk = Desk()
    lead = desk.org.user_convert_lead(desk.lead(), opportunity="Big deal")
    roles = "(SELECT ContactId FROM OpportunityContactRoles)"
    (deal,) = desk.soql(f"SELECT Name, {roles} FROM Opportunity")
    (role,) = deal["OpportunityContactRoles"]["records"]
    assert role["ContactId"] == lead["ConvertedContactId"]


def test_order_sorts_by_several_fields_with_nulls_where_asked(desk: Desk) -> None:
    def ordered(by: str) -> list[str]:
        return [row["LastName"] for row in desk.soql(f"SELECT LastName FROM Contact ORDER BY {by}")]

    assert ordered("Score__c DESC") == ["Cole", "Beck", "Abel"]
    assert ordered("Email") == ["Cole", "Abel", "Beck"]
    assert ordered("Email NULLS LAST") == ["Abel", "Beck", "Cole"]
    assert ordered("Email DESC NULLS LAST") == ["Beck", "Abel", "Cole"]
    assert ordered("Email DESC") == ["Cole", "Beck", "Abel"]
    assert ordered("Active__c, LastName DESC") == ["Beck", "Cole", "Abel"]


def test_count_and_limit_and_offset(desk: Desk) -> None:
    assert desk.get("/query", q="SELECT COUNT() FROM Contact").json()["totalSize"] == 3
    (row,) = desk.soql("SELECT LastName FROM Contact ORDER BY LastName LIMIT 1 OFFSET 1")
    assert row["LastName"] == "Beck"


def test_an_id_may_be_asked_for_in_both_lengths(desk: Desk) -> None:
    (row,) = desk.soql("SELECT Id FROM Contact WHERE LastName = 'Abel'")
    assert len(row["Id"]) == 18
    assert desk.soql(f"SELECT Id FROM Contact WHERE Id = '{row['Id'][:15]}'")[0]["Id"] == row["Id"]


def test_pages_follow_a_locator_until_done() -> None:
    desk = Desk(page_cap=2)
    for number in range(5):
        desk.contact(f"No{number}")
    answer = desk.get("/query", q="SELECT LastName FROM Contact ORDER BY LastName").json()
    assert (answer["totalSize"], answer["done"], len(answer["records"])) == (5, False, 2)
    names = [row["LastName"] for row in answer["records"]]
    while not answer["done"]:
        answer = desk.client.get(HOST + answer["nextRecordsUrl"]).json()
        names += [row["LastName"] for row in answer["records"]]
    assert names == ["No0", "No1", "No2", "No3", "No4"] and "nextRecordsUrl" not in answer


def test_a_batch_size_is_a_hint_between_200_and_2000() -> None:
    desk = Desk()
    for number in range(201):
        desk.contact(f"No{number}")
    small = {"Sforce-Query-Options": "batchSize=20"}
    url = f"{HOST}/services/data/v67.0/query?q=SELECT+Id+FROM+Contact"
    assert len(desk.client.get(url, headers=small).json()["records"]) == 200
    assert len(desk.client.get(url).json()["records"]) == 201


def test_rows_of_a_later_page_are_as_they_are_at_the_fetch() -> None:
    desk = Desk(page_cap=1)
    ids = [desk.contact(f"No{number}") for number in range(3)]
    first = desk.get("/query", q="SELECT LastName FROM Contact ORDER BY LastName").json()
    desk.org.user_edit("Contact", ids[1], {"LastName": "Zebra"})
    desk.org.user_delete("Contact", ids[2])
    second = desk.client.get(HOST + first["nextRecordsUrl"]).json()
    third = desk.client.get(HOST + second["nextRecordsUrl"]).json()
    assert [row["LastName"] for row in second["records"]] == ["Zebra"]
    assert third["records"] == [] and third["done"]


def test_a_locator_dies_after_two_days() -> None:
    desk = Desk(page_cap=1)
    desk.contact("A")
    desk.contact("B")
    url = desk.get("/query", q="SELECT Id FROM Contact").json()["nextRecordsUrl"]
    desk.clock.pass_(days=2)
    desk.login()
    answer = desk.client.get(HOST + url)
    assert (answer.status_code, codes(answer)) == (400, ["INVALID_QUERY_LOCATOR"])


def test_only_query_all_shows_the_recycle_bin_and_only_for_15_days(desk: Desk) -> None:
    (row,) = desk.soql("SELECT Id FROM Contact WHERE LastName = 'Beck'")
    desk.org.user_delete("Contact", row["Id"])
    query = "SELECT Id, IsDeleted FROM Contact WHERE LastName = 'Beck'"
    assert desk.soql(query) == []
    assert [found["IsDeleted"] for found in desk.soql(query, "/queryAll")] == [True]
    desk.clock.pass_(days=16)
    desk.login()
    assert desk.soql(query, "/queryAll") == []
