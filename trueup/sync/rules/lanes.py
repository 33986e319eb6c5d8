"""What may stand in the outbox at once: one write per record and lane (HARD-CASES 3). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from trueup.mapping.compiled import ObjectMapping, remote_path
from trueup.model.delivery import UNSENT_STATES, DeliveryState, Lane, OpenDelivery, Write, WriteKind
from trueup.model.entity import WAS_ABSENT, Agreed, Link, stood
from trueup.model.jsontext import digest
from trueup.model.record import Json
from trueup.sync.rules.aside import refusal_ended

Place = tuple[int, str, str, Lane]
"""Link (0: it is still to be made), connection, object and lane."""


@dataclass(frozen=True, slots=True)
class Queued:
    """`new` go into the outbox, `superseded` (delivery ids) leave it unsent; `later` are decided as well, and
    leave when what goes before them on the same record and lane has ended."""

    new: tuple[Write, ...]
    later: tuple[Write, ...]
    superseded: tuple[int, ...]


def write_digest(write: Write) -> str:
    """What makes two intentions the same: where, kind and values."""
    return digest([write.connection, write.object, write.kind.value, dict(write.values)])


def queue(open: Sequence[OpenDelivery], writes: Sequence[Write], again: Collection[int] = ()) -> Queued:
    """What follows for the outbox, where these writes are wanted and those deliveries stand.

    Of several writes to one record and lane the first goes. Nothing goes behind what was sent and is not
    settled; what stands there unsent stays if it is what shall go, and is superseded if not. The same for
    another value of the hub is another write: what becomes of it is remembered of the value it was for. So is
    the same in place of one of those that go `again`: why it was refused is no longer so.
    """
    there = {(one.link_id, one.lane): one for one in open}
    new: list[Write] = []
    later: list[Write] = []
    stays: set[int] = set()
    for place, some in _by_place(writes).items():
        standing = there.get((place[0], place[-1])) if place[0] else None
        if standing is not None and standing.state not in UNSENT_STATES:
            later.extend(one for one in some if write_digest(one) != standing.digest)
            continue
        first = _first(some, standing)
        later.extend(one for one in some if one is not first)
        if standing is not None and standing.id not in again and _same(standing, first):
            stays.add(standing.id)
        else:
            new.append(first)
    superseded = tuple(one.id for one in open if one.state in UNSENT_STATES and one.id not in stays)
    return Queued(tuple(new), tuple(later), superseded)


def _same(standing: OpenDelivery, write: Write) -> bool:
    wanted = digest(dict(standing.wants)) == digest(dict(write.wants))
    return wanted and standing.digest == write_digest(write)


def _by_place(writes: Sequence[Write]) -> Mapping[Place, list[Write]]:
    places: dict[Place, list[Write]] = {}
    for one in writes:
        places.setdefault((one.link_id, one.connection, one.object, one.lane), []).append(one)
    return places


def _first(some: Sequence[Write], standing: OpenDelivery | None) -> Write:
    """The first that is wanted; a change of the record that waits for a person does not keep the record from
    being switched off."""
    if standing is not None and standing.state is DeliveryState.PARKED:
        other = (one for one in some if one.kind is not WriteKind.UPDATE)
        if standing.digest == write_digest(some[0]):
            return next(other, some[0])
    return some[0]


def tried_again(
    open: Sequence[OpenDelivery], links: Mapping[int, Link], mappings: Mapping[tuple[str, str], ObjectMapping]
) -> frozenset[int]:
    """The parked writes of which a field was refused that is another by now: they are worth an attempt."""
    parked = (one for one in open if one.state is DeliveryState.PARKED and one.link_id in links)
    return frozenset(one.id for one in parked if _may_be_taken(one, links[one.link_id], mappings))


def _may_be_taken(one: OpenDelivery, link: Link, mappings: Mapping[tuple[str, str], ObjectMapping]) -> bool:
    if not link.quarantine or link.stream not in mappings:
        return False
    carried = (each for each in mappings[link.stream].bindings if each.key in one.wants)
    return any(
        refusal_ended(link, each, one.wants[each.key], one.values.get(each.remote)) for each in carried
    )


# -- what a person gave up ------------------------------------------------------------------------


def given_up(write: Write) -> tuple[str, Agreed]:
    """How a link remembers that a person gave up this write, which is not about single fields: the same
    is not raised again."""
    return f"{_WHOLE}{write.kind}", Agreed(write_digest(write), None, left=True)


def left(write: Write, link: Link) -> dict[str, Agreed]:
    """The agreements that remain when a person gives up this write: each side keeps what it holds."""
    if write.kind is not WriteKind.UPDATE:
        return dict([given_up(write)])
    return {key: Agreed(hub, _judged(key, write, link), left=True) for key, hub in write.wants.items()}


def _judged(key: str, write: Write, link: Link) -> Json:
    """What stood there when it could be judged last: an edit that was read and not judged yet stays one, and
    what nobody could read is none once it is as it was."""
    known = link.agreed.get(key)
    unread = known is not None and known.remote == WAS_ABSENT
    path = remote_path(key, write.values)
    return stood(None if unread else known, link.base, link.observed, path, WAS_ABSENT)


def was_given_up(write: Write, links: Mapping[int, Link]) -> bool:
    """Whether a person gave up the same write, and what it carries did not move since."""
    if write.kind is WriteKind.UPDATE or write.link_id not in links:
        return False
    key, mark = given_up(write)
    return links[write.link_id].agreed.get(key) == mark


_WHOLE = "\ue000write:"
"""Marks keys of a link's agreements that are no field of it."""
