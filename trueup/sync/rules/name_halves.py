"""Half a name beside a whole one, and the records that complete a name.

A name survives together: at first sight its parts come from one record. What that record does not say comes
from another one that says the same name; and of two halves nobody makes a name out of the same word twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from trueup.dedupe.latin import sounds
from trueup.dedupe.names import is_initials, likeness
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


def fullness(values: Mapping[str, Value]) -> int:
    """2 for both halves in words, 1 where one is but an initial, 0 for half a name."""
    if not is_whole_name(values):
        return 0
    return 1 if any(is_initials(str(values[half])) for half in HALVES) else 2


def fullness_held(current: Mapping[str, Value], sources: Mapping[str, Source]) -> int:
    """The same of what the hub holds: a name that two records make up gives way to one that a record says."""
    makers = {sources[half].ref for half in HALVES if half in sources and sources[half].how == "first"}
    return min(fullness(current), 1) if len(makers) > 1 else fullness(current)


def of_fullest(whole: Sequence[Claim], held: int) -> list[Claim]:
    """At first sight less of a name (`Ann`, `A. Lee`, where others say `Ann Lee`) takes the place of no more
    of it, whoever is believed: it is asked only for what is missing. `held`: how full the hub's name is."""
    most = max([held, *(fullness(one.value or {}) for one in whole)])
    return [one for one in whole if fullness(one.value or {}) == most]


def set_aside(
    aside: Sequence[Claim], values: Mapping[str, Value], sources: Mapping[str, Source]
) -> Iterator[Conflict]:
    """What less of a name says otherwise than the fullest one: losers, so that nothing is written over unheard."""
    for claim in aside:
        for name, value in (claim.value or {}).items():
            held, source = values.get(name), sources.get(name)
            if value is not None and held is not None and value != held:
                by = HUB if source is None else source.ref or source.origin
                yield Conflict(name, value, claim.source, held, by, "less of a name at first sight")


def completed(
    values: Mapping[str, Value],
    parts: Collection[str],
    givers: Callable[[str], Sequence[Claim]],
    emptied: Mapping[str, Value],
) -> Iterator[tuple[str, Value, Claim]]:
    """Each of the `parts` as the first of its givers says it in a word, or else by an initial: it hangs on
    nobody's turn. `emptied` was just taken away and comes back by nobody."""
    held = dict(values)
    for name in parts:
        said = [(one, _fitting(one.value or {}, name, held)) for one in givers(name)]
        known = [(one, text) for one, text in said if text and text != emptied.get(name, ABSENT)]
        best = min(known, key=lambda each: is_initials(each[1]), default=None)
        if best is not None:
            giver, held[name] = best
            yield name, held[name], giver


def _fitting(said: Mapping[str, Value], name: str, held: Mapping[str, Value]) -> str:
    """What somebody says of a part, as far as it can stand in the name that is held; empty for nothing."""
    text = str(said.get(name) or "")
    if all(said.get(half) == held.get(half) for half in HALVES):
        return text
    if name not in HALVES:
        return _beside(text, held) if _is_one_name(said, held) else ""
    other = HALVES[name]
    if held.get(name) and not (_alike(said, held, name) and (not said.get(other) or _alike(said, held, other))):
        return ""
    return "" if said.get(other) != held.get(other) and repeats(text, held.get(other)) else text


def _beside(middle: str, held: Mapping[str, Value]) -> str:
    """The words of a middle name that neither half says: `María` of `María García` beside `García López`."""
    known = {word for half in HALVES for word in sounds(str(held.get(half) or ""))}
    return " ".join(word for word in middle.split() if not known & set(sounds(word)))


def repeats(half: Value, other: Value) -> bool:
    """Whether one half of a name says nothing but words of the other one, in whatever script."""
    one, two = set(sounds(str(half or ""))), set(sounds(str(other or "")))
    return bool(one and two) and (one <= two or two <= one)


def _is_one_name(said: Mapping[str, Value], held: Mapping[str, Value]) -> bool:
    return all(_alike(said, held, half) for half in HALVES)


def _alike(said: Mapping[str, Value], held: Mapping[str, Value], half: str) -> bool:
    return likeness(str(said.get(half) or ""), str(held.get(half) or "")) >= SURE
