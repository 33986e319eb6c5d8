"""examples.yaml against the configuration it is to test."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.config.checks.fields import field_hint
from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.join import address
from trueup.config.nodes import Step
from trueup.config.settings import ExampleRecord
from trueup.config.suggest import hint_for, listed
from trueup.model.fields import Kind

_FILE = "examples"


def check_examples(report: Report) -> None:
    document = report.config.documents.get(_FILE)
    if document is None:
        return
    for position, item in enumerate(getattr(document.root, "items", ())):
        example = next(
            (one for one in report.config.examples if one.origin == document.origin(item.mark)), None
        )
        if example is None:
            continue
        _records(report, (position, "given"), example.given)
        _records(report, (position, "expect", "written"), example.written)
        _fields(report, (position, "before"), example.before)
        _fields(report, (position, "expect", "contact"), example.contact)
        _stage(report, (position, "expect", "stage"), example.stage)
        _stage(report, (position, "before", "stage"), example.before.get("stage"))


def _records(report: Report, path: tuple[Step, ...], records: Iterable[ExampleRecord]) -> None:
    for record in dict.fromkeys((one.connection, one.object) for one in records):
        name, object = record
        connection = report.config.connections.get(name)
        if connection is None:
            known = list(report.config.connections)
            report.at_key(
                _FILE,
                (*path, name),
                Code.EXAMPLE,
                f"there is no connection `{name}`",
                hint=hint_for(name, known),
                allowed=listed(known),
            )
        elif object not in connection.objects:
            report.at_key(
                _FILE,
                (*path, name, object),
                Code.EXAMPLE,
                f"`{object}` is not an object of `{name}`",
                hint=hint_for(object, connection.objects),
                allowed=listed(connection.objects),
            )


def _fields(report: Report, path: tuple[Step, ...], names: Iterable[str]) -> None:
    table = report.config.fields[Kind.CONTACT]
    for name in names:
        if address(name) not in table and name not in report.config.lifecycle.summaries:
            report.at_key(
                _FILE,
                (*path, name),
                Code.EXAMPLE,
                f"no contact has a field `{name}`",
                hint=field_hint(name, table),
            )


def _stage(report: Report, path: tuple[Step, ...], stage: object) -> None:
    stages = report.config.lifecycle.stages
    if isinstance(stage, str) and stage not in stages:
        report.at_value(
            _FILE,
            path,
            Code.EXAMPLE,
            f"there is no stage `{stage}`",
            hint=hint_for(stage, stages),
            allowed=listed(stages, 30),
        )
