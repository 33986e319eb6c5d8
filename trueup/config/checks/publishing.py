"""`publish:` of a field: it is about writing, and about a change that can be measured."""

from __future__ import annotations

from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.nodes import Step
from trueup.mapping.schema import Direction, FieldRule
from trueup.mapping.thresholds import NUMBERS, TIMES, threshold
from trueup.model.fields import Field


def check_publish(report: Report, file: str, path: tuple[Step, ...], rule: FieldRule, field: Field) -> None:
    """Note what is wrong with the `publish` of the rule that stands at `path`."""
    if rule.publish is None:
        return
    if rule.direction is Direction.IN:
        report.at_key(
            file,
            (*path, "publish"),
            Code.DIRECTION,
            f"`publish` is about writing, and `{rule.field}` only comes in",
            remedy="remove `publish`, or change the direction",
        )
    least = rule.publish.when_changed_by
    if least is not None and threshold(least, field.type) is None:
        _no_threshold(report, file, (*path, "publish", "when_changed_by"), rule, field)


def _no_threshold(report: Report, file: str, path: tuple[Step, ...], rule: FieldRule, field: Field) -> None:
    if field.type not in (*NUMBERS, *TIMES):
        report.at_key(
            file,
            path,
            Code.TYPE,
            f"`{rule.field}` is of type {field.type}: nothing says by how much it has changed",
            remedy="remove `when_changed_by`; `at_most_every` works with every field",
        )
        return
    allowed = "3d, 12h  (a length of time)" if field.type in TIMES else "5, 0.5, 10%  (a number or a share)"
    said = rule.publish.when_changed_by if rule.publish is not None else ""
    report.at_value(file, path, Code.TYPE, f"`{said}` is no change of `{rule.field}`", allowed=allowed)
