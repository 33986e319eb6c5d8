"""Consent rules as bindings: what a system shows of one channel and purpose.

A flag, a tag or a word says `opted_out` or nothing (`unknown`). Only a subscription object, as connectors
give and take it (`{"status": "SUBSCRIBED" | "UNSUBSCRIBED", "at", "source"}`), can say `opted_in`, and only
with the evidence that the rule demands; its `elsewhere` names further addresses of the record that opted out
({"address", "at"}). Absence is never an opt-in and never an opt-out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trueup.mapping.compiled import Binding, Read, Write
from trueup.mapping.elements import elements_of, present
from trueup.mapping.schema import ConsentRule, Direction, Shape
from trueup.mapping.terms import terms_of
from trueup.mapping.words import word_key
from trueup.model.canonical.moments import read_moment
from trueup.model.canonical.numbers import read_bool
from trueup.model.consent import ConsentState, consent_field
from trueup.model.record import FieldSpec, Json
from trueup.model.values import Rejected, Value

PRESENT, ABSENT_WORD = "present", "absent"
_OUT_WORDS = frozenset({"opted_out", "opted out", "opt_out", "optout", "unsubscribed", "unsubscribe"})
_IN_WORDS = frozenset({"opted_in", "opted in", "opt_in", "optin", "subscribed"})
_STATUS = {ConsentState.OPTED_OUT: "UNSUBSCRIBED", ConsentState.OPTED_IN: "SUBSCRIBED"}
_OPPOSITES = {"yes": "No", "no": "Yes", "y": "N", "n": "Y", "on": "off", "off": "on", "1": "0", "0": "1"}


SUBSCRIPTION = "subscription"
NAMED = (SUBSCRIPTION, "tag", "list")
"""What a rule may call by its name, in place of a field."""


def is_there(rule: ConsentRule, specs: Mapping[str, FieldSpec]) -> bool:
    """Whether a system has what the rule names, by what it says of its fields (`specs`, by name)."""
    return rule.remote.partition("#")[0] in specs or below_known(rule.remote, specs)


def below_known(remote: str, specs: Mapping[str, FieldSpec]) -> bool:
    """A path into an object field, or across a reference, is not described by metadata."""
    head = remote.partition(".")[0]
    return "." in remote and (head in specs or f"{head}Id" in specs)


@dataclass(frozen=True, slots=True)
class ConsentSaid:
    """What a remote value says. `at` (canonical UTC) and `source` are empty where it names none."""

    state: ConsentState
    at: str = ""
    source: str = ""


def consent_binding(rule: ConsentRule, spec: FieldSpec | None, key: str, sign: str = "") -> Binding:
    """The binding of one consent rule; always both ways. `sign`: between the elements of a list in text."""
    field = consent_field(rule.channel, rule.purpose)
    read, write = _element(rule, field, sign) if rule.shape is Shape.ELEMENT else _value(rule, spec, field)
    return Binding(
        key=key,
        remote=rule.remote,
        fields=(field,),
        direction=Direction.BOTH,
        shape=rule.shape,
        read=read,
        write=write,
        element=rule.element,
        sign=sign,
        consent=(rule.channel, rule.purpose),
        evidence=rule.evidence,
        terms=terms_of(rule, spec),
        origin=rule.origin,
    )


def consent_said(rule_or_binding: ConsentRule | Binding, raw: Json) -> ConsentSaid:
    """What a subscription object says, with when and from where; a plain value says neither."""
    evidence = rule_or_binding.evidence
    if not isinstance(raw, dict):
        return ConsentSaid(ConsentState.UNKNOWN)
    status = str(raw.get("status") or "").strip().casefold().replace("-", "_")
    at, source = _moment(raw.get("at")), str(raw.get("source") or "").strip()
    if status in _OUT_WORDS:
        return ConsentSaid(ConsentState.OPTED_OUT, at, source)
    documented = bool(evidence) and all({"time": at, "source": source}.get(part, "") for part in evidence)
    state = ConsentState.OPTED_IN if status in _IN_WORDS and documented else ConsentState.UNKNOWN
    return ConsentSaid(state, at, source)


def state_typed(text: str) -> ConsentState | None:
    """The state that a person means by a word (`opted_out`, `unsubscribed`); None for any other word."""
    word = text.strip().casefold().replace("-", "_")
    if word in _OUT_WORDS:
        return ConsentState.OPTED_OUT
    return ConsentState.OPTED_IN if word in _IN_WORDS else None


def out_elsewhere(raw: Json) -> list[tuple[str, str]]:
    """Further addresses of the record that opted out, each with the moment (empty where it is not known)."""
    listed = raw.get("elsewhere") if isinstance(raw, dict) else None
    found = [one for one in listed or () if isinstance(one, dict) and one.get("address")]
    return [(str(one["address"]), _moment(one.get("at"))) for one in found]


def _moment(raw: Json) -> str:
    moment = read_moment(raw, "UTC") if raw else ""
    return "" if isinstance(moment, Rejected) else moment


def _value(rule: ConsentRule, spec: FieldSpec | None, field: str) -> tuple[Read, Write]:
    words = rule.opted_out if isinstance(rule.opted_out, list | tuple) else [rule.opted_out]
    means_out = _test(words)
    as_object = (spec is not None and spec.type == "object") or rule.remote.startswith("subscription")
    other = _other_word(words[0], spec)

    def read(raw: Json) -> Mapping[str, Value] | Rejected:
        if isinstance(raw, dict):
            return {field: consent_said(rule, raw).state.value}
        if isinstance(raw, list | tuple):
            return Rejected("expected one value that shows consent, found a list")
        return {field: (ConsentState.OPTED_OUT if means_out(raw) else ConsentState.UNKNOWN).value}

    def write(values: Mapping[str, Value]) -> Json | Rejected:
        state = values.get(field)
        if as_object:
            return {"status": _STATUS[state]} if state in _STATUS else None
        return words[0] if state == ConsentState.OPTED_OUT else other

    return read, write


def _test(words: Sequence[Json]) -> Callable[[Json], bool]:
    """Whether a raw value means opted out: a flag in any spelling of it (1, "Y"), a word as itself."""
    keys = {word_key(word) for word in words}
    flags = {word for word in words if isinstance(word, bool)}

    def means_out(raw: Json) -> bool:
        if raw is None:
            return False
        return word_key(raw) in keys or (bool(flags) and read_bool(raw) in flags)

    return means_out


def _other_word(word: Json, spec: FieldSpec | None) -> Json:
    """The value that does not mean opted out; None (empty) where no opposite is known."""
    if isinstance(word, bool):
        return not word
    if word in (0, 1):
        return 1 - word
    if spec is not None and len(spec.options) == 2:
        others = [option for option in spec.options if word_key(option) != word_key(word)]
        return others[0] if len(others) == 1 else None
    key = word_key(word)
    if key in ("true", "false"):
        return _in_case_of(str(word), "false" if key == "true" else "true")
    opposite = _OPPOSITES.get(str(key))
    return None if opposite is None else _in_case_of(str(word), opposite)


def _in_case_of(model: str, word: str) -> str:
    if model.isupper() and (len(model) > 1 or len(word) == 1):
        return word.upper()
    return word.title() if model.istitle() else word.lower()


def _element(rule: ConsentRule, field: str, sign: str) -> tuple[Read, Write]:
    out_if_there = rule.opted_out != ABSENT_WORD

    def read(raw: Json) -> Mapping[str, Value] | Rejected:
        elements = elements_of(raw, sign)
        if isinstance(elements, Rejected):
            return elements
        out = present(elements, rule.element) == out_if_there
        return {field: (ConsentState.OPTED_OUT if out else ConsentState.UNKNOWN).value}

    def write(values: Mapping[str, Value]) -> Json | Rejected:
        return (values.get(field) == ConsentState.OPTED_OUT) == out_if_there

    return read, write
