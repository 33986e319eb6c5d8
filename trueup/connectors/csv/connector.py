"""The connector for text tables: each object is a file, or several files that fit a pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from trueup.connectors.base import GoneItem, ObjectSpec, Outcome, RefusedItem, WebhookRequest, WriteItem
from trueup.connectors.csv import reading
from trueup.connectors.csv.reading import Progress
from trueup.connectors.csv.rows import opened
from trueup.connectors.csv.settings import (
    OBJECT_OPTIONS,
    OPTIONS,
    FileSettings,
    file_settings,
    object_spec,
    wrong,
)
from trueup.connectors.csv.writing import write_file
from trueup.connectors.settings import ConnectionSettings
from trueup.errors import ConnectorError, NotFound, Refused, Unauthorized
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record
from trueup.ports import Budget, Clock

__all__ = ["LOCAL", "OBJECT_OPTIONS", "OPTIONS", "CsvConnector", "connect"]


def connect(
    settings: ConnectionSettings, transport: httpx.BaseTransport | None, clock: Clock, budget: Budget
) -> CsvConnector:
    """The connector for `options: {path: …}`. Files are not spoken to over HTTP and have no rate limit:
    `transport` and `budget` are not used."""
    return CsvConnector(settings.name, settings.options, settings.objects, clock.now, settings.folder)


LOCAL = True
"""The files lie here: `trueup check` looks at their headers."""


class CsvConnector:
    """Files as objects. `options` hold for every object: path, encoding, delimiter, key, keys, columns.

    `now` tells whether a broken-off file may still be on its way. A relative path leads from `folder`.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        objects: Mapping[str, Mapping[str, Any]],
        now: Callable[[], datetime],
        folder: Path = Path(),
    ) -> None:
        if not objects:
            raise wrong(name, "no object is named")
        self.name = name
        self._now = now
        self._files = {
            object: file_settings(name, object, said, options, folder) for object, said in objects.items()
        }
        self._specs = {object: object_spec(settings) for object, settings in self._files.items()}
        self._progress: dict[str, Progress] = {}

    def objects(self) -> Mapping[str, ObjectSpec]:
        return self._specs

    def whoami(self) -> str:
        """The names of the files, each opened once."""
        names = []
        for object, settings in self._files.items():
            with self._told(f"whoami {object}"):
                for path in reading.files(settings):
                    with opened(path, settings, self._now):
                        names.append(path.name)
        return f"files {', '.join(names)}"

    def fields(self, object: str) -> Sequence[FieldSpec]:
        settings = self._settings(object)
        with (
            self._told(f"fields {object}"),
            opened(reading.files(settings)[0], settings, self._now) as table,
        ):
            return [
                FieldSpec(name, name, "text", writable=not settings.pattern,
                          required=name == settings.key, unique=name == settings.key,
                          encoding=table.layout.encoding.limits)
                for name in table.layout.names
            ]  # fmt: skip

    def pull(self, object: str, reading_: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        """One page of the whole file: it says only that it changed, not where. Refused without a column
        that is wanted."""
        settings = self._settings(object)
        with self._told(f"pull {object}"):
            progress = self._continued(object, settings, cursor, fields)
            page = reading.page(progress, settings, fields)
        if page.more:
            self._progress[object] = progress
        return page

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        with self._told(f"read {object}"):
            return reading.by_ids(self._settings(object), self._now, ids, fields)

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        with self._told(f"find {object}"):
            return reading.by_values(self._settings(object), self._now, key, values, fields)

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        """All of them, or none: the file is replaced once."""
        settings = self._settings(object)
        if settings.pattern:
            return [RefusedItem("several files as one object can only be read") for _ in items]
        with self._told(f"write {object}"):
            return write_file(settings, self._now, items, fields)

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        raise Refused("a file has no remote jobs", connection=self.name)

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        raise Unauthorized("a file sends no webhooks", connection=self.name)

    def close(self) -> None:
        self._progress.clear()

    def _settings(self, object: str) -> FileSettings:
        if object not in self._files:
            raise NotFound(f"connection `{self.name}` has no object `{object}`")
        return self._files[object]

    def _continued(
        self, object: str, settings: FileSettings, cursor: Cursor | None, fields: Sequence[str]
    ) -> Progress:
        """Where the reading goes on. One whose file became another starts again: nothing is missed, and
        what comes twice is known by its version."""
        under_way = self._progress.pop(object, None)
        place = dict(cursor or {})
        given = place.get("given", 0)
        if given and under_way and (under_way.digest, under_way.given) == (place["digest"], given):
            return under_way
        there = reading.states(settings) if settings.pattern else ()
        content = reading.digest(settings, self._now, fields)
        if given and content != place.get("digest"):
            return replace(reading.start(settings, self._now, content, there), anew=True)
        return reading.start(settings, self._now, content, there, given)

    @contextmanager
    def _told(self, operation: str) -> Iterator[None]:
        """Every error says which connection it was and during what."""
        try:
            yield
        except ConnectorError as error:
            error.connection, error.operation = self.name, operation
            raise
