"""Deliver: due writes in batches, guarded by what was seen; the answers become what is observed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from trueup.connectors.base import (
    Capability,
    Done,
    Elements,
    GoneItem,
    NotApplied,
    Outcome,
    Pending,
    RefusedItem,
    StaleItem,
    UnknownItem,
    WriteItem,
    not_applied,
)
from trueup.connectors.verdict import discreet
from trueup.errors import ConnectorError, Malformed, OutcomeUnknown, RateLimited, Refused, Unauthorized
from trueup.mapping.compiled import Binding
from trueup.mapping.elements import is_change
from trueup.mapping.schema import Shape
from trueup.model.consent import ConsentState
from trueup.model.delivery import Delivery, DeliveryState, Lane, Settlement, Write, WriteKind
from trueup.model.entity import Agreed, Link, LinkState, public_id
from trueup.model.formats import Format
from trueup.model.record import Json, Record
from trueup.model.run import Fence
from trueup.model.values import Rejected
from trueup.sync.about import EVERYBODY, About
from trueup.sync.claimed import holders_of, identity_refused, is_claimed
from trueup.sync.inbox import asked_fields, reread
from trueup.sync.jobs import dated
from trueup.sync.parts import Parts
from trueup.sync.readback import read_back, read_now
from trueup.sync.rules import acknowledge, made, publishing
from trueup.sync.rules.formats import is_surely_form
from trueup.sync.rules.policy import Stream
from trueup.sync.tally import Tally
from trueup.sync.unclaimed import Unclaimed

SOME = 1000
"""Deliveries that are loaded at once."""

FEWER = 500
"""Deliveries in doubt, and those of remote jobs, that are asked about before anything else is done."""

FEW = 5
"""Records that are named where several may hold a key."""


@dataclass(slots=True)
class Push:
    """One pass over the outbox. `blocked`: connections that must wait, with why; `limited`: those where only
    the urgent lane still tries (a list that cannot be read, a budget that is used up); `put_off`:
    deliveries that this pass could not send (their record moved, another worker has them) and does not
    try twice."""

    parts: Parts
    tally: Tally
    fence: Fence | None
    about: About = EVERYBODY
    blocked: dict[str, ConnectorError] = field(default_factory=dict)
    limited: dict[str, ConnectorError] = field(default_factory=dict)
    put_off: set[int] = field(default_factory=set)

    def run(self, connections: Sequence[str]) -> int:
        """Deliver until nothing more may go now; answers how many deliveries were attempted."""
        attempted = 0
        self.put_off.clear()
        while True:
            found = [one for one in self._outstanding(connections) if one.id not in self.put_off]
            if not found:
                return attempted
            stream = (found[0].write.connection, found[0].write.object)
            for batch in self._batches(stream, found):
                if self._waits(stream[0], batch[0].write.lane):
                    break
                attempted += len(batch)
                self._deliver(batch)

    def stop(self, connection: str, lane: Lane, error: ConnectorError) -> None:
        """Leave a connection alone for the rest of this pass. What a lower lane met still lets the urgent one
        try: an opt-out waits neither for a limit nor for a list that nobody can read."""
        (self.blocked if lane is Lane.URGENT else self.limited)[connection] = error

    def _heed(self, connection: str, lane: Lane, error: ConnectorError | None) -> None:
        """What was written stands; the lane in which reading it back failed is left alone like any other."""
        if error is not None:
            self.stop(connection, lane, error)

    def stopped(self) -> dict[str, ConnectorError]:
        """Every connection that has to wait, with why."""
        return {**self.limited, **self.blocked}

    def _waits(self, connection: str, lane: Lane) -> bool:
        return connection in self.blocked or (lane is not Lane.URGENT and connection in self.limited)

    def _outstanding(self, connections: Sequence[str]) -> Sequence[Delivery]:
        for lane in Lane:
            names = [name for name in connections if not self._waits(name, lane)]
            for some, among in self._shares(lane, names):
                found = self.parts.store.outstanding(self.parts.now(), [lane], some, SOME, among)
                if found:
                    return found
        return ()

    def _shares(
        self, lane: Lane, names: Sequence[str]
    ) -> Iterator[tuple[Sequence[str], Collection[int] | None]]:
        """Connections, and whose writes may leave there. An opt-out is outside every choice, wherever a
        person allowed writing for good."""
        among = self.about.entities()
        allowed = self.parts.store.approved() if lane is Lane.URGENT and among is not None else frozenset()
        for some, whose in (
            ([name for name in names if name in allowed], None),
            ([name for name in names if name not in allowed], among),
        ):
            if some:
                yield some, whose

    def _batches(self, stream: Stream, found: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
        """As many as the system takes in one call; all of them where it writes an object whole."""
        size = self.parts.specs[stream].write_batch
        if self.parts.can(stream, Capability.WRITE_WHOLE):
            size = len(found)
        for start in range(0, len(found), size):
            yield found[start : start + size]

    # -- one batch --------------------------------------------------------------------------------

    def _deliver(self, batch: Sequence[Delivery]) -> None:
        stream = (batch[0].write.connection, batch[0].write.object)
        batch = self._still_mapped(stream, self._still_there(stream, batch))
        if not batch:
            return
        try:
            fit = self._guarded(stream, batch)
        except ConnectorError as error:
            self._postpone(stream, batch, error)
            return
        began = self.parts.now()
        sent = set(self.parts.store.send([one.id for one in fit], self.parts.worker, began, self.fence))
        self.put_off.update(one.id for one in batch if one.id not in sent)
        going = [one for one in fit if one.id in sent]
        if going:
            self._settle(stream, going, self._write(stream, going), began)

    def _still_there(self, stream: Stream, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Those whose record is still one of this object; a converted one is decided again."""
        moved = [one for one in batch if one.link.stream != stream]
        if not moved:
            return batch
        now = self.parts.now()
        self._end(stream, [acknowledge.stale(one, now) for one in moved])
        return [one for one in batch if one.link.stream == stream]

    def _still_mapped(self, stream: Stream, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Those that write only what today's mapping may write there; others, decided before a field was
        taken away or confined (one that waited, failed or was in doubt), are decided again."""
        written = self.parts.policy.mappings[stream].written
        over = [one for one in batch if not written.issuperset(_own_values(one.write))]
        if not over:
            return batch
        self._end(stream, [acknowledge.outdated(one) for one in over])
        return [one for one in batch if one not in over]

    def _guarded(self, stream: Stream, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Those whose record is still as it was when the write was decided.

        Creates need no guard; a version is the system's own; else the records are read again first,
        unless their stream was read from beginning to end just now and shows changes at once.
        """
        if batch[0].write.kind is WriteKind.CREATE:
            return batch
        if self.parts.can(stream, Capability.CONDITIONAL_WRITE) and all(one.link.version for one in batch):
            return batch
        if self._just_read(stream) and all(one.link.version for one in batch):
            return batch
        ids = [one.link.remote_id for one in batch if one.link.remote_id]
        reread(self.parts, stream, ids, self.fence, batch[0].write.lane)
        now = self.parts.store.known(*stream, ids)
        return [one for one in batch if _unmoved(one, now)]

    def _just_read(self, stream: Stream) -> bool:
        state = self.parts.store.stream(*stream)
        spec = self.parts.specs[stream]
        age = timedelta(seconds=self.parts.pace(stream[0]).guard_age)
        since = state.read_since
        return since is not None and spec.lag == 0 and self.parts.now() - since < age

    def _write(self, stream: Stream, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        """The batch's outcomes; an error of the whole call becomes each item's outcome."""
        items = [self._item(stream, one) for one in batch]
        fields = asked_fields(self.parts, stream)
        try:
            return self.parts.connector(stream[0], batch[0].write.lane).write(stream[1], items, fields)
        except (OutcomeUnknown, Malformed) as error:
            return [UnknownItem(error.message)] * len(batch)
        except Refused as error:
            return self._bisected(stream, batch, error)
        except (RateLimited, Unauthorized) as error:
            self.stop(stream[0], batch[0].write.lane, error)
            return [not_applied(error)] * len(batch)
        except ConnectorError as error:
            if stream[0] in self.limited:  # in trouble, and not in its lower lanes only
                self.stop(stream[0], batch[0].write.lane, error)
            return [not_applied(error)] * len(batch)

    def _bisected(self, stream: Stream, batch: Sequence[Delivery], error: Refused) -> Sequence[Outcome]:
        """A batch refused as a whole is split until the bad ones stand alone."""
        if len(batch) == 1:
            return [RefusedItem(error.message, error.fields, code=error.code)]
        middle = len(batch) // 2
        return [*self._write(stream, batch[:middle]), *self._write(stream, batch[middle:])]

    def _item(self, stream: Stream, delivery: Delivery) -> WriteItem:
        write = delivery.write
        by_element = self._by_element(stream)
        values: dict[str, Json] = {}
        for path, value in write.values.items():
            if is_change(value):
                single = Elements(tuple(value["+"]), tuple(value["-"]))
                by_one = path in by_element and "sign" not in value
                values[path] = single if by_one else acknowledge.predicted(delivery)[path]
            else:
                values[path] = value
        if write.upsert is not None:
            values.setdefault(write.upsert[0], write.upsert[1])
        guard = delivery.link.version if self.parts.can(stream, Capability.CONDITIONAL_WRITE) else None
        return WriteItem(
            f"{delivery.id}",
            write.kind,
            delivery.link.remote_id,
            values,
            guard,
            write.upsert,
            known={path: delivery.link.observed.get(path) for path in self.parts.policy.item_paths(stream)},
        )

    def _by_element(self, stream: Stream) -> frozenset[str]:
        """The paths whose elements are written one by one; other lists are replaced whole."""
        if not self.parts.can(stream, Capability.ELEMENT_WRITES):
            return frozenset()
        bindings = self.parts.policy.mappings[stream].bindings
        return frozenset(one.remote for one in bindings if one.shape in (Shape.ELEMENTS, Shape.ELEMENT))

    # -- outcomes ---------------------------------------------------------------------------------

    def _settle(
        self,
        stream: Stream,
        batch: Sequence[Delivery],
        outcomes: Sequence[Outcome],
        began: datetime | None = None,
    ) -> None:
        """Store what became of these attempts; `began`: when they left, where they left just now."""
        mapping, ended = self.parts.policy.mappings[stream], self.parts.now()
        lane = batch[0].write.lane
        moved: Mapping[int, Record] = {}
        if not self._waits(stream[0], lane):
            outcomes, error = read_back(self.parts, stream, batch, outcomes)
            self._heed(stream[0], lane, error)
            moved = self._moved(stream, batch, outcomes)
        settlements: list[Settlement] = []
        parked: frozenset[int] = frozenset()
        for some in _claimed_last(list(zip(batch, outcomes, strict=True))):
            ends = [
                publishing.noted(
                    self._arrived(stream, one, moved.get(one.id), began or one.sent_at, ended)
                    or self._settlement(stream, one, outcome, ended),
                    one,
                    mapping,
                    ended,
                )
                for one, outcome in some
            ]
            parked |= self._end(stream, ends)
            settlements += ends
        self.parts.progress("write", *stream, len(batch))
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
        if self._waits(stream[0], lane):  # then the guard of the next write, or the next reading, tells
            return
        try:
            reread(self.parts, stream, found, self.fence)
        except ConnectorError as error:
            self.stop(stream[0], lane, error)

    def _end(self, stream: Stream, settlements: Sequence[Settlement]) -> frozenset[int]:
        """Store how these attempts ended and count it: what waits is counted when it ends, and a create whose
        record is somebody else's is not done. The ids of those creates."""
        if self.parts.can(stream, Capability.CONTENT_IDS):
            settlements = [replace(one, content_id=True) for one in settlements]
        parked = self.parts.store.settle(settlements, self.parts.now(), self.fence)
        for one in settlements:
            state = DeliveryState.PARKED if one.delivery_id in parked else one.state
            if state in _COUNTED:
                self.tally.add(stream, _COUNTED[state])
        return parked

    def _settlement(self, stream: Stream, delivery: Delivery, outcome: Outcome, now: datetime) -> Settlement:
        """What follows from an outcome; `now`: when the attempt ended."""
        lag = self.parts.specs[stream].lag
        match outcome:
            case Done():
                return self._done(stream, delivery, outcome, now)
            case RefusedItem(existing_id=existing) if existing and delivery.write.kind is WriteKind.CREATE:
                return acknowledge.exists(delivery, existing, now)
            case RefusedItem() if identity_refused(self.parts, delivery, outcome):
                return self._not_made(delivery, outcome, now)
            case RefusedItem(reason=reason, fields=fields, code=code):
                named = {path: discreet(why) for path, why in fields.items()}
                mapping = self.parts.policy.mappings[stream]
                return acknowledge.refused(delivery, discreet(reason), code, named, now, mapping)
            case StaleItem():
                return acknowledge.stale(delivery, now)
            case GoneItem(successor=successor, successor_object=object):
                return acknowledge.gone(delivery, successor, object, now)
            case NotApplied(reason=reason, retry_after=wait, tried=tried):
                ended = acknowledge.again if tried else acknowledge.turned_away
                return ended(delivery, discreet(reason), wait, self.parts.random.random(), now)
            case UnknownItem(reason=reason):
                return acknowledge.unknown(delivery, discreet(reason), lag, now)
            case Pending(job=job):
                return Settlement(
                    delivery.id,
                    DeliveryState.WAITING,
                    job=job,
                    not_before=now + timedelta(seconds=POLL_EVERY),
                )

    def _moved(
        self, stream: Stream, batch: Sequence[Delivery], outcomes: Sequence[Outcome]
    ) -> Mapping[int, Record]:
        """By delivery the records, as they are now, of which a write was refused because they had moved."""
        stale = {
            one.link.remote_id: one.id
            for one, outcome in zip(batch, outcomes, strict=True)
            if isinstance(outcome, StaleItem) and one.link.remote_id is not None
        }
        if not stale or self._waits(stream[0], batch[0].write.lane):
            return {}
        records, error = read_now(self.parts, stream, sorted(stale), batch[0].write.lane)
        self._heed(stream[0], batch[0].write.lane, error)
        return {stale[id]: record for id, record in records.items()}

    def _arrived(
        self, stream: Stream, delivery: Delivery, record: Record | None, sent: datetime | None, now: datetime
    ) -> Settlement | None:
        """A write that was refused because the record had moved, where this very write had moved it: of one
        request the network sometimes makes two. None where somebody else did, or nobody can tell. What is
        only a form of what was sent may be an edit, and is one where the record moved before it was sent; an
        opt-out always is: it counts as of when somebody said it."""
        if record is None or delivery.write.lane is Lane.URGENT:
            return None
        shows = self._keeps(stream, delivery, forms=False)
        paths = [path for path in delivery.write.values if path in record.values]
        certain = all(shows(path, record.values[path]) for path in paths)
        if not certain and (record.changed_at is None or sent is None or record.changed_at < sent):
            return None
        lag, keeps = self.parts.specs[stream].lag, self._keeps(stream, delivery)
        settled = acknowledge.doubt_resolved(delivery, record, keeps, shows, lag, now)
        return settled if settled.state is DeliveryState.DONE else None

    def _not_made(self, delivery: Delivery, outcome: RefusedItem, now: datetime) -> Settlement:
        """Of a taken key the hub may know the holder: then it is the same as if the system had named it."""
        holders = holders_of(self.parts, delivery, outcome) if is_claimed(outcome) else []
        if len(holders) == 1:
            return acknowledge.exists(delivery, holders[0], now)
        some = f"; of the records there {', '.join(holders[:FEW])} may hold it" if holders else ""
        return acknowledge.not_made(delivery, f"{discreet(outcome.reason)}{some}", outcome.code)

    def _done(self, stream: Stream, delivery: Delivery, outcome: Done, now: datetime) -> Settlement:
        """Sent is not kept: a consent that the answer does not show is not done. A new record stands all
        the same; what it lacks is decided at once."""
        lag, stamps, record = self.parts.specs[stream].lag, self._own_stamps(stream), outcome.record
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
        if record is None or not acknowledge.unkept(delivery, record, self.parts.policy.mappings[stream]):
            return done
        if delivery.write.kind is WriteKind.CREATE:
            return replace(done, due="consent")
        return acknowledge.not_kept(delivery, record)

    def _own_stamps(self, stream: Stream) -> frozenset[str]:
        """Paths that only tell when the system made the record: of one that we made they say nothing."""
        return self.parts.policy.own_stamps(stream)

    def _postpone(self, stream: Stream, batch: Sequence[Delivery], error: ConnectorError) -> None:
        """The guard could not read: nothing was sent, the connection waits or the batch is tried later."""
        self.stop(stream[0], batch[0].write.lane, error)
        if not isinstance(error, RateLimited | Unauthorized):
            self.tally.notes.append(f"{stream[0]} {stream[1]}: {error}")

    # -- doubt and remote jobs --------------------------------------------------------------------

    def resolve(self, connections: Sequence[str]) -> int:
        """Deliveries in doubt are read, remote jobs are asked; how many steps were taken."""
        looked, unclaimed = 0, Unclaimed(self.parts)
        for delivery in self._asked_of(self.parts.store.doubtful, connections):
            if self._can_look(delivery):
                looked += self._careful(delivery.write, partial(self._resolve_doubt, delivery, unclaimed))
        for batch in _by_job(self._asked_of(self.parts.store.waiting, connections)):
            looked += self._careful(batch[0].write, partial(self._ask_job, batch))
        return looked

    def _asked_of(
        self, verb: Callable[..., Sequence[Delivery]], connections: Sequence[str]
    ) -> Sequence[Delivery]:
        """Some of what may be asked about now. What cannot be asked, as its connection has to wait, keeps
        nobody's else from being asked; of a limited one there are the opt-outs."""
        free = [name for name in connections if not self._waits(name, Lane.NORMAL)]
        urgent = [name for name in connections if name not in free and not self._waits(name, Lane.URGENT)]
        found = verb(self.parts.now(), free, FEWER)
        return [*found, *verb(self.parts.now(), urgent, FEWER, [Lane.URGENT])] if urgent else found

    def _careful(self, write: Write, step: Callable[[], None]) -> bool:
        """One step of a connection that is not blocked; its error blocks only that connection and lane.
        Whether it was taken."""
        if self._waits(write.connection, write.lane):
            return False
        try:
            step()
        except ConnectorError as error:
            self.stop(write.connection, write.lane, error)
        return True

    def _resolve_doubt(self, delivery: Delivery, unclaimed: Unclaimed) -> None:
        stream = (delivery.write.connection, delivery.write.object)
        now, lag = self.parts.now(), self.parts.specs[stream].lag
        record = self._look(stream, delivery, unclaimed)
        mapping = self.parts.policy.mappings[stream]
        if record is not None and acknowledge.was_taken(delivery, record, mapping):
            settlement = acknowledge.not_kept(delivery, record)
        elif record is not None and acknowledge.is_silent(delivery, record):
            settlement = acknowledge.done(delivery, record.id, None, lag, now)
        else:
            settlement = acknowledge.doubt_resolved(
                delivery,
                record,
                self._keeps(stream, delivery),
                self._keeps(stream, delivery, forms=False),
                lag,
                now,
                self._agreed(stream, delivery, record),
            )
        settlement = publishing.noted(settlement, delivery, mapping, now)
        self._end(stream, [settlement])

    def _agreed(self, stream: Stream, delivery: Delivery, record: Record | None) -> Mapping[str, Agreed]:
        """What a record that a create may have made holds of ours, or held when it was first read: what
        somebody has changed since is an edit."""
        if record is None or delivery.write.kind is not WriteKind.CREATE:
            return {}
        policy, wants = self.parts.policy, delivery.write.wants
        mapping, table = policy.mappings[stream], policy.tables[delivery.link.kind]
        landed = self.parts.store.known(*stream, [record.id]).get(record.id)
        views = [landed.observed] if landed is not None and landed.fresh else []
        found: dict[str, Agreed] = {}
        for view in (*views, record.values):
            found |= made.agreed(view, wants, mapping, table, self._formats(stream))
        return found

    def _formats(self, stream: Stream) -> Mapping[str, Format]:
        return {one.path: one for one in self.parts.store.formats([stream[0]]) if one.object == stream[1]}

    def _can_look(self, delivery: Delivery) -> bool:
        """A create without a key to look up is found by a reading that began when it was to be seen."""
        stream = (delivery.write.connection, delivery.write.object)
        if delivery.link.remote_id is not None or self._lookup_keys(stream, delivery):
            return True
        since = self.parts.store.stream(*stream).read_since
        return since is not None and since >= delivery.not_before

    def _look(self, stream: Stream, delivery: Delivery, unclaimed: Unclaimed) -> Record | None:
        """The record that a write in doubt is about, as it is now; None when there is none."""
        connector = self.parts.connector(stream[0], delivery.write.lane)
        fields = asked_fields(self.parts, stream)
        if delivery.link.remote_id is not None:
            answer = connector.read(stream[1], [delivery.link.remote_id], fields)[0]
            return answer if isinstance(answer, Record) else None
        for key, value in self._lookup_keys(stream, delivery):
            found = [one for one in connector.find(stream[1], key, [value], fields) if not one.deleted]
            if found:
                return self._likeliest(stream, delivery, found)
        return self._among_landed(stream, delivery) or unclaimed.made_by(delivery)

    def _likeliest(self, stream: Stream, delivery: Delivery, found: Sequence[Record]) -> Record:
        """Of several records with one key (an address that a family shares) the one that is nobody else's and
        says most of what was sent."""
        known = self.parts.store.known(*stream, [record.id for record in found])
        own, keeps = (None, delivery.entity_id), self._keeps(stream, delivery)

        def order(one: Record) -> tuple[bool, int, str]:
            theirs = one.id in known and known[one.id].entity_id not in own
            return theirs, -sum(keeps(path, one.values.get(path)) for path in delivery.write.values), one.id

        return min(found, key=order)

    def _lookup_keys(self, stream: Stream, delivery: Delivery) -> list[tuple[str, Json]]:
        if not self.parts.can(stream, Capability.LOOKUP_BY_KEY):
            return []
        write = delivery.write
        keys = [write.upsert] if write.upsert is not None else []
        named = [
            (key, write.values[key])
            for key in self.parts.specs[stream].keys
            if write.values.get(key) is not None
        ]
        return [*keys, *named]

    def _among_landed(self, stream: Stream, delivery: Delivery) -> Record | None:
        """Where nothing can be looked up: the entity's own record, if a reading since has brought it."""
        case = self.parts.store.case(public_id(delivery.link.kind, delivery.entity_id))
        for link in case.links:
            if link.stream == stream and link.remote_id is not None and link.state is LinkState.LIVE:
                return Record(link.remote_id, link.observed, link.version, link.changed_at)
        return None

    def _keeps(self, stream: Stream, delivery: Delivery, forms: bool = True) -> Callable[[str, Json], bool]:
        """Whether a value read is what this system keeps of what was sent. A consent, and an element that is
        written by itself, have to show: neither a form nor the rest of the list stands for them. What stood
        there before is no form: it says that nothing was written; nor is an empty field of a record that a
        create may have made. Without `forms` nothing is one."""
        mapping = self.parts.policy.mappings[stream]
        sent, before = acknowledge.predicted(delivery), delivery.write.replaced
        known = self._formats(stream)
        own = [one for one in map(mapping.binding, delivery.write.wants) if one is not None]

        def keeps(path: str, value: Json) -> bool:
            if value == sent.get(path):
                return True
            if path in before and value == before[path]:
                return False
            single = (one for one in own if one.remote == path and (one.element or one.consent))
            if not all(_says_the_same(one, sent.get(path), value) for one in single):
                return False
            shown = path in before or value not in made.EMPTY
            if forms and shown and is_surely_form(sent.get(path), value, known.get(path)):
                return True
            whole = (one for one in mapping.bindings if one.remote == path and not one.element)
            first = next(whole, None)
            return first is not None and _says_the_same(first, sent.get(path), value)

        return keeps

    def _ask_job(self, batch: Sequence[Delivery]) -> None:
        stream = (batch[0].write.connection, batch[0].write.object)
        items = [self._item(stream, one) for one in batch]
        outcomes = self.parts.connector(stream[0], batch[0].write.lane).poll(
            stream[1], batch[0].job or "", items
        )
        outcomes, error = dated(self.parts, stream, batch, outcomes)
        self._heed(stream[0], batch[0].write.lane, error)
        self._settle(stream, batch, outcomes)


def _says_the_same(binding: Binding, sent: Json, has: Json) -> bool:
    one, other = binding.read(sent), binding.read(has)
    return not isinstance(one, Rejected) and one == other


def _claimed_last(
    ended: Sequence[tuple[Delivery, Outcome]],
) -> Iterator[Sequence[tuple[Delivery, Outcome]]]:
    """Attempts and their outcomes, those last whose key may be held by what the others have just made."""
    claimed = [one for one in ended if is_claimed(one[1])]
    yield [one for one in ended if not is_claimed(one[1])]
    if claimed:
        yield claimed


def _by_job(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Deliveries that one remote job works on, together."""
    jobs: dict[tuple[str, str, str | None], list[Delivery]] = {}
    for one in deliveries:
        jobs.setdefault((one.write.connection, one.write.object, one.job), []).append(one)
    return list(jobs.values())


def _own_values(write: Write) -> Iterator[str]:
    """The paths that a write sets, apart from the hub's own key in a new record."""
    return (path for path in write.values if write.upsert is None or path != write.upsert[0])


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


POLL_EVERY = 2.0
"""Seconds between two questions about a remote job."""

_COUNTED = {
    DeliveryState.DONE: "done",
    DeliveryState.PARKED: "failed",
    DeliveryState.OVERTAKEN: "overtaken",
    DeliveryState.SUPERSEDED: "superseded",
}


def _unmoved(delivery: Delivery, now: Mapping[str, Link]) -> bool:
    """Whether the record is there, and as it was: of one that went nobody knows what a write would do. An
    opt-out goes also where it was only missed: if the record went, the system says so of the write, too."""
    link = now.get(delivery.link.remote_id or "")
    if link is None:
        return False
    if link.state is LinkState.TOMBSTONE:
        return link.buried == "missing" and ConsentState.OPTED_OUT in delivery.write.wants.values()
    return link.base == delivery.link.base and not _edited(delivery, link)


def _edited(delivery: Delivery, link: Link) -> bool:
    before = delivery.link.observed
    return any(link.observed.get(path) != before.get(path) for path in delivery.write.values)
