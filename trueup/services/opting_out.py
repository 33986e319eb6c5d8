"""A saved plan and opt-outs: they go past every filter, also those that the plan does not hold.

What a record shows that is left out is heard all the same, so that whoever holds its address, or may be the
same person, is told; and who has an opt-out to be sent is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass, field, replace

from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.delivery import Lane, Write, WriteKind
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.landing import Landing
from trueup.model.plan import Case, Plan
from trueup.services.planfile import Drift, SavedPlan, digests, key_of, names_of, without
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
        return Planned(saved, replace(moved, outdated=left_out), frozenset(owed))


HEARD = "consent"
"""Why somebody is decided whom the word of others on consent reaches."""


def _tightens(plan: Plan) -> bool:
    """Whether an opt-out is newly known of this person, or on its way to a record."""
    heard = any(event.state is ConsentState.OPTED_OUT for event in plan.consent)
    return heard or any(map(_opts_out, plan.writes))


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
    plan knows them, may change with what is written. What a run decides first of somebody has to be what was
    planned, whatever moved since the plan was held against the systems; what follows from it need not."""

    saved: SavedPlan
    moved: Drift
    owed: frozenset[str]
    picked: set[int] = field(default_factory=set)
    first: dict[int, int] = field(default_factory=dict)  # the revision at which this run met somebody
    past: set[str] = field(default_factory=set)  # whose plan did not hold any more as they were decided

    def chosen(self, case: Case) -> bool:
        if case.entity.kind is not Kind.CONTACT or case.entity.id in self.picked:
            return True
        reached = HEARD in case.reasons or self._owes(case)
        if not reached and not names_of(case) & self.moved.equal:
            return False
        self.picked.add(case.entity.id)
        return True

    def holds(self, case: Case, plan: Plan) -> bool:
        names = names_of(case)
        known = names & (self.moved.equal if case.entity.kind is Kind.CONTACT else self.saved.entities.keys())
        holds = self._follows(case) or self._goes_past(case, plan) or self._as_planned(case, plan, known)
        self.past = self.past - names if holds else self.past | known
        return holds

    def _follows(self, case: Case) -> bool:
        """Whether this run decided about it before, or itself made it just now."""
        met = self.first.setdefault(case.entity.id, case.entity.revision)
        return case.entity.revision > met or not any(link.remote_id for link in case.links)

    def _as_planned(self, case: Case, plan: Plan, known: Set[str]) -> bool:
        planned = {self.saved.entities[name] for name in known} or {()}
        return digests(case, plan, self.saved.fills) in planned

    def _goes_past(self, case: Case, plan: Plan) -> bool:
        """Whether an opt-out goes past the plan, and all else of this person with it. An opt-in that reaches
        somebody does not: no plan says what it lifts."""
        return self._owes(case) or (HEARD in case.reasons and _tightens(plan))

    def _owes(self, case: Case) -> bool:
        return not names_of(case).isdisjoint(self.owed)

    @property
    def drift(self) -> Drift:
        """How far the plan was outdated, as far as the run came."""
        return without(self.saved, self.moved, self.past)

    def brings(self, plan: Plan) -> bool:
        return False

    def entities(self) -> Collection[int] | None:
        return None
