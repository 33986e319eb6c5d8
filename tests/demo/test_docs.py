"""The documents name what there is: every key of the configuration, every command they tell of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from trueup.cli import app
from trueup.config.inactive import INACTIVE
from trueup.config.schema import schemas
from trueup.config.settings import FUSES
from trueup.mapping.transforms import TRANSFORMS
from trueup.model.canonical import is_placeholder
from trueup.model.canonical.placeholders import MAILBOXES, NONE, NOTHING
from trueup.model.fields import Strategy
from trueup.model.values import Type

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"[\w$]+", " ".join(re.findall(r"`([^`\n]+)`", REFERENCE))))
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def _keys(schema: Any) -> Iterator[str]:
    """Every key that a JSON Schema lets a file have."""
    if isinstance(schema, dict):
        properties = schema.get("properties", {})
        if isinstance(properties, dict):
            yield from properties
        for value in schema.values():
            yield from _keys(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _keys(value)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_key_of_the_files_is_in_the_reference(name: str) -> None:
    assert sorted({key for key in _keys(schemas()[name]) if key not in NAMED}) == []


def test_every_strategy_fuse_and_transform_is_in_the_reference() -> None:
    words = {*map(str, Strategy), *(str(kind) for kind in FUSES), *TRANSFORMS}
    assert sorted(words - NAMED) == []


EMPTY = {
    "all": Type.TEXT,
    "all, written just so": Type.TEXT,
    "all but texts and choices": Type.INT,
    "e-mail": Type.EMAIL,
    "phone": Type.PHONE,
    "dates": Type.DATE,
}


def _counts_as_empty() -> Iterator[tuple[Type, str]]:
    """The words of the reference that count as empty, each with a type of field in which they do."""
    section = REFERENCE.partition("### What counts as empty\n")[2].partition("\n### ")[0]
    for line in section.splitlines():
        fields, _, words = line.removeprefix("| ").partition(" | ")
        if line.startswith("| ") and fields in EMPTY:
            yield from ((EMPTY[fields], word) for word in re.findall(r"`([^`]+)`", words))


def test_the_reference_lists_the_words_that_count_as_empty_and_no_others() -> None:
    told = list(_counts_as_empty())
    assert [word for type, word in told if not is_placeholder(type, word)] == []
    assert (NOTHING | NONE | MAILBOXES) - {word for _, word in told} == set()


def _inactive_keys() -> list[str]:
    return sorted({[step for step in path if step != "*"][-1] for _, path, _ in INACTIVE})


@pytest.mark.parametrize("key", _inactive_keys())
def test_what_nothing_acts_on_yet_is_marked_in_the_reference(key: str) -> None:
    cells = [cell for line in REFERENCE.splitlines() for cell in line.split("|") if f"`{key}`" in cell]
    headings = re.findall(rf"^#+ .*\b{key}\b.*$", REFERENCE, re.M)
    assert any("‡" in text for text in (*cells, *headings))


def _commands(path: Path) -> Iterator[list[str]]:
    """The command lines of a document: in blocks, and in the text between backticks."""
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.S | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`(trueup [^`\n]+)`", text)
    for line in [*lines, *inline]:
        found = re.search(r"(?:^|[ /])trueup ((?:[a-z-]+ ?)+)", re.sub(r"^\$ ", "", line))
        if found and not line.strip().startswith("#"):
            yield line.split("trueup ", 1)[1].split("#")[0].split()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_option_in_a_document_exists(path: Path) -> None:
    for words in _commands(path):
        command: Any = get_command(app)
        while words and not words[0].startswith("-") and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert command is not get_command(app), f"{path.name}: no such command: trueup {' '.join(words)}"
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        said = {word for word in words if word.startswith("--")}
        assert said - known - {"--help"} == set(), f"{path.name}: {command.name} {' '.join(words)}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [one for one in targets if "://" not in one and not (path.parent / one).exists()] == []


def test_the_example_hub_is_right_and_all_its_golden_records_come_out_as_expected() -> None:
    said = CliRunner().invoke(app, ["check", "--sandbox", "--config", str(ROOT / "config")])
    assert said.exit_code == 0, said.stdout
    assert "Examples: 8 of 8 as expected." in said.stdout


def test_a_golden_record_that_expects_something_else_fails_the_check(tmp_path: Path) -> None:
    for source in (ROOT / "config").rglob("*.yaml"):
        target = tmp_path / source.relative_to(ROOT / "config")
        target.parent.mkdir(exist_ok=True)
        text = source.read_text(encoding="utf-8")
        target.write_text(
            text.replace("authority: [control,", "authority: [marketing, control,"), encoding="utf-8"
        )
    said = CliRunner().invoke(app, ["check", "--sandbox", "--config", str(tmp_path)])
    assert said.exit_code == 2
    assert "while sales leads, its edit wins over marketing's" in said.stdout


def test_the_tables_of_the_walk_are_made_by_the_line_that_it_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "getting-started-csv.md").read_text(encoding="utf-8")
    (line,) = re.findall(r'^python -c "(.+)"$', text, re.M)
    monkeypatch.chdir(tmp_path)
    exec(line.replace("8000", "80"), {})
    assert {path.name for path in tmp_path.glob("*.csv")} == {"customers.csv", "newsletter.csv"}
