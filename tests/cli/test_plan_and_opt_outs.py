"""A plan and opt-outs of people who may be the same as others: it foretells them, and none waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.kit import rows, say
from tests.cli.test_plan_and_sync import changed

CRM = """id;First name;Last name;E-mail;Phone;City;Subscribed
1;Анна;Коваль;anna@example.com;0501112233;Київ;no
4;Борис;Жук;;0932333533;Київ;yes
"""
NEWS = """id;Name;E-mail;Phone;Subscribed
1;Анна Коваль;anna@example.com;0501112233;no
4;Б. Жук;;0932333533;yes
"""
HIS = {"crm.csv": "4;Борис;Жук;;0932333533;Київ;", "news.csv": "4;Б. Жук;;0932333533;"}
BOTH = [("news.csv", "crm.csv"), ("crm.csv", "news.csv")]


@pytest.fixture
def zhuk(desk: Path) -> None:
    """Both tables have been synced; the two records of Zhuk wait as people who may be the same."""
    Path("crm.csv").write_text(CRM, "utf-8")
    Path("news.csv").write_text(NEWS, "utf-8")
    say("init", "--region", "UA", "--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing")
    assert say("sync", "--approve-first").code == 0


def opts_out(table: str) -> None:
    changed(table, f"{HIS[table]}yes", f"{HIS[table]}no")


@pytest.mark.parametrize(("teller", "other"), BOTH)
def test_a_plan_foretells_the_opt_out_of_who_may_be_the_same(zhuk: None, teller: str, other: str) -> None:
    opts_out(teller)
    said = say("plan", "--exit-code", "--out", "the.plan")
    assert (said.code, "A sync would write nothing" in said.out) == (3, False)
    assert f"{other.removesuffix('.csv')} contacts" in said.out
    assert "Beyond the saved plan" not in say("sync", "--plan", "the.plan").out
    assert f"{HIS[other]}no" in rows(other)
    assert say("plan", "--exit-code").code == 0


@pytest.mark.parametrize(("teller", "other"), BOTH)
def test_an_opt_out_that_comes_after_the_plan_leaves_with_it(zhuk: None, teller: str, other: str) -> None:
    changed("crm.csv", "0501112233;Київ", "0501112233;Львів")
    say("plan", "--out", "the.plan")
    opts_out(teller)
    said = say("sync", "--plan", "the.plan")
    assert f"{HIS[other]}no" in rows(other), said.out
    assert f"Beyond the saved plan:\n  {other.removesuffix('.csv')} contacts: 1 write\n" in said.out


def test_an_opt_out_of_a_record_that_the_plan_leaves_out_reaches_others(zhuk: None) -> None:
    say("plan", "--out", "the.plan")
    Path("news.csv").write_text(f"{NEWS}9;Борис Жук;;0932333533;no\n", "utf-8")
    said = say("sync", "--plan", "the.plan")
    assert f"{HIS['crm.csv']}no" in rows("crm.csv"), said.out


def test_what_else_came_after_the_plan_waits(zhuk: None) -> None:
    say("plan", "--out", "the.plan")
    Path("news.csv").write_text(f"{NEWS}9;Cid Fox;cid@example.com;;no\n", "utf-8")
    say("sync", "--plan", "the.plan")
    assert not [row for row in rows("crm.csv") if "cid@example.com" in row]


def test_a_plan_of_one_contact_opts_out_those_who_may_be_the_same(zhuk: None) -> None:
    opts_out("news.csv")
    (his,) = [one for one in say("contacts", "find", "Жук", "--json").json["contacts"] if "Б." in str(one)]
    say("plan", "--only", his["id"], "--out", "the.plan")
    assert say("sync", "--plan", "the.plan").code == 0
    assert f"{HIS['crm.csv']}no" in rows("crm.csv")
