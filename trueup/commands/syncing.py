"""`plan` and `sync`: see what would be done, and do it. They share everything but the last step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import Answer
from trueup.commands.desk import Desk, Unusable, command, user_name

if TYPE_CHECKING:
    from trueup.services.hub import Hub

Only = Annotated[
    str | None,
    typer.Option(
        "--only", metavar="WHO", help="One contact: an e-mail address, a contact's or a record's id."
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most N contacts.")]


def add(app: typer.Typer) -> None:
    command(app, "plan", examples=("", "--only ann@example.com", "--csv differs.csv"))(plan)
    command(app, "sync", examples=("", "--approve-first", "--only ann@example.com"))(sync)


def plan(
    desk: Desk,
    only: Only = None,
    limit: Limit = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Decide on what was read last; ask no system now.")
    ] = False,
    backfill: Annotated[
        list[str] | None,
        typer.Option(
            "--backfill",
            metavar="CONN.FIELD=push|pull",
            help="Also count what a changed mapping of this field would write there (push) or take from "
            "there (pull). Can be given several times; `--out` and `sync --plan` carry it out.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Save the plan for `trueup sync --plan FILE`."),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write every difference to a table: values to be replaced or filled, old and new, and "
            "records to be made.",
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 3 when something would be written.")
    ] = False,
) -> Answer:
    """Show what a sync would write, and write nothing.

    Reads every system (that changes nothing there), decides by the same rules as `sync`, and shows the
    outcome: numbers per object, samples old -> new, and how many calls it would take. The first plan reads
    everything, later ones what is new.

    withheld: fields that differ, reported and not written because their connection is not released. skipped:
    records that are not written to that system at all, with the reason below the table; where only one
    field cannot go yet, that is listed there as left out, and counts as nothing else.
    """
    from trueup.commands import plan_table, planned
    from trueup.services import backfilling, syncing
    from trueup.services.scope import Scope
    from trueup.services.unheard import unheard

    with desk.hub() as hub, plan_table.plan_file(out, csv) as file:
        fills = backfilling.backfills(hub, backfill or ())
        report = syncing.plan(hub, Scope(only, limit), offline, file, fills)
        if only is None and not offline:
            told = (one.others_told() for one in unheard(hub.config, hub.parts.connectors))
            hub.notes.extend(line for line in told if line)
        listed = plan_table.write_table(file, csv) if file is not None and csv is not None else {}
        return planned.answer(hub, report, planned.Asked(only, out, csv, listed, exit_code, backfill or ()))


def sync(
    desk: Desk,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Apply a saved plan, as far as it still holds."),
    ] = None,
    only: Only = None,
    limit: Limit = None,
    approve_first: Annotated[
        bool,
        typer.Option(
            "--approve-first",
            help="Allow writing to systems that nothing was written to yet; recorded with your name. With"
            " --only or --limit for these contacts and this run only.",
        ),
    ] = False,
) -> Answer:
    """Bring all systems in step once.

    Reads, decides, writes, and says what it did in numbers that add up. Until a connection is released it
    only fills what is empty there, and reports what differs. Nothing is written to a system for the first
    time before a person has allowed it.

    withheld: fields that differ, reported and not written because their connection is not released. skipped:
    records that are not written to that system at all, with the reason below the table; where only one
    field cannot go yet, that is listed there as left out, and counts as nothing else. overtaken: no usable
    answer came, and somebody edited the record meanwhile, so it is decided again. replaced: never sent,
    because a newer decision took its place.
    """
    from trueup.commands import synced
    from trueup.services import syncing
    from trueup.services.scope import Scope

    if plan is not None and (only is not None or limit is not None):
        raise Unusable(
            "a saved plan says itself which contacts it is about: leave out `--only` and `--limit`"
        )
    with desk.hub() as hub:
        allowed = approve_first or _allows_first(desk, hub)
        order = syncing.Sync(user_name(), Scope(only, limit), allowed, plan)
        return synced.answer(hub, syncing.sync(hub, order), only)


def _allows_first(desk: Desk, hub: Hub) -> bool:
    """Ask, where somebody can be asked, before the first writing to a system."""
    new = sorted(set(hub.parts.connectors) - hub.parts.store.approved())
    if not new or not desk.asks:
        return False
    question = (
        f"trueup has never written to {', '.join(new)}. `trueup plan` shows what it would. May it write now?"
    )
    return desk.ask(question)
