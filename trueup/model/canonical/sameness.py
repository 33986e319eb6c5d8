"""When two canonical values are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from trueup.model.values import Type, Value


def comparable(type: Type, value: Value) -> Hashable:
    """The key under which equal values are equal: e-mails without case, sets as tuples, the rest as is.

    An empty set is the same as None: both say that nothing is there.
    """
    if isinstance(value, str):
        return value.lower() if type is Type.EMAIL else value
    if isinstance(value, dict):
        return (value["amount"], value["currency"])
    if not isinstance(value, list | tuple):
        return value  # type: ignore[no-any-return]
    keys = {element.lower() for element in value} if type is Type.EMAILS else set(value)
    return tuple(sorted(keys)) or None


def same(type: Type, a: Value, b: Value) -> bool:
    """Whether two canonical values of a type are the same."""
    return a == b or comparable(type, a) == comparable(type, b)


def element_key(type: Type) -> Callable[[str], str]:
    """What makes two elements of a set one: e-mail addresses are equal whatever their case."""
    return str.lower if type is Type.EMAILS else str
