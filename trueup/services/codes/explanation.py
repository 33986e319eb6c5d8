"""The long form of a code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """`title` in a few words; `what` happened and what the hub did; `do` is for a person."""

    title: str
    what: str
    do: str
