"""Parts of a party (contact mechanisms, addresses) as they stand and as they are to be, each by its own id.

Nothing is deleted: what goes is switched off, because documents may refer to it. The first of its sort is
what Tryton itself uses; which one that is, is said by `sequence`. What has none comes before all numbers, by
id: so the first gets none, and what somebody adds later does not take its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from trueup.connectors.base import Elements
from trueup.model.record import Json


class Unfit(ValueError):
    """A value that Tryton cannot take there; the message says why, without the value."""


@dataclass(slots=True, eq=False)
class Draft:
    """One part. `row` as it stands (None: it is new), `held` what it is to hold."""

    row: Mapping[str, Json] | None
    held: dict[str, Json]


@dataclass(slots=True)
class Drafts:
    """All parts of one sort, in Tryton's order. `names`: their fields; `word`: what makes two values of one
    field the same, however they are spelled."""

    names: tuple[str, ...]
    word: Callable[[Json], Json]
    all: list[Draft]
    gone: list[Draft] = field(default_factory=list)
    moved: bool = False

    @classmethod
    def of(
        cls, rows: Sequence[Mapping[str, Json]], names: tuple[str, ...], word: Callable[[Json], Json]
    ) -> Drafts:
        """The parts as they stand."""
        return cls(names, word, [Draft(row, {name: row.get(name) for name in names}) for row in rows])

    def take(
        self,
        value: Json,
        usual: Mapping[str, Json] | None = None,
        mine: Callable[[Mapping[str, Json]], bool] = lambda one: True,
    ) -> None:
        """Make these the parts that a list says: single ones, or all that are `mine`. `usual`: what new ones
        hold where the list does not say."""
        if isinstance(value, Elements):
            for item in value.remove:
                self._drop(self._meant(item))
            for item in value.add:
                self._lay(item, usual or {})
            return
        meant = [self._lay(item, usual or {}) for item in value or []]
        for one in [one for one in self.all if one not in meant and mine(one.held)]:
            self._drop(one)

    def lead(
        self, sort: Mapping[str, Json], wanted: Mapping[str, Json], known: Iterable[str], listed: bool
    ) -> None:
        """Make what holds `wanted` the first of its `sort`. The present first one is changed into it, unless
        it is there already or a list says what becomes of the single parts (`listed`); emptied, it goes.
        `known`: the fields that whoever writes has in view; what others say makes it no other part."""
        first = self._first(sort)
        held = {**(first.held if first is not None else {}), **sort, **wanted}
        if not any(value for name, value in held.items() if name not in (*_BESIDE, *sort)):
            self._drop(first)
            return
        same = {name: held.get(name) for name in (*sort, *known) if name not in _BESIDE}
        there = self._first(same)
        if there is None and first is not None and not listed:
            there = first
        chosen = there or Draft(None, same)
        chosen.held.update(wanted)
        if chosen is first:
            return
        if there is not None:
            self.all.remove(there)
        self.all.insert(0 if first is None else self.all.index(first), chosen)
        self.moved = self.moved or first is not None

    def commands(
        self, ready: Callable[[Mapping[str, Json]], Mapping[str, Json]] = lambda held: held
    ) -> list[Json]:
        """Tryton's nested commands. `ready` puts values into the form in which they are sent."""
        made: list[Json] = [
            ["write", [one.row["id"]], {"active": False}] for one in self.gone if one.row is not None
        ]
        new: list[Json] = []
        leaders: set[Json] = set()
        for place, one in enumerate(self.all, 1):
            sort = one.held.get("type")
            order = {"sequence": place if sort in leaders else None} if self.moved else {}
            leaders.add(sort)
            if one.row is None:
                filled = {name: value for name, value in one.held.items() if value not in (None, "")}
                new += [{**ready(filled), **order}] if filled.keys() - {"type"} else []
                continue
            wanted = {**one.held, **order}
            changed = {n: v for n, v in wanted.items() if (v or None) != (one.row.get(n) or None)}
            made += [["write", [one.row["id"]], dict(ready(changed))]] if changed else []
        return [*made, *([["create", new]] if new else [])]

    def _lay(self, item: Json, usual: Mapping[str, Json]) -> Draft:
        if not isinstance(item, Mapping):
            raise Unfit("takes a list of objects")
        said = {name: item[name] for name in self.names if name in item}
        said |= {name: value for name, value in usual.items() if name in said and said[name] is None}
        if any(value is not None and not isinstance(value, (str, int)) for value in said.values()):
            raise Unfit("takes texts")
        one = self._meant(item)
        if one is None:
            one = Draft(None, dict(usual))
            self.all.append(one)
        one.held.update(said)
        return one

    def _meant(self, item: Json) -> Draft | None:
        """The part that an item of a list names: by its id, else by what it holds."""
        if not isinstance(item, Mapping):
            raise Unfit("takes a list of objects")
        if item.get("id") is not None:
            id = str(item["id"])
            found = (one for one in self.all if one.row is not None and str(one.row["id"]) == id)
            return next(found, None)
        same = {name: item.get(name) for name in self.names if name not in (*_BESIDE, "type")}
        return self._first(same) if any(same.values()) else None

    def _first(self, said: Mapping[str, Json]) -> Draft | None:
        """The first part that holds these values; empty is empty."""
        wanted = {name: self._plain(value) for name, value in said.items()}
        return next(
            (one for one in self.all if wanted == {name: self._plain(one.held.get(name)) for name in wanted}),
            None,
        )

    def _plain(self, value: Json) -> Json:
        return None if value in (None, "") else self.word(value)

    def _drop(self, one: Draft | None) -> None:
        if one is not None:
            self.all.remove(one)
            self.gone.append(one)


_BESIDE = ("name", "party_name")
"""What a part is called: it makes none another one."""
