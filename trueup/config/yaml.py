"""YAML files into nodes with marks: safe, bounded, YAML 1.2, and every slip explained.

Nothing is constructed: no tags, no merge keys, no types. Scalars stay the text that was written (`no`,
`08`, `12:30`, `1e3` and `2020-01-01` are themselves); what a key expects decides how it is read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from trueup.config.codes import Code
from trueup.config.nodes import Document, Entry, Listing, Mark, Node, Scalar, Table
from trueup.config.slips import find_slips, restored
from trueup.errors import Problem

LARGEST = 1_000_000  # bytes of one file
LONGEST = 10_000  # characters of one line
DEEPEST = 32  # levels
MOST = 100_000  # nodes, aliases counted each time


def read_document(path: Path, shown: str) -> Document:
    """The file at `path`, called `shown` in messages. Never raises: what is wrong is in `syntax`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _unreadable(shown, Code.FILE, f"cannot be read: {reason}", "check its name and permissions")
    if len(raw) > LARGEST:
        return _unreadable(shown, Code.BOUND, f"is larger than {LARGEST:,} bytes", "is this the right file?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = f"line {line} is not UTF-8 text"
        return _unreadable(shown, Code.FILE, message, "save the file with the encoding UTF-8")
    return parse_document(text, shown)


def parse_document(text: str, shown: str) -> Document:
    """Text into a document; what is wrong with it as YAML is in `syntax`, sorted by place."""
    lines = tuple(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")))
    bare = Document(shown, lines, None)
    control = _control_characters(bare)
    if control:
        return Document(shown, lines, None, tuple(control), False)
    long = next((number for number, line in enumerate(lines, start=1) if len(line) > LONGEST), 0)
    if long:
        message = f"this line is longer than {LONGEST:,} characters"
        problem = Problem(shown, long, 1, message, Code.BOUND.value, remedy="is this the right file?")
        return Document(shown, lines, None, (problem,), False)
    slips, mended = find_slips(lines)
    problems = [bare.problem(s.mark, s.code, s.message, hint=s.hint, remedy=s.remedy) for s in slips]
    root, complete = _parse(bare, mended, problems)
    return Document(shown, lines, root, tuple(sorted(problems)), complete)


def _unreadable(shown: str, code: Code, message: str, remedy: str) -> Document:
    return Document(shown, (), None, (Problem(shown, 0, 0, message, code.value, remedy=remedy),), False)


def _control_characters(bare: Document) -> list[Problem]:
    found = []
    for number, line in enumerate(bare.lines, start=1):
        match = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", line)
        if match:
            name = f"U+{ord(match.group(0)):04X}"
            found.append(
                Problem(
                    bare.file,
                    number,
                    match.start() + 1,
                    f"the control character {name} stands here",
                    Code.INVISIBLE.value,
                    remedy="delete it; was this file saved as text?",
                )
            )
    return found


def _parse(bare: Document, mended: str, problems: list[Problem]) -> tuple[Node | None, bool]:
    """The tree, and whether it is whole; a syntax error ends it but keeps what came before."""
    builder = _Builder(bare, problems)
    yaml = YAML(typ="safe", pure=True)
    try:
        for event in yaml.parse(io.StringIO(mended)):
            builder.take(event)
        return builder.finish(), True
    except _Stop:
        pass
    except MarkedYAMLError as error:
        told = {problem.line for problem in problems}
        problem = _syntax(bare, error)
        if problem.line not in told:
            problems.append(problem)
    except (YAMLError, RecursionError, ValueError) as error:
        problems.append(bare.problem(Mark(1, 1), Code.SYNTAX, f"this is not YAML: {type(error).__name__}"))
    return builder.finish(), False


class _Stop(Exception):
    """A bound is passed; reading more would be of no use."""


@dataclass(slots=True)
class _Open:
    """A table or list under construction. `key` waits for its value."""

    mark: Mark
    table: bool
    flow: bool
    anchor: str | None
    key: Scalar | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    skip: bool = False

    def close(self) -> Node:
        if self.table:
            return Table(tuple(self.entries.values()), self.mark, self.flow)
        return Listing(tuple(self.items), self.mark)


class _Builder:
    """Events into nodes, with bounds; refuses tags, directives, merge keys, keys that are not text."""

    def __init__(self, bare: Document, problems: list[Problem]) -> None:
        self.bare = bare
        self.problems = problems
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.anchors: dict[str, Node] = {}
        self.sizes: dict[int, int] = {}
        self.count = 0
        self.documents = 0

    def take(self, event: Event) -> None:
        match event:
            case DocumentStartEvent():
                self._document(event)
            case ScalarEvent():
                self._plain_tag(event)
                self._add(self._scalar(event), event.anchor, 1)
            case AliasEvent():
                self._alias(event)
            case MappingStartEvent() | SequenceStartEvent():
                self._open(event)
            case MappingEndEvent() | SequenceEndEvent():
                self._close()
            case _:
                pass

    def finish(self) -> Node | None:
        while self.stack:
            self._close()
        return self.root

    def _document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self._say(
                _mark(event),
                Code.SYNTAX,
                "a second document begins here",
                "one file holds one document: remove `---`",
            )
            raise _Stop
        if event.version or event.tags:
            self._say(Mark(1, 1), Code.SYNTAX, "YAML directives (`%…`) are not used here", "remove the line")

    def _plain_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.tag is not None:
            self._say(
                _mark(event),
                Code.SYNTAX,
                "YAML tags (`!…`) are not accepted",
                "remove the tag; if it is text, quote it",
            )

    def _scalar(self, event: ScalarEvent) -> Scalar:
        return Scalar(restored(event.value), event.style in (None, ""), _mark(event))

    def _alias(self, event: AliasEvent) -> None:
        node = self.anchors.get(event.anchor)
        if node is None:
            self._say(
                _mark(event),
                Code.SYNTAX,
                f"`*{event.anchor}` refers to something that contains it",
                "write it out",
            )
            raise _Stop
        self._add(node, None, self.sizes[id(node)])

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        self._plain_tag(event)
        if len(self.stack) >= DEEPEST:
            self._say(
                _mark(event),
                Code.BOUND,
                f"this is nested deeper than {DEEPEST} levels",
                "is this the right file?",
            )
            raise _Stop
        table = isinstance(event, MappingStartEvent)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.table and top.key is None and not top.skip:
            self._say(
                _mark(event), Code.SYNTAX, "a key must be a word", "quote it, if the brackets belong to it"
            )
        self.stack.append(_Open(_mark(event), table, bool(event.flow_style), event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        if done.table and done.key is not None:
            done.entries.setdefault(done.key.text, Entry(done.key, Scalar("", True, done.key.mark)))
        node = done.close()
        size = 1 + sum(self.sizes.get(id(child), 1) for child in _children(node))
        self._add(node, done.anchor, size)

    def _add(self, node: Node, anchor: str | None, size: int) -> None:
        self.count += size
        if self.count > MOST:
            self._say(
                node.mark, Code.BOUND, f"the file holds more than {MOST:,} values", "is this the right file?"
            )
            self.stack.clear()
            raise _Stop
        self.sizes[id(node)] = size
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
        elif self.stack[-1].table:
            self._add_to_table(self.stack[-1], node)
        else:
            self.stack[-1].items.append(node)

    def _add_to_table(self, table: _Open, node: Node) -> None:
        if table.key is None and not table.skip:
            self._key(table, node)
        elif table.skip:
            table.skip = False
        elif table.key is not None:
            table.entries[table.key.text] = Entry(table.key, node)
            table.key = None

    def _key(self, table: _Open, node: Node) -> None:
        table.skip = True
        if not isinstance(node, Scalar):
            return
        if node.plain and node.text == "<<":
            self._say(
                node.mark, Code.SYNTAX, "`<<` is not used here", "repeat the lines that it would bring in"
            )
        elif (first := table.entries.get(node.text)) is not None:
            self._say(
                node.mark,
                Code.DUPLICATE,
                f"`{node.text}` stands here for the second time",
                "keep one of the two",
                f"the first is in line {first.key.mark.line}",
            )
        else:
            table.skip = False
            table.key = node

    def _say(self, mark: Mark, code: Code, message: str, remedy: str, hint: str = "") -> None:
        self.problems.append(self.bare.problem(mark, code, message, hint=hint, remedy=remedy))


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, Table):
        for entry in node.entries:
            yield entry.key
            yield entry.value
    elif isinstance(node, Listing):
        yield from node.items


def _mark(event: Event) -> Mark:
    start, end = event.start_mark, event.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Mark(start.line + 1, start.column + 1, max(1, width))


# -- the parser's own complaints, in people's words ---------------------------------------------------


def _syntax(bare: Document, error: MarkedYAMLError) -> Problem:
    said = f"{error.context or ''} {error.problem or ''}"
    where = error.problem_mark or error.context_mark
    mark = Mark(where.line + 1, where.column + 1) if where is not None else Mark(1, 1)
    begun = error.context_mark
    for pattern, message, hint, remedy, at_beginning in _COMPLAINTS:
        if re.search(pattern, said, re.DOTALL):
            if at_beginning and begun is not None:
                mark = Mark(begun.line + 1, begun.column + 1)
            return bare.problem(mark, Code.SYNTAX, message, hint=hint, remedy=remedy)
    words = restored(error.problem or "this is not YAML")
    return bare.problem(
        mark, Code.SYNTAX, f"this is not YAML: {words}", remedy="compare with the lines around it"
    )


_INDENT = "indent it like its neighbours: keys of one block begin in one column"
_COMPLAINTS = (
    (
        r"quoted scalar.*end of stream",
        "a quote is opened here and never closed",
        "",
        "close it at the end of the value",
        True,
    ),
    (
        r"flow (mapping|sequence)",
        "a `{…}` or `[…]` is opened here and not closed rightly",
        "",
        "check its commas and brackets; a long one is better written with one key a line",
        True,
    ),
    (r"expected <block end>", "this line does not fit the block that it stands in", "", _INDENT, False),
    (r"mapping values are not allowed", "a key may not begin here", "", _INDENT, False),
    (
        r"could not find expected ':'",
        "here a `key: value` was expected",
        "is the `:` missing?",
        _INDENT,
        False,
    ),
    (
        r"undefined alias",
        "a value that begins with `*` must be quoted",
        "",
        "put quotes around the value",
        False,
    ),
    (
        r"cannot start any token",
        "a value may not begin with this sign unless it is quoted",
        "",
        "put quotes around the value",
        False,
    ),
    (
        r"duplicate anchor",
        "this `&name` was used before",
        "",
        "choose another name, or write the lines out",
        False,
    ),
    (r"escape", '`\\` means something inside "…"', "", "use '…' for text with a backslash", False),
)
