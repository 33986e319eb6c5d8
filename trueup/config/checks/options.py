"""What only the connector understands: every option is one that it declares, in the form that it takes."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.files.objects import TABLE_KEYS
from trueup.config.nodes import Step
from trueup.config.notes import quoted
from trueup.config.settings import Connection
from trueup.config.suggest import hint_for, listed
from trueup.config.systems import System
from trueup.connectors.options import Option, Options
from trueup.model.record import Json

Path = tuple[Step, ...]


def check_options(report: Report, file: str, connection: Connection, system: System) -> None:
    """Options of the connection and of each object that its own file names."""
    for name, value in connection.options.items():
        path: Path = ("options", name)
        option = system.options.get(name)
        if option is None:
            _unknown(report, file, path, system, system.options)
        else:
            _form(report, file, path, option, value)
    for name, said in report.said[connection.name].objects.items():
        if not said.off:
            _object(report, file, name, said.options, system)
    _required(report, file, connection, system)


def _object(report: Report, file: str, name: str, said: Mapping[str, Json], system: System) -> None:
    for key, value in said.items():
        inner: Path = ("objects", name, "options", key)
        path = inner if report.has(file, *inner) else ("objects", name, key)
        option = system.object_options.get(key)
        if option is not None:
            _form(report, file, path, option, value)
        elif key in TABLE_KEYS and path != inner:
            _means_nothing(report, file, path, system)
        else:
            _unknown(report, file, path, system, system.object_options)


def _means_nothing(report: Report, file: str, path: Path, system: System) -> None:
    report.at_key(
        file,
        path,
        Code.KEY,
        f"object: `{path[-1]}` means nothing to {system.title}",
        hint="" if system.open else "it is for tables and files",
        allowed=listed(system.object_options, 30) if system.open else "",
        remedy="remove the line",
    )


def _unknown(report: Report, file: str, path: Path, system: System, known: Options) -> None:
    name = str(path[-1])
    setting = system.settings.get(name)
    if path[0] == "options" and setting is not None and setting.secret:
        hint = "it is secret, and its home is `auth`"
    else:
        hint = hint_for(name, known)
    report.at_key(
        file,
        path,
        Code.KEY,
        f"options: {system.title} has no option `{name}`{'' if path[0] == 'options' else ' of objects'}",
        hint=hint,
        allowed=listed(known, 30) or "none",
    )


def _form(report: Report, file: str, path: Path, option: Option, value: Json) -> None:
    """The value is quoted as the file has it: what a `${…}` stands for may be secret."""
    node = report.node(file, *path)
    if node is None or option.fits(value):
        return
    report.at_value(
        file,
        path,
        Code.TYPE,
        f"`{path[-1]}`: {quoted(node)} is not of the form that it takes",
        allowed=option.form,
    )


def _required(report: Report, file: str, connection: Connection, system: System) -> None:
    """What every object needs, said by itself or by the connection for all of them."""
    for object in connection.objects:
        for name, option in system.object_options.items():
            if option.required and not _is_said(report, file, object, name, system):
                report.at_key(
                    file,
                    ("objects", object),
                    Code.MISSING,
                    f"object: `{name}` is missing",
                    remedy=f"add `{name}:` ({option.about}){_for_all(name, system)}",
                )


def _for_all(name: str, system: System) -> str:
    return f"; for all objects: `options: {{{name}: …}}`" if name in system.options else ""


def _is_said(report: Report, file: str, object: str, name: str, system: System) -> bool:
    """Whether the file has it, even with a value that could not be read: that has its own problem."""
    places: list[Path] = [("objects", object, name), ("objects", object, "options", name)]
    places += [("options", name)] if name in system.options else []
    return any(report.has(file, *place) for place in places)
