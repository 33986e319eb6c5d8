"""Help: the words that operators read, and how fast they get them."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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


LEAVES = [
    words for words in ALL if words and not any(one[: len(words)] == words for one in ALL if one != words)
]
ACTING = [*LEAVES, ("connections",), ("failures",), ("runs",)]
"""Every command that does something, groups that do something by themselves among them."""
LESS = {
    ("explain",): {"--json", "--debug"},
    ("config", "schema"): {"--json", "--debug"},
    ("demo",): {"--json", "--debug"},
    ("init",): {"--config", "--json", "--debug"},
    ("sandbox",): {"--config", "--json", "--debug"},
}
"""Commands for which not all common options mean something."""


@pytest.mark.parametrize("words", ACTING, ids=" ".join)
def test_every_command_offers_the_common_options_that_mean_something_for_it(words: tuple[str, ...]) -> None:
    offered = {option for one in of(words).params for option in one.opts}
    every = {"--config", "--sandbox", "--json", "--debug"}
    assert offered & every == LESS.get(words, every)


def of(words: Sequence[str]) -> Any:
    """The command of these words."""
    found: Any = get_command(app)
    for word in words:
        found = found.commands[word]
    return found


def examples(words: Sequence[str]) -> list[str]:
    """The lines that a command's help gives as examples."""
    lines = say(*words, "--help").out.partition("Examples:")[2].splitlines()
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.parametrize("words", ACTING, ids=" ".join)
def test_every_command_s_help_ends_with_examples_that_it_understands(words: tuple[str, ...]) -> None:
    shown = examples(words)
    assert 1 <= len(shown) <= 3
    for line in shown:
        said = shlex.split(line)
        assert said[: len(words) + 1] == ["trueup", *words], line
        with of(words).make_context("trueup", said[len(words) + 1 :]) as context:
            assert not context.args


@pytest.mark.parametrize("group", ["connections", "failures", "runs"])
def test_an_option_before_the_command_of_a_group_is_not_passed_over_in_silence(group: str) -> None:
    said = say(group, "--json", "list")
    assert (said.code, "it belongs after `list`" in said.out + said.err) == (2, True)


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
