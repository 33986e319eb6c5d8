"""What `init` asks a person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from trueup.config.systems import System
from trueup.config.vocabulary import Role
from trueup.errors import TrueupError
from trueup.model.counting import counted
from trueup.services.initialise.answers import Wanted, usable_name
from trueup.services.initialise.tables import look_at
from trueup.services.system import SystemClock

_ABOUT = {
    Role.MARKETING: "marketing (campaigns, newsletters)",
    Role.SALES: "sales (CRM)",
    Role.OPERATIONS: "operations (shop, helpdesk, billing, …)",
}


def ask_for_systems(offered: Mapping[str, System]) -> list[Wanted]:
    """Role by role: which systems, and their names."""
    names = ", ".join(offered)
    typer.echo(f"Which systems are to be kept in step? There are: {names}; a file of your own: its path.")
    wanted: list[Wanted] = []
    for role, about in _ABOUT.items():
        while answer := str(
            typer.prompt(f"{about}: system or file (empty: no more)", default="", show_default=False)
        ):
            one = _understood(answer.strip(), role, offered, {each.name for each in wanted})
            if one is not None:
                wanted.append(one)
    return wanted


def _understood(answer: str, role: Role, offered: Mapping[str, System], taken: set[str]) -> Wanted | None:
    """The system that was meant; None, after saying why, if there is none."""
    path = Path(answer).expanduser()
    if answer in offered and answer != "csv":
        suggested, connector, file = role.value, answer, None
    elif path.is_file():
        suggested, connector, file = usable_name(path.name), "csv", path
        if not _is_table(path):
            return None
    else:
        typer.echo(f"`{answer}` is neither one of {', '.join(offered)} nor a file here.")
        return None
    if suggested in taken:
        suggested = f"{suggested}_{len(taken) + 1}"
    name = str(typer.prompt("  its name in the hub", default=suggested))
    return Wanted(usable_name(name), connector, role, file)


def _is_table(path: Path) -> bool:
    try:
        table = look_at(path, SystemClock())
    except TrueupError as error:
        typer.echo(str(error))
        return False
    typer.echo(
        f"  {table.encoding}, {counted(len(table.columns), 'column')}; recognised: {', '.join(table.fields)}"
    )
    return True
