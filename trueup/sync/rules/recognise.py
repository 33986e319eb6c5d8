"""Which records that vanished are ones that came: where an id is made of the content, an edit gives a record
another id (decision 0024). Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from trueup.dedupe.names import FullName, agree, contradict, full_name_of
from trueup.dedupe.normalise import KEY_FIELDS, is_role_mailbox, match_keys
from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.jsontext import dumps
from trueup.model.record import Json
from trueup.model.values import Type, Value

Cell: TypeAlias = tuple[str, str]
"""A path and what it holds, as text."""

_KEY = "\0"
"""Before the kind of a match key: no path begins so."""

TOO_COMMON = 200
"""What so many of the rows in question hold tells nobody apart, and is not looked under."""


SHARED = frozenset({Type.BOOL, Type.CHOICE, Type.COUNTRY, Type.LANGUAGE, Type.ZONE})
"""Types of few values: that they are equal says nothing of one row."""

PEOPLE = frozenset({Kind.CONTACT, Kind.USER})


@dataclass(slots=True)
class _Group:
    """Links that nobody can tell apart: the same `cells`, and of those that vanished the same entity. `marks`
    are the cells that weigh, `unnamed` all that are no names. `keys`, `phones` and `name` say who it is;
    without people no name. `traits` by field."""

    cells: frozenset[Cell]
    marks: frozenset[Cell]
    unnamed: frozenset[Cell]
    paths: frozenset[str]
    keys: frozenset[Cell]
    phones: frozenset[str]
    name: FullName
    traits: Mapping[str, frozenset[str]]
    entity: int | None
    links: list[Link] = field(default_factory=list)


def recognised(
    bindings: Iterable[Binding], gone: Sequence[Link], come: Sequence[Link], unread: int = 0
) -> list[tuple[Link, Link]]:
    """Pairs of a link that vanished and the stranger that it became, in the order of the former.

    `bindings` are those of the stream's mapping; only what they read and what is not of a type of few values
    weighs. Rows are one if it is the same one that they tell of (`_may_be_one`), if more than half of the
    cells that either fills are equal, and if for each of the two no other comes as near. A match key in
    common counts as one more equal cell. What is left then may be somebody of whom only the name was edited
    (`_renamed`). Where `unread` rows of the listing could not be read, each of them may be the one that seems
    to have vanished: a match key in common makes a pair then, or that all cells but one are equal and that
    one was not edited into another key. Records of one entity do not compete: either is as right. Neither
    the order of the links nor that of the rows matters.
    """
    columns = _columns(bindings)
    left, right = _groups(columns, gone, by_entity=True), _groups(columns, come, by_entity=False)
    pairs = list(_unchanged(left, right))
    for same in (_surely,) if unread else (_may_be_one, _renamed):
        rest = [one for one in left if one.links], [one for one in right if one.links]
        pairs += _edited(*rest, same)
    return sorted(pairs, key=lambda pair: pair[0].id)


# -- rows ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the columns of a table are for: paths that weigh, paths of names, and what tells who it is."""

    weighing: frozenset[str]
    named: frozenset[str]
    telling: tuple[Binding, ...]


def _columns(bindings: Iterable[Binding]) -> _Columns:
    every = tuple(bindings)
    return _Columns(
        frozenset(one.remote for one in every if _weighs(one)),
        frozenset(one.remote for one in every if not _NAMES.isdisjoint(one.fields)),
        tuple(one for one in every if not _TELLING.isdisjoint(one.fields)),
    )


def _groups(columns: _Columns, links: Sequence[Link], *, by_entity: bool) -> list[_Group]:
    found: dict[tuple[int | None, frozenset[Cell]], _Group] = {}
    for link in sorted(links, key=_place):
        cells = frozenset(_cells(link.observed))
        entity = link.entity_id if by_entity else None
        group = found.get((entity, cells))
        if group is None:
            group = found[entity, cells] = _group(columns, link, cells, entity)
        group.links.append(link)
    return list(found.values())


def _weighs(binding: Binding) -> bool:
    return binding.inward and binding.consent is None and binding.type not in SHARED


def _place(link: Link) -> tuple[bool, str]:
    """The primary one first, then by what the row holds: never by where it stands."""
    return (not link.primary, link.remote_id or "")


def _group(columns: _Columns, link: Link, cells: frozenset[Cell], entity: int | None) -> _Group:
    values = observed(columns.telling, link.observed).values
    keys = match_keys(link.kind, values)
    marks = frozenset(cell for cell in cells if cell[0] in columns.weighing)
    return _Group(
        cells=cells,
        marks=marks,
        unnamed=frozenset(cell for cell in cells if cell[0] not in columns.named),
        paths=frozenset(path for path, _ in marks),
        keys=frozenset(_keys(link.kind, keys, values)),
        phones=frozenset(key for name, key in keys if name == "phone"),
        name=full_name_of(values) if link.kind in PEOPLE else ("", "", "", ""),
        traits=_traits(link.kind, values),
        entity=entity,
    )


_NAMES = frozenset({"first_name", "middle_name", "last_name", "name_suffix"})

TRAITS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CONTACT: ("birthday", "national_id", "external_id"),
    Kind.COMPANY: ("registration_number", "vat_number", "external_id"),
    Kind.DEAL: ("company", "contacts"),
    Kind.USER: (),
}
"""Of what nobody has two: father and son bear one name, and so do offers to two customers."""

_TELLING = frozenset({"name"}).union(*TRAITS.values(), *KEY_FIELDS.values())
"""Fields that say who it is."""


def _traits(kind: Kind, values: Mapping[str, Value]) -> dict[str, frozenset[str]]:
    held = {name: value for name in TRAITS[kind] if (value := values.get(name))}
    return {
        name: frozenset(map(str, value if isinstance(value, list) else [value]))
        for name, value in held.items()
    }


def _keys(kind: Kind, found: Iterable[Cell], values: Mapping[str, Value]) -> Iterator[Cell]:
    """What stands for one alone. A house shares a number, an office a mailbox; of deals the name does."""
    for name, key in found:
        if name not in ("phone", "email+name") and not (name == "email" and is_role_mailbox(key)):
            yield _KEY + name, key
    if kind is Kind.DEAL and (title := values.get("name")):
        yield _KEY + "name", " ".join(str(title).casefold().split())


def _cells(values: Mapping[str, Json]) -> Iterator[Cell]:
    for path, value in values.items():
        if value not in (None, "", []):
            yield path, value if isinstance(value, str) else dumps(value)


# -- who it is ----------------------------------------------------------------------------------------


def _may_be_one(one: _Group, other: _Group) -> bool:
    """Whether two rows tell of the same one. A number of its own says so; an address unless the first names
    contradict, for of a household most cells are equal. A name and a phone number say so where, besides, no
    trait that both have differs."""
    if _share(one, other, OWN):
        return True
    if contradict(one.name[:2], other.name[:2]):
        return False
    if _share(one, other, ADDRESSES):
        return True
    if _differ(one, other):
        return False
    return _same_key(one, other) or not one.phones.isdisjoint(other.phones) or agree(one.name, other.name)


OWN = frozenset({f"{_KEY}external_id", f"{_KEY}registration"})
ADDRESSES = frozenset({f"{_KEY}email", f"{_KEY}domain"})


def _share(one: _Group, other: _Group, kinds: frozenset[str]) -> bool:
    return any(kind in kinds for kind, _ in one.keys & other.keys)


def _same_key(one: _Group, other: _Group) -> bool:
    return not one.keys.isdisjoint(other.keys)


def _differ(one: _Group, other: _Group) -> bool:
    """Whether both have a trait that is not the same."""
    return any(
        name in other.traits and held.isdisjoint(other.traits[name]) for name, held in one.traits.items()
    )


def _renamed(one: _Group, other: _Group) -> bool:
    """Whether nothing but the name was edited, of somebody with this address: `Bob` who is now `Robert`."""
    return _share(one, other, ADDRESSES) and one.unnamed == other.unnamed


def _surely(one: _Group, other: _Group) -> bool:
    """The same where a row was left unread, which may be the one that seems to have vanished: by a key in
    common, or because one cell was edited, and not into another key."""
    edited = {path for path, _ in one.marks ^ other.marks}
    lost, got = ({kind for kind, _ in keys} for keys in (one.keys - other.keys, other.keys - one.keys))
    nearly = len(edited) <= 1 and lost.isdisjoint(got)
    return (_same_key(one, other) or nearly) and _may_be_one(one, other)


Same: TypeAlias = Callable[[_Group, _Group], bool]
"""Whether two rows tell of the same one."""


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


def _edited(left: Sequence[_Group], right: Sequence[_Group], same: Same) -> Iterator[tuple[Link, Link]]:
    near = _near(left, right, same)
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


def _near(left: Sequence[_Group], right: Sequence[_Group], same: Same) -> dict[int, dict[int, int]]:
    """By place in `left` and in `right`, how many cells are equal, where that is enough."""
    often = Counter(mark for group in (*left, *right) for mark in (*group.marks, *group.keys))
    index: dict[Cell, list[int]] = defaultdict(list)
    for place, group in enumerate(right):
        for mark in (*group.marks, *group.keys):
            index[mark].append(place)
    found: dict[int, dict[int, int]] = {}
    for place, group in enumerate(left):
        asked = {other for mark in _probes(group, often) for other in index.get(mark, ())}
        equal = {other: number for other in asked if (number := _equal(group, right[other], same))}
        if equal:
            found[place] = equal
    return found


def _probes(group: _Group, often: Mapping[Cell, int]) -> list[Cell]:
    """Whoever shares more than half of the cells shares one of the rarer half, or else a key."""
    cells = sorted(group.marks, key=lambda cell: (often[cell], cell))
    asked = (*cells[: (len(cells) + 1) // 2], *group.keys)
    return [mark for mark in asked if often[mark] <= TOO_COMMON]


def _equal(one: _Group, other: _Group, same: Same) -> int:
    """How many cells are equal, a key in common as one more; 0 where that is not enough."""
    meet = _same_key(one, other)
    equal = len(one.marks & other.marks) + meet
    enough = 2 * equal > len(one.paths | other.paths) + meet
    return equal if enough and same(one, other) else 0
