"""What may not leave: a field confined to some connections is in no write to any other, whatever happens."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub, with_policy
from trueup.config.codes import Code
from trueup.connectors.base import Capability
from trueup.errors import ConfigError
from trueup.mapping.apply import compile_mapping
from trueup.mapping.compiled import ObjectMapping
from trueup.mapping.schema import Direction, FieldRule, ObjectRules
from trueup.model.canonical import Locale
from trueup.model.delivery import DeliveryState
from trueup.model.fields import TABLES, Kind
from trueup.model.plan import Case, Plan
from trueup.sync.about import EVERYBODY
from trueup.sync.engine import Order, run
from trueup.sync.rules.policy import Stream

SEEDS = int(os.environ.get("TRUEUP_CONFINED_SEEDS", "40"))
NAMES = ("clinic", "marketing", "sales", "shop")
CANARY, SECRET = "zcanary", "department"
OPEN = ("email", "first_name", "last_name", "job_title", "tags")


def mapped(objects: Mapping[str, ObjectRules], confined_to: frozenset[str]) -> dict[Stream, ObjectMapping]:
    """The mappings of these rules when only `confined_to` may be told the secret."""
    return {
        (name, rules.name): compile_mapping(
            name,
            rules,
            TABLES[Kind.CONTACT],
            Locale(),
            confined=() if name in confined_to else (SECRET,),
        )
        for name, rules in objects.items()
    }


def people(*secret: FieldRule) -> ObjectRules:
    return ObjectRules("people", Kind.CONTACT, (*(FieldRule(name, name) for name in OPEN), *secret))


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.OUT])
def test_a_rule_that_would_let_it_out_is_refused_with_the_mapping(direction: Direction) -> None:
    rules = people(FieldRule(SECRET, SECRET, direction=direction))
    with pytest.raises(ConfigError) as found:
        mapped({"sales": rules}, frozenset({"clinic"}))
    (problem,) = found.value.problems
    assert (problem.code, SECRET in problem.message) == (Code.CONFINED, True)


def test_it_may_come_in_from_anywhere() -> None:
    rules = people(FieldRule(SECRET, SECRET, direction=Direction.IN))
    ((_, mapping),) = mapped({"sales": rules}, frozenset({"clinic"})).items()
    assert SECRET not in mapping.written


def confine(hub: SmallHub, objects: Mapping[str, ObjectRules], confined_to: frozenset[str]) -> None:
    """Another configuration from now on."""
    streams = {(name, rules.name): rules for name, rules in objects.items()}
    with_policy(
        hub,
        replace(
            hub.parts.policy,
            mappings=mapped(objects, confined_to),
            rules=streams,
            config_version=hub.parts.policy.config_version + "+",
        ),
    )


def confined_later(folder: Path, kept: str) -> SmallHub:
    """Sales was to be told the secret, and could not be; since then it is confined to the clinic."""
    clock = Clock()
    systems = {"clinic": Memory(clock), "sales": Memory(clock)}
    both = {name: people(FieldRule(SECRET, SECRET)) for name in systems}
    hub = small_hub(folder, clock, systems, objects=both)
    for system in systems.values():
        system.add(email="a@example.com", first_name="Ann")
    hub.sync()
    hub.release()
    sales = systems["sales"]
    if kept == "refused":
        sales.refuse = lambda values: {"": "not now"} if SECRET in values else {}
    elif kept == "locked":
        sales.locked = lambda item: True
    systems["clinic"].edit("1", **{SECRET: CANARY})
    hub.sync()
    (open,) = hub.store.deliveries(UNSETTLED, None, 10)
    assert open.write.values == {SECRET: CANARY}
    sales.refuse, sales.locked = lambda values: {}, lambda item: False
    sales.written.clear()
    hub.store.retry([open.id], "ops", clock.now())
    confine(hub, {"clinic": both["clinic"], "sales": people()}, frozenset({"clinic"}))
    return hub


class Others:
    """It decides about nobody known here, and writes whatever waits, as a saved plan does."""

    def chosen(self, case: Case) -> bool:
        return False

    def brings(self, plan: Plan) -> bool:
        return False

    def entities(self) -> None:
        return None


UNSETTLED = [DeliveryState.PARKED, DeliveryState.DUE]


@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("kept", ["refused", "locked"])
def test_a_write_that_was_decided_before_it_was_confined_does_not_leave_any_more(
    kept: str, chosen: bool, tmp_path: Path
) -> None:
    """Not even in a run that decides about other contacts only."""
    hub = confined_later(tmp_path, kept)
    for _ in range(3):
        hub.parts.clock.sleep(3600)
        run(hub.parts, Order(("clinic", "sales"), user="test", about=EVERYBODY if chosen else Others()))
    assert hub.systems["sales"].values("1").get(SECRET) is None
    assert told(hub.systems["sales"]) == []


def test_the_outbox_refuses_it_again_when_nobody_decided_anew(tmp_path: Path) -> None:
    hub = confined_later(tmp_path, "locked")
    hub.store.register(("clinic", "sales"), hub.parts.policy.config_version)
    hub.parts.clock.sleep(3600)
    run(hub.parts, Order(("clinic", "sales"), user="test"))
    assert told(hub.systems["sales"]) == []
    assert hub.store.deliveries(UNSETTLED, None, 10) == []


def told(system: Memory) -> list[object]:
    return [item.values for item in system.written if CANARY in repr(item.values)]


class Clinic:
    """Random systems, random rules of who may know the secret, and random lives."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance, self.clock = random.Random(seed), Clock()
        self.systems = {name: self.system() for name in NAMES}
        self.allowed = frozenset(self.chance.sample(NAMES, self.chance.randint(1, 3)))
        self.before = frozenset({*self.allowed, *self.chance.sample(NAMES, self.chance.randint(0, 2))})
        self.hub = small_hub(
            folder,
            self.clock,
            self.systems,
            order=self.chance.sample(NAMES, 4),
            objects=self.objects(self.before),
            create=self.chance.sample(NAMES, self.chance.randint(1, 4)),
        )
        self.token = 0

    def system(self) -> Memory:
        lacking = self.chance.sample(
            [Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD, Capability.LOOKUP_BY_KEY],
            self.chance.randint(0, 2),
        )
        made = Memory(self.clock, capabilities=ALL - set(lacking))
        made.loses = lambda item: self.chance.random() < 0.05
        made.locked = lambda item: self.chance.random() < 0.05
        made.refuse = lambda values: {SECRET: "no"} if self.chance.random() < 0.05 else {}
        return made

    def objects(self, allowed: frozenset[str]) -> dict[str, ObjectRules]:
        """Who may know it maps it anyhow; others not at all, or only read it."""
        inside = [FieldRule(SECRET, SECRET), FieldRule(SECRET, SECRET, direction=Direction.OUT)]
        outside = [None, FieldRule(SECRET, SECRET, direction=Direction.IN)]
        chosen = {name: self.chance.choice(inside if name in allowed else outside) for name in NAMES}
        return {name: people(*([rule] if rule else [])) for name, rule in chosen.items()}

    def act(self) -> None:
        system = self.systems[self.chance.choice(NAMES)]
        living = sorted(system.living())
        if not living or self.chance.random() < 0.2:
            number = self.chance.randint(1, 5)
            system.add(email=f"p{number}@example.com", first_name=f"P{number}", **self.words())
        elif self.chance.random() < 0.1:
            system.delete(self.chance.choice(living))
        else:
            system.edit(self.chance.choice(living), **self.words())

    def words(self) -> dict[str, str]:
        self.token += 1
        said = {SECRET: f"{CANARY}{self.token}"} if self.chance.random() < 0.6 else {}
        return said | {"job_title": f"w{self.token}"}

    def live(self, rounds: int) -> None:
        for _ in range(rounds):
            for _ in range(self.chance.randint(0, 4)):
                self.act()
            self.clock.tick(self.chance.choice([1, 60, 3600]))
            self.hub.sync()
            if self.chance.random() < 0.5:
                self.hub.release()
            parked = self.hub.store.deliveries([DeliveryState.PARKED], None, 50)
            if parked and self.chance.random() < 0.5:
                self.hub.store.retry([one.id for one in parked], "ops", self.clock.now())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_connection_is_told_what_is_confined_to_others(seed: int, tmp_path: Path) -> None:
    life = Clinic(seed, tmp_path)
    life.live(4)
    for name in set(NAMES) - life.before:
        assert told(life.systems[name]) == [], name
    for system in life.systems.values():
        system.written.clear()
    confine(life.hub, life.objects(life.allowed), life.allowed)
    life.live(4)
    for name in set(NAMES) - life.allowed:
        assert told(life.systems[name]) == [], name


def test_those_who_may_know_it_are_told(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    heard = 0
    for seed in range(5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        life = Clinic(seed, folder)
        life.live(5)
        heard += sum(len(told(life.systems[name])) for name in life.before)
    assert heard > 5
