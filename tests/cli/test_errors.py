"""How a command ends badly: never a traceback, never a value, one JSON document."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.cli.kit import say
from trueup.commands.answer import Answer
from trueup.commands.complaints import complaint
from trueup.commands.desk import Desk, command
from trueup.errors import Broken, Malformed, NoDatabase, RateLimited, Refused, Unauthorized
from trueup.store.open import open_store

SECRET = "pat-eu1-0123456789abcdef"


def broken_app() -> typer.Typer:
    """A command line with one command in which something unforeseen happens."""
    app = typer.Typer(rich_markup_mode=None)

    def trip(desk: Desk) -> Answer:
        """Trip over something."""
        values = {"ann@example.com": SECRET}
        return Answer(values["+49 30 901820 and 'quoted'"])

    def other(desk: Desk) -> Answer:
        """Do nothing."""
        return Answer({})

    command(app, "trip")(trip)
    command(app, "other")(other)
    return app


def test_the_unforeseen_is_one_sentence_and_a_log_without_values(desk: Path) -> None:
    result = CliRunner().invoke(broken_app(), ["trip"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == (
        "trueup met what it did not foresee (KeyError during `trip`).  [TU-GEN-500]"
    )
    assert "Traceback" not in result.stderr
    log = desk / "trueup-errors.log"
    text = log.read_text("utf-8")
    assert "in trip" in text
    for value in ("ann@example.com", SECRET, "901820", "quoted"):
        assert value not in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_debug_shows_where_in_the_code_it_was(desk: Path) -> None:
    result = CliRunner().invoke(broken_app(), ["trip", "--debug"])
    assert "test_errors.py" in result.stderr
    assert "901820" not in result.stderr


def test_an_error_is_one_json_document_too(desk: Path) -> None:
    said = say("plan", "--json")
    assert (said.code, said.err) == (2, "")
    (problem,) = said.json["error"]["problems"]
    assert problem["code"] == "TU-CFG-010"


def test_a_usage_mistake_is_a_configuration_mistake(desk: Path) -> None:
    said = say("plan", "--limit", "none")
    assert said.code == 2
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("runs show abc", "'RUN'"),
        ("sync --limit 0", "'--limit'"),
        ("plan --nosuch", "--nosuch"),
        ("plam", "'plam'"),
        ("why", "WHO"),
    ],
)
def test_a_usage_mistake_is_one_json_document_too(words: str, about: str) -> None:
    said = say(*words.split(), "--json")
    assert (said.code, said.err) == (2, "")
    assert said.json["error"]["code"] == "TU-CLI-004"
    assert about in said.json["error"]["message"]


def test_an_error_of_a_system_has_four_lines() -> None:
    error = Unauthorized(
        "answered 403", connection="sales", operation="Lead.read", vendor_says="no scope", remedy="add it"
    )
    assert complaint(error).lines == (
        "sales does not let us in, or not that far: answered 403 (during Lead.read)  [TU-AUT-001]",
        "    it says: no scope",
        "    do: add it",
        "    then: trueup connections test sales   (`trueup explain TU-AUT-001` tells more)",
    )


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (None, "wait;"),
        (5.0, "wait 5 seconds, as it asks"),
        (1.0, "wait 1 second, as"),
        (120.0, "wait 2 minutes"),
        (86400.0, "wait 24 hours"),
    ],
)
def test_how_long_to_wait_is_said_in_words(seconds: float | None, says: str) -> None:
    assert says in complaint(RateLimited("slow down", retry_after=seconds, connection="sales")).lines[1]


@pytest.mark.parametrize(
    "words",
    [
        "ann.lee+news@mail.example.com is blocked",
        "call +49 (30) 90 18 20-64",
        f"Bearer {SECRET}",
        "postgresql://hub:hunter22@db/hub refused",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123",
    ],
)
def test_nobody_s_data_and_no_secret_is_in_an_error(words: str) -> None:
    told = " ".join(complaint(Refused("no", connection="sales", vendor_says=words)).lines)
    for part in ("ann.lee", "90 18", SECRET, "hunter22", "eyJhbGci"):
        assert part not in told


def test_words_of_a_system_stand_verbatim_where_they_name_nobody() -> None:
    words = "Property `lifecyclestage` was not one of [lead, customer] in object 1234-ab"
    assert f"it says: {words}" in " ".join(complaint(Malformed("x", vendor_says=words)).lines)


def test_an_invariant_that_failed_names_its_code() -> None:
    assert "[TU-GEN-500]" in complaint(Broken("counts differ")).lines[0]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////nowhere/hub.sqlite", "sqlite:////nowhere/hub.sqlite cannot be opened: unable to open"),
        ("postgresql://u:hunter22@127.0.0.1:1/hub", "postgresql://u:•••@127.0.0.1:1/hub cannot be opened"),
        ("hunter22", "what `database:` says is no address of a database"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_with_what_it_says_and_what_to_do(
    hub: Path, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    with (hub / "hub.yaml").open("a", encoding="utf-8") as file:
        file.write('database: "${env:HUB_DB}"\n')
    monkeypatch.setenv("HUB_DB", url)
    said = say("plan")
    assert said.code in (1, 2)
    assert told in said.err
    assert "hunter22" not in said.err
    assert "    do: see that" in said.err or "    allowed: sqlite:///FILE" in said.err


def test_a_table_that_is_not_there_is_named_as_seen_from_here(hub: Path) -> None:
    Path("crm.csv").unlink()
    said = say("plan").out
    assert "there is no file crm.csv (during pull contacts)" in said
    assert "do: put crm.csv there, or correct `path:` in the connection's file" in said


def test_a_damaged_database_is_told_without_a_traceback(hub: Path) -> None:
    say("plan")
    for file in hub.glob("trueup.sqlite*"):
        file.write_bytes(b"this is no database, but it is long enough to be taken for one" * 40)
    said = say("plan")
    assert said.code == 1
    assert "TU-STO-020" in said.err
    assert "Traceback" not in said.err


def test_a_folder_that_cannot_be_written_to_is_named(hub: Path) -> None:
    said = say("plan", "--out", "nowhere/the.plan")
    assert (said.code, "TU-CLI-020" in said.err) == (1, True)
    assert "nowhere/the.plan" in said.err


def test_a_reader_that_goes_away_is_no_error(hub: Path) -> None:
    text = f"{sys.executable} -m trueup.cli explain | head -1"
    said = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True, env=os.environ)
    assert said.stderr == ""


def test_who_stops_a_command_is_told_that_nothing_is_lost(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trueup.services.syncing.sync", pressed)
    said = say("sync", "--approve-first")
    assert (said.code, said.out) == (130, "")
    assert said.err == "stopped; nothing is lost, the next `trueup sync` goes on where this one stopped\n"


def test_the_folder_above_that_of_the_files_is_told_where_they_are(hub: Path) -> None:
    said = say("check", "--config", str(hub.parent))
    assert said.code == 2
    assert f"--config {hub}" in said.err + said.out


def test_the_database_is_for_its_owner_only(hub: Path) -> None:
    say("plan")
    with sqlite3.connect(hub / "trueup.sqlite") as other:
        other.execute("select count(*) from runs")
        beside = [path for path in hub.iterdir() if path.name.startswith("trueup.sqlite")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in beside} == {0o600}


def test_a_database_that_may_only_be_read_is_told_plainly() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"sqlite:///{name}/hub.sqlite"
        open_store(url).close()
        (folder / "hub.sqlite").chmod(0o444)
        folder.chmod(0o555)
        with unprivileged(), pytest.raises(NoDatabase, match="may only read it or its folder"):
            open_store(url)


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user whom permissions stop: they stop no root."""
    before = os.geteuid()
    os.seteuid(before or 65534)
    try:
        yield
    finally:
        os.seteuid(before)
