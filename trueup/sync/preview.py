"""Plan: land and decide without committing. What would be written, by the same decisions as a sync.

Records without an entity are identified in memory; entities that do not exist yet have negative ids.
A write that can only follow from another write's success (a reference to a company that is itself still to
be created) is not foreseen: it is counted as waiting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from trueup.dedupe.decision import Formed
from trueup.dedupe.normalise import match_keys
from trueup.model.entity import Entity, Reference
from trueup.model.fields import Kind
from trueup.model.matching import MatchDecision
from trueup.model.plan import Case, Context, Plan
from trueup.model.record import Ref
from trueup.sync.about import EVERYBODY, About
from trueup.sync.companies import foreseen
from trueup.sync.decide import CHUNK, Undecidable, chunks, context_for, plans_for, rivals
from trueup.sync.foretold import Foretold, foretell
from trueup.sync.identifying import proposals
from trueup.sync.parts import KINDS, Parts
from trueup.sync.rules.backfill import Backfill
from trueup.sync.rules.policy import Stream


@dataclass(slots=True)
class Overlay:
    """What the store does not know yet: entities that exist only in this preview."""

    remote: dict[Ref, str] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    by_key: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    unsure: list[MatchDecision] = field(default_factory=list)
    numbers: int = 0

    def number(self) -> int:
        self.numbers -= 1
        return self.numbers

    def remember(self, plan: Plan, case: Case) -> None:
        """Make a previewed entity known to those that refer to it."""
        entity = plan.entity
        ids = {link.stream: link.remote_id for link in case.links if link.remote_id is not None}
        self.references[entity.public_id] = Reference(entity.public_id, entity.values, ids)
        for link in case.links:
            if link.remote_id is not None:
                self.remote[Ref(link.connection, link.object, link.remote_id)] = entity.public_id
        for key in match_keys(entity.kind, entity.values):
            self.by_key.setdefault(key, set()).add(entity.public_id)


def preview(
    parts: Parts,
    undecided: Undecidable,
    about: About = EVERYBODY,
    fills: Sequence[Backfill] = (),
) -> Iterator[tuple[Case, Plan]]:
    """Every due entity, every stranger and everybody of whom a difference waits for a release, decided but
    not stored, parents before children; with back-fills also whoever has a record where they apply.
    Differences that were reported before are reported again. Of some contacts only they come, and then the
    companies that they refer to."""
    overlay = Overlay()
    aside: list[tuple[Case, Plan]] = []
    reasons = tuple(one.reason for one in fills)
    for kind in KINDS:
        groups = _groups(parts, kind, overlay)
        heard = _heard(parts, kind, groups, overlay)
        streams = [stream for stream in parts.policy.streams(kind) if stream in {one.stream for one in fills}]
        for cases in _cases(parts, kind, groups, overlay, streams, heard.others):
            told = (reported_again(case) for case in cases if _may_count(about, case))
            mine = [replace(one, reasons=(*one.reasons, *reasons)) for one in told]
            if not mine:
                continue
            context = _context(parts, mine, overlay)
            for case, plan in _decided(parts, mine, context, heard, undecided):
                if kind is not Kind.CONTACT:
                    overlay.remember(plan, case)
                one = case, replace(plan, writes=(*plan.writes, *plan.later), later=())
                if not about.chosen(case):
                    aside.append(one)
                    continue
                about.brings(plan)
                yield one
                yield from _founded(parts, plan, overlay, undecided)
    yield from (one for one in aside if about.chosen(one[0]))


def _decided(
    parts: Parts, cases: Sequence[Case], context: Context, heard: Foretold, undecided: Undecidable
) -> Iterator[tuple[Case, Plan]]:
    """Each case decided; again with the opt-outs that others show, where they concern it."""
    decided = list(plans_for(parts, cases, context, undecided))
    more = [told for case, plan in decided if (told := heard.with_more(case, plan)) is not None]
    again = {case.entity.id: (case, plan) for case, plan in plans_for(parts, more, context, undecided)}
    yield from (again.get(case.entity.id, (case, plan)) for case, plan in decided)


def _heard(
    parts: Parts, kind: Kind, groups: Mapping[str, tuple[bool, list[int]]], overlay: Overlay
) -> Foretold:
    """The opt-outs that records show which this plan is the first to decide about."""
    if kind is not Kind.CONTACT:
        return Foretold()
    strangers = {
        link: int(name[1:]) if name.startswith("e") else None
        for name, (_, links) in groups.items()
        for link in links
    }
    return foretell(parts, strangers, overlay.unsure)


def _may_count(about: About, case: Case) -> bool:
    """Of companies it shows only later who refers to them."""
    return case.entity.kind is Kind.COMPANY or about.chosen(case)


def _founded(
    parts: Parts, plan: Plan, overlay: Overlay, undecided: Undecidable
) -> Iterator[tuple[Case, Plan]]:
    """The company that a contact names, if no contact before has named it."""
    for one in plan.foundings:
        if not any(overlay.by_key.get(key) for key in one.keys):
            company = foreseen(one, overlay.number(), parts)
            context = _context(parts, [company], overlay)
            for case, made in plans_for(parts, [company], context, undecided):
                overlay.remember(made, case)
                yield case, made


def _groups(parts: Parts, kind: Kind, overlay: Overlay) -> dict[str, tuple[bool, list[int]]]:
    """Strangers by the entity they would belong to: (waits for a steward, link ids)."""
    groups: dict[str, tuple[bool, list[int]]] = {}
    for assignments in proposals(parts, kind, Formed()):
        for one in assignments:
            overlay.unsure.extend(one.decisions)
            provisional, links = groups.get(one.group, (False, []))
            groups[one.group] = (provisional or one.provisional, [*links, one.link_id])
    return groups


def _cases(
    parts: Parts,
    kind: Kind,
    groups: dict[str, tuple[bool, list[int]]],
    overlay: Overlay,
    streams: Sequence[Stream],
    hearing: Set[int],
) -> Iterator[list[Case]]:
    known = {int(name[1:]): links for name, (_, links) in groups.items() if name.startswith("e")}
    seen: set[int] = set()
    after = 0
    while ids := parts.store.due([kind], parts.now(), after, CHUNK):
        after = ids[-1]
        seen.update(ids)
        yield [_joined(parts, case, known.get(case.entity.id, [])) for case in parts.store.load(ids)]
    others = {*known, *hearing, *_differing(parts, kind), *_holders(parts, streams)}
    for chunk in chunks(sorted(others - seen)):
        yield [_joined(parts, case, known.get(case.entity.id, [])) for case in parts.store.load(chunk)]
    new = [(provisional, links) for name, (provisional, links) in groups.items() if name.startswith("new")]
    for some in chunks(new):
        yield [_new(parts, kind, provisional, links, overlay) for provisional, links in some]


def _differing(parts: Parts, kind: Kind) -> set[int]:
    """Entities with differences that are reported and wait for the release of a connection."""
    found: set[int] = set()
    for connection, object in parts.policy.streams(kind):
        after = 0
        while ids := parts.store.withheld(connection, object, after, CHUNK):
            after = ids[-1]
            found.update(ids)
    return found


def reported_again(case: Case) -> Case:
    """The same case as if its withheld differences had been told to nobody yet: its plan lists them all."""
    return replace(case, anew=True)


def _holders(parts: Parts, streams: Sequence[Stream]) -> Iterator[int]:
    for stream in streams:
        after = 0
        while ids := parts.store.holders(*stream, after, CHUNK):
            yield from ids
            after = ids[-1]


def _joined(parts: Parts, case: Case, extra: Sequence[int]) -> Case:
    return replace(case, links=(*case.links, *parts.store.links(extra))) if extra else case


def _new(parts: Parts, kind: Kind, provisional: bool, links: Sequence[int], overlay: Overlay) -> Case:
    entity = Entity(overlay.number(), kind, 0, {}, {}, provisional)
    return Case(entity, tuple(parts.store.links(links)))


def _context(parts: Parts, cases: Sequence[Case], overlay: Overlay) -> Context:
    context = context_for(parts, cases, overlay.by_key)
    return replace(
        context,
        rivals={**context.rivals, **rivals(parts, overlay.unsure)},
        references={**context.references, **overlay.references},
        remote={**context.remote, **overlay.remote},
        gates_open=frozenset(parts.policy.mappings),
    )
