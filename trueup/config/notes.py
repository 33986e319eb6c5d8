"""What reading one document notes down: problems, and the variables it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias

from trueup.config.codes import Code
from trueup.config.env import Variables, reference_parts, references
from trueup.config.nodes import Document, Mark, Node, Scalar
from trueup.errors import Problem
from trueup.model.covering import masked


class Unread(Enum):
    """Stands for a value that could not be read; why is among the problems already."""

    UNREAD = "unread"


UNREAD: Final = Unread.UNREAD
Failed: TypeAlias = Literal[Unread.UNREAD]


@dataclass(slots=True)
class Notes:
    """Goes along with the reading of one document. `lost`: a block is missing from what was read, because
    something in it that it cannot do without is not what it should be."""

    document: Document
    variables: Variables
    problems: list[Problem] = field(default_factory=list)
    lost: bool = False

    def say(
        self, mark: Mark, code: Code, message: str, *, hint: str = "", allowed: str = "", remedy: str = ""
    ) -> Failed:
        self.problems.append(
            self.document.problem(mark, code, message, hint=hint, allowed=allowed, remedy=remedy)
        )
        return UNREAD

    def expand(self, scalar: Scalar) -> str | Failed:
        """The text with every `${…}` in its place. A missing variable is noted once for all files."""
        text, complete = scalar.text, True
        for match in reversed(list(references(text))):
            value = self._one(match.group(1), scalar)
            complete = complete and value is not None
            text = text[: match.start()] + (value or "") + text[match.end() :]
        return text if complete else UNREAD

    def _one(self, inside: str, scalar: Scalar) -> str | None:
        parts = reference_parts(inside)
        if parts is None:
            bare = inside.rpartition(":")[2].strip()
            self.say(
                scalar.mark,
                Code.VARIABLE,
                f"`${{{inside}}}` names neither a variable nor a file",
                remedy=f"write ${{env:{bare or 'NAME'}}}, or ${{file:PATH}}",
            )
            return None
        return self.variables.look_up(*parts, self.document, scalar.mark)


def quoted(node: Node) -> str:
    """A value as messages name it: in backticks, short, secrets covered."""
    if not isinstance(node, Scalar):
        return "this"
    text = masked(node.text).replace("\n", " ")
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"
