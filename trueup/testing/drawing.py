"""Plans from seeds: who lives where, what happens to them, and what goes wrong meanwhile.

Each profile leans to some kinds of events (swarm testing: a history that does everything does nothing often).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from trueup.testing.plan import Event, Plan
from trueup.testing.traits import NAMES, TYPED, drawn
from trueup.testing.wire import FAULTS, ROUTES

_EDITS = {
    "edit": 10,
    "clear": 3,
    "email": 2,
    "label": 3,
    "unlabel": 1,
    "phase": 2,
    "opt out": 1,
    "restore": 1,
}
_LIVES = {"create": 2, "twin": 1, "delete": 1, "merge": 1, "swap": 1}


@dataclass(frozen=True, slots=True)
class Profile:
    """How often what is drawn. `share`: of all histories; `crash`, `pause`, `meanwhile`: of the runs."""

    share: int
    acts: Mapping[str, int]
    faults: float = 0.5
    crash: float = 0.1
    pause: float = 0.05
    meanwhile: float = 0.5
    events: int = 40


PROFILES: Mapping[str, Profile] = {
    "edits": Profile(25, _EDITS, faults=0.2),
    "lives": Profile(15, {**_EDITS, **_LIVES}, faults=0.2),
    "faults": Profile(15, {**_EDITS, "create": 3}, faults=2.0, crash=0.0, pause=0.0),
    "crashes": Profile(15, {**_EDITS, "create": 3}, crash=0.6, pause=0.1),
    "workers": Profile(10, _EDITS, pause=0.5, crash=0.1),
    "merges": Profile(10, {**_EDITS, "merge": 6, "twin": 4, "delete": 3}),
    "everything": Profile(
        10, {**_EDITS, **_LIVES}, faults=1.0, crash=0.2, pause=0.1, meanwhile=0.8, events=60
    ),
}


def plan_of(seed: int) -> Plan:
    """The plan of this seed: the same for ever, as long as this file stays."""
    dice = Random(seed)
    name = dice.choices(list(PROFILES), [one.share for one in PROFILES.values()])[0]
    profile = PROFILES[name]
    systems = tuple(drawn(dice, one) for one in NAMES[: dice.choice((2, 2, 3))])
    hand = _Hand(dice, profile, len(systems))
    events = [hand.newcomer() for _ in range(dice.randint(2, 4))]
    events += [
        Event("wait", seconds=hand.pause()),
        Event("run", of=tuple(range(len(systems)))),
        Event("release"),
    ]
    while len(events) < profile.events:
        events += hand.next_one()
    tight, apart = dice.random() < 0.15, dice.random() < 0.3
    return Plan(seed, name, systems, tuple(events), tight, apart)


@dataclass(slots=True)
class _Hand:
    dice: Random
    profile: Profile
    systems: int
    token: int = 100

    def next_one(self) -> list[Event]:
        roll = self.dice.random()
        if roll < 0.45:
            return [self.act()]
        if roll < 0.8:
            return self.run()
        if roll < 0.9:
            return [Event("wait", seconds=self.pause())]
        return [self.operator()]

    def newcomer(self) -> Event:
        some = self.dice.sample(range(self.systems), self.dice.randint(1, self.systems))
        return Event("create", of=tuple(sorted(some)), token=self.number())

    def number(self) -> int:
        self.token += 1
        return self.token

    def pause(self) -> float:
        return self.dice.choice((0.5, 3.0, 40.0, 400.0, 4_000.0, 90_000.0))

    def act(self) -> Event:
        do = self.dice.choices(list(self.profile.acts), list(self.profile.acts.values()))[0]
        if do == "create":
            return self.newcomer()
        field = self.dice.choice(TYPED)
        at, pick = self.dice.randrange(self.systems), self.dice.randrange(100)
        return Event(do, at=at, pick=pick, other=self.dice.randrange(100), field=field, token=self.number())

    def run(self) -> list[Event]:
        """A run, with what goes wrong in it, and sometimes the same process going on later."""
        dice, found = self.dice, []
        for _ in range(_about(dice, self.profile.faults)):
            found.append(
                Event(
                    "fault",
                    at=dice.randrange(self.systems),
                    route=dice.choice((*ROUTES, "any")),
                    nth=dice.choice((1, 1, 2, 3)),
                    what=dice.choice(FAULTS),
                )
            )
        some = dice.sample(range(self.systems), dice.choice((self.systems, self.systems, 1, 2)))
        meanwhile = _about(dice, self.profile.meanwhile)
        during = sorted(
            ((dice.randint(1, 120), self.act()) for _ in range(meanwhile)), key=lambda one: one[0]
        )
        crash = dice.randint(1, 150) if dice.random() < self.profile.crash else 0
        pause = dice.randint(1, 120) if dice.random() < self.profile.pause else 0
        worker = dice.randrange(3)
        found.append(
            Event(
                "run", worker=worker, of=tuple(sorted(some)), crash=crash, pause=pause, during=tuple(during)
            )
        )
        if pause:
            found += [Event("wait", seconds=dice.choice((1.0, 60.0, 400.0)))]
            found += (
                [Event("run", worker=(worker + 1) % 3, of=tuple(sorted(some)))] if dice.random() < 0.6 else []
            )
            found += [Event("resume", worker=worker)] if dice.random() < 0.7 else []
        return found

    def operator(self) -> Event:
        what = self.dice.choice(("edit", "edit", "pin", "retry", "discard", "approve", "due"))
        field = self.dice.choice(TYPED)
        return Event("operator", what=what, pick=self.dice.randrange(100), field=field, token=self.number())


def _about(dice: Random, mean: float) -> int:
    """A small number whose mean is about `mean`."""
    whole = int(mean)
    return dice.randint(0, 2 * whole) + (dice.random() < mean - whole)
