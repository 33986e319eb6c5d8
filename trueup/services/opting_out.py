"""A saved plan and opt-outs: they go past every filter, also those that the plan does not hold.

What a record shows that is left out is heard all the same, so that whoever holds its address, or may be the
same person, is told; and who has an opt-out to be sent is decided.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.delivery import Lane, Write, WriteKind
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.landing import Landing
from trueup.model.plan import Case, Plan
from trueup.services.planfile import Drift, SavedPlan, key_of
from trueup.services.scope import Scope
from trueup.sync.parts import Parts


@dataclass(slots=True)
class OptOuts:
    """What a preview says of opt-outs, by what its contacts are called in a plan. `heard`: what their records
    show that the hub did not know, and one of the records; `owed`: the contacts (their ids) with a record
    that shows none yet."""

    heard: dict[str, tuple[Link, tuple[ConsentEvent, ...]]] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)

    def note(self, case: Case, plan: Plan) -> None:
        key = key_of(case)
        new = tuple(event for event in plan.consent if event.state is ConsentState.OPTED_OUT)
        if new and case.links:
            self.heard[key] = case.links[0], new
        if case.entity.kind is Kind.CONTACT and any(map(_opts_out, plan.writes)):
            self.owed[key] = case.entity.id

    def beyond(self, parts: Parts, saved: SavedPlan, moved: Drift) -> Planned:
        """Whom a run by this plan decides. What is left out of it is heard; of a plan about everybody also
        all who have an opt-out to be sent are decided."""
        for key, (link, events) in self.heard.items():
            if key not in moved.equal:
                _hear(parts, link, events)
        whole = saved.scope == Scope()
        owed = {key: id for key, id in self.owed.items() if whole and key not in moved.equal}
        parts.store.mark_due(sorted(id for id in owed.values() if id > 0), HEARD)
        left_out = [key for key in moved.outdated if key not in owed]
        return Planned(replace(moved, outdated=left_out), frozenset(owed))


HEARD = "consent"
"""Why somebody is decided whom an opt-out of others reaches."""


def _opts_out(write: Write) -> bool:
    return write.kind is WriteKind.UPDATE and write.lane is Lane.URGENT and not write.gate


def _hear(parts: Parts, link: Link, events: tuple[ConsentEvent, ...]) -> None:
    """At the time of the events: what was heard before, and bears no time of its own, is not heard again."""
    at = max(event.at for event in events)
    parts.store.land(Landing(*link.stream, link.kind, (), at, consent=events), None)


@dataclass(slots=True)
class Planned:
    """Entities whose plan still holds, those with an opt-out `owed` to them, and whom one reaches that this
    run hears of. Once chosen they stay so for all rounds of the run: the ids of their records, by which the
    plan knows them, may change with what is written."""

    moved: Drift
    owed: frozenset[str]
    picked: set[int] = field(default_factory=set)

    def chosen(self, case: Case) -> bool:
        if case.entity.kind is not Kind.CONTACT or case.entity.id in self.picked:
            return True
        if HEARD not in case.reasons and not _names(case) & (self.moved.equal | self.owed):
            return False
        self.picked.add(case.entity.id)
        return True

    def brings(self, plan: Plan) -> bool:
        return False

    def entities(self) -> Collection[int] | None:
        return None


def _names(case: Case) -> set[str]:
    """What a saved plan may call this entity."""
    refs = (f"{link.connection}/{link.object}/{link.remote_id}" for link in case.links if link.remote_id)
    return {case.entity.public_id, *refs}
