"""`runs`: look at runs, and let held ones go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import Answer, Grid, Shown, counted
from trueup.commands.desk import Desk, Unusable, command, user_name

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    command(runs, default=True)(overview)
    command(runs, "list")(list_runs)
    command(runs, "show")(show)
    command(runs, "approve")(approve)
    command(runs, "reject")(reject)
    app.add_typer(runs)


def overview(desk: Desk) -> Answer:
    """Look at runs, and let held ones go on. Without a command: the last runs."""
    return list_runs(desk)


def list_runs(desk: Desk, limit: Limit = 20) -> Answer:
    """The last runs, newest first."""
    with desk.hub() as hub:
        found = hub.parts.store.runs(limit)
    rows = [
        (run.id, _time(run.started_at), run.kind, run.outcome.value, run.user, _short(run)) for run in found
    ]
    shown: list[Shown] = [Grid(("run", "started", "what", "outcome", "by", "did"), rows)]
    if not found:
        shown = ["There was no run yet. Next: trueup plan"]
    return Answer({"runs": [_document(run) for run in found]}, shown)


def show(desk: Desk, run: RunId) -> Answer:
    """One run: its numbers, its notes, and what it holds back."""
    from trueup.commands.counts import counts_of_run, reading_grid, rows_of, skipped_lines, writing_grid
    from trueup.commands.decisions import decision_document, decisions_grid
    from trueup.commands.planned import note_lines
    from trueup.commands.synced import OUTCOMES, held_lines

    with desk.hub() as hub:
        found = hub.parts.store.run(run)
        held = hub.parts.store.gated(run)
        decided = hub.parts.store.audit(f"run {run}", 100)
    rows = rows_of(counts_of_run(found.counts))
    shown: list[Shown] = [
        OUTCOMES[found.outcome].format(id=found.id),
        _when(found),
        "",
        "Read:",
        reading_grid(rows),
    ]
    shown += ["", "Decided:", writing_grid(rows), *skipped_lines(rows), *note_lines(list(found.notes))]
    shown += held_lines(held, run)
    if decided:
        shown += ["", "Decided by people:", decisions_grid(decided)]
    gates = [
        {"connection": name, "kind": gate, "writes": number} for (name, gate), number in sorted(held.items())
    ]
    people = [decision_document(one) for one in decided]
    return Answer({**_document(found), "held": gates, "decisions": people}, shown)


def approve(desk: Desk, run: HeldRun = None, yes: Yes = False) -> Answer:
    """Let go what a run holds back: the next sync writes it.

    The newest run holds what earlier ones left: without a number that one is meant.
    """
    with desk.hub() as hub:
        run, held = _held(hub, run)
        desk.confirm(f"Let {counted(sum(held.values()), 'pending write')} of run {run} go?", yes)
        now, user = hub.parts.now(), user_name()
        freed = sum(hub.parts.store.open_gates(name, gate, user, now) for name, gate in held)
    shown = [f"{counted(freed, 'pending write')} may go. Next: trueup sync"]
    return Answer({"run": run, "approved": freed}, shown)


def reject(
    desk: Desk,
    run: HeldRun = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the run's writes.")] = "rejected",
    yes: Yes = False,
) -> Answer:
    """Drop what a run holds back: it is not written, and the systems stay as they are.

    The newest run holds what earlier ones left: without a number that one is meant.
    """
    with desk.hub() as hub:
        run, held = _held(hub, run)
        desk.confirm(f"Drop {counted(sum(held.values()), 'pending write')} of run {run} for good?", yes)
        dropped = hub.parts.store.close_gates(run, user_name(), reason, hub.parts.now())
    return Answer({"run": run, "rejected": dropped}, [f"{counted(dropped, 'pending write')} dropped."])


def _held(hub: Hub, run: int | None) -> tuple[int, Mapping[tuple[str, str], int]]:
    """The run that is meant and what it holds back. Raises Unusable where it holds nothing, and says which
    run does; NotFound for no such run."""
    store = hub.parts.store
    holder = next((one.id for one in store.runs(_LOOKED_THROUGH) if store.gated(one.id)), None)
    if run is not None:
        store.run(run)
    if holder is None:
        raise Unusable(
            f"run {run} holds nothing back" if run else "no run holds anything back", code="TU-CLI-003"
        )
    if run is not None and run != holder:
        raise Unusable(
            f"run {run} holds nothing back: what it may have held went over to run {holder}, perhaps with"
            f" more. Look at it: trueup runs show {holder}",
            code="TU-CLI-003",
        )
    return holder, store.gated(holder)


_LOOKED_THROUGH = 50
"""The last so many runs: the newest that decided anything holds all that is held."""


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
    words = (("read", "read"), ("done", "written"), ("withheld", "withheld"), ("failed", "failed"))
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
