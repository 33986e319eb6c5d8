"""What a table is made of: its dialect, the column that identifies a row, the field of each column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trueup.connectors.csv.connector import CsvConnector
from trueup.connectors.csv.dialect import delimiter_of, encoding_of
from trueup.connectors.csv.settings import AUTO
from trueup.errors import ConnectorError, TrueupError
from trueup.model.record import Json, Reading
from trueup.ports import Clock
from trueup.services.headers import KEY, field_of, is_id_like, is_surname_first
from trueup.services.initialise.consent import OptOut, Perhaps, opt_outs, perhaps
from trueup.services.name_order import NAMED, Names, names_of


class NoTable(TrueupError):
    """A file that is no table, or one in which no column could be recognised."""

    code = "TU-INI-002"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is made of. `fields`: contact field to column; `turned`: field to transform.

    `key` identifies a row, None if no column does. `opt_outs`: columns that tell who wants no more of
    something. `left`: columns that nobody is sure about. `perhaps`: those of them that may tell of consent.
    `names`: those of its people, as they are read.
    """

    path: Path
    encoding: str
    delimiter: str
    rows: int
    columns: tuple[str, ...]
    key: str | None
    fields: Mapping[str, str]
    turned: Mapping[str, str] = field(default_factory=dict)
    opt_outs: tuple[OptOut, ...] = ()
    left: tuple[str, ...] = ()
    perhaps: tuple[Perhaps, ...] = ()
    names: Names = field(default_factory=lambda: Names({}, {}))


def look_at(path: Path, clock: Clock) -> Table:
    """Encoding, delimiter, columns, and which field of a contact each is. Raises NoTable."""
    if not path.is_file():
        raise NoTable(f"there is no file {path}")
    if _begins(path, _SQLITE):
        raise NoTable(
            f"{path.name} is a SQLite database, not a text table: connect it as NAME=sql:ROLE, and write its"
            " URL (sqlite:////the/whole/path) into config/.env"
        )
    connector = CsvConnector(
        path.stem, {"path": str(path.resolve())}, {"rows": {"entity": "contact"}}, clock.now
    )
    try:
        columns = tuple(spec.name for spec in connector.fields("rows"))
        page = connector.pull("rows", Reading.LISTING, None, columns)
    except ConnectorError as error:
        raise NoTable(f"{path.name}: {error.message}") from None
    finally:
        connector.close()
    samples = {name: [row.values.get(name) for row in page.records] for name in columns}
    return _understood(path, columns, samples, len(page.records))


def _understood(
    path: Path, columns: tuple[str, ...], samples: Mapping[str, Sequence[Json]], rows: int
) -> Table:
    found: dict[str, str] = {}
    for name in columns:
        meant = field_of(name)
        if meant is not None and meant not in found:
            found[meant] = name
    key = found.pop(KEY, None) or _id_like(columns, found, samples)
    if "full_name" in found and "last_name" in found:
        found.pop("full_name")
    if not found.keys() & {"email", "phone", "phones.mobile", "full_name", "last_name"}:
        raise NoTable(
            f"{path.name}: no column could be recognised as a name, an e-mail address or a telephone number "
            f"(its columns are {', '.join(columns)})"
        )
    encoding, delimiter = _dialect(path)
    out = tuple(opt_outs([name for name in columns if name not in found.values()], samples))
    used = {*found.values(), key, *(one.column for one in out)}
    left = tuple(name for name in columns if name not in used)
    turned = {name: how for name, column in found.items() if (how := _turned(name, column, samples[column]))}
    return Table(
        path.resolve(),
        encoding,
        delimiter,
        rows,
        columns,
        key if key is not None and _identifies(samples[key]) else None,
        found,
        turned,
        out,
        left,
        tuple(perhaps(left, out, samples)),
        _names(found, turned, samples),
    )


_SQLITE = b"SQLite format 3\0"


def _begins(path: Path, sign: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(sign)) == sign


def _names(
    found: Mapping[str, str], turned: Mapping[str, str], samples: Mapping[str, Sequence[Json]]
) -> Names:
    named = [name for name in NAMED if name in found]
    columns = [samples[found[name]] for name in named]
    rows = [dict(zip(named, row, strict=True)) for row in zip(*columns, strict=True)]
    return names_of(rows, whole="full_name" in found and "full_name" not in turned)


def _id_like(
    columns: Sequence[str], found: Mapping[str, str], samples: Mapping[str, Sequence[Json]]
) -> str | None:
    """The first column that is named like one of ids and is different in every row. An address may be so,
    too, but whoever changes it would be somebody else."""
    rest = (name for name in columns if name not in found.values() and is_id_like(name))
    return next((name for name in rest if _identifies(samples[name])), None)


def _dialect(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        encoding = encoding_of(file, AUTO)
        file.seek(len(encoding.mark))
        text = file.read(1 << 18).decode(encoding.codec, "replace")
    return encoding.codec, delimiter_of(text, AUTO)


def _identifies(values: Sequence[Json]) -> bool:
    """Whether every row has a value there, and no two the same."""
    return bool(values) and all(values) and len(set(values)) == len(values)


_DAYS = re.compile(r"(\d\d?)([./-])(\d\d?)\2\d{2,4}", re.ASCII)


def _turned(field: str, column: str, values: Sequence[Json]) -> str:
    """The transform that a column's name or its values call for, empty for none."""
    texts = [str(value) for value in values if value]
    if field == "birthday":
        return _date_order(texts)
    if field in ("tags", "interests"):
        return (
            "semicolon_list" if sum(";" in t for t in texts) > sum("," in t for t in texts) else "comma_list"
        )
    if field == "full_name":
        return _name_order(column, texts)
    return ""


def _name_order(column: str, texts: Sequence[str]) -> str:
    if texts and sum("," in text for text in texts) * 2 > len(texts):
        return "last_first"
    return "last_first(space)" if is_surname_first(column) else ""


def _date_order(texts: Sequence[str]) -> str:
    """The transform for the sign that most dates are written with: dots mean day, month, year; otherwise
    days over 12 must show one order, and none the other. Dates with other signs stay as they are."""
    found = [day for text in texts if (day := _DAYS.fullmatch(text.strip()))]
    signs = Counter(day[2] for day in found)
    sign = max(signs, key=lambda one: (signs[one], one), default="")
    if not sign or signs[sign] * 2 < len(texts):
        return ""
    if sign == ".":
        return "date_dmy(.)"
    first = any(int(day[1]) > 12 for day in found if day[2] == sign)
    second = any(int(day[3]) > 12 for day in found if day[2] == sign)
    words = "slash" if sign == "/" else sign
    return "" if first == second else f"date_dmy({words})" if first else f"date_mdy({words})"
