"""A mapping made ready: one Binding per rule, with its two functions.

`trueup.mapping.apply.compile_mapping` makes these from `ObjectRules`, the field table and the locale;
the engine only ever sees what is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from trueup.mapping.items import Items
from trueup.mapping.schema import Clearing, Direction, Publish, Refusal, Shape, Unmapped
from trueup.model.fields import Kind
from trueup.model.record import Json
from trueup.model.values import Rejected, Type, Value

Read: TypeAlias = Callable[[Json], Mapping[str, Value] | Rejected]
"""Remote value to canonical values by field address; every field of the binding that it says."""

Write: TypeAlias = Callable[[Mapping[str, Value]], Json | Rejected]
"""Canonical values of the binding's fields to the remote value; None clears."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One remote field (or one element of it) and the canonical fields it carries.

    `key` is unique in the mapping and stable over runs (the remote path; `path#element` for ELEMENT).
    `fields`: usually one; a full name carries the name parts. `read` and `write` never raise for bad
    data: they answer Rejected. Laws, for every value v that `write` accepts and remote value r that
    `read` accepts: read(write(v)) is the normal form of v ("what the target keeps"), and
    read(write(read(r))) == read(r).
    For references `read` gives the remote id as text and `write` takes a remote id: the engine
    resolves ids, `refers`/`to` say of what. For consent bindings the field is
    `consent.<channel>.<purpose>` with `opted_out`, `opted_in` (documented only) or `unknown`; `write`
    of anything but `opted_out` gives the value that does not mean opted out.
    `sign`: of a list that several bindings share, what stands between its elements if it is one text.
    `default`: written where the hub is empty and this field is required; reading it back is empty.
    `items`: the remote field is a list of objects; besides `fields` it carries attributes of the elements
    (`emails[ann@x.com].kind`), and what `write` gives is laid over what stands there item by item.
    `locked`: the rule would write it, and the system does not let us. `terms`: a fingerprint of the rule and
    of what the system says of the field (`terms_of`); empty where the system could not be asked.
    """

    key: str
    remote: str
    fields: tuple[str, ...]
    direction: Direction
    shape: Shape
    read: Read
    write: Write
    refused: Refusal = Refusal.WRITE_BACK
    clear: Clearing = Clearing.PROPAGATE
    unmapped: Unmapped = Unmapped.ERROR
    default: Json = None
    publish: Publish | None = None
    create_only: bool = False
    element: str = ""
    sign: str = ""
    consent: tuple[str, str] | None = None  # (channel, purpose)
    evidence: tuple[str, ...] = ()
    type: Type = Type.TEXT
    refers: Kind | None = None
    to: str | None = None
    items: Items | None = None
    locked: bool = False
    terms: str = ""
    origin: str = "default"

    def type_of(self, name: str) -> Type:
        """The type of one of the fields that this binding carries."""
        return self.type if self.items is None else self.items.type_of(name)

    @property
    def inward(self) -> bool:
        return self.direction is not Direction.OUT

    @property
    def outward(self) -> bool:
        return self.direction is not Direction.IN


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """The compiled mapping of one connection's object. `remote_fields` is all that must be asked for,
    `written` all that may be written besides the hub's own key."""

    connection: str
    object: str
    kind: Kind
    bindings: tuple[Binding, ...]
    remote_fields: tuple[str, ...]
    written: frozenset[str]

    def binding(self, key: str) -> Binding | None:
        """The binding of this key, None when today's mapping has none."""
        return next((binding for binding in self.bindings if binding.key == key), None)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one system says of one record, in canonical fields.

    `values` holds only what it said (None: said to be empty); `rejected` the bindings, by key, whose
    value has no canonical form. References are remote ids here.
    """

    values: Mapping[str, Value]
    rejected: Mapping[str, Rejected]


def remote_path(key: str, values: Mapping[str, Json]) -> str:
    """The remote path that a binding's key stands for, among those of a write or record."""
    if key in values:
        return key
    for sign in ("#", "@"):
        path = key.rpartition(sign)[0]
        if path in values:
            return path
    return key
