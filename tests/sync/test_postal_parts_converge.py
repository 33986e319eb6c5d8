"""Random lives of postal addresses in systems of which each has a place for other parts of them."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, contacts, hub_of
from tests.sync.memory import ALL, Clock
from tests.sync.objects import ItemMemory
from tests.sync.small_hub import rules
from tests.sync.test_postal_elements import ADA, NAME, NAMES
from trueup.connectors.base import Capability
from trueup.mapping.schema import FieldRule, ItemRule, Shape
from trueup.model.canonical.postal import address_key
from trueup.model.fields import ADDRESS_PARTS
from trueup.model.record import Json
from trueup.model.slots import held_in

SLOTS = {"address": "", "addresses.billing": "bill_"}
WORDS = {
    "street": ("Seeweg 1", "Seeweg 2", "Hafen 3", "SEEWEG 1"), "city": ("Kiel", "Ulm"),
    "postcode": ("24103", "89073"), "region": ("SH", "BW"), "country": ("DE", "AT"),
}  # fmt: skip


class Life:
    """Ada in a shop and a desk with lists of objects and in a CRM with two slots."""

    def __init__(self, seed: int, folder: Path, order: tuple[str, ...] = NAMES) -> None:
        self.chance, self.clock, self.order, self.number = random.Random(seed), Clock(), order, 1000
        single = {Capability.ELEMENT_WRITES} if seed % 2 else set()
        self.systems = {name: ItemMemory(self.clock, capabilities=ALL | single) for name in NAMES}
        self.parts = {name: self.some(ADDRESS_PARTS) for name in NAMES}
        self.items = {name: self.item_rule(self.parts[name]) for name in ("shop", "desk")}
        lists = {
            name: [FieldRule("addresses", "places", shape=Shape.ELEMENTS, item=item)]
            for name, item in self.items.items()
        }
        columns = [
            FieldRule(f"{slot}.{part}", f"{prefix}{part}")
            for slot, prefix in SLOTS.items()
            for part in self.parts["crm"]
        ]
        fields = lists | {"crm": columns}
        objects = [(name, rules(fields=[*NAME, *fields[name]])) for name in NAMES]
        self.hub = hub_of(folder, self.clock, self.systems, Setting(objects, order=NAMES, create=NAMES))

    def some(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in parts if one == "street" or self.chance.random() < 0.75)

    def item_rule(self, parts: tuple[str, ...]) -> ItemRule:
        beside = [one for one in ("kind", "label", "primary") if self.chance.random() < 0.6]
        return ItemRule(id="id", **{name: name for name in (*beside, *parts)})  # type: ignore[arg-type]

    def begin(self) -> None:
        for name in self.items:
            if self.chance.random() < 0.85:
                items = [self.item(name) for _ in range(self.chance.randint(0, 2))]
                self.systems[name].add(**ADA, places=items)
        self.systems["crm"].add(**ADA, **self.place("crm"), **self.place("crm", "bill_"))
        self.hub.sync(self.order)
        self.hub.release()
        self.quiet()

    def quiet(self) -> None:
        """Sync until a run writes nothing; it is a failure if there is no end to it."""
        for _ in range(8):
            self.clock.tick(600)
            before = self.hub.writes()
            self.hub.sync(self.order)
            if self.hub.writes() == before:
                return
        raise AssertionError("still writing")

    # -- what people do ---------------------------------------------------------------------------

    def place(self, name: str, prefix: str = "") -> dict[str, Json]:
        said = self.some(self.parts[name])
        return {f"{prefix}{part}": self.chance.choice(WORDS[part]) for part in said}

    def item(self, name: str) -> dict[str, Json]:
        self.number += 1
        kind = self.chance.choice(("billing", "home", None))
        return {**self.place(name), "id": self.number, "kind": kind, "label": f"L{self.number}"}

    def edit(self) -> None:
        name = self.chance.choice(NAMES)
        self.edit_slot() if name == "crm" else self.edit_list(name)

    def edit_slot(self) -> None:
        prefix = self.chance.choice([*SLOTS.values()])
        old = {f"{prefix}{part}": None for part in self.parts["crm"]}
        new = self.place("crm", prefix) if self.chance.random() < 0.8 else {}
        self.systems["crm"].edit("1", **((old | new) if self.chance.random() < 0.5 else new))

    def edit_list(self, name: str) -> None:
        items = [dict(one) for one in self.systems[name].values("1").get("places") or []]
        act = self.chance.choice(("add", "change", "part", "remove", "primary", "kind"))
        one = self.chance.choice(items) if items else None
        if one is None or act == "add":
            items.append(self.item(name))
        elif act == "change":
            one.update(self.place(name))
        elif act == "part":
            one[self.chance.choice(self.parts[name])] = None
        elif act == "remove":
            items.remove(one)
        elif act == "primary":
            items = [{**each, "primary": each is one} for each in items]
        else:
            one["kind"] = self.chance.choice(("billing", "home", None))
        self.systems[name].edit("1", places=items)

    # -- what is held -----------------------------------------------------------------------------

    def held(self) -> list[Json]:
        (values,) = contacts(self.hub).values()
        slots = (held_in(slot, values) for slot in SLOTS)
        addresses = sorted(map(address_key, values.get("addresses") or []))
        return [addresses, *(one and address_key(one) for one in slots)]


@pytest.mark.parametrize("seed", range(8))
def test_systems_that_hold_different_parts_come_to_rest(seed: int, tmp_path: Path) -> None:
    life = Life(seed, tmp_path)
    life.begin()
    for _ in range(6):
        life.edit()
        life.quiet()
    addresses, *slots = life.held()
    assert set(slots) - {None} <= set(addresses)


@pytest.mark.parametrize("seed", range(3))
def test_systems_that_hold_different_parts_may_be_read_in_any_order(seed: int, tmp_path: Path) -> None:
    ends = []
    for number, order in enumerate(permutations(NAMES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        life = Life(100 + seed, folder, order)
        life.begin()
        ends.append(life.held())
    assert all(end == ends[0] for end in ends)
