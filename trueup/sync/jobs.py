"""Remote jobs that are asked for late: when they wrote, by the system's own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trueup.connectors.base import Done, Outcome
from trueup.errors import ConnectorError
from trueup.model.delivery import Delivery
from trueup.model.record import Record
from trueup.sync.inbox import asked_fields
from trueup.sync.parts import Parts
from trueup.sync.rules import acknowledge
from trueup.sync.rules.policy import Stream

LATE = timedelta(seconds=30)
"""After so long somebody may well have edited what the job wrote; in less nobody is asked for it."""


def dated(
    parts: Parts, stream: Stream, batch: Sequence[Delivery], outcomes: Sequence[Outcome]
) -> tuple[Sequence[Outcome], ConnectorError | None]:
    """The outcomes of one job, with the time at which it wrote where that can be told, and the error that
    kept it from being told.

    A record that holds exactly what we left there was stamped by the job. So one of the same job with a later
    stamp was edited, though the hub did not know yet that the job was done. That costs a reading.
    """
    silent = [
        (one, outcome.id)
        for one, outcome in zip(batch, outcomes, strict=True)
        if isinstance(outcome, Done) and outcome.record is None
    ]
    handed_in = batch[0].sent_at
    if len(silent) < 2 or handed_in is None or parts.now() - handed_in < LATE:
        return outcomes, None
    try:
        stamps = _stamps(parts, stream, silent)
    except ConnectorError as error:  # then nothing more is known than that it is done by now
        return outcomes, error
    if not stamps:
        return outcomes, None
    return [replace(one, at=max(stamps)) if isinstance(one, Done) else one for one in outcomes], None


def _stamps(parts: Parts, stream: Stream, written: Sequence[tuple[Delivery, str]]) -> list[datetime]:
    """When the records that nobody touched since were changed."""
    size, lane = parts.specs[stream].read_batch, written[0][0].write.lane
    connector, fields = parts.connector(stream[0], lane), asked_fields(parts, stream)
    stamps = []
    for start in range(0, len(written), size):
        some = written[start : start + size]
        answers = connector.read(stream[1], [id for _, id in some], fields)
        stamps += [
            answer.changed_at
            for (delivery, _), answer in zip(some, answers, strict=True)
            if isinstance(answer, Record) and answer.changed_at is not None and _untouched(delivery, answer)
        ]
    return stamps


def _untouched(delivery: Delivery, record: Record) -> bool:
    left = {**delivery.link.observed, **acknowledge.predicted(delivery)}
    return all(record.values.get(path) == value for path, value in left.items())
