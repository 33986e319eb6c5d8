"""`sync --plan`: what was looked at is applied to its end, and what waits is explained."""

from __future__ import annotations

from pathlib import Path

from tests.cli.kit import rows, say
from tests.cli.played import fails, played
from tests.cli.test_plan_and_sync import changed
from trueup.commands.counts import Row
from trueup.commands.synced import _beyond_lines
from trueup.services.planfile import Drift

LEFT = "Name,Email,Phone,Job title\nAnn Lee,ann@example.com,+4930901821,\nCid Fox,cid@example.com,,Boss\n"
RIGHT = "Name,Email,Job title,Phone\nAnn Lee,ann@example.com,CTO,\nDan Oak,dan@example.com,,\n"


def two_keyless_tables() -> None:
    """Rows are known by what they hold, so a row that is filled is another one afterwards."""
    Path("left.csv").write_text(LEFT, "utf-8")
    Path("right.csv").write_text(RIGHT, "utf-8")
    said = say("init", "--connect", "left=left.csv:sales", "--connect", "right=right.csv:marketing")
    assert said.code == 0, said.err


def test_a_contact_stays_in_the_plan_when_its_rows_change_under_it(desk: Path) -> None:
    two_keyless_tables()
    say("plan", "--out", "the.plan")
    said = say("sync", "--plan", "the.plan", "--approve-first")
    assert (said.code, said.out.splitlines()[0]) == (0, "Run 1 is complete."), said.out
    assert say("plan", "--exit-code").code == 0


LEES = "Name,Email,Subscribed\nAnn Lee,lee@example.com,no\nZoe Lee,lee@example.com,yes\n"


def two_lees(right: str) -> None:
    """Ann and Zoe share an address; nobody is in the other table."""
    Path("left.csv").write_text("Name,Email,Subscribed\nBob Lee,bob@example.com,no\n", "utf-8")
    Path("right.csv").write_text(right, "utf-8")
    say("init", "--connect", "left=left.csv:sales", "--connect", "right=right.csv:marketing")


def test_an_opt_out_reaches_who_shares_the_address_as_the_plan_has_foretold(desk: Path) -> None:
    two_lees(LEES)
    planned = say("plan", "--out", "the.plan", "--json").json
    said = say("sync", "--plan", "the.plan", "--approve-first")
    assert [one.get("opt_outs", 0) for one in planned["objects"]] == [0, 1]
    assert "Beyond the saved plan" not in said.out
    assert "Zoe Lee,lee@example.com,no" in rows("right.csv")


def test_what_a_sync_writes_beyond_its_plan_is_told_by_place() -> None:
    drift = Drift(frozenset(), (), 3, {("crm", "contacts"): 2, ("news", "contacts"): 1})
    rows = [
        Row(("crm", "contacts"), {"updates": 3, "creates": 1, "done": 4}),
        Row(("news", "contacts"), {"updates": 2, "done": 1}),  # one was replaced by a newer decision
    ]
    assert _beyond_lines(drift, rows)[1:3] == ["Beyond the saved plan:", "  crm contacts: 2 writes"]


def test_a_plan_that_is_all_that_is_written_says_nothing_more(hub: Path) -> None:
    say("plan", "--out", "the.plan")
    assert "Beyond" not in say("sync", "--plan", "the.plan", "--approve-first").out


def test_contacts_of_which_nothing_is_written_are_decided_too(hub: Path) -> None:
    say("plan", "--out", "the.plan")
    say("sync", "--plan", "the.plan", "--approve-first")
    (field,) = say("why", "dan@example.com", "first_name", "--json").json["fields"]
    assert field["value"] == "Dan"


def test_a_plan_of_few_contacts_decides_no_others(hub: Path) -> None:
    say("plan", "--only", "bob@example.com", "--out", "the.plan")
    say("sync", "--plan", "the.plan", "--approve-first")
    assert [row for row in rows("news.csv") if "bob@example.com" in row]
    assert not [row for row in rows("news.csv") if "cid@example.com" in row]
    (field,) = say("why", "dan@example.com", "first_name", "--json").json["fields"]
    assert field["value"] is None


def test_what_is_outdated_is_left_out_and_named(hub: Path) -> None:
    say("plan", "--out", "the.plan")
    changed("config/hub.yaml", "fuses:", "drift_limit: 90%\nfuses:")
    say("plan", "--out", "the.plan")
    changed("crm.csv", "2;Bob;Ray", "2;Rob;Ray")
    said = say("sync", "--plan", "the.plan", "--approve-first")
    assert "Left out of the saved plan" in said.out
    assert [row for row in rows("news.csv") if "cid@example.com" in row]
    assert not [row for row in rows("news.csv") if "bob@example.com" in row]


def test_writes_that_wait_for_time_say_why_and_until_when(desk: Path) -> None:
    with played(desk) as systems:
        systems.people()
        systems.say("plan")
        fails(systems.marketing, "batch_create", status=429, headers={"retry-after": "3600"}, times=40)
        said = systems.say("sync", "--approve-first")
        assert said.code == 1
        assert "Run 1 did a part" in said.out
        (line,) = [line for line in said.out.splitlines() if line.startswith("  marketing contacts: ")]
        assert "2 writes not taken for now [TU-CON-011], tried again from" in line, said.out


def test_whom_the_plan_knew_by_one_record_only_is_left_out_when_there_is_another(desk: Path) -> None:
    two_keyless_tables()
    changed("config/connections/left.yaml", "    create: 'true'", "    # create: 'true'")
    left = Path("left.csv").read_text("utf-8")
    Path("left.csv").unlink()
    say("plan", "--out", "the.plan")
    Path("left.csv").write_text(left, "utf-8")
    said = say("sync", "--plan", "the.plan", "--approve-first")
    assert "would be written differently now" in said.out + said.err
    assert "Ann Lee,ann@example.com,CTO,\n" in Path("right.csv").read_text("utf-8")
