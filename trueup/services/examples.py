"""config/examples.yaml against the rules: given these records of one person, does what is expected follow?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from trueup.config.join import address
from trueup.config.settings import Example, ExampleRecord, HubConfig
from trueup.config.systems import Systems, registered_systems
from trueup.mapping.elements import is_change, listed
from trueup.model.canonical import Locale, parse, same
from trueup.model.consent import ConsentState
from trueup.model.entity import Entity, Link, Source
from trueup.model.fields import Kind
from trueup.model.plan import Case, Context, Plan
from trueup.model.record import FieldSpec, Json
from trueup.model.values import Rejected, Value
from trueup.services.policies import policy_of
from trueup.sync.rules.creating import create_write, wanted_at
from trueup.sync.rules.policy import Policy, Stream
from trueup.sync.rules.reconcile import reconcile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""The time at which examples happen: the same on every day, so that they stay true."""


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example. `misses`: what came out otherwise, as sentences; empty when all was as expected."""

    name: str
    origin: str
    misses: tuple[str, ...] = ()


def run_examples(config: HubConfig, systems: Systems | None = None) -> list[ExampleResult]:
    """Every example, decided by the rules of this configuration; no system is asked, nothing is stored."""
    if not config.examples:
        return []
    policy = policy_of(config, _specs(config, registered_systems() if systems is None else systems), {})
    return [
        ExampleResult(one.name, one.origin, tuple(_misses(one, config, policy))) for one in config.examples
    ]


def _specs(config: HubConfig, systems: Systems) -> dict[Stream, Mapping[str, FieldSpec]]:
    """What is known of the systems' fields without asking them."""
    found: dict[Stream, Mapping[str, FieldSpec]] = {}
    for name, connection in config.connections.items():
        system = systems.get(connection.connector)
        for object in connection.objects if system else ():
            if system and object in system.objects:
                found[(name, object)] = system.objects[object].fields
    return found


def _misses(example: Example, config: HubConfig, policy: Policy) -> Iterator[str]:
    others = [
        one for one in example.given if (one.connection, one.object) not in policy.streams(Kind.CONTACT)
    ]
    if others:
        names = ", ".join(f"{one.connection} {one.object}" for one in others)
        yield f"{names}: an example can hold records of contacts only"
        return
    before, wrong = _parsed(example.before, config)
    yield from wrong
    plan = reconcile(_case(example, before, policy), _context(policy), policy, NOW)
    yield from _contact(example, plan, config)
    yield from _consent(example, plan)
    yield from (miss for one in example.written for miss in _written(one, plan))


# -- given --------------------------------------------------------------------------------------------


def _case(example: Example, before: Mapping[str, Value], policy: Policy) -> Case:
    """The contact with its records: read for the first time, or, where the hub holds something already,
    edited since they were in step with that."""
    sources = {name: Source("example", "edit", NOW) for name in before}
    known = Entity(1, Kind.CONTACT, 0, dict(before), sources)
    return Case(
        known, tuple(_link(number, one, known, policy) for number, one in enumerate(example.given, 1))
    )


def _link(number: int, record: ExampleRecord, known: Entity, policy: Policy) -> Link:
    """`known`: what the hub holds already. A record that is in step with it holds what a new one would."""
    stream, before = (record.connection, record.object), known.values
    new = create_write(wanted_at(stream, (), known.kind), known, Context(), policy, NOW)[0]
    held = new.values if before else {}
    base = {path: held.get(path) for path, value in record.values.items() if held.get(path) != value}
    return Link(
        number,
        *stream,
        f"example-{number}",
        1,
        Kind.CONTACT,
        fresh=not before,
        changed_at=NOW,
        observed=dict(record.values),
        base=base if before else {},
    )


def _context(policy: Policy) -> Context:
    """Everything is released and listed: an example tests the rules, not the first load."""
    names = frozenset(connection for connection, _ in policy.rules)
    return Context(released=names, gates_open=frozenset(policy.mappings))


def _parsed(said: Mapping[str, Json], config: HubConfig) -> tuple[dict[str, Value], list[str]]:
    values: dict[str, Value] = {}
    wrong: list[str] = []
    for name, raw in said.items():
        read = _value(name, raw, config)
        if isinstance(read, Rejected):
            wrong.append(f"before.{name}: {read.reason}")
        elif read is not None:
            values[address(name)] = read
    return values, wrong


def _value(name: str, raw: Json, config: HubConfig) -> Value | Rejected:
    field = config.fields[Kind.CONTACT].get(address(name))
    locale = Locale(phone_region=config.hub.phone_region, time_zone=config.hub.time_zone)
    plain = list(raw) if isinstance(raw, tuple) else raw
    return parse(field, plain, locale) if field is not None else plain


# -- expected -----------------------------------------------------------------------------------------


def _contact(example: Example, plan: Plan, config: HubConfig) -> Iterator[str]:
    expected = {**example.contact, **({"stage": example.stage} if example.stage is not None else {})}
    for name, raw in expected.items():
        wanted = _value(name, raw, config)
        got = plan.entity.values.get(address(name))
        field = config.fields[Kind.CONTACT].get(address(name))
        if isinstance(wanted, Rejected):
            yield f"contact.{name}: {wanted.reason}"
        elif not (same(field.type, wanted, got) if field is not None else wanted == got):
            why = _because(plan, address(name))
            yield f"contact.{name}: expected {_shown(wanted)}, got {_shown(got)}{why}"


def _because(plan: Plan, field: str) -> str:
    """Why a field came out as it did, where a rule said so."""
    lost = [one for one in plan.conflicts if one.field == field]
    if lost:
        return f" (lost: {_shown(lost[0].lost)} from {_system(lost[0].lost_source)}: {lost[0].rule})"
    won = [one for one in plan.changes if one.field == field]
    return f" (from {_system(won[0].source)}: {won[0].rule})" if won else ""


def _system(source: str) -> str:
    return source.rpartition("/")[0].replace("/", " ") or source


def _consent(example: Example, plan: Plan) -> Iterator[str]:
    for name, wanted in example.consent.items():
        got = plan.entity.values.get(f"consent.{name}") or ConsentState.UNKNOWN.value
        if str(got) != wanted:
            yield f"consent.{name}: expected {wanted}, got {got}"


def _written(expected: ExampleRecord, plan: Plan) -> Iterator[str]:
    place = (expected.connection, expected.object)
    writes = [one for one in plan.writes if (one.connection, one.object) == place]
    if any(_holds(one.values, expected.values) for one in writes):
        return
    wanted = ", ".join(f"{path}: {_shown(value)}" for path, value in expected.values.items())
    would = "; ".join(_values(one.values) for one in writes) or _why_nothing(plan, place)
    yield f"written: expected {place[0]} {place[1]} {{{wanted}}}, got {would}"


def _holds(values: Mapping[str, Json], expected: Mapping[str, Json]) -> bool:
    return all(path in values and _fits(values[path], _plain(value)) for path, value in expected.items())


def _fits(written: Json, expected: Json) -> bool:
    """Of a list that is changed element by element, the expected ones must be among those added."""
    if is_change(written) and isinstance(expected, list | str):
        return all(_among(one, written["+"]) for one in listed(expected, written))
    return bool(_plain(written) == expected)


def _among(expected: Json, added: Sequence[Json]) -> bool:
    """Whether one of these is expected; of an object what the example names."""
    if not isinstance(expected, Mapping):
        return expected in added
    return any(isinstance(one, Mapping) and {**one, **expected} == one for one in added)


def _plain(value: Json) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _values(values: Mapping[str, Json]) -> str:
    return "{" + ", ".join(f"{path}: {_shown(value)}" for path, value in values.items()) + "}"


def _why_nothing(plan: Plan, place: tuple[str, str]) -> str:
    reasons = [reason for connection, object, reason in plan.skipped if (connection, object) == place]
    return f"nothing ({reasons[0]})" if reasons else "nothing"


def _shown(value: Json) -> str:
    return "nothing" if value in (None, [], "") else repr(value) if isinstance(value, str) else str(value)
