"""Given all that is known about one entity: what should be true, and which writes follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.dedupe.normalise import match_keys
from trueup.mapping.bind import READ_ONLY_CODE
from trueup.mapping.compiled import ObjectMapping
from trueup.mapping.schema import ObjectRules
from trueup.model.consent import ConsentEvent
from trueup.model.entity import Agreed, Entity, Link, LinkState, Quarantine
from trueup.model.fields import Field, Kind
from trueup.model.plan import (
    UNSENT_STATES,
    Case,
    Context,
    Effect,
    Lane,
    LinkPatch,
    OpenDelivery,
    Plan,
    Write,
    WriteKind,
)
from trueup.model.record import Json, Ref
from trueup.model.values import ABSENT, Absent, Rejected, Value
from trueup.sync.rules import evidence
from trueup.sync.rules.decide_values import (
    Values,
    decide,
    derive,
    edit_claims,
    keep_company,
    keep_in_step,
    lost_edits,
    settle_consent,
)
from trueup.sync.rules.differences import (
    Difference,
    Draft,
    Waits,
    compare,
    refusal_digest,
    set_aside,
    wanted,
)
from trueup.sync.rules.evidence import Reading, hub_side
from trueup.sync.rules.lanes import given_up, queue, was_given_up
from trueup.sync.rules.policy import Policy, Stream


@dataclass(frozen=True, slots=True)
class Seen:
    """One living link with its readings; those with unsettled writes are left out as evidence."""

    link: Link
    mapping: ObjectMapping
    readings: tuple[Reading, ...]
    unsettled: frozenset[str]


def reconcile(case: Case, context: Context, policy: Policy, now: datetime) -> Plan:
    """One decision, pure: the same case, context, policy and time give the same plan."""
    entity = case.entity
    links = elect(case.links)
    seen = [_seen(link, entity, context, policy, case.open) for link in links if _readable(link, policy)]
    state = _values(case, seen, context, policy, now)
    consent = _consent(case, seen, state, policy, now)
    after = replace(entity, values=state.values, sources=state.sources)
    writes, withheld, patches, skipped = _outward(case, seen, links, after, context, policy, now)
    by_id = {link.id: link for link in links}
    queued = queue(case.open, [write for write in writes if not was_given_up(write, by_id)])
    return Plan(
        before=entity,
        entity=after,
        changes=tuple(state.changes),
        conflicts=tuple(state.conflicts),
        links=patches,
        writes=queued.new,
        later=queued.later,
        unwanted=_unwanted(case, links, writes),
        withheld=withheld,
        superseded=queued.superseded,
        consent=consent,
        references=_references(after, policy),
        skipped=skipped,
        edits=tuple(edit.id for edit in case.edits),
        mark=case.mark,
        look_again_at=_look_again(after, policy, now),
    )


def _look_again(after: Entity, policy: Policy, now: datetime) -> datetime | None:
    """The earliest time at which the clock alone would give another answer."""
    turns = [
        policy.create[stream].next_change(after.values, now)
        for stream in policy.streams(after.kind)
        if stream in policy.create
    ]
    return min((turn for turn in turns if turn is not None), default=None)


# -- reading --------------------------------------------------------------------------------------


def elect(links: Sequence[Link]) -> tuple[Link, ...]:
    """Exactly one primary per connection and object among the living: the settled one, else the most
    recently active, else the one whose id sorts first."""
    best: dict[Stream, Link] = {}
    for link in links:
        if link.state in (LinkState.LIVE, LinkState.WANTED):
            rival = best.get(link.stream)
            if rival is None or _precedence(link) < _precedence(rival):
                best[link.stream] = link
    return tuple(
        link
        if link.primary == (best.get(link.stream) is link)
        else replace(link, primary=best.get(link.stream) is link)
        for link in links
    )


def _precedence(link: Link) -> tuple[bool, float, str]:
    changed = link.changed_at.timestamp() if link.changed_at else 0.0
    return (link.fresh or not link.primary, -changed, link.remote_id or "")


def _readable(link: Link, policy: Policy) -> bool:
    return link.state is LinkState.LIVE and link.stream in policy.mappings


def _seen(link: Link, entity: Entity, context: Context, policy: Policy, open: Sequence[OpenDelivery]) -> Seen:
    mapping = policy.mappings[link.stream]
    unsettled = frozenset[str]().union(
        *(one.keys for one in open if one.link_id == link.id and one.state not in UNSENT_STATES)
    )
    readings = tuple(evidence.readings(link, mapping, entity, context))
    return Seen(link, mapping, readings, unsettled)


def _values(case: Case, seen: Sequence[Seen], context: Context, policy: Policy, now: datetime) -> Values:
    kind, table = case.entity.kind, policy.tables[case.entity.kind]
    claims = edit_claims(case.entity, case.edits, table)
    for one in seen:
        for reading in one.readings:
            if reading.binding.key not in one.unsettled:
                claims.extend(evidence.claims(reading, table))
    state = decide(case.entity, claims, policy, now)
    state.conflicts.extend(lost_edits(case.edits, table))
    if kind is Kind.CONTACT:
        keep_in_step(state, case.entity, _listed(seen, case.entity), now)
        keep_company(state, case.entity, context, context.companies, now)
    derive(state, _derived(kind, policy), context, now)
    return state


def _listed(seen: Sequence[Seen], before: Entity) -> Mapping[str, frozenset[str]]:
    """Addresses that records still name besides their primary slot."""
    named: dict[str, set[str]] = {"emails": set(), "phones": set()}
    for one in seen:
        for reading in one.readings:
            if isinstance(reading.has, Mapping):
                for field, value in reading.has.items():
                    family = field.split(".")[0]
                    if family in named and value:
                        named[family].update(value if isinstance(value, list) else [value])
    return {family: frozenset(values) for family, values in named.items()}


def _derived(kind: Kind, policy: Policy) -> tuple[str, ...]:
    table = policy.tables[kind]
    wanted_fields = {
        field
        for stream in policy.streams(kind)
        for binding in policy.mappings[stream].bindings
        for field in binding.fields
    }
    return tuple(
        sorted(name for name in wanted_fields if name in table and table[name].derived and "." in name)
    )


def _consent(
    case: Case, seen: Sequence[Seen], state: Values, policy: Policy, now: datetime
) -> tuple[ConsentEvent, ...]:
    if case.entity.kind is not Kind.CONTACT:
        return ()
    pairs = {
        binding.consent
        for stream in policy.streams(Kind.CONTACT)
        for binding in policy.mappings[stream].bindings
        if binding.consent
    }
    settled = [[r for r in one.readings if r.binding.key not in one.unsettled] for one in seen]
    return settle_consent(state, case.consent, settled, pairs, now)


# -- writing --------------------------------------------------------------------------------------


def _outward(
    case: Case,
    seen: Sequence[Seen],
    links: Sequence[Link],
    after: Entity,
    context: Context,
    policy: Policy,
    now: datetime,
) -> tuple[list[Write], tuple[Write, ...], tuple[LinkPatch, ...], tuple[tuple[str, str, str], ...]]:
    writes: list[Write] = []
    withheld: list[Write] = []
    patches: list[LinkPatch] = []
    skipped: list[tuple[str, str, str]] = []
    gone_elsewhere = {link.connection for link in links if link.state is LinkState.TOMBSTONE}
    for one in seen:
        draft = _draft(one, after, context, policy, now)
        rules = policy.rules[one.link.stream]
        writes.extend(_updates(one, draft, after, rules, policy, now))
        withheld.extend(_bundle(one.link, draft.newly_withheld, Lane.NORMAL))
        switches = list(_switches(one.link, rules, gone_elsewhere))
        writes.extend(switches)
        marks = dict(given_up(write) for write in switches if was_given_up(write, {one.link.id: one.link}))
        draft.agreed.update(marks)
        patches.append(_patch(one, draft, after, case.entity))
        skipped.extend((*one.link.stream, f"waits for {target}") for target in draft.waits)
    standing = _standing(case, links)
    for link in links:
        if link.state is LinkState.WANTED and link in standing and link.stream in policy.mappings:
            writes.append(_create_write(link, after, context, policy, now)[0])
    for stream in policy.streams(after.kind):
        made, why = _create(stream, after, links, standing, context, policy, now)
        writes.extend(made)
        standing.extend(_wanted_at(stream, links, after.kind) for _ in made)
        skipped.extend((*stream, reason) for reason in why)
    return writes, tuple(withheld), tuple(patches), tuple(skipped)


def _standing(case: Case, links: Sequence[Link]) -> list[Link]:
    """Links that stand for a record: of the wanted ones only those whose create may have arrived. Whether
    the others are still wanted is asked again at every decision."""
    sent = {one.link_id for one in case.open if one.state not in UNSENT_STATES}
    return [link for link in links if link.state is not LinkState.WANTED or link.id in sent]


def _unwanted(case: Case, links: Sequence[Link], writes: Sequence[Write]) -> tuple[int, ...]:
    """Wanted links whose create never left and is not asked for any more."""
    kept = {write.link_id for write in writes} | {link.id for link in _standing(case, links)}
    return tuple(link.id for link in links if link.id not in kept)


def _draft(one: Seen, after: Entity, context: Context, policy: Policy, now: datetime) -> Draft:
    draft = Draft()
    released = one.link.connection in context.released
    for reading in one.readings:
        if reading.binding.key in one.unsettled:
            if reading.agreed is not None:
                draft.agreed[reading.binding.key] = reading.agreed
            continue
        if not one.link.primary and not _follows(reading, policy.rules[one.link.stream]):
            _observe_only(reading, draft)
            continue
        compare(reading, after.values, context, draft, released, now)
    return draft


def _follows(reading: Reading, rules: ObjectRules) -> bool:
    return bool(reading.binding.consent) or rules.secondary == "follow"


def _observe_only(reading: Reading, draft: Draft) -> None:
    """A secondary record is read, never written: what it says is agreed as it stands."""
    if isinstance(reading.has, Mapping):
        hub = hub_side(reading.binding, reading.has)
        draft.agreed[reading.binding.key] = Agreed(hub, reading.raw, left=True)


def _updates(
    one: Seen, draft: Draft, after: Entity, rules: ObjectRules, policy: Policy, now: datetime
) -> Iterable[Write]:
    yield from _bundle(one.link, draft.urgent, Lane.URGENT)
    yield from _bundle(one.link, draft.refused, Lane.URGENT)
    if rules.leaves != "keep" and draft.ordinary:
        condition = policy.create.get(one.link.stream)
        if condition is not None and not condition.met(after.values, now).met:
            return
    for differences in _apart(draft.ordinary, policy.tables[after.kind]):
        yield from _bundle(one.link, differences, Lane.NORMAL)


def _apart(differences: Sequence[Difference], table: Mapping[str, Field]) -> Iterable[Sequence[Difference]]:
    """What clears comes last, with what must not be parted from it (an address, one list): while it is held,
    the other fields go on."""
    held = {name for one in differences if one.effect is Effect.CLEAR for name in _families(one, table)}
    if not held:
        return [differences]
    bound = [one for one in differences if not held.isdisjoint(_families(one, table))]
    return [[one for one in differences if one not in bound], bound]


def _families(difference: Difference, table: Mapping[str, Field]) -> Iterable[str]:
    """The remote path, and the groups of the fields, that belong together."""
    yield f"at {difference.binding.remote}"
    for name in difference.binding.fields:
        yield (table[name].group if name in table else "") or name


def _bundle(link: Link, differences: Sequence[Difference], lane: Lane) -> Iterable[Write]:
    if not differences:
        return
    yield Write(
        link_id=link.id,
        connection=link.connection,
        object=link.object,
        kind=WriteKind.UPDATE,
        lane=lane,
        values=_merged(differences),
        wants={one.binding.key: one.hub for one in differences},
        effects={one.binding.key: one.effect for one in differences},
        replaced={one.binding.remote: one.replaced for one in differences},
        gate=_gate(differences, lane),
    )


def _merged(differences: Sequence[Difference]) -> dict[str, Json]:
    """Values by remote path; element changes of one list are united."""
    values: dict[str, Json] = {}
    for one in differences:
        before = values.get(one.binding.remote)
        if isinstance(before, dict) and isinstance(one.value, dict) and "+" in before:
            values[one.binding.remote] = {
                "+": [*before["+"], *one.value["+"]],
                "-": [*before["-"], *one.value["-"]],
            }
        else:
            values[one.binding.remote] = one.value
    return values


def _gate(differences: Sequence[Difference], lane: Lane) -> str:
    if lane is Lane.URGENT:
        return "opt_in" if any(one.hub == "opted_in" for one in differences) else ""
    return "clear" if any(one.effect is Effect.CLEAR for one in differences) else ""


def _switches(link: Link, rules: ObjectRules, gone_elsewhere: set[str]) -> Iterable[Write]:
    """Switch off or delete a record because the person's record was deleted in another system."""
    if rules.deleted_elsewhere == "keep" or not gone_elsewhere - {link.connection} or not link.active:
        return
    if rules.deleted_elsewhere == "delete":
        yield Write(link.id, *link.stream, WriteKind.DELETE, Lane.NORMAL, {}, gate="delete")
    elif rules.deactivate and any(link.observed.get(k) != v for k, v in rules.deactivate.items()):
        values = dict(rules.deactivate)
        before = {path: link.observed.get(path) for path in values}
        yield Write(
            link.id,
            *link.stream,
            WriteKind.DEACTIVATE,
            Lane.NORMAL,
            values,
            replaced=before,
            gate="deactivate",
        )


def _patch(one: Seen, draft: Draft, after: Entity, before: Entity) -> LinkPatch:
    link = one.link
    agreed = {key: value for key, value in draft.agreed.items() if not _default(value, key, one, after)}
    held = {
        name: value
        for reading in one.readings
        if isinstance(reading.has, Mapping)
        for name, value in reading.has.items()
    }
    keys = tuple(match_keys(after.kind, held)) if link.base or link.fresh else None
    return LinkPatch(
        link_id=link.id,
        rev=link.rev,
        agreed=agreed,
        quarantine=draft.quarantine,
        primary=link.primary,
        withheld=draft.withheld,
        dangling=tuple(_dangling(one)),
        keys=keys,
    )


def _default(agreed: Agreed, key: str, one: Seen, after: Entity) -> bool:
    """Whether an agreement is what an exception's absence already means."""
    binding = one.mapping.binding(key)
    if binding is None or agreed.withheld or binding.remote not in one.link.observed:
        return False
    return bool(
        agreed.remote == one.link.observed[binding.remote] and agreed.hub == hub_side(binding, after.values)
    )


def _dangling(one: Seen) -> Iterable[Ref]:
    """Remote ids that point at records not linked yet."""
    for reading in one.readings:
        if (
            reading.binding.refers is not None
            and reading.has is ABSENT
            and not isinstance(reading.raw, Absent)
        ):
            ids = reading.raw if isinstance(reading.raw, list) else [reading.raw]
            yield from (
                Ref(one.link.connection, reading.binding.to or "", str(each))
                for each in ids
                if each is not None
            )


def _references(after: Entity, policy: Policy) -> tuple[tuple[str, str], ...]:
    table = policy.tables[after.kind]
    found: list[tuple[str, str]] = []
    for name, value in after.values.items():
        field = table.get(name)
        if field is not None and field.refers is not None and value is not None:
            found.extend((name, one) for one in (value if isinstance(value, list) else [value]))
    return tuple(sorted(found))


# -- creating -------------------------------------------------------------------------------------


def _create(
    stream: Stream,
    after: Entity,
    links: Sequence[Link],
    standing: Sequence[Link],
    context: Context,
    policy: Policy,
    now: datetime,
) -> tuple[list[Write], list[str]]:
    """The create for one stream, or why there is none (nothing to say where it is not asked for).

    A create that was decided before and never left is asked the same again: its link is not among the
    `standing` ones. What a person must say of that link itself (the system knows such a record as
    somebody else's) holds back other records only.
    """
    condition = policy.create.get(stream)
    if condition is None:
        return [], []
    here = [link for link in standing if link.connection == stream[0] and link.kind is after.kind]
    if any(link.state is not LinkState.TOMBSTONE for link in here):
        return [], []
    answer = condition.met(after.values, now)
    if not answer.met:
        return [], [f"create: {answer.reason}"]
    if here:
        return [], ["was deleted there: a tombstone blocks creating it again"]
    unsure = any(stream[0] in context.rivals.get(link.id, ()) for link in standing)
    if after.provisional or unsure:
        return [], ["waits for a decision: is this the same person as another contact?"]
    if stream not in context.gates_open:
        return [], ["not created before this object was listed to its end once"]
    write, waits = _create_write(_wanted_at(stream, links, after.kind), after, context, policy, now)
    if not write.values:
        return [], ["nothing to create it with: no mapped field has a value"]
    return [write], [f"waits for {target}" for target in waits]


def _wanted_at(stream: Stream, links: Sequence[Link], kind: Kind) -> Link:
    """The link that waits for its record in this stream, or one that is still to be made (id 0)."""
    wanted = (link for link in links if link.stream == stream and link.state is LinkState.WANTED)
    return next(wanted, Link(0, *stream, None, None, kind, LinkState.WANTED))


def _create_write(
    link: Link, after: Entity, context: Context, policy: Policy, now: datetime
) -> tuple[Write, list[str]]:
    values, wants, waits, aside = _create_values(
        policy.mappings[link.stream], link, after.values, context, now
    )
    field = policy.upsert.get(link.stream)
    write = Write(
        link.id,
        *link.stream,
        WriteKind.CREATE,
        Lane.NORMAL,
        values,
        wants,
        dict.fromkeys(wants, Effect.FILL),
        upsert=(field, after.public_id) if field else None,
        aside=aside,
    )
    return write, waits


def _create_values(
    mapping: ObjectMapping, link: Link, values: Mapping[str, Value], context: Context, now: datetime
) -> tuple[dict[str, Json], dict[str, Value], list[str], dict[str, Quarantine]]:
    """What a create carries, what the hub then holds there, the references it waits for, and the fields
    that it leaves out because their value does not fit."""
    made: dict[str, Json] = {}
    wants: dict[str, Value] = {}
    waits: list[str] = []
    aside: dict[str, Quarantine] = {}
    for binding in mapping.bindings:
        if not binding.outward:
            continue
        hub = hub_side(binding, values)
        if binding.consent and hub != "opted_out":
            continue
        refusal = link.quarantine.get(binding.key)
        if refusal is not None and refusal.digest == refusal_digest(hub):
            aside[binding.key] = refusal
            continue
        raw = wanted(binding, link, values, context)
        if isinstance(raw, Waits):
            waits.append(raw.for_id)
        elif isinstance(raw, Absent):
            continue
        elif isinstance(raw, Rejected):
            if raw.code != READ_ONLY_CODE:
                aside[binding.key] = set_aside(link, binding, "out", raw, hub, now)
        elif raw in (None, "", []):
            if binding.default is not None:
                made[binding.remote] = binding.default
        elif binding.element:
            if raw:
                made.setdefault(binding.remote, []).append(binding.element)
                wants[binding.key] = hub
        else:
            made[binding.remote] = raw
            wants[binding.key] = hub
    return made, wants, waits, aside
