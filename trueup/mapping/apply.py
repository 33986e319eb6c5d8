"""Compile a connection's rules once; apply them to many records.

`compile_mapping` makes Bindings, `observe` reads one remote record through them, `put` lays what one of
them writes into a new record, `keeps` tells what its target would make of a value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from rapidfuzz import process

from trueup.errors import ConfigError, Problem
from trueup.mapping.bind import Site, field_binding, sign_of
from trueup.mapping.compiled import Binding, ObjectMapping, Observation
from trueup.mapping.consents import consent_binding
from trueup.mapping.elements import change, changed, listed, with_element
from trueup.mapping.schema import ConsentRule, Direction, FieldRule, ObjectRules, Shape
from trueup.mapping.transforms import UnknownTransform
from trueup.mapping.words import word_key
from trueup.model.canonical import Locale
from trueup.model.fields import NAME_PARTS, Field
from trueup.model.record import FieldSpec, Json
from trueup.model.values import ABSENT, Rejected, Type, Value

_NO_SPECS: Mapping[str, FieldSpec] = {}
_OUT = Direction.OUT


def compile_mapping(
    connection: str,
    rules: ObjectRules,
    table: Mapping[str, Field],
    locale: Locale,
    specs: Mapping[str, FieldSpec] = _NO_SPECS,
    confined: Collection[str] = (),
) -> ObjectMapping:
    """The mapping of one object, ready to apply. Raises ConfigError with every problem of the rules.

    `specs`: what the system says of its fields, by remote path; lengths, options and types in it shape
    what is written. `confined`: fields that may not be written to this connection; a rule that would is
    a problem, so no plan can hold such a write. `rules.kind` must be set; for a case take
    `compile_bindings`.
    """
    bindings = compile_bindings(rules, table, locale, specs)
    if problems := list(_leaving(bindings, confined)):
        raise ConfigError(problems)
    if rules.kind is None:
        raise ConfigError([problem_at(rules.origin, f"`{rules.name}` is no entity and has no mapping", "")])
    asked = dict.fromkeys(binding.remote for binding in bindings)
    switches = dict.fromkeys((*rules.deactivate, *rules.reactivate))
    written = frozenset((*(binding.remote for binding in bindings if binding.outward), *switches))
    return ObjectMapping(connection, rules.name, rules.kind, bindings, tuple(asked | switches), written)


def compile_bindings(
    rules: ObjectRules,
    table: Mapping[str, Field],
    locale: Locale,
    specs: Mapping[str, FieldSpec] = _NO_SPECS,
) -> tuple[Binding, ...]:
    """The bindings of an entity or a case, in the order of the rules; consent last."""
    problems: list[Problem] = []
    field_rules = [rule for each in rules.fields for rule in _with_currency(each, rules, table, problems)]
    reserved = _reserved(field_rules, rules.consent)
    signs = _signs(field_rules, table, locale, specs, reserved)
    taken: set[str] = set()
    bindings: list[Binding] = []
    for rule in field_rules:
        field = _field(rule, table, problems)
        if field is None or (rules.company == "ignore" and field.name == "company"):
            continue
        own = reserved.get(rule.remote, frozenset())
        sign = signs.get(rule.remote.partition("#")[0], "")
        site = Site(rule, field, locale, specs.get(rule.remote), own, sign)
        try:
            bindings.append(field_binding(site, _key(rule.remote, field.name, taken)))
        except UnknownTransform as error:
            problems.append(problem_at(rule.origin, str(error), ""))
    for consent in rules.consent:
        path = f"{consent.remote}#{consent.element}" if consent.shape is Shape.ELEMENT else consent.remote
        key = _key(path, f"{consent.channel}.{consent.purpose}", taken)
        sign = signs.get(consent.remote, "")
        bindings.append(consent_binding(consent, specs.get(consent.remote), key, sign))
    problems.extend(_said_twice(bindings))
    if problems:
        raise ConfigError(problems)
    return tuple(bindings)


def observe(mapping: ObjectMapping, values: Mapping[str, Json]) -> Observation:
    """What a remote record says in canonical fields. A path that is missing says nothing."""
    return observed(mapping.bindings, values)


def observed(bindings: Iterable[Binding], values: Mapping[str, Json]) -> Observation:
    """`observe` for bare bindings (a case)."""
    said: dict[str, Value] = {}
    rejected: dict[str, Rejected] = {}
    get = values.get
    for binding in bindings:
        if binding.direction is _OUT:
            continue
        raw = get(binding.remote, ABSENT)
        if raw is ABSENT:
            continue
        result = binding.read(raw)
        if result.__class__ is Rejected:
            rejected[binding.key] = result
        else:
            said.update(result)  # type: ignore[arg-type]
    return Observation(said, rejected)


def keeps(binding: Binding, values: Mapping[str, Value]) -> Mapping[str, Value] | Rejected:
    """The normal form: what the target would say after these values were written to it.

    Empty when nothing would be written (`unmapped: leave`); Rejected when it cannot be written.
    """
    written = binding.write(values)
    if isinstance(written, Rejected):
        return written
    if written is ABSENT:
        return {}
    if binding.shape is Shape.ELEMENT:
        return binding.read([binding.element] if written else [])
    return binding.read(written)


def put(made: dict[str, Json], binding: Binding, raw: Json) -> bool:
    """Lay what one binding writes into a new record; whether there was anything. Several may share a list."""
    if raw in (None, "", []) or (binding.shape is Shape.ELEMENT and not raw):
        return False
    there = made.get(binding.remote)
    if binding.shape is Shape.ELEMENT:
        made[binding.remote] = changed(there, with_element(there, binding.element, binding.sign))
    elif binding.items is not None:
        made[binding.remote] = binding.items.made(raw)
    elif there is None:
        made[binding.remote] = raw
    else:
        more = change(listed(raw, change([], [], raw, binding.sign)), [], there, binding.sign)
        made[binding.remote] = changed(there, more)
    return True


def _key(path: str, field: str, taken: set[str]) -> str:
    """The path; where another rule has it already, the path and the field."""
    key = path if path not in taken else f"{path}@{field}"
    taken.add(key)
    return key


def _field(rule: FieldRule, table: Mapping[str, Field], problems: list[Problem]) -> Field | None:
    name = rule.field.removesuffix("[]")
    field = table.get(name)
    if field is None:
        near = process.extractOne(name, list(table), score_cutoff=70)
        hint = f"did you mean `{near[0]}`?" if near else ""
        problems.append(problem_at(rule.origin, f"there is no field `{rule.field}`", hint))
    elif field.derived and name != "full_name" and rule.direction is Direction.IN:
        problems.append(problem_at(rule.origin, f"`{name}` is computed: it goes out, never in", ""))
    elif field.type is Type.MONEY and rule.currency is not None:
        message = f"`{name}` is money in one value: `transform: money(EUR)`, or two fields for the two"
        problems.append(problem_at(rule.origin, message, ""))
    return field


def _with_currency(
    rule: FieldRule, rules: ObjectRules, table: Mapping[str, Field], problems: list[Problem]
) -> tuple[FieldRule, ...]:
    """An amount whose rule names the path of its currency is two rules."""
    field = table.get(rule.field)
    if rule.currency is None or field is None or field.type is Type.MONEY:
        return (rule,)
    name = next((name for name in (f"{rule.field}_currency", "currency") if name in table), None)
    if name is None:
        problems.append(problem_at(rule.origin, f"there is no field for the currency of `{rule.field}`", ""))
        return (rule,)
    if any(other.field == name for other in rules.fields):
        return (rule,)
    currency = FieldRule(name, rule.currency, rule.direction, refused=rule.refused, origin=rule.origin)
    return (rule, replace(currency, create_only=rule.create_only))


def _reserved(fields: Iterable[FieldRule], consent: Iterable[ConsentRule]) -> dict[str, frozenset[Json]]:
    """By remote list: the elements that a rule of their own reads, so that the set does not."""
    found: dict[str, set[Json]] = {}
    for rule in fields:
        if rule.shape is Shape.ELEMENT:
            path, _, element = rule.remote.partition("#")
            found.setdefault(path, set()).add(word_key(element))
    for each in consent:
        if each.shape is Shape.ELEMENT:
            found.setdefault(each.remote, set()).add(word_key(each.element))
    return {path: frozenset(keys) for path, keys in found.items()}


def _signs(
    fields: Iterable[FieldRule],
    table: Mapping[str, Field],
    locale: Locale,
    specs: Mapping[str, FieldSpec],
    shared: Mapping[str, Collection[Json]],
) -> dict[str, str]:
    """By remote list of which single elements have rules of their own: what stands between its elements,
    where it is one text."""
    signs = {path: ";" for path in shared if path in specs and specs[path].type == "multi_choice"}
    for rule in fields:
        field = table.get(rule.field.removesuffix("[]"))
        if rule.remote in shared and field is not None and rule.shape is not Shape.ELEMENT:
            with suppress(UnknownTransform):  # told where the rule is bound
                signs[rule.remote] = sign_of(rule, field, locale, specs.get(rule.remote)) or signs.get(
                    rule.remote, ""
                )
    return signs


def _said_twice(bindings: Iterable[Binding]) -> Iterable[Problem]:
    """A canonical field read from two places, a remote field written by two rules: chance would decide."""
    read: dict[str, str] = {}
    written: dict[str, str] = {}
    for binding in bindings:
        for field in binding.fields if binding.inward else ():
            if field in read:
                message = f"`{_shown(field)}` is read from `{read[field]}` too"
                yield problem_at(binding.origin, message, "", _TWICE)
            read.setdefault(field, binding.remote)
        if binding.outward and binding.shape is not Shape.ELEMENT:
            if binding.remote in written:
                message = f"`{binding.remote}` is written from `{written[binding.remote]}` too"
                yield problem_at(binding.origin, message, "", _TWICE)
            written.setdefault(binding.remote, _shown(binding.fields[0]))


def _leaving(bindings: Iterable[Binding], confined: Collection[str]) -> Iterable[Problem]:
    for binding in bindings:
        for field in binding.fields if binding.outward else ():
            if field in confined:
                message = f"`{_shown(field)}` may not be written here: it is confined to other connections"
                yield problem_at(binding.origin, message, "", _CONFINED)


_CONFINED = "TU-CFG-035"
_TWICE = "TU-CFG-031"
_MAPPING = "TU-CFG-036"


def _shown(field: str) -> str:
    return f"{field} (a part of full_name)" if field in NAME_PARTS else field


def problem_at(origin: str, message: str, hint: str, code: str = _MAPPING) -> Problem:
    """`origin` is `file:line`, or a word such as `default`."""
    file, _, line = origin.rpartition(":")
    if not file or not line.isdigit():
        file, line = origin, "0"
    return Problem(file, int(line), 1 if line != "0" else 0, message, code, hint)
