"""`why` names everybody who lost: also where several fields survive together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.kit import say

HEAD = "id;First name;Last name;E-mail;Street;City;Postcode\n"


def table(name: str, id: int, last_name: str, place: str) -> None:
    row = f"{id};Bob;{last_name};bob@example.com;{place};01002\n"
    Path(f"{name}.csv").write_text(HEAD + row, "utf-8")


@pytest.fixture
def both(desk: Path) -> None:
    """crm is believed. Both know Bob by one address and by another last name; both are released."""
    table("crm", 1, "Rudenko", "Ring 1;Kyiv")
    table("news", 7, "Smith", "Ring 1;Kyiv")
    tables = ("--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing")
    assert say("init", "--name", "acme", *tables).code == 0
    say("sync", "--approve-first")
    for name in ("crm", "news"):
        say("connections", "release", name, "--yes")
    say("sync")


def test_an_address_that_lost_is_named_at_the_part_that_it_said(both: None) -> None:
    table("crm", 1, "Rudenko", "Ring 1;Lviv")
    table("news", 7, "Rudenko", "Park 2;Kyiv")
    say("sync")
    said = say("why", "bob@example.com", "address.street")
    assert 'address.street = "Ring 1"' in said.out
    assert 'lost: "Park 2" from news/contacts/7' in said.out
    assert "lost:" not in say("why", "bob@example.com", "address.city").out


def test_a_last_name_that_lost_at_first_sight_and_was_replaced_is_named(both: None) -> None:
    assert "Smith" not in Path("news.csv").read_text("utf-8")
    said = say("why", "bob@example.com", "last_name")
    assert 'lost: "Smith" from news/contacts/7' in said.out
