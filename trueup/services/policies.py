"""The configuration compiled into what the rules see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from trueup.config.lifecycle_settings import Summary
from trueup.config.settings import Connection, HubConfig
from trueup.config.vocabulary import Take
from trueup.dedupe.decision import Identity
from trueup.errors import Broken
from trueup.lifecycle.conditions import Named, compile_condition
from trueup.mapping.apply import compile_mapping
from trueup.mapping.compiled import ObjectMapping
from trueup.model.canonical import Locale
from trueup.model.consent import ConsentState, consent_field
from trueup.model.fields import Field, Kind
from trueup.model.record import FieldSpec
from trueup.model.values import Type
from trueup.sync.rules.policy import Condition, FieldPolicy, Policy, Stream

Specs = Mapping[Stream, Mapping[str, FieldSpec]]


def policy_of(config: HubConfig, specs: Specs, upsert: Mapping[Stream, str]) -> Policy:
    """The whole policy; `specs` is what the systems say of their fields, `upsert` where the hub's id goes."""
    mappings = {
        stream: mapping
        for connection in config.connections.values()
        for stream, mapping in _mappings(config, connection, specs).items()
    }
    rules = {
        (connection.name, name): rules
        for connection in config.connections.values()
        for name, rules in connection.objects.items()
    }
    create = {
        stream: condition(one.create, config, one.origin, one.kind)
        for stream, one in rules.items()
        if one.create is not None and one.kind is not None
    }
    take = {
        stream: condition(one.take, config, one.origin)
        for stream, one in rules.items()
        if one.take is not None
    }
    return Policy(
        tables=config.fields,
        fields=_judging(config),
        mappings=mappings,
        rules=rules,
        create=create,
        take=take,
        upsert=upsert,
        config_version=config.version,
    )


def _mappings(config: HubConfig, connection: Connection, specs: Specs) -> dict[Stream, ObjectMapping]:
    locale = Locale(
        phone_region=connection.phone_region or config.hub.phone_region,
        time_zone=connection.time_zone or config.hub.time_zone,
    )
    found: dict[Stream, ObjectMapping] = {}
    for name, rules in connection.objects.items():
        if rules.kind is not None:
            stream = (connection.name, name)
            table = config.fields[rules.kind]
            found[stream] = compile_mapping(connection.name, rules, table, locale, specs.get(stream, {}))
    return found


def _judging(config: HubConfig) -> Callable[[Kind, str], FieldPolicy]:
    @lru_cache(maxsize=4096)
    def judged(kind: Kind, name: str) -> FieldPolicy:
        policy = config.policy(name, kind)

        @lru_cache(maxsize=64)
        def authority(stage: str | None) -> tuple[str, ...]:
            return config.authority(name, stage, kind)

        return FieldPolicy(policy.strategy, authority, policy.edits.value == "ranked", policy.on_clash.value)

    return judged


def condition(text: str, config: HubConfig, origin: str, kind: Kind = Kind.CONTACT) -> Condition:
    """A CEL condition as the rules call it. The configuration was checked, so it compiles."""
    compiled = compile_condition(text, names_of(config, kind), origin, config.hub.time_zone)
    if isinstance(compiled, list):
        raise Broken(f"{origin}: `{text}`: {compiled[0].message}")
    return compiled


def names_of(config: HubConfig, kind: Kind = Kind.CONTACT) -> dict[str, Named]:
    """Everything that a condition about this kind of entity may speak of."""
    names: dict[str, Named] = dict(config.fields[kind])
    if kind is Kind.CONTACT:
        names.update({f"company.{name}": field for name, field in config.fields[Kind.COMPANY].items()})
        names.update({name: _summary_type(one) for name, one in config.lifecycle.summaries.items()})
        names["days_in_stage"] = Type.INT
        states = Field("consent", Type.CHOICE, options=tuple(state.value for state in ConsentState))
        names.update({consent_field(*pair): states for pair in _consents(config)})
    return names


def _consents(config: HubConfig) -> set[tuple[str, str]]:
    return {
        (rule.channel, rule.purpose)
        for connection in config.connections.values()
        for rules in connection.objects.values()
        for rule in rules.consent
    }


def _summary_type(summary: Summary) -> Type:
    match summary.take:
        case Take.COUNT:
            return Type.INT
        case Take.SUM:
            return Type.DECIMAL
    return Type.DATETIME if summary.field is None else Type.TEXT


def identity_of(config: HubConfig) -> Identity:
    """What dedupe.yaml says about values that identify nobody."""
    never = config.dedupe.never_identifies
    return Identity(
        {"email": tuple(pattern.casefold() for pattern in never.emails), "phone": never.phones},
        never.held_by_more_than,
    )
