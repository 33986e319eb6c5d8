"""Identify: which entity the records without one belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trueup.dedupe.decision import Holders, Stranger, identify
from trueup.dedupe.normalise import match_keys
from trueup.mapping.apply import observe
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.plan import Assignment, Fence
from trueup.sync.parts import KINDS, Parts

Formed = dict[tuple[str, str], set[str]]
"""Which groups of strangers hold a key."""

TRIES = 5
"""How often links come back because somebody else assigned the same keys meanwhile."""


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

    Whoever stores each chunk before the next is asked for gives no `unstored`; a plan, which stores
    none, gives a mapping in which the groups that were formed are remembered over the chunks.
    """
    after = 0
    while True:
        links = parts.store.strangers([kind], after, parts.timing.chunk)
        if not links:
            return
        after = links[-1].id
        strangers = [_stranger(parts, link) for link in links if link.stream in parts.policy.mappings]
        keys = sorted({key for stranger in strangers for key in stranger.keys})
        holders = Holders(parts.store.candidates(kind, keys), {} if unstored is None else unstored)
        if strangers:
            yield identify(strangers, holders, parts.identity, parts.now())


def _stranger(parts: Parts, link: Link) -> Stranger:
    values = observe(parts.policy.mappings[link.stream], link.observed).values
    return Stranger(link, tuple(match_keys(link.kind, values)), values)


def strangers_by_group(assignments: Sequence[Assignment]) -> dict[str, list[int]]:
    """Link ids by the entity that they were proposed for."""
    groups: dict[str, list[int]] = {}
    for one in assignments:
        groups.setdefault(one.group, []).append(one.link_id)
    return groups
