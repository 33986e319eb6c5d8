"""`runs`: look at runs, and let held ones go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import Answer, Grid, Shown
from trueup.commands.desk import Desk, Unusable, command, user_name
from trueup.model.counting import counted

if TYPE_CHECKING:
    from trueup.model.landing import Absences
    from trueup.model.record import Json
    from trueup.model.run import Run
    from trueup.services.hub import Hub

HeldRun = Annotated[
    int | None,
    typer.Argument(metavar="[RUN]", help="The number of the held run; left out: the one there is."),
]
RunId = Annotated[int, typer.Argument(metavar="RUN", help="The number of a run, as `trueup runs` lists it.")]
Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="The last N runs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without being asked.")]


def add(app: typer.Typer) -> None:
    runs = typer.Typer(name="runs", rich_markup_mode=None)
    command(runs, default=True, examples=("",))(overview)
    command(runs, "list", examples=("--limit 5",))(list_runs)
    command(runs, "show", examples=("7", "7 --csv held.csv"))(show)
    command(runs, "approve", examples=("", "7 --yes"))(approve)
    command(runs, "reject", examples=('7 --reason "wrong table"',))(reject)
    app.add_typer(runs)


def overview(desk: Desk) -> Answer:
    """Look at runs, and let held ones go on. Without a command: the last runs."""
    return list_runs(desk)


def list_runs(desk: Desk, limit: Limit = 20) -> Answer:
    """The last runs, newest first."""
    with desk.hub() as hub:
        found = hub.parts.store.runs(limit)
        holder = hub.parts.store.held_by()
        held = sum(hub.parts.store.gated(holder).values()) if holder is not None else 0
        missing = _missing(hub.parts.store.absences())
    rows = [
        (run.id, _time(run.started_at), run.kind, run.outcome.value, run.user, _short(run)) for run in found
    ]
    if holder is not None:
        rows = [(*row[:5], f"{row[5]}; {held:,} held") if row[0] == holder else row for row in rows]
    rows = [
        (*row[:5], f"{row[5]}; {missing[row[0]]:,} missing") if row[0] in missing else row for row in rows
    ]
    shown: list[Shown] = [Grid(("run", "started", "what", "outcome", "by", "did"), rows)]
    if not found:
        shown = ["There was no run yet. Next: trueup plan"]
    return Answer({"runs": [_document(run) for run in found]}, shown)


def show(
    desk: Desk,
    run: RunId,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write everything that the run holds back to a table, in the form of `plan --csv`.",
        ),
    ] = None,
) -> Answer:
    """One run: its numbers, its notes, and what it holds back."""
    from trueup.commands.counts import counts_of_run, reading_grid, rows_of, skipped_lines, writing_grid
    from trueup.commands.decisions import decision_document, decisions_grid
    from trueup.commands.held import (
        absent_document,
        absent_lines,
        held_document,
        held_lines,
        held_writes,
        samples_document,
        writes_grid,
    )
    from trueup.commands.held_table import table_lines
    from trueup.commands.later import unapproved_lines
    from trueup.commands.planned import note_lines
    from trueup.commands.synced import OUTCOMES, written_grid
    from trueup.model.covering import covered
    from trueup.model.run import RunOutcome

    with desk.hub() as hub:
        found = hub.parts.store.run(run)
        held = hub.parts.store.gated(run)
        decided = hub.parts.store.audit(f"run {run}", 100)
        rejected = hub.parts.store.rejections(run)
        writes = held_writes(hub, run)
        absent = [one for one in hub.parts.store.absences() if one.run_id == run]
        listed = writes_grid(hub, writes, held, run)
        first = unapproved_lines(hub) if found.outcome is RunOutcome.HELD else []
        table = table_lines(hub, run, csv) if csv is not None else []
    rows = rows_of(counts_of_run(found.counts))
    shown: list[Shown] = [
        OUTCOMES[found.outcome].format(id=found.id),
        _when(found),
        "",
        "Read:",
        reading_grid(rows),
    ]
    shown += ["", "Decided:", writing_grid(rows), *skipped_lines(rows), "", "Written:", written_grid(rows)]
    shown += note_lines(list(found.notes))
    shown += [*held_lines(held, run), *listed, *absent_lines(absent), *first, *table]
    if decided:
        shown += ["", "Decided by people:", decisions_grid(decided)]
    if rejected:
        shown += [f"  Rejected by {covered(one)}" for one in rejected]
        shown += ["  What it held back differs still, unless one side moved since: trueup why CONTACT tells."]
    people = [decision_document(one) for one in decided]
    told = {"held": held_document(held), "samples": samples_document(writes), "decisions": people}
    told["rejected"] = [covered(one) for one in rejected]
    told["missing"] = absent_document(absent)
    return Answer({**_document(found), **told}, shown)


def approve(desk: Desk, run: HeldRun = None, yes: Yes = False) -> Answer:
    """Let go what a run holds back: the next sync writes it, and takes for deleted what it found missing.

    One run holds all that fuses keep back: without a number that one is meant.
    """
    with desk.hub() as hub:
        held = _held(hub, run)
        desk.confirm(f"Of run {held.run}: {' and '.join(_questions(held))}?", yes)
        store, now, user = hub.parts.store, hub.parts.now(), user_name()
        freed = sum(store.open_gates(name, gate, user, now) for name, gate in held.gates)
        accepted = store.accept_absences(held.run, user, now) if held.missing else 0
    shown = [f"{counted(freed, 'pending write')} may go. Next: trueup sync"] if held.gates else []
    if held.missing:
        which = "the next sync takes those for deleted that are missing still"
        shown.append(f"{counted(accepted, 'missing record')} accepted: {which}. Next: trueup sync")
    return Answer({"run": held.run, "approved": freed, "accepted_missing": accepted}, shown)


def _questions(held: _Held) -> Iterator[str]:
    if held.gates:
        yield f"let {counted(sum(held.gates.values()), 'pending write')} go"
    if held.missing:
        yield f"take {counted(held.missing, 'missing record')} for deleted"


def reject(
    desk: Desk,
    run: HeldRun = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; `runs show` and `why` tell it.")] = "rejected",
    yes: Yes = False,
) -> Answer:
    """Drop what a run holds back: it is not written, and the systems stay as they are.

    One run holds all that fuses keep back: without a number that one is meant.
    """
    with desk.hub() as hub:
        held = _held(hub, run)
        if not held.gates:
            raise Unusable(
                f"run {held.run} holds no writes back, it found {counted(held.missing, 'record')} missing."
                " They are treated as deleted only if you approve it, so there is nothing to reject",
                code="TU-CLI-003",
            )
        writes = counted(sum(held.gates.values()), "pending write")
        desk.confirm(f"Drop {writes} of run {held.run} for good?", yes)
        dropped = hub.parts.store.close_gates(held.run, user_name(), reason, hub.parts.now())
    return Answer({"run": held.run, "rejected": dropped}, [f"{counted(dropped, 'pending write')} dropped."])


@dataclass(frozen=True, slots=True)
class _Held:
    """What a run holds: writes by (connection, gate), and how many records it found missing."""

    run: int
    gates: Mapping[tuple[str, str], int]
    missing: int


def _held(hub: Hub, run: int | None) -> _Held:
    """The run that is meant and what it holds back. Raises Unusable where it holds nothing, and says which
    run does; NotFound for no such run."""
    store = hub.parts.store
    holder, missing = store.held_by(), _missing(store.absences())
    if run is not None:
        store.run(run)
    holders = sorted({*missing, *([holder] if holder is not None else [])})
    if not holders:
        raise Unusable(
            f"run {run} holds nothing back" if run else "no run holds anything back", code="TU-CLI-003"
        )
    if run is None and len(holders) > 1:
        names = ", ".join(map(str, holders))
        raise Unusable(f"the runs {names} hold something back: say which one is meant", code="TU-CLI-003")
    if run is not None and run not in holders:
        raise Unusable(
            f"run {run} holds nothing back (`trueup runs show {run}` tells what became of it), run"
            f" {holders[-1]} does. Look at it: trueup runs show {holders[-1]}",
            code="TU-CLI-003",
        )
    chosen = holders[0] if run is None else run
    return _Held(chosen, store.gated(chosen) if chosen == holder else {}, missing.get(chosen, 0))


def _missing(found: Sequence[Absences]) -> Counter[int]:
    """How many records each run found missing."""
    numbers: Counter[int] = Counter()
    for one in found:
        numbers[one.run_id] += one.number
    return numbers


def _time(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""


def _when(run: Run) -> str:
    ended = f" to {_time(run.ended_at)}" if run.ended_at else ""
    by = f" by {run.user}" if run.user else ""
    return f"{run.kind} from {_time(run.started_at)}{ended}{by}, configuration {run.config_version}"


def _short(run: Run) -> str:
    """The numbers of a run in a few words."""
    from trueup.commands.counts import counts_of_run

    sums: dict[str, int] = {}
    for (_, _, what), number in counts_of_run(run.counts).items():
        sums[what] = sums.get(what, 0) + number
    words = (
        *(("read", "read"), ("done", "written"), ("withheld", "withheld"), ("failed", "failed")),
        ("pending", "left pending"),
    )
    return ", ".join(f"{sums[what]:,} {word}" for what, word in words if sums.get(what)) or "nothing"


def _document(run: Run) -> dict[str, Json]:
    return {
        "run": run.id,
        "kind": run.kind,
        "outcome": run.outcome.value,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "user": run.user,
        "config_version": run.config_version,
        "counts": dict(run.counts),
        "notes": list(run.notes),
    }
