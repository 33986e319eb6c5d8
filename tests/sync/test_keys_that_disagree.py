"""An address names one person, a number another: nobody is made twice, an opt-out counts for both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import FIELDS, SmallHub, rules, small_hub
from trueup.mapping.schema import ConsentRule

OPT_OUT = ConsentRule("email", "marketing", "optout", opted_out=True)
NAME = {"first_name": "Яна", "last_name": "Лисенко"}
PHONE = "+380671110012"
BY_NUMBER = {"phone": PHONE}
BY_ADDRESS = {"email": "l12@example.com"}
BY_BOTH = {**BY_NUMBER, **BY_ADDRESS}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def two_tables(folder: Path, clock: Clock) -> SmallHub:
    objects = {name: rules(consent=(OPT_OUT,), fields=(*FIELDS, "phone")) for name in ("crm", "news")}
    systems = {name: Memory(clock) for name in objects}
    return small_hub(folder, clock, systems, objects=objects, create=tuple(systems))


def run(hub: SmallHub, times: int = 3) -> None:
    for _ in range(times):
        hub.sync()
        hub.systems["crm"].clock.tick(60)


@pytest.mark.parametrize("rows", [(BY_ADDRESS, BY_BOTH), (BY_BOTH, BY_ADDRESS)], ids=["apart", "together"])
def test_whom_two_rows_hold_together_is_made_in_no_table_a_second_time(
    rows: tuple[dict[str, str], ...], tmp_path: Path, clock: Clock
) -> None:
    hub = two_tables(tmp_path, clock)
    hub.systems["crm"].add(**NAME, **BY_NUMBER, optout=False)
    for row in rows:
        hub.systems["news"].add(**NAME, **row, optout=False)
    run(hub)
    assert [len(system.living()) for system in hub.systems.values()] == [1, 2]


def test_what_waits_so_is_listed_and_an_opt_out_counts_for_both(tmp_path: Path, clock: Clock) -> None:
    hub = two_tables(tmp_path, clock)
    hub.systems["crm"].add(**NAME, **BY_NUMBER, optout=True)
    for row in (BY_ADDRESS, BY_BOTH):
        hub.systems["news"].add(**NAME, **row, optout=False)
    run(hub)
    assert len(hub.store.unsure(9)) == 1
    assert [hub.systems["news"].values(id)["optout"] for id in ("1", "2")] == [True, True]


def test_another_first_name_at_the_same_number_is_nobody_to_wait_for(tmp_path: Path, clock: Clock) -> None:
    hub = two_tables(tmp_path, clock)
    hub.systems["crm"].add(first_name="Ігор", last_name="Лисенко", **BY_NUMBER, optout=False)
    for row in (BY_ADDRESS, BY_BOTH):
        hub.systems["news"].add(**NAME, **row, optout=False)
    run(hub)
    assert hub.store.unsure(9) == []
    assert [len(system.living()) for system in hub.systems.values()] == [2, 3]


@pytest.mark.parametrize("order", [("crm", "news"), ("news", "crm")])
def test_a_number_and_a_name_with_an_initial_wait(
    order: tuple[str, str], tmp_path: Path, clock: Clock
) -> None:
    hub = two_tables(tmp_path, clock)
    hub.systems[order[0]].add(first_name="Л.", last_name="Романюк", **BY_NUMBER, optout=True)
    hub.systems[order[1]].add(first_name="Lesya", last_name="Romanyuk", **BY_BOTH, optout=False)
    run(hub)
    assert [len(system.living()) for system in hub.systems.values()] == [1, 1]
    assert len(hub.store.unsure(9)) == 1
    assert hub.systems[order[1]].values("1")["optout"] is True


@pytest.mark.parametrize("order", [("crm", "news"), ("news", "crm")])
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_half_a_name_at_the_number_of_who_bears_it_is_made_nowhere_and_an_opt_out_counts_for_both(
    order: tuple[str, str], later: bool, tmp_path: Path, clock: Clock
) -> None:
    hub = two_tables(tmp_path, clock)
    hub.systems[order[0]].add(first_name="Софія", last_name="Лисенко", **BY_NUMBER, optout=False)
    hub.systems["news"].add(first_name="Роман", last_name="Бондар", email="r@example.com", optout=False)
    if later:
        hub.sync(("news",) if order[0] == "news" else ("crm",))
    hub.systems[order[1]].add(first_name="Софія", **BY_NUMBER, optout=True)
    run(hub)
    sofiias = [
        [one["optout"] for one in system.living().values() if one["first_name"] == "Софія"]
        for system in hub.systems.values()
    ]
    assert sofiias == [[True], [True]]
    assert len(hub.store.unsure(9)) == 1
