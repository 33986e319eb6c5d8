"""What an object says it will do must be something that the connection can do: companies, switching off."""

from __future__ import annotations

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.settings import Connection
from trueup.config.systems import System
from trueup.connectors.base import Capability
from trueup.mapping.schema import ObjectRules
from trueup.model.fields import Kind


def check_company(report: Report, file: str, name: str, connection: Connection) -> None:
    """`company: create` needs an object of companies in the same connection that lets them be created."""
    rules = connection.objects[name]
    if rules.company != "create" or not report.has(file, "objects", name, "company"):
        return
    firms = [one for one in connection.objects.values() if one.kind is Kind.COMPANY]
    if any(one.create is not None for one in firms):
        return
    report.at_key(
        file,
        ("objects", name, "company"),
        Code.ACTION,
        f"no company can be made in `{connection.name}`: no object of companies there says `create:`",
        remedy=f"add `create: 'true'` to `{firms[0].name}`"
        if firms
        else "map an object with `entity: company`",
    )


def check_leaves(report: Report, file: str, name: str, rules: ObjectRules, system: System) -> None:
    """`leaves: deactivate` needs words for switching off, and for the way back."""
    if rules.leaves != "deactivate":
        return
    known = system.objects.get(name)
    switches = known is not None and Capability.DEACTIVATE in known.capabilities
    if not rules.deactivate and not switches:
        _missing(report, file, name, "deactivate", "off")
    elif rules.deactivate and not rules.reactivate and not switches:
        _missing(report, file, name, "reactivate", "on again")


def _missing(report: Report, file: str, name: str, key: str, word: str) -> None:
    report.at_key(
        file,
        ("objects", name, "leaves"),
        Code.ACTION,
        f"nothing says how a record of `{name}` is switched {word}",
        remedy=f"add `{key}: {{FIELD: value}}`",
    )
