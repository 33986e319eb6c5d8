"""Every condition: each name and function is resolved and typed, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trueup.config.checks.lifecycle import known_facts
from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.condition_names import entity_names, fact_names
from trueup.config.nodes import Mark, Scalar, Step
from trueup.config.suggest import listed
from trueup.lifecycle.conditions import FUNCTION_NAMES, ConditionProblem, Named, compile_condition
from trueup.model.fields import Kind


@dataclass(frozen=True, slots=True)
class Said:
    """One condition: where it stands, and what it may speak of."""

    file: str
    path: tuple[Step, ...]
    names: Mapping[str, Named]


def check_conditions(report: Report) -> None:
    for said in _all(report):
        node = report.node(said.file, *said.path)
        if not isinstance(node, Scalar) or not node.text:
            continue
        compiled = compile_condition(node.text, said.names, "", report.config.hub.time_zone)
        if isinstance(compiled, list):
            for wrong in compiled:
                _say(report, said, node, wrong)


def _say(report: Report, said: Said, node: Scalar, wrong: ConditionProblem) -> None:
    mark = _mark(report, said.file, node, wrong)
    functions = listed(sorted(FUNCTION_NAMES), 30) if wrong.message.startswith("there is no function") else ""
    message = f"condition: {wrong.message}"
    truth = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(node.text.strip().lower())
    if truth is not None:
        remedy = f"write '{truth}' for a condition that {'always' if truth == 'true' else 'never'} holds"
        report.at(said.file, mark, Code.CONDITION, message, remedy=remedy)
        return
    report.at(said.file, mark, Code.CONDITION, message, hint=wrong.hint, allowed=functions)


def _mark(report: Report, file: str, node: Scalar, wrong: ConditionProblem) -> Mark:
    """The place inside the condition, where the text in the file is the text that was read."""
    line = report.config.documents[file].lines[node.mark.line - 1]
    start = node.mark.column - 1 + (0 if node.plain else 1)
    if line[start : start + len(node.text)] != node.text:
        return node.mark
    return Mark(node.mark.line, start + wrong.offset + 1, max(1, wrong.length))


def _all(report: Report) -> Iterator[Said]:
    yield from _in_connections(report)
    contact = entity_names(report.config, Kind.CONTACT)
    life = report.config.lifecycle
    for position in range(len(life.transitions)):
        yield Said("lifecycle", ("transitions", position, "when"), contact)
    for name, choices in life.fields.items():
        for word in choices:
            yield Said("lifecycle", ("fields", name, word), contact)
    for name in life.segments:
        yield Said("lifecycle", ("segments", name), contact)
    known = known_facts(report)
    for name, summary in life.summaries.items():
        if summary.of in known:
            yield Said("lifecycle", ("summaries", name, "where"), fact_names(summary.of))
    for name in life.scoring.points:
        if name in known:
            yield Said("lifecycle", ("scoring", "points", name, "where"), fact_names(name))


def _in_connections(report: Report) -> Iterator[Said]:
    for connection in report.config.connections.values():
        for name, rules in connection.objects.items():
            names = entity_names(report.config, rules.kind) if rules.kind else fact_names(rules.case or "")
            for key in ("create", "take"):
                yield Said(f"connections/{connection.name}", ("objects", name, key), names)
