"""A configuration file as nodes that remember where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from trueup.config.codes import Code
from trueup.config.visible import visible
from trueup.errors import Problem
from trueup.model.covering import masked


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file: line and column from 1, and how many characters the caret marks."""

    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written. `plain`: without quotes. Nothing is converted: `08` is the text 08."""

    text: str
    plain: bool
    mark: Mark


@dataclass(frozen=True, slots=True)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """Keys and values, in the order of the file; no key twice. `flow`: written in one line as `{…}`."""

    entries: tuple[Entry, ...]
    mark: Mark
    flow: bool = False

    def entry(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key.text == key), None)


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[Node, ...]
    mark: Mark


Node: TypeAlias = Scalar | Table | Listing
Step: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Document:
    """One file. `file` is its name as people see it; `root` is None where nothing could be read.

    `complete` False: reading ended before the end of the file.
    """

    file: str
    lines: tuple[str, ...]
    root: Node | None
    syntax: tuple[Problem, ...] = field(default=())
    complete: bool = True

    def node(self, *path: Step) -> Node | None:
        """The value at a path of keys and positions, None if there is none."""
        node = self.root
        for step in path:
            node = _child(node, step)
        return node

    def mark(self, *path: Step) -> Mark:
        """Where the value at `path` stands, or the nearest thing above it that exists."""
        for end in range(len(path), -1, -1):
            node = self.node(*path[:end])
            if isinstance(node, Scalar):
                return node.mark
            if node is not None and end:
                return self.key_mark(*path[:end])
        return Mark(1, 1)

    def key_mark(self, *path: Step) -> Mark:
        """Where the key at the end of `path` stands (the item itself, in a list)."""
        parent = self.node(*path[:-1])
        if isinstance(parent, Table) and isinstance(path[-1], str):
            entry = parent.entry(path[-1])
            if entry is not None:
                return entry.key.mark
        node = self.node(*path)
        return node.mark if node is not None else self.mark(*path[:-1])

    def origin(self, mark: Mark) -> str:
        return f"{self.file}:{mark.line}"

    def problem(
        self,
        mark: Mark,
        code: Code,
        message: str,
        *,
        hint: str = "",
        allowed: str = "",
        remedy: str = "",
    ) -> Problem:
        """A problem at `mark`, with its line as people see it and every secret in it covered."""
        return Problem(
            self.file,
            mark.line,
            mark.column,
            message,
            code.value,
            hint,
            allowed,
            remedy,
            self._excerpt(mark),
            mark.width,
        )

    def _excerpt(self, mark: Mark) -> str:
        if not 0 < mark.line <= len(self.lines):
            return ""
        line = visible(masked(self.lines[mark.line - 1])).rstrip()
        if len(line) <= _LONGEST:
            return line
        return line[: _LONGEST - 1] + "…" if mark.column < _LONGEST else ""


_LONGEST = 160


def _child(node: Node | None, step: Step) -> Node | None:
    if isinstance(node, Table) and isinstance(step, str):
        entry = node.entry(step)
        return entry.value if entry else None
    if isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def scalars(node: Node | None) -> Iterator[Scalar]:
    """Every scalar below `node`, keys included, in the order of the file."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Table):
        for entry in node.entries:
            yield entry.key
            yield from scalars(entry.value)
    elif isinstance(node, Listing):
        for item in node.items:
            yield from scalars(item)
