"""What was read of one entity, weighed: the readings that are evidence, and the values that follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.mapping.compiled import ObjectMapping
from trueup.model.consent import ConsentEvent
from trueup.model.delivery import UNSENT_STATES
from trueup.model.entity import Link, LinkState, Quarantine
from trueup.model.fields import Kind
from trueup.model.plan import Case, Context
from trueup.model.values import Value
from trueup.sync.rules import backfill, evidence, formats, guessed_phones, whole_names, written_over
from trueup.sync.rules.addresses import Named, first_listed, keep_addresses, without_moves
from trueup.sync.rules.decide_values import (
    Values,
    decide,
    derive,
    edit_claims,
    lost_edits,
    settle_consent,
)
from trueup.sync.rules.evidence import Reading
from trueup.sync.rules.first_sight import first_sight
from trueup.sync.rules.founding import keep_in_company
from trueup.sync.rules.groups import brought_along
from trueup.sync.rules.homes import fields_edited, homes_now
from trueup.sync.rules.kinds import name_slots
from trueup.sync.rules.made import recognised
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.swinging import lost, swinging


@dataclass(frozen=True, slots=True)
class Seen:
    """One living link with its readings; those with unsettled writes are left out as evidence,
    and those that are set `aside` for swinging.

    `held`: what the record says, by field address, and what numbers without a country code were first taken
    for. A first sight taken at once has readings only where the record does not show what the hub holds.
    `given`: elements that a write of ours took the place of unheard.
    """

    link: Link
    mapping: ObjectMapping
    readings: tuple[Reading, ...]
    unsettled: frozenset[str]
    filling: Mapping[tuple[str, str, str], backfill.Way]
    forms: formats.Settled
    held: Mapping[str, Value]
    aside: Mapping[str, Quarantine]
    given: tuple[evidence.Claim, ...] = ()

    def settled(self) -> list[Reading]:
        """Readings that are evidence, and may be written to."""
        return [
            reading
            for reading in self.readings
            if reading.binding.key not in self.unsettled and reading.binding.key not in self.aside
        ]

    def way(self, reading: Reading) -> backfill.Way | None:
        """Which way this reading's field is back-filled, None for the usual."""
        return self.filling.get((*self.link.stream, reading.binding.key)) if self.filling else None


Weighed = tuple[list[Seen], Values, tuple[ConsentEvent, ...]]


def weigh(case: Case, links: Sequence[Link], context: Context, policy: Policy, now: datetime) -> Weighed:
    """What was read, the values that follow, and the ledger's new events."""
    sight = first_sight(case, links[0], context, policy, now) if len(links) == 1 else None
    if sight is not None:
        mapping, none = policy.mappings[links[0].stream], formats.Settled(())
        whole = Seen(links[0], mapping, sight.differing, frozenset(), {}, none, sight.held, {})
        return [whole], sight.state, ()
    weighing = _Weighing.of(case, links, context, policy, now)
    phones = guessed_phones.understood(weighing.names.read, case, policy)
    seen, state = weighing.by(phones)
    better = weighing.better(phones, seen, state)
    if better is not None:
        seen, state = weighing.by(better)
    state.conflicts.extend(lost for one in seen for lost in one.forms.conflicts)
    return seen, state, _consent(case, seen, state, policy, now)


def readable(link: Link, policy: Policy) -> bool:
    """Whether what the record says can be judged."""
    return link.state is LinkState.LIVE and link.stream in policy.mappings


@dataclass(frozen=True, slots=True)
class _Weighing:
    """One case with what its legible records say (whole names cut as somebody says them), before numbers
    without a country code are understood."""

    case: Case
    legible: Sequence[Link]
    names: whole_names.Recut
    context: Context
    policy: Policy
    now: datetime

    @classmethod
    def of(
        cls, case: Case, links: Sequence[Link], context: Context, policy: Policy, now: datetime
    ) -> _Weighing:
        legible = [link for link in recognised(links, case, context, policy) if readable(link, policy)]
        said = {
            one.id: tuple(evidence.readings(one, policy.mappings[one.stream], case.entity, context))
            for one in legible
        }
        names = whole_names.recut(said, case.entity, policy)
        return cls(case, legible, names, context, policy, now)

    def by(self, phones: guessed_phones.Better) -> tuple[list[Seen], Values]:
        """What follows where the numbers without a country code are these."""
        case, policy, filling = self.case, self.policy, backfill.asked(self.case.reasons)
        seen = [_seen(one, phones, case, self.context, policy, filling, self.now) for one in self.legible]
        state = Values(dict(case.entity.values), dict(case.entity.sources))
        if self.names.named_so is not None:
            whole_names.put_right(state, self.names.named_so)
        if phones.hub:
            guessed_phones.put_right(state, phones.hub, case.entity.kind, policy)
        _decide(state, case, seen, self.context, policy, self.now)
        whole_names.remember(state, self.names.tellers, policy)
        guessed_phones.keep_said(state, phones, self.now)
        return seen, state

    def better(
        self, phones: guessed_phones.Better, seen: Sequence[Seen], state: Values
    ) -> guessed_phones.Better | None:
        """The numbers as they are with the addresses that were decided just now; None where no number is
        another one by that."""
        if phones.homes is None:
            return None
        homes = homes_now(self.case.entity, state.values, _edited(self.case, seen))
        if homes == phones.homes:
            return None
        better = guessed_phones.understood(self.names.read, self.case, self.policy, homes)
        return None if better.reads_like(phones) else better


def _edited(case: Case, seen: Sequence[Seen]) -> Iterator[str]:
    """The fields that somebody edited, in a system or in the hub."""
    yield from (edit.field for edit in case.edits)
    yield from (name for one in seen for name in fields_edited(one.readings))


def _seen(
    link: Link,
    phones: guessed_phones.Better,
    case: Case,
    context: Context,
    policy: Policy,
    filling: Mapping[tuple[str, str, str], backfill.Way],
    now: datetime,
) -> Seen:
    mapping = policy.mappings[link.stream]
    unsettled = frozenset[str]().union(
        *(one.wants for one in case.open if one.link_id == link.id and one.state not in UNSENT_STATES)
    )
    table = policy.tables[case.entity.kind]
    readings, unheard, given = written_over.told(phones.read[link.id], unsettled, table)
    forms = formats.settle(link, readings, unsettled, context, case.entity)
    if unheard:
        forms = replace(forms, conflicts=(*unheard, *forms.conflicts))
    held = {
        name: value
        for reading in forms.readings
        if isinstance(reading.has, Mapping)
        for name, value in reading.has.items()
    }
    if guesses := phones.guesses.get(link.id):
        held["phones"] = sorted({*(held.get("phones") or ()), *guesses})
    past = context.past.get(case.entity.id, ())
    aside = swinging(forms.readings, case.entity, past, now) if past or link.quarantine else {}
    return Seen(link, mapping, forms.readings, unsettled, filling, forms, held, aside, given)


def _decide(
    state: Values, case: Case, seen: Sequence[Seen], context: Context, policy: Policy, now: datetime
) -> None:
    kind, table = case.entity.kind, policy.tables[case.entity.kind]
    claims, named = edit_claims(case.entity, case.edits, table), Named()
    for one in seen:
        settled = one.settled()
        said: list[evidence.Claim] = []
        for reading in settled:
            if one.way(reading) is backfill.Way.PULL:
                said.extend(backfill.pulled(reading, table, case.entity.sources))
            else:
                said.extend(evidence.claims(reading, table))
        said += [evidence.as_edit(*one) for one in brought_along(settled, said, case.entity.values, table)]
        claims.extend([*without_moves(said, one.readings), *one.given])
        named.take(one.readings)
    if kind is Kind.CONTACT:
        bindings = [reading.binding for one in seen for reading in one.readings]
        claims.extend(first_listed(bindings, claims, case.entity.values))
    if named.described:
        name_slots(state, named.described)
    decide(state, kind, claims, policy, now)
    state.conflicts.extend(lost_edits(case.edits, table))
    for one in seen:
        state.conflicts.extend(lost(one.readings, one.aside, case.entity))
    if kind is Kind.CONTACT:
        keep_addresses(state, case.entity, claims, named, policy, now)
        keep_in_company(state, case.entity, context, policy, now)
    derive(state, policy.derived(kind), context, now)


def _consent(
    case: Case, seen: Sequence[Seen], state: Values, policy: Policy, now: datetime
) -> tuple[ConsentEvent, ...]:
    if case.entity.kind is not Kind.CONTACT:
        return ()
    settled = [[r for r in one.readings if r.binding.key not in one.unsettled] for one in seen]
    under_way = [one.readings for one in seen if _consent_under_way(one)]
    return settle_consent(state, case, settled, policy.consents(), now, under_way)


def _consent_under_way(one: Seen) -> bool:
    return any(each.binding.consent and each.binding.key in one.unsettled for each in one.readings)
