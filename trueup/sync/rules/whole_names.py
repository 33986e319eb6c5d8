"""Whole names that were cut into parts, against the parts that somebody says: the cut of one text is a guess.

Where another record, or the hub by somebody else's word, says the same words in fields of their own, the
whole name is read as they are cut there, whoever is believed more. It is then the same name: nothing is
judged, and nothing is written. Where the words are the same in another script, by an initial or as a part of
a double name, and only in the other order, the order is taken from there, and the words are judged as ever.
A lone word is the half that it is for those who say the other one, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.dedupe.names import fit, likeness
from trueup.mapping.compiled import Binding
from trueup.mapping.names import Cut, cut_as_said, is_lone, lone_as, other_cuts
from trueup.model.entity import Entity, Link, Source
from trueup.model.fields import NAME_PARTS
from trueup.model.values import Value
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import Reading
from trueup.sync.rules.name_halves import HALVES, SURE, is_whole_name
from trueup.sync.rules.policy import Policy

RULE = "said in fields of its own"


@dataclass(frozen=True, slots=True)
class Said:
    """A name by its parts, and the record that says it so; None: the hub."""

    parts: Mapping[str, Value]
    link: Link | None


@dataclass(frozen=True, slots=True)
class Known:
    """Names by their parts, who is asked first before others. `said`: whole ones, in fields of their own;
    `lone`: also those that can tell only which half a lone word is."""

    said: Sequence[Said]
    lone: Sequence[Said]

    def and_then(self, more: Sequence[Said]) -> Known:
        return Known([*self.said, *more], [*self.lone, *more])

    def without(self, left_out: Callable[[Said], bool]) -> Known:
        return Known(*([one for one in some if not left_out(one)] for some in (self.said, self.lone)))

    def cut(self, read: Mapping[str, Value]) -> Cut | None:
        """How a whole name is to be cut; None where nobody tells, or it was read right."""
        return self.asked(read)[1]

    def asked(self, read: Mapping[str, Value]) -> tuple[Said | None, Cut | None]:
        """The first who knows a whole name, and how it is to be cut."""
        some, of_one = (self.lone, _half) if is_lone(read) else (self.said, _order)
        told = ((one, of_one(read, one.parts)) for one in some)
        one, cut = next(((one, cut) for one, cut in told if cut is not None), (None, None))
        return one, cut if cut is not _AS_READ else None


def is_whole(binding: Binding) -> bool:
    """Whether a remote field holds a whole name."""
    return binding.fields == NAME_PARTS


def recut(
    read: Mapping[int, tuple[Reading, ...]], entity: Entity, policy: Policy
) -> tuple[Mapping[int, tuple[Reading, ...]], Said | None]:
    """The readings by link with whole names cut as they are said, and who says what the hub only guessed."""
    if not any(is_whole(one.binding) for some in read.values() for one in some):
        return read, None
    guessed = _is_guessed(entity, policy)
    own = sorted(_by_parts(read), key=lambda one: _place(one, entity, policy, guessed))
    said = [one for one in own if is_whole_name(one.parts)]
    if not guessed and is_whole_name(entity.values):
        said.insert(0, Said(entity.values, None))
    known = Known(said, [*said, *_whole_texts(read, entity), *own])
    found = {id: tuple(_recut(one, known) for one in some) for id, some in read.items()}
    if not guessed:
        return found, None
    own_words = known.without(lambda one: one.link is None or _may_have_heard(one, entity))
    teller, cut = own_words.asked(entity.values)
    return found, teller if cut is not None else None


def put_right(state: Values, said: Said) -> None:
    """Before the fields are judged: what the hub holds of a whole name is cut as somebody says it. Who says
    the same words vouches for them; other words (of another script) stay those of who said them."""
    before = dict(state.values)
    exact = cut_as_said(before, said.parts) if is_whole_name(said.parts) else None
    cut = Known([said] if is_whole_name(said.parts) else [], [said]).cut(before)
    parts = cut.of(before) if cut is not None else None
    if parts is None or said.link is None:
        return
    link = said.link
    for name in NAME_PARTS:
        source = state.sources.get(name) or state.sources["last_name"]
        if exact is not None:
            ref = f"{link.connection}/{link.object}/{link.remote_id}"
            source = replace(source, origin=link.connection, ref=ref)
        state.win(name, parts.get(name), source, RULE)


def _by_parts(read: Mapping[int, tuple[Reading, ...]]) -> Iterator[Said]:
    """What the records say in fields of their own."""
    for some in read.values():
        parts = {
            name: one.has[name]
            for one in some
            if len(one.binding.fields) == 1 and one.binding.inward and isinstance(one.has, Mapping)
            for name in one.has
            if name in NAME_PARTS
        }
        if any(parts.get(half) for half in HALVES):
            yield Said(parts, some[0].link)


def _whole_texts(read: Mapping[int, tuple[Reading, ...]], entity: Entity) -> Iterator[Said]:
    """Whole names of more than one word, however they are cut: they tell which half a lone word is."""
    if is_whole_name(entity.values):
        yield Said(entity.values, None)
    for some in read.values():
        for one in some:
            if is_whole(one.binding) and isinstance(one.has, Mapping) and is_whole_name(one.has):
                yield Said(one.has, one.link)


def _is_guessed(entity: Entity, policy: Policy) -> bool:
    """Whether the hub holds a name that was cut out of a whole one."""
    held = [entity.sources.get(name) for name in NAME_PARTS if entity.values.get(name) is not None]
    return bool(held) and all(one is not None and _is_of_whole(one, policy) for one in held)


def _is_of_whole(source: Source, policy: Policy) -> bool:
    connection, _, rest = source.ref.partition("/")
    mapping = policy.mappings.get((connection, rest.partition("/")[0]))
    return mapping is not None and any(is_whole(one) for one in mapping.bindings)


def _place(one: Said, entity: Entity, policy: Policy, guessed: bool) -> tuple[object, ...]:
    """Who is asked first."""
    assert one.link is not None
    order = policy.fields(entity.kind, "last_name").authority(entity.values.get("stage"))
    place = order.index(one.link.connection) if one.link.connection in order else len(order)
    return (
        guessed and _may_have_heard(one, entity),
        place,
        not one.link.primary,
        *one.link.stream,
        one.link.remote_id or "",
    )


def _may_have_heard(one: Said, entity: Entity) -> bool:
    """An older record that says what the hub guessed may have heard it from the hub."""
    heard = all(one.parts.get(name) == entity.values.get(name) for name in one.parts)
    return heard and one.link is not None and not one.link.fresh


def _recut(reading: Reading, known: Known) -> Reading:
    if not is_whole(reading.binding) or not isinstance(reading.has, Mapping):
        return reading
    known = known.and_then(_agreed(reading))
    before = known.cut(reading.was or {})
    cut = known.cut(reading.has) or _same_way(reading, before)
    has = cut.of(reading.has) if cut is not None else None
    was = before.of(reading.was or {}) if before is not None else None
    return replace(reading, has=has or reading.has, was=was or reading.was)


def _agreed(reading: Reading) -> list[Said]:
    """The parts that were agreed with this record; the hub may hold others since."""
    hub = reading.agreed.hub if reading.agreed is not None else None
    if not isinstance(hub, list):
        return []
    return [Said(dict(zip(NAME_PARTS, hub, strict=False)), None)]


def _order(read: Mapping[str, Value], said: Mapping[str, Value]) -> Cut | None:
    """The cut of the same words; else the order (as it was read, or the other one) in which it is surer the
    name that somebody says. None where the name is another one."""
    exact = cut_as_said(read, said)
    if exact is not None or not is_whole_name(read):
        return exact
    cuts = [read, *(one for one in other_cuts(read) if is_whole_name(one))]
    best = max(cuts, key=lambda one: fit(_pair(one), _pair(said)))
    if not fit(_pair(best), _pair(said)):
        return None
    return _AS_READ if best is read else cut_as_said(read, best)


_AS_READ = Cut((), ())
"""Somebody knows the name, in other words: it was read right."""


def _half(read: Mapping[str, Value], said: Mapping[str, Value]) -> Cut | None:
    """The half of a name that a lone word is; None where those who say it do not tell."""
    first, last = (likeness(_pair(read)[1], half) for half in _pair(said))
    if max(first, last) < SURE or first == last:
        return None
    return lone_as("first_name" if first > last else "last_name")


def _pair(values: Mapping[str, Value]) -> tuple[str, str]:
    return (str(values.get("first_name") or ""), str(values.get("last_name") or ""))


def _same_way(reading: Reading, before: Cut | None) -> Cut | None:
    """An edit of some words of a name that is not cut as it would be by itself is cut the same way."""
    if before is None or not isinstance(reading.has, Mapping) or not reading.was:
        return None
    has, was = before.of(reading.has), before.of(reading.was)
    if has is None or was is None or was == reading.was:
        return None
    return (
        before if any(has[name] and has[name] == was[name] for name in ("first_name", "last_name")) else None
    )
