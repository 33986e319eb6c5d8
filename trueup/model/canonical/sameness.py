"""When two canonical values are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from trueup.model.canonical.postal import address_key
from trueup.model.values import Type, Value


def comparable(type: Type, value: Value) -> Hashable:
    """The key under which equal values are equal: e-mails without case, postal addresses by their words, sets
    as tuples, the rest as is.

    An empty set is the same as None: both say that nothing is there.
    """
    if isinstance(value, str):
        key = _KEYS.get(type)
        return value if key is None else key(value)
    if isinstance(value, dict):
        return (value["amount"], value["currency"])
    if not isinstance(value, list | tuple):
        return value  # type: ignore[no-any-return]
    return tuple(sorted(set(map(element_key(type), value)))) or None


def same(type: Type, a: Value, b: Value) -> bool:
    """Whether two canonical values of a type are the same."""
    return a == b or comparable(type, a) == comparable(type, b)


def element_key(type: Type) -> Callable[[str], str]:
    """What makes two elements of a set one: e-mail addresses are equal whatever their case, postal ones
    whatever their signs and blanks."""
    return _KEYS.get(type.element, str) if type.is_set else str


_KEYS: Mapping[Type, Callable[[str], str]] = {Type.EMAIL: str.lower, Type.ADDRESS: address_key}
