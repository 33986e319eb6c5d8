"""One line of YAML, character by character: where values begin, and what may not stand there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trueup.config.codes import Code
from trueup.config.nodes import Mark
from trueup.config.visible import INVISIBLE

_SIGNS = "{}[],:@`%*!\"“”‘’&|>#'"
_MENDED = {sign: chr(0xE000 + index) for index, sign in enumerate(_SIGNS)}
_RESTORE = str.maketrans({mended: sign for sign, mended in _MENDED.items()})
_REFERENCE = re.compile(r"\$\{[^{}\s]*\}?")


def restored(text: str) -> str:
    """Text as it was before it was mended."""
    return text.translate(_RESTORE)


@dataclass(frozen=True, slots=True)
class Slip:
    """One recognised slip: where, and what to tell."""

    mark: Mark
    code: Code
    message: str
    hint: str = ""
    remedy: str = ""


@dataclass(slots=True)
class Pass:
    """The state of one pass over a file, from line to line.

    `quote`: the quote that is open. `brackets`: the open ones, as (sign, mark, indentation of its line).
    `block`: indentation of the key that holds block text, -1 outside of one. `code_end`: where the
    previous line with content ends, without its comment.
    """

    slips: list[Slip] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    quote: str = ""
    quote_at: tuple[Mark, int] | None = None
    brackets: list[tuple[str, Mark, int]] = field(default_factory=list)
    block: int = -1
    aliases: bool = False
    code_end: tuple[int, int] = (-1, 0)

    @property
    def depth(self) -> int:
        return len(self.brackets)


class Scan:
    """One line, character by character; knows of quotes, comments and `{…}` no more than it must."""

    __slots__ = ("checked", "code", "colon", "i", "line", "mended", "number", "parens", "reading", "start")

    def __init__(self, pass_: Pass, number: int, line: str) -> None:
        self.reading = pass_
        self.number = number
        self.line = line
        self.mended = list(line)
        self.start = True  # a value or a key may begin here
        self.colon = False  # this line has its `key: ` already
        self.parens = 0
        self.i = 0
        self.code = ""
        self.checked = 0  # up to here a value of `{…}` is known to hold no comma or bracket

    def run(self) -> None:
        self._indentation()
        while self.i < len(self.line):
            if self.reading.quote:
                self._quoted()
            elif self._is_comment():
                return
            else:
                self._plain(self.line[self.i])

    def _indentation(self) -> None:
        head = self.line[: len(self.line) - len(self.line.lstrip(" \t"))]
        if "\t" in head and not self.reading.quote and self.line.strip():
            column = head.index("\t")
            self._slip(
                column, len(head) - column, Code.INVISIBLE, "a tab indents this line", "here", _NO_TABS
            )
            self.mended[: len(head)] = list(head.replace("\t", "  "))

    def _is_comment(self) -> bool:
        return self.line[self.i] == "#" and (self.i == 0 or self.line[self.i - 1] in " \t")

    def _quoted(self) -> None:
        quote = self.reading.quote
        if quote == '"' and self.line[self.i] == "\\" or quote == "'" and self.line.startswith("''", self.i):
            self.i += 2
        elif self.line[self.i] == quote:
            self.reading.quote = ""
            self.i += 1
        else:
            self.i += 1

    def _plain(self, sign: str) -> None:
        self.code += sign
        if sign in INVISIBLE:
            self._invisible(sign)
        elif sign in " \t":
            self.i += 1
        elif self.start:
            self._opening(sign)
        else:
            self._inside(sign)

    def _invisible(self, sign: str) -> None:
        run = len(self.line[self.i :]) - len(self.line[self.i :].lstrip(sign))
        self._slip(
            self.i,
            run,
            Code.INVISIBLE,
            f"{INVISIBLE[sign]} stands here",
            "this one",
            "type an ordinary blank in its place, or nothing",
        )
        self.mended[self.i : self.i + run] = [" "] * run
        self.i += run

    # -- where a value or a key begins ----------------------------------------------------------------

    def _opening(self, sign: str) -> None:
        if sign == "-" and self.line[self.i + 1 : self.i + 2] in ("", " ") and not self.reading.depth:
            self.i += 1
        elif sign in "[{" or (sign in "]}," and self.reading.depth):
            self._bracket(sign)
        elif sign in "\"'":
            self._quote(sign)
        elif sign in "“”‘’":
            self._mend_value(f"the quotation mark {sign} is a typographic one", 'write straight quotes: "…"')
        elif sign in "@`%":
            self._mend_value(f"a value may not begin with `{sign}` unless it is quoted", "")
        elif sign == "!":
            self._mend_value("a value that begins with `!` must be quoted", "")
        elif sign == "*" and not self.reading.aliases:
            self._mend_value("a value that begins with `*` must be quoted", "")
        else:
            self.start = False
            self._inside(sign)

    def _bracket(self, sign: str) -> None:
        if sign in "[{":
            indent = len(self.line) - len(self.line.lstrip(" "))
            self.reading.brackets.append((sign, Mark(self.number, self.i + 1), indent))
        elif sign in "]}":
            self.reading.brackets.pop()
        self.start = sign in "[{,"
        self.i += 1

    def _quote(self, sign: str) -> None:
        after = self._after_quotes(sign)
        if after is not None and self.colon:
            self._mend_value("text goes on behind the closing quote", "", self.i)
            return
        self.reading.quote = sign
        indent = len(self.line) - len(self.line.lstrip(" "))
        self.reading.quote_at = (Mark(self.number, self.i + 1), indent)
        self.start = False
        self.i += 1

    def _after_quotes(self, sign: str) -> int | None:
        """Where the text goes on behind the closing quote of this line, None where it does not."""
        end = self.line.find(sign, self.i + 1)
        if end < 0 or "\\" in self.line[self.i : end] or self.line.startswith("''", end):
            return None
        rest = self.line[end + 1 :].lstrip()
        allowed = ",]}:#" if self.reading.depth else "#:"
        return None if not rest or rest[0] in allowed else end + 1

    def _mend_value(self, message: str, remedy: str, column: int | None = None) -> None:
        start, end = self.i, self._value_end()
        value = self.line[start:end].rstrip()
        shown = value.translate(str.maketrans("", "", "“”‘’")) if value[0] in "“”‘’" else value
        told = remedy or f"quote the whole value: {_in_quotes(shown)}"
        self._slip(start, len(value) if column is not None else 1, Code.UNQUOTED, message, "", told)
        for position in range(start, start + len(value)):
            if position == start or self.line[position] in "\"'“”‘’[]{}," or self._is_colon(position):
                self.mended[position] = _MENDED.get(self.line[position], self.line[position])
        self.start = False
        self.i = start + len(value)

    def _value_end(self) -> int:
        comment = re.search(r"\s#", self.line[self.i :])
        end = self.i + comment.start() if comment else len(self.line)
        if not self.reading.depth:
            return end
        return _flow_end(self.line, self.i, end)

    # -- inside of a plain value or key ---------------------------------------------------------------

    def _inside(self, sign: str) -> None:
        if self._is_colon(self.i):
            self._key_ends()
        elif sign == "：":
            self._slip(
                self.i,
                1,
                Code.INVISIBLE,
                "a full-width colon stands here",
                "",
                "type an ordinary `:` and a blank",
            )
            self.i += 1
        elif self.reading.depth:
            self._inside_flow(sign)
        else:
            self.i += 1

    def _is_colon(self, position: int) -> bool:
        follows = self.line[position + 1 : position + 2]
        ends = ("", " ", "\t", *(",]}" if self.reading.depth else ""))
        return self.line[position] == ":" and follows in ends

    def _key_ends(self) -> None:
        if self.colon and not self.reading.depth:
            self._second_colon()
            return
        self.colon = True
        self.start = True
        self.parens = 0
        self.i += 1

    def _second_colon(self) -> None:
        begin = re.match(r"[\s-]*[^:]*:\s+", self.line)
        start = begin.end() if begin else 0
        end = self._value_end()
        value = self.line[start:end].rstrip()
        self._slip(
            self.i,
            1,
            Code.UNQUOTED,
            "a second `: ` stands in this value",
            "it would begin another key",
            f"quote the value: {_in_quotes(value)}",
        )
        for position in range(self.i, start + len(value)):
            if self._is_colon(position):
                self.mended[position] = _MENDED[":"]
        self.i = start + len(value)

    def _inside_flow(self, sign: str) -> None:
        if sign == "$" and (found := _REFERENCE.match(self.line, self.i)):
            self._reference(found.group(0))
        elif sign in "([" and self.i >= self.checked:
            self._condition_in_flow()
        elif sign in "{]},":
            self._bracket(sign)
        else:
            self.i += 1

    def _reference(self, reference: str) -> None:
        whole = reference if reference.endswith("}") else reference + "}"
        key = self.code.rpartition(",")[2].rpartition("{")[2].partition(":")[0].strip() or "key"
        self._slip(
            self.i,
            len(reference),
            Code.UNQUOTED,
            "in a one-line `{…}` a `${…}` must be quoted",
            "",
            f'{key}: "{whole}"',
        )
        for position in range(self.i, self.i + len(reference)):
            self.mended[position] = _MENDED.get(self.line[position], self.line[position])
        self.i += len(reference)

    def _condition_in_flow(self) -> None:
        """`[…]` or a comma inside `(…)` in an unquoted value of a `{…}`: YAML would cut it there."""
        start = self._value_start()
        end = _flow_end(self.line, start, len(self.line))
        value = self.line[start:end].rstrip()
        cut = next((sign for sign in value if sign in ",[]"), "")
        if cut:
            self._slip(
                start,
                len(value),
                Code.UNQUOTED,
                f"in a one-line `{{…}}` a value with `{'[…]' if cut in '[]' else cut}` must be quoted",
                "",
                f"quote the whole value: {_in_quotes(value)}",
            )
            for position in range(start, start + len(value)):
                self.mended[position] = _MENDED.get(self.line[position], self.line[position])
            self.i = start + len(value)
        else:
            self.checked = end
            self.i += 1

    def _value_start(self) -> int:
        begin = max(self.line.rfind(": ", 0, self.i) + 2, self.line.rfind("{", 0, self.i) + 1)
        begin = max(begin, self.line.rfind(", ", 0, self.i) + 2, 0)
        return begin + len(self.line[begin : self.i]) - len(self.line[begin : self.i].lstrip())

    def _slip(self, start: int, width: int, code: Code, message: str, hint: str, remedy: str) -> None:
        mark = Mark(self.number, start + 1, max(1, width))
        self.reading.slips.append(Slip(mark, code, message, hint, remedy))


_NO_TABS = "indent with blanks: two per level, as in the lines around it"


def _flow_end(line: str, start: int, end: int) -> int:
    """Where a value of a one-line `{…}` ends, if brackets and quotes inside it are its own."""
    open_brackets, quote = 0, ""
    for position in range(start, end):
        sign = line[position]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([":
            open_brackets += 1
        elif sign in ")]" and open_brackets:
            open_brackets -= 1
        elif sign in ",]}" and not open_brackets:
            return position
    return end


def _in_quotes(value: str) -> str:
    """A value as it would have to be written: in the kind of quotes that it does not hold."""
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"
