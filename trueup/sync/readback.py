"""What is read back right after a write that the system did not answer: consents, and elements of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trueup.connectors.base import Done, Outcome
from trueup.errors import ConnectorError
from trueup.mapping.compiled import ObjectMapping
from trueup.mapping.elements import is_change
from trueup.model.delivery import Delivery, Lane
from trueup.model.record import Record
from trueup.sync.inbox import asked_fields
from trueup.sync.parts import Parts
from trueup.sync.rules import acknowledge
from trueup.sync.rules.policy import Stream


def read_back(
    parts: Parts, stream: Stream, batch: Sequence[Delivery], outcomes: Sequence[Outcome]
) -> tuple[Sequence[Outcome], ConnectorError | None]:
    """The outcomes, with what the records show now of what has to be known at once: whether a consent is
    kept, and which elements the system dropped (later nobody can tell that from a removal). And the error
    that kept some of them from being read."""
    silent = {
        outcome.id: (outcome, one)
        for one, outcome in zip(batch, outcomes, strict=True)
        if isinstance(outcome, Done) and outcome.record is None and _matters(one)
    }
    if not silent:
        return outcomes, None
    lag, mapping = parts.specs[stream].lag, parts.policy.mappings[stream]
    records, error = read_now(parts, stream, sorted(silent), batch[0].write.lane)
    told = {id: _told(*silent[id], record, mapping, lag) for id, record in records.items()}
    known = [
        told.get(one.id, one) if isinstance(one, Done) and one.record is None else one for one in outcomes
    ]
    return known, error


def read_now(
    parts: Parts, stream: Stream, ids: Sequence[str], lane: Lane
) -> tuple[dict[str, Record], ConnectorError | None]:
    """Those that can be read now, and what kept the others; of these the next reading tells."""
    connector, size = parts.connector(stream[0], lane), parts.specs[stream].read_batch
    found: dict[str, Record] = {}
    for start in range(0, len(ids), size):
        chunk = ids[start : start + size]
        try:
            answers = connector.read(stream[1], chunk, asked_fields(parts, stream))
        except ConnectorError as error:
            return found, error
        found.update((id, one) for id, one in zip(chunk, answers, strict=True) if isinstance(one, Record))
    return found, None


def _matters(delivery: Delivery) -> bool:
    """Whether it has to be read back. What a job did may be long ago: its lists say nothing any more."""
    changes_lists = delivery.job is None and bool(_lists(delivery))
    return delivery.write.lane is Lane.URGENT or changes_lists


def _lists(delivery: Delivery) -> list[str]:
    """The paths that were changed element by element."""
    return [path for path, value in delivery.write.values.items() if is_change(value)]


def _told(outcome: Done, delivery: Delivery, record: Record, mapping: ObjectMapping, lag: float) -> Done:
    """The outcome with what the record shows of the consent, or of the lists. Of other paths it is no answer:
    what stands there may be somebody's edit already, so its version guards no further write. Where writes
    show late, what is as it was before says nothing, and neither does a consent that does not show yet."""
    if delivery.write.lane is Lane.URGENT:
        if not lag:
            return replace(outcome, record=record)
        here = {path: record.values[path] for path in delivery.write.values if path in record.values}
        late = acknowledge.unkept(delivery, record, mapping)
        return outcome if late else replace(outcome, record=replace(record, values=here, version=None))
    before = delivery.write.replaced
    shown = {
        path: record.values[path]
        for path in _lists(delivery)
        if path in record.values and not (lag and record.values[path] == before.get(path))
    }
    return replace(outcome, shown=shown, stamp=record.changed_at if shown else None)
