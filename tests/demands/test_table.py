"""docs/demands.md: every demand has one row, and every test that a row names exists and is not skipped."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

from tests.shared import shared

ROOT = Path(__file__).parents[2]


def rows_of(document: str, number: str) -> list[list[str]]:
    """The cells of each row of a table in docs/ that begins with such a number."""
    lines = (ROOT / "docs" / document).read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if re.match(rf"\| {number}", line)
    ]


ROWS = rows_of("demands.md", r"[DSPA]\d")


@lru_cache
def defined_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def named(cell: str) -> list[tuple[str, str]]:
    return [(path, name) for path, name in re.findall(r"`([^`]+)::([^`]+)`", cell)]


def missing(rows: list[list[str]]) -> list[str]:
    """Tests that rows name and that do not exist."""
    return [
        f"{row[0]}: {path}::{name}"
        for row in rows
        for path, name in named(row[2])
        if not (ROOT / path).exists() or name not in defined_in(path)
    ]


def unexplained(rows: list[list[str]]) -> list[str]:
    """Rows that neither name a test nor say why not."""
    return [row[0] for row in rows if not named(row[2]) and row[3] in ("", "–")]


def test_every_test_that_a_row_names_exists() -> None:
    assert missing(ROWS) == []


def test_every_row_is_held_or_says_what_it_waits_for() -> None:
    assert unexplained(ROWS) == []


def test_every_demand_has_exactly_one_row() -> None:
    text = shared("DEMANDS.md").read_text(encoding="utf-8")
    demands = re.findall(r"^(?:\| |- \*\*)([DSPA]\d+)\b", text, re.MULTILINE)
    assert sorted(demands) == sorted(row[0] for row in ROWS)


def test_every_test_of_a_demand_stands_in_its_row() -> None:
    told = {(name, row[0]) for row in ROWS for _, name in named(row[2])}
    forgotten = [
        f"{file.name}::{name}"
        for file in sorted((ROOT / "tests" / "demands").glob("test_*.py"))
        for name in sorted(defined_in(f"tests/demands/{file.name}"))
        for number in re.findall(r"(?:^test_|_and_)([dspa]\d+)(?=_)", name)
        if (name, number.upper()) not in told
    ]
    assert forgotten == []
