"""What a sync shows."""

from __future__ import annotations

from trueup.commands.answer import CONFIGURATION, FAILED, FINE, Answer, Grid, Shown
from trueup.commands.counts import (
    RECORDS,
    Row,
    earlier_document,
    earlier_lines,
    put_back_lines,
    reading_grid,
    rows_of,
    skipped_lines,
    tally_document,
    unaccounted_lines,
    with_numbers,
    writing_grid,
)
from trueup.commands.empty import empty_lines
from trueup.commands.held import absent_document, absent_lines, held_document, held_lines
from trueup.commands.later import unapproved_lines, waiting_lines
from trueup.commands.planned import (
    UNKNOWN,
    error_document,
    failed_lines,
    hub_streams,
    known_by,
    note_lines,
    notes_of,
    without_consent_lines,
)
from trueup.config.without_consent import without_consent
from trueup.model.counting import counted
from trueup.model.fields import Kind
from trueup.model.record import Json
from trueup.model.run import RunOutcome
from trueup.services.connecting import withheld_count
from trueup.services.failing import causes
from trueup.services.hub import Hub
from trueup.services.planfile import Drift
from trueup.services.syncing import SyncReport
from trueup.sync.engine import Report

OUTCOMES = {
    RunOutcome.COMPLETED: "Run {id} is complete.",
    RunOutcome.WITH_ERRORS: "Run {id} is complete, but some of it failed.",
    RunOutcome.PARTIAL: "Run {id} did a part; the rest waits for the next one.",
    RunOutcome.HELD: "Run {id} is held: some of it waits for a person.",
    RunOutcome.FAILED: "Run {id} failed.",
    RunOutcome.STOPPED: "Run {id} was stopped by somebody; the next one goes on where it was.",
    RunOutcome.RUNNING: "Run {id} is still at work.",
}


def answer(hub: Hub, done: SyncReport, only: str | None) -> Answer:
    """The outcome, tables that add up, and the next command. `only`: the contact that was asked for; where
    there is none of that name, that is said first."""
    report = done.report
    rows = rows_of(report.tally.counts, hub_streams(hub))
    nobody = only is not None and not known_by(hub, only) and not any(map(_decided, rows))
    shown: list[Shown] = [
        *([f"No contact matches `{only}`: nothing was written.", UNKNOWN, ""] if nobody else []),
        _outcome_line(report),
        "",
        "Read:",
        reading_grid(rows),
        *earlier_lines(done.earlier),
    ]
    shown += ["", "Decided:", writing_grid(rows), *skipped_lines(rows), *put_back_lines(report.tally)]
    shown += ["", "Written:", written_grid(rows), *unaccounted_lines(rows)]
    shown += [
        *_drift_lines(done.drift),
        *_beyond_lines(done.drift, rows),
        *failed_lines(report.failed),
    ]
    shown += [
        *empty_lines(hub, rows, report.failed),
        *without_consent_lines(hub, rows),
        *note_lines(notes_of(hub, report.failed), report.tally.notes),
    ]
    shown += next_lines(hub, report)
    return Answer(_document(hub, done, rows), shown, _exit(report) or (CONFIGURATION if nobody else FINE))


def _outcome_line(report: Report) -> str:
    if report.held and report.holder != report.run_id and not report.tally.get("held missing"):
        return (
            f"Run {report.run_id} is done, but what run {report.holder} holds back still waits for a person."
        )
    return OUTCOMES[report.outcome].format(id=report.run_id)


def _exit(report: Report) -> int:
    return FINE if report.outcome is RunOutcome.COMPLETED else FAILED


def written_grid(rows: list[Row]) -> Grid | str:
    """pending before + decided = done + failed + overtaken + replaced + held + pending still."""
    lines = with_numbers([[*row.stream, *_balance(row).values()] for row in rows])
    if not lines:
        return "  nothing"
    head = (
        "pending before",
        "+ decided",
        "= done",
        "+ failed",
        "+ overtaken",
        "+ replaced",
        "+ held",
        "+ pending",
    )
    return Grid(("connection", "object", *head), lines)


def _balance(row: Row) -> dict[str, int]:
    """The account of one object's writes. `replaced`: never sent, a newer decision took their place."""
    decided = _decided(row)
    was, held, waits = (row.number(what) for what in ("pending_before", "held", "pending"))
    ended = row.number("done") + row.number("failed") + row.number("overtaken")
    return {
        "pending before": was,
        "decided": decided,
        "done": row.number("done"),
        "failed": row.number("failed"),
        "overtaken": row.number("overtaken"),
        "replaced": was + decided - ended - held - waits,
        "held": held,
        "pending": waits,
    }


def _drift_lines(drift: Drift | None) -> list[str]:
    if drift is None or not drift.outdated:
        return []
    lines = [f"  {key}" for key in drift.outdated[:_FEW]]
    more = [f"  and {len(drift.outdated) - _FEW:,} more"] if len(drift.outdated) > _FEW else []
    return ["", "Left out of the saved plan, because they would be written differently now:", *lines, *more]


def _beyond_lines(drift: Drift | None, rows: list[Row]) -> list[str]:
    """What was decided that the saved plan did not hold, and why that may be; what a newer decision of the
    run replaced is not counted twice."""
    if drift is None:
        return []
    beyond = {
        row.stream: _decided(row) - _balance(row)["replaced"] - drift.writes.get(row.stream, 0)
        for row in rows
    }
    lines = [
        f"  {stream[0]} {stream[1]}: {counted(number, 'write')}"
        for stream, number in beyond.items()
        if number > 0
    ]
    why = (
        "  Opt-outs wait for no plan: those read since it was made leave, with what else is decided of the",
        "  same person, and reach whoever holds the same address. What points at a new record is written",
        "  once that is there.",
    )
    return ["", "Beyond the saved plan:", *lines, *why] if lines else []


def _decided(row: Row) -> int:
    return sum(row.number(what) for what in RECORDS)


_FEW = 20


def next_lines(hub: Hub, report: Report) -> list[str]:
    """What waits for whom, and the command for it."""
    absent = absent_lines(hub.parts.store.absences())
    lines = [*waiting_lines(hub), *held_lines(report.held, report.holder), *absent, *unapproved_lines(hub)]
    differing = {name: number for name in hub.parts.connectors if (number := withheld_count(hub, name))}
    if differing:
        most = sorted(differing, key=lambda name: -differing[name])
        names = ", ".join(f"{name} ({counted(differing[name], 'contact')})" for name in most)
        lines += ["", f"Differences that are reported, not written, until a release: {names}."]
        lines += [f"  `trueup why CONTACT` shows them one by one; then: trueup connections release {most[0]}"]
    return [*lines, *_double_lines(hub), *_failure_lines(hub)]


def _double_lines(hub: Hub) -> list[str]:
    """How many people wait, and how to see them."""
    waiting = len(hub.parts.store.doubles(Kind.CONTACT))
    if not waiting:
        return []
    who = counted(waiting, "contact waits", "contacts wait")
    return [
        "",
        f"{who} for a decision: the same person as another one? Until then nothing is created for them.",
        "  To see them, each with whom it may be: trueup contacts waiting",
    ]


def _failure_lines(hub: Hub) -> list[str]:
    found = causes(hub)
    writes = sum(cause.count for cause in found if cause.kind == "write")
    fields = sum(cause.count for cause in found if cause.kind == "field")
    parts = [counted(writes, "write") + " not taken"] if writes else []
    parts += [counted(fields, "value") + " set aside"] if fields else []
    return (
        ["", f"{' and '.join(parts)}, for {counted(len(found), 'cause')}: trueup failures"] if parts else []
    )


def _document(hub: Hub, done: SyncReport, rows: list[Row]) -> Json:
    report = done.report
    return {
        "run": report.run_id,
        "outcome": report.outcome.value,
        **tally_document(report.tally, rows),
        "writes": [{"connection": row.stream[0], "object": row.stream[1], **_balance(row)} for row in rows],
        "read_earlier": earlier_document(done.earlier),
        "held": held_document(report.held),
        "held_by": report.holder,
        "wait_for_a_decision": len(hub.parts.store.doubles(Kind.CONTACT)),
        "missing": absent_document(hub.parts.store.absences()),
        "failed": {name: error_document(error) for name, error in report.failed.items()},
        "outdated": list(done.drift.outdated) if done.drift else [],
        "without_consent": [one.connection for one in without_consent(hub.config)],
        "hub_notes": list(hub.notes),
    }
