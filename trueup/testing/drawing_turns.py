"""In some histories the hub is configured anew, and people type what others would not: drawn after all the
rest, from chance of their own.

So a history without them is what it was before there were any.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from trueup.testing.hub import CLOSED, PAUSED
from trueup.testing.plan import Event, Plan
from trueup.testing.system import RETYPED
from trueup.testing.traits import TYPED

SHARE = 0.15
"""Of all histories, so many know some of it."""
_RETYPED = ("email", "given", "family")


def with_turns(plan: Plan) -> Plan:
    """The history, in its share of the seeds with stages that people set back, names and addresses typed in
    other letters, fields of another type, and a configuration that somebody turns and mostly turns back."""
    dice = Random(f"{plan.seed} turns")
    if dice.random() >= SHARE:
        return plan
    first = next((place for place, one in enumerate(plan.events) if one.do == "run"), 0)
    events = list(plan.events)
    for number in range(dice.randint(3, 10)):
        place = dice.randint(first + 1, len(events))
        events[place:place] = _turned(dice, plan, number)
    return replace(plan, events=tuple(events))


def _turned(dice: Random, plan: Plan, number: int) -> list[Event]:
    roll, at = dice.random(), dice.randrange(len(plan.systems))
    pick, other, token = dice.randrange(100), dice.randrange(100), 70_000 + number
    if roll < 0.2:
        return [Event("set back", at=at, pick=pick, other=other)]
    if roll < 0.5:
        field = dice.choice(_RETYPED)
        return [Event("retype", at=at, pick=pick, field=field, token=token)]
    if roll < 0.6:
        return [Event("drift", at=at, field=dice.choice(TYPED), what=RETYPED)]
    if roll < 0.75:
        return [Event("turn", at=at, what="back")]
    return [Event("turn", at=at, what=dice.choice((CLOSED, PAUSED)))]
