"""Half a name beside a whole one, and the records that complete a name.

A name survives together: at first sight its parts come from one record, of those that say most of it (both
halves in words, before an initial, before half a name). What that record does not say comes from another one
that says the same name; and nobody makes a name out of the same word twice. All this is a choice of the best
by what is said and who is believed, so it does not hang on who was read first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.dedupe.latin import sounds
from trueup.dedupe.names import is_initials, likeness
from trueup.model.entity import Source
from trueup.model.history import Conflict
from trueup.model.values import Value
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.verdict import HUB, Question

HALVES = {"first_name": "last_name", "last_name": "first_name"}
"""Each half of a name, and the other one."""

IN_WORDS = 2
"""How full a name of two words is; 1 where one of them is but an initial, 0 for half a name."""

SURE = 2
"""From this likeness on two words are one: in another script, an initial, a part of a double name."""


def is_whole_name(values: Mapping[str, Value]) -> bool:
    """Whether both halves are there."""
    return bool(values.get("first_name") and values.get("last_name"))


def fullness(values: Mapping[str, Value]) -> int:
    """How much of a name is said: IN_WORDS, or less."""
    if not is_whole_name(values):
        return 0
    return IN_WORDS - any(is_initials(str(values[half])) for half in HALVES)


def fullness_held(current: Mapping[str, Value], sources: Mapping[str, Source]) -> int:
    """The same of what the hub holds: a name that two records make up gives way to one that a record says."""
    makers = {sources[half].ref for half in HALVES if half in sources and sources[half].how == "first"}
    return min(fullness(current), IN_WORDS - 1) if len(makers) > 1 else fullness(current)


def of_fullest(whole: Sequence[Claim], held: int) -> list[Claim]:
    """At first sight less of a name (`Ann`, `A. Lee`, where others say `Ann Lee`) takes the place of no more
    of it, whoever is believed: it is asked only for what is missing. `held`: how full the hub's name is."""
    most = max([held, *(fullness(one.value or {}) for one in whole)])
    return [one for one in whole if fullness(one.value or {}) == most]


def without_taken(claim: Claim, emptied: Mapping[str, Value]) -> Claim:
    """What somebody says of a name, without the parts that were taken away just now."""
    said = claim.value if isinstance(claim.value, Mapping) else {}
    left = {name: text for name, text in said.items() if name not in emptied or text != emptied[name]}
    return claim if len(left) == len(said) else replace(claim, value=left or None)


def gives_way(lead: Source | None, held: int, judged: Sequence[Claim]) -> bool:
    """Whether what is held is less of a name than somebody says now, and was seen first only because it was
    read first."""
    return (
        lead is not None and lead.how == "first" and any(fullness(one.value or {}) > held for one in judged)
    )


def set_aside(
    aside: Sequence[Claim], values: Mapping[str, Value], sources: Mapping[str, Source]
) -> Iterator[Conflict]:
    """What less of a name says otherwise than the fullest: losers, so that nothing is lost unheard."""
    for claim in aside:
        for name, value in (claim.value or {}).items():
            held, source = values.get(name), sources.get(name)
            if value is not None and value != held:
                by = HUB if source is None else source.ref or source.origin
                yield Conflict(name, value, claim.source, held, by, "less of a name at first sight")


@dataclass(frozen=True, slots=True)
class Held:
    """The hub's name until now, and who said its parts."""

    parts: Mapping[str, Value]
    sources: Mapping[str, Source]

    def open(self, full: int) -> list[str]:
        """The parts that others may complete: a half only of a name that nobody says whole and in words; what
        a person pinned or edited stays."""
        parts = (*(HALVES if full < IN_WORDS else ()), "middle_name")
        return [name for name in parts if name not in self.sources or not self._closed(name)]

    def _closed(self, name: str) -> bool:
        source = self.sources[name]
        return source.pinned or (source.how != "first" and name in self.parts)

    def said(self, name: str) -> Claim | None:
        """The whole as a claim of who said this part of it."""
        source = self.sources.get(name) if name in self.parts else None
        return Claim(name, self.parts, source.origin, source.ref) if source is not None else None


def completed(
    values: Mapping[str, Value], full: int, before: Held, whole: Sequence[Claim], question: Question
) -> Iterator[tuple[str, Value, Claim | None]]:
    """The parts of a name (`values`, as `full` as that) as the most believed one says them, and who that is;
    None: it stays as the hub held it. A word goes before an initial, and who says a whole name before who
    says but half; whoever came first, it ends the same."""
    now, listed = dict(values), [one for one in whole if question.listed(one)]
    for name in before.open(full):
        known = before.said(name)
        said = [
            (is_initials(text), not is_whole_name(one.value or {}), question.rank(one), text, one)
            for one in (*([known] if known is not None else []), *listed)
            if (text := _fitting(one.value or {}, name, now))
        ]
        if said:
            *_, now[name], giver = min(said, key=lambda each: each[:3])
            yield name, now[name], None if giver is known else giver


def _fitting(said: Mapping[str, Value], name: str, held: Mapping[str, Value]) -> str:
    """What somebody says of a part, as far as it can stand in the name that is held; empty for nothing."""
    text = str(said.get(name) or "")
    if all(said.get(half) == held.get(half) for half in HALVES):
        return text
    if name not in HALVES:
        one_name = all(_alike(said, held, half) for half in HALVES)
        return _beside(text, held) if one_name else ""
    other = HALVES[name]
    asked = [half for half in (name, other) if half == name or said.get(half)]
    if held.get(name) and not all(_alike(said, held, half) for half in asked):
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


def _alike(said: Mapping[str, Value], held: Mapping[str, Value], half: str) -> bool:
    return likeness(str(said.get(half) or ""), str(held.get(half) or "")) >= SURE
