"""What no single file can know: everything that one place says about another is checked here."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.config.checks.conditions import check_conditions
from trueup.config.checks.connections import check_connections
from trueup.config.checks.examples import check_examples
from trueup.config.checks.fields import check_fields
from trueup.config.checks.lifecycle import check_lifecycle
from trueup.config.checks.loops import check_loops
from trueup.config.checks.mappings import check_mappings
from trueup.config.checks.names import check_names
from trueup.config.checks.report import Report
from trueup.config.said import SaidConnection
from trueup.config.settings import HubConfig
from trueup.config.systems import Systems
from trueup.errors import Problem

__all__ = ["check_config"]


def check_config(
    config: HubConfig, systems: Systems, said: Mapping[str, SaidConnection]
) -> tuple[Problem, ...]:
    """Every problem between files. `said`: what each connection's own file says about its objects."""
    report = Report(config, systems, said)
    check_names(report)
    check_fields(report)
    check_connections(report)
    check_mappings(report)
    check_lifecycle(report)
    check_conditions(report)
    check_loops(report)
    check_examples(report)
    return tuple(report.problems)
