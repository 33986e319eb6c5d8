"""In some histories the hub is configured anew, and people type what others would not: drawn after all the
rest, from chance of their own.

So a history without them is what it was before there were any.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from trueup.testing.hub import CLOSED, PAUSED, WAYS
from trueup.testing.plan import Event, Plan
from trueup.testing.system import LISTED, NUMBERED, RENAMED, RETYPED
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


def with_other_mappings(plan: Plan) -> Plan:
    """The history, in as many of the seeds with fields that are mapped otherwise for a while: between
    two runs, or from the middle of one on."""
    dice = Random(f"{plan.seed} other mappings")
    if dice.random() >= SHARE:
        return plan
    first = next((place for place, one in enumerate(plan.events) if one.do == "run"), 0)
    events = list(plan.events)
    for _ in range(dice.randint(2, 6)):
        place, remap = dice.randint(first + 1, len(events)), _remapped(dice, plan)
        runs = [at for at, one in enumerate(events) if at > first and one.do == "run"]
        if runs and dice.random() < 0.4:
            at = dice.choice(runs)
            during = sorted([*events[at].during, (dice.randint(1, 120), remap)], key=lambda one: one[0])
            events[at] = replace(events[at], during=tuple(during))
        else:
            events.insert(place, remap)
    for number in range(dice.randint(0, 6)):
        for one in _typed_otherwise(dice, plan, 80_000 + number):
            events.insert(dice.randint(first + 1, len(events)), one)
    return replace(plan, events=tuple(events))


def _typed_otherwise(dice: Random, plan: Plan, token: int) -> list[Event]:
    """A field that comes as something else or under another name, and as often as not is mended before the
    end; or an address with an accent, and the same address in other letters."""
    at, pick = dice.randrange(len(plan.systems)), dice.randrange(100)
    if dice.random() < 0.5:
        accent = Event("accent", at=at, pick=pick, token=token)
        return [accent, Event("retype", at=at, pick=pick, field="email", token=token)]
    what = dice.choice((LISTED, NUMBERED, RENAMED))
    field = "phone" if what == NUMBERED else dice.choice(TYPED)
    drift = Event("drift", at=at, field=field, what=what)
    return [drift] if dice.random() < 0.5 else [drift, Event("drift over", at=at)]


def _remapped(dice: Random, plan: Plan) -> Event:
    what = "back" if dice.random() < 0.3 else dice.choice((WAYS[0], *WAYS))
    return Event("remap", at=dice.randrange(len(plan.systems)), field=dice.choice(TYPED), what=what)
