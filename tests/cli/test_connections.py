"""`connections`: the mapping as a table and as a file, trying it out, renaming, removing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.cli.kit import kept, say
from tests.cli.test_plan_and_sync import changed, synced
from tests.config.hubs import ENVIRONMENT, example_hub
from trueup.commands.answer import Grid, _print_grid
from trueup.config.load import load
from trueup.mapping.schema import ObjectRules


def test_the_list_says_what_may_be_written(hub: Path) -> None:
    synced()
    listed = say("connections", "--json").json["connections"]
    assert [(one["connection"], one["records"], one["approved"], one["released"]) for one in listed] == [
        ("crm", 3, True, False),
        ("news", 4, True, False),
    ]


def test_the_mapping_reads_like_this(hub: Path) -> None:
    text = "\n".join(line.rstrip() for line in say("connections", "show", "news").out.splitlines()) + "\n"
    assert text == kept("connections-show", text)


def test_samples_are_masked_unless_they_are_asked_for(hub: Path) -> None:
    assert "ann@example.com" not in say("connections", "show", "crm").out
    assert "ann@example.com" not in say("connections", "show", "crm", "--json").out
    assert "ann@example.com" in say("connections", "show", "crm", "--values").out


@pytest.mark.parametrize("name", ["marketing", "sales", "support", "shop"])
def test_the_mapping_as_a_file_says_the_same(desk: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    hub = example_hub(desk)
    before = load(hub, ENVIRONMENT).connections[name]
    said = say("connections", "show", name, "--yaml")
    assert said.code == 0, said.err
    assert not [
        secret for secret in ENVIRONMENT.values() if secret in said.out and secret != "sqlite:///shop.db"
    ]
    (hub / "connections" / f"{name}.yaml").write_text(said.out, "utf-8")
    after = load(hub, ENVIRONMENT).connections[name]
    assert {one: facts(rules) for one, rules in after.objects.items()} == {
        one: facts(rules) for one, rules in before.objects.items()
    }
    assert (after.auth, after.schedule, after.budget, after.role) == (
        before.auth, before.schedule, before.budget, before.role,
    )  # fmt: skip


def facts(rules: ObjectRules) -> object:
    """What holds, wherever it was said and in whatever order."""
    from dataclasses import asdict

    said = asdict(rules)
    said.pop("origin")
    for key in ("fields", "consent"):
        for one in said[key]:
            one.pop("origin")
        said[key] = sorted(said[key], key=repr)
    return said


def test_a_connection_that_there_is_not_is_named_with_those_that_there_are(hub: Path) -> None:
    said = say("connections", "show", "newz")
    assert said.code == 2
    assert "did you mean `news`?" in said.err


def test_fields_are_searched(hub: Path) -> None:
    found = say("connections", "fields", "crm", "mail", "--json").json["fields"]
    assert [(one["field"], one["used_by"]) for one in found] == [("E-mail", ["email"])]


def test_trying_out_says_what_works(hub: Path) -> None:
    said = say("connections", "test", "crm")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "crm works."


def test_trying_out_says_what_does_not(hub: Path) -> None:
    Path("crm.csv").unlink()
    said = say("connections", "test", "crm")
    assert said.code == 1
    assert "log in: failed" in said.out


def test_a_rename_keeps_what_is_known(hub: Path) -> None:
    synced()
    said = say("connections", "rename", "news", "letter")
    assert said.code == 0, said.err
    assert (hub / "connections/letter.yaml").is_file()
    assert not (hub / "connections/news.yaml").exists()
    again = say("sync", "--approve-first", "--json").json
    assert [one.get("new", 0) for one in again["objects"]] == [0, 0]
    assert [one["decided"] for one in again["writes"]] == [0, 0]


def test_a_rename_corrects_the_lines_that_name_the_connection(hub: Path) -> None:
    changed("config/hub.yaml", "control, marketing, sales", "control, news, sales")
    said = say("connections", "rename", "news", "letter")
    assert said.code == 0, said.err
    text = (hub / "hub.yaml").read_text("utf-8")
    assert "connections: [crm, letter]" in text
    assert "control, letter, sales" in text


def test_a_rename_that_would_make_another_problem_changes_nothing(hub: Path) -> None:
    before = {path: path.read_bytes() for path in hub.rglob("*.yaml")}
    said = say("connections", "rename", "news", "sales")
    assert said.code == 2
    assert {path: path.read_bytes() for path in hub.rglob("*.yaml")} == before


def test_a_rename_to_a_name_that_is_taken_is_refused(hub: Path) -> None:
    said = say("connections", "rename", "news", "crm")
    assert (said.code, "TU-CNN-001" in said.err) == (2, True)


def files(hub: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in hub.rglob("*.yaml")}


def test_a_rename_in_a_sandbox_is_refused_and_touches_nothing(hub: Path) -> None:
    before = files(hub)
    said = say("connections", "rename", "news", "letter", "--sandbox")
    assert (said.code, "TU-CLI-002" in said.err, "Leave out `--sandbox`" in said.err) == (2, True, True)
    assert files(hub) == before


def test_a_rename_without_a_memory_that_opens_changes_no_file(hub: Path) -> None:
    (hub / "trueup.sqlite").write_bytes(b"no database, but more than a hundred signs of text" * 4)
    before = files(hub)
    assert say("connections", "rename", "news", "letter").code != 0
    assert files(hub) == before


def test_a_rename_to_a_name_that_the_memory_knows_changes_no_file(hub: Path) -> None:
    synced()
    (hub / "connections/news.yaml").rename(hub / "connections/letter.yaml")
    changed("config/hub.yaml", "connections: [crm, news]", "connections: [crm, letter]")
    assert say("plan").code in (0, 3)
    (hub / "connections/letter.yaml").rename(hub / "connections/news.yaml")
    changed("config/hub.yaml", "connections: [crm, letter]", "connections: [crm, news]")
    before = files(hub)
    said = say("connections", "rename", "news", "letter")
    assert (said.code, "remembers a connection letter already" in said.err) == (2, True)
    assert files(hub) == before


def test_a_removed_connection_is_idle_until_a_person_says_so(hub: Path) -> None:
    synced()
    assert say("connections", "remove", "news", "--yes").code == 2
    (hub / "connections/news.yaml").unlink()
    changed("config/hub.yaml", "connections: [crm, news]", "connections: [crm]")
    changed("config/hub.yaml", "control, marketing, sales", "control, sales")
    assert "4 links of `news` are now idle" in say("check").out
    said = say("connections", "remove", "news", "--yes")
    assert (said.code, said.out) == (0, "4 links of news forgotten.\n")


def test_a_release_tells_how_many_contacts_it_is_about(hub: Path) -> None:
    synced()
    assert say("connections", "release", "crm").code == 1
    told = {"released": "crm", "contacts": 1, "not_released": ["news"]}
    assert say("connections", "release", "crm", "--yes", "--json").json == told
    assert "released already" in say("connections", "release", "crm").out


def test_a_release_names_those_that_are_left(hub: Path) -> None:
    synced()
    assert "\nNot released yet: news. " in say("connections", "release", "crm", "--yes").out
    assert "Not released" not in say("connections", "release", "news", "--yes").out


def test_where_a_line_is_said_can_be_copied_from_a_narrow_terminal() -> None:
    place = "config/connections/a_long_name_of_a_connection.yaml:13"
    row = (
        "consent.email.marketing",
        "<->",
        "Subscribed",
        "no means opted out",
        "the strictest",
        place,
        "yes",
    )
    out = io.StringIO()
    console = Console(file=out, width=100)
    head = ("ours", "", "theirs", "turned by", "who wins", "said in", "sample")
    _print_grid(console, Grid(head, [row], whole=("said in",)))
    assert place in out.getvalue()
