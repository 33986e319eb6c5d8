"""One run from end to end: land, identify, decide, deliver, until nothing more follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.errors import ConnectorError, TrueupError
from trueup.model.counting import counted
from trueup.model.covering import covered, place_of
from trueup.model.delivery import Lane
from trueup.model.run import Fence, RunOutcome
from trueup.sync.about import EVERYBODY, About
from trueup.sync.decide import Deciding, decide_all
from trueup.sync.doubts import resolve
from trueup.sync.identifying import heed_moves, identify_all
from trueup.sync.inbox import land, look_again
from trueup.sync.outbox import Push
from trueup.sync.owning import LEASE, own
from trueup.sync.parts import Parts
from trueup.sync.rekeying import rebuild_keys
from trueup.sync.rules.guard import DESTRUCTIVE, Meter
from trueup.sync.tally import Tally
from trueup.sync.terms import heed_terms

ROUNDS = 30
"""Most rounds of decide and deliver in one run; what is left waits for the next run."""


LIFTED = frozenset({"create"})
"""The fuses that do not count in a run in which a person allows first contact."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do. `connections` to read and write; `approve_first` allows first contact
    and lifts the create fuse, by `user`; what is about some entities only is allowed for this run only."""

    connections: tuple[str, ...]
    kind: str = "sync"
    user: str = ""
    approve_first: bool = False
    about: About = EVERYBODY


@dataclass(slots=True)
class Report:
    """How a run went. `held`: what fuses keep back, by (connection, gate), under the number of the run
    `holder`: this one, or an earlier one to which this one added nothing."""

    run_id: int
    outcome: RunOutcome = RunOutcome.RUNNING
    tally: Tally = field(default_factory=Tally)
    failed: dict[str, ConnectorError] = field(default_factory=dict)
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    holder: int | None = None
    waiting: int = 0


def run(parts: Parts, order: Order) -> Report:
    """Bring everything in step once. Raises Held while another run owns the hub."""
    fence = own(parts)
    try:
        return _run(_renewing(parts, fence), order, fence)
    finally:
        parts.store.let_go(fence)


def _renewing(parts: Parts, fence: Fence) -> Parts:
    """The same parts, whose every sign of progress also keeps the lease from running out."""
    told, last = parts.progress, [parts.now()]

    def progress(step: str, connection: str, object: str, count: int) -> None:
        now = parts.now()
        if now - last[0] > LEASE / 3:
            parts.store.renew(fence, now + LEASE)
            last[0] = now
        told(step, connection, object, count)

    return replace(parts, progress=progress)


def _run(parts: Parts, order: Order, fence: Fence) -> Report:
    parts.store.register(tuple(parts.connectors), parts.policy.config_version)
    heed_terms(parts)
    if order.approve_first and order.about.entities() is None:
        parts.store.approve(order.connections, order.user, parts.now())
    report = Report(parts.store.start_run(order.kind, parts.policy.config_version, order.user, parts.now()))
    try:
        report.tally.began_with(_pending(parts))
        _work(parts, order, report, fence)
        _hold_back(parts, report, fence)
    except KeyboardInterrupt:
        _end(parts, report, RunOutcome.STOPPED, "somebody stopped it; the next run goes on where it was")
        raise
    except Exception as error:
        _end(parts, report, RunOutcome.FAILED, _ended_by(error))
        raise
    report.tally.notes.extend(_of_forms(parts, report.tally))
    report.outcome = _outcome(parts, order, report)
    failed = [f"{name}: {error}" for name, error in sorted(report.failed.items())]
    _end(parts, report, report.outcome, *failed)
    return report


def _work(parts: Parts, order: Order, report: Report, fence: Fence) -> None:
    parts.store.abandoned(parts.now(), {stream: spec.lag for stream, spec in parts.specs.items()})
    push = Push(parts, report.tally, fence, about=order.about)
    resolve(push, order.connections)
    report.tally.rekeyed(rebuild_keys(parts, fence))
    landing(parts, order.connections, report, fence)
    for name, error in report.failed.items():
        push.stop(name, Lane.NORMAL, error)
    resolve(push, order.connections)  # before what a lost create made is identified as somebody new
    meter = meter_for(parts, LIFTED if order.approve_first else frozenset(), order.about)
    deciding = Deciding(report.run_id, meter, report.tally.planned, report.tally.undecided, order.about)
    for _ in range(ROUNDS):
        identify_all(parts, fence)
        decided = decide_all(parts, deciding, fence)
        _open_gates(parts, meter, order.about, fence)
        attempted = push.run(_allowed(parts, order))
        looked = resolve(push, order.connections)
        fence = parts.store.renew(fence, parts.now() + LEASE)
        push.fence = fence
        if not decided and not attempted and not looked and not _waited(parts, order, push):
            break
    report.failed.update(push.stopped())


def landing(parts: Parts, connections: Sequence[str], report: Report, fence: Fence | None) -> None:
    """Read every stream of these connections, the smallest first, and again what was hidden; a failing one
    does not stop the others. Then everybody is known by what was read."""
    known = parts.store.count_links()
    sizes = {name: sum(n for (conn, _, _), n in known.items() if conn == name) for name in connections}
    for connection in sorted(connections, key=lambda name: (sizes[name], name)):
        try:
            for stream in parts.streams(connection):
                land(parts, stream, report.tally, fence)
            look_again(parts, connection, fence)
        except ConnectorError as error:
            report.failed[connection] = error
    heed_moves(parts, fence)


def meter_for(parts: Parts, lifted: frozenset[str], about: About = EVERYBODY) -> Meter:
    """What the fuses allow a run that begins now, with all that is held back already of whom it is about, and
    all that an earlier run let through and that leaves only now. What an ended run held back waits for a
    person; of a run about some contacts only their number counts."""
    links: dict[str, int] = {}
    for (connection, _, _), number in parts.store.count_links().items():
        links[connection] = links.get(connection, 0) + number
    among = about.entities()
    gates = parts.store.gates(among)
    counts = {place: gate.number for place, gate in gates.items()}
    held = frozenset(place for place, gate in gates.items() if gate.held and among is None)
    ahead: dict[tuple[str, str], set[int | None]] = {
        place: set(some) for place, some in parts.store.let_through(among).items()
    }
    return Meter(parts.fuses, links, lifted, counts, held, ahead)


def _allowed(parts: Parts, order: Order) -> list[str]:
    """Connections that a person has allowed the hub to write to, be it for this run."""
    if order.approve_first:
        return list(order.connections)
    approved = parts.store.approved()
    return [name for name in order.connections if name in approved]


def _open_gates(parts: Parts, meter: Meter, about: About, fence: Fence) -> None:
    """The run's decisions are complete for now: destructive writes go, unless a fuse tripped. Of a run about
    some contacts only theirs are: those of others are for a run about all to count and to let through."""
    among = about.entities()
    for (connection, gate), waiting in parts.store.gates(among).items():
        meter.at_least(connection, gate, waiting.number)
        if gate in DESTRUCTIVE and not meter.tripped(connection, gate):
            parts.store.open_gates(connection, gate, "", parts.now(), among, fence)


def _waited(parts: Parts, order: Order, push: Push) -> bool:
    """Whether it was worth waiting a little: for a look-up lag, a remote job, a short limit."""
    open_now = [name for name in _allowed(parts, order) if name not in push.stopped()]
    at = _next_at(parts, order, open_now)
    if at is None:
        return False
    seconds = (at - parts.now()).total_seconds()
    if not 0 < seconds <= parts.timing.patience:
        return False
    parts.clock.sleep(seconds)
    return True


def _next_at(parts: Parts, order: Order, names: Sequence[str]) -> datetime | None:
    """When the earliest pending write may go that this run would send. Of others than it is about these are
    the opt-outs, wherever a person allowed writing for good."""
    among = order.about.entities()
    if among is None:
        return parts.store.next_delivery_at(names)
    approved = parts.store.approved()
    allowed = [name for name in names if name in approved]
    own = parts.store.next_delivery_at(names, among=among)
    opt_outs = parts.store.next_delivery_at(allowed, [Lane.URGENT])
    return min((at for at in (own, opt_outs) if at is not None), default=None)


def _hold_back(parts: Parts, report: Report, fence: Fence) -> None:
    """What waits for a person is this run's now."""
    missing = {(one, two): n for (one, two, what), n in report.tally.counts.items() if what == "held missing"}
    parts.store.hold_absences(report.run_id, missing, fence)
    report.holder = parts.store.gather_gated(fence)
    report.held = dict(parts.store.gated(report.holder)) if report.holder is not None else {}


def _end(parts: Parts, report: Report, outcome: RunOutcome, *more: str) -> None:
    """What a run leaves behind is kept long and read by many: no note holds a secret or an address."""
    report.tally.ended_with(_pending(parts))
    notes = [covered(note) for note in (*report.tally.notes, *more)]
    left = parts.store.finish_run(report.run_id, outcome, report.tally.flat(), notes, parts.now())
    report.tally.notes.extend(left)


def _pending(parts: Parts) -> dict[tuple[str, str, str], int]:
    """The writes that wait, of the connections that the hub has now."""
    return {place: n for place, n in parts.store.pending().items() if place[0] in parts.connectors}


def _ended_by(error: Exception) -> str:
    """Of an error that nobody foresaw its kind and place only: its text may hold anything."""
    if isinstance(error, TrueupError):
        return str(error)
    return f"a fault of trueup itself: {place_of(error)}"


def _of_forms(parts: Parts, tally: Tally) -> Iterator[str]:
    """Fields that kept our values otherwise than we sent them, so far as they answer nothing."""
    known = {(one.connection, one.object, one.path): one for one in parts.store.formats()}
    for place, number in sorted(tally.forms.items()):
        connection, object, path = place
        records = counted(number, "record")
        if place in known and known[place].learned:
            yield (
                f"{connection} {object}: format unknown: `{path}` keeps what it is sent in a form of its own "
                f"({records}); the contacts keep their values, and what stands there is agreed"
            )
        else:
            yield (
                f"{connection} {object}: `{path}` was kept otherwise than it was sent ({records}); the "
                "contacts keep their values; `trueup why` shows what stands there"
            )


def _outcome(parts: Parts, order: Order, report: Report) -> RunOutcome:
    """What is held back or waits of others than the run is about is nothing that it lacks."""
    unwritten = set(parts.connectors) - parts.store.approved()
    waiting = _next_at(parts, order, tuple(parts.connectors))
    held = parts.store.gated(report.holder, order.about.entities()) if report.holder is not None else {}
    if held or parts.store.absences() or (unwritten and waiting is not None):
        return RunOutcome.HELD
    if len(report.failed) == len(parts.connectors) and report.failed:
        return RunOutcome.FAILED
    if report.failed or waiting is not None:
        return RunOutcome.PARTIAL
    if report.tally.lost or report.tally.get("failed") or report.tally.get("rejected"):
        return RunOutcome.WITH_ERRORS
    return RunOutcome.COMPLETED
