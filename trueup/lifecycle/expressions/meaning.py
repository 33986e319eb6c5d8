"""Tree to function: every name and function resolved, every operand typed, in one walk.

Each form gives its shape and a function of the facts. What cannot be resolved or does not fit is
collected as problems; the walk goes on, so that all of them are found at once. Running never raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.lifecycle.expressions import running, shapes
from trueup.lifecycle.expressions.fitting import (
    SUMS,
    comparable,
    comparison_hint,
    declared_as,
    listed,
    meant,
    ordered,
)
from trueup.lifecycle.expressions.functions import FUNCTIONS, MACROS, Function, days_between
from trueup.lifecycle.expressions.running import Facts, Run
from trueup.lifecycle.expressions.shapes import (
    DaysSince,
    ListOf,
    MapOf,
    Named,
    Shape,
    Sort,
    Thing,
    Unknown,
    Words,
    described,
    read_as,
    shape_of,
    sort_of,
    unknown,
)
from trueup.lifecycle.expressions.syntax import (
    Binary,
    Call,
    Choose,
    Index,
    Items,
    Literal,
    Member,
    Name,
    Node,
    Unary,
)
from trueup.model.fields import Field
from trueup.model.values import Type


@dataclass(frozen=True, slots=True)
class ConditionProblem:
    """One thing that is wrong in a condition. `offset` and `length` are characters of its text."""

    message: str
    offset: int
    length: int
    hint: str = ""


@dataclass(slots=True, eq=False)
class Days:
    """A place where the clock enters: days between `when` and now, and all that they are compared with."""

    when: Run
    until: bool
    against: list[Run] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a node is and how it is computed."""

    shape: Shape
    run: Run
    days: Days | None = None


@dataclass(slots=True)
class Reader:
    """One walk over one condition."""

    text: str
    names: Mapping[str, Named]
    zone: str
    problems: list[ConditionProblem] = field(default_factory=list)
    days: list[Days] = field(default_factory=list)
    bound: dict[str, Shape] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def problem(self, node: Node, message: str, hint: str = "") -> Meaning:
        self.problems.append(ConditionProblem(message, node.start, node.end - node.start, hint))
        return _BROKEN

    def said(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def meaning(self, node: Node) -> Meaning:
        match node:
            case Literal():
                return _literal(node)
            case Name() | Member():
                return self.named(node)
            case Index():
                return self.index(node)
            case Call():
                return self.call(node)
            case Unary():
                return self.unary(node)
            case Binary():
                return self.binary(node)
            case Choose():
                return self.choose(node)
            case Items():
                return self.items(node)

    # -- names -------------------------------------------------------------------------------------

    def named(self, node: Name | Member) -> Meaning:
        path = _path(node)
        if path and path[0] in self.bound:
            return self.members(node, _bound(path[0], self.bound[path[0]]), path[1:], path[0])
        for length in range(len(path), 0, -1):
            name = ".".join(path[:length])
            if name in self.names:
                rest = path[length:]
                if rest and _is_money(self.names[name]) and rest in (("amount",), ("currency",)):
                    self.used.add(name)
                    return _fact(f"{name}.{rest[0]}", Sort.NUMBER if rest == ("amount",) else Sort.TEXT)
                return self.members(node, self.fact(name), rest, name)
        if not path and isinstance(node, Member):
            return self.members(node, self.meaning(node.of), (node.name,), self.said(node.of))
        return self.nobody(node, ".".join(path))

    def nobody(self, node: Node, name: str) -> Meaning:
        below = sorted(known for known in self.names if known.startswith(f"{name}."))
        if below:
            return self.problem(node, f"`{name}` is a group of names", f"one of {listed(below)}")
        return self.problem(node, f"there is no `{name}` here", meant(name, [*self.names, *self.bound]))

    def fact(self, name: str) -> Meaning:
        """The value under a declared name."""
        declared = self.names[name]
        self.used.add(name)
        if isinstance(declared, DaysSince):
            when = (
                self.fact(declared.name) if declared.name in self.names else _fact(declared.name, Sort.TIME)
            )
            return self.elapsed(when.run, until=False)
        return _fact(name, shape_of(declared))

    def members(self, node: Node, start: Meaning, rest: Sequence[str], name: str) -> Meaning:
        """What is reached from a value by `.member`: into maps, and `amount` and `currency` of money."""
        for member in rest:
            if isinstance(start.shape, MapOf):
                keys = start.shape.keys
                if keys and member not in keys:
                    return self.problem(node, f"`{name}` has no `{member}`", meant(member, keys))
                start = _entry(start, member, shape_of(start.shape.value), name)
            elif start.shape is Sort.ANY:
                start = _entry(start, member, Sort.ANY, name)
            else:
                return self.problem(node, f"`{name}` is {described(start.shape)} and has no `{member}`")
            name = f"{name}.{member}"
        return start

    def index(self, node: Index) -> Meaning:
        of, key = self.meaning(node.of), self.meaning(node.key)
        name = self.said(node)
        if isinstance(of.shape, ListOf):
            self.must_be(node.key, key, Sort.NUMBER)
            return Meaning(shape_of(of.shape.element), running.item(of.run, key.run, name))
        if isinstance(of.shape, MapOf) or of.shape is Sort.ANY:
            value = shape_of(of.shape.value) if isinstance(of.shape, MapOf) else Sort.ANY
            if isinstance(of.shape, MapOf):
                self.must_be(node.key, key, Sort.TEXT)
            read = read_as(value)
            return Meaning(value, running.looked_up(of.run, key.run, read, name))
        return self.problem(node, f"`{self.said(node.of)}` is {described(of.shape)}, not a list")

    # -- operators ---------------------------------------------------------------------------------

    def must_be(self, node: Node, meaning: Meaning, *sorts: Sort) -> bool:
        """Whether a part is of one of these kinds; a problem if not."""
        sort = sort_of(meaning.shape)
        if sort is Sort.ANY or sort in sorts:
            return True
        expected = " or ".join(sorts)
        self.problem(node, f"`{self.said(node)}` is {described(meaning.shape)}, expected {expected}")
        return False

    def unary(self, node: Unary) -> Meaning:
        operand = self.meaning(node.operand)
        if node.sign == "!":
            self.must_be(node.operand, operand, Sort.TRUTH)
            return Meaning(Sort.TRUTH, running.negated(operand.run, self.said(node.operand)))
        self.must_be(node.operand, operand, Sort.NUMBER)
        return Meaning(Sort.NUMBER, running.applied((operand.run,), lambda x: -x, self.said(node)))

    def choose(self, node: Choose) -> Meaning:
        condition, yes, no = self.meaning(node.condition), self.meaning(node.yes), self.meaning(node.no)
        self.must_be(node.condition, condition, Sort.TRUTH)
        shape = yes.shape if sort_of(yes.shape) == sort_of(no.shape) and sort_of(yes.shape) else Sort.ANY
        if isinstance(yes.shape, ListOf) and isinstance(no.shape, ListOf):
            shape = yes.shape

        return Meaning(shape, running.chosen(condition.run, yes.run, no.run))

    def items(self, node: Items) -> Meaning:
        items = [self.meaning(item) for item in node.items]
        kinds = {sort_of(item.shape) for item in items}
        element = items[0].shape if len(kinds) == 1 and None not in kinds else Sort.ANY
        return Meaning(ListOf(declared_as(element)), running.gathered(tuple(item.run for item in items)))

    def binary(self, node: Binary) -> Meaning:
        left, right = self.meaning(node.left), self.meaning(node.right)
        match node.sign:
            case "&&" | "||":
                self.must_be(node.left, left, Sort.TRUTH)
                self.must_be(node.right, right, Sort.TRUTH)
                return Meaning(Sort.TRUTH, running.joined(left.run, right.run, node.sign == "||"))
            case "==" | "!=":
                return self.equality(node, left, right)
            case "<" | "<=" | ">" | ">=":
                return self.order(node, left, right)
            case "in":
                return self.membership(node, left, right)
        return self.arithmetic(node, left, right)

    def equality(self, node: Binary, left: Meaning, right: Meaning) -> Meaning:
        differ = node.sign == "!="
        if Sort.NULL in (left.shape, right.shape):
            tested = right if left.shape is Sort.NULL else left
            return Meaning(Sort.TRUTH, running.nothing(tested.run, differ))
        left, right = self.fitted(node, left, right)
        self.word(node.left, left, node.right)
        self.word(node.right, right, node.left)
        if not comparable(left.shape, right.shape):
            self.apart(node, left, right)
        self.timed(left, right)
        return Meaning(
            Sort.TRUTH, running.applied((left.run, right.run), running.EQUALITY[node.sign], self.said(node))
        )

    def order(self, node: Binary, left: Meaning, right: Meaning) -> Meaning:
        left, right = self.fitted(node, left, right)
        for part, meaning in ((node.left, left), (node.right, right)):
            if isinstance(meaning.shape, Words):
                hint = f'name the words: `{self.said(part)} in ["{meaning.shape.words[0]}", …]`'
                return self.problem(
                    node, f"`{self.said(part)}` is one of some words; they have no order", hint
                )
        if not (comparable(left.shape, right.shape) and ordered(left.shape) and ordered(right.shape)):
            return self.apart(node, left, right)
        self.timed(left, right)
        return Meaning(
            Sort.TRUTH, running.applied((left.run, right.run), running.ORDERS[node.sign], self.said(node))
        )

    def apart(self, node: Binary, left: Meaning, right: Meaning) -> Meaning:
        sides = f"`{self.said(node.left)}` is {described(left.shape)}"
        message = f"{sides}, `{self.said(node.right)}` is {described(right.shape)}: they cannot be compared"
        return self.problem(node, message, comparison_hint(left.shape, right.shape))

    def fitted(self, node: Binary, left: Meaning, right: Meaning) -> tuple[Meaning, Meaning]:
        """A text literal beside a time or a date is one."""
        return self.as_time(node.left, left, right), self.as_time(node.right, right, left)

    def as_time(self, node: Node, meaning: Meaning, beside: Meaning) -> Meaning:
        if beside.shape not in (Sort.TIME, Sort.DAY) or not isinstance(node, Literal):
            return meaning
        if not isinstance(node.value, str):
            return meaning
        read = shapes.moment if beside.shape is Sort.TIME else shapes.day
        value = read(node.value, "")
        if isinstance(value, Unknown):
            return self.problem(node, f"not {beside.shape.value}", 'written "2024-12-31"')
        return Meaning(beside.shape, lambda facts: value)

    def word(self, node: Node, meaning: Meaning, other: Node) -> None:
        """A literal compared with a choice must be one of its words."""
        if not isinstance(meaning.shape, Words):
            return
        for literal in other.items if isinstance(other, Items) else (other,):
            if isinstance(literal, Literal) and isinstance(literal.value, str):
                words = meaning.shape.words
                if literal.value not in words:
                    hint = meant(literal.value, words) or f"one of {listed(words)}"
                    self.problem(literal, f'`{self.said(node)}` is never "{literal.value}"', hint)

    def membership(self, node: Binary, left: Meaning, right: Meaning) -> Meaning:
        self.word(node.left, left, node.right)
        if isinstance(right.shape, MapOf):
            self.must_be(node.left, left, Sort.TEXT)
        elif isinstance(right.shape, ListOf):
            if not comparable(left.shape, shape_of(right.shape.element)):
                what = described(shape_of(right.shape.element))
                self.problem(
                    node, f"`{self.said(node.left)}` is {described(left.shape)}, the list holds {what}"
                )
        elif right.shape is not Sort.ANY:
            hint = f"`{self.said(node.right)}.contains(…)`" if sort_of(right.shape) is Sort.TEXT else ""
            return self.problem(
                node.right, f"`{self.said(node.right)}` is {described(right.shape)}, not a list", hint
            )
        return Meaning(Sort.TRUTH, running.applied((left.run, right.run), running.inside, self.said(node)))

    def arithmetic(self, node: Binary, left: Meaning, right: Meaning) -> Meaning:
        kinds = (sort_of(left.shape), sort_of(right.shape))
        result = SUMS.get((node.sign, *kinds))
        if result is None and Sort.ANY in kinds:
            result = Sort.ANY
        if result is None and node.sign == "+" and isinstance(left.shape, ListOf):
            result = left.shape if isinstance(right.shape, ListOf) else None
        if result is None:
            what = f"{described(left.shape)} {node.sign} {described(right.shape)}"
            return self.problem(node, f"`{self.said(node)}` is {what}, which has no meaning")
        return Meaning(
            result, running.applied((left.run, right.run), running.ARITHMETIC[node.sign], self.said(node))
        )

    # -- functions and the clock -------------------------------------------------------------------

    def call(self, node: Call) -> Meaning:
        if node.function in MACROS and node.target is not None:
            return self.macro(node, node.target)
        if node.function == "has" and node.target is None:
            return self.has(node)
        function = FUNCTIONS.get(node.function)
        parts = (*((node.target,) if node.target is not None else ()), *node.arguments)
        if function is None:
            for part in parts:
                self.meaning(part)
            near = meant(node.function, [*FUNCTIONS, *MACROS, "has"])
            named = ConditionProblem(
                f"there is no function `{node.function}`", node.name_at, len(node.function), near
            )
            self.problems.append(named)
            return _BROKEN
        return self.applied(node, function, parts)

    def applied(self, node: Call, function: Function, parts: tuple[Node, ...]) -> Meaning:
        meanings = [self.meaning(part) for part in parts]
        if len(parts) != len(function.takes) or (node.target is None and function.method_only):
            return self.problem(node, f"`{node.function}` is written {function.written}")
        fits = [
            self.fits(part, each, takes)
            for part, each, takes in zip(parts, meanings, function.takes, strict=True)
        ]
        if not all(fits):
            return Meaning(function.gives, _BROKEN.run)
        if node.function in ("days_since", "days_until"):
            return self.elapsed(meanings[0].run, until=node.function == "days_until")
        if function.check is not None and isinstance(parts[-1], Literal):
            wrong = function.check(parts[-1].value)
            if wrong:
                return self.problem(parts[-1], wrong)
        runs = tuple(meaning.run for meaning in meanings)
        return Meaning(function.gives, running.applied(runs, function.apply, self.said(node)))

    def fits(self, part: Node, meaning: Meaning, takes: tuple[Sort | type, ...]) -> bool:
        if isinstance(meaning.shape, ListOf | MapOf):
            if type(meaning.shape) in takes:
                return True
            expected = " or ".join(str(each) for each in takes if isinstance(each, Sort))
            self.problem(part, f"`{self.said(part)}` is {described(meaning.shape)}, expected {expected}")
            return False
        return self.must_be(part, meaning, *(each for each in takes if isinstance(each, Sort)))

    def elapsed(self, when: Run, until: bool) -> Meaning:
        """Whole days between a time or date and now, negative for the other direction."""
        zone = self.zone
        days = Days(when, until)
        self.days.append(days)

        def run(facts: Facts) -> Thing:
            thing = when(facts)
            if thing.__class__ is Unknown:
                return thing
            return unknown("now") if facts.now is None else days_between(thing, facts.now, zone, until)

        return Meaning(Sort.NUMBER, run, days)

    def timed(self, left: Meaning, right: Meaning) -> None:
        """Remember what a number of days is compared with: only there can the clock change the answer."""
        for days, other in ((left.days, right), (right.days, left)):
            if days is not None and other.days is None:
                days.against.append(other.run)

    def has(self, node: Call) -> Meaning:
        if len(node.arguments) != 1:
            return self.problem(node, "`has` is written has(company.name)")
        if not isinstance(node.arguments[0], Member):
            hint = f"write `{self.said(node.arguments[0])} != null`"
            return self.problem(node, "`has` takes a name with a dot", hint)
        tested = self.meaning(node.arguments[0])
        return Meaning(Sort.TRUTH, running.nothing(tested.run, True))

    def macro(self, node: Call, target: Node) -> Meaning:
        """`list.exists(x, condition)` and `list.all(x, condition)`."""
        over = self.meaning(target)
        if len(node.arguments) != 2 or not isinstance(node.arguments[0], Name):
            return self.problem(node, f"`{node.function}` is written list.{node.function}(each, condition)")
        if not isinstance(over.shape, ListOf) and over.shape is not Sort.ANY:
            return self.problem(target, f"`{self.said(target)}` is {described(over.shape)}, not a list")
        name = node.arguments[0].name
        outer = self.bound.get(name)
        self.bound[name] = shape_of(over.shape.element) if isinstance(over.shape, ListOf) else Sort.ANY
        inner = self.meaning(node.arguments[1])
        self.must_be(node.arguments[1], inner, Sort.TRUTH)
        del self.bound[name]
        if outer is not None:
            self.bound[name] = outer
        return Meaning(
            Sort.TRUTH, running.over(over.run, name, inner.run, node.function == "exists", self.said(target))
        )


_BROKEN = Meaning(Sort.ANY, lambda facts: unknown("a condition with problems"))


def _literal(node: Literal) -> Meaning:
    value = node.value
    if value is None:
        return Meaning(Sort.NULL, lambda facts: None)
    sort = Sort.TRUTH if isinstance(value, bool) else Sort.TEXT if isinstance(value, str) else Sort.NUMBER
    return Meaning(sort, lambda facts: value)


def _path(node: Node) -> tuple[str, ...]:
    """`a.b.c` as a path; empty where it does not begin with a name."""
    if isinstance(node, Name):
        return (node.name,)
    if isinstance(node, Member):
        before = _path(node.of)
        return (*before, node.name) if before else ()
    return ()


def _is_money(declared: Named) -> bool:
    return (declared.type if isinstance(declared, Field) else declared) is Type.MONEY


def _fact(name: str, shape: Shape) -> Meaning:
    return Meaning(shape, running.fact(name, read_as(shape)))


def _bound(name: str, shape: Shape) -> Meaning:
    return Meaning(shape, lambda facts: facts.bound[name])


def _entry(of: Meaning, member: str, shape: Shape, name: str) -> Meaning:
    """A member of a map whose name is known."""
    return Meaning(shape, running.looked_up(of.run, lambda facts: member, read_as(shape), f"{name}.{member}"))
