"""Raw rows to Records, by the paths of the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from trueup.connectors.manifest import RecordPaths
from trueup.connectors.paths import path, pick
from trueup.connectors.stamps import parse_stamp
from trueup.model.record import Json, Record, is_id, legible

Getter = Callable[[Json], Json]


@dataclass(frozen=True, slots=True)
class RecordReader:
    """RecordPaths with every path compiled."""

    words: RecordPaths
    id: Getter
    values: Getter
    version: Getter
    changed_at: Getter
    deleted: Getter
    successor: Getter
    successor_object: Getter
    aliases: Getter

    def read(self, row: Json, fields: Sequence[str]) -> Record | None:
        """The record in a row, with those of `fields` that it says; None if the row has no id."""
        return self._record(row, pick(self.values(row), fields, self.words.nested))

    def _record(self, row: Json, values: dict[str, Json]) -> Record | None:
        id = text_id(self.id(row))
        if not id:
            return None
        return Record(
            id,
            values,
            _text(self.version(row)),
            parse_stamp(self.changed_at(row), self.words.stamp_format),
            bool(self.deleted(row)),
            text_id(self.successor(row)) or None,
            _text(self.successor_object(row)),
            _aliases(self.aliases(row), self.words.aliases_split, id),
        )

    def read_whole(self, row: Json, fields: Sequence[str]) -> Record | None:
        """As `read`, for answers to readings: what the vendor leaves out may be empty there."""
        if self.words.omitted == "absent" or self.deleted(row):
            return self.read(row, fields)
        said = pick(self.values(row), fields, self.words.nested)
        return self._record(row, {**dict.fromkeys(fields), **said})


@lru_cache(maxsize=512)
def reader(words: RecordPaths) -> RecordReader:
    """The compiled reader for these paths."""
    return RecordReader(
        words,
        path(words.id),
        path(words.values),
        path(words.version),
        path(words.changed_at),
        path(words.deleted),
        path(words.successor),
        path(words.successor_object),
        path(words.aliases),
    )


def text_id(value: Json) -> str:
    """An id as text; empty for what is none. Numbers that came as floats lose no digits silently."""
    if isinstance(value, str):
        return value if is_id(value) else ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def _text(value: Json) -> str | None:
    return None if value is None or value == "" or isinstance(value, bool) else legible(str(value))


def _aliases(value: Json, split: str, id: str) -> tuple[str, ...]:
    parts = value.split(split) if isinstance(value, str) else value
    if not isinstance(parts, list):
        return ()
    ids = (text_id(part).strip() for part in parts)
    return tuple(dict.fromkeys(alias for alias in ids if alias and alias != id))


def read_rows(
    rows: Iterable[Json], read: Callable[[Json], Record | None]
) -> tuple[tuple[Record, ...], tuple[tuple[str, str], ...]]:
    """(records, rejected rows with the reason). Of several rows with one id the newest stays."""
    records: dict[str, Record] = {}
    rejected: list[tuple[str, str]] = []
    for number, row in enumerate(rows, 1):
        record = read(row) if isinstance(row, Mapping) else None
        if record is None:
            reason = "it has no id" if isinstance(row, Mapping) else "it is no object"
            rejected.append((f"row {number} of the page", reason))
        elif record.id not in records or not _older(record, records[record.id]):
            records[record.id] = record
    return tuple(records.values()), tuple(rejected)


def _older(one: Record, other: Record) -> bool:
    return one.changed_at is not None and other.changed_at is not None and one.changed_at < other.changed_at
