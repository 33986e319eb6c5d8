"""Addresses for people: what is known of single elements of a set, and how a person names them."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.mapping.items import kind_of
from trueup.model.canonical import Locale, element_key, parse
from trueup.model.canonical.postal import line_of, parts_of
from trueup.model.fields import CONTACT, KINDS, LABEL, Field, attribute, attribute_of
from trueup.model.record import Json
from trueup.model.values import Rejected, Type, Value


def described(many: str, values: Mapping[str, Value]) -> list[str]:
    """The elements of a set, each with its kind (be it by its slot) and its label, postal addresses in one
    line; nothing where no element has either and each is shown as it is."""
    if many not in KINDS:
        return list(map(line_of, values.get(many) or ())) if _is_postal(many) else []
    found = [(one, *_known(many, one, values)) for one in values.get(many) or ()]
    postal = _is_postal(many)
    if not postal and not any(kind or label for _, kind, label in found):
        return []
    return [_text(line_of(one) if postal else one, kind, label) for one, kind, label in found]


def structured(name: str, value: Value) -> Json:
    """The value of a field for programs: postal addresses by their parts."""
    return list(map(parts_of, value or ())) if _is_postal(name) else value


def _is_postal(name: str) -> bool:
    return name in CONTACT and CONTACT[name].type is Type.ADDRESSES


def _known(many: str, one: str, values: Mapping[str, Value]) -> tuple[Value, Value]:
    key = element_key(CONTACT[many].type)(one)
    return kind_of(many, key, values), values.get(attribute(many, key, LABEL))


def _text(one: str, kind: Value, label: Value) -> str:
    known = [str(kind)] if kind else []
    known += [f'"{label}"'] if label else []
    return f"{one} ({', '.join(known)})" if known else one


def named(name: str, locale: Locale) -> str:
    """The address of a field as the hub writes it: `emails[Ann@Example.com].kind` names the element by its
    key. Any other address is as it was typed."""
    told = attribute_of(name)
    if told is None:
        return name
    many, typed, what = told
    type = CONTACT[many].type
    value = parse(Field(many, type.element), typed, locale)
    key = typed if value is None or isinstance(value, Rejected) else element_key(type)(value)
    return attribute(many, key, what)
