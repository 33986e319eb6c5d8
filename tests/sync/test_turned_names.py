"""A table says one person twice, once with the halves exchanged: what the hub writes tells no order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.demands.hubs import Setting, hub_of, until_quiet
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.connectors.csv.connector import CsvConnector
from trueup.mapping.schema import FieldRule
from trueup.sync.engine import Report, landing
from trueup.sync.preview import preview

EMAIL = "nadiia@example.com"
PARTED = rules(fields=("email", "first_name", "last_name", "department"))
WHOLE = rules(fields=("email", FieldRule("full_name", "name"), "department"))
ORDERS = [("news", "crm"), ("crm", "news")]

RIGHT, TURNED = "Nadiia,Vlasenko", "Vlasenko,Nadiia"
OTHERS = [RIGHT, "Надія,Vlasenko", "Надія,Власенко", "Н.,Власенко"]
NAMES = ["Nadiia Vlasenko", "Надія Власенко", "Власенко Надія"]
MEETINGS = [("crm+crm+news",), ("crm", "crm", "news"), ("news", "crm", "crm"), ("crm", "news", "crm")]


def met(
    folder: Path,
    clock: Clock,
    meeting: Sequence[str],
    said: Mapping[str, Sequence[str]],
    order: Sequence[str],
) -> SmallHub:
    """A released hub between tables that say all this; who is first in `order` is believed."""
    systems = {name: Memory(clock) for name in said}
    objects = [(name, WHOLE if name == "news" else PARTED) for name in said]
    hub = hub_of(folder, clock, systems, Setting(objects, order=order))
    rows = {name: iter(some) for name, some in said.items()}
    for some in meeting:
        for name in some.split("+"):
            systems[name].add(email=EMAIL, **in_fields(name, next(rows[name])))
        hub.sync()
        clock.tick(60)
    until_quiet(hub, clock)
    hub.release()
    return hub


def in_fields(name: str, text: str) -> Mapping[str, str]:
    return (
        {"name": text}
        if name == "news"
        else dict(zip(("first_name", "last_name"), text.split(","), strict=True))
    )


def names(hub: SmallHub) -> list[tuple[str, str, str, object]]:
    """What each record says of the name."""
    return sorted(
        (system, id, path, value)
        for system, memory in hub.systems.items()
        for id in memory.living()
        for path, value in memory.values(id).items()
        if path in ("name", "first_name", "last_name")
    )


def foretold(hub: SmallHub) -> list[tuple[str, str, Any]]:
    """What a plan says would be written: connection, field and value."""
    landing(hub.parts, tuple(hub.systems), Report(0), None)
    writes = [one for _, plan in preview(hub.parts, lambda one: None) for one in plan.writes]
    return sorted((one.connection, path, text) for one in writes for path, text in one.values.items())


def sent(hub: SmallHub) -> list[tuple[str, str, Any]]:
    return sorted(
        (name, path, text)
        for name, system in hub.systems.items()
        for item in system.written
        for path, text in item.values.items()
    )


@pytest.mark.parametrize("order", ORDERS, ids=" before ".join)
@pytest.mark.parametrize("meeting", MEETINGS, ids=" then ".join)
@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize("other", OTHERS)
def test_halves_are_written_as_the_plan_says_and_never_turned_by_what_was_written(
    other: str, text: str, meeting: Sequence[str], order: Sequence[str], tmp_path: Path
) -> None:
    for place, crm in enumerate(([TURNED, other], [other, TURNED])):
        clock, folder = Clock(), tmp_path / str(place)
        folder.mkdir()
        hub = met(folder, clock, meeting, {"crm": crm, "news": [text]}, order)
        told, before = foretold(hub), len(sent(hub))
        assert before == 0
        hub.sync()
        assert sent(hub) == told
        said = names(hub)
        for name, id in (("crm", "1"), ("crm", "2"), ("news", "1")):
            clock.tick(60)
            hub.systems[name].edit(id, department=f"{name}-{id}")
            until_quiet(hub, clock)
            assert names(hub) == said


def tables(folder: Path, clock: Clock, crm: Sequence[str]) -> SmallHub:
    """A hub between two files, of which nothing is released yet."""
    lines = {
        "crm": ["first_name,last_name,email,department", *crm],
        "news": [NEWS, f"Nadiia Vlasenko,{EMAIL},"],
    }
    systems: dict[str, Any] = {}
    for name, said in lines.items():
        path = folder / f"{name}.csv"
        path.write_text("\n".join(said) + "\n", encoding="utf-8")
        systems[name] = CsvConnector(name, {"path": str(path)}, {"people": {"entity": "contact"}}, clock.now)
    return small_hub(folder, clock, systems, ("news", "crm"), {"crm": PARTED, "news": WHOLE})


NEWS = "name,email,department"


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    "department", ["North", "South", "West", "East"]
)  # the id of a row hangs on all of it
def test_of_two_csv_tables_a_row_is_written_once_whatever_is_edited_later(
    department: str, swap: bool, tmp_path: Path
) -> None:
    def synced() -> list[str]:
        clock.tick(3600)
        hub.sync()
        lines = (tmp_path / "crm.csv").read_text(encoding="utf-8").splitlines()[1:]
        return [",".join(line.split(",")[:2]) for line in lines]

    clock = Clock()
    crm = [f"{TURNED},{EMAIL},{department}", f"Надія,Vlasenko,{EMAIL},{department}"]
    hub = tables(tmp_path, clock, crm[::-1] if swap else crm)
    synced()
    hub.release()
    told = [text for _, path, text in foretold(hub) if path in ("first_name", "last_name")]
    said = synced()
    assert sorted(",".join(said).split(",")) == sorted(
        ["Vlasenko", "Nadiia", "Vlasenko", *(told or ["Надія"])]
    )
    for later in ("Sales", "Service"):
        (tmp_path / "news.csv").write_text(f"{NEWS}\nNadiia Vlasenko,{EMAIL},{later}\n", encoding="utf-8")
        assert synced() == said
