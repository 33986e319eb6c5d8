"""A world at rest, read once: what the checks of `oracle` ask, and what excuses several of them.

What nobody could have observed is exempt by a predicate with a name of its own; `exempt` counts those.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trueup.mapping.compiled import Binding
from trueup.model.delivery import DISCARDED, DeliveryState
from trueup.model.entity import Entity, Link, LinkState
from trueup.model.history import HistoryRow
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.sync.rules.formats import RULE
from trueup.testing.ports import STEP
from trueup.testing.sorts import PEOPLE, Sort
from trueup.testing.system import HUB, HUB_ID, Act, Row, System
from trueup.testing.traits import plain_address
from trueup.testing.wire import LISTS
from trueup.testing.world import World

EVERY = 10_000
LIE = "a listing that said it was all, and was not"
UNTOLD = "a deletion of which the system tells nothing"
BELATED = "a request before which a process stood still, while others went on without it"
FORM = "an edit that could be the system's own form of what was written"
WRITTEN_ONLY = "an edit in a field that the hub only wrote to then"
ASKED = "a value that somebody asked to be read again"
DOUBLED = "a request that the network doubled"
DENIED = "a record of which a reading by id said twice in a row that it was not there"


def lied(world: World, name: str) -> bool:
    """Whether a listing of this system came back empty or cut short with status 200: nobody can tell it
    from the truth."""
    struck = world.wires[name].struck
    return any(struck[route, what] for route in LISTS for what in ("empty", "partial"))


@dataclass(slots=True)
class Findings:
    """The state of a world at rest, read once: of all that is of one sort. `exempt`: how many cases a
    predicate let pass. `listed`: everything was listed once more, after all misfortunes: what a listing
    shows excuses nothing any more."""

    world: World
    sort: Sort
    systems: Mapping[str, System]
    cases: Mapping[str, Case]
    history: Mapping[str, Sequence[HistoryRow]]
    exempt: Counter[str] = field(default_factory=Counter)
    listed: bool = False

    def links(self) -> Iterator[tuple[str, Entity, Link]]:
        """Every living link, with whom it belongs to."""
        for id, case in self.cases.items():
            for link in case.links:
                if link.state is LinkState.LIVE:
                    yield id, case.entity, link

    def row(self, link: Link) -> Row | None:
        return self.systems[link.connection].rows.get(link.remote_id or "")

    def bindings(self, link: Link) -> tuple[Binding, ...]:
        return self.world.config.policy.mappings[link.stream].bindings

    def owner(self, system: str, id: str) -> str | None:
        """The contact that a record belongs to, or the one that it was joined to belongs to."""
        owners = {
            link.remote_id: who
            for who, case in self.cases.items()
            for link in case.links
            if link.connection == system
        }
        return next((owners[one] for one in (id, *self._aliases(system, id)) if one in owners), None)

    def _aliases(self, system: str, id: str) -> Iterator[str]:
        row, seen = self.systems[system].rows.get(id), set[str]()
        while row is not None and row.now.successor and row.id not in seen:
            seen.add(row.id)
            yield row.now.successor
            row = self.systems[system].rows.get(row.now.successor)

    def may_lack(self, name: str) -> bool:
        """Whether the hub was told that this was all, and nothing told it otherwise since."""
        return not self.listed and lied(self.world, name)

    @property
    def off(self) -> timedelta:
        """By so much two times of the hub may be in another order than what happened: its clock was set."""
        return timedelta(seconds=2 * STEP if self.world.plan.unsteady else 0.0)

    def written_late(self, name: str, id: str, remote: str | None, value: Value) -> bool:
        """Whether the hub itself put this value there after it had given that write up, which looks like a
        person who typed it: the request left a process that stood still while others did not wait for it."""
        system = self.systems[name]
        row = system.rows.get(id)
        own = row.now.values.get(HUB_ID) if row is not None else None
        items = (
            item
            for place, body in self.world.belated
            if place == (name, self.sort.object)
            for item in body.get("items") or [body]
            if item.get("id") == id or (own is not None and item.get(HUB_ID) == own)
        )
        sent = (item["values"][remote] for item in items if remote in item.get("values", {}))
        kept = folded(system.traits.keeps(remote or "", value))
        return any(folded(system.traits.keeps(remote or "", one)) == kept for one in sent)

    def made_late(self, name: str, address: Json) -> bool:
        """Whether a request to make a record of this address left a process that stood still before it."""
        items = (
            item
            for place, body in self.world.belated
            if place == (name, self.sort.object)
            for item in body.get("items") or [body]
            if not item.get("id")
        )
        held = (item.get("values", {}).get(self.sort.key) for item in items)
        return any(plain_address(one) == plain_address(address) for one in held)

    def edits(self) -> Iterator[Edit]:
        for system in self.systems.values():
            yield from edits(system)

    def excuse(self, predicate: str) -> None:
        self.exempt[predicate] += 1


def findings(world: World, sort: Sort = PEOPLE) -> Findings:
    systems = world.systems if sort is PEOPLE else world.companies
    cases = {id: world.store.case(id) for id in world.known(systems)}
    return Findings(world, sort, systems, cases, {id: world.store.history(id, EVERY) for id in cases})


@dataclass(frozen=True, slots=True)
class Edit:
    """One field of one record that a person changed."""

    system: str
    act: Act
    row: Row
    remote: str
    before: Json
    after: Json


def typed_values(world: World) -> int:
    """How many values people typed, or took away: in a new record each that it held."""
    return sum(1 for one in world.all for edit in edits(one) if edit.before or edit.after)


def edits(system: System) -> Iterator[Edit]:
    for act in system.acts:
        if act.by != HUB:
            for remote, after in act.after.items():
                if remote in system.sort.plain:
                    row = system.rows[act.id]
                    yield Edit(system.traits.name, act, row, remote, act.before.get(remote), after)


def taken_for_a_form(at: Findings, who: str, name: str, stands: Json) -> bool:
    """Whether the history names what stands there as what the system may have made of our value."""
    return any(
        conflict.field == name and conflict.rule == RULE and folded(conflict.lost) == folded(stands)
        for row in at.history[who]
        for conflict in row.conflicts
    )


def folded(value: Json) -> str:
    """Without what nobody would call a difference: blanks, and how accents are put together."""
    return unicodedata.normalize("NFC", "".join(str(value or "").split()))


def given_up_at(at: Findings, link: Link) -> datetime | None:
    """When a person last gave up a write of this link, by the clock of the systems."""
    over = at.world.store.deliveries([DeliveryState.SUPERSEDED], link.connection, EVERY)
    ends = [at.world.given_up[one.id] for one in over if one.link.id == link.id and one.code == DISCARDED]
    last = max(ends, default=None)
    return None if last is None else last + at.off


def from_another(at: Findings, who: str, name: str, held: Value, misfortune: str) -> bool:
    """Whether the value, or this element of a list, came back from a record of the hub, in a system where
    this befell a request to make one: it is one record more than the hub knows of, or one of which it knew
    late."""
    for row in at.history[who]:
        for change in row.changes:
            system, _, id = change.source.partition(f"/{at.sort.object}/")
            brought = (
                change.new if isinstance(change.new, list) and not isinstance(held, list) else [change.new]
            )
            if change.field != name or held not in brought or system not in at.systems:
                continue
            struck = at.world.wires[system].struck
            if (
                any(struck[route, misfortune] for route in ("create", "upsert"))
                and at.systems[system].rows[id].by == HUB
            ):
                return True
    return False
