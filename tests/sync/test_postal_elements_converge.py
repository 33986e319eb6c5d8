"""Random lives of postal addresses with kind, label and a primary one, in lists of objects and in slots."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, contacts, hub_of
from tests.sync.memory import ALL, Clock
from tests.sync.objects import ItemMemory
from tests.sync.small_hub import rules
from tests.sync.test_postal_elements import ADA, DESK_ITEM, NAMES, SHAPES, SHOP_ITEM
from trueup.connectors.base import Capability
from trueup.mapping.apply import observe
from trueup.mapping.schema import ItemRule
from trueup.model.canonical.postal import address_key, address_of
from trueup.model.fields import KINDS
from trueup.model.record import Json
from trueup.model.run import RunOutcome
from trueup.model.slots import FIELDS, held_in

LISTS = {"shop": ("places", SHOP_ITEM), "desk": ("addresses", DESK_ITEM)}
ONE_BY_ONE = ALL | {Capability.ELEMENT_WRITES}
GUARD = {Capability.CONDITIONAL_WRITE}
SILENT_WRITER = ALL - {Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD}
HELD_EVERYWHERE = ("street", "city", "postcode")
SLOTS = {"address": "", "addresses.billing": "bill_"}
"""The slots of the CRM, and how its columns begin."""


class Life:
    """Ada in a shop with single items, a desk with a list of objects and a CRM with two slots."""

    def __init__(self, seed: int, folder: Path, order: tuple[str, ...] = NAMES) -> None:
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.systems = {
            "shop": ItemMemory(
                self.clock, capabilities=(ONE_BY_ONE, ONE_BY_ONE - GUARD, SILENT_WRITER)[seed % 3]
            ),
            "desk": ItemMemory(self.clock, capabilities=(ALL, ALL - GUARD, SILENT_WRITER)[seed // 3 % 3]),
            "crm": ItemMemory(self.clock),
        }
        objects = [(name, rules(fields=fields)) for name, fields in SHAPES.items()]
        self.hub = hub_of(folder, self.clock, self.systems, Setting(objects, order=NAMES, create=NAMES))
        self.order = order
        self.number = 0

    def begin(self) -> None:
        self.systems["crm"].add(**ADA, street="Seeweg 1", city="Kiel", postcode="24103")
        self.sync()
        self.hub.release()
        self.sync()

    def sync(self) -> None:
        report = self.hub.sync(self.order)
        assert report.outcome in (RunOutcome.COMPLETED, RunOutcome.PARTIAL), report.tally.notes
        self.clock.tick(60)

    def quiet(self) -> None:
        for system in self.systems.values():
            system.between = lambda: None
        for _ in range(7):
            self.sync()

    # -- what people do ---------------------------------------------------------------------------

    def edit_somewhere(self) -> None:
        if all(system.living() for system in self.systems.values()):
            name = self.chance.choice(("shop", "shop", "desk", "crm"))
            self.edit_slots() if name == "crm" else self.edit_list(name)

    def edit_slots(self) -> None:
        prefix = self.chance.choice(("", "bill_"))
        act = self.chance.choice(("move", "move", "street", "number", "part", "clear"))
        standing = self.systems["crm"].values("1")
        new = dict.fromkeys(HELD_EVERYWHERE) if act == "clear" else self.place()
        if act == "number":
            new = {"street": f"{standing.get(f'{prefix}street') or 'Platz'} {self.number}"}
        elif act == "street":
            new = {"street": new["street"]}
        elif act == "part":
            new = {self.chance.choice(HELD_EVERYWHERE): None}
        self.systems["crm"].edit("1", **{f"{prefix}{part}": text for part, text in new.items()})

    def pin(self) -> None:
        """A steward pins one of the slots to what the steward finds right."""
        (public,) = contacts(self.hub)
        slot = self.chance.choice(tuple(SLOTS))
        values = dict.fromkeys(FIELDS[slot])
        values |= {f"{slot}.{part}": text for part, text in self.place().items()}
        self.hub.store.edit(public, values, "sue", self.clock.now(), True)

    def edit_list(self, name: str) -> None:
        path, words = LISTS[name]
        items = [dict(one) for one in self.systems[name].values("1").get(path) or []]
        acts = ("add", "kind", "label", "primary", "street", "number", "part", "remove")
        act = self.chance.choice(acts)
        one = self.chance.choice(items) if items else None
        if one is None or act == "add":
            new = {words.parts[part]: text for part, text in self.place().items()}
            items.append({**new, words.kind: self.kind(words), "note": "theirs"})
        elif act == "kind":
            one[words.kind] = self.kind(words)
        elif act == "label":
            one[words.label] = f"label {self.chance.randint(1, 99)}"
        elif act == "primary":
            for each in items:
                each[words.primary] = each is one
        elif act == "street":
            one[words.street] = self.place()["street"]
        elif act == "number":
            self.number += 1
            one[words.street] = f"{one.get(words.street) or 'Platz'} {self.number}"
        elif act == "part":
            one[words.parts[self.chance.choice(HELD_EVERYWHERE)]] = None
        else:
            items.remove(one)
        self.systems[name].edit("1", **{path: items})

    def kind(self, words: ItemRule) -> Json:
        kind = self.chance.choice(("billing", "shipping", "home", None))
        return None if kind is None else (words.kinds or {kind: (kind,)})[kind][-1]

    def place(self) -> dict[str, Json]:
        self.number += 1
        city, code = self.chance.choice((("Kiel", "24103"), ("Ulm", "89073"), ("Bonn", "53111")))
        name = self.chance.choice(("Seeweg", "Hafenstr.", "Am Ring"))
        return {"street": f"{name} {self.number}", "city": city, "postcode": code}

    # -- what must hold ---------------------------------------------------------------------------

    def contact(self) -> dict[str, Json]:
        (values,) = contacts(self.hub).values()
        return dict(values)

    def held(self) -> list[str]:
        return sorted(map(address_key, self.contact().get("addresses") or []))

    def shown(self, name: str) -> list[str]:
        mapping = self.hub.parts.policy.mappings[(name, "people")]
        said = observe(mapping, self.systems[name].values("1")).values
        return sorted(map(address_key, said.get("addresses") or []))

    def primary(self, name: str) -> Json:
        mapping = self.hub.parts.policy.mappings[(name, "people")]
        found = held_in("address", observe(mapping, self.systems[name].values("1")).values)
        return found and address_key(found)

    def disagreements(self) -> list[str]:
        held, values = self.held(), self.contact()
        wrong = [f"{name}: {self.shown(name)} is not {held}" for name in LISTS if self.shown(name) != held]
        first = held_in("address", values)
        key = first and address_key(first)
        wrong += [f"{name}: {self.primary(name)} is not {key}" for name in NAMES if self.primary(name) != key]
        crm = self.systems["crm"].values("1")
        for slot, prefix in SLOTS.items():
            shown = address_of({part: crm.get(f"{prefix}{part}") for part in HELD_EVERYWHERE})
            if shown != held_in(slot, values):
                wrong.append(f"crm {slot}: {shown} is not {held_in(slot, values)}")
        return wrong

    def said(self, name: str) -> dict[str, Json]:
        """What the record of a system says: its slots, or its list and the primary one if one is marked."""
        mapping = self.hub.parts.policy.mappings[(name, "people")]
        if name == "crm":
            values = observe(mapping, self.systems[name].values("1")).values
            return {slot: held_in(slot, values) for slot in SLOTS}
        primary = self.primary(name)
        return {"addresses": self.shown(name)} | ({} if primary is None else {"address": primary})

    def lost(self, name: str) -> int:
        """How many conflicts name what this system said."""
        (public,) = contacts(self.hub)
        rows = self.hub.store.history(public, 1000)
        return sum(one.lost_source == f"{name}/people/1" for row in rows for one in row.conflicts)

    def ids(self) -> dict[str, Json]:
        """The ids of the shop's items, by what makes the address one."""
        mapping = self.hub.parts.policy.mappings[("shop", "people")]
        found: dict[str, Json] = {}
        for item in self.systems["shop"].values("1").get("places") or []:
            for one in observe(mapping, {"places": [item]}).values.get("addresses") or []:
                found[address_key(one)] = item.get("id")
        return found

    def misplaced(self) -> list[str]:
        values, held = self.contact(), self.held()
        slots = ("address", *(f"addresses.{kind}" for kind in KINDS["addresses"]))
        found = [one for slot in slots if (one := held_in(slot, values)) is not None]
        wrong = [f"{one} is not in the set" for one in found if address_key(one) not in held]
        kinds = {
            value for name, value in values.items() if name.startswith("addresses[") and name.endswith("kind")
        }
        return wrong + [
            f"nothing in {kind}" for kind in kinds if held_in(f"addresses.{kind}", values) is None
        ]


@pytest.mark.parametrize("seed", range(60))
def test_addresses_their_slots_and_the_primary_one_come_to_agree_everywhere(
    seed: int, tmp_path: Path
) -> None:
    life = Life(seed, tmp_path)
    life.begin()
    for _ in range(8):
        for _ in range(life.chance.randint(0, 3)):
            life.edit_somewhere()
        life.sync()
    life.quiet()
    assert life.disagreements() == []
    assert life.misplaced() == []
    before = life.hub.writes()
    life.sync()
    assert life.hub.writes() == before


def put_right_in_place(before: list[str], after: list[str], ids: dict[str, Json]) -> dict[str, Json]:
    """The id that an address has to have in the shop after one item of another list was edited in place."""
    (gone, come) = (
        [one for one in some if one not in others] for some, others in ((before, after), (after, before))
    )
    same_code = len(gone) == len(come) == 1 and gone[0].split(", ")[3] == come[0].split(", ")[3] != ""
    return {come[0]: ids[gone[0]]} if same_code and gone[0] in ids and come[0] not in ids else {}


@pytest.mark.parametrize("seed", range(48))
def test_what_the_last_editor_said_is_held_or_is_a_named_conflict(seed: int, tmp_path: Path) -> None:
    life = Life(2000 + seed, tmp_path)
    life.begin()
    life.quiet()
    for _ in range(8):
        if life.chance.random() < 0.2:
            life.pin()
            life.quiet()
        name = life.chance.choice(NAMES)
        lost, before, stood = life.lost(name), life.shown(name), life.said(name)
        life.edit_slots() if name == "crm" else life.edit_list(name)
        said = {what: one for what, one in life.said(name).items() if one != stood.get(what)}
        ids = life.ids()
        if name == "desk":
            ids |= put_right_in_place(before, life.shown(name), ids)
        life.quiet()
        if life.lost(name) == lost:
            assert {**life.said(name), **said} == life.said(name)
            assert {key: id for key, id in life.ids().items() if key in ids and ids[key] != id} == {}
    assert life.disagreements() == []


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
def test_addresses_do_not_depend_on_the_order_of_connections(seed: int, tmp_path: Path) -> None:
    ends = []
    for number, order in enumerate(permutations(NAMES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        life = Life(seed, folder, order)
        life.begin()
        for _ in range(4):
            life.edit_somewhere()
        life.quiet()
        values = life.contact()
        ends.append((life.held(), held_in("address", values), held_in("addresses.billing", values)))
    assert all(end == ends[0] for end in ends)
