"""Help: the words that operators read, and how fast they get them."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from tests.cli.kit import HERE, kept, say
from trueup import __version__
from trueup.cli import app
from trueup.services.codes import CODES

OURS = ("canonical", "observation", "claim", "delivery", "deliveries", "reconcile", "entity")
"""Words of ours that operators never read."""


def commands(command: object = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, by the words that call it."""
    found = get_command(app) if command is None else command
    yield words
    for name, one in getattr(found, "commands", {}).items():
        yield from commands(one, (*words, name))


ALL = list(commands())


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself_in_the_words_of_operators(words: tuple[str, ...]) -> None:
    said = say(*words, "--help")
    assert said.code == 0
    assert not _ours(said.out)
    summary = said.out.split("\n\n")[1].strip()
    assert len(summary) > 20


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_explanation_uses_the_words_of_operators(code: str) -> None:
    one = CODES[code]
    assert not _ours(f"{one.title} {one.what} {one.do}")


TEXTS = sorted(path for folder in ("golden", "gallery") for path in (HERE / folder).glob("*.txt"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_kept_output_uses_the_words_of_operators(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert not _ours("\n".join(line for line in lines if not line.strip().startswith("entity:")))


def _ours(text: str) -> list[str]:
    return [word for word in OURS if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)]


@pytest.mark.parametrize("name", ["", "plan", "sync", "check", "why"])
def test_help_reads_like_this(name: str) -> None:
    text = "\n".join(" ".join(line.split()) for line in say(*filter(None, [name]), "--help").out.splitlines())
    assert text + "\n" == kept(f"help-{name or 'trueup'}", text + "\n")


def test_every_command_offers_the_common_options() -> None:
    leaves = [
        words for words in ALL if words and not any(one[: len(words)] == words for one in ALL if one != words)
    ]
    lacking = [
        words
        for words in leaves
        for option in ("--json", "--config", "--debug")
        if option not in say(*words, "--help").out
    ]
    assert lacking == []


def test_help_comes_at_once() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "trueup.cli", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.5


def test_help_imports_nothing_heavy() -> None:
    heavy = (
        "('sqlalchemy', 'httpx', 'phonenumbers', 'ruamel', 'trueup.config', 'trueup.store', 'trueup.sandbox')"
    )
    code = f"import sys, trueup.cli; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"


def test_the_version_is_said() -> None:
    assert say("--version").out == f"trueup {__version__}\n"
