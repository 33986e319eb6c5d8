"""What lifecycle.yaml says, typed. Lengths of time are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.config.vocabulary import ScorePolicy, Since, Take
from trueup.model.record import Json


@dataclass(frozen=True, slots=True)
class Action:
    """Something done on entry: `handoff`, `deactivate_in`, `reactivate_in` (target: role or connection),
    `segment` (target: its name), `task` (details: subject, due in seconds)."""

    kind: str
    target: str = ""
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A handed-over contact becomes `as_` when accepted, `otherwise` after `within` without an answer."""

    as_: str
    within: float
    otherwise: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `control`: role or connection that leads. `off_ramp`: not in the forward order."""

    name: str
    control: str
    off_ramp: bool = False
    enter: tuple[Action, ...] = ()
    accept: Acceptance | None = None
    score: ScorePolicy = ScorePolicy.KEEP
    may_return_after: float | None = None
    renamed_from: str | None = None
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from stages to stages. `from_` empty: from any. `by`: the role or connection that asks for it;
    `reason`: the words stored with it; `reason_required`: who asks must give one."""

    to: tuple[str, ...]
    from_: tuple[str, ...]
    when: str | None = None
    by: str | None = None
    reason: str = ""
    reason_required: bool = False
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class Summary:
    """Facts counted onto the contact. `of`: kind of case or event; `field`: what is summed or taken."""

    of: str
    take: Take
    where: str | None = None
    field: str | None = None
    within: float | None = None
    since: Since = Since.EVER
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many times within so many seconds."""

    times: int
    within: float


@dataclass(frozen=True, slots=True)
class Points:
    points: int
    where: str | None = None
    at_most: Limit | None = None
    since: Since = Since.STAGE


@dataclass(frozen=True, slots=True)
class Band:
    from_: int
    enter: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Scoring:
    """Points per kind of activity, halved every `half_life` seconds (None: never)."""

    points: Mapping[str, Points] = field(default_factory=dict)
    half_life: float | None = None
    bands: Mapping[str, Band] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pressure:
    """Contacts a person may get within a window, per channel (`total`: over all)."""

    limits: Mapping[str, int]
    within: float


@dataclass(frozen=True, slots=True)
class ContactPressure:
    at_most: Pressure | None = None
    after_complaint: Pressure | None = None
    priority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The whole of lifecycle.yaml. `stages` holds the forward ones in order, then the off-ramps.

    `fields`: per computed field, value to condition, first match wins. `segments`: name to condition.
    """

    stages: Mapping[str, Stage]
    transitions: tuple[Transition, ...] = ()
    summaries: Mapping[str, Summary] = field(default_factory=dict)
    scoring: Scoring = Scoring()
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    contact_pressure: ContactPressure = ContactPressure()
    max_cycles: Limit | None = None
