"""Who a new record is: exact keys for now; the scorer takes the place of `identify`'s inside later.

Rules: the same normalised e-mail is the same person, unless both first names are known and contradict
each other (a family's mailbox); the same phone together with the same name is the same person,
unless one word of a family name is all of it;
non-identifying values (role mailboxes, configured patterns, values with too many holders) match nobody;
the same name (in another script or with initials, too) together with one of them, or with a number, is
unsure, and so is half a name together with the number of who bears it, unless both have something of their
own that differs.
Two candidates that are not one entity are ambiguous. What is unsure or ambiguous waits for a steward,
never a silent pick. Where a stronger key names one person and a weaker one another, the record is the
stronger one's, and whether the two are one waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from itertools import islice

from trueup.dedupe.latin import same_words, sounds
from trueup.dedupe.names import Name, contradicts_all, half_of, is_family_only, name_of
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
        if kind == "phone+name":
            kind, value = "phone", value.partition(" ")[0]
        if holders > self.held_by_more_than or (kind == "email" and is_role_mailbox(value)):
            return False
        return not any(fnmatch(value, pattern.casefold()) for pattern in self.patterns.get(kind, ()))


@dataclass(frozen=True, slots=True)
class Stranger:
    """A record without an entity: its link, its match keys, its canonical values."""

    link: Link
    keys: tuple[Key, ...]
    values: Mapping[str, Value]


Stream = tuple[str, str]


@dataclass(slots=True)
class Formed:
    """What identifying has found and no store knows yet. `groups`: who was given a key, by key, oldest first,
    each with the streams of those records; `waiting`: strangers still without a group that hold a key, by key
    and stream; `names`: what the records of a group or entity bear; `keys`: what they hold."""

    groups: dict[Key, dict[str, list[Stream]]] = field(default_factory=dict)
    waiting: Counter[tuple[Key, Stream]] = field(default_factory=Counter)
    names: dict[str, set[Name]] = field(default_factory=dict)
    keys: dict[str, set[Key]] = field(default_factory=dict)

    def add(self, stranger: Stranger, group: str, name: Name) -> None:
        """A stranger is of this group now."""
        stream = stranger.link.stream
        for key in stranger.keys:
            self.groups.setdefault(key, {}).setdefault(group, []).append(stream)
            self.waiting[key, stream] -= 1
        self.learn(group, name, stranger.keys)

    def learn(self, group: str, name: Name, keys: Iterable[Key]) -> None:
        """What a record of this group or entity bears and holds."""
        self.names.setdefault(group, set()).add(name)
        self.keys.setdefault(group, set()).update(key for key in keys if key[0] in OWN)


OWN = frozenset({"external_id", "email", "phone"})
"""Kinds of key of which everybody may have one that is nobody else's."""


@dataclass(slots=True)
class Holders:
    """Who holds which key: what the store answered, and what was formed since. They are called `e<id>`,
    known entities, and `new<link id>`, those formed here."""

    stored: Mapping[Key, Sequence[Candidate]]
    formed: Formed = field(default_factory=Formed)

    def count(self, key: Key, link: Link) -> int:
        """How many hold this key: those who are known, and what they have more than once in this link's own
        object; or as many records there as are new, which may all be others' (duplicates inside one system
        are few; a value that many records there share is a mailbox or a switchboard). So a record that the
        hub makes for one of them where he had none changes nothing."""
        stream = link.stream
        beside = [c for c in self.stored.get(key, ()) if (c.connection, c.object) == stream]
        here = Counter(f"e{c.entity_id}" for c in beside)
        new = {f"e{c.entity_id}" for c in beside if c.undecided}
        for name, streams in self.formed.groups.get(key, {}).items():
            here[name] += streams.count(stream)
            if name.startswith("new"):
                new.add(name)
        more = sum(number - 1 for number in here.values() if number > 1)
        unknown = self.formed.waiting[key, stream] + sum(here[name] for name in new)
        return max(len(self.of(key)) + more, unknown)

    def entities(self, key: Key) -> frozenset[int]:
        """The stored entities that hold it."""
        stored = self.stored.get(key)
        return frozenset([candidate.entity_id for candidate in stored]) if stored else _NOBODY

    def known(self, key: Key) -> bool:
        """Whether any entity holds it."""
        return bool(self.stored.get(key) or self.formed.groups.get(key))

    def of(self, key: Key) -> set[str]:
        """All who hold it."""
        known = {f"e{candidate.entity_id}" for candidate in self.stored.get(key, ())}
        return known.union(self.formed.groups.get(key, ()))

    def oldest(self, key: Key) -> list[str]:
        """Of those who hold it the oldest, as many as are ever looked at."""
        known = (f"e{candidate.entity_id}" for candidate in self.stored.get(key, ())[:MOST_HOLDERS])
        formed = islice(self.formed.groups.get(key, ()), MOST_HOLDERS)
        return list(dict.fromkeys((*known, *formed)))[:MOST_HOLDERS]


_NOBODY: frozenset[int] = frozenset()

MOST_HOLDERS = 50
"""Of so many holders of one key it is looked at who they are; one with more identifies nobody anyway."""

MOST_DOUBTS = 5
"""With so many others, at most, one record waits for a decision because of what identifies nobody."""


def identify(
    strangers: Sequence[Stranger], holders: Holders, identity: Identity, now: datetime
) -> list[Assignment]:
    """An entity for each stranger, in order; strangers that match each other become one."""
    for stranger in strangers:
        holders.formed.waiting.update((key, stranger.link.stream) for key in stranger.keys)
    return [_assign(stranger, holders, identity, now) for stranger in strangers]


def _assign(stranger: Stranger, holders: Holders, identity: Identity, now: datetime) -> Assignment:
    found, beside = _matches(stranger, holders, identity)
    bears = name_of(stranger.values)
    fitting = _fitting(found, bears, holders)
    doubtful = sorted(fitting or found) or _namesakes(stranger, bears, holders, identity)
    sure = len(fitting) == 1
    name = next(iter(fitting)) if sure else f"new{stranger.link.id}"
    doubtful = sorted(_fitting(beside, bears, holders))[:MOST_DOUBTS] if sure else doubtful
    holders.formed.add(stranger, name, bears)
    return Assignment(
        link_id=stranger.link.id,
        rev=stranger.link.rev,
        kind=stranger.link.kind,
        keys=stranger.keys,
        entity_id=int(name[1:]) if name.startswith("e") else None,
        group=name,
        provisional=not sure and bool(doubtful),
        seen={key: holders.entities(key) for key in stranger.keys},
        decisions=tuple(_unsure(stranger, other, holders, now) for other in doubtful),
    )


def _fitting(found: Iterable[str], bears: Name, holders: Holders) -> set[str]:
    """Those of them whose first names do not contradict this one."""
    return {one for one in found if not contradicts_all(bears, holders.formed.names.get(one, ()))}


def _namesakes(stranger: Stranger, bears: Name, holders: Holders, identity: Identity) -> list[str]:
    """Who bears the same name together with what by itself identifies nobody, and has nothing of its own that
    tells the two apart. Of those that a trusted key names none is asked for here."""
    own = _own(stranger.keys, identity)
    named = (key for key in stranger.keys if key[0] in ("email+name", "phone+name"))
    found = dict.fromkeys(one for key in named for one in holders.oldest(key))
    shared = (key for key in stranger.keys if key[0] in ("email", "phone"))
    beside = (one for key in shared for one in holders.oldest(key))
    found |= dict.fromkeys(one for one in beside if _same_name(bears, holders.formed.names.get(one, ())))
    numbers = (
        key for key in stranger.keys if key[0] == "phone" and _trusted(key, stranger, holders, identity)
    )
    at_it = (one for key in numbers for one in holders.oldest(key))
    found |= dict.fromkeys(one for one in at_it if _half_name(bears, holders.formed.names.get(one, ())))
    alike = (one for one in found if not _differ(own, _own(holders.formed.keys.get(one, ()), identity)))
    return list(islice(alike, MOST_DOUBTS))


def _same_name(name: Name, known: Iterable[Name]) -> bool:
    """Whether somebody is known by the same words, in any order, some perhaps said by their initials."""
    said = sounds(" ".join(name))
    return any(same_words(said, sounds(" ".join(one))) for one in known)


def _half_name(name: Name, known: Iterable[Name]) -> bool:
    """Whether one of the two is known by a half of the other's name only. Who is known by a whole name, too,
    is asked for by that one: a record of Sofiia's that says only Lysenko makes no Ivan Lysenko wait."""
    names = list(known)
    return any(half_of(name, one) for one in [one for one in names if all(one)] or names)


def _own(keys: Iterable[Key], identity: Identity) -> set[Key]:
    return {key for key in keys if key[0] in OWN and identity.trusts(key, 0)}


def _differ(one: set[Key], other: set[Key]) -> bool:
    """Whether each has something of a kind of which the other has something else."""
    return not {kind for kind, _ in one - other}.isdisjoint(kind for kind, _ in other - one)


def _matches(stranger: Stranger, holders: Holders, identity: Identity) -> tuple[set[str], set[str]]:
    """Entities that a trusted key names: the strongest kind of key that finds any decides. And whom else a
    contact's weaker keys name."""
    named = [_named(kind, stranger, holders, identity) for kind in _ORDER[stranger.link.kind]]
    found = next((some for some in named if some), set())
    beside = set().union(*named) - found if stranger.link.kind is Kind.CONTACT else set()
    return found, beside


def _named(kind: str, stranger: Stranger, holders: Holders, identity: Identity) -> set[str]:
    found: set[str] = set()
    for key in stranger.keys:
        if key[0] == kind and holders.known(key) and _trusted(key, stranger, holders, identity):
            found |= holders.of(key)
    if kind != "phone+name":
        return found
    bears = name_of(stranger.values)
    return {one for one in found if not _family_only(bears, holders.formed.names.get(one, ()))}


def _family_only(name: Name, known: Iterable[Name]) -> bool:
    """Whether nothing but one word of a family name is known of one side: that names a family."""
    names = list(known)
    return is_family_only(name) or (bool(names) and all(map(is_family_only, names)))


def _trusted(key: Key, stranger: Stranger, holders: Holders, identity: Identity) -> bool:
    return identity.trusts(key, 0) and identity.trusts(key, holders.count(key, stranger.link))


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
