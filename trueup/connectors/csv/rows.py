"""A file as rows: each with its line, its text as it stands, its cells and its id."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import orjson

from trueup.connectors.csv.dialect import SAMPLE, Encoding, delimiter_of, encoding_of, names_of
from trueup.connectors.csv.settings import FileSettings
from trueup.errors import Malformed, Transient, Unauthorized
from trueup.model.counting import counted
from trueup.model.record import Record

Now = Callable[[], datetime]
_LINE_END = re.compile("\r\n|\r|\n")
_DAMAGED = re.compile("[\udc80-\udcff]")
STILL_WRITING = 600.0
"""Seconds: an incomplete end is taken for a file that is being written, until nobody touched it so long."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one file is written. `names` are the columns; `header` the number of lines before the rows."""

    encoding: Encoding
    delimiter: str
    names: tuple[str, ...]
    header: int
    end: str
    key: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One row, or what stands in a row's place. `raw` is its text as it stands, with its line end.

    A row has an `id`; what cannot be a row has a `why`; header and blank lines have neither.
    """

    line: int
    raw: str
    cells: tuple[str, ...] = ()
    id: str = ""
    why: str = ""

    @property
    def lines(self) -> int:
        """How many lines of the file it takes."""
        return len(_LINE_END.findall(self.raw.rstrip("\r\n"))) + 1


class Table:
    """An open file. Its bytes are those of one moment, or reading it ends with Transient."""

    def __init__(
        self, file: BinaryIO, path: Path, settings: FileSettings, now: Callable[[], datetime]
    ) -> None:
        self._file = file
        self._path = path
        self._now = now
        self._before = _state(file)
        self.digest = _digest(file)
        self.layout = _layout(file, path, settings, self.incomplete)

    def pieces(self) -> Iterator[Piece]:
        """Everything in the file, in order. Transient or Malformed where its end is incomplete."""
        counts: dict[str, int] = {}
        last = Piece(0, "")
        for piece in _parse(self._file, self.layout, self._undecodable):
            if piece.line > self.layout.header:
                piece = _identified(piece, self.layout, counts)
            last = piece
            yield piece
        self.check_unchanged()
        self._check_end(last)

    def check_unchanged(self) -> None:
        """Transient if the file was written since it was opened."""
        if _state(self._file) != self._before:
            raise Transient("the file is being written while it is read")

    def stands_at(self, path: Path) -> bool:
        """Whether the path still leads to this very file, with the content that was read."""
        try:
            there = path.stat()
        except OSError:
            return False
        same = os.path.samestat(there, os.fstat(self._file.fileno()))
        return same and _state(self._file) == self._before and _digest(self._file) == self.digest

    def incomplete(self, message: str) -> Transient | Malformed:
        """Perhaps the rest is still to come; not after a while, unless the clocks disagree."""
        age = self._now().timestamp() - os.fstat(self._file.fileno()).st_mtime
        if age < STILL_WRITING:
            remedy = "wait until it is whole, and run again; if it stays so, repair it"
            return Transient(f"{self._path.name}: {message}; it may still be on its way", remedy=remedy)
        return Malformed(f"{self._path.name}: {message}", remedy="repair the file")

    def _check_end(self, last: Piece) -> None:
        if "unexpected end" in _misquoted(last, self.layout):
            raise self.incomplete(f"a quote that opens in line {last.line} is never closed")
        if last.why and not last.raw.endswith(("\n", "\r")) and len(last.cells) < len(self.layout.names):
            verdict = self.incomplete("the last line breaks off")
            if isinstance(verdict, Transient):
                raise verdict

    def _undecodable(self, line: int) -> Transient | Malformed:
        codec = self.layout.encoding.codec
        return self.incomplete(f"after line {line} there are bytes that are not {codec}")


@contextmanager
def opened(path: Path, settings: FileSettings, now: Now) -> Iterator[Table]:
    """The file as a table. Raises what `open_file` raises."""
    with open_file(path) as file:
        yield Table(file, path, settings, now)


def open_file(path: Path) -> BinaryIO:
    """The file, open. Transient where it is missing or its disk does not answer, Unauthorized where it may
    not be read."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        remedy = f"put {path.name} there, or correct `path:` in the connection's file"
        raise Transient(f"there is no file {_from_here(path)}", remedy=remedy) from None
    except IsADirectoryError:
        raise Malformed("the path is a folder, not a file") from None
    except PermissionError:
        raise Unauthorized("the file may not be read") from None
    except OSError as error:
        raise Transient(f"the file cannot be opened ({error.strerror})") from None


def _from_here(path: Path) -> Path:
    """The path as people would type it from where they are."""
    whole, here = path.resolve(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else whole


def to_record(piece: Piece, layout: Layout, fields: Sequence[str]) -> Record:
    """A row as a record: wanted columns as text, None for an empty cell; the version is the content."""
    wanted = set(fields)
    cells = zip(layout.names, piece.cells, strict=False)
    return Record(
        id=piece.id,
        values={name: cell or None for name, cell in cells if name in wanted},
        version=_hash(layout, piece.cells),
    )


def plain_id(cell: str) -> str:
    """A key cell as an id: without blanks around it."""
    return cell.strip()


def id_of(layout: Layout, cells: Sequence[str], counts: dict[str, int]) -> str:
    """The row's id: its key cell, or its content; `counts` numbers rows of the same content."""
    if layout.key is not None:
        return plain_id(cells[layout.key])
    content = _hash(layout, cells)
    counts[content] = counts.get(content, 0) + 1
    return content if counts[content] == 1 else f"{content}-{counts[content]}"


def _hash(layout: Layout, cells: Sequence[str]) -> str:
    """Of the cells with their columns' names, so that neither rows nor columns need to stay in order."""
    pairs = sorted(zip(layout.names, cells, strict=False))
    packed = "\x1f".join(part for pair in pairs for part in pair).encode("utf-8", "surrogatepass")
    return blake2b(packed, digest_size=10).hexdigest()


def _identified(piece: Piece, layout: Layout, counts: dict[str, int]) -> Piece:
    if not piece.cells or (len(piece.cells) == 1 and not piece.cells[0].strip() and len(layout.names) > 1):
        return piece  # a blank line
    why = _wrong_with(piece, layout)
    id = "" if why else id_of(layout, piece.cells, counts)
    if not why and layout.key is not None:
        first = counts.setdefault(id, piece.line)
        if first != piece.line:
            id, why = "", f"`{layout.names[layout.key]}` is the same as in line {first}"
    return Piece(piece.line, piece.raw, piece.cells, id, why)


def _misquoted(piece: Piece, layout: Layout) -> str:
    """What a strict reader says against the quotes of a row; empty where it agrees."""
    try:
        list(csv.reader([piece.raw], delimiter=layout.delimiter, strict=True))
    except csv.Error as error:
        return str(error)
    return ""


def _wrong_with(piece: Piece, layout: Layout) -> str:
    """Why this cannot be a row. A quote that somebody forgot to close swallows the rows up to the next one: a
    text over several lines is one row only if its quotes are in order."""
    if _DAMAGED.search(piece.raw):
        return f"holds bytes that are not {layout.encoding.codec}"
    if piece.lines > 1 and _misquoted(piece, layout):
        return (
            "holds a quote that is not closed where its cell ends, and may have swallowed the rows after it"
        )
    width = len(layout.names)
    if len(piece.cells) < width or any(piece.cells[width:]):
        return f"has {counted(len(piece.cells), 'cell')} where the header has {width}"
    if layout.key is not None and not plain_id(piece.cells[layout.key]):
        return f"`{layout.names[layout.key]}` is empty"
    return ""


def _parse(file: BinaryIO, layout: Layout, undecodable: Callable[[int], Exception]) -> Iterator[Piece]:
    text = _text(file, layout.encoding)
    taken: list[str] = []

    def feed() -> Iterator[str]:
        for line in text:
            taken.append(line)
            yield line

    start, reader = 1, csv.reader(feed(), delimiter=layout.delimiter)
    try:
        for cells in reader:
            yield Piece(start, "".join(taken), tuple(cells))
            start += len(taken)
            taken.clear()
    except UnicodeDecodeError:
        raise undecodable(start - 1) from None
    finally:
        text.detach()


def _layout(
    file: BinaryIO, path: Path, settings: FileSettings, incomplete: Callable[[str], Exception]
) -> Layout:
    encoding = encoding_of(file, settings.encoding)
    text = _text(file, encoding)
    try:
        sample = text.read(SAMPLE // 4)
    except UnicodeDecodeError:
        raise incomplete(f"the file is not {encoding.codec}") from None
    finally:
        text.detach()
    if not sample.strip():
        raise incomplete("the file is empty: not even a header")
    delimiter = delimiter_of(sample, settings.delimiter)
    rows, lines = _first_rows(sample, delimiter)
    told = rows[0] == ["sep=" + delimiter] or sample.startswith(f"sep={delimiter}")
    names = settings.columns or tuple(names_of(rows[1] if told and len(rows) > 1 else rows[0]))
    header = 0 if settings.columns else lines[1 if told and len(lines) > 1 else 0]
    return Layout(encoding, delimiter, tuple(names), header, _line_end(sample), _key(settings, names, path))


def _first_rows(sample: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The first two rows, and the line with which each of them ends."""
    rows, ends = [], []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    for row in reader:
        rows.append(row)
        ends.append(reader.line_num)
        if len(rows) == 2:
            break
    return rows, ends


def _key(settings: FileSettings, names: Sequence[str], path: Path) -> int | None:
    if settings.key is None:
        return None
    if settings.key not in names:
        raise Malformed(f"{path.name} has no column `{settings.key}`",
                        remedy=f"the columns are {', '.join(names)}")  # fmt: skip
    return list(names).index(settings.key)


def _line_end(sample: str) -> str:
    line = io.StringIO(sample, newline="").readline()
    return line[len(line.rstrip("\r\n")) :] or "\n"


def _text(file: BinaryIO, encoding: Encoding) -> io.TextIOWrapper:
    file.seek(len(encoding.mark))
    return io.TextIOWrapper(file, encoding.codec, encoding.errors, newline="")


def _state(file: BinaryIO) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    content = blake2b(digest_size=16)
    while chunk := file.read(SAMPLE):
        content.update(chunk)
    return content.hexdigest()


def combined(digests: Sequence[tuple[str, str]]) -> str:
    """One digest for several files, by name and content."""
    return blake2b(orjson.dumps(digests), digest_size=16).hexdigest()
