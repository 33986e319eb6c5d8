"""Rules of the configuration, from their line in a file to the answer at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.kit import say
from tests.cli.played import Played, played
from tests.cli.test_plan_and_sync import synced


def released() -> None:
    synced()
    for name in ("crm", "news"):
        say("connections", "release", name, "--yes")
    say("sync")


def stands(who: str) -> dict[str, Any]:
    return {one["connection"]: one for one in say("why", who, "--json").json["systems"]}


def test_two_robots_are_listed_named_and_released(hub: Path) -> None:
    released()
    for _ in range(5):
        for file, mine, other in (("crm.csv", ";Chief", ";Boss"), ("news.csv", ",Boss,yes", ",Chief,yes")):
            text = Path(file).read_text("utf-8")
            Path(file).write_text(text.replace(other, mine).replace(mine[0] + "Director", mine), "utf-8")
            say("sync")
    (cause,) = [one for one in say("failures", "--json").json["causes"] if one["code"] == "TU-VAL-010"]
    assert "crm" in cause["reason"] and "news" in cause["reason"]
    assert (cause["kind"], cause["count"], cause["contacts"]) == ("field", 1, ["c-1"])
    listed = say("failures").out
    assert f"trueup failures retry {cause['cause']}" in listed
    assert "Chief" not in listed and "Boss" not in listed
    aside = stands("ann@example.com")[cause["connection"]]
    assert (aside["stands"], "change it in turn" in aside["because"]) == ("set aside", True)
    assert say("failures", "retry", cause["cause"], "--json").json == {"retried": 0, "fields": 1}
    say("sync")
    assert [one for one in say("failures", "--json").json["causes"] if one["code"] == "TU-VAL-010"] == []


def test_why_says_until_when_a_published_field_waits(hub: Path) -> None:
    file = Path("config/connections/news.yaml")
    text = file.read_text("utf-8")
    assert 'job_title: "Job title"' in text
    line = "job_title: {field: Job title, publish: {at_most_every: 1d}}"
    file.write_text(text.replace('job_title: "Job title"', line), "utf-8")
    assert "not acted on yet" not in say("check").out
    released()
    say("contacts", "edit", "bob@example.com", "job_title=Boss")
    say("sync")
    say("contacts", "edit", "bob@example.com", "job_title=Chief")
    said = say("sync")
    assert "waits for its time: at most every 1d (Job title)" in said.out
    news = stands("bob@example.com")["news"]
    assert news["stands"] == "waits"
    assert news["because"].startswith("waits until ") and "at most every 1d" in news["because"]


FIRMS = """\
connector: hubspot
role: marketing
auth: {kind: bearer, token: "${env:HUBSPOT_TOKEN}"}
objects:
  owners: off
  deals: off
  companies: {create: 'true', without: [owner]}
  contacts: {create: 'true', company: create, without: [owner]}
"""
SUPPORT = """\
connector: zendesk
role: operations
auth: {kind: basic, subdomain: acme, user: "${env:ZENDESK_USER}", token: "${env:ZENDESK_TOKEN}"}
objects:
  organizations: off
  tickets: off
  users:
    entity: contact
    without: [company]
    create: job_title == "VIP"
    leaves: deactivate
    deactivate: {suspended: true}
    reactivate: {suspended: false}
"""


@pytest.fixture
def three(desk: Path) -> Iterator[Played]:
    """Three stand-ins; marketing makes companies, and support holds VIPs only."""
    with played(desk) as one:
        (desk / "config/connections/marketing.yaml").write_text(FIRMS, "utf-8")
        (desk / "config/connections/support.yaml").write_text(SUPPORT, "utf-8")
        yield one


def released_all(hub: Played) -> None:
    assert hub.say("sync", "--approve-first").code == 0
    for name in ("marketing", "sales", "support"):
        hub.say("connections", "release", name, "--yes")
    hub.say("sync")


def test_a_company_that_a_lead_names_is_planned_made_and_linked(three: Played) -> None:
    three.sales.user_create(
        "Lead",
        {"Email": "bob@ray.example", "FirstName": "Bob", "LastName": "Ray", "Company": "Ray Ltd"},
        "sue",
    )
    assert ("marketing", "companies", 1) in creates(three.say("plan").out)
    assert three.say("sync", "--approve-first").code == 0
    assert "Ray Ltd" in str(three.say("contacts", "show", "bob@ray.example", "--json").json)
    assert stands_in(three, "bob@ray.example")["marketing"]["stands"] == "in step"


def creates(plan: str) -> list[tuple[str, str, int]]:
    """(connection, object, records that would be created) as the table of a plan tells."""
    lines = [line.split() for line in plan.partition("A sync would write:")[2].splitlines()]
    return [(one[0], one[1], int(one[2])) for one in lines if len(one) > 3 and one[2].isdigit()]


def stands_in(hub: Played, who: str) -> dict[str, Any]:
    return {one["connection"]: one for one in hub.say("why", who, "--json").json["systems"]}


def test_who_leaves_is_planned_switched_off_and_why_says_so(three: Played) -> None:
    lead = three.sales.user_create(
        "Lead",
        {"Email": "bob@ray.example", "FirstName": "Bob", "LastName": "Ray", "Company": "Ray", "Title": "VIP"},
        "sue",
    )
    released_all(three)
    three.sales.user_edit("Lead", lead, {"Title": "Clerk"}, "sue")
    assert "deactivates" in three.say("plan").out
    assert three.say("sync").code == 0
    support = stands_in(three, "bob@ray.example")["support"]
    assert (support["stands"], "was switched off there" in support["because"]) == ("left", True)
    three.sales.user_edit("Lead", lead, {"Title": "VIP"}, "sue")
    assert three.say("sync").code == 0
    assert stands_in(three, "bob@ray.example")["support"]["stands"] == "in step"
