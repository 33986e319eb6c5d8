"""Mutants that somebody looked at: no test can see them, because nothing differs. Each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ruamel.yaml import YAML

from tests.mutation.mutants import Key, mutants
from tests.mutation.trial import Fate, Outcome

EQUIVALENT = Path(__file__).parent / "equivalent.yaml"


def equivalent() -> dict[Key, str]:
    """The reason of each. The file groups them by it."""
    said = YAML(typ="safe").load(EQUIVALENT.read_text("utf-8"))
    return {
        Key(one["module"], one["function"], one["text"], one.get("again", 1)): group["reason"]
        for group in said
        for one in group["mutants"]
    }


def outdated(
    reviewed: Mapping[Key, str], outcomes: Sequence[Outcome], modules: Sequence[str]
) -> Iterator[str]:
    """What is listed and is not so any more: there is no such mutant, or a test sees it."""
    there = {one.key for module in {key.module for key in reviewed} & {*modules} for one in mutants(module)}
    yield from (f"gone: {key}" for key in reviewed if key.module in modules and key not in there)
    yield from (
        f"killed by {one.by}: {one.key}"
        for one in outcomes
        if one.key in reviewed and one.fate is Fate.KILLED
    )
