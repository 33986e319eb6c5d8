"""New records of which a system refuses what tells who they are: who holds that there already."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.connectors.base import Outcome, RefusedItem
from trueup.dedupe.normalise import OWN_FIELDS, match_keys
from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding
from trueup.model.delivery import Delivery, WriteKind
from trueup.model.entity import LinkState
from trueup.model.values import Value
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
    not refused is a field like any other; one that is taken is not, and where nobody says which is taken it
    is one of those that were sent."""
    if delivery.write.kind is not WriteKind.CREATE:
        return False
    refused, upsert = outcome.fields, delivery.write.upsert
    if upsert is not None and upsert[0] in refused:
        return True
    telling = [one.remote for one in _telling(parts, _stream(delivery))]
    if is_claimed(outcome) and not _named(delivery, outcome):
        return any(delivery.write.values.get(path) for path in telling)
    if not any(path in refused for path in telling):
        return False
    left = (path for path in telling if path not in refused and delivery.write.values.get(path))
    return outcome.code == TAKEN or next(left, None) is None


def holders_of(parts: Parts, delivery: Delivery, outcome: RefusedItem) -> list[str]:
    """The remote ids of other entities' records that may hold there what was refused. Of several that are
    found by it only the one that spells it just so, if there is such a one."""
    stream, kind = _stream(delivery), delivery.link.kind
    asked = _asked(parts, delivery, outcome)
    sent = observed(asked, delivery.write.values).values
    keys = set(match_keys(kind, sent))
    found = parts.store.candidates(kind, sorted(keys)) if keys else {}
    links = {
        one.link_id
        for some in found.values()
        for one in some
        if (one.connection, one.object) == stream and one.entity_id != delivery.entity_id
    }
    there = [
        (one.remote_id, said)
        for one in parts.store.links(sorted(links))
        if one.state is LinkState.LIVE and one.remote_id is not None
        for said in [observed(asked, one.observed).values]
        if not keys.isdisjoint(match_keys(kind, said))  # now, and not only formerly
    ]
    exact = [id for id, said in there if not _texts(sent).isdisjoint(_texts(said))]
    return exact if len(exact) == 1 else [id for id, _ in there]


def _asked(parts: Parts, delivery: Delivery, outcome: RefusedItem) -> list[Binding]:
    """What may be taken: what the system names; else all that tells who the record is, and of that only what
    is known to be unique there, if anything is."""
    stream = _stream(delivery)
    telling, specs = _telling(parts, stream), parts.specs[stream].fields
    if _named(delivery, outcome):
        return [one for one in telling if one.remote in outcome.fields]
    return [one for one in telling if one.remote in specs and specs[one.remote].unique] or telling


def _named(delivery: Delivery, outcome: RefusedItem) -> bool:
    """Whether the system says which of the values that it was sent it refuses."""
    upsert = delivery.write.upsert
    return any(path in delivery.write.values or (upsert and path == upsert[0]) for path in outcome.fields)


def _texts(said: Mapping[str, Value]) -> frozenset[str]:
    """Each text that stands in these fields, in whatever case."""
    several = (value if isinstance(value, list | tuple | frozenset) else [value] for value in said.values())
    return frozenset(one.casefold() for some in several for one in some if isinstance(one, str) and one)


def _telling(parts: Parts, stream: Stream) -> list[Binding]:
    own, specs = OWN_FIELDS[parts.policy.mappings[stream].kind], parts.specs[stream].fields
    return [
        one
        for one in parts.policy.naming(stream)
        if not own.isdisjoint(one.fields) or (one.remote in specs and specs[one.remote].unique)
    ]


def _stream(delivery: Delivery) -> Stream:
    return (delivery.write.connection, delivery.write.object)
