"""Whole names that were cut into parts, against the parts that somebody says: the cut of one text is a guess.

Where another record, or the hub by somebody else's word, says the same words in fields of their own, the
whole name is read as they are cut there, whoever is believed more. It is then the same name: nothing is
judged, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.mapping.compiled import Binding
from trueup.mapping.names import Cut, cut_as_said
from trueup.model.entity import Entity, Link, Source
from trueup.model.fields import NAME_PARTS
from trueup.model.values import Value
from trueup.sync.rules.decide_values import Values
from trueup.sync.rules.evidence import Reading
from trueup.sync.rules.policy import Policy

RULE = "said in fields of its own"


@dataclass(frozen=True, slots=True)
class Said:
    """A name by its parts, and the record that says it so; None: the hub."""

    parts: Mapping[str, Value]
    link: Link | None


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
    said = sorted(_by_parts(read), key=lambda one: _place(one, entity, policy, guessed))
    if not guessed and _is_name(entity.values):
        said.insert(0, Said(entity.values, None))
    found = {id: tuple(_recut(one, said) for one in some) for id, some in read.items()}
    if not guessed:
        return found, None
    return found, next((one for one in said if _cut(entity.values, [one]) is not None), None)


def put_right(state: Values, said: Said) -> None:
    """Before the fields are judged: what the hub holds of a whole name is cut as somebody says it."""
    before = dict(state.values)
    cut = cut_as_said(before, said.parts)
    parts = cut.of(before) if cut is not None else None
    if parts is None or said.link is None:
        return
    link = said.link
    for name in NAME_PARTS:
        source = state.sources.get(name) or state.sources["last_name"]
        ref = f"{link.connection}/{link.object}/{link.remote_id}"
        state.put(name, parts.get(name), replace(source, origin=link.connection, ref=ref), RULE)


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
        if _is_name(parts):
            yield Said(parts, some[0].link)


def _is_name(values: Mapping[str, Value]) -> bool:
    return bool(values.get("first_name") and values.get("last_name"))


def _is_guessed(entity: Entity, policy: Policy) -> bool:
    """Whether the hub holds a name that was cut out of a whole one."""
    held = [entity.sources.get(name) for name in NAME_PARTS if entity.values.get(name) is not None]
    return bool(held) and all(one is not None and _is_of_whole(one, policy) for one in held)


def _is_of_whole(source: Source, policy: Policy) -> bool:
    connection, _, rest = source.ref.partition("/")
    mapping = policy.mappings.get((connection, rest.partition("/")[0]))
    return mapping is not None and any(is_whole(one) for one in mapping.bindings)


def _place(one: Said, entity: Entity, policy: Policy, guessed: bool) -> tuple[object, ...]:
    """Who is asked first. An older record that says what the hub guessed may have heard it from the hub."""
    assert one.link is not None
    heard = all(one.parts.get(name) == entity.values.get(name) for name in one.parts)
    order = policy.fields(entity.kind, "last_name").authority(entity.values.get("stage"))
    place = order.index(one.link.connection) if one.link.connection in order else len(order)
    return (
        guessed and heard and not one.link.fresh,
        place,
        not one.link.primary,
        *one.link.stream,
        one.link.remote_id or "",
    )


def _recut(reading: Reading, said: Sequence[Said]) -> Reading:
    if not is_whole(reading.binding) or not isinstance(reading.has, Mapping):
        return reading
    known = [*said, *_agreed(reading)]
    before = _cut(reading.was or {}, known)
    cut = _cut(reading.has, known) or _same_way(reading, before)
    has = cut.of(reading.has) if cut is not None else None
    was = before.of(reading.was or {}) if before is not None else None
    return replace(reading, has=has or reading.has, was=was or reading.was)


def _agreed(reading: Reading) -> list[Said]:
    """The parts that were agreed with this record; the hub may hold others since."""
    hub = reading.agreed.hub if reading.agreed is not None else None
    if not isinstance(hub, list):
        return []
    return [Said(dict(zip(NAME_PARTS, hub, strict=False)), None)]


def _cut(read: Mapping[str, Value], said: Sequence[Said]) -> Cut | None:
    found = (cut_as_said(read, one.parts) for one in said)
    return next((one for one in found if one is not None), None)


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
