"""Random lives of addresses in systems of different shapes: all come to agree, and no address is lost."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, ann, contacts, hub_of
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from tests.sync.test_addresses import ELEMENTS, NAME, NAMES, ONE_SLOT, SLOTS
from trueup.connectors.base import Capability
from trueup.mapping.schema import FieldRule, Shape
from trueup.model.record import Json

ONE_BY_ONE = ALL | {Capability.ELEMENT_WRITES}
SILENT_WRITER = ALL - {Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD}
LIST_ONLY = (*NAME, "email", FieldRule("emails", "emails", shape=Shape.LIST))
IN_SLOTS = ("email", "work_email", "home_email")


class Addresses:
    """Ann in systems of different shapes, and the people who edit her addresses there.

    `entered`: what a run has found somewhere. `taken`: what somebody removed or wrote over. `removed`: what
    was taken off the list, and that nobody wrote anywhere else in the same cycle or later (`written`: what
    was written since the last run).
    """

    def __init__(self, seed: int, folder: Path, order: tuple[str, ...] = NAMES) -> None:
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.systems = {
            "sales": Memory(self.clock),
            "office": Memory(self.clock, capabilities=SILENT_WRITER),
            "support": Memory(self.clock, capabilities=ONE_BY_ONE if seed % 2 else SILENT_WRITER),
        }
        shapes = {
            "sales": ONE_SLOT,
            "office": SLOTS,
            "support": ELEMENTS if seed % 3 else LIST_ONLY,
        }
        objects = [(name, rules(fields=fields)) for name, fields in shapes.items()]
        setting = Setting(objects, order=NAMES, create=NAMES)
        self.hub: SmallHub = hub_of(folder, self.clock, self.systems, setting)
        self.order = order
        self.number = 0
        self.entered: set[str] = set()
        self.taken: set[str] = set()
        self.removed: set[str] = set()
        self.written: set[str] = set()

    def begin(self) -> None:
        self.systems["sales"].add(**ann())
        self.sync()
        self.hub.release()
        self.sync()

    def sync(self) -> None:
        self.entered |= {one for name in NAMES for one in self.held(name)}
        self.written.clear()
        self.hub.sync(self.order)
        self.clock.tick(60)

    def held(self, name: str) -> list[str]:
        rows = self.systems[name].living().values()
        slots = [values.get(slot) for values in rows for slot in IN_SLOTS]
        return [
            one for one in (*slots, *(one for values in rows for one in values.get("emails") or [])) if one
        ]

    # -- what people do ---------------------------------------------------------------------------

    def address(self) -> str:
        """A new address, or one that is or was known already."""
        known = sorted(self.entered)
        if known and self.chance.random() < 0.3:
            return self.chance.choice(known)
        self.number += 1
        return f"a{self.number}@example.com"

    def edit_somewhere(self) -> None:
        if any(not system.living() for system in self.systems.values()):
            return
        act = self.chance.choice((self.move_primary, self.move_primary, self.edit_slot, self.edit_list))
        act()

    def move_primary(self) -> None:
        name = self.chance.choice(NAMES)
        new = None if name == "sales" and self.chance.random() < 0.1 else self.address()
        self._put(name, "email", new)
        if name == "support" and new:
            held = self.systems[name].values("1").get("emails") or []
            self.systems[name].edit("1", emails=list(dict.fromkeys([*held, new])))

    def edit_slot(self) -> None:
        if self.chance.random() < 0.3:  # the kinds change places
            values = self.systems["office"].values("1")
            work, home = values.get("home_email"), values.get("work_email")
            self._wrote(work, home)
            self.systems["office"].edit("1", work_email=work, home_email=home)
            return
        slot = self.chance.choice(("work_email", "home_email"))
        self._put("office", slot, None if self.chance.random() < 0.3 else self.address())

    def edit_list(self) -> None:
        values = self.systems["support"].values("1")
        held: list[str] = list(values.get("emails") or [])
        others = [one for one in held if one != values.get("email")]
        if others and self.chance.random() < 0.6:
            in_slots = [one for one in others if one in self.held("office")]
            gone = self.chance.choice(in_slots or others)
            self.taken.add(gone)
            self.removed |= {gone} - self.written
            held.remove(gone)
        else:
            new = self.address()
            self._wrote(new)
            held = list(dict.fromkeys([*held, new]))
        self.systems["support"].edit("1", emails=held)

    def _put(self, name: str, slot: str, new: Json) -> None:
        before = self.systems[name].values("1").get(slot)
        if before and before != new:
            self.taken.add(before)
        self._wrote(new)
        self.systems[name].edit("1", **{slot: new})

    def _wrote(self, *addresses: Json) -> None:
        self.written |= set(addresses)
        self.removed -= set(addresses)

    # -- what must hold ---------------------------------------------------------------------------

    def quiet(self) -> None:
        for system in self.systems.values():
            system.between = lambda: None
        for _ in range(6):
            self.sync()

    def contact(self) -> dict[str, Json]:
        (values,) = contacts(self.hub).values()
        return dict(values)

    def disagreements(self) -> list[str]:
        contact, wrong = self.contact(), []
        fields = {"email": "email", "work_email": "emails.work", "home_email": "emails.home"}
        for name, slots in (("sales", IN_SLOTS[:1]), ("office", IN_SLOTS), ("support", IN_SLOTS[:1])):
            values = self.systems[name].values("1")
            for slot in slots:
                if values.get(slot) != contact.get(fields[slot]):
                    wrong.append(f"{name}.{slot}: {values.get(slot)} is not {contact.get(fields[slot])}")
        listed = sorted(self.systems["support"].values("1").get("emails") or [])
        if listed != (contact.get("emails") or []):
            wrong.append(f"support.emails: {listed} is not {contact.get('emails')}")
        return wrong

    def lost(self) -> set[str]:
        """Addresses that a run found, and that the contact knows nothing of."""
        contact = self.contact()
        return self.entered - set(contact.get("emails") or []) - set(contact.get("former_emails") or [])

    def dropped(self) -> set[str]:
        """Addresses that nobody took away, that lost to no other one, and that are held no more."""
        (public,) = contacts(self.hub)
        beaten = {
            one.lost
            for row in self.hub.store.history(public, 10_000)
            for one in row.conflicts
            if one.lost
            if isinstance(one.lost, str)
        }
        return self.entered - self.taken - beaten - set(self.contact().get("emails") or [])

    def back(self) -> set[str]:
        """Addresses that somebody removed, and that the contact holds all the same."""
        return self.removed & set(self.contact().get("emails") or [])

    def published(self) -> set[str]:
        """Former addresses that a system shows."""
        shown = {one for name in NAMES for one in self.held(name)}
        return shown & set(self.contact().get("former_emails") or [])


@pytest.mark.parametrize("seed", range(40))
def test_addresses_come_to_agree_and_none_is_lost(seed: int, tmp_path: Path) -> None:
    life = Addresses(seed, tmp_path)
    life.begin()
    for _ in range(8):
        for _ in range(life.chance.randint(0, 4)):
            life.edit_somewhere()
        life.sync()
    life.quiet()
    assert life.disagreements() == []
    assert life.lost() == set()
    assert life.dropped() == set()
    assert life.back() == set()
    assert life.published() == set()
    before = life.hub.writes()
    life.sync()
    assert life.hub.writes() == before


@pytest.mark.parametrize("seed", range(20))
def test_edits_of_addresses_in_the_middle_of_a_run_are_not_lost(seed: int, tmp_path: Path) -> None:
    life = Addresses(1000 + seed, tmp_path)
    life.begin()
    for system in life.systems.values():
        system.between = lambda: life.edit_somewhere() if life.chance.random() < 0.3 else None
    for _ in range(5):
        life.sync()
    life.quiet()
    assert life.disagreements() == []
    assert life.published() == set()


@pytest.mark.parametrize("seed", range(4))
def test_the_addresses_do_not_depend_on_the_order_of_connections(seed: int, tmp_path: Path) -> None:
    ends = []
    for number, order in enumerate(permutations(NAMES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        life = Addresses(seed, folder, order)
        life.begin()
        for _ in range(4):
            life.edit_somewhere()
        life.quiet()
        ends.append({name: life.contact().get(name) for name in ("email", "emails", "former_emails")})
    assert all(end == ends[0] for end in ends)
