"""A cleared value is cleared everywhere, also where it is seen for the first time in that decision; another
value that is seen then fills the field, as it would a moment later."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.model.fields import Kind


def three(folder: Path) -> SmallHub:
    clock = Clock()
    return small_hub(folder, clock, {name: Memory(clock) for name in ("sales", "marketing", "shop")})


def test_a_record_first_seen_with_the_very_value_that_was_cleared_is_cleared_too(tmp_path: Path) -> None:
    hub = three(tmp_path)
    id = hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["shop"].add(email="ann@example.com", job_title="CTO")
    hub.systems["sales"].edit(id, job_title=None)
    hub.sync()
    assert hub.systems["shop"].values("1")["job_title"] is None


@pytest.mark.parametrize("read_at_once", [True, False])
def test_a_record_first_seen_with_another_value_fills_what_was_cleared(
    tmp_path: Path, read_at_once: bool
) -> None:
    hub = three(tmp_path)
    id = hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["sales"].edit(id, job_title=None)
    if not read_at_once:
        hub.sync()
    hub.systems["shop"].add(email="ann@example.com", job_title="Owner")
    hub.sync()
    hub.sync()
    assert titles(hub) == {"sales": "Owner", "shop": "Owner"}
    assert hub.contact("ann@example.com")["job_title"] == "Owner"


def test_that_a_cleared_field_was_filled_at_once_stands_in_the_history(tmp_path: Path) -> None:
    hub = three(tmp_path)
    id = hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["sales"].edit(id, job_title=None)
    hub.systems["shop"].add(email="ann@example.com", job_title="Owner")
    hub.sync()
    row = hub.store.history(hub.store.find(Kind.CONTACT, "ann@example.com", 1)[0], 1)[0]
    assert [(one.old, one.new, one.rule) for one in row.changes if one.field == "job_title"] == [
        ("CTO", "Owner", "first sight")
    ]
    assert [(one.lost, one.lost_source, one.kept_source) for one in row.conflicts] == [
        (None, f"sales/people/{id}", "shop/people/1")
    ]


def test_of_several_first_sights_the_highest_rank_fills_what_was_cleared(tmp_path: Path) -> None:
    hub = three(tmp_path)
    id = hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    hub.sync(["sales"])
    hub.release()
    hub.systems["shop"].add(email="ann@example.com", job_title="Owner")
    hub.systems["marketing"].add(email="ann@example.com", job_title="Chef")
    hub.systems["sales"].edit(id, job_title=None)
    hub.sync()
    hub.sync()
    assert set(titles(hub).values()) == {"Chef"}


def test_a_value_cleared_in_the_hub_is_filled_by_a_first_sight_of_the_same_moment(tmp_path: Path) -> None:
    hub = three(tmp_path)
    hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    clear_in_hub(hub, pin=False)
    hub.systems["shop"].add(email="ann@example.com", job_title="Owner")
    hub.sync()
    hub.sync()
    assert set(titles(hub).values()) == {"Owner"}


@pytest.mark.parametrize("read_at_once", [True, False])
def test_an_emptiness_that_was_pinned_is_made_in_new_records_too(tmp_path: Path, read_at_once: bool) -> None:
    hub = three(tmp_path)
    hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    clear_in_hub(hub, pin=True)
    if not read_at_once:
        hub.sync()
    hub.systems["shop"].add(email="ann@example.com", job_title="Owner")
    hub.sync()
    hub.sync()
    assert set(titles(hub).values()) == {None}


def test_a_first_name_that_was_cleared_is_not_put_back_by_who_says_the_same(tmp_path: Path) -> None:
    hub = three(tmp_path)
    id = hub.systems["sales"].add(email="ann@example.com", first_name="Ann", last_name="Lee")
    hub.sync()
    hub.release()
    hub.systems["shop"].add(email="ann@example.com", first_name="Ann", last_name="Lee")
    hub.systems["sales"].edit(id, first_name=None)
    hub.sync()
    hub.sync()
    assert set(held(hub, "first_name").values()) == {None}
    assert set(held(hub, "last_name").values()) == {"Lee"}


def test_a_first_name_that_was_cleared_is_filled_by_who_says_another(tmp_path: Path) -> None:
    hub = three(tmp_path)
    id = hub.systems["sales"].add(email="ann@example.com", first_name="Ann", last_name="Lee")
    hub.sync()
    hub.release()
    hub.systems["shop"].add(email="ann@example.com", first_name="Anna", last_name="Lee")
    hub.systems["sales"].edit(id, first_name=None)
    hub.sync()
    hub.sync()
    assert set(held(hub, "first_name").values()) == {"Anna"}


def titles(hub: SmallHub) -> dict[str, object]:
    return held(hub, "job_title")


def held(hub: SmallHub, field: str) -> dict[str, object]:
    """What Ann's records hold, by system."""
    return {
        name: values[field] for name, system in hub.systems.items() for values in system.living().values()
    }


def clear_in_hub(hub: SmallHub, pin: bool) -> None:
    ann = hub.store.find(Kind.CONTACT, "ann@example.com", 1)[0]
    hub.store.edit(ann, {"job_title": None}, "ops", hub.parts.now(), pin)
