"""Which records that vanished are ones that came: where an id is made of the content, an edit gives a record
another id (decision 0024). Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from trueup.dedupe.names import Name, contradict, name_of
from trueup.dedupe.normalise import match_keys
from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.jsontext import dumps
from trueup.model.record import Json

Cell: TypeAlias = tuple[str, str]
"""A path and what it holds, as text."""

_KEY = "\0"
"""Before the kind of a match key: no path begins so."""

TOO_COMMON = 200
"""What so many of the rows in question hold tells nobody apart, and is not looked under."""


@dataclass(slots=True)
class _Group:
    """Links that nobody can tell apart: the same cells, and of those that vanished the same entity. `keys`
    and `name` say who it is."""

    cells: frozenset[Cell]
    paths: frozenset[str]
    keys: frozenset[tuple[str, str]]
    name: Name
    entity: int | None
    links: list[Link] = field(default_factory=list)


def recognised(
    naming: Iterable[Binding], gone: Sequence[Link], come: Sequence[Link]
) -> list[tuple[Link, Link]]:
    """Pairs of a link that vanished and the stranger that it became, in the order of the former.

    Rows are one if more than half of the cells that either fills are equal, and if for each of the two no
    other comes as near. A match key in common counts as one more equal cell; without any, names that
    contradict each other forbid it. Records of one entity do not compete: either is as right. Neither the
    order of the links nor that of the rows matters.
    """
    bindings = tuple(naming)
    left, right = _groups(bindings, gone, by_entity=True), _groups(bindings, come, by_entity=False)
    pairs = list(_unchanged(left, right))
    pairs += _edited([one for one in left if one.links], [one for one in right if one.links])
    return sorted(pairs, key=lambda pair: pair[0].id)


# -- rows ---------------------------------------------------------------------------------------------


def _groups(bindings: tuple[Binding, ...], links: Sequence[Link], *, by_entity: bool) -> list[_Group]:
    found: dict[tuple[int | None, frozenset[Cell]], _Group] = {}
    for link in sorted(links, key=_place):
        cells = frozenset(_cells(link.observed))
        entity = link.entity_id if by_entity else None
        group = found.get((entity, cells))
        if group is None:
            group = found[entity, cells] = _group(bindings, link, cells, entity)
        group.links.append(link)
    return list(found.values())


def _place(link: Link) -> tuple[bool, str]:
    """The primary one first, then by what the row holds: never by where it stands."""
    return (not link.primary, link.remote_id or "")


def _group(bindings: tuple[Binding, ...], link: Link, cells: frozenset[Cell], entity: int | None) -> _Group:
    values = observed(bindings, link.observed).values
    keys = frozenset(
        (_KEY + name, key)
        for name, key in match_keys(link.kind, values)
        if name != "phone"  # a house shares it
    )
    name = name_of(values) if link.kind is Kind.CONTACT else ("", "")
    return _Group(cells, frozenset(path for path, _ in cells), keys, name, entity)


def _cells(values: Mapping[str, Json]) -> Iterator[Cell]:
    for path, value in values.items():
        if value not in (None, "", []):
            yield path, value if isinstance(value, str) else dumps(value)


# -- pairs --------------------------------------------------------------------------------------------


def _unchanged(left: Sequence[_Group], right: Sequence[_Group]) -> Iterator[tuple[Link, Link]]:
    """Of equal rows (a column that is not mapped was edited, or added) each goes to one, if there are enough
    of them: of two entities that nobody can tell apart none is chosen."""
    same: dict[frozenset[Cell], list[_Group]] = defaultdict(list)
    for group in left:
        same[group.cells].append(group)
    for group in right:
        before = same.get(group.cells, [])
        if len(before) == 1 or sum(len(one.links) for one in before) <= len(group.links):
            for one in before:
                yield from _joined(one, group)


def _joined(before: _Group, after: _Group) -> Iterator[tuple[Link, Link]]:
    """The links of two groups, one by one; they are taken out of both."""
    while before.links and after.links:
        yield before.links.pop(0), after.links.pop(0)


def _edited(left: Sequence[_Group], right: Sequence[_Group]) -> Iterator[tuple[Link, Link]]:
    near = _near(left, right)
    backward: dict[int, dict[int, int]] = defaultdict(dict)
    for one, others in near.items():
        for other, equal in others.items():
            backward[other][one] = equal
    for one, others in near.items():
        best = max(others, key=lambda other: others[other])
        if _is_clear(others, best) and _chosen(left, backward[best]) == one:
            yield from _joined(left[one], right[best])


def _is_clear(others: Mapping[int, int], best: int) -> bool:
    return all(equal < others[best] for other, equal in others.items() if other != best)


def _chosen(left: Sequence[_Group], rivals: Mapping[int, int]) -> int | None:
    """Who comes nearest to a row that came; None where another entity comes as near. The groups are in order,
    so of one entity the first is its primary record, if that is among them."""
    most = max(rivals.values())
    nearest = sorted(one for one, equal in rivals.items() if equal == most)
    entities = {left[one].entity for one in nearest}
    return nearest[0] if len(entities) == 1 else None


def _near(left: Sequence[_Group], right: Sequence[_Group]) -> dict[int, dict[int, int]]:
    """By place in `left` and in `right`, how many cells are equal, where that is enough."""
    often = Counter(mark for group in (*left, *right) for mark in (*group.cells, *group.keys))
    index: dict[Cell, list[int]] = defaultdict(list)
    for place, group in enumerate(right):
        for mark in (*group.cells, *group.keys):
            index[mark].append(place)
    found: dict[int, dict[int, int]] = {}
    for place, group in enumerate(left):
        asked = {other for mark in _probes(group, often) for other in index.get(mark, ())}
        equal = {other: number for other in asked if (number := _equal(group, right[other]))}
        if equal:
            found[place] = equal
    return found


def _probes(group: _Group, often: Mapping[Cell, int]) -> list[Cell]:
    """Whoever shares more than half of the cells shares one of the rarer half, or else a key."""
    cells = sorted(group.cells, key=lambda cell: (often[cell], cell))
    asked = (*cells[: (len(cells) + 1) // 2], *group.keys)
    return [mark for mark in asked if often[mark] <= TOO_COMMON]


def _equal(one: _Group, other: _Group) -> int:
    """How many cells are equal, a key in common as one more; 0 where that is not enough."""
    meet = not one.keys.isdisjoint(other.keys)
    if not meet and contradict(one.name, other.name):
        return 0
    equal = len(one.cells & other.cells) + meet
    return equal if 2 * equal > len(one.paths | other.paths) + meet else 0
