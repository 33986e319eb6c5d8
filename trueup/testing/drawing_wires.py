"""Some histories know rarer misfortunes: drawn after all the rest, from chance of their own.

So a history without them is what it was before there were any.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from trueup.testing.plan import Event, Plan
from trueup.testing.wire import COMMON, OF_LISTS, RARE, ROUTES, TOKENS

SHARE = 0.2
"""Of all histories, so many know some of them."""
_LARGE = 100
"""So large a page is all that a world holds: there is none before it."""
_ANYWHERE = tuple(one for one in COMMON if one not in OF_LISTS)


def with_rare_faults(plan: Plan) -> Plan:
    """The history, in its share of the seeds with rarer faults before some of its runs, storms that strike
    every system at once, and hints that somebody forged."""
    dice = Random(f"{plan.seed} rare faults")
    if dice.random() >= SHARE:
        return plan
    runs = [place for place, one in enumerate(plan.events) if one.do in ("run", "plan", "apply")]
    events = list(plan.events)
    for place in sorted(dice.choices(runs, k=dice.randint(3, 8)), reverse=True):
        events[place:place] = (some := _rare(dice, plan))
        if some[0].what == "revoked" and dice.random() < 0.7:
            after = dice.randint(place + 1, len(events))
            events.insert(after, Event("grant", at=some[0].at))
    return replace(plan, events=tuple(events))


def _rare(dice: Random, plan: Plan) -> list[Event]:
    roll, at, nth = dice.random(), dice.randrange(len(plan.systems)), dice.choice((1, 1, 2, 3))
    if roll < 0.12:
        return [Event("storm", route="any", nth=dice.randint(1, 6), what=dice.choice(_ANYWHERE))]
    if roll < 0.24:
        return [Event("forge", at=at, pick=dice.randrange(100), other=dice.choice((1, 3, 40)))]
    pages = [place for place, one in enumerate(plan.systems) if one.page < _LARGE and not one.offset]
    what = dice.choice((*RARE, "again") if pages else [one for one in RARE if one != "again"])
    if what in ("spent", "revoked"):
        return [Event("fault", at=at, route="any", nth=dice.randint(1, 12), what=what)]
    if what == "again":
        return [Event("fault", at=dice.choice(pages), route="any", nth=1, what=what)]
    return [Event("fault", at=at, route=_route(dice, plan, at), nth=nth, what=what)]


def _route(dice: Random, plan: Plan, at: int) -> str:
    """A way that somebody goes in this system, as often as not whichever is gone first."""
    if dice.random() < 0.5:
        return "any"
    traits = plan.systems[at]
    shut = {"create" if traits.upsert else "upsert"} | (set() if traits.tokens else {TOKENS})
    return dice.choice([one for one in ROUTES if one not in shut])
