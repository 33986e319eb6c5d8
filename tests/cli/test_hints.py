"""A command that a sentence names is one that works when it is copied: it is about the same hub."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import trueup.cli as cli
from tests.cli.kit import Said, say
from tests.cli.played import fails, played
from trueup.commands.answer import Answer, Grid
from trueup.commands.hints import Called

assert cli.app is not None  # every command is known from here on

THERE = Called(Path("there"), sandbox=True)
HINT = re.compile(r"`(trueup [^`]+)`|(?:: |, then |^ *)(trueup [a-z][^`,;()]*?)(?:[,;]| {2}|\.? *$)", re.M)


def hints(text: str) -> list[list[str]]:
    """The commands that a text names, as words, without those that are about no hub."""
    found = [shlex.split(quoted or bare) for quoted, bare in HINT.findall(text)]
    return [words for words in found if words[1] not in ("explain", "sandbox")]


@pytest.mark.parametrize(
    ("said", "completed"),
    [
        ("Next: trueup sync", "Next: trueup sync --config there --sandbox"),
        ("`trueup runs` lists them", "`trueup runs --config there --sandbox` lists them"),
        (
            "    then: trueup sync   (`trueup explain TU-X` tells more)",
            "    then: trueup sync --config there --sandbox   (`trueup explain TU-X` tells more)",
        ),
        (
            "trueup plan --out FILE, look at it, then trueup sync --plan FILE",
            "trueup plan --out FILE --config there --sandbox, look at it, then"
            " trueup sync --plan FILE --config there --sandbox",
        ),
        ("start `trueup sandbox` first", "start `trueup sandbox --config there` first"),
        ("Next: trueup plan --config here", "Next: trueup plan --config here --sandbox"),
        ("trueup met what it did not foresee", "trueup met what it did not foresee"),
        ('job_title: "trueup sync"', 'job_title: "trueup sync"'),
        ("`trueup demo --stay` keeps them open", "`trueup demo --stay` keeps them open"),
    ],
)
def test_a_command_in_a_sentence_gets_the_flags_of_the_call(said: str, completed: str) -> None:
    assert THERE.complete(said) == completed


def test_a_folder_with_blanks_is_one_word_for_the_shell() -> None:
    assert Called(Path("my hub")).complete("Next: trueup sync") == "Next: trueup sync --config 'my hub'"


def test_where_nothing_was_said_nothing_is_added() -> None:
    assert Called(Path("config")).complete("Next: trueup sync") == "Next: trueup sync"


def test_tables_and_documents_are_completed_and_their_values_are_not() -> None:
    values = {"job_title": "trueup sync"}
    document = {"then": "trueup sync", "values": values, "rows": [{"next": ["trueup plan"]}]}
    answer = THERE.answer(Answer(document, ["done", Grid(("then",), [("trueup failures",), (3,)])]))
    flags = "--config there --sandbox"
    assert answer.document == {
        "then": f"trueup sync {flags}",
        "values": values,
        "rows": [{"next": [f"trueup plan {flags}"]}],
    }
    assert answer.shown[1] == Grid(("then",), [[f"trueup failures {flags}"], [3]])


def test_every_hint_over_a_sandbox_elsewhere_works_when_it_is_copied(
    desk: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with played(desk) as systems:
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        where = ("--config", str(desk / "config"), "--sandbox")
        systems.people()
        fails(systems.sales, "token", status=400, body={"error": "invalid_client"}, times=2)
        told = [
            say(*words, *where)
            for words in (
                ("check",),
                ("runs",),
                ("sync",),
                ("plan",),
                ("sync", "--approve-first"),
                ("why", "ann@example.com"),
                ("why", "nobody@example.com"),
                ("contacts", "edit", "ann@example.com", "job_title=CTO"),
                ("failures", "retry", "nothing"),
                ("explain", "nothing"),
                ("failures",),
                ("contacts", "find", "nobody"),
                ("contacts", "show", "ann@example.com"),
                ("contacts", "waiting"),
                ("plan", "--only", "nobody@example.com"),
                ("plan", "--backfill", "sales.phone=push"),
                ("connections", "list"),
                ("connections", "show", "sales"),
                ("connections", "test", "sales"),
                ("connections", "release", "sales"),
                ("connections", "release", "sales", "--yes"),
                ("connections", "release", "salse"),
                ("connections", "fields", "sales", "nothing"),
                ("connections", "rename", "sales", "marketing"),
                ("connections", "remove", "sales"),
                ("runs", "show", "1"),
                ("runs", "show", "99"),
                ("runs", "approve"),
                ("decisions",),
                ("config", "fields"),
                ("check", "--live"),
            )
        ]
        found = [words for one in told for words in hints(one.out + one.err)]
        assert {words[1] for words in found} >= {"check", "plan", "sync", "failures", "connections"}
        for words in found:
            assert words[-3:] == list(where), words
            assert _understood(words), words


def _understood(words: list[str]) -> bool:
    """Whether the command line takes these words; placeholders are not tried."""
    if any(re.search("[A-Z]{3}", word) for word in words):
        return True
    said: Said = say(*words[1:], "--help")
    return said.code == 0


def test_the_word_of_comfort_after_ctrl_c_names_the_same_hub(
    hub: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trueup.commands.opening.open_for", stopped)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    said = say("sync", "--config", str(hub))
    assert said.code == 130
    assert f"the next `trueup sync --config {hub}` goes on" in said.err
