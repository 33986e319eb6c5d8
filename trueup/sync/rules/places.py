"""Addresses that say no more than a place (`Kyiv`): at first sight such a one takes the place of none with a
street or a postcode, however it is spelled (decision 0030)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from trueup.model.entity import Source
from trueup.model.history import Conflict
from trueup.model.values import Value
from trueup.sync.rules.evidence import Claim
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


def _is_place(values: Mapping[str, Value]) -> bool:
    """Whether an address says no street and no postcode."""
    return not any(value and name.endswith(_NEAR) for name, value in values.items())
