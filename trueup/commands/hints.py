"""Commands that sentences name, completed so that they work when they are copied.

Sentences are written where things happen, by code that does not know how trueup was called: `trueup sync`.
Here, on their way out, every command in them gets the flags of the call that they answer: without them it
would be about another hub, or about the real systems in place of the sandbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from trueup.commands.answer import Answer, Grid, Shown, config_flag
from trueup.model.record import Json

_QUOTED = re.compile(r"`(trueup [a-z][^`]*)`")
_BARE = re.compile(r"((?:^|(?<=: )|(?<=, then )|(?<=  ))trueup [a-z][^`,;()]*?)(?=[,;.]? *$|[,;]|  )")
_TOLD = frozenset({"then", "next", "remedy", "message"})
"""Keys of JSON documents that hold sentences of ours."""

_ANYWHERE = frozenset({"explain", "init", "demo"})
"""Commands that are about no hub, or about one that they name themselves."""
_ITSELF = "sandbox"
_COMMANDS = {*_ANYWHERE, _ITSELF}


def known(command: str) -> None:
    """Take a command (`trueup sync`, `runs approve`) for one that sentences can name."""
    _COMMANDS.add(command.removeprefix("trueup ").partition(" ")[0])


@dataclass(frozen=True, slots=True)
class Called:
    """How trueup was called: for which folder, and whether for the sandbox."""

    folder: Path = Path()
    sandbox: bool = False

    def complete(self, text: str) -> str:
        """The text with every command in it completed. Commands stand in backticks, or after a colon."""
        text = _QUOTED.sub(lambda found: f"`{self._completed(found[1])}`", text)
        return _BARE.sub(lambda found: self._completed(found[1]), text)

    def answer(self, answer: Answer) -> Answer:
        """The answer with every command in it completed."""
        if self == Called():
            return answer
        shown = [self._shown(part) for part in answer.shown]
        return replace(answer, document=self.document(answer.document), shown=shown)

    def document(self, document: Json) -> Json:
        """The document with the commands in its sentences completed; values are left as they are."""
        if isinstance(document, dict):
            return {
                key: self._said(value) if key in _TOLD else self.document(value)
                for key, value in document.items()
            }
        if isinstance(document, list | tuple):
            return [self.document(one) for one in document]
        return document

    def _said(self, value: Json) -> Json:
        if isinstance(value, list | tuple):
            return [self._said(one) for one in value]
        return self.complete(value) if isinstance(value, str) else self.document(value)

    def _shown(self, part: Shown) -> Shown:
        if isinstance(part, Grid):
            return replace(part, rows=[[self._cell(cell) for cell in row] for row in part.rows])
        return self.complete(part)

    def _cell(self, cell: object) -> object:
        return self.complete(cell) if isinstance(cell, str) else cell

    def _completed(self, command: str) -> str:
        name = command.split()[1]
        if name not in _COMMANDS or name in _ANYWHERE:
            return command
        flags = [config_flag(self.folder), " --sandbox" if self.sandbox and name != _ITSELF else ""]
        said = command.split()
        return command + "".join(flag for flag in flags if flag and flag.split()[0] not in said)
