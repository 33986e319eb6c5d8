"""One object of one connection: what is checked there, and where its lines stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trueup.config.case_fields import CASE_TABLE
from trueup.config.checks.report import Report
from trueup.config.nodes import Step
from trueup.config.settings import Connection
from trueup.config.systems import System
from trueup.mapping.schema import FieldRule, ObjectRules
from trueup.model.fields import Field
from trueup.model.record import FieldSpec


@dataclass(frozen=True, slots=True)
class Place:
    """One object of one connection, and the table its fields come from."""

    report: Report
    connection: Connection
    rules: ObjectRules
    system: System | None

    @property
    def file(self) -> str:
        return f"connections/{self.connection.name}"

    @property
    def table(self) -> Mapping[str, Field]:
        return self.report.config.fields[self.rules.kind] if self.rules.kind else CASE_TABLE

    @property
    def what(self) -> str:
        return self.rules.kind.value if self.rules.kind else (self.rules.case or "case")

    def path(self, *steps: Step) -> tuple[Step, ...]:
        return ("objects", self.rules.name, *steps)

    def rule_path(self, rule: FieldRule) -> tuple[Step, ...]:
        """Where a rule stands in the connection's file: its own line, or the object for a default."""
        if rule.field == "stage" and self.report.has(self.file, *self.path("stage")):
            return self.path("stage")
        for name in (rule.field, f"{rule.field}[]"):
            if self.report.has(self.file, *self.path("fields", name)):
                return self.path("fields", name)
        return self.path() if self.report.has(self.file, *self.path()) else ("connector",)

    def spec(self, remote: str) -> FieldSpec | None:
        known = self.system.objects.get(self.rules.name) if self.system else None
        return known.fields.get(remote) if known else None
