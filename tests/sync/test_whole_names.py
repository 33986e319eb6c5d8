"""A whole name that was cut into parts gives way to the parts that somebody says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from tests.demands.hubs import Setting, hub_of, public, told, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import FieldRule
from trueup.model.fields import NAME_PARTS

EMAIL = "david@example.com"
WHOLE = rules(fields=("email", FieldRule("full_name", "name")))
PARTED = rules(fields=("email", "first_name", "middle_name", "last_name"))
CUTS = [
    ("David Vázquez Gil", "David", "Vázquez Gil"),
    ("Ana María Ruiz", "Ana María", "Ruiz"),
    ("Бойко Іван", "Іван", "Бойко"),
    ("DAVID VÁZQUEZ GIL", "David", "Vázquez Gil"),
    ("Dr. David Vázquez Gil", "David", "Vázquez Gil"),
    ("Anh Do", "Anh", "Do"),
]


def hub_with(folder: Path, clock: Clock) -> SmallHub:
    """`desk` keeps one name and is believed most; `crm` and `shop` keep its parts. All are released."""
    systems = {name: Memory(clock) for name in ("desk", "crm", "shop")}
    objects = [("desk", WHOLE), ("crm", PARTED), ("shop", PARTED)]
    hub = hub_of(folder, clock, systems, Setting(objects, order=("desk", "crm", "shop"), create=("shop",)))
    hub.sync()
    hub.release()
    return hub


def seen_in(hub: SmallHub, clock: Clock, order: Sequence[str], text: str, first: str, last: str) -> None:
    said = {"desk": {"name": text}, "crm": {"first_name": first, "last_name": last}}
    for some in order:
        for name in some.split("+"):
            hub.systems[name].add(email=EMAIL, **said[name])
        hub.sync()
        clock.tick(60)


def name_of(hub: SmallHub) -> tuple[object, ...]:
    held = hub.contact(EMAIL)
    return tuple(held.get(part) for part in ("first_name", "middle_name", "last_name"))


def lost(hub: SmallHub) -> list[str]:
    rows = hub.store.history(public(hub, EMAIL), 50)
    return [one.field for row in rows for one in row.conflicts if one.field in NAME_PARTS]


ORDERS = [("desk", "crm"), ("crm", "desk"), ("desk+crm",)]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
@pytest.mark.parametrize(("text", "first", "last"), CUTS)
def test_the_parts_that_a_record_says_in_fields_of_its_own_are_taken_whoever_is_believed_more(
    text: str, first: str, last: str, order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, order, text, first, last)
    until_quiet(hub, clock)
    if text.isupper():  # the same words in another spelling are the word of who is believed more
        first, last = first.upper(), last.upper()
    assert name_of(hub) == (first, None, last)
    assert told(hub.systems["desk"], "name") == [text]
    assert told(hub.systems["crm"], "last_name") == told(hub.systems["shop"], "last_name") == [last]
    assert not hub.systems["desk"].written
    assert text.isupper() or not (lost(hub) or hub.systems["crm"].written)


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_an_edit_of_one_word_of_the_whole_name_keeps_the_cut(order: Sequence[str], tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, order, "David Vázquez Gil", "David", "Vázquez Gil")
    hub.systems["desk"].edit("1", name="David Vázquez Gill")
    until_quiet(hub, clock)
    assert name_of(hub) == ("David", None, "Vázquez Gill")
    assert told(hub.systems["crm"], "last_name") == ["Vázquez Gill"]


def test_an_edit_that_makes_it_another_name_is_read_as_any_other(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk+crm",), "David Vázquez Gil", "David", "Vázquez Gil")
    hub.systems["desk"].edit("1", name="Ann Lee")
    until_quiet(hub, clock)
    assert name_of(hub) == ("Ann", None, "Lee")
    assert (told(hub.systems["crm"], "first_name"), told(hub.systems["crm"], "last_name")) == (
        ["Ann"],
        ["Lee"],
    )


def test_words_that_only_change_places_in_the_whole_name_are_no_edit(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk+crm",), "Іван Бойко", "Іван", "Бойко")
    before = written(hub)
    hub.systems["desk"].edit("1", name="Бойко Іван")
    until_quiet(hub, clock)
    assert (name_of(hub), written(hub)) == (("Іван", None, "Бойко"), before)


def test_an_edit_of_the_cut_in_fields_of_its_own_is_an_edit(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk+crm",), "Ana María Ruiz", "Ana", "María Ruiz")
    until_quiet(hub, clock)
    hub.systems["crm"].edit("1", first_name="Ana María", last_name="Ruiz")
    until_quiet(hub, clock)
    assert name_of(hub) == ("Ana María", None, "Ruiz")
    assert told(hub.systems["shop"], "first_name") == ["Ana María"]
    assert not hub.systems["desk"].written


def test_an_edit_of_a_part_reaches_the_whole_name(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk", "crm"), "Бойко Іван", "Іван", "Бойко")
    hub.systems["crm"].edit("1", last_name="Бойченко")
    until_quiet(hub, clock)
    assert told(hub.systems["desk"], "name") == ["Іван Бойченко"]
    assert name_of(hub) == ("Іван", None, "Бойченко")


def test_other_words_are_judged_as_ever(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, ("desk+crm",), "David Vázquez Gil", "Davide", "Vázquez Gil")
    assert name_of(hub) == ("David", "Vázquez", "Gil")


@pytest.mark.parametrize("seed", range(25))
def test_however_a_name_is_cut_and_met_the_parts_stand_and_nothing_is_written(
    seed: int, tmp_path: Path
) -> None:
    chance, clock = Random(seed), Clock()
    words = chance.sample(
        ["Ana", "José", "María", "García", "López", "Іван", "Бойко", "Ruiz", "de", "Lee"], 4
    )
    words = words[: chance.randint(2, 4)]
    at = chance.randint(1, len(words) - 1)
    first, last = " ".join(words[:at]), " ".join(words[at:])
    text = chance.choice([f"{first} {last}", f"{last} {first}"])
    hub = hub_with(tmp_path, clock)
    seen_in(hub, clock, chance.choice([*permutations(("desk", "crm")), ("desk+crm",)]), text, first, last)
    until_quiet(hub, clock)
    assert name_of(hub) == (first, None, last)
    assert not (hub.systems["desk"].written or hub.systems["crm"].written or lost(hub))
