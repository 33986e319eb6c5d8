"""Kinds of addresses: what the kind of an element and the slot of that kind mean for each other.

The kind of an element (`emails[ann@x.com].kind`) is what systems with lists of objects tell; a slot
(`emails.work`) is what others hold. Both are judged by themselves; here they come to fit:

- Who puts an address into a slot says its kind, and who changes the kind takes it out of its slot.
- An empty slot is filled with the first address of its kind, the primary one before all others. Of several
  addresses of one kind the others stay in the set with it.
- An address that is held no more has no attributes.

Contacts without attributes cost nothing here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from trueup.model.canonical import element_key
from trueup.model.entity import Entity, Source
from trueup.model.fields import CONTACT, KIND, KINDS, PRIMARY, attribute, attribute_of
from trueup.model.slots import held_in
from trueup.model.values import Value
from trueup.sync.rules.decide_values import RULE, STAGE, Values
from trueup.sync.rules.policy import Policy

MOVED = "is of another kind"
FILLED = "the first of its kind"
STANDS = "stands in"
GONE = "held no more"


def name_slots(state: Values, sets: Collection[str]) -> None:
    """Before the fields are judged: what stands in a slot is of its kind, unless something else is known, so
    that whoever says another kind is judged against the one who filled the slot."""
    for many in sorted(sets):
        for kind, slot in _slots(many):
            value, source = state.held(slot), state.filler(slot)
            if value is None or source is None:
                continue
            name = attribute(many, _key(many, value), KIND)
            if name not in state.values:
                state.put(name, kind, source, f"{STANDS} {slot}")


def keep_kinds(state: Values, before: Entity, sets: Collection[str], policy: Policy, now: datetime) -> None:
    """After the fields were judged and the sets put together: slots, kinds and elements fit each other."""
    for many in KINDS:
        if many in sets or _any(many, state.values) or _any(many, before.values):
            _Fit(state, before, many, policy, now).run()


def are_described(values: Mapping[str, Value]) -> bool:
    """Whether anything is known of single elements."""
    return "[" in "".join(values)


@dataclass(slots=True)
class _Fit:
    state: Values
    before: Entity
    many: str
    policy: Policy
    now: datetime

    def run(self) -> None:
        held = {_key(self.many, one): one for one in self.state.values.get(self.many) or ()}
        for kind, slot in _slots(self.many):
            self._fit(kind, slot)
        for kind, slot in _slots(self.many):
            if self.state.held(slot) is None and not self._filler(slot).pinned:
                self._fill(kind, slot, held)
        rule = Source(RULE, "rule", self.now)
        for name in [*self.state.values]:
            known = attribute_of(name) if "[" in name else None
            if known is not None and known[0] == self.many and known[1] not in held:
                self.state.put(name, None, rule, GONE)

    def _fit(self, kind: str, slot: str) -> None:
        """One slot and the kind of what stands in it, or of what was cleared from it."""
        value, old = self.state.held(slot), held_in(slot, self.before.values)
        slot_moved = not self._same(value, old)
        if value is None:
            if slot_moved:
                self._unname(kind, old)
            return
        name = attribute(self.many, _key(self.many, value), KIND)
        told = self.state.values.get(name)
        if told == kind:
            return
        if slot_moved and self._says_more(slot, name):
            self.state.put(name, kind, self._filler(slot), f"{STANDS} {slot}")
        elif not slot_moved and self._left(kind, slot, name):
            self.state.fill(slot, None, self._source(name), MOVED)

    def _unname(self, kind: str, old: Value) -> None:
        """What was cleared from its slot is not of that kind any more, unless somebody just said so."""
        name = attribute(self.many, _key(self.many, old), KIND)
        if self.state.values.get(name) == kind and not self._told_now(name):
            self.state.put(name, None, Source(RULE, "rule", self.now), f"cleared from {self.many}.{kind}")

    def _left(self, kind: str, slot: str, name: str) -> bool:
        """Whether what stands in this slot has just become of another kind. What was seen there first stays:
        a first sight of its kind elsewhere clears nothing; what a person pinned there stays, too."""
        if not self._told_now(name) or self._was(name) != kind or self._filler(slot).pinned:
            return False
        filled = self.state.filler(slot) == self.before.sources.get(name)
        return filled or self._source(name).how != "first"

    def _was(self, name: str) -> Value:
        """The kind before this decision: as it was known, or by its slot."""
        first = next((one for one in self.state.changes if one.field == name), None)
        seeded = first is not None and first.rule.startswith(STANDS)
        return first.new if seeded and first is not None else self.before.values.get(name)

    def _told_now(self, name: str) -> bool:
        """Whether this decision gave the element another kind."""
        return bool(self.state.values.get(name) != self._was(name))

    def _says_more(self, slot: str, name: str) -> bool:
        """Whether who filled the slot outranks who told the kind."""
        if self.state.values.get(name) is None:
            return True
        filled, told = self._filler(slot), self._source(name)
        if (filled.how == "first") != (told.how == "first"):
            return filled.how != "first"
        return filled.how != "first" or self._rank(filled) <= self._rank(told)

    def _rank(self, source: Source) -> tuple[int, str]:
        order = self.policy.fields(self.before.kind, self.many).authority(self.state.values.get(STAGE))
        return (order.index(source.origin) if source.origin in order else len(order), source.origin)

    def _fill(self, kind: str, slot: str, held: Mapping[str, str]) -> None:
        names = {key: attribute(self.many, key, KIND) for key in held}
        mine = [key for key in sorted(held) if self.state.values.get(names[key]) == kind]
        if mine:
            primary = self.state.held(PRIMARY[self.many])
            chosen = min(mine, key=lambda key: (primary is None or key != _key(self.many, primary), key))
            self.state.fill(slot, held[chosen], self._source(names[chosen]), FILLED)

    def _source(self, name: str) -> Source:
        return self.state.sources.get(name) or Source(RULE, "rule", self.now)

    def _filler(self, slot: str) -> Source:
        return self.state.filler(slot) or Source(RULE, "rule", self.now)

    def _same(self, one: Value, other: Value) -> bool:
        if one is None or other is None:
            return one is other
        return _key(self.many, one) == _key(self.many, other)


def _slots(many: str) -> Iterator[tuple[str, str]]:
    return ((kind, f"{many}.{kind}") for kind in KINDS[many])


def _key(many: str, value: str) -> str:
    return element_key(CONTACT[many].type)(value)


def _any(many: str, values: Mapping[str, Value]) -> bool:
    return any(name.startswith(f"{many}[") for name in values)
