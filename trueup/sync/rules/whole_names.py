"""Whole names that were cut into parts, against the parts that somebody says: the cut of one text is a guess.

Where another record, or the hub by somebody else's word, says the same words in fields of their own, the
whole name is read as they are cut there, whoever is believed more. It is then the same name: nothing is
judged, and nothing is written. Where the words are the same in another script, by an initial or as a part of
a double name, and only in the other order, the order is taken from there, and the words are judged as ever.
A lone word is the half that it is for those who say the other one, too.

Who told it is remembered with the value (`Source.cut_by`), because the hub then writes the name to the
records: what one says may be the hub's own word from there on, and tells nothing any more. Told once, the
order is taken from others only for what they say anew, and only if they are asked before who told it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.dedupe.names import fit, likeness
from trueup.mapping.compiled import Binding
from trueup.mapping.names import Cut, cut_as_said, is_lone, lone_as, of_values, other_cuts
from trueup.model.entity import Entity, Link, Source
from trueup.model.fields import NAME_PARTS
from trueup.model.values import Value
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import Reading
from trueup.sync.rules.name_halves import HALVES, SURE, is_whole_name
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.verdict import HUB

RULE = "said in fields of its own"


@dataclass(frozen=True, slots=True)
class Said:
    """A name by its parts, and the record that says it so; None: the hub. `by`: the record, or whose word the
    hub repeats, as `Source.cut_by`. `moved`: the record did not say so before."""

    parts: Mapping[str, Value]
    link: Link | None
    by: str = ""
    moved: bool = False

    @property
    def is_new(self) -> bool:
        """Whether somebody says it for the first time now."""
        return self.moved or (self.link is not None and self.link.fresh)


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


_NOBODY = Known((), ())


@dataclass(frozen=True, slots=True)
class Recut:
    """The readings by link with whole names cut as they are said. `named_so`: who says in parts what the hub
    only guessed, or heard from somebody who is asked later. `tellers`: whose word the cut of the hub's name
    may rest on; what the hub itself may have written is not among it."""

    read: Mapping[int, tuple[Reading, ...]]
    named_so: Said | None
    tellers: Known


def is_whole(binding: Binding) -> bool:
    """Whether a remote field holds a whole name."""
    return binding.fields == NAME_PARTS


def recut(read: Mapping[int, tuple[Reading, ...]], entity: Entity, policy: Policy) -> Recut:
    """What the records say of one entity, with whole names cut as somebody says them."""
    if not any(is_whole(one.binding) for some in read.values() for one in some):
        return Recut(read, None, _NOBODY)
    by, cut_out = _cut_by(entity, policy), _is_cut_out(entity, policy)
    own = sorted(_by_parts(read), key=lambda one: _place(one, entity, policy, cut_out and not by))
    words = [one for one in own if not _may_have_heard(one, entity) and (one.is_new or not by)]
    first: list[Said] = []
    if by and (cut_out or is_whole_name(entity.values)):
        better = _before(by, words, entity, policy) if cut_out else []
        first = [*better, Said(entity.values, None, by)]
    said = [one for one in (*first, *own) if is_whole_name(one.parts)]
    known = Known(said, [*said, *first, *_whole_texts(read, entity), *own])
    found = {id: tuple(_recut(one, known) for one in some) for id, some in read.items()}
    tellers = _known([*first, *words])
    unsure = known.without(lambda one: one.link is None or _may_have_heard(one, entity))
    named_so = _teller(tellers if by else unsure, entity) if cut_out else None
    return Recut(found, named_so, tellers)


def put_right(state: Values, said: Said) -> None:
    """Before the fields are judged: what the hub holds of a whole name is cut as somebody says it. Who says
    the same words vouches for them; other words (of another script) stay those of who said them."""
    before = dict(state.values)
    exact = cut_as_said(before, said.parts) if is_whole_name(said.parts) else None
    cut = Known([said] if is_whole_name(said.parts) else [], [said]).cut(before)
    parts = cut.of(before) if cut is not None else None
    if parts is None or said.link is None:
        return
    for name in NAME_PARTS:
        source = state.sources.get(name) or state.sources["last_name"]
        if exact is not None:
            source = replace(source, origin=said.link.connection, ref=said.by, cut_by="")
        state.win(name, parts.get(name), source, RULE)


def remember(state: Values, tellers: Known, policy: Policy) -> None:
    """After the fields are judged: who said in parts what was cut out of a whole name, if anybody did. Once
    that is written to the records, nobody can tell any more."""
    held = {name: state.sources.get(name) for name in NAME_PARTS if state.values.get(name) is not None}
    if not tellers.lone or not all(one is not None and _is_of_whole(one, policy) for one in held.values()):
        return
    one, cut = tellers.asked(state.values)
    told = cut.of(state.values) if cut is not None else state.values
    by = one.by if one is not None and told and of_values(told) == of_values(state.values) else ""
    for name, source in held.items():
        if source is not None:
            state.sources[name] = replace(source, cut_by=by)


def _by_parts(read: Mapping[int, tuple[Reading, ...]]) -> Iterator[Said]:
    """What the records say in fields of their own."""
    for some in read.values():
        told = [one for one in some if one.binding.inward and one.binding.fields[0] in NAME_PARTS]
        told = [one for one in told if len(one.binding.fields) == 1]
        parts = {name: one.has[name] for one in told if isinstance(one.has, Mapping) for name in one.has}
        if any(parts.get(half) for half in HALVES):
            link = told[0].link
            ref = f"{link.connection}/{link.object}/{link.remote_id}"
            yield Said(parts, link, ref, any(one.moved for one in told))


def _whole_texts(read: Mapping[int, tuple[Reading, ...]], entity: Entity) -> Iterator[Said]:
    """Whole names of more than one word, however they are cut: they tell which half a lone word is."""
    if is_whole_name(entity.values):
        yield Said(entity.values, None)
    for some in read.values():
        for one in some:
            if is_whole(one.binding) and isinstance(one.has, Mapping) and is_whole_name(one.has):
                yield Said(one.has, one.link)


def _teller(asked: Known, entity: Entity) -> Said | None:
    """The record, if any, that is asked first and says the hub's name cut otherwise."""
    one, cut = asked.asked(entity.values)
    return one if cut is not None and one is not None and one.link is not None else None


def _is_cut_out(entity: Entity, policy: Policy) -> bool:
    """Whether the hub holds a name that was cut out of a whole one."""
    held = _name_sources(entity)
    return bool(held) and all(one is not None and _is_of_whole(one, policy) for one in held)


def _cut_by(entity: Entity, policy: Policy) -> str:
    """Who said in parts the name that the hub holds; empty where that is a guess, or there is none."""
    for one in _name_sources(entity):
        if one is None or not _is_of_whole(one, policy):
            return HUB if one is None else one.ref or one.origin
    return next((one.cut_by for one in _name_sources(entity) if one is not None and one.cut_by), "")


def _name_sources(entity: Entity) -> list[Source | None]:
    return [entity.sources.get(name) for name in NAME_PARTS if entity.values.get(name) is not None]


def _known(said: Sequence[Said]) -> Known:
    return Known([one for one in said if is_whole_name(one.parts)], said)


def _is_of_whole(source: Source, policy: Policy) -> bool:
    connection, _, rest = source.ref.partition("/")
    mapping = policy.mappings.get((connection, rest.partition("/")[0]))
    return mapping is not None and any(is_whole(one) for one in mapping.bindings)


def _place(one: Said, entity: Entity, policy: Policy, guessed: bool) -> tuple[object, ...]:
    """Who is asked first."""
    assert one.link is not None
    return (
        guessed and _may_have_heard(one, entity),
        _rank(one.link.connection, entity, policy),
        not one.link.primary,
        *one.link.stream,
        one.link.remote_id or "",
    )


def _rank(connection: str, entity: Entity, policy: Policy) -> int:
    order = policy.fields(entity.kind, "last_name").authority(entity.values.get("stage"))
    return order.index(connection) if connection in order else len(order)


def _before(by: str, words: Sequence[Said], entity: Entity, policy: Policy) -> list[Said]:
    """Who is asked before the one who told how the hub's name is cut. Of its own table nobody is: a row is
    not told by its id where an edit gives it another one; and nobody before a person."""
    connection, _, rest = by.partition("/")
    if not rest:
        return []
    last = (False, _rank(connection, entity, policy), False, connection, rest.partition("/")[0], "")
    return [one for one in words if _place(one, entity, policy, guessed=False) < last]


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
