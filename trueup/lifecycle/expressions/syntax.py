"""CEL text to a tree. Every node knows where it stands in the text.

The grammar is CEL's expression grammar without map, message and byte literals. What is not understood
raises SyntaxProblem with the place and, where one can be guessed, what was meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from trueup.lifecycle.expressions.shapes import MOST_DIGITS, is_usual

MAX_LENGTH = 4_000
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, a whole or decimal number, true, false or null."""

    value: str | int | Decimal | bool | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Member:
    of: Node
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Index:
    of: Node
    key: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """`target.function(…)`, or `function(…)` without a target. `name_at` is where the name stands."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]
    name_at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Choose:
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list literal."""

    items: tuple[Node, ...]
    start: int
    end: int


Node: TypeAlias = Literal | Name | Member | Index | Call | Unary | Binary | Choose | Items


class SyntaxProblem(Exception):
    """The text is no expression at this place."""

    def __init__(self, message: str, start: int, length: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.length, self.hint = message, start, length, hint


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number | text | word | sign | end
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<number>0[xX][0-9a-fA-F]+u?|\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?[uU]?|\.\d+(?:[eE][+-]?\d{1,3})?)
      | (?P<text>[rR]?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
                        |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_MEANT = {
    "=": "`==` compares",
    "&": "`&&` is and",
    "|": "`||` is or",
    "and": "`&&` is and",
    "or": "`||` is or",
    "not": "`!` is not",
    "is": "`==` compares",
    "AND": "`&&` is and",
    "OR": "`||` is or",
    "NOT": "`!` is not",
    "“": 'plain quotes: "…"',
    "”": 'plain quotes: "…"',
    "„": 'plain quotes: "…"',
    "’": "plain quotes: '…'",
    "{": "maps are not supported; lists are written [ … ]",
    '"': "the closing quote is missing",
    "'": "the closing quote is missing",
}
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_RELATION = 2
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL)


def parse(text: str) -> Node:
    """The tree of an expression. Raises SyntaxProblem."""
    if len(text) > MAX_LENGTH:
        raise SyntaxProblem(f"longer than {MAX_LENGTH:,} characters", 0, 1)
    reader = _Reader(text, _tokens(text))
    if reader.here.kind == "end":
        raise SyntaxProblem("there is nothing here", 0, 1)
    node = reader.expression()
    if reader.here.kind != "end":
        reader.fail(f"`{reader.here.text}` cannot follow here")
    return node


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise SyntaxProblem(f"`{text[at]}` means nothing here", at, 1, _MEANT.get(text[at], ""))
        if found.lastgroup and found.lastgroup != "space":
            tokens.append(_Token(found.lastgroup, found[0], at, found.end()))
        at = found.end()
    return [*tokens, _Token("end", "", len(text), len(text))]


class _Reader:
    """Recursive descent, one method per form."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self.text, self.tokens, self.position, self.depth = text, tokens, 0, 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.position]

    def fail(self, message: str) -> None:
        token = self.here
        what = "the condition ends too early" if token.kind == "end" else message
        raise SyntaxProblem(what, token.start, max(1, token.end - token.start), _MEANT.get(token.text, ""))

    def take(self, *signs: str) -> _Token | None:
        token = self.here
        if token.kind in ("sign", "word") and token.text in signs:
            self.position += 1
            return token
        return None

    def expect(self, sign: str) -> _Token:
        token = self.take(sign)
        if token is None:
            self.fail(f"`{sign}` is expected instead of `{self.here.text}`")
        return self.tokens[self.position - 1]

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxProblem("too deeply nested", self.here.start, 1)
        node = self.level(0)
        if self.take("?"):
            yes = self.expression()
            self.expect(":")
            no = self.expression()
            node = Choose(node, yes, no, node.start, no.end)
        self.depth -= 1
        return node

    def level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.level(level + 1)
        while sign := self.take(*_LEVELS[level]):
            if level == _RELATION and isinstance(left, Binary) and self._bare_relation(left):
                raise SyntaxProblem(
                    "comparisons cannot be chained", sign.start, len(sign.text), "write `1 < x && x < 5`"
                )
            right = self.level(level + 1)
            left = Binary(sign.text, left, right, left.start, right.end)
        return left

    def _bare_relation(self, node: Binary) -> bool:
        return node.sign in _LEVELS[_RELATION] and self.tokens[self.position - 2].end == node.end

    def unary(self) -> Node:
        sign = self.take("!", "-")
        if sign is None:
            return self.postfix()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxProblem("too deeply nested", sign.start, 1)
        operand = self.unary()
        self.depth -= 1
        return Unary(sign.text, operand, sign.start, operand.end)

    def postfix(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                node = self.member(node)
            elif self.take("["):
                key = self.expression()
                node = Index(node, key, node.start, self.expect("]").end)
            else:
                return node

    def member(self, of: Node) -> Node:
        token = self.here
        if token.kind != "word":
            self.fail("a name is expected after the dot")
        self.position += 1
        if self.take("("):
            arguments, end = self.items(")")
            return Call(token.text, of, arguments, token.start, of.start, end)
        return Member(of, token.text, of.start, token.end)

    def primary(self) -> Node:
        token = self.here
        self.position += 1
        match token.kind:
            case "number":
                return Literal(_number(token), token.start, token.end)
            case "text":
                return Literal(_unquoted(token), token.start, token.end)
            case "word" if token.text in _CONSTANTS:
                return Literal(_CONSTANTS[token.text], token.start, token.end)
            case "word" if token.text not in ("in", "and", "or", "not"):
                return self.named(token)
        if token.text == "(":
            node = self.expression()
            self.expect(")")
            return node
        if token.text == "[":
            items, end = self.items("]")
            return Items(items, token.start, end)
        self.position -= 1
        self.fail(f"`{token.text}` cannot stand here")
        raise AssertionError

    def named(self, token: _Token) -> Node:
        if self.take("("):
            arguments, end = self.items(")")
            return Call(token.text, None, arguments, token.start, token.start, end)
        return Name(token.text, token.start, token.end)

    def items(self, close: str) -> tuple[tuple[Node, ...], int]:
        found: list[Node] = []
        while not (end := self.take(close)):
            found.append(self.expression())
            if not self.take(",") and self.here.text != close:
                self.fail(f"`,` or `{close}` is expected instead of `{self.here.text}`")
        return tuple(found), end.end


_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def _number(token: _Token) -> int | Decimal:
    text = token.text
    if text[-1] in "uU":
        raise SyntaxProblem("numbers have no suffix here", token.end - 1, 1, f"write {text[:-1]}")
    hexadecimal = text[:2].lower() == "0x"
    if len(text) > MOST_DIGITS or not (hexadecimal or is_usual(Decimal(text))):
        raise SyntaxProblem("the number has too many digits", token.start, len(text), "write a smaller one")
    if hexadecimal:
        return int(text, 16)
    return int(text) if text.isdigit() else Decimal(text)


def _unquoted(token: _Token) -> str:
    raw = token.text[0] in "rR"
    body = token.text[1:] if raw else token.text
    quotes = 3 if body[:3] in ('"""', "'''") and len(body) > 5 else 1
    body = body[quotes:-quotes]
    return body if raw else _ESCAPE.sub(_character, body)


def _character(found: re.Match[str]) -> str:
    for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
        if found[group]:
            code = int(found[group], base)
            return chr(code) if code < 0x110000 else "\ufffd"
    return _ESCAPES.get(found[5], found[5])
