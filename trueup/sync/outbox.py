"""Deliver: due writes in batches, guarded by what was seen; the answers become what is observed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from trueup.connectors.base import (
    Capability,
    Outcome,
    RefusedItem,
    UnknownItem,
    not_applied,
)
from trueup.errors import ConnectorError, Malformed, OutcomeUnknown, RateLimited, Refused, Unauthorized
from trueup.model.consent import ConsentState
from trueup.model.delivery import Delivery, Lane, Write, WriteKind
from trueup.model.entity import Link, LinkState
from trueup.sync import payload
from trueup.sync.about import EVERYBODY, About
from trueup.sync.inbox import asked_fields, reread
from trueup.sync.passes import Pass
from trueup.sync.rules import acknowledge
from trueup.sync.rules.policy import Stream
from trueup.sync.settling import end, settle

SOME = 1000
"""Deliveries that are loaded at once."""


@dataclass(slots=True)
class Push(Pass):
    """The pass itself. `about`: whose writes may leave; `put_off`: deliveries that it could not send (their
    record moved, another worker has them) and does not try twice."""

    about: About = EVERYBODY
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
                if self.waits(stream[0], batch[0].write.lane):
                    break
                attempted += len(batch)
                self._deliver(batch)

    def _outstanding(self, connections: Sequence[str]) -> Sequence[Delivery]:
        for lane in Lane:
            names = [name for name in connections if not self.waits(name, lane)]
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
        revisions = {one.id: one.link.rev for one in fit}
        sent = set(self.parts.store.send(revisions, self.parts.worker, began, self.fence))
        self.put_off.update(one.id for one in batch if one.id not in sent)
        going = [one for one in fit if one.id in sent]
        if going:
            settle(self, stream, going, self._write(stream, going), began)

    def _still_there(self, stream: Stream, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Those whose record is still one of this object; a converted one is decided again."""
        moved = [one for one in batch if one.link.stream != stream]
        if not moved:
            return batch
        now = self.parts.now()
        end(self, stream, [acknowledge.stale(one, now) for one in moved])
        return [one for one in batch if one.link.stream == stream]

    def _still_mapped(self, stream: Stream, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Those that write only what today's mapping may write there; others, decided before a field was
        taken away or confined (one that waited, failed or was in doubt), are decided again."""
        written = self.parts.policy.mappings[stream].written
        over = [one for one in batch if not written.issuperset(_own_values(one.write))]
        if not over:
            return batch
        end(self, stream, [acknowledge.outdated(one) for one in over])
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
        return [replace(one, link=now[one.link.remote_id or ""]) for one in batch if _unmoved(one, now)]

    def _just_read(self, stream: Stream) -> bool:
        state = self.parts.store.stream(*stream)
        spec = self.parts.specs[stream]
        age = timedelta(seconds=self.parts.pace(stream[0]).guard_age)
        since = state.read_since
        return since is not None and spec.lag == 0 and self.parts.now() - since < age

    def _postpone(self, stream: Stream, batch: Sequence[Delivery], error: ConnectorError) -> None:
        """The guard could not read: nothing was sent, the connection waits or the batch is tried later."""
        self.stop(stream[0], batch[0].write.lane, error)
        if not isinstance(error, RateLimited | Unauthorized):
            self.tally.notes.append(f"{stream[0]} {stream[1]}: {error}")

    def _write(self, stream: Stream, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        """The batch's outcomes; an error of the whole call becomes each item's outcome."""
        items = [payload.item(self.parts, stream, one) for one in batch]
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


def _own_values(write: Write) -> Iterator[str]:
    """The paths that a write sets, apart from the hub's own key in a new record."""
    return (path for path in write.values if write.upsert is None or path != write.upsert[0])


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
