"""Names of roles and connections, wherever a list or a key uses one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.nodes import Listing, Node, Scalar, Step
from trueup.config.settings import Connection
from trueup.config.suggest import hint_for, listed
from trueup.config.vocabulary import CONTROL, HUB, Role

_RESERVED = (CONTROL, HUB, "default", "any", "rule")


def check_names(report: Report) -> None:
    for name, connection in report.config.connections.items():
        _connection_name(report, name)
        _role_name(report, connection)
    _order(report)
    for kind in report.config.entities:
        _authority_lists(report, kind.value)
        for name in report.config.entities[kind].custom_fields:
            path: tuple[Step, ...] = (kind.value, "custom_fields", name, "confined_to")
            named(report, "hub", path, report.node("hub", *path), control=False)
    for name in report.config.hub.alerts.freshness:
        _one(report, "hub", ("alerts", "freshness", name), name, control=False, key=True)


def unfit_name(name: str) -> tuple[str, str] | None:
    """Why a connection cannot have this name, and what helps; None if it can."""
    if name in _RESERVED:
        return f"a connection may not be called `{name}`: the word means something else", "rename the file"
    if not re.fullmatch(r"[A-Za-z][\w-]*", name):
        remedy = "name the file with letters, digits, - and _, beginning with a letter"
        return f"`{name}` is no name for a connection", remedy
    return None


def _connection_name(report: Report, name: str) -> None:
    unfit = unfit_name(name)
    if unfit is not None:
        report.at_value(f"connections/{name}", (), Code.NAME, unfit[0], remedy=unfit[1])


def _role_name(report: Report, connection: Connection) -> None:
    """A connection may bear a role's name only if it is the only one of that role."""
    if connection.name not in set(Role):
        return
    same = [one.name for one in report.config.connections.values() if one.role == connection.name]
    if same == [connection.name]:
        return
    others = listed(f"`{name}`" for name in same if name != connection.name)
    meant = f"a role that it shares with {others}" if others else "a role that it does not have"
    report.at_value(
        f"connections/{connection.name}",
        ("role",),
        Code.NAME,
        f"`{connection.name}` is the name of this connection, and of {meant}",
        hint="which is meant in `authority` and `control`?",
        remedy=f"rename this connection: trueup connections rename {connection.name} NEW-NAME",
    )


def _order(report: Report) -> None:
    for position, name in enumerate(report.config.hub.connections):
        if name not in report.config.connections and f"connections/{name}" not in report.config.documents:
            known = list(report.config.connections)
            report.at_value(
                "hub",
                ("connections", position),
                Code.NAME,
                f"there is no file connections/{name}.yaml",
                hint=hint_for(name, known),
                allowed=listed(known),
            )


def _authority_lists(report: Report, kind: str) -> None:
    survivorship = next(e.survivorship for k, e in report.config.entities.items() if k == kind)
    for field, rule in survivorship.items():
        path = (kind, "survivorship", field, "authority")
        node = report.node("hub", *path)
        unknown = named(report, "hub", path, node, control=True)
        if rule.authority is not None and not unknown and not _somebody(report, rule.authority):
            report.at_key(
                "hub",
                path,
                Code.NAME,
                f"`{field}`: nobody may decide this field",
                hint="no connection has these roles",
                allowed=_known(report),
                remedy="name a role that a connection has, or leave the line out",
            )


def _somebody(report: Report, names: Iterable[str]) -> bool:
    return any(name == CONTROL or report.config.names(name) for name in names)


def named(report: Report, file: str, path: tuple[Step, ...], node: Node | None, control: bool) -> bool:
    """Whether a list (or single name) holds one that is neither role nor connection; notes each."""
    if isinstance(node, Scalar):
        return _one(report, file, path, node.text, control)
    if not isinstance(node, Listing):
        return False
    found = [
        _one(report, file, (*path, position), item.text, control)
        for position, item in enumerate(node.items)
        if isinstance(item, Scalar)
    ]
    return any(found)


def _one(
    report: Report, file: str, path: tuple[Step, ...], name: str, control: bool, key: bool = False
) -> bool:
    known = [*map(str, Role), *report.config.connections, *((CONTROL,) if control else ())]
    if name in known or f"connections/{name}" in report.config.documents:
        return False
    tell = report.at_key if key else report.at_value
    tell(
        file,
        path,
        Code.NAME,
        f"`{name}` is neither a role nor a connection",
        hint=hint_for(name, known),
        allowed=_known(report) + (f"; {CONTROL}" if control else ""),
    )
    return True


def _known(report: Report) -> str:
    connections = [name for name in report.config.connections if name not in set(Role)]
    return f"roles {listed(map(str, Role))}" + (f"; connections {listed(connections)}" if connections else "")
