"""Postal addresses in slots: said in part, put right, or left (0025).

- What a system does not hold of an address goes with it: who moves somebody, or empties all that their system
  shows, leaves no region and no country of the old address behind.
- Who puts an address right in a slot (`corrects`) changes the element: in the other slots that held it as far
  as they may decide them, and in lists. A part that was only taken away stays where they see it, too.
- Who moves somebody to what their system shows of one held address means that address.
- What a list without a place for some part names (no country) and another address says whole is that one.
- What was seen first in a slot and says a part of the one address that a list names (only the city) is that
  address. What somebody edited is what they said, and nothing is added to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

from trueup.dedupe.towns import respelled
from trueup.model.canonical.postal import address_key, address_of, corrects, covers, parts_of, said_in
from trueup.model.entity import Entity, Source
from trueup.model.fields import ADDRESS_PARTS, KIND, LABEL, attribute
from trueup.model.slots import FIELDS, held_in
from trueup.sync.rules.decide_values import STAGE, Values, source_of
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.slot_rights import refused, strongest
from trueup.sync.rules.verdict import HUB


@dataclass(frozen=True, slots=True)
class Correction:
    """An element that was put right in a slot, and who did so."""

    old: str
    new: str
    slot: str
    by: Claim


@dataclass(slots=True)
class Postal:
    """One decision on the postal addresses of a contact, after its fields were judged."""

    state: Values
    before: Entity
    many: str
    slots: Sequence[str]
    claims: Sequence[Claim]
    policy: Policy
    now: datetime

    def settle(self, listed: Sequence[str], shown: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Make the slots fit. Gives the keys of the elements that are now held as they were put right, or
        whole: those are one with what lists name (`listed`) of them. `shown`: by key of what lists name, the
        parts for which those have a place."""
        edited = [slot for slot in self.slots if self._edits(slot)]
        for slot in edited:
            self._leave_behind(slot)
        right = frozenset(address_key(one.old) for one in self._corrections(edited) if self._put_right(one))
        right |= self._unite(shown, right)
        if listed:
            self._complete(listed, right)
        return right

    # -- who edited a slot --------------------------------------------------------------------------

    def _editor(self, slot: str) -> Claim | None:
        """Who moved what stands in this slot in this decision; None for nobody, or a first sight."""
        source = self.state.filler(slot)
        if source is None or self.state.held(slot) == held_in(slot, self.before.values):
            return None
        return next((claim for claim in self._edits(slot) if self._is_from(claim, source)), None)

    def _edits(self, slot: str) -> list[Claim]:
        return [claim for claim in self.claims if claim.field in FIELDS[slot] and not claim.first]

    def _is_from(self, claim: Claim, source: Source) -> bool:
        if claim.connection == HUB:
            return source.origin == HUB and source.user == claim.user
        return source.how == "edit" and source.ref == claim.source

    # -- what a system does not hold ----------------------------------------------------------------

    def _leave_behind(self, slot: str) -> None:
        """Take the one held address that the editor's system shows so; of another one take away the parts
        that it does not show, unless the address was put right."""
        old, new = held_in(slot, self.before.values), self.state.held(slot)
        source, editor = self.state.filler(slot), self._editor(slot)
        if new is None or source is None or editor is None or editor.connection == HUB:
            return
        shown = frozenset(self._shown(slot, editor))
        seen, was = (_cut(one, shown) if one is not None else None for one in (new, old))
        known = self._known_as(seen, shown) if seen is not None else None
        if known is not None:
            self.state.fill(slot, known, source, "the whole of it")
        elif old is not None and (
            seen is None or (was is not None and seen != was and not _stays(seen, was))
        ):
            self.state.fill(slot, seen, source, "another address")

    def _known_as(self, seen: str, shown: frozenset[str]) -> str | None:
        """The held address of which a system with these parts shows no more than this; None where that is an
        address by itself, or where several are shown so."""
        held = self.state.values.get(self.many) or ()
        if shown >= _FULL or address_key(seen) in map(address_key, held):
            return None
        return _whole(_by_form(held, [shown]).get((shown, said_in(seen)), ()))

    def _shown(self, slot: str, editor: Claim) -> set[str]:
        """The parts of a slot that the editor's system holds."""
        streams = (
            mapping
            for (connection, object), mapping in self.policy.mappings.items()
            if editor.source.startswith(f"{connection}/{object}/")
        )
        names = {name for mapping in streams for binding in mapping.bindings for name in binding.fields}
        return {name.rpartition(".")[2] for name in FIELDS[slot] if name in names}

    # -- put right ----------------------------------------------------------------------------------

    def _corrections(self, edited: Sequence[str]) -> list[Correction]:
        """Elements that an edit of these slots put right; none that was put right in two ways."""
        held = set(map(address_key, self.before.values.get(self.many) or ()))
        found: dict[str, list[Correction]] = {}
        for slot in edited:
            old, new, editor = held_in(slot, self.before.values), self.state.held(slot), self._editor(slot)
            if old is None or new is None or editor is None:
                continue
            if address_key(old) in held and address_key(new) not in held and corrects(new, old):
                found.setdefault(address_key(old), []).append(Correction(old, new, slot, editor))
        return [some[0] for some in found.values() if len({address_key(one.new) for one in some}) == 1]

    def _put_right(self, one: Correction) -> bool:
        """Let the other slots and the lists follow. Whether the old form is held no more."""
        stood = [slot for slot in self.slots if self._stands(one.old, slot)]
        stay = [slot for slot in stood if not self._follow(one, slot)]
        if stay or not self._may_change_lists(one.by):
            return False
        self._rename_all(one.old, one.new)
        return True

    def _stands(self, element: str, slot: str) -> bool:
        value = self.state.held(slot)
        return value is not None and address_key(value) == address_key(element)

    def _follow(self, one: Correction, slot: str) -> bool:
        if self._edits(slot) and self.state.held(slot) != held_in(slot, self.before.values):
            return False  # put there just now
        if covers(one.old, one.new) and (one.by.connection == HUB or self._shown(slot, one.by)):
            return False  # who took a part away in one slot left it in this one, before their eyes
        if strongest(slot, [one.by], self.state, self.before.kind, self.policy) is None:
            lost = refused(slot, self.state, FIELDS[slot][0].rpartition(".")[0], one.new, one.by.source)
            self.state.conflicts.append(lost)
            return False
        filler = self.state.filler(slot)
        source = source_of(one.by, self.now, self.policy.fields(self.before.kind, FIELDS[slot][0]))
        source = replace(source, pinned=filler is not None and filler.pinned)
        self.state.fill(slot, one.new, source, "put right in another place")
        return True

    def _may_change_lists(self, claim: Claim) -> bool:
        source = self.state.sources.get(self.many)
        if claim.connection == HUB:
            return True
        authority = self.policy.fields(self.before.kind, self.many).authority(self.state.values.get(STAGE))
        return claim.connection in authority and not (source is not None and source.pinned)

    def _rename_all(self, old: str, new: str) -> None:
        """What was known of the element is known of what it has become."""
        for what in (KIND, LABEL):
            self._rename(*(attribute(self.many, address_key(each), what) for each in (old, new)))

    def _rename(self, name: str, other: str) -> None:
        source = self.state.sources.get(name)
        if name in self.state.values and other not in self.state.values and source is not None:
            self.state.put(other, self.state.values[name], source, "put right")

    # -- kept in part -------------------------------------------------------------------------------

    def _unite(self, shown: Mapping[str, Collection[str]], right: frozenset[str]) -> frozenset[str]:
        """Addresses that lack what no list that names them has a place for are the one that says it. The keys
        of those that are held whole now."""
        in_slots = (one for slot in self.slots if (one := self.state.held(slot)) is not None)
        held = {address_key(one): one for one in (*(self.state.values.get(self.many) or ()), *in_slots)}
        held = {key: one for key, one in held.items() if key not in right}
        source = self.state.sources.get(self.many)
        short = {key: frozenset(shown[key]) for key in held if not _FULL.issubset(shown.get(key, _FULL))}
        if not short or (source is not None and source.pinned):
            return frozenset()
        forms = _by_form(held.values(), set(short.values()))
        wholes = (
            (held[key], _whole(forms.get((parts, said_in(held[key])), ()))) for key, parts in short.items()
        )
        pairs = [(one, whole) for one, whole in wholes if whole not in (None, one)]
        return frozenset(address_key(one) for one, whole in pairs if whole and self._is_whole(one, whole))

    def _is_whole(self, short: str, whole: str) -> bool:
        """Let slots and attributes follow. Whether the short form is held no more."""
        for slot in self.slots:
            source = self.state.filler(slot)
            if self._stands(short, slot) and source is not None and source.how == "first":
                self.state.fill(slot, whole, source, "the whole of it")
        if any(self._stands(short, slot) for slot in self.slots):
            return False
        self._rename_all(short, whole)
        return True

    # -- said in part -------------------------------------------------------------------------------

    def _complete(self, listed: Sequence[str], right: frozenset[str]) -> None:
        """Slots that say a part of the one address that lists name and that was taken from them."""
        before, now = (
            set(map(address_key, one.get(self.many) or ())) for one in (self.before.values, self.state.values)
        )
        named = {address_key(one): one for one in listed}
        known = {key: one for key, one in named.items() if key in now - right}
        for slot in self.slots:
            value, source = self.state.held(slot), self.state.filler(slot)
            if value is None or source is None or source.how != "first":
                continue
            key = address_key(value)
            if key in named or key in now - before:
                continue
            whole = [one for one in known.values() if covers(one, value) and not self._left(slot, one)]
            if len(whole) == 1:
                self.state.fill(slot, whole[0], source, "the whole of it")

    def _left(self, slot: str, element: str) -> bool:
        """Whether this element was taken out of the slot in this decision."""
        old = held_in(slot, self.before.values)
        return old is not None and bool(self._edits(slot)) and covers(element, old)


_FULL = frozenset(ADDRESS_PARTS)


def _stays(seen: str, was: str) -> bool:
    """Whether what a system shows is no move: put right, or the same town spelled in another way."""
    one, other = parts_of(seen), parts_of(was)
    return corrects(seen, was) or (
        one.keys() == other.keys() and all(respelled(part, str(one[part]), str(other[part])) for part in one)
    )


def _cut(address: str, parts: Collection[str]) -> str | None:
    """The address as it is where only these parts are held; None for nothing."""
    return address_of({part: text for part, text in parts_of(address).items() if part in parts})


def _by_form(
    all: Iterable[str], places: Iterable[frozenset[str]]
) -> dict[tuple[frozenset[str], frozenset[tuple[str, str]]], list[str]]:
    """The addresses by what lists with these places show of them."""
    found: dict[tuple[frozenset[str], frozenset[tuple[str, str]]], list[str]] = {}
    for one, parts in product(all, places):
        form = frozenset((part, words) for part, words in said_in(one) if part in parts)
        found.setdefault((parts, form), []).append(one)
    return found


def _whole(alike: Sequence[str]) -> str | None:
    """The one of these addresses that says all that any of them says."""
    most = max(alike, key=lambda one: (len(said_in(one)), one), default=None)
    return most if most is not None and all(covers(most, one) for one in alike) else None


def beyond_others(some: Mapping[str, str], all: Mapping[str, str]) -> dict[str, str]:
    """Of addresses by key those that are no part of another one among `all`."""
    saying: dict[tuple[str, str], set[str]] = {}
    for key, one in all.items() if some else ():
        for part in said_in(one):
            saying.setdefault(part, set()).add(key)
    return {key: one for key, one in some.items() if not _of_others(key, one, saying)}


def _of_others(key: str, one: str, saying: Mapping[tuple[str, str], set[str]]) -> bool:
    sets: Iterable[set[str]] = sorted((saying[part] for part in said_in(one)), key=len)
    first, *rest = sets
    return bool(first.intersection(*rest) - {key})
