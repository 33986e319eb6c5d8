"""The configuration compiled into what the rules see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache

from trueup.config.condition_names import entity_names
from trueup.config.settings import Connection, HubConfig
from trueup.dedupe.decision import Identity
from trueup.errors import Broken
from trueup.lifecycle.conditions import compile_condition
from trueup.mapping.apply import compile_mapping
from trueup.mapping.compiled import ObjectMapping
from trueup.model.canonical import Locale
from trueup.model.fields import Kind
from trueup.model.record import FieldSpec
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


def without_terms(policy: Policy, streams: Collection[Stream]) -> Policy:
    """The policy where some systems could not be asked about their fields: what they would have said now is
    not taken for another answer than their last one."""
    unasked = {
        stream: replace(one, bindings=tuple(replace(binding, terms="") for binding in one.bindings))
        for stream, one in policy.mappings.items()
        if stream in streams
    }
    return replace(policy, mappings={**policy.mappings, **unasked}) if unasked else policy


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
            confined = [field for field in table if config.confined(field, connection.name, rules.kind)]
            found[stream] = compile_mapping(
                connection.name, rules, table, locale, specs.get(stream, {}), confined
            )
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
    compiled = compile_condition(text, entity_names(config, kind), origin, config.hub.time_zone)
    if isinstance(compiled, list):
        raise Broken(f"{origin}: `{text}`: {compiled[0].message}")
    return compiled


def identity_of(config: HubConfig) -> Identity:
    """What dedupe.yaml says about values that identify nobody."""
    never = config.dedupe.never_identifies
    return Identity(
        {"email": tuple(pattern.casefold() for pattern in never.emails), "phone": never.phones},
        never.held_by_more_than,
    )
