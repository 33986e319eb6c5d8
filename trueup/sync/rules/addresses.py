"""E-mails and phones as elements: what the primary one, the slots by kind, the set of all and the former
ones mean for each other (HARD-CASES 11). Each was judged by itself before; here they come to fit.

- What stands in the primary slot or in a slot by kind is one of the set.
- What leaves its slot leaves the set and is former, unless another record still lists it.
- What is removed from the set leaves its slots too, where whoever removed it may decide them.
- Whatever a record of the contact names and the contact does not hold is former: kept for matching and
  consent, never published by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.dedupe.normalise import match_keys
from trueup.model.canonical import element_key
from trueup.model.entity import Entity, Link, Source
from trueup.model.fields import CONTACT, NAME_PARTS, Kind
from trueup.model.history import Conflict
from trueup.model.values import Type, Value
from trueup.sync.rules.decide_values import RULE, STAGE, Values, source_of
from trueup.sync.rules.evidence import Claim, Reading
from trueup.sync.rules.kinds import are_described, keep_kinds
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.verdict import HUB, Question, may_edit


@dataclass(frozen=True, slots=True)
class Family:
    """The fields that hold the addresses of one sort. `slots`: the primary one first, then by kind; `fields`:
    all of them."""

    many: str
    former: str
    type: Type
    slots: tuple[str, ...]

    fields: frozenset[str]

    @property
    def primary(self) -> str:
        return self.slots[0]


def _family(primary: str, many: str, type: Type) -> Family:
    by_kind = (name for name in CONTACT if name.startswith(f"{many}.") and name not in _NOT_CALLED)
    slots, former = (primary, *by_kind), f"former_{many}"
    return Family(many, former, type, slots, frozenset((*slots, many, former)))


_NOT_CALLED = ("phones.fax",)
"""A fax is no number of a person: it has its own field and is in no set."""

FAMILIES = (_family("email", "emails", Type.EMAILS), _family("phone", "phones", Type.PHONES))
_SETS = frozenset(family.many for family in FAMILIES)
_FAMILY_OF = {name: family.many for family in FAMILIES for name in (*family.slots, family.many)}


@dataclass(slots=True)
class Named:
    """The addresses that the records of a contact name now, by set field."""

    listed: dict[str, list[str]] = field(default_factory=dict)  # in lists
    slotted: dict[str, list[str]] = field(default_factory=dict)  # in slots
    described: set[str] = field(default_factory=set)  # sets of which a record may tell kinds

    def take(self, readings: Iterable[Reading]) -> None:
        """Collect from one record."""
        for reading in readings:
            items = reading.binding.items
            if items is not None and items.rule.kind:
                self.described.add(items.many)
            if reading.binding.fields[0] in _FAMILY_OF and isinstance(reading.has, Mapping):
                self.note(reading.has)

    def note(self, values: Mapping[str, Value]) -> None:
        """Collect from what one record holds."""
        for name, value in values.items():
            many = _FAMILY_OF.get(name)
            if many is not None and value:
                place = self.listed if name == many else self.slotted
                place.setdefault(many, []).extend(value if name == many else [value])


def without_moves(claims: Sequence[Claim], readings: Iterable[Reading]) -> list[Claim]:
    """One record's claims. An address that left its list for one of its slots was moved, not removed."""
    if not any(claim.removed and claim.field in _SETS for claim in claims):
        return list(claims)
    named = Named()
    named.take(readings)
    return [_moved(claim, named.slotted.get(claim.field, ())) for claim in claims]


def _moved(claim: Claim, slotted: Sequence[str]) -> Claim:
    if not claim.removed or not slotted:
        return claim
    key = element_key(CONTACT[claim.field].type)
    stay = {key(one) for one in slotted}
    return replace(claim, removed=frozenset(one for one in claim.removed if key(one) not in stay))


def keep_addresses(
    state: Values, before: Entity, claims: Sequence[Claim], named: Named, policy: Policy, now: datetime
) -> None:
    """Make the fields of both families fit, with the reasons in the history."""
    for family in FAMILIES:
        if (
            not family.fields.isdisjoint(state.values)
            or not family.fields.isdisjoint(before.values)
            or family.many in named.listed
            or family.many in named.slotted
        ):
            _Step(state, before, family, claims, policy, now).run(named)
    if named.described or are_described(state.values) or are_described(before.values):
        keep_kinds(state, before, named.described, policy, now)


def keys_of(
    one: Link, held: Mapping[str, Value], before: Entity, after: Entity, carries: bool
) -> tuple[tuple[str, str], ...] | None:
    """The match keys of one record, None while they stay as they are: of what it holds, and where it
    `carries` them those of all addresses that the contact holds or held."""
    more = _beyond(held, after) if carries and after.kind is Kind.CONTACT else {}
    if not (one.base or one.fresh or (more and _addresses_moved(before, after))):
        return None
    keys = match_keys(after.kind, held)
    if more:
        named = {name: held.get(name) or after.values.get(name) for name in NAME_PARTS}
        keys = sorted({*keys, *match_keys(after.kind, {**named, **more})})
    return tuple(keys)


def _beyond(held: Mapping[str, Value], after: Entity) -> dict[str, Value]:
    """The contact's addresses that this record does not hold, as its sets."""
    found: dict[str, Value] = {}
    for family in FAMILIES:
        own = {held.get(slot) for slot in family.slots} | {*(held.get(family.many) or ())}
        for name in (family.many, family.former):
            rest = [one for one in after.values.get(name) or () if one not in own]
            if rest:
                found[name] = rest
    return found


def _addresses_moved(before: Entity, after: Entity) -> bool:
    return any(
        before.values.get(name) != after.values.get(name)
        for family in FAMILIES
        for name in (family.many, family.former)
    )


@dataclass(slots=True)
class _Step:
    state: Values
    before: Entity
    family: Family
    claims: Sequence[Claim]
    policy: Policy
    now: datetime

    def run(self, named: Named) -> None:
        many = self.family.many
        listed, slotted = named.listed.get(many, ()), named.slotted.get(many, ())
        held = self._of_set(self.before.values)
        gone = held.keys() - self._of_set(self.state.values).keys()
        for slot in reversed(self.family.slots) if gone else ():
            self._vacate(slot, gone)
        elements = self._elements(listed)
        source = Source(RULE, "rule", self.now)
        self.state.put(many, sorted(elements.values()) or None, source, f"follows {self.family.primary}")
        known = self._keyed([*(self.state.values.get(self.family.former) or ()), *listed, *slotted])
        known |= held | self._keyed(self._in_slots(self.before.values))
        former = sorted(one for key, one in known.items() if key not in elements)
        self.state.put(self.family.former, former or None, source, "held no more")

    def _elements(self, listed: Sequence[str]) -> dict[str, str]:
        """The set: as it was judged, with what stands in the slots, without what has left them."""
        judged = self._of_set(self.state.values)
        now = self._keyed(self._in_slots(self.state.values))
        left = self._keyed(self._in_slots(self.before.values)).keys() - now.keys()
        added = judged.keys() - self._of_set(self.before.values).keys()
        left = left - self._keyed(listed).keys() - added
        return now | {key: one for key, one in judged.items() if key not in left}

    def _vacate(self, slot: str, gone: set[str]) -> None:
        """Empty a slot whose address was removed from the set, if the one who did so may; the primary
        slot is taken by another address. An address that was put there just now stays."""
        value = self.state.values.get(slot)
        if value is None or self._key(value) not in gone or value != self.before.values.get(slot):
            return
        winner = self._remover(slot, self._key(value))
        if winner is None:
            self._refused(slot, value)
            return
        heir = self._heir() if slot == self.family.primary else None
        rule = self.policy.fields(self.before.kind, slot)
        source = source_of(winner, self.now, rule)
        self.state.put(slot, heir, source, f"removed from {self.family.many}")

    def _heir(self) -> Value:
        """The address that becomes the primary one: the first by kind, else the first of the set."""
        by_kind = [self.state.values.get(slot) for slot in self.family.slots[1:]]
        rest = self._of_set(self.state.values)
        chosen = [one for one in by_kind if one is not None and self._key(one) in rest]
        return next(iter([*chosen, *sorted(rest.values())]), None)

    def _remover(self, slot: str, key: str) -> Claim | None:
        """Who removed it from the set and may decide the slot, too."""
        source, stage = self.state.sources.get(slot), self.state.values.get(STAGE)
        pinned = source is not None and source.pinned
        asked = [claim for claim in self.claims if self._removes(claim, key)]
        rule = self.policy.fields(self.before.kind, slot)
        question = Question(CONTACT[slot], self.state.values[slot], source, asked, rule, stage)
        allowed = [
            claim for claim in asked if claim.connection == HUB or (not pinned and may_edit(question, claim))
        ]
        return min(allowed, key=question.rank, default=None)

    def _removes(self, claim: Claim, key: str) -> bool:
        return claim.field == self.family.many and not claim.first and key in self._keyed(claim.removed)

    def _refused(self, slot: str, value: str) -> None:
        losers = [claim for claim in self.claims if self._removes(claim, self._key(value))]
        kept = self.state.sources.get(slot)
        by = (kept.ref or kept.origin) if kept is not None else HUB
        rule = f"stands in {slot}, which others decide"
        self.state.conflicts.extend(
            Conflict(self.family.many, claim.value, claim.source, value, by, rule) for claim in losers
        )

    def _key(self, value: str) -> str:
        return element_key(self.family.type)(value)

    def _keyed(self, values: Iterable[str]) -> dict[str, str]:
        key = element_key(self.family.type)
        return {key(one): one for one in values}

    def _of_set(self, values: Mapping[str, Value]) -> dict[str, str]:
        return self._keyed(values.get(self.family.many) or ())

    def _in_slots(self, values: Mapping[str, Value]) -> list[str]:
        return [values[slot] for slot in self.family.slots if values.get(slot) is not None]
