"""Every code that a message can carry is told at length."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import trueup
from tests.cli.kit import say
from trueup.services.codes import CODES
from trueup.services.explain import explained

CODE = re.compile(r"TU-[A-Z]{2,4}-\d{3}")


def codes_in_source() -> dict[str, str]:
    """Every code in the package, with a file that carries it."""
    package = Path(trueup.__file__).parent
    found: dict[str, str] = {}
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".yaml", ".json", ".html") and path.name != "codes.py":
            found.update(dict.fromkeys(CODE.findall(path.read_text("utf-8")), str(path.relative_to(package))))
    return found


def test_every_code_in_the_source_is_explained() -> None:
    assert {code: file for code, file in codes_in_source().items() if code not in CODES} == {}


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_explanation_says_what_happened_and_what_to_do(code: str) -> None:
    one = CODES[code]
    assert len(one.what) > 40
    assert len(one.do) > 10
    assert not one.title.endswith(".")


def test_commands_that_explanations_name_exist() -> None:
    from typer.main import get_command

    from trueup.cli import app

    known = get_command(app)
    named = {
        tuple(words)
        for one in CODES.values()
        for text in re.findall(r"`trueup ([a-z ]+)", one.do + one.what)
        for words in [text.split()]
    }
    wrong = []
    for words in named:
        command = known
        for word in words:
            inside = getattr(command, "commands", None)
            if inside is None:
                break
            if word not in inside:
                wrong.append(" ".join(words))
                break
            command = inside[word]
    assert wrong == []


@pytest.mark.parametrize("typed", ["TU-REF-001", "tu-ref-001", "REF-001", "[TU-REF-001]"])
def test_a_code_is_understood_however_it_is_typed(typed: str) -> None:
    assert explained(typed)[0] == "TU-REF-001"


def test_an_unknown_code_names_the_nearest() -> None:
    said = say("explain", "TU-REF-01")
    assert said.code == 2
    assert "did you mean TU-REF-0" in said.err


def test_without_a_code_all_are_listed() -> None:
    listed = say("explain", "--json").json["codes"]
    assert [one["code"] for one in listed] == sorted(CODES)


def test_an_unknown_code_is_told_in_a_sentence_that_can_be_read() -> None:
    assert "there is no code `X`; `trueup explain` without a code lists all" in say("explain", "X").err
