"""Rules of the configuration, from their line in a file to the answer at the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.kit import say
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
        for file, mine, other in (("crm.csv", ";Chief", ";Boss"), ("news.csv", ",Boss,", ",Chief,")):
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
