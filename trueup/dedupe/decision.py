"""Who a new record is: exact keys for now; the scorer takes the place of `identify`'s inside later.

Rules: the same normalised e-mail is the same person, unless both first names are known and contradict
each other (a family's mailbox); the same phone together with the same name is the same person;
non-identifying values (role mailboxes, configured patterns, values with too many holders) match nobody.
Two candidates that are not one entity are ambiguous. What is unsure or ambiguous waits for a steward,
never a silent pick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch

from trueup.dedupe.names import Name, contradicts_all, name_of
from trueup.dedupe.normalise import is_role_mailbox
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.matching import Assignment, Candidate, MatchDecision, Verdict
from trueup.model.values import Value

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """What dedupe.yaml says about matching. `patterns` by key kind (`email`: `info@*`)."""

    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_by_more_than: int = 5

    def trusts(self, key: Key, holders: int) -> bool:
        """Whether this value may identify anybody."""
        kind, value = key
        if holders > self.held_by_more_than or (kind == "email" and is_role_mailbox(value)):
            return False
        return not any(fnmatch(value, pattern.casefold()) for pattern in self.patterns.get(kind, ()))


@dataclass(frozen=True, slots=True)
class Stranger:
    """A record without an entity: its link, its match keys, its canonical values."""

    link: Link
    keys: tuple[Key, ...]
    values: Mapping[str, Value]


_NOBODY: frozenset[int] = frozenset()


@dataclass(slots=True)
class Holders:
    """Who holds which key: what the store answered, and the groups formed in this call. `together`:
    records of this call that hold a key, by key and stream; `names`: the names that an entity's records
    bear, by entity."""

    stored: Mapping[Key, Sequence[Candidate]]
    formed: dict[Key, set[str]] = field(default_factory=dict)
    together: Counter[tuple[Key, str, str]] = field(default_factory=Counter)
    names: dict[str, set[Name]] = field(default_factory=dict)

    def count(self, key: Key, link: Link) -> int:
        """How many hold this key: entities, or records of this link's own object (duplicates inside one
        system are few; a value that many records there share is a mailbox or a switchboard)."""
        if not self.known(key):
            return self.together[(key, *link.stream)]
        entities = self.entities(key)
        new = {one for one in self.formed.get(key, ()) if one.startswith("new")}
        beside = [c for c in self.stored.get(key, ()) if (c.connection, c.object) == link.stream]
        return max(len(entities) + len(new), len(beside) + self.together[(key, *link.stream)])

    def entities(self, key: Key) -> frozenset[int]:
        """The stored entities that hold it."""
        stored = self.stored.get(key)
        return frozenset([candidate.entity_id for candidate in stored]) if stored else _NOBODY

    def known(self, key: Key) -> bool:
        """Whether any entity holds it."""
        return bool(self.stored.get(key) or self.formed.get(key))

    def of(self, key: Key) -> set[str]:
        """Names of the entities: `e<id>` for known ones, `new<link id>` for those formed here."""
        known = {f"e{candidate.entity_id}" for candidate in self.stored.get(key, ())}
        return known | self.formed.get(key, set())

    def add(self, key: Key, name: str) -> None:
        self.formed.setdefault(key, set()).add(name)


def identify(
    strangers: Sequence[Stranger], holders: Holders, identity: Identity, now: datetime
) -> list[Assignment]:
    """An entity for each stranger, in order; strangers that match each other become one."""
    for stranger in strangers:
        holders.together.update((key, *stranger.link.stream) for key in stranger.keys)
    return [_assign(stranger, holders, identity, now) for stranger in strangers]


def _assign(stranger: Stranger, holders: Holders, identity: Identity, now: datetime) -> Assignment:
    found = _matches(stranger, holders, identity)
    bears = name_of(stranger.values)
    fitting = {one for one in found if not contradicts_all(bears, holders.names.get(one, ()))}
    own = f"new{stranger.link.id}"
    decisions: tuple[MatchDecision, ...] = ()
    if len(fitting) == 1:
        name = next(iter(fitting))
        provisional = False
    else:
        name, provisional = own, bool(found)
        decisions = tuple(_unsure(stranger, other, holders, now) for other in sorted(fitting or found))
    for key in stranger.keys:
        holders.add(key, name)
    holders.names.setdefault(name, set()).add(bears)
    entity_id = int(name[1:]) if name.startswith("e") else None
    seen = {key: holders.entities(key) for key in stranger.keys}
    return Assignment(
        stranger.link.id,
        stranger.link.rev,
        stranger.link.kind,
        stranger.keys,
        entity_id,
        name,
        provisional,
        seen,
        decisions,
    )


def _matches(stranger: Stranger, holders: Holders, identity: Identity) -> set[str]:
    """Entities that a trusted key names: the strongest kind of key that finds any decides."""
    for kind in _ORDER[stranger.link.kind]:
        found: set[str] = set()
        for key in stranger.keys:
            if (
                key[0] == kind
                and holders.known(key)
                and identity.trusts(key, holders.count(key, stranger.link))
            ):
                found |= holders.of(key)
        if found:
            return found
    return set()


_ORDER: Mapping[Kind, tuple[str, ...]] = {
    Kind.CONTACT: ("external_id", "email", "phone+name"),
    Kind.COMPANY: ("external_id", "registration", "domain", "name"),
    Kind.USER: ("email",),
    Kind.DEAL: ("external_id",),
}
"""Key kinds that link by themselves, strongest first."""


def _unsure(stranger: Stranger, other: str, holders: Holders, now: datetime) -> MatchDecision:
    found = (one for key in stranger.keys for one in holders.stored.get(key, ()))
    # The oldest link of an entity is a record that was read; a younger one may still wait for its record.
    oldest = min((one.link_id for one in found if f"e{one.entity_id}" == other), default=None)
    right = oldest if oldest is not None else int(other.removeprefix("new").removeprefix("e"))
    evidence = {kind: "equal" for kind, _ in stranger.keys}
    return MatchDecision(stranger.link.id, right, Verdict.UNSURE, 0.5, evidence, "rule:exact keys", now)
