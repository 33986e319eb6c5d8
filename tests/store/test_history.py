"""What a decision changed is told as it was, however little of it is kept."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.store.hub import NOON, Hub, plan
from trueup.model.canonical.postal import address_of
from trueup.model.entity import Source
from trueup.model.history import FIRST_SIGHT, Change
from trueup.model.slots import held_in

FIELDS = ("first_name", "last_name", "job_title", "interests", "score")
RULES = (FIRST_SIGHT, "authority", "union", "follows its fields")
SOURCES = ("sales/contacts/1", "shop/customers/7", "rule", "hub:ann")


def _life(seed: int) -> list[list[Change]]:
    """Decisions on one entity, each with its changes in order; a field may move twice in one."""
    rng, held, life = random.Random(seed), dict[str, Any](), []
    for number in range(rng.randint(1, 6)):
        changes: list[Change] = []
        for name in rng.choices(FIELDS, k=rng.randint(0 if number else 1, 6)):
            new = rng.choice((None, "x", ["x", "y"], f"{name} {number}", 7))
            if held.get(name) != new:
                changes.append(Change(name, held.get(name), new, rng.choice(SOURCES), rng.choice(RULES)))
                held[name] = new
        life.append(changes)
    return [changes for changes in life if changes]


def _decide(hub: Hub, id: int, changes: list[Change]) -> None:
    hub.store.mark_due([id], "test")
    case = hub.case(id)
    after = {**case.entity.values, **{change.field: change.new for change in changes}}
    kept = {name: value for name, value in after.items() if value is not None}
    entity = replace(case.entity, values=kept, sources=dict.fromkeys(kept, Source("sales", "edit", NOON)))
    assert hub.commit(replace(plan(case), entity=entity, changes=tuple(changes))) == []


def _stored(url: str, table: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        stored: str = connection.execute(text(f"select data from {table}")).scalar_one()
    engine.dispose()
    return stored


@pytest.mark.parametrize("seed", range(60))
def test_every_change_is_told_with_its_values_source_and_rule(hub: Hub, seed: int) -> None:
    life = _life(seed)
    hub.land("sales")
    case = hub.settled("sales", "1")
    for changes in life:
        _decide(hub, case.entity.id, changes)
    told = hub.store.history(case.entity.public_id, 100)
    in_order = [sorted(row.changes, key=str) for row in reversed(told)]
    assert in_order == [sorted(changes, key=str) for changes in life]


def test_the_lives_hold_what_is_hard_to_tell() -> None:
    lives = [_life(seed) for seed in range(60)]
    rows = [changes for life in lives for changes in life]
    twice = [row for row in rows if len({one.field for one in row}) < len(row)]
    emptied = [one for row in rows for one in row if one.new is None]
    assert len(twice) > 20 and len(emptied) > 20 and sum(len(life) == 1 for life in lives) > 3


def test_what_came_to_a_new_contact_is_kept_by_name_only(hub: Hub, url: str) -> None:
    hub.settled("sales", "1", first_name="Ann", job_title="Fitter")
    assert "Fitter" not in _stored(url, "history")


def test_a_postal_address_that_stands_in_a_slot_is_kept_once_and_read_as_it_was(hub: Hub, url: str) -> None:
    home = {"addresses.home.street": "Seeweg 1", "addresses.home.city": "Kiel"}
    main = {"address.street": "Hafen 3", "address.country": "DE"}
    listed = [held_in("addresses.home", home), held_in("address", main), address_of({"city": "Ulm"})]
    values = {**home, **main, "addresses": sorted(map(str, listed))}
    case = hub.settled("sales", "1", **values)
    assert case.entity.values == values
    stored = _stored(url, "entities")
    assert [stored.count(word) for word in ("Seeweg", "Hafen", "Ulm")] == [1, 1, 1]
    (row,) = hub.store.history(case.entity.public_id, 10)
    assert {one.field: one.new for one in row.changes} == values
