"""E-mails, phones and postal addresses as elements: what the primary one, the slots by kind, the set of all
and the former ones mean for each other (HARD-CASES 11). Each was judged by itself; here they come to fit.

- What stands in the primary slot or in a slot by kind is one of the set.
- What leaves its slot leaves the set and is former, unless another record still lists it.
- What is removed from the set leaves its slots too, where whoever removed it may decide them.
- Postal addresses are also said in part and put right (`postal.py`).
- Whatever a record of the contact names and the contact does not hold is former: kept for matching and
  consent, never published by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.dedupe.normalise import match_keys
from trueup.mapping.compiled import Binding
from trueup.model.canonical import element_key
from trueup.model.canonical.postal import address_key, put_right
from trueup.model.entity import Entity, Link, Source
from trueup.model.fields import CONTACT, KINDS, NAME_PARTS, Kind
from trueup.model.slots import FIELDS, held_in, slots_of
from trueup.model.values import Type, Value
from trueup.sync.rules.decide_values import RULE, Values, source_of
from trueup.sync.rules.evidence import Claim, Reading, elements_said
from trueup.sync.rules.kinds import are_described, keep_kinds
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.postal import Postal, beyond_others
from trueup.sync.rules.slot_rights import refused, strongest


@dataclass(frozen=True, slots=True)
class Family:
    """What holds the addresses of one sort. `slots`: the primary one first, then by kind; `fields`: all
    fields, those of the slots among them; `beside`: the set and the former ones. `finds`: whether people are
    found by them. `follows`: the rule by which the set follows its slots."""

    many: str
    former: str
    type: Type
    slots: tuple[str, ...]
    fields: frozenset[str]
    finds: bool
    beside: frozenset[str]

    @property
    def primary(self) -> str:
        return self.slots[0]

    @property
    def is_postal(self) -> bool:
        return self.type is Type.ADDRESSES


def _family(many: str) -> Family:
    slots, former, type = slots_of(many), f"former_{many}", CONTACT[many].type
    names = {name for slot in slots for name in FIELDS[slot]}
    beside = frozenset((many, former))
    return Family(many, former, type, slots, beside | names, type is not Type.ADDRESSES, beside)


FOLLOWS = "follows its fields"
"""Why a set changed: an address in one of its slots did."""

FAMILIES = tuple(map(_family, KINDS))
_SETS = frozenset(KINDS)
_SLOT_OF = {name: slot for family in FAMILIES for slot in family.slots for name in FIELDS[slot]}
_SET_OF = {slot: family.many for family in FAMILIES for slot in family.slots}


@dataclass(slots=True)
class Named:
    """The addresses that the records of a contact name now, by set field."""

    listed: dict[str, list[str]] = field(default_factory=dict)  # in lists
    slotted: dict[str, list[str]] = field(default_factory=dict)  # in slots
    described: set[str] = field(default_factory=set)  # sets of which a record may tell kinds
    shown: dict[str, set[str]] = field(default_factory=dict)  # postal: by key, parts that the lists can hold

    def take(self, readings: Iterable[Reading]) -> None:
        """Collect from one record."""
        held: dict[str, Value] = {}
        for reading in readings:
            items = reading.binding.items
            if items is not None and items.rule.kind:
                self.described.add(items.many)
            name = reading.binding.fields[0]
            if (name in _SLOT_OF or name in _SETS) and isinstance(reading.has, Mapping):
                held.update(reading.has)
                if name in _SETS:
                    held[name] = elements_said(reading)
                    self._show(held[name], items.rule.parts if items is not None else ())
        self.note(held)

    def _show(self, elements: Value, parts: Iterable[str]) -> None:
        for one in (elements or ()) if parts else ():
            self.shown.setdefault(address_key(one), set()).update(parts)

    def note(self, values: Mapping[str, Value]) -> None:
        """Collect from what one record holds."""
        slots: dict[str, None] = {}
        for name, value in values.items():
            if not value:
                continue
            if name in _SETS:
                self.listed.setdefault(name, []).extend(value)
            elif (slot := _SLOT_OF.get(name)) is not None:
                slots[slot] = None
        for slot in slots:
            self.slotted.setdefault(_SET_OF[slot], []).append(held_in(slot, values))


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


def first_listed(
    bindings: Sequence[Binding], claims: Sequence[Claim], held: Mapping[str, Value]
) -> Iterator[Claim]:
    """Where no record of the contact tells the primary address, and it has none, the first of a list that
    names new ones (a set has one order) is a first sight of it: who has an address has it wherever one is
    kept."""
    for family in FAMILIES:
        if not only_listed(family, bindings) or held.get(family.primary) is not None:
            continue
        for claim in claims:
            if claim.field == family.many and claim.added and isinstance(claim.value, list):
                yield replace(
                    claim, field=family.primary, value=claim.value[0], first=True, added=frozenset()
                )


def only_listed(family: Family, bindings: Sequence[Binding]) -> bool:
    """Whether these tell addresses of a family by which people are found, and not the primary one."""
    inward = [one for one in bindings if one.inward and not one.consent]
    tells = any(family.primary in one.fields or _marks_primary(one) for one in inward)
    return family.finds and not tells and any(family.many in one.fields for one in inward)


def _marks_primary(binding: Binding) -> bool:
    return binding.items is not None and bool(binding.items.rule.primary)


def keep_addresses(
    state: Values, before: Entity, claims: Sequence[Claim], named: Named, policy: Policy, now: datetime
) -> None:
    """Make the fields of all families fit, with the reasons in the history."""
    for family in FAMILIES:
        if (
            not family.fields.isdisjoint(state.values)
            or not family.fields.isdisjoint(before.values)
            or family.many in named.listed
            or family.many in named.slotted
        ) and not _only_in_slots(state, before, family, named, now):
            _Step(state, before, family, claims, policy, now).run(named)
    if named.described or are_described(state.values) or are_described(before.values):
        keep_kinds(state, before, named.described, policy, now)


def _only_in_slots(state: Values, before: Entity, family: Family, named: Named, now: datetime) -> bool:
    """The commonest case at once: the contact held nothing of this sort, and all that is said now stands in
    its slots. The set is made of them. False where there is more to weigh."""
    if family.many in named.listed or not family.fields.isdisjoint(before.values):
        return False
    if not (family.beside.isdisjoint(state.values) and family.beside.isdisjoint(state.sources)):
        return False  # judged by itself, or kept empty
    key = element_key(family.type)
    held = (held_in(slot, state.values) for slot in family.slots)
    elements = {key(one): one for one in held if one is not None}
    if any(key(one) not in elements for one in named.slotted.get(family.many, ())):
        return False
    if elements:
        source = Source(RULE, "rule", now)
        state.put(family.many, sorted(elements.values()), source, FOLLOWS)
    return True


def keys_of(
    one: Link, held: Mapping[str, Value], before: Entity, after: Entity, carries: bool
) -> tuple[tuple[str, str], ...] | None:
    """The match keys of one record, None while they stay as they are: of what it holds, and where it
    `carries` them those of all addresses that the contact holds or held."""
    more = _carried(held, after, carries)
    if not (one.base or one.fresh or (more and _addresses_moved(before, after))):
        return None
    return _keys(held, after, more)


def keys_now(held: Mapping[str, Value], entity: Entity, carries: bool) -> tuple[tuple[str, str], ...]:
    """The match keys of one record of which nothing moved, as `keys_of` gave them."""
    return _keys(held, entity, _carried(held, entity, carries))


def _carried(held: Mapping[str, Value], entity: Entity, carries: bool) -> Mapping[str, Value]:
    return _beyond(held, entity) if carries and entity.kind is Kind.CONTACT else {}


def _keys(
    held: Mapping[str, Value], entity: Entity, more: Mapping[str, Value]
) -> tuple[tuple[str, str], ...]:
    keys = match_keys(entity.kind, held)
    if more:
        named = {name: held.get(name) or entity.values.get(name) for name in NAME_PARTS}
        keys = sorted({*keys, *match_keys(entity.kind, {**named, **more})})
    return tuple(keys)


def _beyond(held: Mapping[str, Value], after: Entity) -> dict[str, Value]:
    """The contact's addresses that this record does not hold, as its sets."""
    found: dict[str, Value] = {}
    for family in FAMILIES:
        if not family.finds:
            continue
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
        if family.finds
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
        right = self._settle_postal(listed, named.shown)
        gone = held.keys() - self._of_set(self.state.values).keys()
        for slot in reversed(self.family.slots) if gone else ():
            self._vacate(slot, gone)
        elements = self._elements(listed, right)
        source = self._pin() or Source(RULE, "rule", self.now)
        self.state.put(many, sorted(elements.values()) or None, source, FOLLOWS)
        known = self._keyed([*(self.state.values.get(self.family.former) or ()), *listed, *slotted])
        known |= held | self._keyed(self._in_slots(self.before.values))
        left = {key: one for key, one in known.items() if key not in elements}
        if self.family.is_postal:
            left = beyond_others(left, {**known, **elements})
        former = sorted(left.values())
        self.state.put(self.family.former, former or None, source, "held no more")

    def _settle_postal(self, listed: Sequence[str], shown: Mapping[str, Collection[str]]) -> frozenset[str]:
        """The keys of elements that are held in another form now."""
        if not self.family.is_postal:
            return frozenset()
        family, claims = self.family, self.claims
        return Postal(
            self.state, self.before, family.many, family.slots, claims, self.policy, self.now
        ).settle(listed, shown)

    def _elements(self, listed: Sequence[str], right: frozenset[str]) -> dict[str, str]:
        """The set: as it was judged, with what stands in the slots, without what has left them."""
        judged = self._of_set(self.state.values)
        now = self._keyed(self._in_slots(self.state.values))
        left = self._keyed(self._in_slots(self.before.values)).keys() - now.keys()
        added = judged.keys() - self._of_set(self.before.values).keys()
        left = (set() if self._pin() else left - self._keyed(listed).keys() - added) | right
        return now | {key: one for key, one in judged.items() if key not in left}

    def _pin(self) -> Source | None:
        """Who pinned the set: what stands in slots is added to it, and nothing leaves it."""
        source = self.state.sources.get(self.family.many)
        return source if source is not None and source.pinned else None

    def _vacate(self, slot: str, gone: set[str]) -> None:
        """Empty a slot whose address was removed from the set, if the one who did so may; the primary
        slot is taken by another address. An address that was put there just now stays."""
        value = self.state.held(slot)
        if value is None or self._key(value) not in gone or value != held_in(slot, self.before.values):
            return
        winner = self._remover(slot, self._key(value))
        if winner is None:
            self._refused(slot, value)
            return
        heir = self._corrected(value)
        if heir is None and slot == self.family.primary:
            heir = self._heir()
        rule = self.policy.fields(self.before.kind, FIELDS[slot][0])
        source = source_of(winner, self.now, rule)
        self.state.fill(slot, heir, source, f"removed from {self.family.many}")

    def _heir(self) -> Value:
        """The address that becomes the primary one: the first by kind, else the first of the set."""
        by_kind = [self.state.held(slot) for slot in self.family.slots[1:]]
        rest = self._of_set(self.state.values)
        chosen = [one for one in by_kind if one is not None and self._key(one) in rest]
        return next(iter([*chosen, *sorted(rest.values())]), None)

    def _remover(self, slot: str, key: str) -> Claim | None:
        """Who removed it from the set and may decide the slot, too."""
        asked = [claim for claim in self.claims if self._removes(claim, key)]
        return strongest(slot, asked, self.state, self.before.kind, self.policy)

    def _removes(self, claim: Claim, key: str) -> bool:
        return claim.field == self.family.many and not claim.first and key in self._keyed(claim.removed)

    def _refused(self, slot: str, value: str) -> None:
        losers = [claim for claim in self.claims if self._removes(claim, self._key(value))]
        self.state.conflicts.extend(
            refused(slot, self.state, self.family.many, claim.value, claim.source) for claim in losers
        )

    def _key(self, value: str) -> str:
        return element_key(self.family.type)(value)

    def _keyed(self, values: Iterable[str]) -> dict[str, str]:
        key = element_key(self.family.type)
        return {key(one): one for one in values}

    def _of_set(self, values: Mapping[str, Value]) -> dict[str, str]:
        return self._keyed(values.get(self.family.many) or ())

    def _in_slots(self, values: Mapping[str, Value]) -> list[str]:
        held = (held_in(slot, values) for slot in self.family.slots)
        return [one for one in held if one is not None]

    def _corrected(self, value: str) -> Value:
        """The element that was added where this one was removed, if it is this one put right."""
        if not self.family.is_postal:
            return None
        before, now = self._of_set(self.before.values), self._of_set(self.state.values)
        gone = [one for key, one in before.items() if key not in now]
        come = [one for key, one in now.items() if key not in before]
        key = self._key(value)
        pairs = put_right(gone, come).items()
        return next((new for new, old in pairs if self._key(old) == key), None)
