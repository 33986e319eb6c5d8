"""Match keys follow the normaliser: when its rules changed they are made anew before anything is matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.dedupe.normalise import NORMALISER_VERSION
from trueup.mapping.apply import observed
from trueup.model.entity import Entity, Link, LinkState
from trueup.model.matching import LinkKeys, Rekeyed
from trueup.model.plan import Case
from trueup.model.run import Fence
from trueup.model.values import Value
from trueup.sync.parts import Parts
from trueup.sync.rules.addresses import keys_now
from trueup.sync.rules.policy import Stream


def rebuild_keys(parts: Parts, fence: Fence | None) -> int:
    """Make the keys anew of all records whose keys another version of the normaliser made; how many.

    In steps of a chunk, each stored with how far it got: a run that was killed is gone on with. Records of
    systems that are not configured keep theirs until they are.
    """
    return sum(_rebuild(parts, stream, fence) for stream in parts.policy.mappings)


def _rebuild(parts: Parts, stream: Stream, fence: Fence | None) -> int:
    count = 0
    while (links := _stale(parts, stream)) is not None:
        cases = {case.entity.id: case for case in parts.store.load(sorted({_owner(one) for one in links}))}
        keys = tuple(LinkKeys(one.id, one.kind, _keys(parts, one, cases[_owner(one)])) for one in links)
        upto, entities = links[-1].id if links else None, tuple(case.entity for case in cases.values())
        parts.store.rekey(Rekeyed(*stream, NORMALISER_VERSION, keys, entities, upto), fence)
        parts.progress("rekey", *stream, len(links))
        count += len(links)
    return count


def _stale(parts: Parts, stream: Stream) -> Sequence[Link] | None:
    return parts.store.stale_keys(*stream, NORMALISER_VERSION, parts.timing.chunk)


def _owner(link: Link) -> int:
    assert link.entity_id is not None
    return link.entity_id


def _keys(parts: Parts, link: Link, case: Case) -> tuple[tuple[str, str], ...]:
    """What a record is found by; one that is not made yet by what the contact holds."""
    first = next((one.id for one in case.links if _readable(parts, one)), None)
    return keys_now(_held(parts, link, case.entity), case.entity, carries=link.id == first)


def _held(parts: Parts, link: Link, entity: Entity) -> Mapping[str, Value]:
    if link.state is LinkState.WANTED:
        return entity.values
    return observed(parts.policy.naming(link.stream), link.observed).values


def _readable(parts: Parts, link: Link) -> bool:
    return link.state is LinkState.LIVE and link.stream in parts.policy.mappings
