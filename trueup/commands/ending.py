"""How the command line ends where no command answers: words that nobody understands, and Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from trueup.commands.answer import CONFIGURATION, print_json
from trueup.commands.hints import Called
from trueup.errors import TrueupError

STOPPED = 130
"""Exit code: somebody pressed Ctrl-C."""

_Usage: Any = typer.BadParameter.__base__
"""Whatever the parser of options raises; typer has no public name for it."""


class Misspelt(TrueupError):
    """A command, option or value that nobody understands."""

    code = "TU-CLI-004"
    exit_code = CONFIGURATION


class CommandLine(TyperGroup):
    """All commands together."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the words before the first command; keep whether JSON is asked for anywhere."""
        called, as_json = _called(args), "--json" in args
        with _told(called, as_json):
            context = super().make_context(info_name, args, parent, **extra)
        context.obj = (called, as_json)
        return context

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is named. Ends with 130 and a word of comfort on Ctrl-C."""
        with _told(*ctx.obj):
            return super().invoke(ctx)


def _called(args: Sequence[str]) -> Called:
    """For which folder and systems, so far as the words say it: no command has read them yet."""
    said = next((one.partition("=")[2] for one in args if one.startswith("--config=")), "")
    if "--config" in args[:-1]:
        said = args[args.index("--config") + 1]
    return Called(Path(said), "--sandbox" in args)


@contextmanager
def _told(called: Called, as_json: bool) -> Iterator[None]:
    """Misspelt words as one JSON document where that is asked for, else as text by the parser itself."""
    try:
        yield
    except KeyboardInterrupt:
        comfort = "stopped; nothing is lost, the next `trueup sync` goes on where this one stopped"
        typer.echo(called.complete(comfort), err=True)
        raise typer.Exit(STOPPED) from None
    except _Usage as error:
        if not as_json:
            raise
        from trueup.commands.complaints import complaint

        told = complaint(Misspelt(error.format_message()))
        print_json(told.document)
        raise typer.Exit(told.exit_code) from None
