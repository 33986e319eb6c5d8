"""Who is believed where systems differ, which columns of two tables never meet, and which are turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from trueup.config.settings import DEFAULT_AUTHORITY
from trueup.config.vocabulary import CONTROL
from trueup.services.initialise.answers import Wanted
from trueup.services.initialise.tables import Table
from trueup.services.name_order import look


def authority_of(wanted: Sequence[Wanted], tables: Mapping[str, Table]) -> list[str]:
    """Who is believed where systems differ, the first one most. Tables know no stage in which one leads."""
    roles = {one.role.value for one in wanted}
    known = roles if len(tables) == len(wanted) else {CONTROL, *roles}
    return [name for name in DEFAULT_AUTHORITY if name in known]


def believed(wanted: Sequence[Wanted], tables: Mapping[str, Table]) -> str:
    """The same in the connections' names: `crm (sales), then news (marketing)`."""
    said = {CONTROL: ["who leads in the contact's stage"]}
    for one in wanted:
        said.setdefault(one.role.value, []).append(f"{one.name} ({one.role.value})")
    return ", then ".join(who for name in authority_of(wanted, tables) for who in said[name])


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and the field that it is mapped to."""

    table: str
    column: str
    field: str


def columns_apart(tables: Mapping[str, Table]) -> list[tuple[Column, Column]]:
    """The numbers of two tables that never meet: each has some, and none of one kind."""
    numbers = [
        [Column(name, one.fields[kind], kind) for kind in _NUMBERS if kind in one.fields]
        for name, one in tables.items()
    ]
    return [
        (mine[0], theirs[0])
        for mine, theirs in combinations(filter(None, numbers), 2)
        if not {one.field for one in mine} & {one.field for one in theirs}
    ]


_NUMBERS = ("phone", "phones.mobile")
"""Kinds of numbers that are told from a header, and of which a person's only one may stand in either."""


def names_turned(tables: Mapping[str, Table]) -> dict[str, str]:
    """By table, a sentence about its column of whole names where that looks as if it began with the family
    name."""
    found = {}
    for name, one in tables.items():
        looks = look(one.names, [other.names for other in tables.values() if other is not one])
        if looks is not None:
            found[name] = looks.told(one.fields["full_name"], name)
    return found
