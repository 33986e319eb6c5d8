"""Who wins: several claims on one field, judged by its strategy. One library, for a sync and for a merge.

Every strategy is a function of (current value and its source, claims, policy, stage) and nothing else, so
the verdict does not depend on the order in which news arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from trueup.model.canonical import element_key, same
from trueup.model.entity import Source
from trueup.model.fields import Field, Strategy
from trueup.model.history import Conflict
from trueup.model.values import Value
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import FieldPolicy

HUB = "hub"


@dataclass(slots=True)
class Verdict:
    """What a field becomes. `winner` None: the current value stays. `rule` says why."""

    value: Value
    winner: Claim | None
    rule: str
    conflicts: tuple[Conflict, ...] = ()


@dataclass(slots=True)
class Question:
    """One field to be judged: what the hub holds, who claims what, and by which rule."""

    field: Field
    current: Value
    source: Source | None
    claims: Sequence[Claim]
    policy: FieldPolicy
    stage: str | None

    def rank(self, claim: Claim) -> tuple[int, int, str, str]:
        """Lower is stronger; a hub edit before all, a secondary link just below its primary."""
        if claim.connection == HUB:
            return (-1, 0, "", claim.source)
        return (self.place(claim.connection), claim.rank_below, claim.connection, claim.source)

    def place(self, connection: str) -> int:
        order = self.policy.authority(self.stage)
        return order.index(connection) if connection in order else len(order)

    def listed(self, claim: Claim) -> bool:
        return claim.connection == HUB or claim.connection in self.policy.authority(self.stage)

    def settled(self, claim: Claim) -> bool:
        return self.equal(claim.value, self.current)

    def equal(self, one: Value, other: Value) -> bool:
        """Equal values of this field; a group's values are compared as a whole."""
        if isinstance(one, dict) or isinstance(other, dict):
            return bool(one == other)
        return same(self.field.type, one, other)


def judge(question: Question) -> Verdict:
    """The verdict on one field. An emptiness stands against no first sight that says something else than what
    was taken away: it is filled at once, as it would be by the same record a moment later."""
    verdict = _judged(question)
    emptied = verdict.winner is not None and verdict.value in (None, []) and not verdict.winner.pin
    if not emptied or question.field.type.is_set:
        return verdict
    firsts = [one for one in question.claims if one.first and not question.settled(one)]
    filled = _judged(replace(question, current=None, source=None, claims=firsts))
    return verdict if filled.winner is None else _won(question, filled.winner, filled.rule)


def _judged(question: Question) -> Verdict:
    hub = [claim for claim in question.claims if claim.connection == HUB]
    if hub and question.field.type.is_set:
        return _edited_set(question, hub)
    if hub:
        return _won(question, max(hub, key=_kept_last), "edited in the hub")
    if question.source is not None and question.source.pinned:
        return _stays(question, "pinned")
    if question.field.type.is_set:
        return _union(question, "union")
    return _STRATEGIES[question.policy.strategy](question)


def _kept_last(claim: Claim) -> int:
    """Of edits in the hub the one that was kept last is the last, whatever its clock said."""
    return claim.edit_id


def _edited_set(question: Question, hub: Sequence[Claim]) -> Verdict:
    """Who pins a set pins it as they edited it, also where they left it as it was."""
    pins = [claim for claim in hub if claim.pin]
    if not pins:
        return _union(question, "edited in the hub")
    verdict = _union(replace(question, claims=hub), "edited in the hub")
    return replace(verdict, winner=max(pins, key=_kept_last))


def _authority(question: Question) -> Verdict:
    edits = [claim for claim in question.claims if not claim.first]
    accepted = sorted((claim for claim in edits if may_edit(question, claim)), key=question.rank)
    if accepted:
        return _won(question, accepted[0], "authority")
    if edits and not any(claim.first for claim in question.claims):
        return _stays(question, "not an authority for this field in this stage")
    return _first_sight(question, key=question.rank)


def may_edit(question: Question, claim: Claim) -> bool:
    """Whether an edit of this source may decide the field in this stage."""
    if not question.listed(claim):
        return False
    if not question.policy.ranked or question.current is None or question.source is None:
        return True
    return question.source.origin == HUB or question.place(claim.connection) <= question.place(
        question.source.origin
    )


def _first_sight(question: Question, key: Callable[[Claim], tuple[object, ...]]) -> Verdict:
    """Highest rank wins among all first sights and a current value that is itself only a first sight."""
    firsts = sorted((claim for claim in question.claims if claim.first and question.listed(claim)), key=key)
    if not firsts:
        return _stays(question, "not an authority for this field in this stage")
    if question.current is None:
        return _won(question, firsts[0], "first sight")
    incumbent = _incumbent(question)
    if incumbent is None or key(incumbent) <= key(firsts[0]):
        return _stays(question, "first sight")
    return _won(question, firsts[0], "first sight")


def _incumbent(question: Question) -> Claim | None:
    """The current value as the first sight that it was; None when a person's edit put it there."""
    source = question.source
    if source is None or source.how != "first":
        return None
    return Claim(question.field.name, question.current, source.origin, source.ref, first=True)


def _latest(question: Question) -> Verdict:
    """The claim with the latest certain time; where any time is missing, authority decides."""
    edits = [claim for claim in question.claims if not claim.first and question.listed(claim)]
    if not edits or any(claim.at is None for claim in edits):
        return _authority(question)
    best = max(sorted(edits, key=question.rank), key=lambda claim: (claim.at,))
    source = question.source
    outdated = source is not None and source.how != "first" and best.at is not None and best.at < source.at
    return _stays(question, "latest") if outdated else _won(question, best, "latest")


def _most_complete(question: Question) -> Verdict:
    edits = [claim for claim in question.claims if not claim.first and may_edit(question, claim)]
    if edits:
        best = min(edits, key=lambda claim: (-_completeness(claim.value), question.rank(claim)))
        return _won(question, best, "most complete")
    return _first_sight(question, key=lambda claim: (-_completeness(claim.value), *question.rank(claim)))


def _completeness(value: Value) -> int:
    return 0 if value is None else len(str(value))


def _first(question: Question) -> Verdict:
    if question.current is not None:
        return _stays(question, "the first value stays")
    return _authority(question)


def _extreme(pick: Callable[[object], object], word: str) -> Callable[[Question], Verdict]:
    def judge_extreme(question: Question) -> Verdict:
        """The extreme of all claims and the current value; the current one's own source may correct it."""
        listed = [claim for claim in question.claims if question.listed(claim) and claim.value is not None]
        origin = question.source.ref if question.source else ""
        corrected = [claim for claim in listed if not claim.first and claim.source == origin]
        best = min(listed, key=lambda claim: (pick(claim.value), question.rank(claim)), default=None)
        if best is None:
            return _stays(question, word)
        if question.current is None or corrected or pick(best.value) < pick(question.current):  # type: ignore[operator]
            return _won(question, best, word)
        return _stays(question, word)

    return judge_extreme


def _furthest(question: Question) -> Verdict:
    order = question.field.options
    listed = [claim for claim in question.claims if question.listed(claim) and claim.value in order]
    if not listed:
        return _stays(question, "furthest")
    best = min(listed, key=lambda claim: (-order.index(claim.value), question.rank(claim)))
    if question.current in order and order.index(question.current) >= order.index(best.value):
        return _stays(question, "a stage does not go back")
    return _won(question, best, "furthest")


def _restrictive(question: Question) -> Verdict:
    order = question.field.options if question.field.options else _RESTRICTIVE_FIRST
    known = [claim for claim in question.claims if claim.value in order]
    best = min(known, key=lambda claim: (order.index(claim.value), question.rank(claim)), default=None)
    if best is None or (
        question.current in order and order.index(question.current) <= order.index(best.value)
    ):
        return _stays(question, "most restrictive")
    return _won(question, best, "most restrictive")


def _union(question: Question, rule: str) -> Verdict:
    """Per element: added anywhere stays, removed anywhere goes; what is both follows `on_clash`. The first
    sight of what is held already adds nothing."""
    key = element_key(question.field.type)
    current = {key(one): one for one in question.current or ()}
    accepted = [claim for claim in question.claims if question.listed(claim)]
    said = ((claim, key(one), one) for claim in accepted for one in sorted(claim.added))
    added = {one: text for claim, one, text in said if not (claim.first and one in current)}
    removed = {key(one) for claim in accepted if not claim.first for one in claim.removed}
    if question.policy.on_clash == "add":
        removed -= added.keys()
    else:
        added = {one: text for one, text in added.items() if one not in removed}
    result = {one: text for one, text in {**added, **current}.items() if one not in removed}
    if result.keys() == current.keys():
        return _stays(question, rule)
    movers = [claim for claim in accepted if _moves(claim, key, current)]
    return Verdict(sorted(result.values()) or None, min(movers, key=question.rank), rule)


def _moves(claim: Claim, key: Callable[[str], str], current: Mapping[str, str]) -> bool:
    """Whether this claim adds what was not there, or removes what was."""
    return any(key(one) not in current for one in claim.added) or any(
        key(one) in current for one in claim.removed
    )


def _stays(question: Question, rule: str) -> Verdict:
    kept = question.source.ref or question.source.origin if question.source else "hub"
    conflicts = tuple(
        Conflict(question.field.name, claim.value, claim.source, question.current, kept, rule)
        for claim in question.claims
        if not question.settled(claim)
    )
    return Verdict(question.current, None, rule, conflicts)


def _won(question: Question, winner: Claim, rule: str) -> Verdict:
    losers = tuple(
        Conflict(question.field.name, claim.value, claim.source, winner.value, winner.source, rule)
        for claim in question.claims
        if claim is not winner and not question.equal(claim.value, winner.value)
    )
    return Verdict(winner.value, winner, rule, losers)


_RESTRICTIVE_FIRST = (True, False)
"""Of a bool (`do_not_call`), yes is the stricter."""


def _negative(value: object) -> object:
    number = _number(value)
    return _Reversed(value) if number is None else number.copy_negate()


def _ascending(value: object) -> object:
    number = _number(value)
    return value if number is None else number


def _number(value: object) -> Decimal | None:
    """Exactly the number that this is: money is no float. None for dates and text."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


class _Reversed(str):
    """Text that sorts the other way round, so that one `min` serves both extremes."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)

    def __gt__(self, other: str) -> bool:
        return str.__lt__(self, other)


_STRATEGIES: Mapping[Strategy, Callable[[Question], Verdict]] = {
    Strategy.AUTHORITY: _authority,
    Strategy.LATEST: _latest,
    Strategy.MOST_COMPLETE: _most_complete,
    Strategy.MOST_RESTRICTIVE: _restrictive,
    Strategy.UNION: lambda question: _union(question, "union"),
    Strategy.MAX: _extreme(_negative, "highest"),
    Strategy.MIN: _extreme(_ascending, "lowest"),
    Strategy.FIRST: _first,
    Strategy.FURTHEST: _furthest,
}
