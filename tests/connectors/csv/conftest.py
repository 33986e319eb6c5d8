"""Files in a folder of their own, and the connector over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from trueup.connectors.csv.connector import CsvConnector
from trueup.model.record import Cursor, Page, Reading, Record


class Desk:
    """A folder with `people.csv`, and a clock that may be moved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "people.csv"
        self.later = timedelta()

    def put(self, text: str, encoding: str = "utf-8", name: str = "people.csv") -> Path:
        return self.put_bytes(text.encode(encoding), name)

    def put_bytes(self, content: bytes, name: str = "people.csv") -> Path:
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def connector(self, key: str | None = "id", **options: Any) -> CsvConnector:
        options = {"path": str(self.file), "key": key} | options
        return CsvConnector("files", options, {"people": {"entity": "contact"}}, self.now)

    def records(self, key: str | None = "id", **options: Any) -> dict[str, Record]:
        records, _ = read_all(self.connector(key, **options))
        return {record.id: record for record in records}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


COLUMNS = ("id", "name", "email", "city", "note")


def read_all(
    connector: CsvConnector,
    reading: Reading = Reading.LISTING,
    cursor: Cursor | None = None,
    fields: tuple[str, ...] | None = None,
) -> tuple[list[Record], Page]:
    """Every record of one reading, and one page with all that was rejected and the last cursor. Without
    `fields`, those of `COLUMNS` that the file has."""
    if fields is None:
        there = {spec.name for spec in connector.fields("people")}
        fields = tuple(name for name in COLUMNS if name in there)
    records: list[Record] = []
    rejected: list[tuple[str, str]] = []
    while True:
        page = connector.pull("people", reading, cursor, fields)
        records += page.records
        rejected += page.rejected
        if not page.more:
            return records, Page((), page.cursor, False, rejected=tuple(rejected))
        cursor = page.cursor
