"""docs/failures.md: every failure has one row, and every test that a row names exists."""

from __future__ import annotations

import re

from tests.demands.test_table import missing, rows_of, unexplained
from tests.shared import shared

ROWS = rows_of("failures.md", r"F\d{3} ")


def test_every_test_that_a_row_names_exists() -> None:
    assert missing(ROWS) == []


def test_every_row_is_held_or_says_why_not() -> None:
    assert unexplained(ROWS) == []


def test_every_failure_has_exactly_one_row() -> None:
    text = shared("research/reliability.md").read_text(encoding="utf-8")
    known = re.findall(r"^\| (F\d{3})", text, re.MULTILINE)
    assert known and sorted(known) == [row[0] for row in ROWS]
