"""Half a name beside a whole one: no word is put beside itself, and nothing that was said is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from tests.demands.hubs import Setting, hub_of, told, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import FieldRule, ObjectRules
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.name_halves import repeats, set_aside

EMAIL = "d.koval@example.com"
PARTED = rules(fields=("email", "first_name", "last_name"))
THREE = rules(fields=("email", "first_name", "middle_name", "last_name"))
WHOLE = rules(fields=("email", FieldRule("full_name", "name")))
REGISTER = rules(fields=("email", FieldRule("full_name", "name", transform="last_first(space)")))
ORDERS = [("crm", "desk"), ("desk", "crm"), ("crm+desk",), ("desk+crm",)]

Said = Mapping[str, str]


def hub_with(
    folder: Path, clock: Clock, desk: ObjectRules, crm: ObjectRules = PARTED, believed: str = "crm"
) -> SmallHub:
    """`crm` keeps the parts of a name, `desk` what it says itself; `shop` gets what both say."""
    systems = {name: Memory(clock) for name in ("crm", "desk", "shop")}
    objects = [("crm", crm), ("desk", desk), ("shop", PARTED)]
    order = ("crm", "desk", "shop") if believed == "crm" else ("desk", "crm", "shop")
    return hub_of(folder, clock, systems, Setting(objects, order=order, create=("shop",)))


def met(hub: SmallHub, clock: Clock, order: Sequence[str], said: Mapping[str, Said]) -> None:
    """Who is named comes into the systems in this order, those joined by `+` in one run."""
    for some in order:
        for name in some.split("+"):
            hub.systems[name].add(email=EMAIL, **said[name])
        hub.sync()
        clock.tick(60)


def halves(hub: SmallHub, system: str = "crm") -> tuple[object, object]:
    held = hub.systems[system].values("1")
    return held.get("first_name") or "", held.get("last_name") or ""


def name_of(hub: SmallHub) -> tuple[object, ...]:
    held = hub.contact(EMAIL)
    return tuple(held.get(part) for part in ("first_name", "middle_name", "last_name"))


def release(hub: SmallHub, clock: Clock) -> None:
    hub.release()
    until_quiet(hub, clock)
    before = written(hub)
    hub.sync()
    assert written(hub) == before


LONE = [("Дмитро", "Дмитро"), ("Дмитро", "Dmytro"), ("محمد", "محمد"), ("李", "李"), ("ANNA", "Anna")]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
@pytest.mark.parametrize(("own", "others"), LONE)
@pytest.mark.parametrize("half", ["first_name", "last_name"])
def test_a_half_is_not_filled_with_the_word_in_the_other_half_where_only_that_word_is_known(
    half: str, own: str, others: str, order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, PARTED)
    other = "first_name" if half == "last_name" else "last_name"
    met(hub, clock, order, {"crm": {half: own}, "desk": {other: others}})
    release(hub, clock)
    for system in ("crm", "desk"):
        assert "" in halves(hub, system)
    assert not repeats(hub.contact(EMAIL).get("first_name"), hub.contact(EMAIL).get("last_name"))


@pytest.mark.parametrize("believed", ["crm", "desk"])
@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_a_lone_word_of_a_whole_name_is_the_half_that_a_field_of_its_own_says(
    order: Sequence[str], believed: str, tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE, believed=believed)
    met(hub, clock, order, {"crm": {"first_name": "Дмитро"}, "desk": {"name": "Дмитро"}})
    release(hub, clock)
    assert name_of(hub) == ("Дмитро", None, None)
    assert halves(hub) == ("Дмитро", "")
    assert halves(hub, "shop") == ("Дмитро", "")
    assert told(hub.systems["desk"], "name") == ["Дмитро"]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_a_whole_name_tells_which_half_the_lone_word_is_and_fills_it_with_the_release(
    order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE)
    met(hub, clock, order, {"crm": {"last_name": "Анна"}, "desk": {"name": "Анна Коваль"}})
    until_quiet(hub, clock)
    assert halves(hub) == ("", "Анна")
    release(hub, clock)
    assert halves(hub) == ("Анна", "Коваль")


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_a_record_that_says_one_word_for_both_halves_means_it(order: Sequence[str], tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE)
    met(hub, clock, order, {"crm": {"last_name": "James"}, "desk": {"name": "James James"}})
    release(hub, clock)
    assert halves(hub) == ("James", "James")


def test_once_the_other_half_is_put_right_the_word_fills_its_own(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, PARTED)
    met(hub, clock, ("crm+desk",), {"crm": {"last_name": "Дмитро"}, "desk": {"first_name": "Дмитро"}})
    release(hub, clock)
    hub.systems["crm"].edit("1", last_name="Коваль")
    until_quiet(hub, clock)
    hub.systems["desk"].edit("1", last_name="Коваль")
    until_quiet(hub, clock)
    hub.systems["crm"].edit("1", first_name="Дмитро")
    until_quiet(hub, clock)
    assert halves(hub) == halves(hub, "desk") == ("Дмитро", "Коваль")


TURNED = [
    ("Shevchenko Taras", "Тарас", "Шевченко"),
    ("Шевченко Т.", "Тарас", "Шевченко"),
    ("Шевченко Тарас", "Т.", "Шевченко"),
    ("Shevchenko Anna", "Анна-Марія", "Шевченко"),
    ("Шевченко-Коваль Анна", "Анна", "Шевченко"),
    ("Шевченко Анна", "Анна", "Шевченко-Коваль"),
    ("Petrenko P.", "Petro", "Petrenko"),
    ("Ivanov Ivan", "Іван", "Іванов"),
    ("Shevchenko Taras Hryhorovych", "Тарас", "Шевченко"),
]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
@pytest.mark.parametrize("believed", ["crm", "desk"])
@pytest.mark.parametrize(("text", "first", "last"), TURNED)
def test_a_whole_name_with_the_family_name_first_swaps_no_name_that_somebody_says_in_parts(
    text: str, first: str, last: str, believed: str, order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE, believed=believed)
    met(hub, clock, order, {"crm": {"first_name": first, "last_name": last}, "desk": {"name": text}})
    release(hub, clock)
    family, given = text.split()[:2]
    assert halves(hub)[0] in (first, given, max(first, given, key=len))
    assert halves(hub)[1] in (last, family)
    if believed == "crm":
        assert halves(hub)[1] == last


def test_a_whole_name_in_its_own_order_is_not_turned_by_a_name_like_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE)
    said = {"crm": {"first_name": "Іван", "last_name": "Іванов"}, "desk": {"name": "Ivan Ivanov"}}
    met(hub, clock, ("crm+desk",), said)
    release(hub, clock)
    assert told(hub.systems["desk"], "name") == ["Іван Іванов"]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
@pytest.mark.parametrize(
    ("desk", "text", "after"),
    [
        (REGISTER, "Шевченко Т. Г.", "Шевченко Тарас Г."),
        (REGISTER, "Шевченко Тарас Григорович", "Шевченко Тарас Григорович"),
        (WHOLE, "Тарас Григорович Шевченко", "Тарас Григорович Шевченко"),
        (WHOLE, "Taras H. Shevchenko", "Тарас H. Шевченко"),
    ],
)
def test_a_middle_name_that_the_believed_one_has_no_field_for_is_not_lost(
    desk: ObjectRules, text: str, after: str, order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, desk)
    met(hub, clock, order, {"crm": {"first_name": "Тарас", "last_name": "Шевченко"}, "desk": {"name": text}})
    release(hub, clock)
    assert told(hub.systems["desk"], "name") == [after]
    assert halves(hub) == ("Тарас", "Шевченко")


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_a_middle_name_fills_the_field_that_another_system_has_for_it(
    order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, REGISTER, THREE)
    said = {"crm": {"first_name": "Тарас", "last_name": "Шевченко"}, "desk": {"name": "Шевченко Т. Г."}}
    met(hub, clock, order, said)
    release(hub, clock)
    assert told(hub.systems["crm"], "middle_name") == ["Г."]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_an_initial_takes_the_place_of_no_word_that_it_stands_for(
    order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, PARTED)
    said = {
        "crm": {"first_name": "Т.", "last_name": "Шевченко"},
        "desk": {"first_name": "Тарас", "last_name": "Шевченко"},
    }
    met(hub, clock, order, said)
    release(hub, clock)
    assert halves(hub) == halves(hub, "desk") == ("Тарас", "Шевченко")


def test_half_a_name_that_says_otherwise_is_a_loser_also_where_a_person_took_that_half_away() -> None:
    half = Claim("first_name", {"first_name": "Bob", "last_name": None}, "crm", "crm/people/2", first=True)
    lost = list(set_aside([half], {"first_name": None, "last_name": "Ray"}, {}))
    assert [(one.field, one.lost, one.lost_source, one.kept) for one in lost] == [
        ("first_name", "Bob", "crm/people/2", None)
    ]
    assert not list(set_aside([half], {"first_name": "Bob", "last_name": "Ray"}, {}))


def test_who_edits_a_name_to_an_initial_is_heard(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, PARTED)
    said = {name: {"first_name": "Тарас", "last_name": "Шевченко"} for name in ("crm", "desk")}
    met(hub, clock, ("crm+desk",), said)
    release(hub, clock)
    hub.systems["crm"].edit("1", first_name="Т.")
    until_quiet(hub, clock)
    assert halves(hub, "desk") == ("Т.", "Шевченко")


def test_the_middle_name_of_another_person_is_not_mixed_in(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE)
    said = {"crm": {"first_name": "Дмитро", "last_name": "Коваль"}, "desk": {"name": "Дмитро Петрович Мороз"}}
    met(hub, clock, ("crm+desk",), said)
    release(hub, clock)
    assert name_of(hub) == ("Дмитро", None, "Коваль")


def test_a_middle_name_that_is_taken_away_does_not_come_back(tmp_path: Path) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE, THREE)
    said = {"crm": {"first_name": "Ann", "last_name": "Lee"}, "desk": {"name": "Ann Mary Lee"}}
    met(hub, clock, ("crm+desk",), said)
    release(hub, clock)
    hub.systems["crm"].edit("1", middle_name=None)
    until_quiet(hub, clock)
    assert name_of(hub) == ("Ann", None, "Lee")
    assert told(hub.systems["desk"], "name") == ["Ann Lee"]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
@pytest.mark.parametrize(
    ("first", "last", "text", "middle"),
    [
        ("Ana", "García López", "Ana María García López", "María"),
        ("David", "Vázquez Gil", "David J. Vázquez Gil", "J."),
    ],
)
def test_a_middle_name_brings_no_word_of_the_family_name_along(
    first: str, last: str, text: str, middle: str, order: Sequence[str], tmp_path: Path
) -> None:
    clock = Clock()
    hub = hub_with(tmp_path, clock, WHOLE, THREE)
    met(hub, clock, order, {"crm": {"first_name": first, "last_name": last}, "desk": {"name": text}})
    release(hub, clock)
    assert name_of(hub) == (first, middle, last)
    assert told(hub.systems["desk"], "name") == [text]


NAMED = ("first_name", "middle_name", "last_name")

MORE_OR_LESS = [
    # first, middle and last name: as crm (believed most), shop and desk say them; and the end
    ("T.||Shevchenko", "Тарас||Шевченко", "Taras||Shevchenko", "Тарас||Шевченко"),
    ("T.||Шевченко", "Т.||Shevchenko", "Taras||Ш.", "Taras||Шевченко"),
    ("Ann||S.", "A.||Smith", "Anna||Smith", "Anna||Smith"),
    ("Anna||Koval", "Anna|I.|Koval", "Анна|Іванівна|Коваль", "Anna|Іванівна|Koval"),
    ("M.||van der Berg", "||Berg", "Mary||Berg", "Mary||Berg"),
    ("M.||van der Berg", "||Berg", "M.|Jane|Berg", "M.|Jane|van der Berg"),
    ("Ann||", "Ann||L.", "Anna||Lee", "Anna||Lee"),
]


@pytest.mark.parametrize("released", [True, False], ids=["released", "not released"])
@pytest.mark.parametrize("said", MORE_OR_LESS, ids=", ".join)
@pytest.mark.parametrize("order", [*permutations(("crm", "shop", "desk"))], ids=" then ".join)
def test_of_three_that_say_a_name_more_or_less_fully_no_word_yields_to_an_initial_whoever_is_met_first(
    order: Sequence[str], said: Sequence[str], released: bool, tmp_path: Path
) -> None:
    clock, names = Clock(), ("crm", "shop", "desk")
    setting = Setting([(name, THREE) for name in names], order=names)
    hub = hub_of(tmp_path, clock, {name: Memory(clock) for name in names}, setting)
    hub.sync()
    if released:
        hub.release()
    parts = [{key: text for key, text in zip(NAMED, one.split("|"), strict=True) if text} for one in said]
    met(hub, clock, order, dict(zip(names, parts[:3], strict=True)))
    until_quiet(hub, clock)
    release(hub, clock)
    for held in (hub.contact(EMAIL), *(hub.systems[name].values("1") for name in names)):
        assert {key: held[key] for key in NAMED if held.get(key)} == parts[3]


FIRST, LAST = ("Дмитро", "Dmytro", "Д.", "Дмитро-Іван"), ("Коваль", "Koval", "Коваль-Мороз")


def _name(chance: Random, parted: bool) -> dict[str, str]:
    """What somebody says of Дмитро Коваль: whole or half, in some script, swapped or in the wrong field."""
    first, last = chance.choice(FIRST), chance.choice(LAST)
    if not parted:
        return {"name": chance.choice([first, f"{first} {last}", f"{last} {first}"])}
    halves = [{"first_name": first}, {"last_name": first}, {"first_name": first, "last_name": last}]
    return chance.choice(halves)


def _found(folder: Path, order: Sequence[str], said: Mapping[str, Said], believed: str) -> SmallHub:
    folder.mkdir()
    clock = Clock()
    hub = hub_with(folder, clock, WHOLE, believed=believed)
    met(hub, clock, order, said)
    until_quiet(hub, clock)
    _says_no_word_twice(hub)
    release(hub, clock)
    _says_no_word_twice(hub)
    return hub


def _says_no_word_twice(hub: SmallHub) -> None:
    for system in ("crm", "shop"):
        for row in hub.systems[system].living().values():
            assert not repeats(row.get("first_name"), row.get("last_name")), row
    for name in told(hub.systems["desk"], "name"):
        words = str(name or "").split()
        assert len(words) < 2 or not repeats(words[0], words[-1]), name


@pytest.mark.parametrize("seed", range(60))
def test_whoever_says_what_of_a_name_and_is_met_first_no_half_is_the_other_and_all_end_alike(
    seed: int, tmp_path: Path
) -> None:
    chance = Random(seed)
    said = {"crm": _name(chance, parted=True), "desk": _name(chance, parted=False)}
    orders = [*permutations(("crm", "desk")), ("crm+desk",)]
    believed = chance.choice(["crm", "desk"])
    hubs = [_found(tmp_path / str(place), order, said, believed) for place, order in enumerate(orders)]
    found = [name_of(hub) for hub in hubs]
    assert found[0] == found[1] == found[2], (said, found)
