"""Each connection as a whole: its connector, its way to sign in, its objects."""

from __future__ import annotations

from trueup.config.checks.abilities import check_company, check_leaves
from trueup.config.checks.options import check_options
from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.nodes import Table
from trueup.config.settings import Connection
from trueup.config.suggest import hint_for, listed
from trueup.config.systems import System, where_issued
from trueup.config.vocabulary import CASES, EVENTS
from trueup.connectors.base import Capability
from trueup.mapping.schema import ObjectRules


def check_connections(report: Report) -> None:
    for connection in report.config.connections.values():
        file = f"connections/{connection.name}"
        system = report.system(connection)
        if system is None:
            report.at_value(
                file,
                ("connector",),
                Code.NAME,
                f"there is no connector `{connection.connector}`",
                hint=hint_for(connection.connector, report.systems),
                allowed=listed(report.systems, 40),
            )
            continue
        report.problems.extend(problem for problem in system.problems if problem not in report.problems)
        _auth(report, file, connection, system)
        _objects(report, file, connection, system)
        check_options(report, file, connection, system)
        _activities(report, file, connection, system)


def _auth(report: Report, file: str, connection: Connection, system: System) -> None:
    if connection.auth.kind and system.auth and connection.auth.kind not in system.auth:
        report.at_value(
            file,
            ("auth", "kind"),
            Code.WORD,
            f"`{connection.auth.kind}` is no way to sign in to {system.title}",
            hint=hint_for(connection.auth.kind, system.auth),
            allowed=listed(system.auth),
        )
    said = report.node(file, "auth")
    names = [entry.key.text for entry in said.entries] if isinstance(said, Table) else []
    known = [*(["kind"] if system.auth else []), *system.settings]
    for name in names:
        if name not in known:
            report.at_key(
                file,
                ("auth", name),
                Code.KEY,
                f"auth: {system.title} has no setting `{name}`",
                hint=hint_for(name, known),
                allowed=listed(known, 30) or f"nothing: nobody signs in to {system.title}",
            )
    for name, setting in system.settings.items():
        if (
            setting.required
            and name in _needed(system)
            and name not in names
            and name not in connection.options
        ):
            where = where_issued(system, name)
            report.at_key(
                file,
                ("auth",),
                Code.MISSING,
                f"auth: `{name}` is missing",
                remedy=f"add it{f' ({where})' if where else ''}",
            )


def _needed(system: System) -> frozenset[str]:
    """Settings that every way to sign in needs; those of one way only are asked for by the connector."""
    return frozenset(name for name in system.settings) if len(system.auth) == 1 else frozenset()


def _objects(report: Report, file: str, connection: Connection, system: System) -> None:
    own = report.said[connection.name].objects
    for name, said in own.items():
        if not system.open and name not in system.objects:
            report.at_key(
                file,
                ("objects", name),
                Code.MAPPING,
                f"{system.title} has no object `{name}`",
                hint=hint_for(name, system.objects),
                allowed=listed(system.objects, 30),
            )
        if said.off and name not in system.mapping:
            report.at_key(
                file,
                ("objects", name),
                Code.MAPPING,
                f"`{name}` is off anyway: the default mapping has no such object",
                hint=hint_for(name, system.mapping),
                allowed=listed(system.mapping),
            )
        if said.off:
            continue
        if said.entity and said.case:
            report.at_key(
                file,
                ("objects", name, "case"),
                Code.TWICE,
                f"`{name}` is said to be both an entity and a case",
                remedy="keep `entity` (a person, company or deal) or `case` (an order, a ticket, …)",
            )
        elif not said.entity and not said.case and name not in system.mapping:
            report.at_key(
                file,
                ("objects", name),
                Code.MISSING,
                f"`{name}`: what are its records?",
                remedy="add `entity: contact` (or company, deal), or `case: order` (or ticket, …)",
            )
        _whose(report, file, name, connection.objects.get(name))
        _without(report, file, name, system)
    for name, rules in connection.objects.items():
        _capabilities(report, file, name, rules, system)
        check_leaves(report, file, name, rules, system)
        check_company(report, file, name, connection)


def _whose(report: Report, file: str, name: str, rules: ObjectRules | None) -> None:
    if rules is not None and rules.case and not rules.contact and report.has(file, "objects", name):
        report.at_key(
            file,
            ("objects", name),
            Code.MISSING,
            f"`{name}`: whose {rules.case} is it?",
            remedy="add `contact:` with the remote field that names the person's record",
        )


def _without(report: Report, file: str, name: str, system: System) -> None:
    default = system.mapping.get(name)
    known = [*default.fields, *default.consent] if default else []
    theirs = [one.field for one in default.fields.values()] if default else []
    theirs += [one.field for one in default.consent.values() if one.field] if default else []
    for position, field in enumerate(report.said_without(name, file)):
        if field in report.said_fields(name, file):
            report.at_value(
                file,
                ("objects", name, "without", position),
                Code.TWICE,
                f"`{field}` is mapped above and kept away here",
                remedy="keep one of the two lines",
            )
        elif system.mapping and field not in known and field not in theirs:
            report.at_value(
                file,
                ("objects", name, "without", position),
                Code.FIELD,
                f"the default mapping of `{name}` has no `{field}`",
                hint=hint_for(field, known),
                allowed=listed(known, 40),
            )


def _capabilities(report: Report, file: str, name: str, rules: ObjectRules, system: System) -> None:
    known = system.objects.get(name)
    if known is None or not report.has(file, "objects", name):
        return
    if (
        report.has(file, "objects", name, "merge")
        and rules.merge != "never"
        and Capability.MERGE not in known.capabilities
    ):
        report.at_key(
            file,
            ("objects", name, "merge"),
            Code.MAPPING,
            f"{system.title} cannot merge two records of `{name}`",
            remedy="remove the line: a merge is made by re-linking and switching one record off",
        )


def _activities(report: Report, file: str, connection: Connection, system: System) -> None:
    if system.open:
        return
    known = (*EVENTS, *CASES)
    for position, name in enumerate(connection.activities):
        if name not in known:
            report.at_value(
                file,
                ("activities", position),
                Code.WORD,
                f"`{name}` is not a kind of activity",
                hint=hint_for(name, known),
                allowed=listed(known),
            )
