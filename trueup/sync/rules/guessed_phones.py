"""Phone numbers that were written without a country code: which country they are of is a guess.

Where another record, or the hub, holds a number with its country code and the same national digits, it is
that number (of two the one of its record's own address); else what it was taken for before; else of the
first of these countries in which it is valid: that of the record's own address, of the number with its code
that it was typed over, of the contact's addresses as the hub holds them (of only one), the hub's region.
Valid in none it is set aside.

A country that comes to light only later (`Homes`) makes another number of one that was taken by less, as long
as no record shows it with its code; a move makes none. What is understood better is no edit: it is read anew,
there and in the hub, and nothing is written for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.mapping.compiled import Binding
from trueup.model.canonical import element_key
from trueup.model.canonical.phones import as_written, country_of, is_of, is_whole
from trueup.model.entity import Entity, Source
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.model.values import Absent, Rejected, Type, Value
from trueup.sync.rules.bare_phones import (
    PHONES,
    Guess,
    country_of_record,
    guesses_in,
    numbers_in,
    says_one_whole,
    typed_over,
    was_guessed,
    written_in,
)
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import Reading, hub_side
from trueup.sync.rules.homes import Homes, countries_of, homes_foretold
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.verdict import HUB

RULE = "what the number without its country code is"

Read = Mapping[int, tuple[Reading, ...]]
Has = Mapping[str, Value] | Rejected | Absent


@dataclass(frozen=True, slots=True)
class Better:
    """The readings by link with their numbers understood, the guesses that a link's record is found by all
    the same, what the hub holds by guess with what it is, by which `homes` (None where no number lacks its
    code), and who `said` those of which the country is told by more than an address: records by number."""

    read: Read
    guesses: Mapping[int, Sequence[str]] = field(default_factory=dict)
    hub: Mapping[str, str] = field(default_factory=dict)
    homes: Homes | None = None
    said: Mapping[str, str] = field(default_factory=dict)

    def reads_like(self, other: Better) -> bool:
        """Whether the same readings are understood alike there: nothing else follows from them."""
        if self.hub != other.hub or self.said != other.said:
            return False
        pairs = (pair for id, some in self.read.items() for pair in zip(some, other.read[id], strict=True))
        return all(one is two or (one.has == two.has and one.was == two.was) for one, two in pairs)


def understood(read: Read, case: Case, policy: Policy, homes: Homes | None = None) -> Better:
    """Every number without a country code, read as what is known of it. `homes`: where the contact lives once
    its addresses are decided; until then it is foretold."""
    found = {id: [*guesses_in(some)] for id, some in read.items()}
    if not any(found.values()) and not any(was_guessed(one) for some in read.values() for one in some):
        return Better(read)
    if homes is None:
        homes = homes_foretold(case.entity, (country_of_record(some) for some in read.values()))
    known = _known(read, found, case, policy, homes)
    better: dict[int, tuple[Reading, ...]] = {}
    for id, some in read.items():
        country = country_of_record(some)
        better[id] = tuple(_better(one, country, known, case.entity) for one in some)
    guesses = {id: [one.home for one in some if one.home is not None] for id, some in found.items()}
    by = homes if any(found.values()) else None
    return Better(better, guesses, _of_hub(found, known), by, _said(read, found, known))


def needs_weighing(readings: Iterable[tuple[Binding, Json]], held: Mapping[str, Value]) -> bool:
    """Whether a record by itself may tell more of a number without a country code than the hub's region."""
    bare = [one for one in readings if not says_one_whole(one[1])]
    guesses = [one for each in bare for one in written_in(*each) if not is_whole(one[0])]
    countries = countries_of(held) if guesses else ()
    if any(home is None or not is_of(home, country) for country in countries for _, home in guesses):
        return True
    others = set(numbers_in(held.values())) - {home for _, home in guesses}
    return any(as_written(text, one) for text, _ in guesses for one in others)


def put_right(state: Values, hub: Mapping[str, str], kind: Kind, policy: Policy) -> None:
    """Before the fields are judged: what the hub holds by guess is what it was found to be."""
    for name in [one for one in policy.tables[kind] if _is_phone(policy, kind, one)]:
        value = state.values.get(name)
        if value is not None and name in state.sources:
            state.put(name, _renamed(value, hub), state.sources[name], RULE)
    for name in [one for one in state.values if "[" in one]:
        anew = _renamed_attribute(name, hub)
        if anew != name and name in state.sources:
            source = state.sources[name]
            if anew not in state.values:
                state.put(anew, state.values[name], source, RULE)
            state.put(name, None, source, RULE)


def keep_said(state: Values, better: Better, now: datetime) -> None:
    """Once the fields are judged: remember who said the numbers that others write without their code, so that
    an address which is learned later makes no other ones of them."""
    held = set(numbers_in(state.values.values())) if better.said else ()
    said = {_element(one): ref for one, ref in better.said.items() if one in held}
    for name in [one for one in state.sources if one.startswith("phones[") and one.endswith("]")]:
        if name not in said:
            del state.sources[name]
    for name, ref in said.items():
        before = state.sources.get(name)
        if before is None or before.ref != ref:
            state.sources[name] = Source(ref.partition("/")[0], "first", now, ref=ref)


# -- what is known ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """Numbers said with their country code, and by which records; others that may be meant, and what the hub
    holds now."""

    outright: tuple[str, ...]
    by: Mapping[str, str]
    beside: tuple[str, ...]
    held: tuple[str, ...]
    homes: Homes

    def number(self, guess: Guess) -> str | None:
        """What a number without a country code is; None for none."""
        nearest = (one for one in (guess.by_address(), guess.home) if one in self.outright)
        said = next(nearest, None) or _as_one_of((*self.outright, *self.beside), guess.text)
        if said is not None:
            return said
        taken = _as_one_of(self.held, guess.text)
        if taken is not None and not self._gives_way(taken, guess):
            return taken
        return self._by_country(guess) or taken

    def before(self, guess: Guess) -> str | None:
        """What it was taken for."""
        return _as_one_of(self.held, guess.text) or guess.home

    def _by_country(self, guess: Guess) -> str | None:
        return guess.by_address() or self.typed(guess) or guess.of_one(self.homes.now) or guess.home

    def typed(self, guess: Guess) -> str | None:
        """As one of the country of the number with its code that it was typed over."""
        over = (n if is_whole(text) else _as_one_of(self.outright, text) for text, n in guess.over)
        return guess.of_one({country_of(one) for one in over if one is not None} - {""})

    def _gives_way(self, taken: str, guess: Guess) -> bool:
        """Whether it was taken for this number by less than is known now."""
        by_less = guess.by_address() != taken and taken in guess.readings(self.homes)
        return self.homes.learned and by_less


def _as_one_of(numbers: Iterable[str], text: str) -> str | None:
    """The first of these numbers that has the national digits of this text."""
    same = (as_written(text, one) for one in numbers)
    return next((one for one in same if one is not None), None)


def _known(
    read: Read, found: Mapping[int, Sequence[Guess]], case: Case, policy: Policy, homes: Homes
) -> _Known:
    entity = case.entity
    names = [one for one in policy.tables[entity.kind] if _is_phone(policy, entity.kind, one)]
    held = tuple(dict.fromkeys(numbers_in(entity.values.get(name) for name in names)))
    typed = [n for n in names if n in entity.sources and entity.sources[n].origin == HUB]
    outright = set(numbers_in(entity.values.get(name) for name in typed))
    outright.update(numbers_in(edit.value for edit in case.edits if edit.field in names))
    by = _by(read, entity, held, homes)
    guessed = {n for some in found.values() for one in some for n in one.readings(homes)}
    beside = tuple(one for one in held if one not in guessed)
    return _Known(tuple(sorted({*outright, *by})), by, beside, held, homes)


def _by(read: Read, entity: Entity, held: Sequence[str], homes: Homes) -> dict[str, str]:
    """Who says numbers with their country code, or said them and shows the same digits still."""
    heard = {n for some in read.values() for n in _published(some, homes)}.intersection(held)
    by: dict[str, str] = {}
    for one in (one for some in read.values() for one in some):
        for number in _outright(one, heard):
            by[number] = min(_ref(one), by.get(number, _ref(one)))
    for number in held:
        source = entity.sources.get(_element(number))
        if source is not None and any(_shows(some, source.ref, number) for some in read.values()):
            by[number] = source.ref
    return by


def _published(some: Sequence[Reading], homes: Homes) -> Iterator[str]:
    """What the hub may have made, and told others, of numbers that stood in a record without their code."""
    country = country_of_record(some)
    for one in some:
        if one.agreed is not None:
            for text, home in written_in(one.binding, one.agreed.remote):
                if not is_whole(text):
                    yield from Guess(text, home, country).readings(homes)


def _shows(some: Sequence[Reading], ref: str, number: str) -> bool:
    """Whether this is that record and holds these digits, with their code or without."""
    return any(
        _ref(one) == ref and (read == number if is_whole(text) else as_written(text, number) is not None)
        for one in some
        for text, read in written_in(one.binding, one.raw)
    )


def _ref(reading: Reading) -> str:
    link = reading.link
    return f"{link.connection}/{link.object}/{link.remote_id}"


def _said(read: Read, found: Mapping[int, Sequence[Guess]], known: _Known) -> dict[str, str]:
    """By number that somebody writes without its code the record that tells its country: it says the code, or
    said the one of the number that this was typed over."""
    said: dict[str, str] = {}
    for id, guesses in found.items():
        for one in guesses:
            number = known.number(one)
            if number is not None and number in known.by:
                said[number] = known.by[number]
            elif number is not None and one.by_address() is None and number == known.typed(one):
                said.setdefault(number, _ref(read[id][0]))
    return said


def _outright(reading: Reading, heard: Set[str]) -> Iterator[str]:
    """The numbers that a record says with their country code; what it may have `heard` from the hub, which
    guessed it then, it does not say by itself."""
    settled = reading.agreed is not None and not reading.moved
    decided = reading.agreed is not None and reading.agreed.withheld
    for text, number in written_in(reading.binding, reading.raw):
        may_be_heard = settled and text == number and (number in heard or decided)
        if number is not None and is_whole(text) and not may_be_heard:
            yield number


def _of_hub(found: Mapping[int, Sequence[Guess]], known: _Known) -> dict[str, str]:
    """What the hub holds that only a guess made of a number, by what that number is."""
    right = {known.number(one) for some in found.values() for one in some}
    anew: dict[str, str] = {}
    for some in found.values():
        for one in some:
            number = known.number(one)
            for guess in one.readings(known.homes):
                stays = guess in right or guess in known.outright
                if number is not None and not stays and guess in known.held:
                    anew[guess] = number
    return anew


def _is_phone(policy: Policy, kind: Kind, name: str) -> bool:
    return policy.tables[kind][name].type in PHONES


# -- reading ----------------------------------------------------------------------------------------


def _better(reading: Reading, country: str, known: _Known, entity: Entity) -> Reading:
    if reading.binding.type not in PHONES:
        return reading
    has = _anew(reading, reading.raw, reading.has, country, known.number)
    was, agreed = reading.was, reading.agreed
    if _was_unread(reading) and isinstance(has, Mapping):
        return replace(
            reading, has=has, agreed=None, was=None, before=hub_side(reading.binding, entity.values)
        )
    if was is not None and agreed is not None:
        same = agreed.remote == reading.raw
        way = known.number if same else known.before
        said: Mapping[str, Value] | Rejected = (
            reading.has if same and isinstance(reading.has, Rejected) else was
        )
        anew = _anew(reading, agreed.remote, said, country, way)
        was = anew if isinstance(anew, Mapping) else was
    return replace(reading, has=has, was=was)


def _was_unread(reading: Reading) -> bool:
    """Whether this was set aside since it was first seen: what it says is a first sight."""
    aside = reading.link.quarantine.get(reading.binding.key)
    settled = reading.agreed is not None and reading.agreed.remote == reading.raw
    return settled and isinstance(reading.has, Rejected) and aside is not None and aside.direction == "in"


def _anew(
    reading: Reading, raw: Json, values: Has, country: str, number: Callable[[Guess], str | None]
) -> Has:
    """What one phone field says, its guesses understood."""
    binding, meant = reading.binding, {}
    for text, home in written_in(binding, raw):
        if not is_whole(text):
            found = number(Guess(text, home, country, typed_over(reading)))
            if found is not None and found != home:
                meant[home] = found
    if not meant:
        return values
    if isinstance(values, Rejected):
        return {binding.fields[0]: meant[None]} if None in meant else values
    if not isinstance(values, Mapping):
        return values
    known = {home: found for home, found in meant.items() if home is not None}
    return {_renamed_attribute(name, known): _renamed(value, known) for name, value in values.items()}


def _renamed(value: Value, names: Mapping[str, str]) -> Value:
    if isinstance(value, list):
        return sorted({names.get(one, one) for one in value})
    return names.get(value, value) if isinstance(value, str) else value


def _renamed_attribute(name: str, names: Mapping[str, str]) -> str:
    key = element_key(Type.PHONES)
    for old, new in names.items():
        name = name.replace(f"[{key(old)}]", f"[{key(new)}]")
    return name


def _element(number: str) -> str:
    """The address of a number as an element, under which `sources` tells who said it."""
    return f"phones[{element_key(Type.PHONES)(number)}]"
