"""Who may be one person with somebody waits for a decision: nobody is written twice meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.cli.kit import rows, say

CRM = "Name;Email;Phone\n"
NEWS = "Name;Email;Subscribed\n"
ANNA = "Anna Savchuk;office@firma.ua"


def two_tables(crm: str, news: str) -> None:
    Path("crm.csv").write_text(CRM + crm, "utf-8")
    Path("news.csv").write_text(NEWS + news, "utf-8")
    connect = ("--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing")
    said = say("init", "--region", "UA", *connect)
    assert said.code == 0, said.err


def creates(said: dict[str, list[dict[str, int]]]) -> list[int]:
    return [one.get("creates", 0) for one in said["objects"]]


def test_one_name_at_a_role_mailbox_in_two_tables_waits_and_is_created_in_neither(desk: Path) -> None:
    two_tables(f"{ANNA};+380931295898\n", f"{ANNA};yes\n")
    assert creates(say("plan", "--json", "--out", "the.plan").json) == [0, 0]
    for _ in range(2):
        assert say("sync", "--approve-first").code == 0
    assert (len(rows("crm.csv")), len(rows("news.csv"))) == (1, 1)
    assert "Anna Savchuk" in say("contacts", "waiting").out


def test_one_name_twice_at_a_role_mailbox_of_one_table_is_created_in_the_other_at_most_once(
    desk: Path,
) -> None:
    two_tables(f"{ANNA};+380931295898\n{ANNA};\n", "Ivan Franko;ivan@ukr.net;yes\n")
    for _ in range(2):
        say("sync", "--approve-first")
    assert (len(rows("crm.csv")), len(rows("news.csv"))) == (3, 2)


HOUSE = "wrobel@onet.pl"


def test_who_waits_in_a_plan_waits_in_the_sync_though_the_rows_are_far_apart(desk: Path) -> None:
    members = [f"{name} Wrobel;{HOUSE};yes\n" for name in ("Monika", "Maciej", "Radoslaw", "Wanda")]
    others = "".join(f"Jan Nowak;jan{number}@x.example;yes\n" for number in range(1100))
    again = f"Monika Wrobel;{HOUSE};no\nWanda Wrobel;{HOUSE};no\n"
    two_tables("Ivan Franko;ivan@ukr.net;\n", "".join(members) + others + again)
    planned = creates(say("plan", "--json", "--out", "the.plan").json)
    say("sync", "--plan", "the.plan", "--approve-first")
    assert [len(rows("crm.csv")) - 1, len(rows("news.csv")) - 1106] == planned
