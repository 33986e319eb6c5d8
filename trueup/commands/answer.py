"""What a command answers: one JSON document, and the same for people. Nothing here reads a hub."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from trueup.model.record import Json

if TYPE_CHECKING:
    from rich.console import Console

FINE, FAILED, CONFIGURATION, CHANGES = 0, 1, 2, 3
"""Exit codes: fine; something failed, was parked, held or is partial; configuration; `plan --exit-code`
found changes."""

WIDE = 160
"""Columns of what is not shown on a terminal."""
_UNBROKEN = 30
"""Cells up to this length are not broken over lines."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for people. Cells that are numbers stand to the right."""

    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""


Shown: TypeAlias = str | Grid


@dataclass(frozen=True, slots=True)
class Answer:
    """`document` is what `--json` prints; `shown` the lines and tables for people, top to bottom."""

    document: Json
    shown: Sequence[Shown] = field(default_factory=tuple)
    exit_code: int = FINE


def print_json(document: Json) -> None:
    """One document on stdout. Dates become ISO text, enums their words."""
    import orjson

    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    text = orjson.dumps(document, option=option, default=_plain).decode()
    sys.stdout.write(text)


def _plain(value: object) -> Json:
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value)


def print_shown(parts: Sequence[Shown]) -> None:
    """Lines and tables on stdout, as wide as the terminal."""
    console = console_on("stdout")
    for part in parts:
        if isinstance(part, Grid):
            _print_grid(console, part)
        else:
            console.print(part, markup=False, highlight=False, soft_wrap=True)


def console_on(stream: str) -> Console:
    """A console on stdout or stderr; what is no terminal is taken to be wide."""
    from rich.console import Console

    file = sys.stdout if stream == "stdout" else sys.stderr
    width = None if file.isatty() else WIDE
    return Console(file=file, width=width, highlight=False, emoji=False)


def _print_grid(console: Console, grid: Grid) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for position, name in enumerate(grid.head):
        numbers = all(isinstance(row[position], int | float) or row[position] == "" for row in grid.rows)
        widest = max((len(cell_text(row[position])) for row in grid.rows), default=0)
        justify: Literal["left", "right"] = "right" if numbers and grid.rows else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", min_width=min(widest, _UNBROKEN))
    for row in grid.rows:
        table.add_row(*(Text(cell_text(cell)) for cell in row))
    if grid.title:
        console.print(grid.title, markup=False, highlight=False)
    console.print(table)


def cell_text(cell: object) -> str:
    """A cell as people read it: thousands apart, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def value_text(value: Json, most: int = 60) -> str:
    """A value of a contact for people: quoted text, `nothing`, lists with commas."""
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, dict) and set(value) == {"+", "-"}:
        text = " ".join([*(f"+{one}" for one in value["+"]), *(f"-{one}" for one in value["-"])])
    elif isinstance(value, list):
        text = "[" + ", ".join(str(one) for one in value) + "]"
    elif isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    else:
        text = str(value)
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def counted(number: int, word: str, many: str = "") -> str:
    """`1 contact`, `2 contacts`, `12,431 entries`."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"
