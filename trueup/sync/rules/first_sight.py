"""The commonest decision at once: one new record, an entity that holds nothing yet, nothing to weigh.

All of the record's fields are taken as one first sight. Whatever would need a judgement (a second record,
an edit, an opt-out, a value that no system may decide or that does not fit) is left to the long way, which
gives the same plan field by field; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trueup.mapping.compiled import Binding, ObjectMapping, Read
from trueup.mapping.schema import Shape
from trueup.model.consent import ConsentState
from trueup.model.entity import WAS_ABSENT, Link, LinkState, Source
from trueup.model.fields import Field, Kind, Strategy
from trueup.model.history import FIRST_SIGHT, Change
from trueup.model.plan import Case, Context
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Type, Value
from trueup.sync.rules import backfill, guessed_phones
from trueup.sync.rules.addresses import FAMILIES, Named, keep_addresses, only_listed
from trueup.sync.rules.decide_values import (
    STAGE,
    Values,
    derive,
    settle_consent,
)
from trueup.sync.rules.evidence import READ_AS, Reading, hub_side, read
from trueup.sync.rules.founding import keep_in_company
from trueup.sync.rules.policy import Policy, Stream

_NOTHING: Mapping[str, Value] = {}
_TAKES_THE_FIRST = (Strategy.AUTHORITY, Strategy.LATEST, Strategy.MOST_COMPLETE, Strategy.FIRST)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the record says, by field address, what the entity becomes, and where the record does not show
    that (its list of all addresses, which lacks the primary one): only there is anything to compare."""

    held: Mapping[str, Value]
    state: Values
    differing: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class _Take:
    """One field in the order of judgement: where the record says it, and by whose policy it is judged.
    `is_dated`: the latest edit wins, so the record's own time is kept with the value."""

    field: str
    address: str
    is_set: bool
    is_dated: bool
    ruled_by: str


@dataclass(slots=True)
class _Route:
    """A stream's bindings made ready: the path of each, how it is read (None: with references resolved) and
    itself. `phones`: those that hold phone numbers. `may`: fields that the connection may decide, by
    stage."""

    readers: tuple[tuple[str, Read | None, Binding], ...]
    phones: tuple[tuple[str, Binding], ...]
    stage: _Take | None
    takes: tuple[_Take, ...]
    may: dict[str | None, frozenset[str]]


def first_sight(case: Case, link: Link, context: Context, policy: Policy, now: datetime) -> Sight | None:
    """The decision on an entity of which `link` is the only record; None where it takes the long way."""
    if not _plain(case, link):
        return None
    route = _route(policy, link.stream)
    if route is None:
        return None
    held = _held(route, link, context)
    if held is None or guessed_phones.needs_weighing(_said_phones(route, link), held):
        return None
    state = _state(route, held, link, policy, now)
    if state is None:
        return None
    if link.kind is Kind.CONTACT:
        named = Named()
        named.note(held)
        keep_addresses(state, case.entity, (), named, policy, now)
        keep_in_company(state, case.entity, context, policy, now)
    derive(state, policy.derived(link.kind), context, now)
    if link.kind is Kind.CONTACT:
        settle_consent(state, case, (), policy.consents(), now)
    differing = tuple(_differing(route, held, state.values, link))
    table = policy.tables[link.kind]
    if any(name in table and table[name].group for one in differing for name in one.binding.fields):
        return None  # fields that survive together are compared with each other
    return Sight(held, state, differing)


def _plain(case: Case, link: Link) -> bool:
    """Whether nothing was ever known of the entity but this one unread record."""
    entity = case.entity
    return (
        link.fresh
        and link.primary
        and link.state is LinkState.LIVE
        and link.kind is entity.kind
        and not (entity.values or entity.sources or link.agreed or link.quarantine or link.assumed)
        and not (case.open or case.edits or case.consent or case.rival_consent)
        and not backfill.asked(case.reasons)
    )


# -- reading and taking ---------------------------------------------------------------------------


def _held(route: _Route, link: Link, context: Context) -> dict[str, Value] | None:
    held: dict[str, Value] = {}
    observed = link.observed
    for path, said, binding in route.readers:
        raw = observed.get(path, ABSENT)
        if raw is ABSENT or raw == WAS_ABSENT:
            continue
        has: Any = said(raw) if said is not None else read(binding, raw, link, context)
        if has.__class__ is not dict or not has or (binding.consent and _says(raw, has)):
            return None
        held.update(has)
    return held


def _said_phones(route: _Route, link: Link) -> list[tuple[Binding, Json]]:
    said = ((binding, link.observed.get(path)) for path, binding in route.phones)
    return [(binding, raw) for binding, raw in said if raw is not None and raw != WAS_ABSENT]


def _says(raw: Any, consent: Mapping[str, Value]) -> bool:
    """Whether the ledger would hear of it, be it of another address of the person."""
    if raw.__class__ is dict and raw.get("elsewhere"):
        return True
    return any(said != ConsentState.UNKNOWN for said in consent.values())


def _state(
    route: _Route, held: Mapping[str, Value], link: Link, policy: Policy, now: datetime
) -> Values | None:
    ref = f"{link.connection}/{link.object}/{link.remote_id}"
    source = Source(link.connection, "first", now, ref=ref)
    dated = Source(link.connection, "first", link.changed_at or now, ref=ref)
    values: dict[str, Value] = {}
    sources: dict[str, Source] = {}
    changes: list[Change] = []
    may = _may(route, None, link, policy)
    if route.stage is not None and (stage := held.get(route.stage.address)) is not None:
        if STAGE not in may:
            return None
        values[STAGE] = stage
        sources[STAGE] = dated if route.stage.is_dated else source
        changes.append(Change(STAGE, None, stage, ref, FIRST_SIGHT))
        may = _may(route, stage, link, policy)
    for take in route.takes:
        value = held.get(take.address)
        if value is None or value == []:
            continue
        if take.ruled_by not in may or (take.is_set and value != sorted(set(value))):
            return None
        values[take.field] = value
        sources[take.field] = dated if take.is_dated else source
        changes.append(Change(take.field, None, value, ref, "union" if take.is_set else FIRST_SIGHT))
    return Values(values, sources, changes)


def _may(route: _Route, stage: str | None, link: Link, policy: Policy) -> frozenset[str]:
    found = route.may.get(stage)
    if found is None:
        asked = {take.ruled_by for take in (*route.takes, *([route.stage] if route.stage else []))}
        found = frozenset(
            name for name in asked if link.connection in policy.fields(link.kind, name).authority(stage)
        )
        route.may[stage] = found
    return found


def _differing(
    route: _Route, held: Mapping[str, Value], values: Mapping[str, Value], link: Link
) -> Iterator[Reading]:
    get, observed = values.get, link.observed
    for path, _, binding in route.readers:
        raw = observed.get(path, ABSENT)
        if raw is ABSENT or raw == WAS_ABSENT:
            if not _not_wanted(binding, values):
                yield _reading(link, binding, raw, ABSENT)
            continue
        for name in binding.fields:
            if name in held and get(name) != held[name]:
                has = {one: held[one] for one in binding.fields if one in held}
                yield _reading(link, binding, raw, has)
                break


def _reading(link: Link, binding: Binding, raw: Json | Absent, has: Mapping[str, Value] | Absent) -> Reading:
    """Nothing is agreed yet, and the hub held nothing before."""
    return Reading(link, binding, raw, has, None, None, hub_side(binding, _NOTHING))


def _not_wanted(binding: Binding, values: Mapping[str, Value]) -> bool:
    if binding.consent:
        return True  # nobody opted out
    return binding.outward and all(values.get(name) in (None, []) for name in binding.fields)


# -- made ready -----------------------------------------------------------------------------------


def _route(policy: Policy, stream: Stream) -> _Route | None:
    known = policy.known
    key = ("first sight", stream)
    if key not in known:
        known[key] = _made(policy, stream)
    found: _Route | None = known[key]
    return found


def _made(policy: Policy, stream: Stream) -> _Route | None:
    """None for a stream of which some field always needs the long way."""
    mapping = policy.mappings.get(stream)
    if mapping is None or any(_compared(one) for one in mapping.bindings):
        return None
    if any(only_listed(one, mapping.bindings) for one in FAMILIES):
        return None
    addresses = [name for binding in mapping.bindings for name in binding.fields]
    takes = _takes(mapping, policy)
    names = [take.field for take in takes]
    if len(set(addresses)) < len(addresses) or len(set(names)) < len(names):
        return None
    if any(_weighed(policy, mapping.kind, take) for take in takes):
        return None
    stage = next((take for take in takes if take.field == STAGE and mapping.kind is Kind.CONTACT), None)
    readers = tuple((one.remote, one.read if one.refers is None else None, one) for one in mapping.bindings)
    phones = tuple((one.remote, one) for one in mapping.bindings if one.type in (Type.PHONE, Type.PHONES))
    return _Route(readers, phones, stage, tuple(take for take in takes if take is not stage), {})


def _compared(binding: Binding) -> bool:
    """Whether what the record says is no plain value by field."""
    if binding.items is not None:
        rule = binding.items.rule
        return bool(rule.kind or rule.label or rule.primary)
    return binding.shape is Shape.ELEMENT and not binding.consent


def _takes(mapping: ObjectMapping, policy: Policy) -> list[_Take]:
    """Single fields by name, then groups by name, their fields in the table's order: as they are judged."""
    table = policy.tables[mapping.kind]
    said = [
        (READ_AS.get(address, address), address)
        for binding in mapping.bindings
        if binding.inward and not binding.consent
        for address in binding.fields
    ]
    inward = [(name, address) for name, address in said if name in table and not table[name].derived]
    return [
        _take(name, address, mapping.kind, policy)
        for name, address in sorted(inward, key=lambda pair: _place(table, pair[0]))
    ]


def _take(name: str, address: str, kind: Kind, policy: Policy) -> _Take:
    table = policy.tables[kind]
    ruled_by = _ruling(table, table[name])
    is_dated = policy.fields(kind, ruled_by).strategy is Strategy.LATEST
    return _Take(name, address, table[name].type.is_set, is_dated, ruled_by)


def _place(table: Mapping[str, Field], name: str) -> tuple[bool, str, int]:
    group = table[name].group
    return (bool(group), group or name, list(table).index(name) if group else 0)


def _ruling(table: Mapping[str, Field], field: Field) -> str:
    """A group is judged by the rule of its first field."""
    if not field.group:
        return field.name
    return next(name for name, one in table.items() if one.group == field.group)


def _weighed(policy: Policy, kind: Kind, take: _Take) -> bool:
    """Whether the strategy looks at the value: a group's highest or furthest is no first sight."""
    if take.is_set or not policy.tables[kind][take.field].group:
        return False
    return policy.fields(kind, take.ruled_by).strategy not in _TAKES_THE_FIRST
