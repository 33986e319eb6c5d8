"""A text table on disk keeps what every connector promises, as far as a file can."""

from __future__ import annotations

import csv
import errno
import io
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from trueup.connectors.base import Connector, WebhookRequest
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.model.record import Json
from trueup.ports import Budget
from trueup.testing.acceptance import CannotPlay, Harness, Trouble, accepted
from trueup.testing.acceptance.clock import HandClock
from trueup.testing.acceptance.verdict import ask

COLUMNS = ("id", "name", "email", "note")
ENCODING = "cp1252"


class FileWay:
    """Watches what the process opens and replaces, and lets it fail."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.calls = 0
        self.writes = 0
        self.reached: Set[str] = frozenset()
        self.trouble: Trouble | None = None
        self.kept = b""

    @property
    def patience(self) -> float | None:
        raise CannotPlay("nobody answers a call")

    def strike(self, trouble: Trouble, says: str) -> None:
        page = {Trouble.HTML: b"<!doctype html>\n<html><body>Sign in</body></html>\n"}
        page |= {Trouble.OTHER_FORM: b'{"surprise": [7, null]}\n'}
        page |= {Trouble.HALF: self.file.read_bytes()[:-9]}
        if trouble in page:
            self.kept = self.file.read_bytes()
            self.file.write_bytes(page[trouble])
        elif trouble not in (Trouble.LOST_REQUEST, Trouble.UNAUTHORIZED):
            raise CannotPlay("nobody stands between a file and its reader")
        self.trouble = trouble

    def heal(self) -> None:
        self.trouble = None
        if self.kept:
            self.file.write_bytes(self.kept)
        self.kept = b""

    def held(self) -> int:
        folder = Path("/proc/self/fd")
        if not folder.is_dir():
            raise CannotPlay("this machine does not tell which files are open")
        links = [one.readlink() for one in folder.iterdir() if one.is_symlink()]
        return sum(link == self.file for link in links)

    def seen(self, event: str, args: tuple[Any, ...]) -> None:
        """Told by the interpreter of each file that is opened or put in the place of another."""
        if event == "os.rename" and str(args[1]) == str(self.file):
            self.calls, self.writes = self.calls + 1, self.writes + 1
        if event == "open" and str(args[0]) == str(self.file):
            self.calls += 1
            if self.trouble is Trouble.UNAUTHORIZED:
                raise PermissionError(errno.EACCES, "not allowed")
            if self.trouble is Trouble.LOST_REQUEST:
                raise OSError(errno.EIO, "the disk does not answer")


_watched: list[FileWay] = []
_listening: list[bool] = []


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if _watched and event in ("open", "os.rename"):
        _watched[-1].seen(event, args)


class Folder:
    """A file of people, written by hand as a spreadsheet would."""

    secrets: Sequence[str] = ()

    def __init__(self, folder: Path, key: str | None) -> None:
        self.key = key
        self.clock = HandClock()
        self.file = folder / "people.csv"
        self._save({})
        self.way = FileWay(self.file)

    def connect(self, budget: Budget) -> Connector:
        options = {"path": str(self.file), "key": self.key, "keys": ["email"], "encoding": ENCODING}
        settings = ConnectionSettings("files", {}, options, objects={"people": {"entity": "contact"}})
        return connector_kind("csv").build(settings, None, self.clock, budget)

    def make(self, values: Mapping[str, Json]) -> str:
        with self.file.open("a", encoding=ENCODING, newline="") as file:
            csv.writer(file).writerow([values[name] for name in COLUMNS])
        return str(values["id"])

    def edit(self, id: str, values: Mapping[str, Json]) -> None:
        rows = self._rows()
        rows[id] |= {name: value or "" for name, value in values.items()}
        self._save(rows)

    def delete(self, id: str) -> None:
        self._save({key: row for key, row in self._rows().items() if key != id})

    def merge(self, loser: str, winner: str) -> str:
        raise CannotPlay("a file has no merges")

    def look(self, id: str) -> Mapping[str, Json] | None:
        return self._rows().get(id)

    def ids(self) -> Set[str]:
        return set(self._rows())

    def webhooks(self) -> Sequence[WebhookRequest]:
        raise CannotPlay("a file sends nothing")

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def _rows(self) -> dict[str, dict[str, str]]:
        text = self.file.read_text(ENCODING)
        return {row["id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}

    def _save(self, rows: Mapping[str, Mapping[str, str]]) -> None:
        with self.file.open("w", encoding=ENCODING, newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows.values())


@contextmanager
def _folder(key: str | None = "id") -> Iterator[Folder]:
    if not _listening:
        sys.addaudithook(_hear)
        _listening.append(True)
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name).resolve(), key)
        _watched.append(folder.way)
        try:
            yield folder
        finally:
            _watched.remove(folder.way)


HARNESS = Harness(
    name="csv",
    object="people",
    start=_folder,
    values=lambda n: {"id": str(n), "name": f"Ann {n}", "email": f"a{n}@example.com", "note": f"Note {n}"},
    field="name",
    other="note",
    wrong={"name": "Пётр"},
    many=1020,
    quality=connector_kind("csv").quality_file,
)
test_acceptance = accepted(HARNESS)


@pytest.mark.parametrize("check", ["an_id_follows_the_content", "a_listing_that_begins_again_says_so"])
def test_without_a_column_that_identifies_its_rows_ids_are_made_of_the_content(check: str) -> None:
    verdict = ask(replace(HARNESS, start=partial(_folder, None)), check)
    assert (verdict.name, verdict.seen) == (check, "")
