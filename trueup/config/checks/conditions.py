from __future__ import annotations

from trueup.config.checks.report import Report


def check_conditions(report: Report) -> None: ...
