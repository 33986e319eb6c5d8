"""Random lives: whatever people edit, whenever, all systems come to agree, and no edit disappears."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.connectors.base import Capability
from trueup.model.fields import Kind
from trueup.model.record import Json

TEXTS = ("job_title", "department", "last_name")
NAMES = ("sales", "marketing", "support")
NO_VERSIONS = ALL - {Capability.CONDITIONAL_WRITE}
SILENT_WRITER = NO_VERSIONS - {Capability.ANSWERS_WITH_RECORD}


def shortens(path: str, value: Json) -> Json:
    return value[:4] if path == "department" and isinstance(value, str) else value


def lowers(path: str, value: Json) -> Json:
    return value.lower() if path == "email" and isinstance(value, str) else value


class Life:
    """A hub over three systems of different habits, and the people who edit there."""

    def __init__(self, seed: int, folder: Path, order: tuple[str, ...] = NAMES) -> None:
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.systems = {
            "sales": Memory(self.clock),
            "marketing": Memory(self.clock, capabilities=NO_VERSIONS, keeps=lowers),
            "support": Memory(self.clock, capabilities=SILENT_WRITER, keeps=shortens),
        }
        self.hub: SmallHub = small_hub(folder, self.clock, self.systems, order=NAMES, create=NAMES)
        self.order = order
        self.token = 0
        self.standing: set[tuple[str, str]] = set()
        self.replaced: set[tuple[str, str]] = set()

    def people(self, count: int) -> None:
        for number in range(count):
            for name in self.chance.sample(NAMES, self.chance.randint(1, 3)):
                self.systems[name].add(**self.person(number))

    def person(self, number: int) -> dict[str, Json]:
        values: dict[str, Json] = {"email": f"P{number}@example.com", "first_name": f"P{number}"}
        values |= {name: self.word() for name in TEXTS if self.chance.random() < 0.5}
        return values | {"tags": self.chance.sample(["a", "b", "c", "d"], self.chance.randint(0, 2))}

    def word(self) -> str:
        self.token += 1
        return f"w{self.token}"

    def edit_somewhere(self) -> None:
        system = self.systems[self.chance.choice(NAMES)]
        living = sorted(system.living())
        if not living:
            return
        id = self.chance.choice(living)
        field = self.chance.choice((*TEXTS, "tags"))
        if field == "tags":
            system.edit(
                id, tags=sorted(self.chance.sample(["a", "b", "c", "d", "e"], self.chance.randint(0, 3)))
            )
        else:
            self.replaced.add((field, str(system.values(id).get(field))))
            system.edit(id, **{field: None if self.chance.random() < 0.15 else self.word()})

    def note_what_stands(self) -> None:
        for system in self.systems.values():
            for values in system.living().values():
                self.standing |= {(f, v) for f in TEXTS if isinstance(v := values.get(f), str)}

    def sync(self) -> None:
        self.note_what_stands()
        self.hub.sync(self.order)

    def quiet(self) -> None:
        for system in self.systems.values():
            system.between = lambda: None
        for _ in range(4):
            self.clock.tick(60)
            self.sync()

    def contacts(self) -> list[dict[str, Json]]:
        store = self.hub.store
        ids = store.due([Kind.CONTACT], self.clock.now(), 0, 1)
        assert ids == []
        return [
            dict(store.case(f"c-{number}").entity.values)
            for number in range(1, 1000)
            if store.find(Kind.CONTACT, f"c-{number}", 1)
        ]


def plain(value: Json) -> Json:
    """A list of tags is a set; empty is empty."""
    return sorted(value) if isinstance(value, list) and value else value or None


def agree(life: Life) -> list[str]:
    """Where a system does not hold what it would keep of the contact's value."""
    wrong = []
    for contact in life.contacts():
        for name, system in life.systems.items():
            held = [
                v
                for v in system.living().values()
                if str(v["email"]).lower() == str(contact["email"]).lower()
            ]
            for values in held:
                for field in (*TEXTS, "tags"):
                    want = contact.get(field)
                    kept = system.keeps(field, want) if want is not None else None
                    if plain(values.get(field)) != plain(kept):
                        wrong.append(f"{contact['email']} {name}.{field}: {values.get(field)} is not {kept}")
    return wrong


def lost(life: Life) -> set[tuple[str, str]]:
    """Words that stood somewhere when a run began, that nobody replaced there with another one, and of
    which the history knows nothing."""
    known: set[tuple[str, str]] = set()
    for contact in life.contacts():
        (public,) = life.hub.store.find(Kind.CONTACT, str(contact["email"]), 5)
        for row in life.hub.store.history(public, 10_000):
            known |= {(change.field, change.new) for change in row.changes if isinstance(change.new, str)}
            for conflict in row.conflicts:
                if isinstance(conflict.lost, dict):
                    known |= {(field, value) for field, value in conflict.lost.items()}
                elif isinstance(conflict.lost, str):
                    known.add((conflict.field, conflict.lost))
    kept = {(f, shortens(f, v)) for f, v in known}
    return life.standing - known - kept - life.replaced


@pytest.mark.parametrize("seed", range(40))
def test_all_systems_agree_and_the_next_run_is_silent(seed: int, tmp_path: Path) -> None:
    life = Life(seed, tmp_path)
    life.people(4)
    life.sync()
    life.hub.release()
    for _ in range(6):
        for _ in range(life.chance.randint(0, 5)):
            life.edit_somewhere()
        life.sync()
    life.quiet()
    assert agree(life) == []
    assert lost(life) == set()
    before = life.hub.writes()
    life.sync()
    assert life.hub.writes() == before


@pytest.mark.parametrize("seed", range(40))
def test_edits_in_the_middle_of_a_run_are_not_lost(seed: int, tmp_path: Path) -> None:
    life = Life(1000 + seed, tmp_path)
    life.people(3)
    life.sync()
    life.hub.release()
    for system in life.systems.values():
        system.between = lambda: life.edit_somewhere() if life.chance.random() < 0.3 else None
    for _ in range(5):
        life.sync()
    life.quiet()
    assert agree(life) == []
    assert lost(life) == set()


@pytest.mark.parametrize("seed", range(6))
def test_the_result_does_not_depend_on_the_order_of_connections(seed: int, tmp_path: Path) -> None:
    ends = []
    for number, order in enumerate(permutations(NAMES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        life = Life(seed, folder, order)
        life.people(5)
        life.sync()
        life.hub.release()
        for _ in range(8):
            life.edit_somewhere()
        life.quiet()
        ends.append(sorted(life.contacts(), key=lambda contact: str(contact["email"])))
    assert all(end == ends[0] for end in ends)
