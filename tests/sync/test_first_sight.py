"""First sights give the same answer one after the other as all at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import small_hub

NAMES = ("sales", "support", "marketing")
"""From the highest rank to the lowest."""

SAID: Mapping[str, Mapping[str, object]] = {
    "sales": {"first_name": "Ann", "last_name": "Lee", "job_title": "CTO"},
    "support": {"first_name": "Ann", "last_name": "Ray", "job_title": "Boss"},
    "marketing": {"first_name": "Ann", "last_name": "Fox", "job_title": "CTO"},
}


@pytest.mark.parametrize("order", list(permutations(NAMES)))
def test_a_value_ranks_as_the_strongest_system_that_said_it(order: tuple[str, ...], tmp_path: Path) -> None:
    clock = Clock()
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in NAMES})
    for name in order:
        hub.systems[name].add(email="ann@example.com", **SAID[name])
        hub.sync((name,))
    values = hub.contact("ann@example.com")
    assert (values["first_name"], values["last_name"], values["job_title"]) == ("Ann", "Lee", "CTO")
