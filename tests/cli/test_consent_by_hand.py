"""An opt-out that somebody told us by phone: it is typed into the hub, and every system gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.kit import rows, say
from tests.cli.test_plan_and_sync import synced

OUT = "consent.email.marketing=opted_out"


def told(who: str = "ann@example.com", *more: str) -> str:
    said = say("contacts", "edit", who, OUT, *more)
    assert said.code == 0, said.err
    return said.out


def subscribed(email: str) -> str:
    (row,) = [row for row in rows("news.csv") if email in row]
    return row.rpartition(",")[2]


def test_it_goes_to_every_system_that_keeps_it_although_nothing_is_released(hub: Path) -> None:
    synced()
    assert subscribed("ann@example.com") == "yes"
    assert 'consent.email.marketing: "unknown" -> "opted_out"' in told()
    assert say("sync").code == 0
    assert subscribed("ann@example.com") == "no"


def test_what_comes_next_is_a_run_about_all_because_others_may_have_the_address(hub: Path) -> None:
    synced()
    next_one = "Next: trueup sync, for all: an opt-out also concerns others who share the address"
    assert told().rstrip().endswith(next_one)


def test_a_plan_counts_it(hub: Path) -> None:
    synced()
    told()
    planned = say("plan", "--json").json
    assert [one.get("opt_outs", 0) for one in planned["objects"] if one["connection"] == "news"] == [1]


def test_why_and_show_say_who_entered_it_and_how_he_knows(hub: Path) -> None:
    synced()
    told("ann@example.com", "--because", "told us by phone")
    for command in ("why", "contacts show"):
        (field,) = [
            one
            for one in say(*command.split(), "ann@example.com", "--json").json["fields"]
            if one["field"] == "consent.email.marketing"
        ]
        assert (field["source"], field["evidence"]) == ("hub:ops", "told us by phone")
    assert "entered in the hub" in say("why", "ann@example.com", "consent.email.marketing").out
    assert "hub:ops" in say("contacts", "show", "ann@example.com").out


def test_why_says_who_told_it_again_and_how_he_knows(hub: Path) -> None:
    synced()
    told("dan@example.com", "--because", "phoned on Monday")
    assert say("sync").code == 0
    (field,) = [
        one
        for one in say("why", "dan@example.com", "--json").json["fields"]
        if one["field"] == "consent.email.marketing"
    ]
    assert field["source"].startswith("news/contacts/"), "he had opted out there already"
    assert [(one["source"], one["evidence"]) for one in field["told_again"]] == [
        ("hub:ops", "phoned on Monday")
    ]
    shown = say("why", "dan@example.com", "consent.email.marketing").out
    assert "told again by hub:ops" in shown and "phoned on Monday" in shown


def test_who_tells_it_first_tells_nothing_again(hub: Path) -> None:
    synced()
    told("ann@example.com", "--because", "told us by phone")
    assert "told again" not in say("why", "ann@example.com").out


def test_a_tick_that_somebody_sets_again_does_not_lift_it(hub: Path) -> None:
    synced()
    told()
    say("sync")
    table = Path("news.csv")
    table.write_text(table.read_text("utf-8").replace("Director,no", "Director,yes"), "utf-8")
    assert subscribed("ann@example.com") == "yes"
    say("sync")
    assert subscribed("ann@example.com") == "no"


def test_it_is_told_where_no_system_of_the_contact_keeps_it(hub: Path) -> None:
    synced()
    said = say("contacts", "edit", "bob@example.com", "consent.sms.event=opted_out")
    assert (
        said.code,
        "No system in which the contact has a record keeps `consent.sms.event`" in said.out,
    ) == (
        0,
        True,
    )
    assert (
        say("why", "bob@example.com", "consent.sms.event", "--json").json["fields"][0]["source"] == "hub:ops"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["consent.email.marketing=opted_in"], "an opt-in needs proof"),
        (["consent.email.marketing="], "not taken back by an edit"),
        (["consent.email.marketing=unknown"], "not taken back by an edit"),
        (["consent.email.marketing=perhaps"], "wanted is opted_out"),
        (["consent.emial.marketing=opted_out"], "channels email, phone"),
        (["consent.email=opted_out"], "it is called consent.CHANNEL.PURPOSE"),
        ([OUT, "--pin"], "needs no `--pin`"),
        (["first_name=Anna", "--because", "by phone"], "`--because` is kept with a consent"),
    ],
)
def test_what_is_no_opt_out_is_refused_and_nothing_is_kept(hub: Path, words: list[str], told: str) -> None:
    synced()
    said = say("contacts", "edit", "c-1", *words)
    assert (said.code, told in said.err) == (2, True), said.err
    assert say("plan", "--only", "c-1", "--offline").out.count("opted_out") == 0


def test_an_opt_in_beside_a_good_edit_leaves_both_undone(hub: Path) -> None:
    synced()
    assert say("contacts", "edit", "c-1", "first_name=Anna", "consent.email.marketing=opted_in").code == 2
    assert "Anna" not in say("plan", "--only", "c-1", "--offline").out


@pytest.mark.parametrize("word", ["opted_out", "OPT-OUT", "unsubscribed"])
def test_it_is_understood_in_the_words_of_the_trade(hub: Path, word: str) -> None:
    synced()
    assert say("contacts", "edit", "c-1", f"consent.email.marketing={word}").code == 0


def test_the_fields_that_can_be_named_are_listed_with_their_words(hub: Path) -> None:
    (field,) = say("config", "fields", "consent", "--json").json["fields"]
    assert (field["field"], field["type"], field["options"]) == (
        "consent.email.marketing",
        "choice",
        ["opted_out", "unknown", "opted_in"],
    )
    assert "channels: email, phone, sms" in say("config", "fields", "consent").out


def test_the_decisions_of_people_name_the_field(hub: Path) -> None:
    synced()
    told()
    found = say("decisions", "--json").json
    assert ["consent.email.marketing"] in [one["details"].get("fields") for one in found["decisions"]]
