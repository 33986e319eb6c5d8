"""What a connection's file and a connector's default mapping say about objects, before they are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.config.settings import Auth, BudgetSettings, Owners, Schedule
from trueup.config.vocabulary import FirstLoad, Role
from trueup.mapping.schema import Clearing, Direction, ItemRule, Publish, Refusal, Shape, TooLong, Unmapped
from trueup.model.fields import Kind
from trueup.model.record import Json

Words = Mapping[str, tuple[Json, ...]]


@dataclass(frozen=True, slots=True)
class SaidField:
    """One line of `fields`; None: not said, so the object's word or the default holds."""

    field: str
    direction: Direction | None = None
    transform: str | None = None
    values: Words | None = None
    unmapped: Unmapped | None = None
    default: Json = None
    clear: Clearing | None = None
    refused: Refusal | None = None
    too_long: TooLong | None = None
    max_length: int | None = None
    shape: Shape | None = None
    publish: Publish | None = None
    to: str | None = None
    currency: str | None = None
    create_only: bool = False
    item: ItemRule | None = None
    kinds: Words | None = None
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class SaidStage:
    """The `stage` block. `unlisted` leave: stages without a word neither write nor read the field."""

    field: str
    values: Words | None = None
    unlisted: Unmapped | None = None
    direction: Direction | None = None
    reason: str | None = None
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class OptedInWhen:
    evidence: tuple[str, ...] = ()
    field: str | None = None


@dataclass(frozen=True, slots=True)
class SaidConsent:
    """One line of `consent`: where a channel and purpose is kept, and what means an opt-out."""

    field: str | None = None
    tag: str | None = None
    subscription: str | None = None
    list: str | None = None
    opted_out: Json = None
    opted_in_when: OptedInWhen = OptedInWhen()
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class SaidObject:
    """One object's block. None: not said. `no_consent`: nothing is sent from there, so there is none to map.
    `consent_example`: lines of a default mapping that show what such an account could map."""

    entity: Kind | None = None
    case: str | None = None
    direction: Direction | None = None
    take: str | None = None
    create: str | None = None
    leaves: str | None = None
    secondary: str | None = None
    deactivate: Mapping[str, Json] | None = None
    reactivate: Mapping[str, Json] | None = None
    deleted_elsewhere: str | None = None
    merge: str | None = None
    company: str | None = None
    clear: Clearing | None = None
    unmapped: Unmapped | None = None
    refused: Refusal | None = None
    stage: SaidStage | None = None
    consent: Mapping[str, SaidConsent] = field(default_factory=dict)
    no_consent: bool = False
    consent_example: tuple[str, ...] = ()
    fields: Mapping[str, SaidField] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    handoff: Mapping[str, Json] | None = None
    segments: Mapping[str, Json] | None = None
    contact: str | None = None
    options: Mapping[str, Json] = field(default_factory=dict)
    renamed_from: str | None = None
    off: bool = False
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class SaidConnection:
    """One connection's file, before the connector's default mapping is laid under it."""

    connector: str
    role: Role
    auth: Auth
    schedule: Schedule
    budget: BudgetSettings
    owners: Owners
    guard_age: float
    time_zone: str | None
    phone_region: str | None
    first_load: FirstLoad | None
    objects: Mapping[str, SaidObject]
    activities: tuple[str, ...]
    options: Mapping[str, Json]
    renamed_from: str | None
