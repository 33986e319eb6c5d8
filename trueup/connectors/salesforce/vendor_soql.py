"""The part of SOQL that the stand-in understands: text in, a parsed query out.

SELECT fields (with dotted paths) and nested child queries, or COUNT(); FROM one object; WHERE with
comparisons, LIKE, IN, NOT IN, NOT, AND, OR and parentheses; ORDER BY; LIMIT; OFFSET. Whatever else the
vendor understands is answered here with MALFORMED_QUERY, never ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias


class Malformed(Exception):
    """The text is not a query that we understand."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written. `kind`: string, number, date, datetime, boolean or null."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Compare:
    """`op` is one of = != < <= > >= like in, `values` has one entry except for `in`."""

    path: str
    op: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Join:
    """`word` is AND or OR over two or more parts."""

    word: str
    parts: tuple[Condition, ...]


Condition: TypeAlias = Compare | Not | Join


@dataclass(frozen=True, slots=True)
class Order:
    path: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Child:
    """A nested query over a child relation."""

    relation: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    object: str
    fields: tuple[str, ...]
    children: tuple[Child, ...] = ()
    count: bool = False
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d)(?![\dT])
  | (?P<number>[+-]?\d+(?:\.\d+)?)(?![\w:-])
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<op><=|>=|!=|<>|=|<|>)
  | (?P<mark>[(),])
  | (?P<word>[A-Za-z][\w.]*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {
    "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f",
    "N": "\n", "R": "\r", "T": "\t", "B": "\b", "F": "\f",
    '"': '"', "'": "'", "\\": "\\",
}  # fmt: skip
_RESERVED = frozenset(
    {"AND", "OR", "NOT", "IN", "LIKE", "FROM", "WHERE", "ORDER", "LIMIT", "SELECT", "NULL", "OFFSET"}
)


def parse(text: str) -> Query:
    """The query in `text`. Raises Malformed with the vendor's kind of sentence."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Malformed(f"unexpected token: '{text[at:].strip()[:20]}'")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def unescape(quoted: str, keep_like: bool = False) -> str:
    """The text between the quotes. With `keep_like`, `\\%` and `\\_` stay as they are for LIKE."""

    def one(match: re.Match[str]) -> str:
        letter = match.group(1)
        if letter in "%_":
            return "\\" + letter if keep_like else letter
        if letter == "\\" and keep_like:
            return "\\\\"
        if letter not in _ESCAPES:
            raise Malformed(f"Invalid string literal '{quoted[1:-1][:40]}'. Illegal character sequence")
        return _ESCAPES[letter]

    return re.sub(r"\\(.)", one, quoted[1:-1], flags=re.DOTALL)


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    # -- small steps ------------------------------------------------------------------------------

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "<EOF>")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _is(self, *words: str) -> bool:
        """Whether these words come next."""
        ahead = self._tokens[self._at : self._at + len(words)]
        return [text.upper() for _, text in ahead] == list(words)

    def _accept(self, *words: str) -> bool:
        if not self._is(*words):
            return False
        self._at += len(words)
        return True

    def _expect(self, *words: str) -> None:
        if not self._accept(*words):
            raise self._unexpected()

    def _unexpected(self) -> Malformed:
        return Malformed(f"unexpected token: '{self._peek()[1][:40]}'")

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "word" or text.upper() in _RESERVED:
            raise self._unexpected()
        return self._take()[1]

    def _whole(self) -> int:
        kind, text = self._take()
        if kind != "number" or not text.isdigit():
            raise Malformed(f"unexpected token: '{text[:40]}'")
        return int(text)

    # -- the query --------------------------------------------------------------------------------

    def query(self) -> Query:
        self._expect("SELECT")
        fields, children, count = self._selection()
        self._expect("FROM")
        object = self._name()
        where = self._condition() if self._accept("WHERE") else None
        order = self._orders() if self._accept("ORDER", "BY") else ()
        limit = self._whole() if self._accept("LIMIT") else None
        offset = self._whole() if self._accept("OFFSET") else 0
        if self._peek()[0] != "end":
            raise self._unexpected()
        if offset > 2000:
            raise Malformed("Maximum SOQL offset allowed is 2000")
        return Query(object, fields, children, count, where, order, limit, offset)

    def _selection(self) -> tuple[tuple[str, ...], tuple[Child, ...], bool]:
        if self._accept("COUNT", "(", ")"):
            return (), (), True
        fields: list[str] = []
        children: list[Child] = []
        while True:
            if self._accept("("):
                children.append(self._child())
            else:
                fields.append(self._name())
            if not self._accept(","):
                break
        _no_repeats(fields)
        return tuple(fields), tuple(children), False

    def _child(self) -> Child:
        self._expect("SELECT")
        fields = [self._name()]
        while self._accept(","):
            fields.append(self._name())
        self._expect("FROM")
        relation = self._name()
        self._expect(")")
        _no_repeats(fields)
        return Child(relation, tuple(fields))

    def _orders(self) -> tuple[Order, ...]:
        orders = [self._order()]
        while self._accept(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        path = self._name()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        last = self._accept("NULLS", "LAST")
        if not last:
            self._accept("NULLS", "FIRST")
        return Order(path, descending, last)

    # -- conditions -------------------------------------------------------------------------------

    def _condition(self) -> Condition:
        """Parts joined by one word; the vendor wants parentheses where AND and OR meet."""
        first = self._part()
        word = "AND" if self._is("AND") else "OR"
        parts = [first]
        while self._accept(word):
            parts.append(self._part())
        if self._is("AND") or self._is("OR"):
            raise self._unexpected()
        return Join(word, tuple(parts)) if len(parts) > 1 else first

    def _part(self) -> Condition:
        if self._accept("NOT"):
            return Not(self._part())
        if self._accept("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        path = self._name()
        if self._accept("IN"):
            return Compare(path, "in", self._list())
        if self._accept("NOT", "IN"):
            return Not(Compare(path, "in", self._list()))
        if self._accept("LIKE"):
            return Compare(path, "like", (self._literal(keep_like=True),))
        kind, op = self._take()
        if kind != "op":
            raise Malformed(f"unexpected token: '{op[:40]}'")
        return Compare(path, "!=" if op == "<>" else op, (self._literal(),))

    def _list(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _literal(self, keep_like: bool = False) -> Literal:
        kind, text = self._take()
        if kind == "string":
            return Literal("string", unescape(text, keep_like))
        if kind == "number":
            return Literal("number", float(text))
        if kind in ("date", "datetime"):
            return Literal(kind, text)
        if kind == "word" and text.upper() in ("TRUE", "FALSE"):
            return Literal("boolean", text.upper() == "TRUE")
        if kind == "word" and text.upper() == "NULL":
            return Literal("null", None)
        raise Malformed(f"unexpected token: '{text[:40]}'")


def _no_repeats(fields: list[str]) -> None:
    seen: set[str] = set()
    for name in fields:
        if name.lower() in seen:
            raise Malformed(f"duplicate field selected: {name}")
        seen.add(name.lower())
