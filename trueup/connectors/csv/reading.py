"""Pages, look-ups, and the digest by which a reading knows that it goes on in the same content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from trueup.connectors.base import GoneItem
from trueup.connectors.columns import require_columns
from trueup.connectors.csv.rows import Layout, Now, Piece, combined, opened, to_record
from trueup.connectors.csv.settings import FileSettings
from trueup.errors import Refused, Transient
from trueup.model.record import Cursor, Json, Page, Record

PAGE = 1000


States: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Name, inode, size and time of each file."""


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of one file, with what is needed to read it."""

    layout: Layout
    file: str
    piece: Piece


@dataclass(slots=True)
class Progress:
    """A reading under way: the content it belongs to, in files of which `states` tells them from others; how
    many pieces it has given, and the rest; `anew` until it has given a page, if it began with another
    content."""

    digest: str
    states: States
    given: int
    rest: Iterator[Found]
    anew: bool = False


def files(settings: FileSettings) -> list[Path]:
    """The object's files, the last name first: of a series of exports the newest row counts.

    Transient when a pattern fits no file: an export that is not there says nothing about its rows.
    """
    if not settings.pattern:
        return [settings.path]
    every = settings.path.parent.glob(settings.path.name)
    found = sorted((path for path in every if _is_export(path, settings)), reverse=True)
    if not found:
        raise Transient(f"no file fits {settings.path.name}")
    return found


def _is_export(path: Path, settings: FileSettings) -> bool:
    """A hidden file is a part, a lock or a shadow of another, unless the pattern asks for it."""
    hidden = path.name.startswith(".") and not settings.path.name.startswith(".")
    return path.is_file() and not hidden


def states(settings: FileSettings) -> States:
    """What tells whether files were written or replaced since. Transient when one is gone meanwhile."""
    try:
        found = [(path.name, path.stat()) for path in files(settings)]
    except FileNotFoundError:
        raise Transient("a file was taken away while the files were read") from None
    return tuple((name, one.st_ino, one.st_size, one.st_mtime_ns) for name, one in found)


def digest(settings: FileSettings, now: Now, fields: Sequence[str]) -> str:
    """The content of all files as one digest. Refused when one of them lacks a column that is wanted."""
    digests = []
    for path in files(settings):
        with opened(path, settings, now) as table:
            require_columns(path.name, fields, table.layout.names)
            digests.append((path.name, table.digest))
    return combined(digests)


def every(settings: FileSettings, now: Now) -> Iterator[Found]:
    """Every row of every file; a row whose key a later-named file has already brought is left out."""
    seen: set[str] = set()
    several = settings.pattern and settings.key is not None
    for path in files(settings):
        mine: set[str] = set()
        with opened(path, settings, now) as table:
            for piece in table.pieces():
                if several and piece.id in seen:
                    continue
                if several and piece.id:
                    mine.add(piece.id)
                yield Found(table.layout, path.name, piece)
        seen |= mine


def start(settings: FileSettings, now: Now, content: str, there: States, skip: int = 0) -> Progress:
    """A reading of the files with this digest, which were so before it was made, from its beginning, or
    after the first `skip` pieces."""
    progress = Progress(content, there, 0, every(settings, now))
    for _ in range(skip):
        next(progress.rest, None)
        progress.given += 1
    return progress


def page(progress: Progress, settings: FileSettings, fields: Sequence[str]) -> Page:
    """The next records of a reading, with the lines that are none."""
    records: list[Record] = []
    rejected: list[tuple[str, str]] = []
    anew, progress.anew = progress.anew, False
    for found in progress.rest:
        progress.given += 1
        if found.piece.why:
            rejected.append((_place(found, settings), found.piece.why))
        elif found.piece.id:
            records.append(to_record(found.piece, found.layout, fields))
        if len(records) == PAGE:
            cursor: Cursor = {"digest": progress.digest, "given": progress.given}
            return Page(tuple(records), cursor, True, None, tuple(rejected), anew)
    _check_unmoved(progress, settings)
    return Page(tuple(records), {"digest": progress.digest}, False, None, tuple(rejected), anew)


def _check_unmoved(progress: Progress, settings: FileSettings) -> None:
    """One file is read as it was at one moment, several are not: a row that was moved from one that is still
    to be read into one that was read already would be in neither."""
    if settings.pattern and states(settings) != progress.states:
        raise Transient("a file was changed while the others were read")


def by_ids(
    settings: FileSettings, now: Now, ids: Sequence[str], fields: Sequence[str]
) -> list[Record | GoneItem]:
    """These rows now, in the order of `ids`."""
    wanted = set(ids)
    found = {
        row.piece.id: to_record(row.piece, row.layout, fields)
        for row in every(settings, now)
        if row.piece.id in wanted
    }
    return [found.get(id) or GoneItem() for id in ids]


def by_values(
    settings: FileSettings, now: Now, column: str, values: Sequence[Json], fields: Sequence[str]
) -> list[Record]:
    """Rows whose cell is one of the values, without regard to case and blanks around it."""
    wanted = {folded(str(value)) for value in values}
    records = []
    for row in every(settings, now):
        if column not in row.layout.names:
            raise Refused(f"{row.file} has no column `{column}`", fields={column: "there is no such column"})
        if row.piece.id and folded(row.piece.cells[row.layout.names.index(column)]) in wanted:
            records.append(to_record(row.piece, row.layout, fields))
    return records


def folded(cell: str) -> str:
    """A cell as look-ups compare it."""
    return cell.strip().casefold()


def _place(found: Found, settings: FileSettings) -> str:
    first = found.piece.line
    last = first + found.piece.lines - 1
    lines = f"line {first}" if last == first else f"lines {first}-{last}"
    return f"{found.file} {lines}" if settings.pattern else lines
