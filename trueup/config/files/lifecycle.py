"""lifecycle.yaml: stages, who leads in them, and the ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trueup.config.codes import Code
from trueup.config.files.homes import homes
from trueup.config.lifecycle_settings import (
    Acceptance,
    Action,
    Band,
    ContactPressure,
    Lifecycle,
    Limit,
    Points,
    Pressure,
    Scoring,
    Stage,
    Summary,
    Transition,
)
from trueup.config.nodes import Node, Table
from trueup.config.notes import UNREAD, Failed, Notes
from trueup.config.scalars import Count, Duration, Text, Word
from trueup.config.shapes import Either, Key, ListOf, Made, MapOf, Struct, enum_words
from trueup.config.vocabulary import PRESSURE_CHANNELS, ScorePolicy, Since, Take
from trueup.model.record import Json

CONDITION = Text("a condition")
TASK = Struct(
    "task",
    lambda subject, due: {"subject": subject, "due": due},
    {
        "subject": Key(Text(), "what it is called; {full_name} and other fields are put in", required=True),
        "due": Key(Duration(), "how soon"),
    },
)
_STAGES = ListOf(Text("a stage"), "a list of stages", short=True)


class _ActionShape:
    """`{handoff: sales}`: one key, which says what is done."""

    shapes: Mapping[str, Any] = {
        "handoff": Text("a role or a connection"),
        "deactivate_in": Text("a role or a connection"),
        "reactivate_in": Text("a role or a connection"),
        "segment": Text("a segment"),
        "task": TASK,
    }

    def read(self, node: Node, notes: Notes) -> Action | Failed:
        """The action; UNREAD after a problem was noted."""
        if not isinstance(node, Table) or len(node.entries) != 1:
            return notes.say(
                node.mark,
                Code.TYPE,
                "an action is one key and its value",
                allowed=", ".join(f"{{{name}: …}}" for name in self.shapes),
            )
        said = MapOf(_Passing(), keys=tuple(self.shapes), called="an action").read(node, notes)
        if said is UNREAD or not said:
            return UNREAD
        kind, value = next(iter(said.items()))
        read: Json | Failed = self.shapes[kind].read(value, notes)
        if read is UNREAD:
            return UNREAD
        return Action(kind, details=read) if isinstance(read, dict) else Action(kind, str(read))

    def schema(self) -> Json:
        properties = {name: shape.schema() for name, shape in self.shapes.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False, "maxProperties": 1}


class _Passing:
    """A node as it is."""

    def read(self, node: Node, notes: Notes) -> Node | Failed:
        return node

    def schema(self) -> Json:
        return {}


_ACTIONS = ListOf(_ActionShape(), "a list of actions")
_ACCEPT = Struct(
    "accept",
    Acceptance,
    {
        "as": Key(Text("a stage"), "what an accepted contact becomes", required=True),
        "within": Key(Duration(), "how long the answer may take", required=True),
        "otherwise": Key(Text("a stage"), "where it goes without one", required=True),
    },
)


def _stage(**said: Any) -> Stage:
    return Stage("", **said)


_STAGE = Struct(
    "stage",
    _stage,
    {
        "control": Key(Text("a role or a connection"), "the role that leads", ""),
        "enter": Key(_ACTIONS, "what is done on entry", ()),
        "accept": Key(_ACCEPT, "the receiver's answer to a handoff"),
        "score": Key(
            Word(enum_words(ScorePolicy), "keep, halve or reset"), "the score on entry", ScorePolicy.KEEP
        ),
        "may_return_after": Key(Duration(), "how long until the way back is open"),
        "renamed_from": Key(Text("a stage"), "the name it had before"),
    },
    place=True,
)

_FROM = Made(_STAGES, lambda names: () if names == ("any",) else names)


def _transition(reason: str, from_: tuple[str, ...], **said: Any) -> Transition:
    required = reason == "required"
    return Transition(from_=from_, reason="" if required else reason, reason_required=required, **said)


_TRANSITION = Struct(
    "transition",
    _transition,
    {
        "to": Key(_STAGES, "the stage, or the stages that may be asked for", required=True),
        "from": Key(_FROM, "the stages it leads from, or `any`", required=True),
        "when": Key(CONDITION, "the condition"),
        "by": Key(Text("a role or a connection"), "who may ask for it"),
        "reason": Key(Text(), "stored with it; `required`: who asks must give one", ""),
    },
    place=True,
)
_SUMMARY = Struct(
    "summary",
    Summary,
    {
        "of": Key(Text("a kind of case or event"), "the kind of fact", required=True),
        "take": Key(
            Word(enum_words(Take), "count, sum, first, last, min or max"),
            "what is made of them",
            required=True,
        ),
        "where": Key(CONDITION, "only those that meet this"),
        "field": Key(Text("a field of the fact"), "what is summed or taken"),
        "within": Key(Duration(), "only the last …"),
        "since": Key(
            Word(enum_words(Since), "ever, stage or stage_cycle"), "from when on they count", Since.EVER
        ),
    },
    place=True,
)
_LIMIT = Struct(
    "limit",
    Limit,
    {
        "times": Key(Count(1), "how often", required=True),
        "within": Key(Duration(), "in how long", required=True),
    },
)
_POINTS = Either(
    Made(Count(least=None), Points),
    Struct(
        "points",
        Points,
        {
            "points": Key(Count(least=None), "how many", required=True),
            "where": Key(CONDITION, "only those that meet this"),
            "at_most": Key(_LIMIT, "more do not count"),
            "since": Key(Word(enum_words(Since), "ever, stage or stage_cycle"), "from when on", Since.STAGE),
        },
    ),
)
_BAND = Either(
    Made(Count(least=None), Band),
    Struct(
        "band",
        Band,
        {
            "from": Key(Count(least=None), "the lowest score", required=True),
            "enter": Key(_ACTIONS, "what is done on entry", ()),
        },
    ),
)
_SCORING = Struct(
    "scoring",
    Scoring,
    {
        "points": Key(MapOf(_POINTS), "points per kind of activity", {}),
        "half_life": Key(Duration(), "after which a point is worth half"),
        "bands": Key(MapOf(_BAND), "names for ranges of the score", {}),
    },
)


def _pressure(within: float, **limits: int | None) -> Pressure:
    return Pressure({name: limit for name, limit in limits.items() if limit is not None}, within)


_PRESSURE = Struct(
    "contact_pressure",
    _pressure,
    {
        **{name: Key(Count(), f"at most so many ({name})") for name in PRESSURE_CHANNELS},
        "within": Key(Duration(), "the window", required=True),
    },
)
_CONTACT_PRESSURE = Struct(
    "contact_pressure",
    ContactPressure,
    {
        "at_most": Key(_PRESSURE, "contacts per window, over all systems"),
        "after_complaint": Key(_PRESSURE, "the same after a complaint"),
        "priority": Key(ListOf(Text("a purpose")), "who gets the last place; `service` is never blocked", ()),
    },
)


def _lifecycle(stages: Mapping[str, Stage], off_ramps: Mapping[str, Stage], **said: Any) -> Lifecycle:
    forward = {name: replace(stage, name=name) for name, stage in stages.items()}
    back = {name: replace(stage, name=name, off_ramp=True) for name, stage in off_ramps.items()}
    return Lifecycle({**forward, **back}, **said)


LIFECYCLE = Struct(
    "lifecycle",
    _lifecycle,
    {
        "stages": Key(
            MapOf(_STAGE, "a block of stages"), "in order, each with the role that leads", required=True
        ),
        "off_ramps": Key(MapOf(_STAGE, "a block of stages"), "stages outside of the order", {}),
        "transitions": Key(
            ListOf(_TRANSITION, "a list of transitions"), "first match wins; the rest is refused", ()
        ),
        "summaries": Key(MapOf(_SUMMARY), "facts counted onto the contact", {}),
        "scoring": Key(_SCORING, "points for what people do", Scoring()),
        "fields": Key(MapOf(MapOf(CONDITION)), "computed fields: value and its condition", {}),
        "segments": Key(MapOf(CONDITION), "name and condition", {}),
        "contact_pressure": Key(_CONTACT_PRESSURE, "how often people are contacted", ContactPressure()),
        "max_cycles": Key(_LIMIT, "a contact that goes round more often waits for a person"),
    },
    homes=homes("lifecycle.yaml"),
)
