"""What nobody knows the end of: writes in doubt are looked for, remote jobs are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from trueup.errors import ConnectorError
from trueup.model.delivery import Delivery, Lane, Write, WriteKind
from trueup.model.entity import Agreed, LinkState, public_id
from trueup.model.record import Record
from trueup.sync import payload
from trueup.sync.inbox import asked_fields
from trueup.sync.jobs import dated
from trueup.sync.keeping import kept_as, known_formats
from trueup.sync.keyed import Keyed, lookup_keys
from trueup.sync.parts import Parts
from trueup.sync.passes import Pass
from trueup.sync.rules import acknowledge, made, publishing
from trueup.sync.rules.policy import Stream
from trueup.sync.settling import end, settle
from trueup.sync.unclaimed import Unclaimed

FEWER = 500
"""Deliveries in doubt, and those of remote jobs, that are asked about before anything else is done."""


def resolve(at: Pass, connections: Sequence[str]) -> int:
    """Deliveries in doubt are read, remote jobs are asked; how many steps were taken."""
    looked, unclaimed = 0, Unclaimed(at.parts)
    doubtful = [
        one for one in _asked_of(at, at.parts.store.doubtful, connections) if _can_look(at.parts, one)
    ]
    keyed = Keyed(at.parts, doubtful)
    for delivery in doubtful:
        looked += _careful(at, delivery.write, partial(_resolve_doubt, at, delivery, keyed, unclaimed))
    for batch in _by_job(_asked_of(at, at.parts.store.waiting, connections)):
        looked += _careful(at, batch[0].write, partial(_ask_job, at, batch))
    return looked


def _asked_of(
    at: Pass, verb: Callable[..., Sequence[Delivery]], connections: Sequence[str]
) -> Sequence[Delivery]:
    """Some of what may be asked about now. What cannot be asked, as its connection has to wait, keeps
    nobody's else from being asked; of a limited one there are the opt-outs."""
    free = [name for name in connections if not at.waits(name, Lane.NORMAL)]
    urgent = [name for name in connections if name not in free and not at.waits(name, Lane.URGENT)]
    found = verb(at.parts.now(), free, FEWER)
    return [*found, *verb(at.parts.now(), urgent, FEWER, [Lane.URGENT])] if urgent else found


def _careful(at: Pass, write: Write, step: Callable[[], None]) -> bool:
    """One step of a connection that is not blocked; its error blocks only that connection and lane.
    Whether it was taken."""
    if at.waits(write.connection, write.lane):
        return False
    try:
        step()
    except ConnectorError as error:
        at.stop(write.connection, write.lane, error)
    at.parts.progress(
        "write", write.connection, write.object, 0
    )  # a sign of life: many take long, one by one
    return True


def _resolve_doubt(at: Pass, delivery: Delivery, keyed: Keyed, unclaimed: Unclaimed) -> None:
    stream = (delivery.write.connection, delivery.write.object)
    now, lag = at.parts.now(), at.parts.specs[stream].lag
    record = _look(at.parts, stream, delivery, keyed, unclaimed)
    mapping = at.parts.policy.mappings[stream]
    if record is not None and acknowledge.was_taken(delivery, record, mapping):
        settlement = acknowledge.not_kept(delivery, record)
    elif record is not None and acknowledge.is_silent(delivery, record):
        settlement = acknowledge.done(delivery, record.id, None, lag, now)
    else:
        settlement = acknowledge.doubt_resolved(
            delivery,
            record,
            kept_as(at.parts, stream, delivery),
            kept_as(at.parts, stream, delivery, forms=False),
            lag,
            now,
            _agreed(at.parts, stream, delivery, record),
        )
    settlement = publishing.noted(settlement, delivery, mapping, now)
    end(at, stream, [settlement], [delivery.id] if delivery.may_be_made else [])


def _agreed(parts: Parts, stream: Stream, delivery: Delivery, record: Record | None) -> Mapping[str, Agreed]:
    """What a record that a create may have made holds of ours, or held when it was first read: what
    somebody has changed since is an edit."""
    if record is None or delivery.write.kind is not WriteKind.CREATE:
        return {}
    policy, wants = parts.policy, delivery.write.wants
    mapping, table = policy.mappings[stream], policy.tables[delivery.link.kind]
    landed = parts.store.known(*stream, [record.id]).get(record.id)
    views = [landed.observed] if landed is not None and landed.fresh else []
    found: dict[str, Agreed] = {}
    kind, own = delivery.link.kind, policy.upsert.get(stream)
    ours = made.bears_own_id(own, kind, delivery.entity_id, record.values)
    for view in (*views, record.values):
        found |= made.agreed(view, wants, mapping, table, known_formats(parts, stream), ours)
    return found


def _can_look(parts: Parts, delivery: Delivery) -> bool:
    """A create without a key to look up is found by a reading that began when it was to be seen."""
    stream = (delivery.write.connection, delivery.write.object)
    if delivery.link.remote_id is not None or lookup_keys(parts, stream, delivery):
        return True
    since = parts.store.stream(*stream).read_since
    return since is not None and since >= delivery.not_before


def _look(
    parts: Parts, stream: Stream, delivery: Delivery, keyed: Keyed, unclaimed: Unclaimed
) -> Record | None:
    """The record that a write in doubt is about, as it is now; None when there is none."""
    if delivery.link.remote_id is not None:
        connector = parts.connector(stream[0], delivery.write.lane)
        answer = connector.read(stream[1], [delivery.link.remote_id], asked_fields(parts, stream))[0]
        return answer if isinstance(answer, Record) else None
    return keyed.made_by(delivery) or _among_landed(parts, stream, delivery) or unclaimed.made_by(delivery)


def _among_landed(parts: Parts, stream: Stream, delivery: Delivery) -> Record | None:
    """Where nothing can be looked up: the entity's own record, if a reading since has brought it. What we
    wrote there and have not seen yet is no part of what was read."""
    case = parts.store.case(public_id(delivery.link.kind, delivery.entity_id))
    for link in case.links:
        if link.stream == stream and link.remote_id is not None and link.state is LinkState.LIVE:
            seen = {path: value for path, value in link.observed.items() if path not in link.assumed}
            return Record(link.remote_id, seen, link.version, link.changed_at)
    return None


def _ask_job(at: Pass, batch: Sequence[Delivery]) -> None:
    stream = (batch[0].write.connection, batch[0].write.object)
    items = [payload.item(at.parts, stream, one) for one in batch]
    outcomes = at.parts.connector(stream[0], batch[0].write.lane).poll(stream[1], batch[0].job or "", items)
    outcomes, error = dated(at.parts, stream, batch, outcomes)
    at.heed(stream[0], batch[0].write.lane, error)
    settle(at, stream, batch, outcomes)


def _by_job(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Deliveries that one remote job works on, together."""
    jobs: dict[tuple[str, str, str | None], list[Delivery]] = {}
    for one in deliveries:
        jobs.setdefault((one.write.connection, one.write.object, one.job), []).append(one)
    return list(jobs.values())
