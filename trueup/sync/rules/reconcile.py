"""Given all that is known about one entity: what should be true, and which writes follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from trueup.mapping.elements import is_change
from trueup.mapping.schema import ObjectRules
from trueup.model.consent import ConsentState
from trueup.model.delivery import UNSENT_STATES, Effect, Lane, Write, WriteKind
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Entity, Link, LinkState
from trueup.model.fields import Field
from trueup.model.plan import Case, Context, LinkPatch, Plan
from trueup.model.record import Json, Ref, is_id
from trueup.model.values import ABSENT, Absent, Rejected, Value
from trueup.sync.rules import backfill, leaving, publishing, unmapped
from trueup.sync.rules.addresses import keys_of
from trueup.sync.rules.creating import COMING, create, create_write, wanted_at
from trueup.sync.rules.differences import (
    Difference,
    Draft,
    addressed,
    alike,
    compare,
    for_new_address,
    stays_news,
)
from trueup.sync.rules.evidence import Reading, hub_side
from trueup.sync.rules.founding import foundings
from trueup.sync.rules.groups import keep_names_apart, keep_whole
from trueup.sync.rules.lanes import given_up, queue, tried_again, was_given_up
from trueup.sync.rules.leaving import Standing
from trueup.sync.rules.places import as_never_told, displaced
from trueup.sync.rules.policy import Policy, Stream
from trueup.sync.rules.swinging import holds, keep_aside
from trueup.sync.rules.weighing import Seen, readable, weigh


def reconcile(case: Case, context: Context, policy: Policy, now: datetime) -> Plan:
    """One decision, pure: the same case, context, policy and time give the same plan."""
    entity = case.entity
    links = elect(case.links)
    seen, state, consent = weigh(case, links, context, policy, now)
    after = replace(entity, values=state.values, sources=state.sources)
    parts = displaced(entity, after, policy.tables[entity.kind])
    if parts:
        seen = [_never_told(one, parts, after) for one in seen]
    writes, withheld, patches, skipped, later = _outward(case, seen, links, after, context, policy, now)
    made, why = foundings(entity, after, links, writes, context, policy, now)
    by_id = {link.id: link for link in links}
    asked = [write for write in writes if not was_given_up(write, by_id)]
    queued = queue(case.open, asked, tried_again(case.open, by_id, policy.mappings))
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
        skipped=(*skipped, *why),
        foundings=made,
        missed=_missed(case, links, after, parts, policy),
        edits=tuple(edit.id for edit in case.edits),
        mark=case.mark,
        look_again_at=_look_again(after, policy, now, later),
        kept=tuple(kept for one in seen for kept in one.forms.kept),
    )


def _look_again(after: Entity, policy: Policy, now: datetime, later: Sequence[datetime]) -> datetime | None:
    """The earliest time at which the clock alone would give another answer."""
    turns = [
        policy.create[stream].next_change(after.values, now)
        for stream in policy.streams(after.kind)
        if stream in policy.create
    ]
    return min((*later, *(turn for turn in turns if turn is not None)), default=None)


def _never_told(one: Seen, parts: Set[str], after: Entity) -> Seen:
    """The readings without what the hub told of displaced parts; what is on its way is asked first."""
    settled = {reading.binding.key for reading in one.settled()}
    readings = (
        as_never_told(reading, parts, after.values) if reading.binding.key in settled else reading
        for reading in one.readings
    )
    return replace(one, readings=tuple(readings))


def _missed(
    case: Case, links: Sequence[Link], after: Entity, displaced: Set[str], policy: Policy
) -> dict[int, dict[str, Value]]:
    """What records that cannot be judged now will have to be told one day: of each field that moves, what
    the hub held when they last agreed. Those that are judged have heard it all. A record that is being made
    (its create has left) carries what was decided then, and will have to be told what moves meanwhile. What
    was only `displaced` by another first sight is nothing to be told."""
    before = case.entity
    moved = {
        name: before.values.get(name)
        for name in {**before.values, **after.values}
        if before.values.get(name) != after.values.get(name) and name not in displaced
    }
    made = {link.id for link in _standing(case, links) if link.state is LinkState.WANTED}
    found = {link.id: {**moved, **link.missed} for link in links if _absent(link, policy) or link.id in made}
    caught_up: dict[int, dict[str, Value]] = {
        link.id: {} for link in links if link.missed and readable(link, policy)
    }
    return {id: held for id, held in found.items() if moved} | caught_up


def _absent(link: Link, policy: Policy) -> bool:
    return link.remote_id is not None and not link.fresh and not readable(link, policy)


# -- electing --------------------------------------------------------------------------------------


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
        link if link.primary == (best.get(link.stream) is link) else _changed_rank(link) for link in links
    )


def _changed_rank(link: Link) -> Link:
    """The primary link of a stream as one of the others, or the reverse. What was only observed of it until
    now was never agreed with anybody: it is weighed as a first sight before anything is written there."""
    if link.primary:
        return replace(link, primary=False)
    unheard = {key for key, one in link.agreed.items() if one.left}
    unheard |= {path for path, was in link.base.items() if was == WAS_ABSENT}  # not shown until now
    never = dict.fromkeys(unheard, Agreed(NEVER, WAS_ABSENT))
    return replace(link, primary=True, agreed={**link.agreed, **never})


def _precedence(link: Link) -> tuple[bool, float, str]:
    changed = link.changed_at.timestamp() if link.changed_at else 0.0
    return (link.fresh or not link.primary, -changed, link.remote_id or "")


# -- writing --------------------------------------------------------------------------------------


def _outward(
    case: Case,
    seen: Sequence[Seen],
    links: Sequence[Link],
    after: Entity,
    context: Context,
    policy: Policy,
    now: datetime,
) -> tuple[
    list[Write],
    tuple[Write, ...],
    tuple[LinkPatch, ...],
    tuple[tuple[str, str, str], ...],
    tuple[datetime, ...],
]:
    """Writes, withheld writes, patches, why something expected is not written, and when to look again."""
    later: list[datetime] = []
    writes: list[Write] = []
    withheld: list[Write] = []
    patches: list[LinkPatch] = []
    skipped: list[tuple[str, str, str]] = []
    gone_elsewhere = _gone(links)
    for one in seen:
        draft = _draft(one, case, after, context, policy, now)
        rules = policy.rules[one.link.stream]
        stands = leaving.standing(one.link, after.values, policy, now)
        gone = bool(gone_elsewhere - {one.link.connection})
        switch = leaving.switch(one.link, rules, stands, gone)
        writes.extend(_writes(one, draft, after, stands, switch, policy))
        withheld.extend(_bundle(one.link, draft.newly_withheld, Lane.NORMAL))
        if switch is not None and was_given_up(switch, {one.link.id: one.link}):
            draft.agreed.update([given_up(switch)])
        patch = _patch(one, draft, after, case.entity, policy, carries=one is seen[0])
        active = leaving.is_active(one.link, rules, stands, gone)
        patches.append(_with_standing(patch, one.link, stands.entered, active))
        skipped.extend((*one.link.stream, why) for why in _waiting(draft, stands))
        later.extend(draft.later)
    standing = _standing(case, links)
    for link in links:
        if link.state is LinkState.WANTED and link in standing and link.stream in policy.mappings:
            writes.append(create_write(link, after, context, policy, now)[0])
    for stream in policy.streams(after.kind):
        made, why = create(stream, after, links, standing, context, policy, now)
        later.extend([now] if COMING in why else [])
        writes.extend(made)
        standing.extend(wanted_at(stream, links, after.kind) for _ in made)
        skipped.extend((*stream, reason) for reason in why)
    return writes, tuple(withheld), tuple(patches), tuple(skipped), tuple(later)


def _standing(case: Case, links: Sequence[Link]) -> list[Link]:
    """Links that stand for a record: of the wanted ones only those whose create may have arrived. Whether
    the others are still wanted is asked again at every decision."""
    sent = {one.link_id for one in case.open if one.state not in UNSENT_STATES}
    return [link for link in links if link.state is not LinkState.WANTED or link.id in sent]


def _unwanted(case: Case, links: Sequence[Link], writes: Sequence[Write]) -> tuple[int, ...]:
    """Wanted links whose create never left and is not asked for any more."""
    kept = {write.link_id for write in writes} | {link.id for link in _standing(case, links)}
    return tuple(link.id for link in links if link.id not in kept)


def _draft(one: Seen, case: Case, after: Entity, context: Context, policy: Policy, now: datetime) -> Draft:
    kept_empty = {name for name, one in after.sources.items() if one.pinned and name not in after.values}
    before = {name for name in kept_empty if (was := case.entity.sources.get(name)) and was.pinned}
    typed = {name: one.at for name, one in after.sources.items() if one.how == "hub"}
    draft = Draft(
        frozenset(kept_empty), frozenset(kept_empty - before), addressed(one.held), typed, case.anew
    )
    released = one.link.connection in context.released
    for reading in one.readings:
        if reading.binding.key in one.unsettled:
            if isinstance(reading.has, Rejected) and reading.binding.key in one.link.quarantine:
                draft.quarantine[reading.binding.key] = one.link.quarantine[reading.binding.key]
            if reading.agreed is not None:
                draft.agreed[reading.binding.key] = reading.agreed
            continue
        fight = one.aside.get(reading.binding.key)
        if fight is not None and holds(fight, reading, after.values):
            keep_aside(reading, fight, draft)
            continue
        if not one.link.primary and not _follows(reading, policy.rules[one.link.stream]):
            _observe_only(reading, after.values, draft)
            continue
        if one.way(reading) is backfill.Way.PUSH:
            reading = backfill.pushed(reading, after.values)
        compare(reading, after.values, context, draft, released, now)
    if draft.ordinary or draft.withheld:
        keep_whole(one.settled(), after.values, draft, policy.tables[after.kind], released)
    publishing.hold_back(one.link, draft, now)
    keep_names_apart(one.readings, after.values, draft, one.unsettled)
    return draft


def _follows(reading: Reading, rules: ObjectRules) -> bool:
    return bool(reading.binding.consent) or rules.secondary == "follow"


def _observe_only(reading: Reading, values: Mapping[str, Value], draft: Draft) -> None:
    """A secondary record is read, never written: what it says otherwise than the hub is left as it stands.
    What the hub said, too, stays agreed when the hub moves on: should it become the primary record, that is
    news for it, and what it says is none for the hub."""
    binding, known, has = reading.binding, reading.agreed, reading.has
    if not isinstance(has, Mapping):
        if not isinstance(reading.raw, Absent):
            stays_news(reading, draft)
        return
    if alike(binding, has, {name: values.get(name) for name in has}):
        return
    if known is not None and not known.left and known.hub != NEVER and not reading.moved:
        draft.agreed[binding.key] = known
    else:
        draft.agreed[binding.key] = Agreed(hub_side(binding, has), reading.raw, left=True)


def _writes(
    one: Seen, draft: Draft, after: Entity, stands: Standing, switch: Write | None, policy: Policy
) -> Iterable[Write]:
    """What is to be written to one record, in the order in which it leaves: opt-outs, those that were refused
    before, opt-ins (they wait for their fuse); and fields, then what clears, then the switch. Switching on
    goes before the fields of who comes back."""
    opt_ins = [each for each in draft.urgent if each.hub == ConsentState.OPTED_IN]
    yield from _bundle(one.link, [each for each in draft.urgent if each not in opt_ins], Lane.URGENT)
    yield from _bundle(one.link, draft.refused, Lane.URGENT)
    yield from _bundle(one.link, opt_ins, Lane.URGENT)
    if switch is not None and switch.kind is WriteKind.REACTIVATE:
        yield switch
    if not stands.left:
        for differences in _apart(draft.ordinary, policy.tables[after.kind]):
            also = for_new_address(one.readings, differences, after.values)
            yield from _bundle(one.link, [*differences, *also], Lane.NORMAL)
    if switch is not None and switch.kind is not WriteKind.REACTIVATE:
        yield switch


def _waiting(draft: Draft, stands: Standing) -> list[str]:
    """Why something that might be expected is not written to a record."""
    if stands.left:
        return [f"left: {stands.reason}"]
    return [*(f"waits for {target}" for target in draft.waits), *draft.held_back]


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
        if is_change(before) and is_change(one.value):
            values[one.binding.remote] = {
                **before,
                "+": [*before["+"], *one.value["+"]],
                "-": [*before["-"], *one.value["-"]],
            }
        else:
            values[one.binding.remote] = one.value
    return values


def _gate(differences: Sequence[Difference], lane: Lane) -> str:
    if lane is Lane.URGENT:
        return "opt_in" if any(one.hub == ConsentState.OPTED_IN for one in differences) else ""
    return "clear" if any(one.effect is Effect.CLEAR for one in differences) else ""


def _gone(links: Sequence[Link]) -> set[str]:
    """Connections in which the person is not any more: a record was deleted there, and none is left. One
    that the system joined with another is no person who went."""
    left = {link.connection for link in links if link.state is not LinkState.TOMBSTONE}
    return {link.connection for link in links if link.buried in ("deleted", "missing")} - left


def _patch(
    one: Seen, draft: Draft, after: Entity, before: Entity, policy: Policy, carries: bool
) -> LinkPatch:
    link = one.link
    agreed = {key: value for key, value in draft.agreed.items() if not _default(value, key, one, after)}
    return LinkPatch(
        link_id=link.id,
        rev=link.rev,
        agreed=unmapped.kept(link, one.mapping, policy) | agreed,
        quarantine=draft.quarantine,
        primary=link.primary,
        withheld=draft.withheld,
        dangling=tuple(_dangling(one)),
        keys=keys_of(link, one.held, before, after, carries),
        assumed=one.forms.assumed,
    )


def _with_standing(patch: LinkPatch, link: Link, entered: bool, active: bool) -> LinkPatch:
    """The patch with what changed of the record's standing, if anything did."""
    if (entered, active) == (link.entered, link.active):
        return patch
    return replace(patch, entered=entered, active=active)


def _default(agreed: Agreed, key: str, one: Seen, after: Entity) -> bool:
    """Whether an agreement is what an exception's absence already means."""
    binding = one.mapping.binding(key)
    if binding is None or agreed.withheld or binding.remote not in one.link.observed:
        return False
    if not isinstance(agreed.unheard, Absent):
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
                if each is not None and is_id(str(each))
            )


def _references(after: Entity, policy: Policy) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for name in policy.referring(after.kind):
        value = after.values.get(name)
        if value is not None:
            found.extend((name, one) for one in (value if isinstance(value, list) else [value]))
    return tuple(sorted(found))
