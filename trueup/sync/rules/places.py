"""Addresses that say no more than a place (`Kyiv`): at first sight such a one takes the place of none with a
street or a postcode, however it is spelled (decision 0030). And what an address that lost at first sight said
beyond the one that won: it stays with the records that show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from trueup.model.entity import Entity, Source
from trueup.model.fields import NAME, Field
from trueup.model.history import Conflict
from trueup.model.values import Value
from trueup.sync.rules.evidence import Claim, Reading
from trueup.sync.rules.verdict import HUB, Question

_NEAR = (".street", ".postcode")


def without_places(question: Question) -> tuple[Question, list[Claim]]:
    """The question about an address without first sights of a mere place, where something nearer is said or
    held; and those."""
    firsts = [one for one in question.claims if one.first and question.listed(one)]
    nearer = [one for one in firsts if not _is_place(one.value or {})]
    held = question.current or {}
    if not nearer and (not held or _is_place(held)):
        return question, []
    aside = [one for one in firsts if _is_place(one.value or {})]
    sources = {one.source for one in aside}
    claims = [one for one in question.claims if not (one.first and one.source in sources)]
    gives_way = _is_place(held) and question.source is not None and question.source.how == "first"
    return replace(question, claims=claims, current=None if gives_way else question.current), aside


def set_aside_places(aside: Sequence[Claim], keeper: Source | None) -> Iterator[Conflict]:
    """Losers, so that nothing is written over unheard. `keeper`: who answers for the address now."""
    by = HUB if keeper is None else keeper.ref or keeper.origin
    for one in aside:
        yield Conflict(one.field, one.value, one.source, None, by, "no more than a place at first sight")


def displaced(before: Entity, after: Entity, table: Mapping[str, Field]) -> frozenset[str]:
    """The parts of addresses that the hub held until another first sight, which does not say them, was found
    to be the better one. Nobody emptied them."""
    return frozenset(
        name
        for name, source in after.sources.items()
        if source.how == "first" and name in before.values and name not in after.values
        if name in table and table[name].group not in ("", NAME)
    )


def as_never_told(reading: Reading, parts: Set[str], values: Mapping[str, Value]) -> Reading:
    """A reading of nothing but displaced parts, as if the better address had been read first: what the hub
    does not say is cleared nowhere by itself, only with an address that is replaced (`groups.keep_whole`)."""
    fields = reading.binding.fields
    if parts.isdisjoint(fields) or any(values.get(name) is not None for name in fields):
        return reading
    return replace(reading, agreed=None, was=None, before=None)


def _is_place(values: Mapping[str, Value]) -> bool:
    """Whether an address says no street and no postcode."""
    return not any(value and name.endswith(_NEAR) for name, value in values.items())
