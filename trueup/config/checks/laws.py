"""What only the compiler sees: rules that make no mapping, and mappings that break a law."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.config.checks.place import Place
from trueup.config.codes import Code
from trueup.config.nodes import Document, Mark
from trueup.config.suggest import listed
from trueup.errors import ConfigError, Problem
from trueup.mapping.apply import compile_bindings
from trueup.mapping.check import Law, LawViolation, sample_records, violations
from trueup.model.canonical import Locale

_BROKEN = {
    Law.READABLE: "what the hub would write to `{remote}` cannot be read back",
    Law.STABLE: "what the hub would write to `{remote}` changes each time it is read back and written again",
    Law.FAITHFUL: "what is read from `{remote}` is another value once the hub has written it back",
    Law.TOTAL: "some values of `{remote}` cannot be worked with at all",
}
_SHAPING = ("transform", "values", "unmapped", "default", "too_long", "max_length", "shape")
"""Keys of a field's line that decide what is written and how it is read."""


def check_laws(place: Place) -> Iterator[Problem]:
    """The problems of compiling one object's rules; where they compile, the laws that samples break."""
    locale = Locale(place.connection.phone_region, place.connection.time_zone)
    known = place.system.objects.get(place.rules.name) if place.system else None
    document = place.report.config.documents.get(place.file)
    try:
        bindings = compile_bindings(place.rules, place.table, locale, known.fields if known else {})
    except ConfigError as error:
        for problem in error.problems:
            yield _placed(problem, document, place) if document else problem
        return
    if document is not None:
        for broken in violations(bindings, sample_records(place.table), types=place.table):
            yield _told(broken, document, place)


def _told(broken: LawViolation, document: Document, place: Place) -> Problem:
    said = _BROKEN[broken.law].format(remote=broken.remote)
    file, _, line = broken.origin.rpartition(":")
    mark, where = _mark(document, file, int(line) if line.isdigit() else 0, place)
    return document.problem(
        mark,
        Code.LAW,
        f"mapping: {where}{said}: {broken.reason}",
        hint="the hub would take its own write for an edit, again and again",
        remedy=_remedy(broken, place, where),
    )


def _remedy(broken: LawViolation, place: Place, where: str) -> str:
    """Names the keys of the line that can be at fault."""
    rule = next((one for one in place.rules.fields if one.field in broken.fields), None)
    if where or rule is None:
        return f"map the field in this file, or keep it away with `without: [{', '.join(broken.fields)}]`"
    path = place.rule_path(rule)
    keys = [f"`{key}`" for key in _SHAPING if place.report.has(place.file, *path, key)]
    change = f"change or remove {listed(keys)} of this line" if keys else "name a `transform` that fits"
    field = place.table.get(rule.field)
    only_read = "" if field is None or field.derived else "; with `direction: in` the field is only read"
    return change + only_read


def _placed(problem: Problem, document: Document, place: Place) -> Problem:
    mark, where = _mark(document, problem.file, problem.line, place)
    return document.problem(mark, Code(problem.code), f"mapping: {where}{problem.message}", hint=problem.hint)


def _mark(document: Document, file: str, number: int, place: Place) -> tuple[Mark, str]:
    """A rule's line; one of a default rule is shown at the connector's name, with words that say so."""
    if file == document.file and 0 < number <= len(document.lines):
        line = document.lines[number - 1]
        column = len(line) - len(line.lstrip(" -")) + 1
        return Mark(number, column, max(1, len(line.strip(" -")))), ""
    return document.mark("connector"), f"the default mapping of {place.rules.name}: "
