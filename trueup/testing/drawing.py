"""Plans from seeds: who lives where, what happens to them, and what goes wrong meanwhile.

Each profile leans to some kinds of events (swarm testing: a history that does everything does nothing often).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from trueup.testing.drawing_firms import with_companies
from trueup.testing.drawing_plans import with_saved_plans
from trueup.testing.drawing_turns import with_other_mappings, with_turns
from trueup.testing.drawing_wires import with_rare_faults
from trueup.testing.plan import Event, Plan
from trueup.testing.ports import STEP
from trueup.testing.traits import NAMES, STAGES, TYPED, Traits, drawn
from trueup.testing.wire import COMMON, LISTS, OF_LISTS, READS, TOKENS

_EDITS = {
    "edit": 10,
    "clear": 3,
    "email": 2,
    "label": 3,
    "unlabel": 1,
    "phase": 2,
    "opt out": 2,
    "opt in": 2,
    "restore": 1,
    "create": 1,
}
_LIVES = {
    "create": 3,
    "twin": 1,
    "delete": 1,
    "archive": 2,
    "revive": 4,
    "merge": 1,
    "chain": 2,
    "swap": 1,
    "misdate": 1,
}
_JOINS = {"merge": 4, "twin": 4, "chain": 7, "delete": 2, "archive": 2, "revive": 3}
_FIRST = ("list", "list", "list", "find", "create", TOKENS)
"""Where misfortunes strike the first run of all: nothing else is listed, found or made so much."""
_AHEAD = ("2038-01-19T03:14:08+00:00", "2099-07-01T12:00:00+00:00", "9999-12-31T23:59:59+00:00")
"""What clients with broken clocks stamp an edit with."""
_ANY = tuple(one for one in COMMON if one not in OF_LISTS)
_OPERATOR = ("edit", "edit", "pin", "clear", "pin empty", "retry", "discard", "approve", "due")


@dataclass(frozen=True, slots=True)
class Profile:
    """How often what is drawn. `share`: of all histories; the others of the runs: `faults` before one,
    `crash`, `pause`, `fail` (the database) in one, `meanwhile` acts of people."""

    share: int
    acts: Mapping[str, int]
    faults: float = 0.5
    crash: float = 0.1
    pause: float = 0.05
    fail: float = 0.05
    meanwhile: float = 0.5
    events: int = 40


PROFILES: Mapping[str, Profile] = {
    "edits": Profile(20, _EDITS, faults=0.2),
    "lives": Profile(12, {**_EDITS, **_LIVES}, faults=0.2),
    "faults": Profile(15, {**_EDITS, "create": 4}, faults=2.0, crash=0.0, pause=0.0, fail=0.0),
    "crashes": Profile(15, {**_EDITS, "create": 3}, crash=0.65, pause=0.1, fail=0.3),
    "workers": Profile(10, _EDITS, pause=0.5, crash=0.1),
    "merges": Profile(10, {**_EDITS, **_JOINS}),
    "drifts": Profile(8, {**_EDITS, "drift": 4, "drift over": 2, "sweep": 2}, faults=0.2),
    "everything": Profile(
        10,
        {**_EDITS, **_LIVES, "drift": 1, "drift over": 1, "sweep": 1},
        faults=1.0,
        crash=0.2,
        pause=0.1,
        meanwhile=0.8,
        events=60,
    ),
}


def plan_of(seed: int) -> Plan:
    """The plan of this seed: the same for ever, as long as this file stays."""
    return with_other_mappings(with_turns(with_rare_faults(with_companies(with_saved_plans(_plain(seed))))))


def _plain(seed: int) -> Plan:
    dice = Random(seed)
    name = dice.choices(list(PROFILES), [one.share for one in PROFILES.values()])[0]
    profile = PROFILES[name]
    systems = [drawn(dice, one) for one in NAMES[: dice.choice((2, 2, 3))]]
    if dice.random() < 0.2:
        place = dice.randrange(len(systems))  # one: two workflows that rewrite each other never end
        systems[place] = replace(systems[place], robot=dice.choice(("title", "unit")))
    hand = _Hand(dice, profile, tuple(systems), unsteady=dice.random() < 0.2)
    events = [hand.newcomer() for _ in range(dice.randint(2, 4))]
    events += [Event("wait", seconds=hand.pause()), *hand.first_run(), Event("release")]
    while len(events) < profile.events:
        events += hand.next_one()
    tight, apart = dice.random() < 0.15, dice.random() < 0.3
    return Plan(seed, name, tuple(systems), tuple(events), tight, apart)


@dataclass(slots=True)
class _Hand:
    dice: Random
    profile: Profile
    systems: tuple[Traits, ...]
    unsteady: bool = False
    token: int = 100

    def next_one(self) -> list[Event]:
        if self.unsteady and self.dice.random() < 0.15:
            return [self.step()]
        roll = self.dice.random()
        if roll < 0.45:
            return [self.act()]
        if roll < 0.8:
            return self.run()
        if roll < 0.9:
            return [Event("wait", seconds=self.pause())]
        return [self.operator()]

    def step(self) -> Event:
        return Event("clock", seconds=self.dice.choice((-STEP, STEP)))

    def newcomer(self) -> Event:
        return Event("create", of=self.some(self.dice.randint(1, len(self.systems))), token=self.number())

    def some(self, number: int) -> tuple[int, ...]:
        """So many of the systems, by their places."""
        return tuple(sorted(self.dice.sample(range(len(self.systems)), number)))

    def number(self) -> int:
        self.token += 1
        return self.token

    def pause(self) -> float:
        return self.dice.choice((0.5, 3.0, 40.0, 400.0, 4_000.0, 90_000.0))

    def act(self) -> Event:
        do = self.dice.choices(list(self.profile.acts), list(self.profile.acts.values()))[0]
        if do == "create":
            return self.newcomer()
        if do == "drift":
            return self.drift()
        field = self.dice.choice(TYPED)
        what = self.dice.choice(_AHEAD) if do == "misdate" else ""
        at, pick = self.dice.randrange(len(self.systems)), self.dice.randrange(100)
        other, token = self.dice.randrange(100), self.number()
        return Event(do, at=at, pick=pick, other=other, field=field, token=token, what=what)

    def drift(self) -> Event:
        """What a system has of a field changes for a while."""
        at, field = self.dice.randrange(len(self.systems)), self.dice.choice((*TYPED, "phase"))
        gone = tuple(f"no {one}" for one in STAGES) if field == "phase" else ("short",)
        return Event("drift", at=at, field=field, what=self.dice.choice(("removed", "refused", *gone)))

    def first_run(self) -> list[Event]:
        """The run that lists everything, and what goes wrong in it."""
        whole = tuple(range(len(self.systems)))
        struck = [self.fault(_FIRST) for _ in range(_about(self.dice, 0.5 + self.profile.faults))]
        return [*struck, *self.disturbed(whole)]

    def run(self) -> list[Event]:
        """A run, with what goes wrong in it, and sometimes the same process going on later."""
        struck = [
            self.fault((*READS, "update", "create", TOKENS))
            for _ in range(_about(self.dice, self.profile.faults))
        ]
        every = len(self.systems)
        return [*struck, *self.disturbed(self.some(self.dice.choice((every, every, 1, 2))))]

    def fault(self, routes: Sequence[str]) -> Event:
        """A misfortune on a way to a system that somebody goes: where records are made by the hub's own id
        none are made otherwise, and only some systems give tokens."""
        at, route = self.dice.randrange(len(self.systems)), self.dice.choice((*routes, "any"))
        if route == "create" and self.systems[at].upsert:
            route = "upsert"
        if route == TOKENS and not self.systems[at].tokens:
            route = "any"
        return Event(
            "fault",
            at=at,
            route=route,
            nth=self.dice.choice((1, 1, 2, 3)),
            what=self.dice.choice(_ANY if route not in LISTS else COMMON),
        )

    def disturbed(self, some: tuple[int, ...]) -> list[Event]:
        """A run over these, with people at work meanwhile, and perhaps with its end before its time."""
        dice, profile = self.dice, self.profile
        acts = [self.act() for _ in range(_about(dice, profile.meanwhile))]
        acts += [self.step()] if self.unsteady and dice.random() < 0.3 else []
        during = sorted(((dice.randint(1, 120), one) for one in acts), key=lambda one: one[0])
        crash = dice.randint(1, 150) if dice.random() < profile.crash else 0
        fail = dice.randint(1, 150) if dice.random() < profile.fail else 0
        pause = dice.randint(1, 120) if dice.random() < profile.pause else 0
        worker = dice.randrange(3)
        run = Event("run", worker=worker, of=some, crash=crash, pause=pause, fail=fail, during=tuple(during))
        if not pause:
            return [run]
        after = [Event("wait", seconds=dice.choice((1.0, 60.0, 400.0)))]
        after += [Event("run", worker=(worker + 1) % 3, of=some)] if dice.random() < 0.6 else []
        after += [Event("resume", worker=worker)] if dice.random() < 0.7 else []
        return [run, *after]

    def operator(self) -> Event:
        what = self.dice.choice(_OPERATOR)
        field = self.dice.choice(TYPED)
        return Event("operator", what=what, pick=self.dice.randrange(100), field=field, token=self.number())


def _about(dice: Random, mean: float) -> int:
    """A small number whose mean is about `mean`."""
    whole = int(mean)
    return dice.randint(0, 2 * whole) + (dice.random() < mean - whole)
