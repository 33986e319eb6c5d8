"""Phone numbers that were written without a country code: which country they are of is a guess.

Where another record, or the hub, holds a number with its country code and the same national digits, it is
that number; else what it was taken for before; else of the country of the record's own address, if it is
valid there; else of the hub's region. What is understood better is no edit: it is read anew, there and in the
hub, and nothing is written for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from trueup.mapping.compiled import Binding
from trueup.mapping.schema import Shape
from trueup.model.canonical import element_key
from trueup.model.canonical.phones import as_written, in_country, is_of, is_whole
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.model.values import Absent, Rejected, Type, Value
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import Reading
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.verdict import HUB

RULE = "said with its country code"
_PHONES = (Type.PHONE, Type.PHONES)
_BETWEEN = re.compile(r"[;,|\n]")

Read = Mapping[int, tuple[Reading, ...]]
Has = Mapping[str, Value] | Rejected | Absent


@dataclass(frozen=True, slots=True)
class Better:
    """The readings by link with their numbers understood, the guesses that a link's record is found by all
    the same, and what the hub holds by guess with what it is."""

    read: Read
    guesses: Mapping[int, Sequence[str]] = field(default_factory=dict)
    hub: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Guess:
    """One number without a country code: as written, as read at home (None: no number there), and where the
    record is at home."""

    text: str
    home: str | None
    country: str

    def by_address(self) -> str | None:
        return in_country(self.text, self.country) if self.country else None


def understood(read: Read, case: Case, policy: Policy) -> Better:
    """Every number without a country code, read as what is known of it."""
    found = {id: [*_guesses(some)] for id, some in read.items()}
    if not any(found.values()) and not any(_was_guessed(one) for some in read.values() for one in some):
        return Better(read)
    known = _known(read, found, case, policy)
    better: dict[int, tuple[Reading, ...]] = {}
    for id, some in read.items():
        country = _country(some)
        better[id] = tuple(_better(one, country, known) for one in some)
    guesses = {id: [one.home for one in some if one.home is not None] for id, some in found.items()}
    return Better(better, guesses, _of_hub(found, known))


def needs_weighing(readings: Iterable[tuple[Binding, Json]], held: Mapping[str, Value]) -> bool:
    """Whether a record by itself may tell more of a number without a country code than the hub's region."""
    bare = [one for one in readings if not _says_one_whole(one[1])]
    guesses = [one for each in bare for one in _written(*each) if not is_whole(one[0])]
    country = _country_of(held) if guesses else ""
    if country and any(home is None or not is_of(home, country) for _, home in guesses):
        return True
    others = set(_numbers(held.values())) - {home for _, home in guesses}
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


# -- what is known ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """Numbers said with their country code, others that may be meant, and what the hub holds now."""

    outright: tuple[str, ...]
    beside: tuple[str, ...]
    held: tuple[str, ...]

    def number(self, guess: _Guess) -> str | None:
        """What a number without a country code is; None for none."""
        if guess.home in self.outright:
            return guess.home
        same = (as_written(guess.text, one) for one in (*self.outright, *self.beside, *self.held))
        return next((one for one in same if one is not None), guess.by_address() or guess.home)

    def before(self, guess: _Guess) -> str | None:
        """What it was taken for."""
        same = (as_written(guess.text, one) for one in self.held)
        return next((one for one in same if one is not None), guess.home)


def _known(read: Read, found: Mapping[int, Sequence[_Guess]], case: Case, policy: Policy) -> _Known:
    entity = case.entity
    names = [one for one in policy.tables[entity.kind] if _is_phone(policy, entity.kind, one)]
    held = tuple(dict.fromkeys(_numbers(entity.values.get(name) for name in names)))
    typed = [n for n in names if n in entity.sources and entity.sources[n].origin == HUB]
    outright = set(_numbers(entity.values.get(name) for name in typed))
    outright.update(_numbers(edit.value for edit in case.edits if edit.field in names))
    guessed = {n for some in found.values() for one in some for n in (one.home, one.by_address())}
    heard = guessed.intersection(held)
    for some in read.values():
        for one in some:
            outright.update(_outright(one, heard))
    beside = tuple(one for one in held if one not in guessed)
    return _Known(tuple(sorted(outright)), beside, held)


def _outright(reading: Reading, heard: Set[str | None]) -> Iterator[str]:
    """The numbers that a record says with their country code; what it may have `heard` from the hub, which
    guessed it then, it does not say by itself."""
    settled = reading.agreed is not None and not reading.moved
    decided = reading.agreed is not None and reading.agreed.withheld
    for text, number in _written(reading.binding, reading.raw):
        may_be_heard = settled and text == number and (number in heard or decided)
        if number is not None and is_whole(text) and not may_be_heard:
            yield number


def _of_hub(found: Mapping[int, Sequence[_Guess]], known: _Known) -> dict[str, str]:
    """What the hub holds that only a guess made of a number, by what that number is."""
    right = {known.number(one) for some in found.values() for one in some}
    anew: dict[str, str] = {}
    for some in found.values():
        for one in some:
            number = known.number(one)
            for guess in (one.home, one.by_address()):
                stays = guess is None or guess in right or guess in known.outright
                if number is not None and not stays and guess in known.held:
                    anew[str(guess)] = number
    return anew


def _is_phone(policy: Policy, kind: Kind, name: str) -> bool:
    return policy.tables[kind][name].type in _PHONES


def _numbers(values: Iterable[Value]) -> Iterator[str]:
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one.startswith("+") and one[1:2].isdigit():
                yield one


# -- reading ----------------------------------------------------------------------------------------


def _guesses(some: Sequence[Reading]) -> Iterator[_Guess]:
    country: str | None = None
    for one in some:
        if one.binding.type not in _PHONES or _says_one_whole(one.raw):
            continue
        for text, home in _written(one.binding, one.raw):
            if not is_whole(text):
                country = _country(some) if country is None else country
                yield _Guess(text, home, country)


def _says_one_whole(raw: Json | Absent) -> bool:
    """The commonest case at once: one number with its country code."""
    return isinstance(raw, str) and is_whole(raw) and _BETWEEN.search(raw) is None


def _was_guessed(reading: Reading) -> bool:
    """Whether a number was without its country code when it was agreed."""
    agreed = reading.agreed
    if agreed is None or reading.binding.type not in _PHONES or agreed.remote == reading.raw:
        return False
    return any(not is_whole(text) for text, _ in _written(reading.binding, agreed.remote))


def _written(binding: Binding, raw: Json) -> Iterator[tuple[str, str | None]]:
    """The numbers of a phone field, as they are written and as they are read by themselves; None for none."""
    if binding.type not in _PHONES or binding.shape is Shape.ELEMENT:
        return
    if not isinstance(raw, list):
        for text in (
            [raw] if binding.type is Type.PHONE else _BETWEEN.split(raw) if isinstance(raw, str) else ()
        ):
            if isinstance(text, str | int):
                yield from _alone(str(text), binding.read(text), binding)
        return
    for one in raw:
        read = binding.read([one])
        for text in [*map(str, one.values())] if isinstance(one, dict) else [str(one)]:
            yield from _alone(text, read, binding)


def _alone(
    text: str, read: Mapping[str, Value] | Rejected, binding: Binding
) -> Iterator[tuple[str, str | None]]:
    if isinstance(read, Rejected):
        if binding.type is Type.PHONE and sum(map(str.isdigit, text)) >= _FEWEST:
            yield text, None
        return
    for number in dict.fromkeys(_numbers(read.get(name) for name in binding.fields)):
        if as_written(text, number) is not None:
            yield text, number


_FEWEST = 6
"""Fewer digits are no number of a person."""


def _country(some: Sequence[Reading]) -> str:
    held = {name: value for one in some if isinstance(one.has, Mapping) for name, value in one.has.items()}
    return _country_of(held)


def _country_of(held: Mapping[str, Value]) -> str:
    said = (
        value for name, value in sorted(held.items()) if name.endswith("address.country") or _of_slot(name)
    )
    return str(next((value for value in said if value), ""))


def _of_slot(name: str) -> bool:
    return name.startswith("addresses.") and name.endswith(".country")


def _better(reading: Reading, country: str, known: _Known) -> Reading:
    if reading.binding.type not in _PHONES:
        return reading
    has = _anew(reading.binding, reading.raw, reading.has, country, known.number)
    was, agreed = reading.was, reading.agreed
    if was is not None and agreed is not None:
        same = agreed.remote == reading.raw
        way = known.number if same else known.before
        said: Mapping[str, Value] | Rejected = (
            reading.has if same and isinstance(reading.has, Rejected) else was
        )
        anew = _anew(reading.binding, agreed.remote, said, country, way)
        was = anew if isinstance(anew, Mapping) else was
    return replace(reading, has=has, was=was)


def _anew(
    binding: Binding, raw: Json, values: Has, country: str, number: Callable[[_Guess], str | None]
) -> Has:
    """What one phone field says, its guesses understood."""
    meant = {}
    for text, home in _written(binding, raw):
        if not is_whole(text):
            found = number(_Guess(text, home, country))
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
