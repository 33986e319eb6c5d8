"""What a command answers: one JSON document, and the same for people. Nothing here reads a hub."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from trueup.model.record import Json

if TYPE_CHECKING:
    from rich.console import Console

FINE, FAILED, CONFIGURATION, CHANGES = 0, 1, 2, 3
"""Exit codes: fine; something failed, was parked, held or is partial; configuration; `plan --exit-code`
found changes."""

WIDE = 100_000
"""Columns of what is not shown on a terminal: in a pipe no line is folded, and none is cut."""
_ROOMY = 120
_UNBROKEN = 30
"""Cells up to this length are not broken over lines, where a line has room for it; words (ids, codes) up to
this length never are."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for people. Cells that are numbers stand to the right; where the table is too
    wide, those in columns `whole` follow it line by line: they are to be copied, and never broken. Where
    even the words of a row have no room beside each other, its cells stand below each other."""

    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""
    whole: Sequence[str] = ()


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
    text = orjson.dumps(document, option=option, default=_plain)
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(text.decode())
    else:  # JSON is UTF-8, whatever the terminal's own encoding
        sys.stdout.flush()
        raw.write(text)
        raw.flush()


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
    if isinstance(file, io.TextIOWrapper):  # a letter that the terminal does not have is no reason to stop
        file.reconfigure(errors="replace")
    width = None if file.isatty() else WIDE
    return Console(file=file, width=width, highlight=False, emoji=False)


def _print_grid(console: Console, grid: Grid) -> None:
    if grid.title:
        console.print(grid.title, markup=False, highlight=False)
    numbers = [_numbers(grid, position) for position in range(len(grid.head))]
    if sum(numbers) > 2 and _width(grid) > console.width:
        for line in number_lines(grid, numbers):
            console.print(line, markup=False, highlight=False)
        return
    if grid.whole and _width(grid) > console.width:
        _print_apart(console, grid)
        return
    widths = _widths(grid, console.width)
    if widths is None:
        _print_rows(console, grid)
    else:
        _print_table(console, grid, numbers, widths)


def _widths(grid: Grid, room: int) -> list[int] | None:
    """How wide each column is in so much room: as wide as its cells, else the widest are folded, but no
    short cell where the line is a roomy one, and no word. None where not even the words fit."""
    columns = [[cell_text(row[place]) for row in grid.rows] for place in range(len(grid.head))]
    heads = [name.split() for name in grid.head]
    room -= _gaps(len(columns))
    full = [_longest([name, *column]) for name, column in zip(grid.head, columns, strict=True)]
    words = [
        min(_longest([*head, *(word for cell in column for word in cell.split())]), _UNBROKEN)
        for head, column in zip(heads, columns, strict=True)
    ]
    cells = [max(word, min(_longest(column), _UNBROKEN)) for word, column in zip(words, columns, strict=True)]
    for least in ([cells] if room >= _ROOMY else []) + [words]:
        if sum(least) <= room:
            return _narrowed(full, least, room)
    return None


def _narrowed(full: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths of together at most `room`: the widest columns give way first, each down to its least."""
    widths = list(full)
    while sum(widths) > room:
        place = max(range(len(widths)), key=lambda one: (widths[one] > least[one], widths[one]))
        widths[place] -= 1
    return widths


def _gaps(columns: int) -> int:
    """What stands between cells and at the ends of a line."""
    return 3 * columns - 1


def _longest(texts: Iterable[str]) -> int:
    """The columns of a terminal that the longest takes: some letters take two."""
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def _print_rows(console: Console, grid: Grid) -> None:
    """Each row as lines of its own: what it is about, and its other cells below that, each with its name."""
    for row in grid.rows:
        texts = [cell_text(cell) for cell in row]
        console.print(texts[0], markup=False, highlight=False, soft_wrap=True)
        for name, text in list(zip(grid.head, texts, strict=True))[1:]:
            if text:
                line = f"  {name}: {text}" if name else f"  {text}"
                console.print(line, markup=False, highlight=False, soft_wrap=True)


def _print_apart(console: Console, grid: Grid) -> None:
    """The table without its whole columns, and these below it, each cell after its row's first one."""
    kept = [position for position, name in enumerate(grid.head) if name not in grid.whole]
    rows = [[row[position] for position in kept] for row in grid.rows]
    _print_grid(console, Grid([grid.head[position] for position in kept], rows))
    for name in grid.whole:
        place = list(grid.head).index(name)
        console.print(f"{name}:", markup=False, highlight=False)
        for row in grid.rows:
            if not (cell := cell_text(row[place])):
                continue
            text = f"  {cell_text(row[0])}  {cell}"
            console.print(text, markup=False, highlight=False, soft_wrap=True)


def _numbers(grid: Grid, position: int) -> bool:
    """Whether a column holds numbers and nothing else."""
    cells = [row[position] for row in grid.rows if row[position] != ""]
    return bool(cells) and all(isinstance(cell, int | float) for cell in cells)


def _width(grid: Grid) -> int:
    cells = [tuple(map(cell_text, row)) for row in grid.rows]
    widest = [_longest(column) for column in zip(grid.head, *cells, strict=True)]
    return sum(widest) + _gaps(len(widest))


def number_lines(grid: Grid, numbers: Sequence[bool]) -> list[str]:
    """Rows of many numbers for a narrow terminal: `sales Lead: creates 12, updates 3`."""
    lines = []
    for row in grid.rows:
        name = " ".join(cell_text(cell) for cell, number in zip(row, numbers, strict=True) if not number)
        said = [
            f"{head.lstrip('=+ ')} {cell_text(cell)}"
            for cell, head, number in zip(row, grid.head, numbers, strict=True)
            if number and cell
        ]
        lines.append(f"  {name}: {', '.join(said) or 'nothing'}")
    return lines


def _print_table(console: Console, grid: Grid, numbers: Sequence[bool], widths: Sequence[int]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for position, name in enumerate(grid.head):
        justify: Literal["left", "right"] = "right" if numbers[position] else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", width=widths[position])
    for row in grid.rows:
        table.add_row(*(Text(cell_text(cell)) for cell in row))
    console.print(table)


def cell_text(cell: object) -> str:
    """A cell as people read it: thousands apart, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def value_text(value: Json, most: int = 60) -> str:
    """A value of a contact for people: quoted text, `nothing`, lists and the parts of objects with commas."""
    from trueup.mapping.elements import is_change  # not before a value is shown: `--help` stays quick

    if value is None or value == "" or value == []:
        return "nothing"
    if is_change(value):
        signed = (("+", value["+"]), ("-", value["-"]))
        text = " ".join(f"{sign}{_element_text(one)}" for sign, some in signed for one in some)
    elif isinstance(value, list):
        text = "[" + ", ".join(_element_text(one) for one in value) + "]"
    elif isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, dict):
        text = _parts_text(value) or "nothing"
    else:
        text = str(value)
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _element_text(element: Json) -> str:
    """An element of a list; of an object what it holds, in the system's words."""
    if isinstance(element, list):
        return "[" + ", ".join(map(_element_text, element)) + "]"
    return "{" + _parts_text(element) + "}" if isinstance(element, dict) else str(element)


def _parts_text(parts: Mapping[str, Json]) -> str:
    """The parts of an object that say something, each under its name."""
    return ", ".join(f"{name} {_element_text(one)}" for name, one in parts.items() if one is not None)


def config_flag(folder: Path) -> str:
    """` --config DIR` for a command that shall find this folder; empty where it does so by itself."""
    return "" if folder in (Path(), Path("config")) else f" --config {shlex.quote(str(folder))}"
