"""Puts a mutant in the place of its function, in this process, for good.

Only the code of the function is exchanged, so that everybody who holds it (by an import, in a table, as a
method) runs the mutant, and nothing has to be imported anew.
"""

from __future__ import annotations

import functools
import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter
from sys import modules
from types import CodeType, FunctionType

from tests.mutation.mutants import Key, Mutant


def function_of(key: Key) -> FunctionType:
    """The function that lives in this process, without the wrapping of a static or class method."""
    found = attrgetter(key.function)(modules[key.module])
    return getattr(found, "__func__", found)


def codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of all that is defined within it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from codes(inner)


class Alive:
    """Who runs which code in this process, looked up once for all mutants of these functions, and what is
    remembered."""

    def __init__(self, functions: Iterable[FunctionType]) -> None:
        self.runs: dict[CodeType, list[FunctionType]] = defaultdict(list)
        self.remembers = []
        wanted = {code for function in functions for code in codes(function.__code__)}
        for one in gc.get_objects():
            if isinstance(one, FunctionType) and one.__code__ in wanted:
                self.runs[one.__code__].append(one)
            elif isinstance(one, functools._lru_cache_wrapper):
                self.remembers.append(one)


def put(mutant: Mutant, alive: Alive) -> None:
    """From now on the mutant runs; nothing that was remembered before counts."""
    scope = dict(vars(modules[mutant.key.module]))
    exec(compile(mutant.code, mutant.key.module, "exec"), scope)
    changed = attrgetter(mutant.key.function)(_Scope(scope))
    changed = getattr(changed, "__func__", changed)
    function = function_of(mutant.key)
    function.__defaults__, function.__kwdefaults__ = changed.__defaults__, changed.__kwdefaults__
    # Not the function alone: a function within it may be alive since the module was imported.
    for before, after in list(_pairs(function.__code__, changed.__code__)):
        for one in alive.runs[before]:
            if one is function or len(after.co_freevars) == len(before.co_freevars):
                one.__code__ = after
    for memory in alive.remembers:
        memory.cache_clear()


class _Scope:
    """Names as attributes."""

    def __init__(self, names: dict[str, object]) -> None:
        self.__dict__ = names


def _pairs(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """What takes the place of what: the function, and what is defined within it under the same name."""
    there: dict[str, list[CodeType]] = defaultdict(list)
    for one in codes(after):
        there[one.co_qualname].append(one)
    for one in codes(before):
        if there[one.co_qualname]:
            yield one, there[one.co_qualname].pop(0)
