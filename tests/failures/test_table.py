"""docs/failures.md: every failure has one row, and every test that a row names exists."""

from __future__ import annotations

import re

from tests.demands.test_table import ROOT, defined_in, named
from tests.shared import shared

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "failures.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| F\d{3} ", line)
]


def test_every_test_that_a_row_names_exists() -> None:
    missing = [
        f"{row[0]}: {path}::{name}"
        for row in ROWS
        for path, name in named(row[2])
        if not (ROOT / path).exists() or name not in defined_in(path)
    ]
    assert missing == []


def test_every_row_is_held_or_says_why_not() -> None:
    assert [row[0] for row in ROWS if not named(row[2]) and row[3] in ("", "–")] == []


def test_every_failure_has_exactly_one_row() -> None:
    text = shared("research/reliability.md").read_text(encoding="utf-8")
    known = re.findall(r"^\| (F\d{3})", text, re.MULTILINE)
    assert known and sorted(known) == [row[0] for row in ROWS]
