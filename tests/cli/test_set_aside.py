"""What a table or a system could not hold is written once it can: the plan foretells it, nobody edits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.kit import rows, say
from tests.cli.played import Played, played
from trueup.connectors.salesforce.vendor_fields import Field

CRM = "id;Name;Email;City\n1;Jan Nowak;jn@o2.pl;\n2;Ann Lee;ann@example.com;Kyiv\n3;Ірина Коваль;;Львів\n"
NEWS = """first name,last name,email,city
Jan,Nowak,jn@o2.pl,Łódź
Ann,Lee,ann@example.com,Kyiv
"""
LISTED = """ПІБ;Телефон;Ел. пошта;Місто
Коваль Ірина;;koval@ukr.net;Львів
"""
POLES = """first name,last name,email,city
Michał,Wiśniewski,mw@wp.pl,Warszawa
Ірина,Коваль,koval@ukr.net,Львів
"""


def two(crm: str, news: str) -> None:
    """A table in windows-1251 and one in UTF-8, in step but for what the first one cannot hold."""
    Path("crm.csv").write_bytes(crm.encode("cp1251"))
    Path("news.csv").write_text(news, "utf-8")
    said = say(
        "init", "--name", "t", "--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing"
    )
    assert said.code == 0, said.err
    assert say("sync", "--approve-first").code == 0


def saved_as_utf_8() -> None:
    """Somebody saves the table in another encoding; no cell changes."""
    file = Path("crm.csv")
    file.write_bytes(file.read_bytes().decode("cp1251").encode("utf-8"))


def codes(document: Any) -> list[str]:
    return [one["code"] for one in document["causes"]]


def planned(document: Any) -> dict[str, int]:
    """What would be written to the table that is kept in windows-1251, and what is set aside."""
    (crm,) = [one for one in document["objects"] if one["connection"] == "crm"]
    made = {what: crm.get(what, 0) for what in ("updates", "fills", "creates")}
    return {**made, "set aside": len(document["set_aside"])}


def test_a_cell_that_its_table_could_not_hold_is_written_once_the_table_is_utf_8(desk: Path) -> None:
    two(CRM, NEWS)
    assert (codes(say("failures", "--json").json), say("plan", "--exit-code").code) == (["TU-VAL-005"], 0)
    saved_as_utf_8()
    assert planned(say("plan", "--json").json) == {"updates": 1, "fills": 1, "creates": 0, "set aside": 0}
    assert say("sync").code == 0
    assert rows("crm.csv")[0] == "1;Jan Nowak;jn@o2.pl;Łódź"
    assert codes(say("failures", "--json").json) == []
    assert say("plan", "--exit-code").code == 0


def test_the_cells_that_a_new_row_was_made_without_follow_as_well(desk: Path) -> None:
    two(LISTED, POLES)
    assert Path("crm.csv").read_bytes().decode("cp1251").splitlines()[2] == ";;mw@wp.pl;Warszawa"
    saved_as_utf_8()
    assert planned(say("plan", "--json").json) == {"updates": 1, "fills": 1, "creates": 0, "set aside": 0}
    assert say("sync").code == 0
    assert rows("crm.csv")[1].split(";")[0] in ("Wiśniewski Michał", "Michał Wiśniewski")
    assert codes(say("failures", "--json").json) == []


def test_a_sync_without_a_plan_before_it_writes_them_too(desk: Path) -> None:
    two(CRM, NEWS)
    saved_as_utf_8()
    assert say("sync").code == 0
    assert rows("crm.csv")[0] == "1;Jan Nowak;jn@o2.pl;Łódź"


def test_failures_say_when_a_value_set_aside_is_tried_again_and_so_it_is(desk: Path) -> None:
    two(CRM, NEWS)
    (cause,) = say("failures", "--json").json["causes"]
    said = say("failures", "retry", cause["cause"])
    assert said.code == 2
    assert "tried again by itself once the value, the mapping or the system's field is another" in said.err
    saved_as_utf_8()
    say("sync")
    assert codes(say("failures", "--json").json) == []


# -- a system that says what its fields are ------------------------------------------------------------

TITLE = ("Chief of everything " * 8).strip()
HOME = "    fields: {company.name: {field: Company, default: Private person}}\n"
SHORT = Field("Level__c", length=20)
WORDS = Field("Level__c", "picklist", 255, options=("Clerk", "Boss"), restricted=True)
TURNS = {
    "a longer field": (SHORT, replace(SHORT, length=255)),
    "one more choice": (WORDS, replace(WORDS, options=(*WORDS.options, TITLE))),
    "a right to write": (
        replace(SHORT, length=255, createable=False, updateable=False),
        replace(SHORT, length=255),
    ),
    "a field that was not there": (None, replace(SHORT, length=255)),
}


@pytest.fixture
def hub(desk: Path) -> Iterator[Played]:
    """The title goes to a field of its own in sales; Ann is in marketing, which says it, and in sales."""
    with played(desk) as one:
        file = desk / "config/connections/sales.yaml"
        text = file.read_text("utf-8")
        assert text.count(HOME) == 1
        other = HOME.replace("fields: {", "fields: {job_title: Level__c, ")
        file.write_text(text.replace(HOME, other), "utf-8")
        ann = {"email": "ann@example.com", "firstname": "Ann", "lastname": "Lee", "jobtitle": TITLE}
        one.marketing.user_create("contacts", ann, "mo")
        one.sales.user_create(
            "Lead", {"Email": "ann@example.com", "LastName": "Lee", "Company": "Private person"}, "sue"
        )
        yield one


@pytest.mark.parametrize(("before", "after"), TURNS.values(), ids=TURNS.keys())
def test_what_a_field_could_not_hold_is_written_when_the_system_says_that_it_can(
    before: Field | None, after: Field, hub: Played
) -> None:
    if before is not None:
        hub.sales.add_field("Lead", before)
    hub.say("sync", "--approve-first")
    hub.say("sync")
    (lead,) = hub.sales.org.rows["Lead"].values()
    assert lead.get("Level__c") is None
    hub.sales.add_field("Lead", after)
    assert would_write(hub) == {"updates": 1, "fills": 1}
    assert hub.say("sync").code == 0
    (lead,) = hub.sales.org.rows["Lead"].values()
    assert lead["Level__c"] == TITLE
    assert codes(hub.say("failures", "--json").json) == []
    assert would_write(hub) == {"updates": 0, "fills": 0}


def would_write(hub: Played) -> dict[str, int]:
    """What a plan says would be written to sales."""
    (lead,) = [one for one in hub.say("plan", "--json").json["objects"] if one["connection"] == "sales"]
    return {what: lead.get(what, 0) for what in ("updates", "fills")}


def test_who_could_not_be_kept_at_all_gets_a_row_once_the_table_is_utf_8(desk: Path) -> None:
    """Nothing but his name tells who Łukasz is, and the table cannot hold it."""
    two(LISTED, POLES + "Łukasz,,,Kraków\n")
    assert Path("crm.csv").read_bytes().count(b"\n") == 3
    assert "cannot be kept" in say("why", "Łukasz").out
    saved_as_utf_8()
    assert planned(say("plan", "--json").json)["creates"] == 1
    assert "the next sync creates it there" in say("why", "Łukasz").out
    assert say("sync").code == 0
    assert rows("crm.csv")[2] == "Łukasz;;;Kraków"
    assert say("plan", "--exit-code").code == 0
