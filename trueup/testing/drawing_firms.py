"""Some histories have companies: drawn after all the rest, from chance of their own.

So a history without them is what it was before there were any.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from trueup.testing.firms import FIRM_ACTS
from trueup.testing.plan import Event, Plan
from trueup.testing.sorts import COMPANIES
from trueup.testing.traits import KEPT, MADE, Traits

SHARE = 0.2
"""Of all histories, so many have companies."""
_FIRST_TOKEN = 5_000
"""The first number in what is typed about companies: no other act has it."""
_BRANCH, _FIRM = ("keep", "keep", "cut"), ("keep", "keep", "keep", "upper")


def with_companies(plan: Plan) -> Plan:
    """The history, in its share of the seeds with companies in some of its systems."""
    dice = Random(f"{plan.seed} companies")
    if dice.random() >= SHARE:
        return plan
    systems = tuple(_keeping(dice, place, one) for place, one in enumerate(plan.systems))
    hand = _Hand(dice, len(systems))
    events = [hand.first() for _ in range(dice.randint(1, 3))] + list(plan.events)
    begun = next((place for place, one in enumerate(events) if one.do == "run"), len(events))
    for _ in range(dice.randint(2, 4)):
        events.insert(begun, hand.act("hire"))
    for _ in range(dice.randint(8, 20)):
        place = dice.randint(begun, len(events))
        if place < len(events) and events[place].do == "run" and dice.random() < 0.5:
            events[place] = _meanwhile(dice, events[place], hand.act())
        else:
            events.insert(place, hand.act())
    return replace(plan, systems=systems, events=tuple(events))


def _keeping(dice: Random, place: int, traits: Traits) -> Traits:
    """The first two keep companies: of one system's nobody else would hear; a third does or does not."""
    keeps = place < 2 or dice.random() < 0.5
    ways = (("branch", dice.choice(_BRANCH)), ("firm", dice.choice(_FIRM)))
    return replace(
        traits,
        companies=dice.choice((KEPT, MADE, MADE, MADE)) if keeps else "",
        lets_go=keeps and dice.random() < 0.5,
        habits=(*traits.habits, *ways) if keeps else traits.habits,
    )


def _meanwhile(dice: Random, run: Event, act: Event) -> Event:
    during = sorted([*run.during, (dice.randint(1, 120), act)], key=lambda one: one[0])
    return replace(run, during=tuple(during))


class _Hand:
    def __init__(self, dice: Random, systems: int) -> None:
        self._dice, self._systems, self._token = dice, systems, _FIRST_TOKEN

    def first(self) -> Event:
        """A company that one system or several have from the beginning."""
        return Event("firm", of=self._some(), token=self._number())

    def act(self, do: str = "") -> Event:
        dice = self._dice
        do = do or dice.choices(list(FIRM_ACTS), list(FIRM_ACTS.values()))[0]
        if do == "firm":
            return self.first()
        field, at = dice.choice(COMPANIES.typed), dice.randrange(self._systems)
        pick, other = dice.randrange(100), dice.randrange(100)
        return Event(do, at=at, pick=pick, other=other, field=field, token=self._number())

    def _some(self) -> tuple[int, ...]:
        number = self._dice.randint(1, self._systems)
        return tuple(sorted(self._dice.sample(range(self._systems), number)))

    def _number(self) -> int:
        self._token += 1
        return self._token
