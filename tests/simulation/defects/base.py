"""What a named mistake is: one function of the engine, changed for the time of a trial."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from trueup.testing.drawing import plan_of
from trueup.testing.plan import Plan
from trueup.testing.trial import tried

CORPUS = Path(__file__).parent.parent / "corpus"

Change = Callable[[Any], Any]
"""What is made of what stands at a place."""

Patch = tuple[Any, str, Change]


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake. `killed_by`: the checks that are meant to find it. `history` shows it: a seed, a file of
    the corpus, or a plan written by hand."""

    name: str
    history: int | str | Plan
    killed_by: frozenset[str]
    patches: tuple[Patch, ...]

    @property
    def plan(self) -> Plan:
        match self.history:
            case int(seed):
                return plan_of(seed)
            case str(file):
                return Plan.of_document(json.loads((CORPUS / f"{file}.json").read_text("utf-8")))
            case plan:
                return plan

    def shows(self, plan: Plan) -> bool:
        """Whether a check that is meant for it finds it in this history, where it is made."""
        return not self.killed_by.isdisjoint(tried(plan).checks)

    @contextmanager
    def made(self) -> Iterator[None]:
        """The engine with this mistake in it."""
        with ExitStack() as stack:
            for at, name, change in self.patches:
                stack.enter_context(patch.object(at, name, change(getattr(at, name))))
            yield


def defect(name: str, history: int | str | Plan, killed_by: str, *patches: Patch) -> Defect:
    return Defect(name, history, frozenset(killed_by.split(", ")), patches)


def always(value: Any) -> Change:
    """A function that answers the same, whatever it is asked."""
    return lambda original: lambda *args, **kwargs: value


def answering(change: Callable[[Any], Any]) -> Change:
    """The same function, with its answer changed."""
    return lambda original: lambda *args, **kwargs: change(original(*args, **kwargs))


def instead(function: Callable[..., Any]) -> Change:
    """Another function, which is given the right one first."""
    return lambda original: lambda *args, **kwargs: function(original, *args, **kwargs)
