"""Who is the same as whom: candidates, verdicts, assignments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trueup.model.entity import Entity
from trueup.model.fields import Kind
from trueup.model.record import Json


class Verdict(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """A verdict about two links, with evidence by level (never by value) and author; revocable."""

    left: int
    right: int
    verdict: Verdict
    score: float
    evidence: Mapping[str, Json]
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that holds a key through one of its links, and the stream that this link belongs to. While it
    is `undecided` nothing was ever written for it: all its records were read."""

    entity_id: int
    link_id: int
    connection: str = ""
    object: str = ""
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which entity a Link belongs to, decided under the keys it was looked up with.

    `entity_id` None makes a new one. `group`: links of one call that share a text are one new entity.
    `seen`: key to the entity ids that held it when this was decided; if that changed, the assignment is
    not made and the Link comes back as a stranger.
    """

    link_id: int
    rev: int
    kind: Kind
    keys: tuple[tuple[str, str], ...]
    entity_id: int | None
    group: str
    provisional: bool
    seen: Mapping[tuple[str, str], frozenset[int]]
    decisions: tuple[MatchDecision, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """What one record is found by."""

    link_id: int
    kind: Kind
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """Match keys that a version of the normaliser made anew: those of some links of one stream, the next
    after those that have them; `entities` are whose they are. `upto` is the last of these links, None when no
    link is left."""

    connection: str
    object: str
    version: int
    keys: tuple[LinkKeys, ...]
    entities: tuple[Entity, ...]
    upto: int | None
