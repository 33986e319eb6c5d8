"""What answers mean: how attempts ended, stored and counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trueup.connectors.base import (
    Capability,
    Done,
    GoneItem,
    NotApplied,
    Outcome,
    Pending,
    RefusedItem,
    StaleItem,
    UnknownItem,
)
from trueup.connectors.verdict import discreet
from trueup.errors import ConnectorError
from trueup.model.delivery import Delivery, DeliveryState, Lane, Settlement, WriteKind
from trueup.model.record import Record
from trueup.sync.claimed import holders_of, identity_refused, is_claimed
from trueup.sync.inbox import reread
from trueup.sync.keeping import kept_as
from trueup.sync.parts import Parts
from trueup.sync.passes import Pass
from trueup.sync.readback import read_back, read_now
from trueup.sync.rules import acknowledge, publishing
from trueup.sync.rules.formats import is_usual
from trueup.sync.rules.policy import Stream

FEW = 5
"""Records that are named where several may hold a key."""

POLL_EVERY = 2.0
"""Seconds between two questions about a remote job."""

_COUNTED = {
    DeliveryState.DONE: "done",
    DeliveryState.PARKED: "failed",
    DeliveryState.OVERTAKEN: "overtaken",
    DeliveryState.SUPERSEDED: "superseded",
}


def settle(
    at: Pass,
    stream: Stream,
    batch: Sequence[Delivery],
    outcomes: Sequence[Outcome],
    began: datetime | None = None,
) -> None:
    """Store what became of these attempts; `began`: when they left, where they left just now."""
    mapping, ended = at.parts.policy.mappings[stream], at.parts.now()
    lane = batch[0].write.lane
    if not at.waits(stream[0], lane):
        outcomes, error = read_back(at.parts, stream, batch, outcomes)
        at.heed(stream[0], lane, error)
    moved, outcomes = _moved(at, stream, batch, outcomes)
    settlements: list[Settlement] = []
    parked: frozenset[int] = frozenset()
    for some in _claimed_last(list(zip(batch, outcomes, strict=True))):
        ends = [
            publishing.noted(
                _arrived(at.parts, stream, one, outcome, moved.get(one.id), began or one.sent_at, ended)
                or _settlement(at.parts, stream, one, outcome, ended),
                one,
                mapping,
                ended,
            )
            for one, outcome in some
        ]
        parked |= end(at, stream, ends)
        refused = sum(_is_refused(one, ended) for (one, _), ended in zip(some, ends, strict=True))
        if refused:
            at.tally.add(stream, "failed", refused)
        settlements += ends
    at.parts.progress("write", *stream, len(batch))
    found = [
        one.remote_id
        for one in settlements
        if one.fresh and one.remote_id is not None and one.delivery_id not in parked
    ]
    found += [
        one.link.remote_id
        for one, outcome in zip(batch, outcomes, strict=True)
        if one.link.remote_id is not None and _unclear(one, outcome)
    ]
    if at.waits(stream[0], lane):  # then the guard of the next write, or the next reading, tells
        return
    try:
        reread(at.parts, stream, found, at.fence)
    except ConnectorError as error:
        at.stop(stream[0], lane, error)


def end(
    at: Pass, stream: Stream, settlements: Sequence[Settlement], told: Collection[int] = ()
) -> frozenset[int]:
    """Store how these attempts ended and count it: what waits is counted when it ends, and a create whose
    record is somebody else's is not done. The ids of those creates. `told`: of whose failure people were
    told before."""
    if at.parts.can(stream, Capability.CONTENT_IDS):
        settlements = [replace(one, content_id=True) for one in settlements]
    parked = at.parts.store.settle(settlements, at.parts.now(), at.fence)
    for one in settlements:
        state = DeliveryState.PARKED if one.delivery_id in parked else one.state
        if state in _COUNTED and not (state is DeliveryState.PARKED and one.delivery_id in told):
            at.tally.add(stream, _COUNTED[state])
    return parked


def _settlement(
    parts: Parts, stream: Stream, delivery: Delivery, outcome: Outcome, now: datetime
) -> Settlement:
    """What follows from an outcome; `now`: when the attempt ended."""
    lag = parts.specs[stream].lag
    match outcome:
        case Done():
            return _done(parts, stream, delivery, outcome, now)
        case RefusedItem(existing_id=existing) if existing and delivery.write.kind is WriteKind.CREATE:
            return acknowledge.exists(delivery, existing, now)
        case RefusedItem() if identity_refused(parts, delivery, outcome):
            return _not_made(parts, delivery, outcome, now)
        case RefusedItem(reason=reason, code=code) if lag and _may_be_made(delivery, outcome):
            return acknowledge.unknown(delivery, discreet(reason), lag, now, code)
        case RefusedItem(reason=reason, fields=fields, code=code):
            named = {path: discreet(why) for path, why in fields.items()}
            mapping = parts.policy.mappings[stream]
            return acknowledge.refused(delivery, discreet(reason), code, named, now, mapping)
        case StaleItem():
            return acknowledge.stale(delivery, now)
        case GoneItem(successor=successor, successor_object=object):
            return acknowledge.gone(delivery, successor, object, now)
        case NotApplied(reason=reason, retry_after=wait, tried=tried):
            ended = acknowledge.again if tried else acknowledge.turned_away
            return ended(delivery, discreet(reason), wait, parts.random.random(), now)
        case UnknownItem(reason=reason, refused=code):
            return acknowledge.unknown(delivery, discreet(reason), lag, now, code or acknowledge.UNKNOWN)
        case Pending(job=job):
            return Settlement(
                delivery.id,
                DeliveryState.WAITING,
                job=job,
                not_before=now + timedelta(seconds=POLL_EVERY),
            )


def _moved(
    at: Pass, stream: Stream, batch: Sequence[Delivery], outcomes: Sequence[Outcome]
) -> tuple[Mapping[int, Record], Sequence[Outcome]]:
    """By delivery the records, as they are now, of which a write was refused because they had moved, or with
    nothing said of what is wrong with it: either may have been done nevertheless. Where they cannot be read
    just now, nobody knows whether the latter was; who met an edit is decided again in any case."""
    lane = batch[0].write.lane
    stale = {
        one.link.remote_id: one.id
        for one, outcome in zip(batch, outcomes, strict=True)
        if _may_be_done(outcome) and one.link.remote_id is not None
    }
    if not stale:
        return {}, outcomes
    records: Mapping[str, Record] = {}
    unread: frozenset[int] = frozenset(stale.values())
    if not at.waits(stream[0], lane):
        records, error = read_now(at.parts, stream, sorted(stale), lane)
        at.heed(stream[0], lane, error)
        unread = frozenset() if error is None else unread - {stale[id] for id in records}
    if lane is not Lane.URGENT:
        outcomes = [
            _not_known(outcome) if isinstance(outcome, RefusedItem) and one.id in unread else outcome
            for one, outcome in zip(batch, outcomes, strict=True)
        ]
    return {stale[id]: record for id, record in records.items()}, outcomes


def _arrived(
    parts: Parts,
    stream: Stream,
    delivery: Delivery,
    outcome: Outcome,
    record: Record | None,
    sent: datetime | None,
    now: datetime,
) -> Settlement | None:
    """A write that was refused, where this very write had moved the record: of one request the network
    sometimes makes two, and some systems call bad what they have done. None where somebody else did, or
    nobody can tell.

    What is only a form of what was sent may be an edit, and is one where the record moved before it was sent
    and nothing of ours stands there now that did not before: letter by letter, or, where the system only says
    that it was bad, cut short. An opt-out always is: it counts as of when somebody said it.
    """
    if record is None or delivery.write.lane is Lane.URGENT:
        return None
    shows = kept_as(parts, stream, delivery, forms=False)
    paths = [path for path in delivery.write.values if path in record.values]
    sent_there, before = acknowledge.predicted(delivery), delivery.write.replaced
    moved = {path: record.values[path] for path in paths if record.values[path] != before.get(path)}
    certain = all(shows(path, record.values[path]) for path in paths) or any(
        shows(path, value) or (isinstance(outcome, RefusedItem) and is_usual(sent_there[path], value))
        for path, value in moved.items()
    )
    if not certain and (record.changed_at is None or sent is None or record.changed_at < sent):
        return None
    lag, keeps = parts.specs[stream].lag, kept_as(parts, stream, delivery)
    settled = acknowledge.doubt_resolved(delivery, record, keeps, shows, lag, now)
    return settled if settled.state is DeliveryState.DONE else None


def _may_be_done(outcome: Outcome) -> bool:
    if isinstance(outcome, RefusedItem):
        return not any(outcome.fields) and outcome.existing_id is None
    return isinstance(outcome, StaleItem)


def _may_be_made(delivery: Delivery, refusal: RefusedItem) -> bool:
    """Whether a new record may stand there although it was refused: nothing is said of what is wrong with it,
    and some systems call bad what they have done. Where nobody can see it yet it is looked for later."""
    return delivery.write.kind is WriteKind.CREATE and not any(refusal.fields)


def _is_refused(delivery: Delivery, ended: Settlement) -> bool:
    """Whether people are told of a failure though it is looked for first what became of it."""
    return replace(delivery, state=ended.state, code=ended.code).may_be_made


def _not_known(refusal: RefusedItem) -> Outcome:
    return UnknownItem(refusal.reason, refusal.code)


def _not_made(parts: Parts, delivery: Delivery, outcome: RefusedItem, now: datetime) -> Settlement:
    """Of a taken key the hub may know the holder: then it is the same as if the system had named it."""
    holders = holders_of(parts, delivery, outcome) if is_claimed(outcome) else []
    if len(holders) == 1:
        return acknowledge.exists(delivery, holders[0], now)
    some = f"; of the records there {', '.join(holders[:FEW])} may hold it" if holders else ""
    return acknowledge.not_made(delivery, f"{discreet(outcome.reason)}{some}", outcome.code)


def _done(parts: Parts, stream: Stream, delivery: Delivery, outcome: Done, now: datetime) -> Settlement:
    """Sent is not kept: a consent that the answer does not show is not done. A new record stands all
    the same; what it lacks is decided at once."""
    lag, stamps, record = parts.specs[stream].lag, parts.policy.own_stamps(stream), outcome.record
    if record is None and delivery.write.lane is Lane.URGENT:
        return acknowledge.unseen(delivery, lag, now)
    done = acknowledge.done(
        delivery,
        outcome.id,
        record,
        lag,
        now,
        stamps,
        at=outcome.at,
        shown=outcome.shown,
        stamp=outcome.stamp,
    )
    if record is None or not acknowledge.unkept(delivery, record, parts.policy.mappings[stream]):
        return done
    if delivery.write.kind is WriteKind.CREATE:
        return replace(done, due="consent")
    return acknowledge.not_kept(delivery, record)


def _claimed_last(
    ended: Sequence[tuple[Delivery, Outcome]],
) -> Iterator[Sequence[tuple[Delivery, Outcome]]]:
    """Attempts and their outcomes, those last whose key may be held by what the others have just made."""
    claimed = [one for one in ended if is_claimed(one[1])]
    yield [one for one in ended if not is_claimed(one[1])]
    if claimed:
        yield claimed


def _unclear(delivery: Delivery, outcome: Outcome) -> bool:
    """Done without an answer, and a reading meanwhile showed neither what stood there nor what we wrote:
    only another reading tells whose value it is now."""
    if not isinstance(outcome, Done) or outcome.record is not None or delivery.link.remote_id is None:
        return False
    if not acknowledge.read_meanwhile(delivery):
        return False
    seen, replaced = delivery.link.observed, delivery.write.replaced
    return any(
        seen.get(path) not in (value, replaced.get(path))
        for path, value in acknowledge.predicted(delivery).items()
    )
