"""How the command line ends where no command answers: Ctrl-C."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

STOPPED = 130
"""Exit code: somebody pressed Ctrl-C."""


class CommandLine(TyperGroup):
    """All commands together."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is named. Ends with 130 and a word of comfort on Ctrl-C."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo(
                "stopped; nothing is lost, the next `trueup sync` goes on where this one stopped", err=True
            )
            raise typer.Exit(STOPPED) from None
