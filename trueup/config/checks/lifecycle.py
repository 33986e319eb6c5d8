"""lifecycle.yaml against itself and against the connections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trueup.config.checks.names import named
from trueup.config.checks.report import Report
from trueup.config.codes import Code
from trueup.config.lifecycle_settings import Action, Lifecycle, Stage
from trueup.config.nodes import Step
from trueup.config.suggest import hint_for, listed
from trueup.config.vocabulary import CASE_FIELDS, CASES, EVENT_FIELDS, EVENTS, PURPOSES, Role, Take
from trueup.model.fields import Kind
from trueup.model.values import Type

_FILE = "lifecycle"


def check_lifecycle(report: Report) -> None:
    life = report.config.lifecycle
    if _FILE not in report.config.documents:
        return
    for stage in life.stages.values():
        _control(report, stage)
        _actions(report, (_block(stage), stage.name, "enter"), stage.enter)
        _accept(report, stage)
    for name, band in life.scoring.bands.items():
        _actions(report, ("scoring", "bands", name, "enter"), band.enter)
    _both_blocks(report)
    _transitions(report)
    _graph(report)
    _facts(report)
    _computed(report)
    _priority(report)


def _block(stage: Stage) -> str:
    return "off_ramps" if stage.off_ramp else "stages"


def _control(report: Report, stage: Stage) -> None:
    path = (_block(stage), stage.name)
    if not stage.control:
        if not report.has(_FILE, *path, "control"):
            report.at_key(
                _FILE,
                path,
                Code.STAGE,
                f"nobody leads in `{stage.name}`",
                remedy=f"add `control:` with a role ({listed(map(str, Role))}) or a connection",
            )
        return
    node = report.node(_FILE, *path, "control")
    unknown = named(report, _FILE, (*path, "control"), node, control=False)
    if not unknown and not report.config.names(stage.control):
        report.at_value(
            _FILE,
            (*path, "control"),
            Code.NAME,
            f"nobody leads in `{stage.name}`: no connection has the role `{stage.control}`",
            allowed=listed(dict.fromkeys(c.role for c in report.config.connections.values())),
            remedy="name a role that a connection has, or add the connection",
        )


def _both_blocks(report: Report) -> None:
    forward, back = report.node(_FILE, "stages"), report.node(_FILE, "off_ramps")
    names = {entry.key.text for entry in getattr(forward, "entries", ())}
    for entry in getattr(back, "entries", ()):
        if entry.key.text in names:
            report.at_key(
                _FILE,
                ("off_ramps", entry.key.text),
                Code.TWICE,
                f"`{entry.key.text}` is also one of `stages`",
                remedy="keep it in one of the two",
            )


def _stage_name(report: Report, path: tuple[Step, ...], name: str) -> bool:
    """Whether it is a stage; a problem at `path` if not."""
    stages = report.config.lifecycle.stages
    if name in stages:
        return True
    report.at_value(
        _FILE,
        path,
        Code.STAGE,
        f"there is no stage `{name}`",
        hint=hint_for(name, stages),
        allowed=listed(stages, 30),
    )
    return False


def _accept(report: Report, stage: Stage) -> None:
    if stage.accept is None:
        return
    path = (_block(stage), stage.name, "accept")
    _stage_name(report, (*path, "as"), stage.accept.as_)
    _stage_name(report, (*path, "otherwise"), stage.accept.otherwise)
    if not any(action.kind == "handoff" for action in stage.enter):
        report.at_key(
            _FILE,
            path,
            Code.ACTION,
            f"nothing is handed over in `{stage.name}`, so nobody can accept it",
            remedy="add `enter: [{handoff: ROLE}]`, or remove `accept`",
        )


# -- actions ------------------------------------------------------------------------------------------


def _actions(report: Report, path: tuple[Step, ...], actions: Iterable[Action]) -> None:
    for position, action in enumerate(actions):
        where = (*path, position, action.kind)
        if action.kind in ("deactivate_in", "reactivate_in", "handoff"):
            node = report.node(_FILE, *where)
            if not named(report, _FILE, where, node, control=False):
                _can_do(report, where, action)


def _can_do(report: Report, where: tuple[Step, ...], action: Action) -> None:
    names = report.config.names(action.target)
    if not names:
        report.at_value(
            _FILE,
            where,
            Code.ACTION,
            f"no connection has the role `{action.target}`",
            remedy="remove the action",
        )
        return
    for name in names:
        if action.kind == "handoff":
            if not any(
                rules.create or rules.handoff for rules in report.config.connections[name].objects.values()
            ):
                report.at_value(
                    _FILE,
                    where,
                    Code.ACTION,
                    f"`{name}` has no object that takes a handoff",
                    remedy=f"add `create:` (and `handoff:`) to an object in connections/{name}.yaml",
                )
        elif not _switches(report, name, action.kind):
            word = "off" if action.kind == "deactivate_in" else "on"
            key = action.kind.removesuffix("_in")
            report.at_value(
                _FILE,
                where,
                Code.ACTION,
                f"nothing says how a record is switched {word} in `{name}`",
                remedy=f"add `{key}: {{FIELD: value}}` to its contacts in connections/{name}.yaml",
            )


def _switches(report: Report, name: str, kind: str) -> bool:
    """Whether at least one object with contacts says what the action means there."""
    contacts = [
        rules for rules in report.config.connections[name].objects.values() if rules.kind is Kind.CONTACT
    ]
    return any(rules.deactivate if kind == "deactivate_in" else rules.reactivate for rules in contacts)


# -- the graph ----------------------------------------------------------------------------------------


def _transitions(report: Report) -> None:
    for position, way in enumerate(report.config.lifecycle.transitions):
        path: tuple[Step, ...] = ("transitions", position)
        for key, names in (("to", way.to), ("from", way.from_)):
            for index, name in enumerate(names):
                single = len(names) == 1 and report.node(_FILE, *path, key, 0) is None
                _stage_name(report, (*path, key) if single else (*path, key, index), name)
        if way.by is not None:
            named(report, _FILE, (*path, "by"), report.node(_FILE, *path, "by"), control=False)
        if way.when is None and way.by is None:
            report.at_key(
                _FILE,
                (*path, "to"),
                Code.STAGE,
                "this transition has neither a condition nor somebody who asks for it",
                hint="it would happen to every contact at once",
                remedy="add `when:` or `by:`",
            )
        if way.reason_required and way.by is None:
            report.at_value(
                _FILE,
                (*path, "reason"),
                Code.STAGE,
                "a reason can be required only of somebody who asks (`by:`)",
                remedy="write the reason itself, or add `by:`",
            )


def _graph(report: Report) -> None:
    life = report.config.lifecycle
    if not life.transitions:
        return
    first = next(iter(life.stages), None)
    ways = list(_ways(life))
    for stage in life.stages.values():
        if stage.name != first and not any(to == stage.name and start != stage.name for start, to in ways):
            report.at_key(
                _FILE,
                (_block(stage), stage.name),
                Code.STAGE,
                f"no transition leads to `{stage.name}`",
                remedy="add a transition `to` it, or remove the stage",
            )
        if not any(start == stage.name and to != stage.name for start, to in ways):
            report.at_key(
                _FILE,
                (_block(stage), stage.name),
                Code.STAGE,
                f"no transition leads out of `{stage.name}`",
                hint="a contact would stay there for ever",
                remedy="add a transition `from` it, or `from: any`",
            )


def _ways(life: Lifecycle) -> Iterator[tuple[str, str]]:
    """Every (from, to) that is possible."""
    for way in life.transitions:
        for start in way.from_ or life.stages:
            for to in way.to:
                yield start, to
    for stage in life.stages.values():
        if stage.accept is not None:
            yield stage.name, stage.accept.as_
            yield stage.name, stage.accept.otherwise


# -- facts, computed fields, pressure -----------------------------------------------------------------


def known_facts(report: Report) -> tuple[str, ...]:
    """Every kind of fact: the vocabulary's, and what connections bring."""
    brought = [name for connection in report.config.connections.values() for name in connection.activities]
    return tuple(dict.fromkeys((*CASES, *EVENTS, *brought)))


def _facts(report: Report) -> None:
    known = known_facts(report)
    life = report.config.lifecycle
    for name, summary in life.summaries.items():
        path = ("summaries", name)
        if summary.of not in known:
            report.at_value(
                _FILE,
                (*path, "of"),
                Code.WORD,
                f"`{summary.of}` is not a kind of fact",
                hint=hint_for(summary.of, known),
                allowed=listed(known),
            )
        fields = CASE_FIELDS if summary.of in CASES else EVENT_FIELDS
        if summary.field is not None and summary.of in known and summary.field not in fields:
            report.at_value(
                _FILE,
                (*path, "field"),
                Code.FIELD,
                f"no {summary.of} has a field `{summary.field}`",
                hint=hint_for(summary.field, fields),
                allowed=listed(fields, 40),
            )
        if summary.field is None and summary.take in (Take.SUM, Take.MIN, Take.MAX):
            report.at_key(
                _FILE,
                (*path, "take"),
                Code.MISSING,
                f"`{summary.take}` of which field?",
                remedy="add `field: amount`",
            )
        if (
            name in report.config.fields[Kind.CONTACT]
            and not report.config.fields[Kind.CONTACT][name].derived
        ):
            report.at_key(
                _FILE,
                path,
                Code.TWICE,
                f"every contact has a field `{name}` already",
                remedy="choose another name",
            )
    for name in life.scoring.points:
        if name not in known:
            report.at_key(
                _FILE,
                ("scoring", "points", name),
                Code.WORD,
                f"`{name}` is not a kind of activity",
                hint=hint_for(name, known),
            )


def _computed(report: Report) -> None:
    table = report.config.fields[Kind.CONTACT]
    for name, choices in report.config.lifecycle.fields.items():
        field = table.get(name)
        if field is None:
            report.at_key(
                _FILE,
                ("fields", name),
                Code.FIELD,
                f"no contact has a field `{name}`",
                hint=hint_for(name, table),
                remedy="add it to hub.yaml: contact.custom_fields",
            )
        elif field.type is Type.CHOICE:
            for word in choices:
                if word not in field.options:
                    report.at_key(
                        _FILE,
                        ("fields", name, word),
                        Code.VALUES,
                        f"`{word}` is not an option of `{name}`",
                        hint=hint_for(word, field.options),
                        allowed=listed(field.options),
                    )


def _priority(report: Report) -> None:
    known = (*PURPOSES, "handoff")
    for position, name in enumerate(report.config.lifecycle.contact_pressure.priority):
        if name not in known:
            report.at_value(
                _FILE,
                ("contact_pressure", "priority", position),
                Code.WORD,
                f"`{name}` is not a purpose",
                hint=hint_for(name, known),
                allowed=listed(known),
            )
