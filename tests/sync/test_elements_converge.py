"""Random lives of addresses with kind, label and a primary one, in lists of objects and in slots."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, contacts, hub_of
from tests.sync.memory import ALL, Clock
from tests.sync.objects import ItemMemory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import Capability
from trueup.mapping.schema import FieldRule, ItemRule, Shape
from trueup.model.record import Json

NAME = ("first_name", "last_name")
WORDS = {"work": ("work", "office"), "home": ("private",), "other": ("misc",)}
CRM_ITEM = ItemRule("value", "type", "label", "primary", "id", WORDS)
DESK_ITEM = ItemRule("address", "kind", "name", "is_main")
CRM = (*NAME, FieldRule("emails", "emails", shape=Shape.ELEMENTS, item=CRM_ITEM))
DESK = (*NAME, FieldRule("emails", "mails", item=DESK_ITEM))
OFFICE = (
    *(*NAME, "email"),
    FieldRule("emails.work", "work_email"),
    FieldRule("emails.home", "home_email"),
    FieldRule("emails.other", "other_email"),
)
SLOTS = {"work": "work_email", "home": "home_email", "other": "other_email"}
KINDS = ("work", "home", "other")
SHAPES = {"crm": CRM, "desk": DESK, "office": OFFICE}
NAMES = tuple(SHAPES)
LISTS = {"crm": ("emails", CRM_ITEM), "desk": ("mails", DESK_ITEM)}
ONE_BY_ONE = ALL | {Capability.ELEMENT_WRITES}
GUARD = {Capability.CONDITIONAL_WRITE}
UNGUARDED = ONE_BY_ONE - GUARD
SILENT_WRITER = ALL - {Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD}


class Life:
    """Ann in a system with elements of objects, one with a list of objects and one with slots."""

    def __init__(self, seed: int, folder: Path, order: tuple[str, ...] = NAMES) -> None:
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.systems = {
            "crm": ItemMemory(self.clock, capabilities=(ONE_BY_ONE, UNGUARDED, SILENT_WRITER)[seed % 3]),
            "desk": ItemMemory(self.clock, capabilities=(ALL, ALL - GUARD, SILENT_WRITER)[seed // 3 % 3]),
            "office": ItemMemory(self.clock),
        }
        objects = [(name, rules(fields=fields)) for name, fields in SHAPES.items()]
        setting = Setting(objects, order=NAMES, create=NAMES)
        self.hub: SmallHub = hub_of(folder, self.clock, self.systems, setting)
        self.order = order
        self.number = 0
        self.seen: dict[str, dict[str, Json]] = {name: {} for name in LISTS}
        self.edited: set[tuple[str, Json]] = set()

    def begin(self) -> None:
        self.systems["office"].add(**ann(), work_email="ann@work.example")
        self.sync()
        self.hub.release()
        self.sync()

    def sync(self) -> None:
        self.note_edits()
        self.hub.sync(self.order)
        self.clock.tick(60)
        self.seen = {name: self.labels(name) for name in LISTS}

    def note_edits(self) -> None:
        """The labels that this run is about to find."""
        for name in LISTS:
            for address, label in self.labels(name).items():
                if label and label != self.seen[name].get(address):
                    self.edited.add((f"emails[{address}].label", label))

    def labels(self, name: str) -> dict[str, Json]:
        if not self.systems[name].living():
            return {}
        return {address: label for address, (_, label, _) in self.shown(name).items()}

    def quiet(self) -> None:
        for system in self.systems.values():
            system.between = lambda: None
        for _ in range(7):
            self.sync()

    # -- what people do ---------------------------------------------------------------------------

    def edit_somewhere(self) -> None:
        if any(not system.living() for system in self.systems.values()):
            return
        name = self.chance.choice(("crm", "crm", "desk", "office"))
        self.edit_slots() if name == "office" else self.edit_list(name)

    def edit_slots(self) -> None:
        slot = self.chance.choice(("email", *SLOTS.values()))
        self.systems["office"].edit("1", **{slot: None if self.chance.random() < 0.3 else self.address()})

    def edit_list(self, name: str) -> None:
        path, words = LISTS[name]
        items = [dict(one) for one in self.systems[name].values("1").get(path) or []]
        act = self.chance.choice(("add", "kind", "kind", "label", "primary", "remove"))
        one = self.chance.choice(items) if items else None
        if one is None or act == "add":
            new = self.address()
            if new not in [each[words.value] for each in items]:
                items.append({words.value: new, words.kind: self.kind(words), "note": "theirs"})
        elif act == "kind":
            one[words.kind] = self.kind(words)
        elif act == "label":
            one[words.label] = f"label {self.chance.randint(1, 99)}"
        elif act == "primary":
            for each in items:
                each[words.primary] = each is one
        else:
            items.remove(one)
        self.systems[name].edit("1", **{path: items})

    def kind(self, words: ItemRule) -> Json:
        kind = self.chance.choice((*KINDS, None))
        return None if kind is None else (words.kinds or {one: (one,) for one in KINDS})[kind][-1]

    def address(self) -> str:
        self.number += 1
        known = [*(self.contact().get("emails") or [])]
        return (
            self.chance.choice(known) if known and self.chance.random() < 0.3 else f"a{self.number}@x.example"
        )

    # -- what must hold ---------------------------------------------------------------------------

    def contact(self) -> dict[str, Json]:
        (values,) = contacts(self.hub).values()
        return dict(values)

    def described(self) -> dict[str, tuple[Json, Json, bool]]:
        """By address: kind (be it by its slot), label and whether it is the primary one, in the hub."""
        held = self.contact()
        slots = {str(held[f"emails.{kind}"]).lower(): kind for kind in KINDS if held.get(f"emails.{kind}")}
        primary = (held.get("email") or "").lower()
        return {
            one.lower(): (
                held.get(f"emails[{one.lower()}].kind", slots.get(one.lower())),
                held.get(f"emails[{one.lower()}].label"),
                one.lower() == primary,
            )
            for one in held.get("emails") or []
        }

    def shown(self, name: str) -> dict[str, tuple[Json, Json, bool]]:
        """The same, as a list of objects shows it."""
        path, words = LISTS[name]
        ours = {word: kind for kind, some in (words.kinds or {}).items() for word in some}
        return {
            str(one[words.value]).lower(): (
                ours.get(one.get(words.kind), one.get(words.kind)),
                one.get(words.label) or None,
                bool(one.get(words.primary)),
            )
            for one in self.systems[name].values("1").get(path) or []
        }

    def disagreements(self) -> list[str]:
        held, wrong = self.contact(), []
        for name in LISTS:
            if self.shown(name) != self.described():
                wrong.append(f"{name}: {self.shown(name)} is not {self.described()}")
        office = self.systems["office"].values("1")
        for slot, field in (("email", "email"), *((slot, f"emails.{kind}") for kind, slot in SLOTS.items())):
            if office.get(slot) != held.get(field):
                wrong.append(f"office.{slot}: {office.get(slot)} is not {held.get(field)}")
        return wrong

    def lost(self) -> set[tuple[str, Json]]:
        """Labels that a run found, and that the history knows nothing of."""
        (public,) = contacts(self.hub)
        rows = self.hub.store.history(public, 10_000)
        won = {(one.field, one.new) for row in rows for one in row.changes if isinstance(one.new, str)}
        beaten = {(one.field, one.lost) for row in rows for one in row.conflicts if isinstance(one.lost, str)}
        return self.edited - won - beaten

    def misplaced(self) -> list[str]:
        """Kinds that have an address and no slot; slots whose address is not in the set."""
        held, described = self.contact(), self.described()
        kinds = {kind for kind, _, _ in described.values() if kind is not None}
        wrong = [f"nothing in emails.{kind}" for kind in kinds if not held.get(f"emails.{kind}")]
        slots = [held.get("email"), *(held.get(f"emails.{kind}") for kind in KINDS)]
        return wrong + [f"{one} is not in the set" for one in slots if one and one.lower() not in described]


@pytest.mark.parametrize("seed", range(60))
def test_kinds_labels_and_the_primary_one_come_to_agree_everywhere(seed: int, tmp_path: Path) -> None:
    life = Life(seed, tmp_path)
    life.begin()
    for _ in range(8):
        for _ in range(life.chance.randint(0, 3)):
            life.edit_somewhere()
        life.sync()
    life.quiet()
    assert life.disagreements() == []
    assert life.misplaced() == []
    assert life.lost() == set()
    before = life.hub.writes()
    life.sync()
    assert life.hub.writes() == before


@pytest.mark.parametrize("seed", range(20))
def test_edits_in_the_middle_of_a_run_come_to_agree_too(seed: int, tmp_path: Path) -> None:
    life = Life(1000 + seed, tmp_path)
    life.begin()
    for system in life.systems.values():
        system.between = lambda: life.edit_somewhere() if life.chance.random() < 0.3 else None
    for _ in range(5):
        life.sync()
    life.quiet()
    assert life.disagreements() == []


@pytest.mark.parametrize("seed", range(6))
def test_kinds_do_not_depend_on_the_order_of_connections(seed: int, tmp_path: Path) -> None:
    ends = []
    for number, order in enumerate(permutations(NAMES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        life = Life(seed, folder, order)
        life.begin()
        for _ in range(4):
            life.edit_somewhere()
        life.quiet()
        ends.append((life.described(), [life.contact().get(f"emails.{kind}") for kind in KINDS]))
    assert all(end == ends[0] for end in ends)
