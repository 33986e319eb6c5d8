"""A field that points at another entity which has no record in that system: what is true, and what helps."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.model.entity import LinkState
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.model.values import Value
from trueup.services.hub import Hub

WAITS = "waits for "


def told_reference(hub: Hub, case: Case, name: str, reason: str) -> tuple[str, str, str]:
    """(word, sentence, what to do) of a reason `waits for c-17` of the decision for connection `name`."""
    target = hub.parts.store.case(reason.removeprefix(WAITS))
    field = _pointing(hub, case, target.entity.public_id)
    what = f"{field} is {target.entity.public_id}"
    if any(link.connection == name and link.state is LinkState.LIVE for link in target.links):
        return "waits", f"{what}, of which there is a record there by now", "trueup sync"
    if _may_come(hub, target.entity.kind, name):
        then = f"trueup why {target.entity.public_id}"
        return "waits", f"{what}, {_who(target)} has no record in {name} yet", then
    file = hub.config.connections[name].file
    return (
        "left out",
        f"{what}, {_who(target)} has no record in {name}, and the hub makes none there (`create:`);"
        " the other fields are in step",
        f"make one there{_same(target.entity.kind)}, or take `{field}` out (`without:`) of {file}",
    )


def _who(target: Case) -> str:
    return "who" if target.entity.kind in (Kind.USER, Kind.CONTACT) else "which"


def _same(kind: Kind) -> str:
    """By what the hub would know it."""
    return " with the same e-mail address" if kind in (Kind.USER, Kind.CONTACT) else ""


def _may_come(hub: Hub, kind: Kind, name: str) -> bool:
    return any(stream[0] == name for stream in hub.parts.policy.create if stream in _streams(hub, kind))


def _streams(hub: Hub, kind: Kind) -> tuple[tuple[str, str], ...]:
    return tuple(hub.parts.policy.streams(kind))


def _pointing(hub: Hub, case: Case, target: str) -> str:
    """The field that holds this entity's id."""
    table = hub.parts.policy.tables[case.entity.kind]
    values: Mapping[str, Value] = case.entity.values
    found = [name for name, field in table.items() if field.refers and _holds(values.get(name), target)]
    return found[0] if found else "a field"


def _holds(value: Value, id: str) -> bool:
    return value == id or (isinstance(value, list) and id in value)
