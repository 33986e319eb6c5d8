"""What a connection's file says about one object, typed: the input of the compiler (`apply`).

`trueup.config` reads the YAML into these; nothing here knows about files beyond `origin`, the
`file:line` (or `default`) that a rule came from, which is carried along for messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trueup.model.fields import Kind
from trueup.model.record import Json


class Direction(StrEnum):
    """Seen from the hub."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


class Refusal(StrEnum):
    """What happens to an edit that is not accepted."""

    WRITE_BACK = "write_back"
    LEAVE = "leave"


class Unmapped(StrEnum):
    """What happens to a word that the value map or the target's list does not have."""

    ERROR = "error"  # the field is quarantined
    DEFAULT = "default"  # the rule's default takes its place
    PASS = "pass"  # it goes through as it is
    CREATE = "create"  # it goes through and the target makes the option
    LEAVE = "leave"  # neither written nor read


class Clearing(StrEnum):
    """Whether a known value that became empty is a change."""

    PROPAGATE = "propagate"
    IGNORE = "ignore"


class TooLong(StrEnum):
    ERROR = "error"
    TRUNCATE = "truncate"


class Shape(StrEnum):
    """How a remote field holds several values."""

    VALUE = "value"  # one value
    LIST = "list"  # all of them, replaced whole
    ELEMENTS = "elements"  # added and removed one by one
    ELEMENT = "element"  # presence of one element in a list (a tag)


@dataclass(frozen=True, slots=True)
class Publish:
    """Throttle of an outward field: seconds between writes, and the least change worth one."""

    at_most_every: float | None = None
    when_changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class ItemRule:
    """Where the items of a list of objects hold what: paths inside one item, empty for what they do not hold.

    `value`: the element itself; of postal addresses `street`, `line2` (its further lines), `city`, `region`,
    `postcode` and `country` say where its parts are. `primary`: a true/false that marks the primary one.
    `id`: the system's own id of the item. `kinds`: kind to remote words; the first is written, all are read;
    empty: our own words.
    """

    value: str = ""
    kind: str = ""
    label: str = ""
    primary: str = ""
    id: str = ""
    kinds: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    street: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """Where an item holds the parts of a postal address: path by name, those that it holds."""
        return {part: path for part in POSTAL if (path := getattr(self, part))}

    @property
    def paths(self) -> tuple[str, ...]:
        """Where an item holds the element itself."""
        return (self.value,) if self.value else tuple(self.parts.values())


POSTAL = ("street", "line2", "city", "region", "postcode", "country")
"""What `item` may say of a postal address."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One canonical field (address) and the remote field (path) it is mapped to.

    `values`: canonical word to remote words; the first is written, all are read. `to`: for references,
    the object in the same connection that the remote id points at. `currency`: for money, the path of
    the currency. `create_only`: written with a create, never afterwards. `item`: the remote field is a list
    of objects, and this says what they hold.
    """

    field: str
    remote: str
    direction: Direction = Direction.BOTH
    transform: str | None = None
    values: Mapping[str, tuple[Json, ...]] | None = None
    unmapped: Unmapped = Unmapped.ERROR
    default: Json = None
    clear: Clearing = Clearing.PROPAGATE
    refused: Refusal = Refusal.WRITE_BACK
    too_long: TooLong = TooLong.ERROR
    max_length: int | None = None
    shape: Shape | None = None  # None: the field's own (a set is a LIST)
    publish: Publish | None = None
    to: str | None = None
    currency: str | None = None
    create_only: bool = False
    item: ItemRule | None = None
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """Where a system keeps one channel and purpose.

    `opted_out` is the remote value that means so (or `present`/`absent` with shape ELEMENT); any other
    value says nothing. `evidence`: which parts a documented opt-in must carry there to count
    (`time`, `source`); empty means that this system can never grant.
    """

    channel: str
    purpose: str
    remote: str
    shape: Shape = Shape.VALUE
    element: str = ""
    opted_out: Json = True
    evidence: tuple[str, ...] = ()
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class ObjectRules:
    """Everything a connection's file says about one object, defaults included.

    Exactly one of `kind` (an entity) and `case` (a fact: order, ticket, …) is set. `take` and `create`
    are CEL; `create` None means never. `deactivate`/`reactivate`: remote values that switch a record off
    and on. `options`: what only the connector understands (`key`, `changed_at`, …). `contact`: for a
    case, the remote field that names the person's record.
    """

    name: str
    kind: Kind | None
    fields: tuple[FieldRule, ...]
    case: str | None = None
    consent: tuple[ConsentRule, ...] = ()
    no_consent: bool = False  # somebody said that nothing is sent from there: no consent is missed
    take: str | None = None
    create: str | None = None
    leaves: str = "keep"  # keep | stop | deactivate
    secondary: str = "quiet"  # quiet | follow
    deactivate: Mapping[str, Json] = field(default_factory=dict)
    reactivate: Mapping[str, Json] = field(default_factory=dict)
    deleted_elsewhere: str = "keep"  # keep | deactivate | delete
    merge: str = "ask"  # ask | never | auto
    company: str = "link"  # link | create | ignore
    contact: str | None = None
    handoff: Mapping[str, Json] = field(default_factory=dict)
    segments: Mapping[str, Json] = field(default_factory=dict)
    options: Mapping[str, Json] = field(default_factory=dict)
    renamed_from: str | None = None
    origin: str = "default"
