"""What the configuration files say, typed. Lengths of time are seconds, shares are 0 to 1.

`origin` is `file:line`. Nothing here is ever changed after loading; a run pins one HubConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from trueup.config.env import Secret
from trueup.config.lifecycle_settings import Lifecycle
from trueup.config.nodes import Document
from trueup.config.vocabulary import (
    CONTROL,
    Edits,
    FirstLoad,
    FuseKind,
    OnClash,
    Role,
)
from trueup.connectors.settings import ConnectionSettings
from trueup.mapping.schema import ObjectRules
from trueup.model.fields import Field, Kind, Strategy
from trueup.model.record import Json
from trueup.sync.rules.guard import DEFAULT_FUSES, Fuse

# -- hub.yaml -----------------------------------------------------------------------------------------


FUSES: Mapping[FuseKind, Fuse] = {FuseKind(kind): fuse for kind, fuse in DEFAULT_FUSES.items()}
"""What holds for a kind that hub.yaml does not name."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """Who is told, and after how long. `freshness`: per role or connection, how old data may become."""

    send_to: Secret | None = None
    opt_out_later_than: float | None = None
    no_change_for: float | None = None
    freshness: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SurvivorshipRule:
    """One line of `survivorship`; None: not said there."""

    authority: tuple[str, ...] | None = None
    strategy: Strategy | None = None
    group: str | None = None
    edits: Edits | None = None
    on_clash: OnClash | None = None
    pin: bool | None = None
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """How one field is judged. `authority` holds names as written: roles, connections, `control`."""

    authority: tuple[str, ...]
    strategy: Strategy
    group: str = ""
    edits: Edits = Edits.ACCEPTED
    on_clash: OnClash = OnClash.ADD
    pin: bool = False
    origin: str = "default"


DEFAULT_AUTHORITY = (CONTROL, Role.SALES.value, Role.OPERATIONS.value, Role.MARKETING.value)


@dataclass(frozen=True, slots=True)
class HubSettings:
    """hub.yaml without the entities. `connections`: their order, as far as it is said."""

    name: str
    time_zone: str = "UTC"
    phone_region: str = ""
    database: Secret | None = None
    broker: Secret | None = None
    connections: tuple[str, ...] = ()
    first_load: FirstLoad = FirstLoad.FILL
    fuses: Mapping[FuseKind, Fuse] = field(default_factory=lambda: FUSES)
    drift_limit: float = 0.05
    batch_from: int = 10_000
    retention: Mapping[str, float] = field(default_factory=dict)
    alerts: Alerts = Alerts()


@dataclass(frozen=True, slots=True)
class EntitySettings:
    """What hub.yaml says about one kind of entity."""

    custom_fields: Mapping[str, Field] = field(default_factory=dict)
    survivorship: Mapping[str, SurvivorshipRule] = field(default_factory=dict)


# -- dedupe.yaml --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AutoLink:
    precision: float = 0.995
    at_most_per_run: int | None = 500


@dataclass(frozen=True, slots=True)
class Review:
    """`from_`: probability that the pair is one person, from which on a steward is asked."""

    from_: float = 0.5
    remind_after: float | None = None


@dataclass(frozen=True, slots=True)
class UnsureAfter:
    """After `days` without an answer the pair resolves itself `as_` (only `separate`)."""

    days: int
    as_: str = "separate"


@dataclass(frozen=True, slots=True)
class NeverIdentifies:
    """Values that link nobody by themselves: patterns (`info@*`), numbers, values with many holders."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    held_by_more_than: int = 5


@dataclass(frozen=True, slots=True)
class Dedupe:
    auto_link: AutoLink = AutoLink()
    review: Review = Review()
    unsure_after: UnsureAfter | None = None
    never_identifies: NeverIdentifies = NeverIdentifies()
    vetoes: tuple[str, ...] = ()
    relationships: tuple[str, ...] = ()


# -- connections/NAME.yaml ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Auth:
    """How the connection signs in. Every value is text; those that came from a variable are Secrets."""

    kind: str = ""
    settings: Mapping[str, str | Secret] = field(default_factory=dict)

    def revealed(self) -> dict[str, str]:
        """For the connector only: all settings in the clear, `kind` among them."""
        clear = {name: v.reveal() if isinstance(v, Secret) else v for name, v in self.settings.items()}
        return {"kind": self.kind, **clear} if self.kind else clear


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the connection is polled: `every` so many seconds, or by `cron`. `full_listing`: how often
    everything is read again."""

    every: float | None = 300.0
    cron: str | None = None
    webhooks: bool = False
    full_listing: float | None = None


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """The account's allowance; `reserve` is the share kept for opt-outs and transitions."""

    calls_per_day: int | None = None
    calls_per_second: float | None = None
    parallel: int | None = None
    reserve: float = 0.10


@dataclass(frozen=True, slots=True)
class Owners:
    match_by: str = "email"
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured account, the connector's default mapping included.

    `objects`: the active ones. `stage_reason`: per object, the remote field that holds the reason of a
    stage edit. `raw`: per object, what its block says beyond the common keys.
    """

    name: str
    connector: str
    role: Role
    auth: Auth
    schedule: Schedule
    budget: BudgetSettings
    owners: Owners
    guard_age: float
    time_zone: str
    phone_region: str
    first_load: FirstLoad
    objects: Mapping[str, ObjectRules]
    activities: tuple[str, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict)
    stage_reason: Mapping[str, str] = field(default_factory=dict)
    renamed_from: str | None = None
    file: str = ""
    folder: Path = Path()

    def settings(self, lane: str = "normal") -> ConnectionSettings:
        """What the connector is set up with; holds secrets in the clear."""
        return ConnectionSettings(
            name=self.name,
            auth=self.auth.revealed(),
            options=self.options,
            time_zone=self.time_zone,
            phone_region=self.phone_region,
            objects={name: _said(rules) for name, rules in self.objects.items()},
            lane=lane,
            folder=self.folder,
        )


def _said(rules: ObjectRules) -> Mapping[str, Json]:
    """An object's own settings, in the words of the file."""
    said: dict[str, Json] = dict(rules.options)
    said.update({"entity": rules.kind.value} if rules.kind else {"case": rules.case})
    if rules.deactivate:
        said["deactivate"] = dict(rules.deactivate)
    if rules.contact:
        said["contact"] = rules.contact
    return said


# -- examples.yaml ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExampleRecord:
    """One remote record of an example, in the system's own form."""

    connection: str
    object: str
    values: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Example:
    """A golden record: given these records of one person, expect this. Nothing is expected of what is
    not named. `before` and `stage_before`: what the hub already holds."""

    name: str
    given: tuple[ExampleRecord, ...]
    before: Mapping[str, Json] = field(default_factory=dict)
    contact: Mapping[str, Json] = field(default_factory=dict)
    stage: str | None = None
    consent: Mapping[str, str] = field(default_factory=dict)
    written: tuple[ExampleRecord, ...] = ()
    origin: str = ""


# -- everything ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HubConfig:
    """A whole configuration, checked. `version` names its content; comments and secrets are not in it.

    `fields`: the canonical fields per kind, custom ones and stages included. `documents`: the files, for
    messages that point into them (keys: hub, lifecycle, dedupe, examples, connections/NAME).
    """

    hub: HubSettings
    fields: Mapping[Kind, Mapping[str, Field]]
    entities: Mapping[Kind, EntitySettings]
    lifecycle: Lifecycle
    dedupe: Dedupe
    connections: Mapping[str, Connection]
    examples: tuple[Example, ...]
    version: str
    documents: Mapping[str, Document] = field(default_factory=dict, repr=False, compare=False)

    def names(self, name: str, stage: str | None = None) -> tuple[str, ...]:
        """The connections that a name in a list stands for: a connection, a role (all of it, in order),
        or `control` in a stage."""
        if name == CONTROL:
            leads = self.lifecycle.stages.get(stage) if stage is not None else None
            return self.names(leads.control) if leads is not None else ()
        by_role = tuple(one.name for one in self.connections.values() if one.role.value == name)
        return by_role or ((name,) if name in self.connections else ())

    def policy(self, field: str, kind: Kind = Kind.CONTACT) -> FieldPolicy:
        """How a field is judged: its own rule, else its group's, over the default, over the table."""
        rules = self.entities[kind].survivorship if kind in self.entities else {}
        chain = [rules[name] for name in _addresses(field) if name in rules]
        table = self.fields[kind].get(field)
        policy = FieldPolicy(DEFAULT_AUTHORITY, table.strategy if table else Strategy.AUTHORITY)
        policy = replace(policy, group=table.group if table else "")
        if "default" in rules:
            policy = _over(policy, rules["default"], own=False)
        for rule in reversed(chain):
            policy = _over(policy, rule, own=True)
        return policy

    def authority(self, field: str, stage: str | None, kind: Kind = Kind.CONTACT) -> tuple[str, ...]:
        """The connections that may decide a field in a stage, highest rank first."""
        names = [one for name in self.policy(field, kind).authority for one in self.names(name, stage)]
        return tuple(dict.fromkeys(names))

    def confined(self, field: str, connection: str, kind: Kind = Kind.CONTACT) -> bool:
        """Whether a field may not be written to a connection."""
        table = self.fields[kind].get(field.removesuffix("[]"))
        if table is None or not table.confined_to:
            return False
        return connection not in {one for name in table.confined_to for one in self.names(name)}


def _addresses(field: str) -> list[str]:
    """The names under which a field's rule may stand, nearest first (`address.city`, `address`)."""
    parts = field.removesuffix("[]").split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _over(policy: FieldPolicy, rule: SurvivorshipRule, own: bool) -> FieldPolicy:
    said = {
        name: value
        for name in ("authority", "strategy", "group", "edits", "on_clash", "pin")
        if (value := getattr(rule, name)) is not None
    }
    if not own and policy.strategy is not Strategy.AUTHORITY:
        said.pop("strategy", None)  # `default` is not meant for tags and the like
    return replace(policy, **said, origin=rule.origin)
