"""Identify: which entity the records without one belong to."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.connectors.base import Capability
from trueup.dedupe.decision import MOST_HOLDERS, Formed, Holders, Stranger, identify
from trueup.dedupe.names import name_of
from trueup.dedupe.normalise import match_keys
from trueup.mapping.apply import observed
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.matching import Assignment
from trueup.model.run import Fence
from trueup.sync.parts import KINDS, Parts
from trueup.sync.rules.bare_phones import by_own_address

TRIES = 5
"""How often links come back because somebody else assigned the same keys meanwhile."""


def heed_moves(parts: Parts, fence: Fence | None) -> None:
    """Records that moved and were not decided yet are found by what they hold now, too: whether a newcomer is
    met before that decision or after it makes no difference to who it is."""
    for kind in KINDS:
        after = 0 if parts.store.strangers([kind], 0, 1) else None
        while after is not None and (links := parts.store.moved(kind, after, parts.timing.chunk)):
            after = links[-1].entity_id
            known = [_stranger(parts, link) for link in links if link.stream in parts.policy.mappings]
            parts.store.find_too(kind, {one.link.id: one.keys for one in known}, fence)


def identify_all(parts: Parts, fence: Fence | None) -> int:
    """Give every stranger its entity; answers how many there were."""
    return sum(_identify_kind(parts, kind, fence) for kind in KINDS)


def _identify_kind(parts: Parts, kind: Kind, fence: Fence | None) -> int:
    count, tries = 0, 0
    while tries < TRIES:
        left = 0
        for assignments in proposals(parts, kind):
            again = parts.store.assign(assignments, parts.now(), fence)
            count += len(assignments) - len(again)
            left += len(again)
            parts.progress("identify", "", kind.value, len(assignments))
        if not left:
            return count
        tries += 1
    return count


def proposals(parts: Parts, kind: Kind, unstored: Formed | None = None) -> Iterator[list[Assignment]]:
    """Assignments for all strangers of a kind, chunk by chunk.

    Where ids are made of the content, a record that a listing under way has brought waits for its end: it may
    be a known one that was edited. Whoever stores each chunk before the next is asked for gives no
    `unstored`; a plan, which stores none, gives one that remembers over the chunks what was formed.
    """
    after = 0
    unlisted = [stream for stream in parts.specs if parts.can(stream, Capability.CONTENT_IDS)]
    while True:
        links = parts.store.strangers([kind], after, parts.timing.chunk, unlisted)
        if not links:
            return
        after = links[-1].id
        strangers = [_stranger(parts, link) for link in links if link.stream in parts.policy.mappings]
        keys = sorted({key for stranger in strangers for key in stranger.keys})
        formed = Formed() if unstored is None else unstored
        holders = Holders(parts.store.candidates(kind, keys), formed)
        _learn(parts, kind, holders)
        if strangers:
            yield identify(strangers, holders, parts.identity, parts.now())


def _learn(parts: Parts, kind: Kind, holders: Holders) -> None:
    """Who they are that hold the same address, or the same name with something, from their own records."""
    if kind is not Kind.CONTACT:
        return
    owners = {
        one.link_id: one.entity_id
        for key, found in holders.stored.items()
        if key[0] in _TOLD_APART
        for one in found[:MOST_HOLDERS]
    }
    for link in parts.store.links(sorted(owners)):
        if link.stream in parts.policy.mappings and link.observed:
            known = _stranger(parts, link)
            holders.formed.learn(f"e{owners[link.id]}", name_of(known.values), known.keys)


_TOLD_APART = frozenset({"email", "email+name", "phone", "phone+name"})
"""Kinds of key whose holders may still be several people."""


def _stranger(parts: Parts, link: Link) -> Stranger:
    """Of its fields only those that tell who it is are read here."""
    values = observed(parts.policy.naming(link.stream), link.observed).values
    understood = by_own_address(parts.policy.mappings[link.stream], link.observed)
    found = {**values, "phones": [*(values.get("phones") or ()), *understood]} if understood else values
    return Stranger(link, tuple(match_keys(link.kind, found)), values)
