"""All due writes of a file in one go: a new file beside it, then one rename.

What is not written to stays as it was, byte for byte: encoding, mark, delimiter, quotes, line ends, the
order of rows and columns, columns nobody maps, lines that cannot be read. Cells are written as they are;
a value that a spreadsheet would take for a formula (`=…`, `+…`) is not defused, for that would change it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from glob import escape
from pathlib import Path
from typing import BinaryIO

from trueup.connectors.base import (
    Done,
    GoneItem,
    NotApplied,
    Outcome,
    RefusedItem,
    StaleItem,
    WriteItem,
)
from trueup.connectors.csv.reading import folded
from trueup.connectors.csv.rows import (
    Layout,
    Now,
    Piece,
    Table,
    id_of,
    open_file,
    opened,
    plain_id,
    to_record,
)
from trueup.connectors.csv.settings import FileSettings
from trueup.errors import Transient
from trueup.model.delivery import WriteKind
from trueup.model.record import Json

try:
    import fcntl
except ImportError:  # Windows: there the rename itself fails while another program has the file open
    fcntl = None  # type: ignore[assignment]


NEXT_READING = 120.0
"""Seconds: a row without a key that was edited is found again by a reading of the whole file, not sooner."""


def write_file(
    settings: FileSettings, now: Now, items: Sequence[WriteItem], fields: Sequence[str]
) -> list[Outcome]:
    """Apply the items, in order, to the file behind the path (a link stays a link).

    Everything is stale when another program changed the file meanwhile: then nothing was written.
    """
    path = settings.path.resolve()
    with _locked(path), opened(path, settings, now) as table:
        draft = _survey(table, items)
        outcomes = [_apply(draft, item, fields) for item in items]
        if not draft.lines and not draft.added:
            return outcomes
        if _replaced(path, table, draft):
            return outcomes
    return [_overtaken(item) for item in items]


def _overtaken(item: WriteItem) -> Outcome:
    if item.kind is WriteKind.CREATE:
        return NotApplied("another program changed the file meanwhile")
    return StaleItem()


# -- what the items mean for the rows -----------------------------------------------------------------


@dataclass(slots=True)
class Draft:
    """The rows that the items are about, and what becomes of them.

    `rows` by present id; `counts` as in `id_of`; `holders`: for each upsert the ids that have its value.
    `lines`: first line of a row to its new text, None for a deleted one. `added`: new rows, by number.
    `pattern`: the row whose use of quotes new rows follow.
    """

    layout: Layout
    rows: dict[str, Piece] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    holders: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    lines: dict[int, str | None] = field(default_factory=dict)
    added: dict[int, str] = field(default_factory=dict)
    pattern: Piece = Piece(0, "")


def _survey(table: Table, items: Sequence[WriteItem]) -> Draft:
    """One pass over the file for the rows that the items name, by id or by upsert key."""
    layout = table.layout
    draft = Draft(layout, holders={_upsert(item): [] for item in items if item.upsert})
    wanted = {item.id for item in items} | {_given_id(layout, item) for item in items}
    places = {column: layout.names.index(column) for column, _ in draft.holders if column in layout.names}
    for piece in table.pieces():
        if not piece.id:
            continue
        keys = [(column, folded(piece.cells[place])) for column, place in places.items()]
        held = [key for key in keys if key in draft.holders]
        for key in held:
            draft.holders[key].append(piece.id)
        if held or piece.id in wanted:
            draft.rows[piece.id] = piece
        if layout.key is None:
            draft.counts[piece.id.split("-")[0]] = draft.counts.get(piece.id.split("-")[0], 0) + 1
        draft.pattern = piece
    return draft


def _upsert(item: WriteItem) -> tuple[str, str]:
    column, value = item.upsert or ("", None)
    return column, folded(_text(value))


def _given_id(layout: Layout, item: WriteItem) -> str:
    """The id that a new row is to have, or a row is to get; empty where the item does not say."""
    if layout.key is None:
        return ""
    return plain_id(_text(_asked(item).get(layout.names[layout.key])))


def _asked(item: WriteItem) -> Mapping[str, Json]:
    return {item.upsert[0]: item.upsert[1], **item.values} if item.upsert else item.values


def _apply(draft: Draft, item: WriteItem, fields: Sequence[str]) -> Outcome:
    wrong = _wrong_values(draft.layout, item)
    if wrong:
        unheard = all(why.startswith(_NO_CHARACTER) for why in wrong.values())
        code = "TU-VAL-005" if unheard else "TU-REF-001"
        return RefusedItem("; ".join(f"`{name}` {why}" for name, why in wrong.items()), wrong, code=code)
    match item.kind:
        case WriteKind.CREATE:
            return _create(draft, item, fields)
        case WriteKind.UPDATE | WriteKind.DEACTIVATE | WriteKind.REACTIVATE:
            return _change(draft, item, fields)
        case WriteKind.DELETE:
            return _delete(draft, item)
        case WriteKind.MERGE:
            return RefusedItem("a file has no way to merge rows")


def _create(draft: Draft, item: WriteItem, fields: Sequence[str]) -> Outcome:
    layout = draft.layout
    there = draft.holders.get(_upsert(item), []) if item.upsert else []
    if len(there) > 1:
        column = _upsert(item)[0]
        return RefusedItem(f"{len(there)} rows have this `{column}`", {column: "is not unique"}, there[0])
    if there:
        return _change(draft, replace(item, id=there[0], version=None, values=_asked(item)), fields)
    id = _given_id(layout, item)
    unfit = _unfit_key(draft, id, "") if layout.key is not None else None
    return unfit or _added(draft, item, fields)


def _unfit_key(draft: Draft, id: str, own: str) -> RefusedItem | None:
    """Why a row may not get this id: none, or that of another row. `own`: the id that it has."""
    if id and (id == own or id not in draft.rows):
        return None
    name = draft.layout.names[draft.layout.key or 0]
    why = "is taken by another row" if id else "must not be empty"
    return RefusedItem(f"`{name}` {why}", {name: why}, id or None, "TU-REF-011" if id else "TU-REF-001")


def _added(draft: Draft, item: WriteItem, fields: Sequence[str]) -> Outcome:
    asked = _asked(item)
    cells = tuple(_text(asked.get(name)) for name in draft.layout.names)
    number = len(draft.added)
    quoted = _quoted_by_habit(draft.pattern, draft.layout)
    raw = draft.layout.delimiter.join(
        _cell(cell, was, draft.layout, alone=len(cells) == 1)
        for cell, was in zip(cells, [*quoted, *[False] * len(cells)], strict=False)
    )
    piece = Piece(-1 - number, raw, cells, id_of(draft.layout, cells, draft.counts))
    draft.added[number] = raw
    return _kept(draft, piece, item, fields, created=True)


def _quoted_by_habit(row: Piece, layout: Layout) -> list[bool]:
    """Which cells of a row stand in quotes without need; a cell that needs them says nothing of others."""
    raws = _raw_cells(row, layout)
    return [
        raw.startswith('"') and not _needs_quotes(cell, layout)
        for raw, cell in zip(raws, row.cells, strict=False)
    ]


def _change(draft: Draft, item: WriteItem, fields: Sequence[str]) -> Outcome:
    row = _addressed(draft, item)
    if not isinstance(row, Piece):
        return row
    if not item.values and item.kind is not WriteKind.UPDATE:
        return RefusedItem(f"the configuration names no values that {item.kind} a row")
    cells = list(row.cells)
    for name, value in item.values.items():
        cells[draft.layout.names.index(name)] = _text(value)
    if tuple(cells) == row.cells:
        return _kept(draft, row, item, fields)
    return _rewritten(draft, row, tuple(cells), item, fields)


def _rewritten(
    draft: Draft, row: Piece, cells: tuple[str, ...], item: WriteItem, fields: Sequence[str]
) -> Outcome:
    layout = draft.layout
    unfit = _unfit_key(draft, plain_id(cells[layout.key]), row.id) if layout.key is not None else None
    if unfit is not None:
        return unfit
    _forget(draft, row)
    new = Piece(row.line, _new_raw(row, cells, layout), cells, id_of(layout, cells, draft.counts))
    if row.line < 0:
        draft.added[-1 - row.line] = new.raw
    else:
        draft.lines[row.line] = new.raw
    return _kept(draft, new, item, fields)


def _delete(draft: Draft, item: WriteItem) -> Outcome:
    row = _addressed(draft, item)
    if not isinstance(row, Piece):
        return row
    _forget(draft, row)
    if row.line < 0:
        del draft.added[-1 - row.line]
    else:
        draft.lines[row.line] = None
    return Done(row.id)


def _addressed(draft: Draft, item: WriteItem) -> Piece | GoneItem | StaleItem | NotApplied:
    row = draft.rows.get(item.id or "")
    if row is None and draft.layout.key is None:
        return NotApplied("the row is not there as it was read; the next reading tells", NEXT_READING)
    if row is None:
        return GoneItem()
    return row if item.version in (None, to_record(row, draft.layout, ()).version) else StaleItem()


def _forget(draft: Draft, row: Piece) -> None:
    del draft.rows[row.id]
    if draft.layout.key is None:
        draft.counts[row.id.split("-")[0]] -= 1


def _kept(draft: Draft, row: Piece, item: WriteItem, fields: Sequence[str], created: bool = False) -> Done:
    draft.rows[row.id] = row
    if item.upsert and row.id not in draft.holders[_upsert(item)]:
        draft.holders[_upsert(item)].append(row.id)
    return Done(row.id, to_record(row, draft.layout, fields), created)


# -- cells --------------------------------------------------------------------------------------------


_NO_CHARACTER = "holds a character that"


def _wrong_values(layout: Layout, item: WriteItem) -> dict[str, str]:
    wrong = {}
    for name, value in _asked(item).items():
        if name not in layout.names:
            wrong[name] = "there is no such column"
        elif isinstance(value, (dict, list)):
            wrong[name] = "takes text"
        elif not _fits(_text(value), layout):
            wrong[name] = f"{_NO_CHARACTER} {layout.encoding.codec} has not"
    return wrong


def _fits(text: str, layout: Layout) -> bool:
    try:
        text.encode(layout.encoding.codec)
    except UnicodeEncodeError:
        return False
    return True


def _text(value: Json) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _new_raw(row: Piece, cells: Sequence[str], layout: Layout) -> str:
    """The row's text with the changed cells replaced; a cell that stood in quotes stays in quotes."""
    old = _raw_cells(row, layout)
    if len(old) != len(row.cells):
        old = [""] * len(row.cells)  # quotes in odd places: the row is written anew
    end = row.raw[len(row.raw.rstrip("\r\n")) :]
    parts = [
        raw if raw and cell == before else _cell(cell, raw.startswith('"'), layout, alone=len(cells) == 1)
        for cell, before, raw in zip(cells, row.cells, old, strict=True)
    ]
    return layout.delimiter.join(parts) + end


def _cell(text: str, quoted: bool, layout: Layout, alone: bool) -> str:
    if quoted or _needs_quotes(text, layout) or (alone and not text.strip()):
        return '"' + text.replace('"', '""') + '"'
    return text


def _needs_quotes(text: str, layout: Layout) -> bool:
    return any(letter in text for letter in (layout.delimiter, '"', "\n", "\r"))


def _raw_cells(row: Piece, layout: Layout) -> list[str]:
    """The row's text cut into its cells as they stand, quotes and all."""
    parts, start, inside = [], 0, False
    raw = row.raw.rstrip("\r\n")
    for place, letter in enumerate(raw):
        if letter == '"' and (inside or place == start):
            inside = not inside
        elif letter == '"' and raw[start : start + 1] == '"':
            inside = True  # a doubled quote: the cell goes on
        elif letter == layout.delimiter and not inside:
            parts.append(raw[start:place])
            start = place + 1
    return [*parts, raw[start:]] if row.cells else []


# -- the file -----------------------------------------------------------------------------------------


def _replaced(path: Path, table: Table, draft: Draft) -> bool:
    """Write the new file beside the old one and put it in its place; False if the old one moved on."""
    try:
        _clear_away(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise Transient(f"no file can be made beside {path.name} ({error.strerror})") from None
    try:
        with os.fdopen(handle, "wb") as target:
            _copy(table, draft, target)
            target.flush()
            os.fsync(target.fileno())
        _take_over_rights(path, Path(name))
        table.check_unchanged()
        if not table.stands_at(path):
            return False
        Path(name).replace(path)
    except Transient:
        return False
    except OSError as error:
        raise Transient(f"{path.name} cannot be replaced ({error.strerror})") from None
    finally:
        Path(name).unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def _clear_away(path: Path) -> None:
    """The parts of writers that were killed: they hold everybody who is in the file, and nobody else would
    remove them. Who holds the lock writes alone."""
    if fcntl is not None:
        for part in path.parent.glob(f".{escape(path.name)}.*.part"):
            part.unlink(missing_ok=True)


def _copy(table: Table, draft: Draft, target: BinaryIO) -> None:
    layout = table.layout
    target.write(layout.encoding.mark)
    ended = True
    for piece in table.pieces():
        raw = draft.lines.get(piece.line, piece.raw)
        if raw:
            target.write(raw.encode(layout.encoding.codec, layout.encoding.errors))
            ended = raw.endswith(("\n", "\r"))
    for raw in draft.added.values():
        text = raw + layout.end if ended else layout.end + raw
        target.write(text.encode(layout.encoding.codec))


def _take_over_rights(old: Path, new: Path) -> None:
    shutil.copymode(old, new)
    if hasattr(os, "chown"):
        state = old.stat()
        with suppress(PermissionError):
            os.chown(new, state.st_uid, state.st_gid)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time among us. The lock hangs on the file itself; if that was replaced while we
    waited, the lock is taken again on the one that stands there now."""
    while fcntl is not None and path.exists():
        with open_file(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                yield
                return
    yield
