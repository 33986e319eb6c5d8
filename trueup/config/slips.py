"""The slips that people make in YAML, found before the parser sees the text.

A parser stops at the first of them and says something about its own inside. Here each is recognised,
and the line is mended with characters of the same width, so that reading goes on behind it: one slip
hides neither the next nor what is wrong further down. `restored` turns mended text back.
"""

from __future__ import annotations

import re

from trueup.config.codes import Code
from trueup.config.scan import Pass, Scan, Slip, restored

__all__ = ["Slip", "find_slips", "restored"]
_BLOCK_TEXT = re.compile(r"[|>][0-9+-]*$")
_KEY_LINE = re.compile(r" *(?:- +)?[\w.-]+ *:(?: |$)")
_CLOSING = {"{": "}", "[": "]"}


def find_slips(lines: tuple[str, ...]) -> tuple[tuple[Slip, ...], str]:
    """Every slip of a file, and the mended text."""
    state = Pass(aliases=any(re.search(r"(^|[\s\[{,])&\w", line) for line in lines))
    for number, line in enumerate(lines, start=1):
        _close_forgotten(state, line, lines)
        state.lines.append(_line(state, number, line))
    _close_forgotten(state, "end: of the file", lines)
    return tuple(state.slips), "\n".join(state.lines) + "\n"


def _line(state: Pass, number: int, line: str) -> str:
    indent = _indent(line)
    if state.block >= 0:
        if not line.strip() or indent > state.block:
            return line
        state.block = -1
    scan = Scan(state, number, line)
    scan.run()
    if scan.code.strip() or state.quote:
        state.code_end = (number - 1, scan.i if not state.quote else len(line.rstrip()))
    if _BLOCK_TEXT.search(scan.code.rstrip()) and not state.depth and not state.quote:
        state.block = indent
    return "".join(scan.mended)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _close_forgotten(state: Pass, line: str, lines: tuple[str, ...]) -> None:
    """A key that begins no further right than the line that opened a bracket or quote: it was forgotten."""
    if not (state.quote or state.depth) or not _KEY_LINE.match(line):
        return
    if state.quote and state.quote_at is not None and _indent(line) <= state.quote_at[1]:
        remedy = "close it at the end of the value"
        state.slips.append(
            Slip(state.quote_at[0], Code.SYNTAX, "a quote is opened here and never closed", "", remedy)
        )
        _append(state, state.quote)
        state.quote, state.quote_at = "", None
    if not state.quote and state.depth and _indent(line) <= state.brackets[0][2]:
        _close_brackets(state, lines)


def _close_brackets(state: Pass, lines: tuple[str, ...]) -> None:
    sign, mark, _ = state.brackets[-1]
    text = lines[mark.line - 1]
    comment = re.search(r"[:,] +#", text[mark.column :])
    closing = _CLOSING[sign]
    state.slips.append(
        Slip(
            mark,
            Code.SYNTAX,
            f"a `{sign}` is opened here and not closed",
            "the `#` in this line begins a comment" if comment else "",
            "quote the value that holds the `#`" if comment else f"add `{closing}` where the block ends",
        )
    )
    _append(state, "".join(_CLOSING[sign] for sign, _, _ in reversed(state.brackets)))
    state.brackets.clear()


def _append(state: Pass, closing: str) -> None:
    """Put what was forgotten behind the last line's content, before its comment."""
    index, end = state.code_end
    line = state.lines[index]
    state.lines[index] = line[:end].rstrip() + (" " if closing[0] in "}]" else "") + closing
