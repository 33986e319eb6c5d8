"""The mutants of a module: mutmut's changes, each with a name that stays when other lines move.

mutmut changes what stands in functions and methods, not in decorated ones and not at the level of a module.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import create_mutations

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Key:
    """A mutant by what it is: the lines that it changes, in which function. `again`: the how manieth that
    reads just the same there."""

    module: str
    function: str
    text: str
    again: int = 1

    def drawn(self, share: int, seed: int) -> bool:
        """Whether it is in the share that this seed draws; that hangs on nothing but its name."""
        name = f"{seed}\0{self.module}\0{self.function}\0{self.text}\0{self.again}"
        return int(hashlib.sha256(name.encode()).hexdigest(), 16) % share == 0

    def __str__(self) -> str:
        again = f" (#{self.again})" if self.again > 1 else ""
        return f"{self.module} {self.function}{again}: {self.text}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`code` is the changed function, in its class where it has one. `lines`: where in the file the statement
    stands that is changed; of one with others within it, its head."""

    key: Key
    code: str
    lines: range


def mutants(module: str) -> list[Mutant]:
    """All mutants of this module (its dotted name), in the order of its lines."""
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    source = path.read_text("utf-8")
    tree, mutations, _, _ = create_mutations(str(path), source)
    homes, statements = dict(_functions(tree)), _statements(source)
    places = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    seen: Counter[tuple[str, str]] = Counter()
    made = []
    for one in mutations:
        function = one.contained_by_top_level_function
        if function not in homes:
            continue
        changed = function.deep_replace(one.original_node, one.mutated_node)
        home = homes[function]
        name = function.name.value if home is None else f"{home}.{function.name.value}"
        text = _text(_code(function), _code(changed))
        seen[name, text] += 1
        key = Key(module, name, text, seen[name, text])
        line = places[one.original_node].start.line
        made.append(Mutant(key, _HEAD + _code(changed, home), statements.get(line, range(line, line + 1))))
    return made


_HEAD = "from __future__ import annotations\n"


def _functions(tree: cst.Module) -> Iterator[tuple[cst.FunctionDef, str | None]]:
    """Each function of the module and its class, if it has one."""
    for one in tree.body:
        if isinstance(one, cst.FunctionDef):
            yield one, None
        elif isinstance(one, cst.ClassDef):
            yield from ((each, one.name.value) for each in one.body.body if isinstance(each, cst.FunctionDef))


def _statements(source: str) -> dict[int, range]:
    """The lines of the innermost statement that each line is of."""
    lines: dict[int, range] = {}
    for one in ast.walk(ast.parse(source)):  # what is within another one comes after it
        if isinstance(one, ast.stmt):
            last = one.body[0].lineno - 1 if hasattr(one, "body") else one.end_lineno
            statement = range(one.lineno, max(one.lineno, last or 0) + 1)
            lines |= dict.fromkeys(statement, statement)
    return lines


def _code(function: cst.FunctionDef, home: str | None = None) -> str:
    if home is None:
        return cst.Module([function]).code
    return cst.Module([cst.ClassDef(cst.Name(home), cst.IndentedBlock([function]))]).code


def _text(before: str, after: str) -> str:
    """`what stood there → what stands there now`, by whole lines."""
    lines = list(ndiff(before.splitlines(), after.splitlines()))
    sides = (" ".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+")
    return " → ".join(sides)
