"""A name that nobody has is the typist's mistake: every command ends with 2, and nothing was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.kit import say
from tests.cli.test_plan_and_sync import synced

MISTYPED = (
    "why nobody@example.com",
    "why c-999",
    "why crm/contacts/999",
    "why c-1 shoe_size",
    "why c-1 consent.email.parties",
    "contacts show nobody@example.com",
    "contacts edit nobody@example.com first_name=Ann",
    "contacts edit c-1 shoe_size=44",
    "contacts edit c-1 consent.email.parties=opted_out",
    "connections show crmm",
    "connections show crmm --no-sample",
    "connections show crmm --yaml",
    "connections fields crmm",
    "connections test crmm",
    "connections release crmm --yes",
    "connections rename crmm shop",
    "connections remove crmm --yes",
    "runs show 999",
    "runs approve 999 --yes",
    "runs reject 999 --yes",
    "failures retry no-such-cause",
    "failures retry 999",
    "failures discard no-such-cause --yes",
    "failures retry --all --connection crmm",
    "failures list --connection crmm",
    "failures --connection crmm",
    "plan --only nobody@example.com",
    "plan --backfill crmm.phone=push",
    "plan --backfill crm.shoe_size=push",
    "sync --only nobody@example.com",
    "sync --plan no-such-file",
    "decisions --about crmm",
    "decisions --about c-999",
    "decisions --about run-1",
    "config fields --kind person",
    "explain TU-NON-999",
    "check --config no-such-folder",
    "init other --connect crm=salesfource:sales",
    "init other --connect crm=no-such.csv:sales",
    "plann",
    "plan --onlyy c-1",
)


@pytest.mark.parametrize("line", MISTYPED)
def test_a_mistyped_name_ends_with_2_in_every_command(hub: Path, line: str) -> None:
    synced()
    said = say(*line.split())
    assert said.code == 2, said.out + said.err


@pytest.mark.parametrize(
    "line",
    [
        "contacts find nobody",
        "connections fields crm shoe",
        "config fields shoe",
        "plan --only bob@example.com",
    ]
    + ["sync --only bob@example.com", "sync --only Bob"]
    + ["decisions --about news", "decisions --about c-2", "decisions --about crm"],
)
def test_a_search_that_finds_nothing_and_a_contact_in_step_are_fine(hub: Path, line: str) -> None:
    synced()
    said = say(*line.split())
    assert said.code == 0, said.out + said.err


def test_a_sync_about_nobody_says_so_first(hub: Path) -> None:
    synced()
    assert say("sync", "--only", "nobody@example.com").out.startswith(
        "No contact matches `nobody@example.com`"
    )
