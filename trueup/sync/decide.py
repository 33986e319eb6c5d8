"""Decide: due entities, one pure question each, committed with the writes that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import is_
from typing import TypeVar

from trueup.dedupe.normalise import company_key
from trueup.errors import Broken
from trueup.model.covering import place_of
from trueup.model.delivery import Effect, Write, WriteKind
from trueup.model.entity import WAS_ABSENT, Entity, Link, Reference, public_id
from trueup.model.fields import Kind
from trueup.model.formats import Format
from trueup.model.history import HistoryRow
from trueup.model.matching import MatchDecision, Verdict
from trueup.model.plan import Case, Context, Plan
from trueup.model.record import Ref, is_id
from trueup.model.run import Fence
from trueup.sync.about import EVERYBODY, About
from trueup.sync.companies import NAMED, found, holders, said
from trueup.sync.parts import KINDS, Parts
from trueup.sync.rules.formats import failed
from trueup.sync.rules.guard import DESTRUCTIVE, Meter
from trueup.sync.rules.reconcile import reconcile
from trueup.sync.rules.swinging import WITHIN
from trueup.sync.tally import Undecided

CHUNK = 500
FEW = 5
"""So many decisions of one chunk may be refused by the database; more of them are its own trouble."""
ROUNDS = 6
"""How often entities that moved under a decision are decided again in one pass."""

Undecidable = Callable[[Undecided], None]

T = TypeVar("T")


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """So many at a time as are read and decided at once."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


@dataclass(frozen=True, slots=True)
class Deciding:
    """One run's decisions: where they are counted, metered, and which entities they are about."""

    run_id: int
    meter: Meter
    told: Callable[[Plan], None]
    undecided: Undecidable
    about: About = EVERYBODY


def decide_all(parts: Parts, deciding: Deciding, fence: Fence | None) -> int:
    """Decide everything that is due and commit it, parents before children; how many decisions stood."""
    return sum(_decide_kind(parts, kind, deciding, fence) for kind in KINDS)


def _decide_kind(parts: Parts, kind: Kind, deciding: Deciding, fence: Fence | None) -> int:
    stood = 0
    for _ in range(ROUNDS):
        moved = 0
        for plans in planned(parts, [kind], deciding):
            later = found(parts, plans, deciding.run_id, fence) | _followers(plans, deciding.about)
            gated = [through_fuses(plan, deciding.meter) for plan in plans if plan.before.id not in later]
            back = set(_committed(parts, gated, deciding, fence))
            for plan in gated:
                if plan.before.id not in back:
                    deciding.told(plan)
            stood += len(plans) - len(back)
            moved += len(back)
            parts.progress("decide", "", kind.value, len(gated))
        if not moved:
            break
    return stood


def _committed(parts: Parts, plans: Sequence[Plan], deciding: Deciding, fence: Fence | None) -> Sequence[int]:
    """Store these decisions; the ids of those that did not stand. One that the database refuses is told to
    `undecided` and left out: it stops nobody else. Raises Broken where it refuses several, each by itself."""
    refused: list[int] = []

    def store(some: Sequence[Plan]) -> Iterator[int]:
        try:
            yield from parts.store.commit(some, deciding.run_id, parts.now(), fence)
        except Broken as error:
            if len(some) > 1:
                middle = len(some) // 2
                yield from store(some[:middle])
                yield from store(some[middle:])
                return
            (plan,) = some
            refused.append(plan.before.id)
            if len(refused) > FEW:
                raise
            deciding.undecided(Undecided(plan.before.public_id, place_of(error)))
            yield plan.before.id

    return list(store(plans))


def _followers(plans: Sequence[Plan], about: About) -> frozenset[int]:
    """Who waits for others that are chosen because of him: decided again after them, so that they are written
    first, as in a run about all."""
    return frozenset(plan.before.id for plan in plans if about.brings(plan))


def planned(parts: Parts, kinds: Sequence[Kind], deciding: Deciding) -> Iterator[list[Plan]]:
    """The plans of all due entities of these kinds, chunk by chunk; nothing is stored."""
    after = 0
    while True:
        ids = parts.store.due(kinds, parts.now(), after, CHUNK)
        if not ids:
            return
        after = ids[-1]
        cases = [case for case in parts.store.load(ids) if deciding.about.chosen(case)]
        if cases:
            found = plans_for(parts, cases, context_for(parts, cases), deciding.undecided)
            yield [plan for case, plan in found if deciding.about.holds(case, plan)]


def plans_for(
    parts: Parts, cases: Sequence[Case], context: Context, undecided: Undecidable
) -> list[tuple[Case, Plan]]:
    """Decide these cases. One that fails is told to `undecided` and left out: it stops nobody else."""
    now = parts.now()
    found: list[tuple[Case, Plan]] = []
    for case in cases:
        try:
            found.append((case, reconcile(case, context, parts.policy, now)))
        except Exception as error:  # whatever it is, it is about this one entity
            undecided(Undecided(case.entity.public_id, place_of(error)))
    return found


# -- context --------------------------------------------------------------------------------------


def context_for(
    parts: Parts, cases: Sequence[Case], unstored: Mapping[tuple[str, str], set[str]] | None = None
) -> Context:
    """Everything that these cases refer to, in a few queries for all of them.

    `unstored`: public ids by match key of companies that only a preview knows.
    """
    refs = sorted({ref for case in cases for link in case.links for ref in _refs(parts, link)})
    remote = parts.store.resolve(refs) if refs else {}
    contacts = [case for case in cases if case.entity.kind is Kind.CONTACT]
    names = sorted({name for case in contacts for name in said(parts, case, NAMED)})
    companies = _companies(parts, names, unstored or {})
    held = holders(parts, contacts, unstored or {})
    ids = {*remote.values(), *companies.values(), *(id for some in held.values() for id in some)}
    for case in cases:
        ids.update(_referred(parts, case.entity))
        ids.update(_edited_references(parts, case))
    ids = {one for one in ids if "--" not in one}  # of a preview's own entities the store knows nothing
    references: Mapping[str, Reference] = parts.store.references(sorted(ids)) if ids else {}
    return Context(
        rivals=rivals(parts, parts.store.verdicts([link.id for case in cases for link in case.links])),
        references=references,
        remote=remote,
        companies=companies,
        released=parts.store.released() | parts.decides_at_once,
        gates_open=_those(True, gates := parts.store.gates_open()),
        coming=_those(False, gates),
        past=_past(parts, cases),
        holders=held,
        formats=_formats(parts, cases),
    )


def _those(open: bool, gates: Mapping[tuple[str, str], bool]) -> frozenset[tuple[str, str]]:
    return frozenset(stream for stream, one in gates.items() if one is open)


def _past(parts: Parts, cases: Sequence[Case]) -> Mapping[int, Sequence[HistoryRow]]:
    """The latest decisions about entities that somebody edited in a system since."""
    edited = [case.entity.id for case in cases if any(link.base and not link.fresh for link in case.links)]
    return parts.store.past(edited, parts.now() - WITHIN) if edited else {}


def _formats(parts: Parts, cases: Sequence[Case]) -> dict[tuple[str, str, str], Format]:
    """What is known of the fields of systems in which something was kept otherwise than we sent it."""
    names = {link.connection for case in cases for link in case.links if failed(link)}
    found = parts.store.formats(sorted(names)) if names else ()
    return {(one.connection, one.object, one.path): one for one in found}


def rivals(parts: Parts, verdicts: Sequence[MatchDecision]) -> dict[int, frozenset[str]]:
    """By link, the connections in which a record waits for a verdict about it."""
    unsure = [(one.left, one.right) for one in verdicts if one.verdict is Verdict.UNSURE]
    if not unsure:
        return {}
    homes = {
        link.id: link.connection for link in parts.store.links(sorted({i for pair in unsure for i in pair}))
    }
    found: dict[int, set[str]] = {}
    for left, right in unsure:
        for one, other in ((left, right), (right, left)):
            if other in homes:
                found.setdefault(one, set()).add(homes[other])
    return {link: frozenset(connections) for link, connections in found.items()}


def _refs(parts: Parts, link: Link) -> Iterator[Ref]:
    """What a record points at, pointed at before, and pointed at when both sides last agreed."""
    if link.stream not in parts.policy.mappings:
        return
    for binding in parts.policy.pointing(link.stream):
        agreed = link.agreed.get(binding.key)
        stood = agreed.remote if agreed is not None else None
        for held in (link.observed.get(binding.remote), link.base.get(binding.remote), stood):
            for one in held if isinstance(held, list) else [held]:
                if one not in (None, WAS_ABSENT) and is_id(str(one)):
                    yield Ref(link.connection, binding.to or "", str(one))


def _referred(parts: Parts, entity: Entity) -> Iterator[str]:
    for name in parts.policy.referring(entity.kind) if entity.values else ():
        value = entity.values.get(name)
        if value:
            yield from value if isinstance(value, list) else [value]


def _edited_references(parts: Parts, case: Case) -> Iterator[str]:
    table = parts.policy.tables[case.entity.kind]
    for edit in case.edits:
        field = table.get(edit.field)
        if field is not None and field.refers is not None and edit.value:
            yield from edit.value if isinstance(edit.value, list) else [str(edit.value)]


def _companies(
    parts: Parts, names: Sequence[str], unstored: Mapping[tuple[str, str], set[str]]
) -> dict[str, str]:
    """The one company that bears each name; names that several or none bear are left out."""
    keys = {name: ("name", company_key(name)) for name in names if company_key(name)}
    bearers = parts.store.candidates(Kind.COMPANY, sorted(set(keys.values()))) if keys else {}
    companies: dict[str, str] = {}
    for name, key in keys.items():
        ids = {public_id(Kind.COMPANY, candidate.entity_id) for candidate in bearers.get(key, ())}
        ids |= unstored.get(key, set())
        if len(ids) == 1:
            companies[name] = ids.pop()
    return companies


# -- fuses ----------------------------------------------------------------------------------------


def through_fuses(plan: Plan, meter: Meter) -> Plan:
    """Beyond a fuse's allowance writes are stored, but gated; first contact waits for approval."""
    for write in plan.later:
        if write.gate in DESTRUCTIVE:
            meter.foresee(write.connection, write.gate, write.link_id)
    if not plan.writes:
        return plan
    writes = tuple(_gated(write, meter) for write in plan.writes)
    return plan if all(map(is_, writes, plan.writes)) else replace(plan, writes=writes)


def _gated(write: Write, meter: Meter) -> Write:
    if write.gate in DESTRUCTIVE:
        meter.add(write.connection, write.gate, write.link_id)
        return write
    kind = _fuse_kind(write)
    if kind and not meter.add(write.connection, kind):
        return replace(write, gate=kind)
    return write


def _fuse_kind(write: Write) -> str:
    if write.kind is WriteKind.CREATE:
        return "create"
    if any(effect is Effect.REPLACE for effect in write.effects.values()) and write.lane.value != "urgent":
        return "change"
    return ""
