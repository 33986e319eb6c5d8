"""`why` where one record points at another, and where somebody opted out: what is true, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tests.cli.played as play
from tests.cli.played import Played, played


@pytest.fixture
def owned(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """Marketing and sales keep owners; sales owns what it is given, by a user whom marketing has not."""
    marketing = play.MARKETING.replace("owners: off, ", "").replace("[company, owner]", "[company]")
    sales = play.SALES.replace("  User: off\n", "").replace("[owner, company_name]", "[company_name]")
    monkeypatch.setattr(play, "MARKETING", marketing)
    monkeypatch.setattr(play, "SALES", sales)
    with played(desk) as systems:
        systems.people()
        yield systems


def standing(systems: Played, who: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in systems.say("why", who, "--json").json["systems"] if one["connection"] == name]
    return dict(found)


def test_a_reference_that_nothing_will_bring_there_is_left_out_and_says_what_helps(owned: Played) -> None:
    owned.say("sync", "--approve-first")
    owned.say("sync")
    told = standing(owned, "bob@example.com", "marketing")
    assert told["stands"] == "left out"
    assert told["because"] == (
        "owner is u-1, who has no record in marketing, and the hub makes none there (`create:`);"
        " the other fields are in step"
    )
    assert told["then"] == (
        "make one there with the same e-mail address, or take `owner` out (`without:`) of"
        " config/connections/marketing.yaml"
    )


def test_a_record_that_is_written_without_its_owner_counts_as_left_out_and_not_as_skipped(
    owned: Played,
) -> None:
    objects = owned.say("sync", "--approve-first", "--json").json["objects"]
    (row,) = [one for one in objects if (one["connection"], one["object"]) == ("marketing", "contacts")]
    why = "owner waits for a user that has no record there yet"
    assert row["left_out"] == {why: 1}
    assert (row["creates"], row["skipped"]) == (2, {})
    assert f"marketing contacts: 1 record without it: {why}" in owned.say("runs", "show", "1").out


def test_a_reference_whose_target_came_meanwhile_waits_for_the_next_sync_only(owned: Played) -> None:
    owned.say("sync", "--approve-first")
    owned.say("sync")
    org = owned.sales.org
    (user,) = org.living("User")
    owned.marketing.add_owner(user["Email"], "Ro", "Bot")
    owned.say("sync")
    assert standing(owned, "bob@example.com", "marketing")["stands"] == "in step"


def test_a_consent_names_the_event_that_decided_it(owned: Played) -> None:
    owned.say("sync", "--approve-first")
    (lead,) = [row for row in owned.sales.org.living("Lead") if row["Email"] == "bob@example.com"]
    owned.sales.user_edit("Lead", lead["Id"], {"HasOptedOutOfEmail": True})
    owned.say("sync")
    (field,) = owned.say("why", "bob@example.com", "consent.email.marketing", "--json").json["fields"]
    assert field["value"] == "opted_out"
    assert field["source"] == f"sales/Lead/{lead['Id']}"
    assert field["at"][:10] == str(lead["SystemModstamp"])[:10]
    assert field["rule"] == "an opt-out, seen there at that time; the strictest state holds"


def test_a_consent_of_which_nobody_spoke_says_so(owned: Played) -> None:
    owned.say("sync", "--approve-first")
    (field,) = owned.say("why", "bob@example.com", "consent.email.marketing", "--json").json["fields"]
    assert (field["value"], field["source"]) == ("unknown", "nobody")
    assert field["rule"] == "default: no system told of an opt-out or a documented opt-in"
