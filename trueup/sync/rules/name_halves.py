"""Half a name beside a whole one, and the records that complete a name.

A name survives together: at first sight its parts come from one record. What that record does not say comes
from another one that says the same name; and of two halves nobody makes a name out of the same word twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from trueup.dedupe.latin import sounds
from trueup.dedupe.names import likeness
from trueup.model.entity import Source
from trueup.model.history import Conflict
from trueup.model.values import ABSENT, Value
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.verdict import HUB

HALVES = {"first_name": "last_name", "last_name": "first_name"}
"""Each half of a name, and the other one."""

SURE = 2
"""From this likeness on two words are one: in another script, an initial, a part of a double name."""


def is_whole_name(values: Mapping[str, Value]) -> bool:
    """Whether both halves are there."""
    return bool(values.get("first_name") and values.get("last_name"))


def of_whole_names(whole: Sequence[Claim], current: Mapping[str, Value]) -> list[Claim]:
    """At first sight half a name (`Ann`, where others say `Ann Lee`) takes the place of no whole one; it is
    asked only for what is missing."""
    if not any(is_whole_name(one) for one in (current, *(claim.value or {} for claim in whole))):
        return list(whole)
    return [claim for claim in whole if not claim.first or is_whole_name(claim.value or {})]


def gives_way(current: Mapping[str, Value], judged: Sequence[Claim]) -> bool:
    """Whether the half name that is held was seen first only because it was read first."""
    return not is_whole_name(current) and any(is_whole_name(one.value or {}) for one in judged)


def set_aside(
    aside: Sequence[Claim], values: Mapping[str, Value], sources: Mapping[str, Source]
) -> Iterator[Conflict]:
    """What half names say otherwise than the whole one: losers, so that nothing is written over unheard."""
    for claim in aside:
        for name, value in (claim.value or {}).items():
            held, source = values.get(name), sources.get(name)
            if value is not None and held is not None and value != held:
                by = HUB if source is None else source.ref or source.origin
                yield Conflict(name, value, claim.source, held, by, "half a name at first sight")


def completed(
    values: Mapping[str, Value],
    givers: Sequence[Claim],
    closed: Collection[str],
    emptied: Mapping[str, Value],
) -> Iterator[tuple[str, Value, Claim]]:
    """The parts that a name lacks or says by an initial only, each with the first of the givers that says it.
    `closed` are parts that stay as they are; `emptied`, what was just taken away and comes back by nobody."""
    held = dict(values)
    for name in ("first_name", "last_name", "middle_name"):
        if name in closed:
            continue
        for one in givers:
            said = one.value or {}
            if said.get(name) != emptied.get(name, ABSENT) and _gives(said, name, held):
                held[name] = said[name]
                yield name, said[name], one
                break


def _gives(said: Mapping[str, Value], name: str, held: Mapping[str, Value]) -> bool:
    """Whether somebody says a part of this name more fully than it is held."""
    if not said.get(name):
        return False
    if held.get(name):
        return _is_short_for(str(held[name]), str(said[name])) and _is_one_name(said, held)
    if name not in HALVES:
        return _is_one_name(said, held) and not repeats(said[name], _rest(held))
    other = HALVES[name]
    return said.get(other) == held.get(other) or not repeats(said[name], held.get(other))


def repeats(half: Value, other: Value) -> bool:
    """Whether one half of a name says nothing but words of the other one, in whatever script."""
    one, two = set(sounds(str(half or ""))), set(sounds(str(other or "")))
    return bool(one and two) and (one <= two or two <= one)


def _is_one_name(said: Mapping[str, Value], held: Mapping[str, Value]) -> bool:
    return all(likeness(str(said.get(half) or ""), str(held.get(half) or "")) >= SURE for half in HALVES)


def _is_short_for(initials: str, text: str) -> bool:
    """`T.` for `Taras`, `Т. Г.` for `Тарас Григорович`, in the script of the initials."""
    short, long = (one.casefold().replace(".", " ").split() for one in (initials, text))
    return (
        len(short) == len(long)
        and all(len(word) == 1 for word in short)
        and any(len(word) > 1 for word in long)
        and all(word.startswith(letter) for letter, word in zip(short, long, strict=True))
    )


def _rest(held: Mapping[str, Value]) -> str:
    return " ".join(str(held[half]) for half in HALVES if held.get(half))
