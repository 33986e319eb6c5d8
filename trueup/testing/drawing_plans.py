"""Some histories save plans and apply them: drawn after all the rest, from chance of their own.

So a history without them is what it was before there were any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from trueup.testing.plan import Event, Plan

SHARE = 0.1
"""Of all histories, so many save plans."""


def with_saved_plans(plan: Plan) -> Plan:
    """The history, in its share of the seeds with some of its later runs as two: a plan is saved where the
    run was, and applied at once or after some of what happens next, which may make it outdated."""
    dice = Random(f"{plan.seed} saved plans")
    if dice.random() >= SHARE:
        return plan
    runs = [place for place, one in enumerate(plan.events) if one.do == "run" and not one.pause][1:]
    events = list(plan.events)
    for place in sorted(dice.sample(runs, min(len(runs), dice.randint(1, 4))), reverse=True):
        events[place:] = _planned(dice, events[place:])
    return replace(plan, events=tuple(events))


def _planned(dice: Random, rest: Sequence[Event]) -> list[Event]:
    """What begins with a run, with a plan in its place and its apply later. A process that is killed before
    its plan is whole leaves none, or an older one."""
    run, *after = rest
    until = dice.choice((0, 0, 1, 3, 6))
    apply = Event("apply", worker=run.worker, crash=dice.randint(1, 150) if dice.random() < 0.1 else 0)
    if run.during and dice.random() < 0.5:
        apply, run = replace(apply, during=run.during), replace(run, during=())
    return [replace(run, do="plan"), *after[:until], apply, *after[until:]]
