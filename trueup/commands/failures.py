"""`failures`: what systems did not take, by cause; fix once, try all again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import Answer, Shown
from trueup.commands.desk import Desk, Unusable, command, user_name
from trueup.model.counting import counted

if TYPE_CHECKING:
    from trueup.services.failing import Cause, Chosen
    from trueup.services.hub import Hub

Connection = Annotated[
    str | None, typer.Option("--connection", metavar="NAME", help="Only of one connection.")
]
Which = Annotated[
    list[str] | None, typer.Argument(metavar="[CAUSE...]", help="Causes, or single pending writes by number.")
]
All = Annotated[bool, typer.Option("--all", help="Every failure (of `--connection`, if named).")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without being asked.")]


def add(app: typer.Typer) -> None:
    failures = typer.Typer(name="failures", rich_markup_mode=None)
    command(failures, default=True, examples=("",))(overview)
    command(failures, "list", examples=("--connection sales",))(list_failures)
    command(failures, "retry", examples=("3fa2c1", "--all --connection sales"))(retry)
    command(failures, "discard", examples=("3fa2c1 --yes",))(discard)
    app.add_typer(failures)


def overview(desk: Desk) -> Answer:
    """What systems did not take, by cause. Without a command: the list."""
    return list_failures(desk)


def list_failures(desk: Desk, connection: Connection = None) -> Answer:
    """Every cause with how many it concerns, the most frequent first."""
    from trueup.services import failing
    from trueup.services.connecting import connection_named

    with desk.hub() as hub:
        found = failing.causes(hub, connection)
        if connection is not None and not found:
            connection_named(
                hub.config, connection
            )  # or else "nothing waits" would be said of a typing error
    shown: list[Shown] = [line for cause in found for line in _lines(cause)]
    if not found:
        shown = ["Nothing waits for a person: every write was taken, or is still on its way."]
    return Answer({"causes": [_document(cause) for cause in found]}, shown)


def _lines(cause: Cause) -> list[str]:
    what = (
        counted(cause.count, "write waits whole", "writes wait whole")
        if cause.kind == "write"
        else counted(cause.count, "record") + ", one field set aside and the others kept in step"
    )
    other = f"  (or alike: {cause.texts:,} texts)" if cause.texts > 1 else ""
    lines = [f"{cause.id}  {cause.connection} {cause.object}: {what}: {cause.reason}{other}  [{cause.code}]"]
    lines.append(
        f"        fields {', '.join(cause.fields)}; since {cause.since:%Y-%m-%d %H:%M}; {_such_as(cause)}"
    )
    if cause.kind == "write" or cause.places:
        lines.append(f"        when the cause is gone: trueup failures retry {cause.id}")
    return [*lines, ""]


def _such_as(cause: Cause) -> str:
    return f"such as {', '.join(cause.examples)}" if cause.examples else "no contact yet"


def retry(desk: Desk, which: Which = None, all: All = False, connection: Connection = None) -> Answer:
    """Try again what failed, with the next sync."""
    from trueup.services import failing

    with desk.hub() as hub:
        writes, fields = failing.retry(hub, _chosen(hub, which, all, connection), user_name())
    said = [counted(writes, "write")] if writes or not fields else []
    said += [f"{counted(fields, 'value')} set aside"] if fields else []
    told = f"{' and '.join(said)} will be tried again. Next: trueup sync"
    return Answer({"retried": writes, "fields": fields}, [told])


def discard(
    desk: Desk, which: Which = None, all: All = False, connection: Connection = None, yes: Yes = False
) -> Answer:
    """Give up what failed: the systems stay as they are, and the difference is not raised again by itself."""
    from trueup.services import failing

    with desk.hub() as hub:
        found = _chosen(hub, which, all, connection)
        desk.confirm(f"Give up {counted(len(found.numbers), 'write')} for good?", yes)
        count = failing.discard(hub, found, user_name())
    lines = [f"{counted(count, 'write')} given up."]
    kept = len(found.numbers) - count
    if kept:
        lines.append(f"{counted(kept, 'opt-out')} stay until delivered: mend the cause, or opt out there.")
    return Answer({"discarded": count, "kept": kept}, lines)


def _chosen(hub: Hub, which: list[str] | None, all: bool, connection: str | None) -> Chosen:
    from trueup.services import failing
    from trueup.services.connecting import connection_named

    if bool(which) == all:
        raise Unusable("name causes or numbers as `trueup failures` lists them, or say `--all`")
    if connection is not None and not all:
        raise Unusable("`--connection` goes with `--all`")
    if connection is not None and not failing.causes(hub, connection):
        connection_named(hub.config, connection)
    return failing.every(hub, connection) if all else failing.chosen(hub, which or [])


def _document(cause: Cause) -> dict[str, object]:
    return {
        "cause": cause.id,
        "kind": cause.kind,
        "connection": cause.connection,
        "object": cause.object,
        "code": cause.code,
        "reason": cause.reason,
        "texts": cause.texts,
        "count": cause.count,
        "since": cause.since.isoformat(),
        "fields": list(cause.fields),
        "writes": list(cause.numbers),
        "contacts": list(cause.examples),
    }
