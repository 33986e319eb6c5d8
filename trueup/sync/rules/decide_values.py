"""What the contact becomes: stage first, then every claimed field under the resulting stage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.model.canonical import same
from trueup.model.consent import ConsentEvent, consent_field
from trueup.model.entity import Entity, Source
from trueup.model.fields import NAME, Field, Kind, Strategy, field_of
from trueup.model.history import Change, Conflict
from trueup.model.plan import Case, Context, HubEdit
from trueup.model.slots import FIELDS, held_in, laid_into
from trueup.model.values import Type, Value
from trueup.sync.rules import ledger
from trueup.sync.rules.evidence import Claim, Reading
from trueup.sync.rules.name_halves import (
    Held,
    completed,
    fullness,
    fullness_held,
    gives_way,
    of_fullest,
    set_aside,
    without_taken,
)
from trueup.sync.rules.places import set_aside_places, without_places
from trueup.sync.rules.policy import FieldPolicy, Policy
from trueup.sync.rules.verdict import HUB, Question, Verdict, judge

STAGE = "stage"


def slot_source(slot: str, values: Mapping[str, Value], sources: Mapping[str, Source]) -> Source | None:
    """Who filled or emptied a slot, as these values and their sources tell."""
    known = [name for name in FIELDS[slot] if name in sources]
    filled = (name for name in known if values.get(name) is not None)
    lead = next(filled, next(iter(known), None))
    return sources[lead] if lead is not None else None


@dataclass(slots=True)
class Values:
    """The entity's values while they are being decided, with the reasons collected on the way."""

    values: dict[str, Value]
    sources: dict[str, Source]
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    def put(self, name: str, value: Value, source: Source, rule: str) -> None:
        """Set one value; a change is recorded only where it is one."""
        old = self.values.get(name)
        if old == value:
            return
        if value is None:
            self.values.pop(name, None)
        else:
            self.values[name] = value
        self.sources[name] = source
        self.changes.append(Change(name, old, value, source.ref or source.origin, rule))

    def held(self, slot: str) -> Value:
        """The element that stands in a slot; None for none."""
        return held_in(slot, self.values)

    def fill(self, slot: str, element: Value, source: Source, rule: str) -> None:
        """Set what stands in a slot: one field, or every part of a postal address."""
        for name, value in laid_into(slot, element):
            self.put(name, value, source, rule)

    def filler(self, slot: str) -> Source | None:
        """Who filled or emptied a slot: of a postal address as for any group, the first part tells."""
        return slot_source(slot, self.values, self.sources)

    def win(self, name: str, value: Value, source: Source, rule: str) -> None:
        """Set a judged value. It ranks as its winner does, also where another source said the same before.
        What is pinned while it is empty stays so."""
        self.put(name, value, source, rule)
        if value is not None or source.pinned:
            self.sources[name] = source


def edit_claims(entity: Entity, edits: Sequence[HubEdit], table: Mapping[str, Field]) -> list[Claim]:
    """What people edited in the hub, as claims above all systems. A set is changed by what an edit adds to
    it and takes from it; of one person's edits of a set the last counts. They are in the order in which the
    hub kept them: its clock may have been set back between two. An edit of a field that is no longer
    configured claims nothing (`lost_edits` tells of it)."""
    known = [edit for edit in sorted(edits, key=lambda one: one.id) if field_of(table, edit.field)]
    last = {(one.field, one.user if _is_set(one.field, table) else one.id): one for one in known}
    return [_edit_claim(entity, edit) for edit in last.values()]


def _is_set(name: str, table: Mapping[str, Field]) -> bool:
    return name in table and table[name].type.is_set


def _edit_claim(entity: Entity, edit: HubEdit) -> Claim:
    said = frozenset(edit.value) if isinstance(edit.value, list) else frozenset()
    before = entity.values.get(edit.field)
    held = frozenset(before) if isinstance(before, list) else frozenset()
    return Claim(
        edit.field,
        edit.value,
        HUB,
        f"{HUB}:{edit.user}",
        at=edit.at,
        added=said - held,
        removed=held - said,
        user=edit.user,
        pin=edit.pin,
        edit_id=edit.id,
    )


def lost_edits(edits: Sequence[HubEdit], table: Mapping[str, Field]) -> list[Conflict]:
    """Edits of fields that the configuration no longer has: kept in the history, applied nowhere."""
    return [
        Conflict(edit.field, edit.value, f"{HUB}:{edit.user}", None, HUB, "no such field is configured")
        for edit in edits
        if field_of(table, edit.field) is None
    ]


def decide(state: Values, kind: Kind, claims: Iterable[Claim], policy: Policy, now: datetime) -> None:
    """All verdicts for one entity. Claims on one group of fields (an address) are judged together."""
    table = policy.tables[kind]
    single, grouped = _sorted_out(claims, table)
    stage_claims = single.pop(STAGE, None)
    if stage_claims and kind is Kind.CONTACT:
        _judge_field(state, kind, table[STAGE], stage_claims, policy, now)
    elif stage_claims:
        single[STAGE] = stage_claims
    for name in sorted(single):
        field = field_of(table, name)
        assert field is not None  # nobody claims what is no field
        _judge_field(state, kind, field, single[name], policy, now)
    for group in sorted(grouped):
        _judge_group(state, kind, group, table, grouped[group], policy, now)


def _sorted_out(
    claims: Iterable[Claim], table: Mapping[str, Field]
) -> tuple[dict[str, list[Claim]], dict[str, list[Claim]]]:
    single: dict[str, list[Claim]] = {}
    grouped: dict[str, list[Claim]] = {}
    for claim in claims:
        group = table[claim.field].group if claim.field in table else ""
        if group and (claim.first or group != NAME):
            grouped.setdefault(group, []).append(claim)
        else:
            single.setdefault(claim.field, []).append(claim)
    return single, grouped


def _judge_field(
    state: Values, kind: Kind, field: Field, claims: Sequence[Claim], policy: Policy, now: datetime
) -> None:
    rule = ruling(policy, kind, field)
    if len(claims) == 1 and _uncontested(state, field, claims[0], rule):
        state.put(field.name, claims[0].value, source_of(claims[0], now, rule), "first sight")
        return
    question = Question(
        field,
        state.values.get(field.name),
        state.sources.get(field.name),
        claims,
        rule,
        state.values.get(STAGE),
    )
    verdict = judge(question)
    state.conflicts.extend(verdict.conflicts)
    if verdict.winner is not None:
        state.win(field.name, verdict.value, source_of(verdict.winner, now, rule), verdict.rule)


def ruling(policy: Policy, kind: Kind, field: Field) -> FieldPolicy:
    """How a field is judged. Of the elements of a set who may decide the set decides, too, one at a time."""
    if not field.of:
        return policy.fields(kind, field.name)
    return replace(policy.fields(kind, field.of), strategy=Strategy.AUTHORITY)


def _uncontested(state: Values, field: Field, claim: Claim, rule: FieldPolicy) -> bool:
    """One first sight of an empty field by a system that may decide it: every strategy takes it, unless
    a person has pinned the emptiness."""
    return (
        claim.first
        and field.name not in state.values
        and not (field.name in state.sources and state.sources[field.name].pinned)
        and not field.type.is_set
        and claim.connection in rule.authority(state.values.get(STAGE))
    )


def _judge_group(
    state: Values,
    kind: Kind,
    group: str,
    table: Mapping[str, Field],
    claims: Sequence[Claim],
    policy: Policy,
    now: datetime,
) -> None:
    names = tuple(name for name, field in table.items() if field.group == group)
    current = {name: state.values[name] for name in names if state.values.get(name) is not None}
    whole = [_whole(names, source, parts, current) for source, parts in _by_source(claims)]
    rule, full = policy.fields(kind, names[0]), 0
    lead = _lead(names, state, rule.authority(state.values.get(STAGE)))
    judged, held = whole, current
    if group == NAME:
        emptied = {one.field: one.old for one in state.changes if one.new is None}
        whole = [without_taken(one, emptied) for one in whole]
        full = fullness_held(current, state.sources)
        judged = of_fullest(whole, full)
        if gives_way(lead, full, judged):
            held = {}
    question = Question(
        Field(group, Type.TEXT, table[names[0]].strategy),
        held or None,
        lead,
        judged,
        rule,
        state.values.get(STAGE),
    )
    question, aside = without_places(question) if group != NAME else (question, [])
    verdict: Verdict = judge(question)
    decided: dict[str, tuple[Value, Source]] = {}
    if verdict.winner is not None:
        source, said = source_of(verdict.winner, now, rule), verdict.value or {}
        decided = {name: (said.get(name), source) for name in names}
    if group == NAME:
        full = full if verdict.winner is None else fullness(verdict.value or {})
        values = {name: value for name, (value, _) in decided.items()} or current
        for name, said, giver in completed(values, full, Held(current, state.sources), whole, question):
            decided[name] = said, state.sources[name] if giver is None else source_of(giver, now, rule)
    for name, (value, source) in decided.items():
        state.win(name, value, source, verdict.rule if verdict.winner is not None else "first sight")
    if group == NAME:
        less = [one for one in whole if one not in judged]
        state.conflicts.extend(set_aside(less, state.values, state.sources))
    keeper = _lead(names, state, rule.authority(state.values.get(STAGE))) if aside else None
    lost = (*verdict.conflicts, *set_aside_places(aside, keeper))
    state.conflicts.extend([*_lost_parts(state, lost, claims, table), *_edited_again(claims, table)])


def _lead(names: Sequence[str], state: Values, order: Sequence[str]) -> Source | None:
    """Who answers for a group against first sights: who pinned a part of it, else who edited one that is held
    (names are edited part by part), else who is believed most (others only completed it)."""
    known = [state.sources[name] for name in names if name in state.sources]
    pinned = (source for source in known if source.pinned)
    edited = (
        state.sources[name]
        for name in names
        if name in state.sources and name in state.values and state.sources[name].how != "first"
    )
    strongest = sorted(known, key=lambda one: order.index(one.origin) if one.origin in order else len(order))
    return next(pinned, None) or next(edited, None) or next(iter(strongest), None)


def _lost_parts(
    state: Values, lost: Iterable[Conflict], claims: Sequence[Claim], table: Mapping[str, Field]
) -> Iterator[Conflict]:
    """Wholes that lost, part by part: what each source said of a field itself and what holds there now. What
    it only had in common with the hub, or did not speak of, is no loss."""
    told: set[tuple[str, str]] = set()
    for whole in lost:
        for name in sorted({claim.field for claim in claims if claim.source == whole.lost_source}):
            said, held = (whole.lost or {}).get(name), state.values.get(name)
            if (name, whole.lost_source) not in told and not same(table[name].type, said, held):
                told.add((name, whole.lost_source))
                yield Conflict(name, said, whole.lost_source, held, whole.kept_source, whole.rule)


def _edited_again(claims: Sequence[Claim], table: Mapping[str, Field]) -> Iterator[Conflict]:
    """A part that was edited twice in the hub: the later edit is laid over the earlier one."""
    last: dict[str, Claim] = {}
    for one in claims:
        if one.connection != HUB:
            continue
        before, last[one.field] = last.get(one.field), one
        if before is not None and not same(table[one.field].type, before.value, one.value):
            yield Conflict(one.field, before.value, before.source, one.value, one.source, "edited in the hub")


def _by_source(claims: Sequence[Claim]) -> list[tuple[tuple[str, bool], list[Claim]]]:
    """What each source says, and all people in the hub together: who edits a part of what another has just
    edited there sees it."""
    parts: dict[tuple[str, bool], list[Claim]] = {}
    for claim in claims:
        source = HUB if claim.connection == HUB else claim.source
        parts.setdefault((source, claim.first), []).append(claim)
    return sorted(parts.items())


def _whole(
    names: Sequence[str], source: tuple[str, bool], parts: Sequence[Claim], current: Mapping[str, Value]
) -> Claim:
    """A group as this source would have it: an edit of a part is laid over what the hub holds."""
    base = {} if source[1] else dict(current)
    for part in parts:
        if part.value is None:
            base.pop(part.field, None)
        else:
            base[part.field] = part.value
    last = max(parts, key=lambda part: part.edit_id)
    return Claim(
        names[0],
        base or None,
        last.connection,
        last.source,
        last.first,
        last.rank_below,
        last.at,
        user=last.user,
        pin=last.pin,
        edit_id=last.edit_id,
    )


def source_of(winner: Claim, now: datetime, policy: FieldPolicy) -> Source:
    """Where a value came from, for history and for the judging of what comes later: where the latest edit
    wins, the time is that of the edit, else that of the decision."""
    if winner.connection == HUB:
        return Source(HUB, "hub", winner.at or now, user=winner.user, pinned=winner.pin)
    how = "first" if winner.first else "edit"
    at = winner.at if policy.strategy is Strategy.LATEST and winner.at is not None else now
    return Source(winner.connection, how, at, ref=winner.source)


RULE = "rule"


def keep_company(
    state: Values, before: Entity, context: Context, names: Mapping[str, str], now: datetime
) -> None:
    """The company's name and the reference to it follow whichever of the two moved.

    `names` maps a company's match key (as the text that was given) to the one company that holds it.
    """
    source = Source(RULE, "rule", now)
    name, old_name = state.values.get("company_name"), before.values.get("company_name")
    company, old_company = state.values.get("company"), before.values.get("company")
    if company is not None and company != old_company and company in context.references:
        told = context.references[company].values.get("name")
        if told and (name == old_name or name is None):
            state.put("company_name", told, source, "name of the company")
    elif company is None and old_company is not None and name == old_name:
        # the company was taken away: what names it would bring it back
        named = state.sources.get("company_name")
        if name is not None and (names.get(name) == old_company or (named and named.origin == RULE)):
            state.put("company_name", None, source, "company taken away")
    elif name is not None and (company is None or name != old_name):
        found = names.get(name)
        if found != company:
            state.put("company", found, source, "company of that name")


def derive(state: Values, addresses: Iterable[str], context: Context, now: datetime) -> None:
    """Fill the addresses that read through a reference (`company.name`, `owner.email`)."""
    source = Source(RULE, "rule", now)
    for address in addresses:
        reference, _, part = address.partition(".")
        target = context.references.get(str(state.values.get(reference)))
        value = target.values.get(part) if target else None
        if value is None and address == "company.name":
            value = state.values.get("company_name")
        state.put(address, value, source, f"read through {reference}")


def settle_consent(
    state: Values,
    case: Case,
    readings: Collection[Sequence[Reading]],
    pairs: Iterable[tuple[str, str]],
    now: datetime,
    under_way: Collection[Sequence[Reading]] = (),
) -> tuple[ConsentEvent, ...]:
    """The ledger's new events, and the state per channel and purpose among the values.

    An opt-out of somebody who may be the same person counts as long as that is not decided. `under_way`: by
    link, with all its readings, those of which a write of ours is not settled.
    """
    known = {_identity(event) for event in case.consent}
    fresh: list[ConsentEvent] = []
    for link_readings in readings:
        held = _record_values(link_readings)
        fresh.extend(ledger.events(link_readings, held, case.consent, now))
    new = [event for event in fresh if _identity(event) not in known]
    before, sources = case.entity.values, state.sources

    def edited(name: str) -> bool:
        return name in sources and sources[name].how in ("edit", "hub")

    for link_readings in under_way:
        held = _record_values(link_readings)
        seen = ledger.events(link_readings, held, case.consent, now)
        new.extend(ledger.outranking(seen, [*case.consent, *new]))
    new.extend(ledger.inherited([*case.consent, *new], before, state.values, edited))
    everything = [*case.consent, *new, *case.rival_consent]
    wanted = {*pairs, *((event.channel, event.purpose) for event in everything)}
    for channel, purpose in sorted(wanted):
        value = ledger.state(everything, channel, purpose).value
        state.put(consent_field(channel, purpose), value, Source(RULE, "rule", now), "consent ledger")
    state.conflicts.extend(one for some in readings for one in ledger.put_back(some, everything))
    return tuple(new)


def _identity(event: ConsentEvent) -> tuple[object, ...]:
    return (
        event.subject_kind,
        event.subject,
        event.channel,
        event.purpose,
        event.state,
        event.source,
        event.at,
    )


def _record_values(readings: Sequence[Reading]) -> dict[str, Value]:
    held: dict[str, Value] = {}
    for reading in readings:
        if isinstance(reading.has, Mapping):
            held.update(reading.has)
    return held
