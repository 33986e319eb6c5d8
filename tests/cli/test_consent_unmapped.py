"""A system that maps no consent beside one that does: opt-outs stop there, and everybody is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.kit import Said, say
from tests.cli.test_plan_and_sync import changed
from trueup.config.load import load

CRM = "config/connections/crm.yaml"
TOLD = (
    "crm: no consent is mapped (`consent:`), so opt-outs of email.marketing neither reach it nor come from it"
)
SECRETS = {
    "SUPPORT_USER": "ann@example.com",
    "SUPPORT_SUBDOMAIN": "acme",
    "SUPPORT_TOKEN": "some-secret",
    "M_TOKEN": "some-secret",
    "CRM_DOMAIN": "acme.my.salesforce.com",
    "CRM_CLIENT_ID": "some-secret",
    "CRM_CLIENT_SECRET": "some-secret",
}


def lines(said: Said) -> list[str]:
    assert said.code == 0, said.err
    return [line for line in said.out.splitlines() if "no consent is mapped" in line]


@pytest.mark.parametrize("command", ["check", "plan", "sync --approve-first"])
def test_it_is_told_once_in_one_line(hub: Path, command: str) -> None:
    (line,) = lines(say(*command.split()))
    assert line.startswith(TOLD)
    assert say(command.split()[0], "--json").json["without_consent"] == ["crm"]


MADE = "  1 new record there is of people who opted out, and crm does not show it"


@pytest.mark.parametrize("command", ["plan", "sync --approve-first"])
def test_who_opted_out_and_is_created_where_no_consent_is_kept_is_counted(hub: Path, command: str) -> None:
    changed(CRM, "    # create: 'true'", "    create: 'true'  #")
    out = say(*command.split()).out.splitlines()
    assert out.count(MADE) == 1
    assert out[out.index(MADE) - 1].startswith(TOLD)


@pytest.mark.parametrize("command", ["plan", "sync --approve-first"])
def test_who_did_not_opt_out_is_not_counted(hub: Path, command: str) -> None:
    changed(CRM, "    # create: 'true'", "    create: 'true'  #")
    changed("news.csv", "Dan Oak,dan@example.com,,no", "Dan Oak,dan@example.com,,yes")
    assert "of people who opted out" not in say(*command.split()).out


@pytest.mark.parametrize("command", ["check", "plan", "sync --approve-first"])
def test_nobody_is_told_where_the_file_says_that_nothing_is_sent_from_there(hub: Path, command: str) -> None:
    changed(CRM, "    entity: contact\n", "    entity: contact\n    consent: none\n")
    assert lines(say(*command.split())) == []


def test_where_no_system_maps_a_consent_each_is_told_of(hub: Path) -> None:
    file = hub / "connections/news.yaml"
    text = re.sub(r"    consent:.*\n      email.marketing.*\n", "", file.read_text("utf-8"))
    file.write_text(text, "utf-8")
    told = "no consent is mapped (`consent:`), so opt-outs neither reach it nor come from it;"
    assert [line.partition(" no consent")[0] for line in lines(say("check")) if told in line] == [
        "crm:",
        "news:",
    ]


def test_a_word_in_place_of_a_block_is_refused_unless_it_is_none(hub: Path) -> None:
    changed(CRM, "    entity: contact\n", "    entity: contact\n    consent: nothing\n")
    said = say("check")
    assert (said.code, "or none" in said.out) == (2, True), said.out


def test_none_takes_the_consents_of_the_default_mapping_away(desk: Path) -> None:
    say("init", "--connect", "crm=salesforce")
    changed(CRM, "  Lead:\n", "  Lead:\n    consent: none\n")
    objects = load(Path("config"), SECRETS).connections["crm"].objects
    assert (objects["Lead"].consent, len(objects["Contact"].consent)) == ((), 3)


@pytest.mark.parametrize(
    ("name", "system", "object", "place"),
    [
        ("m", "hubspot", "contacts", "subscription.Newsletter"),
        ("support", "zendesk", "users", "tags"),
        ("crm", "salesforce", "Lead", "HasOptedOutOfEmail"),
    ],
)
def test_what_init_proposes_for_a_system_maps_a_consent_once_the_marks_before_it_are_gone(
    desk: Path, name: str, system: str, object: str, place: str
) -> None:
    say("init", "--connect", f"{name}={system}:operations")
    file = Path(f"config/connections/{name}.yaml")
    text = file.read_text("utf-8")
    file.write_text(re.sub(r"    # ( *)(consent:|  email)", r"    \1\2", text), "utf-8")
    rules = load(Path("config"), SECRETS).connections[name].objects[object].consent
    assert [rule.remote for rule in rules if rule.channel == "email"] == [place]


def test_init_says_of_a_system_without_one_that_no_opt_out_comes_or_goes(desk: Path) -> None:
    say("init", "--connect", "m=hubspot", "--connect", "sales=salesforce")
    assert "# Until this says where opt-outs are kept" in Path("config/connections/m.yaml").read_text("utf-8")
    assert "consent" not in Path("config/connections/sales.yaml").read_text("utf-8")
