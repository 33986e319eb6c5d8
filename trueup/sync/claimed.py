"""New records of which a system refuses what tells who they are: who holds that there already."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from trueup.connectors.base import Outcome, RefusedItem
from trueup.dedupe.normalise import OWN_FIELDS, match_keys
from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding
from trueup.model.delivery import Delivery, WriteKind
from trueup.model.entity import Link, LinkState
from trueup.sync.parts import Parts
from trueup.sync.rules.policy import Stream

TAKEN = "TU-REF-011"
"""The system's word that a value which must be unique there belongs to another record."""


def is_claimed(outcome: Outcome) -> bool:
    """Whether the system says that another record holds a key of this new one, and not which."""
    return isinstance(outcome, RefusedItem) and outcome.code == TAKEN and not outcome.existing_id


def identity_refused(parts: Parts, delivery: Delivery, outcome: RefusedItem) -> bool:
    """Whether this is a create, and what was refused tells who the record is: the hub's own key, an address,
    an external id, whatever else finds people and is unique there. A malformed one beside another that is
    not refused is a field like any other; one that is taken is not."""
    if delivery.write.kind is not WriteKind.CREATE:
        return False
    refused, upsert = outcome.fields, delivery.write.upsert
    if upsert is not None and upsert[0] in refused:
        return True
    telling = [one.remote for one in _telling(parts, _stream(delivery))]
    if not any(path in refused for path in telling):
        return False
    left = (path for path in telling if path not in refused and delivery.write.values.get(path))
    return outcome.code == TAKEN or next(left, None) is None


def holder_of(parts: Parts, delivery: Delivery, refused: Collection[str]) -> str | None:
    """The remote id of another entity's record that holds there what was refused; None if none is known."""
    stream, kind = _stream(delivery), delivery.link.kind
    asked = [one for one in _telling(parts, stream) if one.remote in refused]
    keys = set(match_keys(kind, observed(asked, delivery.write.values).values))
    found = parts.store.candidates(kind, sorted(keys)) if keys else {}
    links = {
        one.link_id
        for some in found.values()
        for one in some
        if (one.connection, one.object) == stream and one.entity_id != delivery.entity_id
    }
    there = (one for one in parts.store.links(sorted(links)) if _holds(one, asked, keys))
    return next((one.remote_id for one in there), None)


def _holds(link: Link, asked: Iterable[Binding], keys: Collection[tuple[str, str]]) -> bool:
    """Now, and not only formerly."""
    if link.state is not LinkState.LIVE or link.remote_id is None:
        return False
    return not set(match_keys(link.kind, observed(asked, link.observed).values)).isdisjoint(keys)


def _telling(parts: Parts, stream: Stream) -> list[Binding]:
    own, specs = OWN_FIELDS[parts.policy.mappings[stream].kind], parts.specs[stream].fields
    return [
        one
        for one in parts.policy.naming(stream)
        if not own.isdisjoint(one.fields) or (one.remote in specs and specs[one.remote].unique)
    ]


def _stream(delivery: Delivery) -> Stream:
    return (delivery.write.connection, delivery.write.object)
