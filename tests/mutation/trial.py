"""Tries the mutants of some modules with some tests, in one session of pytest.

First every test runs as it is: it has to pass, and it is noted how long it takes and which lines it runs.
Then each mutant gets a process of its own (a fork, so that nothing is imported or collected again), in which
those tests run that come to what is changed, until one fails.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Key, Mutant, mutants
from tests.mutation.swap import Alive, codes, function_of, put

if TYPE_CHECKING:
    from _typeshed import TraceFunction

Line = tuple[CodeType, int]

MEMORY = 4 << 30
"""So many bytes may a mutant take; one that takes more fails."""


class Fate(StrEnum):
    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    UNSEEN = "unseen"
    """No test comes to what is changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant. `by`: the test that failed."""

    key: Key
    fate: Fate
    by: str = ""

    @classmethod
    def of(cls, said: dict[str, object]) -> Outcome:
        return cls(Key(**said["key"]), Fate(said["fate"]), str(said["by"]))  # type: ignore[arg-type]


class Trial:
    """A plugin of pytest that tries mutants instead of running the tests once, and tells of each at once."""

    def __init__(
        self, tried: Sequence[Mutant], seconds: float, slowest: float, told: Callable[[Outcome], None]
    ) -> None:
        self.tried, self.seconds, self.slowest, self.told = tried, seconds, slowest, told
        self.took: dict[str, float] = {}
        self.enters: dict[str, int] = {}
        self.runs: dict[Line, set[str]] = defaultdict(set)
        self.last: dict[tuple[str, str], str] = {}
        self.done = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """The same examples at every run, and no time for making a failing one small."""
        from hypothesis import Phase, settings  # not before pytest has made itself at home in it

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutation", derandomize=True, deadline=None, database=None, phases=phases)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        self._learn(list(items.values()))
        self.alive = Alive(function_of(one.key) for one in self.tried)
        gc.freeze()  # what a child only looks at is not copied
        for mutant in self.tried:
            self.told(self._fate(mutant, items))
        self.done = True
        return True

    def _learn(self, items: Sequence[pytest.Item]) -> None:
        known = {code for mutant in self.tried for code in codes(function_of(mutant.key).__code__)}
        for item, following in _with_next(items):
            began = time.process_time()
            with _Watched(known) as seen:
                failed = _fails(item, following)
            if failed:
                raise pytest.UsageError(f"{item.nodeid} fails without any mutant")
            self.took[item.nodeid] = time.process_time() - began
            self.enters[item.nodeid] = len({code for code, _ in seen})
            for line in seen:
                self.runs[line].add(item.nodeid)

    def _judges(self, mutant: Mutant) -> set[str]:
        """The tests that run the changed lines; of lines that no code stands for, those of the function."""
        within = list(codes(function_of(mutant.key).__code__))
        lines = [(code, line) for code in within for *_, line in code.co_lines() if line is not None]
        changed = [(code, line) for code, line in lines if line in mutant.lines]
        return {id for line in changed or lines for id in self.runs.get(line, ())}

    def _chosen(self, mutant: Mutant) -> list[str]:
        """The tests of a mutant; before all others that which killed the one before."""
        tests = in_turns(self._judges(mutant), self.took, self.enters, self.seconds, self.slowest)
        last = self.last.get((mutant.key.module, mutant.key.function))
        return sorted(tests, key=lambda id: id != last)

    def _fate(self, mutant: Mutant, items: dict[str, pytest.Item]) -> Outcome:
        chosen = self._chosen(mutant)
        if not chosen:
            return Outcome(mutant.key, Fate.UNSEEN)
        limit = 5 + 3 * sum(self.took[id] for id in chosen)
        fate, by = apart(lambda: self._killer(mutant, [items[id] for id in chosen]), int(limit))
        if by:
            self.last[mutant.key.module, mutant.key.function] = by
        return Outcome(mutant.key, fate, by)

    def _killer(self, mutant: Mutant, chosen: Sequence[pytest.Item]) -> str:
        put(mutant, self.alive)
        for item, following in _with_next(chosen):
            if _fails(item, following):
                return item.nodeid
        return ""


def in_turns(
    ids: Iterable[str], took: Mapping[str, float], enters: Mapping[str, int], seconds: float, slowest: float
) -> list[str]:
    """As many of these tests as fit into so many seconds, none that takes longer than `slowest`: of each test
    the cases first that enter few functions, but no test with many cases keeps all others waiting."""
    waits: dict[str, float] = defaultdict(float)
    turns = {}
    for id in sorted(ids, key=lambda id: (enters[id], took[id], id)):
        if took[id] <= slowest:
            test = id.partition("[")[0]
            waits[test] += took[id]
            turns[id] = waits[test]
    chosen, total = [], 0.0
    for id in sorted(turns, key=lambda id: (turns[id], id)):
        if total + took[id] <= seconds:
            chosen.append(id)
            total += took[id]
    return chosen


def _with_next(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


class _Watched:
    """Which lines of this code are run, in whatever thread."""

    def __init__(self, known: Set[CodeType]) -> None:
        self.known = known
        self.seen: set[Line] = set()

    def _entered(self, frame: FrameType, event: str, _: object) -> TraceFunction | None:
        if frame.f_code not in self.known:
            return None
        self.seen.add((frame.f_code, frame.f_code.co_firstlineno))
        return self._ran

    def _ran(self, frame: FrameType, event: str, _: object) -> TraceFunction:
        if event == "line":
            self.seen.add((frame.f_code, frame.f_lineno))
        return self._ran

    def __enter__(self) -> set[Line]:
        threading.settrace(self._entered)
        sys.settrace(self._entered)
        return self.seen

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)


def apart(killer: Callable[[], str], limit: int) -> tuple[Fate, str]:
    """What a process of its own says, which may take so many seconds of CPU (ten times that, if it waits)."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(60 + 10 * limit)
        by = killer()
        os.write(theirs, by.encode())
        os._exit(1 if by else 0)
    os.close(theirs)
    with os.fdopen(ours) as answer:
        by = answer.read()
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    if ended in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM):
        return Fate.TIMEOUT, ""
    return (Fate.KILLED, by or f"exit {ended}") if ended else (Fate.SURVIVED, "")


def tried(
    modules: Sequence[str],
    files: Sequence[str],
    wanted: Callable[[Key], bool],
    told: Callable[[Outcome], None],
    seconds: float = 12.0,
    slowest: float = 6.0,
) -> None:
    """Tries the wanted mutants of these modules with the tests of these files. A mutant gets tests for so
    many seconds (as they take while they are watched), and none that takes longer than `slowest`."""
    for module in modules:
        import_module(module)
    chosen = [one for module in modules for one in mutants(module) if wanted(one.key)]
    trial = Trial(chosen, seconds, slowest, told)
    plain = ["-p", "no:cacheprovider", "-p", "no:xdist", "-qq", "--hypothesis-profile=mutation"]
    cheap = ["-m", "not server", "-o", "tmp_path_retention_policy=failed"]
    ended = pytest.main([*plain, *cheap, *files], plugins=[trial])
    if not trial.done:
        raise SystemExit(f"the tests of {', '.join(modules)} do not run: pytest answers {ended!r}")


def main(arguments: Sequence[str]) -> None:
    """One room in a process of its own: what it is to do as JSON, the outcomes as lines of a file."""
    said = json.loads(arguments[0])
    path = Path(said["outcomes"])
    earlier = outcomes_of(path) if said["again"] else []
    kept = [one for one in earlier if one.fate is Fate.KILLED or one.key.module not in said["modules"]]
    lived = {one.key for one in earlier} - {one.key for one in kept}

    def wanted(key: Key) -> bool:
        return key in lived if said["again"] else key.drawn(said["share"], said["seed"])

    with path.open("w", encoding="utf-8") as outcomes:

        def told(outcome: Outcome) -> None:
            print(json.dumps(asdict(outcome)), file=outcomes, flush=True)

        for outcome in kept:
            told(outcome)
        tried(said["modules"], said["files"], wanted, told, said["seconds"], said["slowest"])


def outcomes_of(path: Path) -> list[Outcome]:
    """What an earlier run found."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else ()
    return [Outcome.of(json.loads(line)) for line in lines]


if __name__ == "__main__":
    main(sys.argv[1:])
