"""Whatever stands where a value belongs, `check` tells problems: it never fails itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.hubs import EXAMPLE, example_hub, problems
from trueup.config.nodes import Listing, Mark, Node, Scalar, Table
from trueup.config.yaml import parse_document

FILES = sorted(path.relative_to(EXAMPLE).as_posix() for path in EXAMPLE.rglob("*.yaml"))
WRONG = ("nonsense", "7", "[a, b]", "{a: b}", '""', "[{a: b}]")


def _values(node: Node | None) -> Iterator[Mark]:
    """Where single values stand."""
    if isinstance(node, Table):
        for entry in node.entries:
            yield from _values(entry.value)
    elif isinstance(node, Listing):
        for item in node.items:
            yield from _values(item)
    elif isinstance(node, Scalar) and node.mark.width:
        yield node.mark


def _with(text: str, mark: Mark, value: str) -> str:
    lines = text.split("\n")
    line, at = lines[mark.line - 1], mark.column - 1
    lines[mark.line - 1] = line[:at] + value + line[at + mark.width :]
    return "\n".join(lines)


@pytest.mark.parametrize("file", FILES)
def test_a_wrong_value_anywhere_is_no_failure_of_the_check(file: str, tmp_path: Path) -> None:
    hub = example_hub(tmp_path)
    text = (hub / file).read_text(encoding="utf-8")
    marks = list(_values(parse_document(text, file).root))
    assert marks
    for number, mark in enumerate(marks):
        # each place meets two of them, and its neighbours the others: all at all places take two minutes
        for wrong in (WRONG[number % len(WRONG)], WRONG[(number + 3) % len(WRONG)]):
            (hub / file).write_text(_with(text, mark, wrong), encoding="utf-8")
            try:
                problems(hub)
            except Exception as error:
                raise AssertionError(f"{file}:{mark.line}: {wrong}") from error


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("hub.yaml", "type: choice,", "type: [a, b],"),
        ("connections/sales.yaml", "connector: salesforce", "connector: [a, b]"),
        ("connections/marketing.yaml", "field: current_offer", "field: {a: b}"),
        ("lifecycle.yaml", "{to: opportunity,", "{to: {a: b},"),
        ("lifecycle.yaml", "{control: sales, enter", "{control: [], enter"),
    ],
)
def test_a_block_that_lacks_what_it_needs_is_told_at_its_line(
    file: str, old: str, new: str, tmp_path: Path
) -> None:
    hub = example_hub(tmp_path)
    text = (hub / file).read_text(encoding="utf-8")
    assert old in text
    (hub / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    line = next(n for n, one in enumerate(text.split("\n"), 1) if old in one)
    assert (f"config/{file}", line) in {(one.file, one.line) for one in problems(hub)}
