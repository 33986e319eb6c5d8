"""Where the code of a connector ends: what it did not foresee becomes an error that a run can live with.

A system that answers in a form nobody described must cost its own connection a turn, not the whole run.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from trueup.connectors.base import Connector, GoneItem, ObjectSpec, Outcome, WebhookRequest, WriteItem
from trueup.errors import ConnectorError, Malformed, OutcomeUnknown, TrueupError
from trueup.model.counting import counted
from trueup.model.record import LONGEST_ID, Cursor, FieldSpec, Hint, Json, Page, Reading, Record, is_id

T = TypeVar("T")

_HERE = Path(__file__).parent


class Bounded:
    """A connector from which only errors of trueup come out, and as many answers as there were questions.

    Anything else that is raised becomes Malformed, or OutcomeUnknown where something may have been
    written. The text names the kind of failure and its place in the code, never a value.
    """

    def __init__(self, inner: Connector, connection: str) -> None:
        self._inner = inner
        self._connection = connection

    def objects(self) -> Mapping[str, ObjectSpec]:
        return self._inner.objects()

    def whoami(self) -> str:
        return self._reading("whoami", self._inner.whoami)

    def fields(self, object: str) -> Sequence[FieldSpec]:
        return self._reading(f"{object}.fields", lambda: self._inner.fields(object))

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        ask = lambda: self._inner.pull(object, reading, cursor, fields)  # noqa: E731
        return _with_ids(self._reading(f"{object}.{reading}", ask))

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        operation = f"{object}.read"
        found = self._reading(operation, lambda: self._inner.read(object, ids, fields))
        if len(found) != len(ids):
            raise Malformed(_count(found, ids), connection=self._connection, operation=operation)
        return found

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        return self._reading(f"{object}.find", lambda: self._inner.find(object, key, values, fields))

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        operation = f"{object}.write"
        ask = lambda: self._inner.write(object, items, fields)  # noqa: E731
        outcomes = self._within(operation, OutcomeUnknown, ask)
        if len(outcomes) != len(items):
            raise OutcomeUnknown(_count(outcomes, items), connection=self._connection, operation=operation)
        return outcomes

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        operation = f"{object}.job"
        outcomes = self._reading(operation, lambda: self._inner.poll(object, job, items))
        if len(outcomes) != len(items):
            raise Malformed(_count(outcomes, items), connection=self._connection, operation=operation)
        return outcomes

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        return self._reading("webhook", lambda: self._inner.hints(request))

    def close(self) -> None:
        self._inner.close()

    def _reading(self, operation: str, ask: Callable[[], T]) -> T:
        return self._within(operation, Malformed, ask)

    def _within(self, operation: str, kind: type[ConnectorError], ask: Callable[[], T]) -> T:
        try:
            return ask()
        except TrueupError:
            raise
        except Exception as error:
            message = f"the answer is of an unexpected form ({type(error).__name__} in {_place(error)})"
            raise kind(message, connection=self._connection, operation=operation) from None

    def __repr__(self) -> str:
        return f"Bounded({self._inner!r})"


def _with_ids(page: Page) -> Page:
    """The page without records that are called what no database keeps; they are rejected."""
    if all(is_id(record.id) for record in page.records):
        return page
    named = tuple(record for record in page.records if is_id(record.id))
    why = f"its id is no text of up to {LONGEST_ID} whole characters"
    unnamed = tuple(
        (f"record {number} of the page", why)
        for number, record in enumerate(page.records, 1)
        if not is_id(record.id)
    )
    return replace(page, records=named, rejected=(*page.rejected, *unnamed))


def _place(error: Exception) -> str:
    """The file and line of a connector where it happened: what a report of the fault needs."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if _HERE in Path(one.filename).parents and one.filename != __file__]
    last = ours[-1] if ours else frames[-1]
    return f"{Path(last.filename).parent.name}/{Path(last.filename).name}:{last.lineno}"


def _count(answers: Sequence[object], questions: Sequence[object]) -> str:
    return f"{counted(len(answers), 'answer')} to {counted(len(questions), 'question')}"
