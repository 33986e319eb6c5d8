"""`failures`: grouped by cause, retried and given up together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.cli.played import Played, fails, played

REFUSAL = {
    "status": "error",
    "category": "VALIDATION_ERROR",
    "message": "Blocked by your administrator: {who}, record 4711",
}


@pytest.fixture
def hub(desk: Path) -> Iterator[Played]:
    """Two creates in marketing were refused by a rule there."""
    with played(desk) as one:
        one.people()
        fails(one.marketing, "batch_create", status=400, body=REFUSAL, times=9)
        assert one.say("sync", "--approve-first").code == 1
        yield one


def causes(hub: Played) -> list[Any]:
    found: list[Any] = hub.say("failures", "--json").json["causes"]
    return found


def test_one_cause_is_one_line_however_many_it_concerns(hub: Played) -> None:
    (cause,) = causes(hub)
    assert (cause["count"], cause["connection"], cause["kind"], cause["code"]) == (
        2,
        "marketing",
        "write",
        "TU-REF-001",
    )
    assert "4711" not in cause["reason"]


def test_a_write_that_waits_whole_and_a_field_set_aside_are_told_apart(hub: Played) -> None:
    hub.sales.user_create(
        "Lead",
        {"Email": "dan@example.com", "LastName": "Oak", "Company": "Oak", "Phone": "none at all"},
        "sue",
    )
    hub.say("sync")
    said = hub.say("failures").out
    assert "writes wait whole: " in said
    assert "1 record, one field set aside and the others kept in step: " in said


def test_texts_that_quote_another_value_each_time_are_one_cause_with_one_of_them_as_example(
    desk: Path,
) -> None:
    with played(desk) as hub:
        hub.people()
        fails(hub.marketing, "batch_create", status=400, body=REFUSAL, times=3)
        for place, who in enumerate(("Bob Ray", "Cid Fox"), 1):  # after both at once, one by one
            body = orjson.dumps({**REFUSAL, "message": f"'{who}' is on the list of {place} blocked names"})
            hub.marketing.faults[place] = replace(hub.marketing.faults[place], body=body)
        hub.say("sync", "--approve-first")
        (cause,) = causes(hub)
        assert (cause["count"], cause["texts"]) == (2, 2)
        assert "'Cid Fox' is on the list" in cause["reason"]
        assert "(or alike: 2 texts)" in hub.say("failures").out


def test_a_cause_has_the_same_name_tomorrow(hub: Played) -> None:
    before = causes(hub)[0]["cause"]
    hub.say("sync")
    assert causes(hub)[0]["cause"] == before


def test_what_failed_is_done_once_its_cause_is_gone_and_somebody_says_so(hub: Played) -> None:
    hub.marketing.faults.clear()
    hub.say("sync")
    assert len(causes(hub)) == 1
    assert hub.say("failures", "retry", causes(hub)[0]["cause"]).code == 0
    assert hub.say("sync").code == 0
    assert causes(hub) == []
    assert hub.marketing.ledger.writes()


def test_what_is_given_up_is_not_tried_again(hub: Played) -> None:
    hub.marketing.faults.clear()
    assert hub.say("failures", "discard", "--all", "--yes").code == 0
    assert hub.say("sync").code == 0
    assert causes(hub) == []
    assert not hub.marketing.ledger.writes()
    systems = hub.say("why", "bob@example.com", "--json").json["systems"]
    assert [one["stands"] for one in systems if one["connection"] == "marketing"] == ["given up"]


def test_nothing_is_given_up_without_a_yes(hub: Played) -> None:
    assert hub.say("failures", "discard", "--all").code == 1
    assert len(causes(hub)) == 1


def test_why_names_the_write_that_failed(hub: Played) -> None:
    systems = hub.say("why", "bob@example.com", "--json").json["systems"]
    (marketing,) = [one for one in systems if one["connection"] == "marketing"]
    assert marketing["stands"] == "in doubt"  # made all the same, perhaps: it is looked for first
    assert marketing["then"].startswith("trueup sync")


@pytest.mark.parametrize("words", [["abc"], [], ["--all", "abc"], ["abc", "--connection", "marketing"]])
def test_a_choice_that_makes_no_sense_is_refused(hub: Played, words: list[str]) -> None:
    assert hub.say("failures", "retry", *words).code in (1, 2)
    assert len(causes(hub)) == 1


@pytest.mark.parametrize("words", [["list"], ["retry", "--all"], ["discard", "--all", "--yes"]])
def test_a_connection_that_there_is_not_has_no_failures_and_is_refused(hub: Played, words: list[str]) -> None:
    said = hub.say("failures", *words, "--connection", "marketin")
    assert (said.code, "there is no connection `marketin`; did you mean `marketing`?" in said.err) == (
        2,
        True,
    )
