"""`decisions`: what people decided about this hub, and who."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import FAILED, Answer, Grid, Shown
from trueup.commands.desk import Desk, command
from trueup.model.counting import counted

if TYPE_CHECKING:
    from trueup.model.record import Json
    from trueup.model.run import AuditRow, Chain
    from trueup.services.hub import Hub


def add(app: typer.Typer) -> None:
    command(app, "decisions", examples=("", '--about "run 7"', "--verify"))(decisions)


def decisions(
    desk: Desk,
    about: Annotated[
        str, typer.Option("--about", metavar="WHAT", help="Only about this: `run 7`, c-17, a connection.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="The last N.")] = 50,
    verify: Annotated[
        bool, typer.Option("--verify", help="Instead: whether all stand as they were written.")
    ] = False,
) -> Answer:
    """What people decided here, newest first: who, when, what.

    Approvals and rejections, releases, edits, failures tried again or given up, connections renamed or
    removed. It names ids, fields and numbers, never anybody's values, and is kept for good.

    Each is chained to the one before. `--verify` looks through all of them for one that was changed, taken
    out or put in, and ends with 1 if there is any. A chain that was cut off at its end looks whole: keep the
    number that it prints somewhere else, and compare.
    """
    with desk.hub() as hub:
        if verify:
            return _verified(hub.parts.store.verify_audit())
        found = hub.parts.store.audit(about, limit)
        if about and not found:
            _known(hub, about)
    where = f"about {about}" if about else "here"
    shown: list[Shown] = [decisions_grid(found)] if found else [f"Nobody has decided anything {where} yet."]
    return Answer({"decisions": [decision_document(one) for one in found]}, shown)


def _known(hub: Hub, about: str) -> None:
    """Raises NotFound where there is no such run, contact or connection. Of what is gone, decisions tell."""
    from trueup.services.connecting import connection_named

    word, _, number = about.partition(" ")
    if word == "run" and number.isdigit():
        hub.parts.store.run(int(number))
    elif _ID.fullmatch(about):
        hub.parts.store.case(about)
    else:
        connection_named(hub.config, about)


_ID = re.compile(r"(c|co|d|u)-\d+")


def _verified(chain: Chain) -> Answer:
    document = {"decisions": chain.rows, "digest": chain.last.hex(), "broken": None}
    if chain.broken is None:
        said = f"{counted(chain.rows, 'decision')}, all as they were written."
        return Answer(document, [said, f"The last one has the number {chain.last.hex()}."])
    one = chain.broken
    lines = [
        f"Decision {chain.rows + 1:,} is not as it was written, or one before it was taken out or put in:",
        f"  {one.at:%Y-%m-%d %H:%M:%S} {one.user}: {one.action}, {one.subject}",
        f"Before it: {counted(chain.rows, 'decision')}, as written.",
        "Somebody wrote into the hub's database: compare it with the last backup.",
    ]
    return Answer({**document, "broken": decision_document(one)}, lines, FAILED)


def decisions_grid(rows: Sequence[AuditRow]) -> Grid:
    cells = [
        (f"{one.at:%Y-%m-%d %H:%M:%S}", one.user, one.action, one.subject, _details(one)) for one in rows
    ]
    return Grid(("when", "who", "what", "about", "details"), cells)


def _details(one: AuditRow) -> str:
    return ", ".join(f"{key}: {_short(value)}" for key, value in one.details.items())


def _short(value: Json) -> str:
    if isinstance(value, list):
        some = ", ".join(str(each) for each in value[:_FEW])
        return some + (f" and {len(value) - _FEW:,} more" if len(value) > _FEW else "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


_FEW = 8


def decision_document(one: AuditRow) -> Json:
    return {
        "at": one.at.isoformat(),
        "user": one.user,
        "action": one.action,
        "about": one.subject,
        "details": dict(one.details),
        "digest": one.digest.hex(),
    }
