"""What the rules need of the configuration, compiled once per run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from trueup.mapping.compiled import ObjectMapping
from trueup.mapping.schema import ObjectRules
from trueup.model.fields import TABLES, Field, Kind, Strategy
from trueup.model.values import Value

Stream = tuple[str, str]
"""(connection, object)."""


class Answer(Protocol):
    """What a condition says: met or not, and why."""

    @property
    def met(self) -> bool: ...

    @property
    def reason(self) -> str: ...


class Condition(Protocol):
    """A compiled condition. `next_change`: when the same values give another answer, None if never."""

    def met(self, values: Mapping[str, Value], now: datetime) -> Answer: ...

    def next_change(self, values: Mapping[str, Value], now: datetime) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """How one field is judged. `authority` answers the connections that may decide in a stage, in order.

    `ranked`: an edit of a lower rank never displaces a non-empty value of a higher one. `on_clash`: what
    wins when one decision sees an element both added and removed (`add` or `remove`).
    """

    strategy: Strategy
    authority: Callable[[str | None], tuple[str, ...]]
    ranked: bool = False
    on_clash: str = "add"


@dataclass(frozen=True, slots=True)
class Policy:
    """The configuration as the rules see it.

    `tables` are the field tables with custom fields and stages. `fields` judges a field of a kind.
    `mappings`/`rules` by stream. `create`/`take` hold compiled conditions; no entry in `create` means
    never. `upsert` names the field by which a repeated create finds its record: a mapped one, or one
    that holds the hub's id. `config_version` is pinned for the run.
    """

    tables: Mapping[Kind, Mapping[str, Field]] = field(default_factory=lambda: TABLES)
    fields: Callable[[Kind, str], FieldPolicy] = lambda kind, name: FieldPolicy(
        TABLES[kind][name].strategy, lambda stage: ()
    )
    mappings: Mapping[Stream, ObjectMapping] = field(default_factory=dict)
    rules: Mapping[Stream, ObjectRules] = field(default_factory=dict)
    create: Mapping[Stream, Condition] = field(default_factory=dict)
    take: Mapping[Stream, Condition] = field(default_factory=dict)
    upsert: Mapping[Stream, str] = field(default_factory=dict)
    config_version: str = ""

    def streams(self, kind: Kind) -> tuple[Stream, ...]:
        """The streams of one kind, in the order of the configuration."""
        return tuple(stream for stream, mapping in self.mappings.items() if mapping.kind is kind)
