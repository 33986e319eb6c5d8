"""A connector that is a manifest, with named steps that a vendor's own code may replace whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trueup.connectors import metadata, reading, signatures, writing
from trueup.connectors.base import GoneItem, ObjectSpec, Outcome, WebhookRequest, WriteItem
from trueup.connectors.session import Session
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a connector; by default all as the manifest says.

    A vendor's `connector.py` names the ones that it does itself in `STEPS`. Each is called with the
    Session first, then as in `base.Connector`, and may call `reading`, `writing`, `metadata` and
    `signatures` for what the manifest can say after all.
    """

    pull: Callable[[Session, str, Reading, Cursor | None, Sequence[str]], Page] = reading.pull
    read: Callable[[Session, str, Sequence[str], Sequence[str]], Sequence[Record | GoneItem]] = reading.read
    find: Callable[[Session, str, str, Sequence[Json], Sequence[str]], Sequence[Record]] = reading.find
    write: Callable[[Session, str, Sequence[WriteItem], Sequence[str]], Sequence[Outcome]] = writing.write
    poll: Callable[[Session, str, str, Sequence[WriteItem]], Sequence[Outcome]] = writing.poll
    fields: Callable[[Session, str], Sequence[FieldSpec]] = metadata.fields
    hints: Callable[[Session, WebhookRequest], Sequence[Hint]] = signatures.hints
    whoami: Callable[[Session], str] = metadata.whoami


class RestConnector:
    """The Connector of one account of a vendor that a manifest describes."""

    def __init__(self, session: Session, steps: Steps | None = None) -> None:
        self._session = session
        self._steps = steps or Steps()
        self._objects = metadata.object_specs(session.manifest)

    def objects(self) -> Mapping[str, ObjectSpec]:
        return self._objects

    def whoami(self) -> str:
        return self._steps.whoami(self._session)

    def fields(self, object: str) -> Sequence[FieldSpec]:
        return self._steps.fields(self._session, object)

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        return self._steps.pull(self._session, object, reading, cursor, fields)

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        return self._steps.read(self._session, object, ids, fields) if ids else []

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        return self._steps.find(self._session, object, key, values, fields) if values else []

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        return self._steps.write(self._session, object, items, fields) if items else []

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        return self._steps.poll(self._session, object, job, items) if items else []

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        return self._steps.hints(self._session, request)

    def close(self) -> None:
        self._session.http.close()

    def __repr__(self) -> str:
        return f"RestConnector({self._session.manifest.name!r}, {self._session.settings.name!r})"
