"""A cleared value is cleared everywhere, also where it is seen for the first time in that decision."""

from __future__ import annotations

from pathlib import Path

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub


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


def test_a_record_first_seen_with_another_value_is_not_cleared(tmp_path: Path) -> None:
    hub = three(tmp_path)
    id = hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["shop"].add(email="ann@example.com", job_title="Owner")
    hub.systems["sales"].edit(id, job_title=None)
    hub.sync()
    assert hub.systems["shop"].values("1")["job_title"] == "Owner"
