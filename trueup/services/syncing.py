"""Plan and sync: the same decisions; a sync commits and delivers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from trueup.errors import ConnectorError, PlanDrifted
from trueup.model.counting import counted
from trueup.model.covering import shape_of
from trueup.model.fields import Kind
from trueup.model.landing import NO_BACKLOG, Backlog
from trueup.model.plan import Case, Plan
from trueup.services.backfilling import Filled, filled
from trueup.services.failing import MOST as MOST_FAILURES
from trueup.services.hub import Hub
from trueup.services.opting_out import OptOuts, Planned
from trueup.services.planfile import Drift, PlanWriter, digests, drift, names_of, read_plan
from trueup.services.scope import Scope
from trueup.services.unsent import Unsent, unsent
from trueup.sync.about import About
from trueup.sync.decide import through_fuses
from trueup.sync.engine import LIFTED, Order, Report, landing, meter_for, run
from trueup.sync.owning import own
from trueup.sync.preview import preview
from trueup.sync.rekeying import rebuild_keys
from trueup.sync.rules.backfill import Backfill
from trueup.sync.rules.policy import Stream
from trueup.sync.tally import Tally
from trueup.sync.terms import heed_terms


@dataclass(slots=True)
class PlanReport:
    """What a sync would do now. `calls`: writes' API calls by connection; `failed`: systems not read;
    `aside`: values that will stand set aside after it (one of one field of one record each, as failures are
    counted), by (connection, object, field, reason); of a plan about some contacts only theirs. `held`: what
    fuses would keep back, by (connection, gate), with what they keep back already. `earlier`: what had been
    read before and was not decided yet. `unsent`: what earlier runs decided and did not send, in the tally
    too: how many writes, by (connection, run)."""

    tally: Tally = field(default_factory=Tally)
    contacts: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    failed: dict[str, ConnectorError] = field(default_factory=dict)
    filled: list[Filled] = field(default_factory=list)
    plans: list[tuple[Case, Plan]] = field(default_factory=list)
    aside: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    earlier: Backlog = NO_BACKLOG
    unsent: Counter[tuple[str, int]] = field(default_factory=Counter)
    unsent_samples: list[Unsent] = field(default_factory=list)

    @property
    def changes_something(self) -> bool:
        return any(map(self.tally.get, WRITES)) or any(one.changes for one in self.filled)


WRITES = ("creates", "updates", "deactivates", "reactivates", "deletes")
"""Counts of records that are written to."""

KEPT = 200
"""How many plans of single contacts a report keeps for showing."""


def plan(
    hub: Hub,
    scope: Scope | None = None,
    offline: bool = False,
    out: Path | None = None,
    fills: Sequence[Backfill] = (),
) -> PlanReport:
    """Read the systems (unless offline) and decide, without committing anything or writing anywhere.

    `out` saves the plan for `sync --plan`; `fills` are back-fills to be counted and saved with it. Raises
    Held while a run is at work.
    """
    parts = hub.parts
    report = PlanReport(filled=[filled(hub, one) for one in fills], earlier=parts.store.backlog())
    fence = own(parts)
    try:
        parts.store.register(tuple(parts.connectors), parts.policy.config_version)
        heed_terms(parts)
        report.tally.rekeyed(rebuild_keys(parts, fence))
        if not offline:
            reading = Report(0)
            reading.tally = report.tally
            landing(parts, tuple(parts.connectors), reading, fence)
            report.failed = reading.failed
        decided = _decide(hub, scope or Scope(), report, out)
        if scope in (None, Scope()):
            report.aside.update(_aside_before(hub, decided))
    finally:
        parts.store.let_go(fence)
    report.calls = _calls(hub, report.tally)
    return report


def _decide(hub: Hub, scope: Scope, report: PlanReport, out: Path | None) -> set[int]:
    """Decide everything that the plan is about; the links that were judged anew."""
    decided: set[int] = set()
    known: set[int] = set()
    replaced: set[int] = set()
    parts, fills = hub.parts, [one.backfill for one in report.filled]
    first = set(parts.connectors) - parts.store.approved()
    about = scope.about(parts.store)
    meter = meter_for(parts, LIFTED if first else frozenset(), about)
    gated = Counter(meter.counts)
    with ExitStack() as stack:
        writer = None
        if out is not None:
            at = parts.now().isoformat()
            writer = stack.enter_context(PlanWriter(out, hub.config.version, at, scope, fills))
        for case, one in preview(parts, report.tally.undecided, about, fills):
            through = through_fuses(one, meter)
            if writer is not None:
                writer.add(case, through)
            _note(report, case, one)
            decided.update(patch.link_id for patch in one.links)
            known.add(case.entity.id)
            replaced.update(_replaced(case, one))
            gated.update((write.connection, write.gate) for write in through.writes if write.gate)
        for waiting in unsent(hub, replaced, about.entities()):
            if writer is not None:
                writer.add_unsent(waiting.case, waiting.deliveries)
            _note_unsent(report, waiting, known)
        report.held = meter.stay(gated)
        if writer is not None:
            writer.end(report.held)
    return decided


def _note(report: PlanReport, case: Case, one: Plan) -> None:
    report.tally.planned(one)
    report.contacts += case.entity.kind is Kind.CONTACT
    report.aside.update(_set_aside(case, one))
    for each in report.filled:
        each.note(case, one)
    if len(report.plans) < KEPT and (one.writes or one.withheld or one.changes):
        report.plans.append((case, one))


def _replaced(case: Case, one: Plan) -> Iterator[int]:
    """The deliveries that this decision would take back: others stand in their place, or nothing does."""
    yield from one.superseded
    yield from (each.id for each in case.open if each.link_id in one.unwanted)


def _note_unsent(report: PlanReport, waiting: Unsent, known: set[int]) -> None:
    entity = waiting.case.entity
    report.tally.planned(waiting.as_plan())
    report.contacts += entity.kind is Kind.CONTACT and entity.id not in known
    known.add(entity.id)
    report.unsent.update((one.write.connection, one.run_id) for one in waiting.deliveries)
    if len(report.unsent_samples) < KEPT:
        report.unsent_samples.append(waiting)


def _set_aside(case: Case, one: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Values that a plan leaves out, in records that are there and in those to be made."""
    streams = {link.id: link.stream for link in case.links}
    for patch in one.links:
        for key, why in patch.quarantine.items():
            yield (*streams[patch.link_id], key, shape_of(why.reason, (key,)))
    for write in one.writes:
        for key, why in write.aside.items():
            yield (write.connection, write.object, key, shape_of(why.reason, (key,)))


def _aside_before(hub: Hub, decided: Container[int]) -> Iterator[tuple[str, str, str, str]]:
    """What stands set aside in records that nothing is decided about now."""
    for link, key, why in hub.parts.store.quarantined(None, MOST_FAILURES):
        if link.id not in decided:
            yield (*link.stream, key, shape_of(why.reason, (key,)))


def _calls(hub: Hub, tally: Tally) -> dict[str, int]:
    """The least number of write calls, by connection, with the batch sizes of each object."""
    calls: dict[str, int] = {}
    for stream, spec in hub.parts.specs.items():
        writes = sum(_count(tally, stream, what) for what in WRITES)
        if writes:
            calls[stream[0]] = calls.get(stream[0], 0) + ceil(writes / max(1, spec.write_batch))
    return calls


def _count(tally: Tally, stream: Stream, what: str) -> int:
    return tally.counts.get((*stream, what), 0)


@dataclass(frozen=True, slots=True)
class Sync:
    """What a sync is asked to do."""

    user: str
    scope: Scope = Scope()
    approve_first: bool = False
    plan: Path | None = None


@dataclass(slots=True)
class SyncReport:
    """How a sync went; `drift` where a saved plan was applied; `earlier`: what had been read before (by a
    plan, or a run that did not decide it)."""

    report: Report
    drift: Drift | None = None
    earlier: Backlog = NO_BACKLOG


def sync(hub: Hub, asked: Sync) -> SyncReport:
    """Bring all connections in step once.

    With a saved plan, what would still be written just so is applied, the rest is left out and listed, but
    no opt-out: who has one to be sent is decided whole (of a plan about some contacts only whom one of
    theirs reaches). Its back-fills are begun for those that still hold, and finished by later runs if this
    one does not. Raises PlanDrifted before the first write when too much of it is outdated or the
    configuration changed, Held while another run is at work.
    """
    earlier = hub.parts.store.backlog()
    planned = _against(hub, asked.plan) if asked.plan is not None else None
    about: About = planned or asked.scope.about(hub.parts.store)
    order = Order(tuple(hub.parts.connectors), "sync", asked.user, asked.approve_first, about)
    report = run(hub.parts, order)
    return SyncReport(report, planned.drift if planned is not None else None, earlier)


def _against(hub: Hub, path: Path) -> Planned:
    saved = read_plan(path)
    if saved.config_version != hub.config.version:
        raise PlanDrifted(
            f"{path} was made with another configuration; make the plan again", code="TU-RUN-031"
        )
    plan(hub)
    now: dict[str, tuple[str, ...]] = {}
    ids: dict[str, int] = {}
    outs = OptOuts()
    for case, one in preview(hub.parts, Tally().undecided, fills=saved.fills):
        planned = digests(case, one, saved.fills)
        for name in names_of(case):
            now[name], ids[name] = planned, case.entity.id
        outs.note(case, one)
    moved = drift(saved, now)
    if moved.share > hub.config.hub.drift_limit:
        raise PlanDrifted(
            f"{len(moved.outdated):,} of {_planned(moved)} of {path} would be written differently now "
            f"({moved.share:.0%}, allowed are {hub.config.hub.drift_limit:.0%}); nothing was written"
        )
    for fill in saved.fills:
        hub.parts.store.mark_due([ids[key] for key in sorted(moved.equal & ids.keys())], fill.reason)
    return outs.beyond(hub.parts, saved, moved)


def _planned(moved: Drift) -> str:
    return counted(moved.planned, "contact or company", "contacts and companies")
