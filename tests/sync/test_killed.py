"""A run that is killed between any two transactions: the next ones end where it would have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import Always, SmallHub, small_hub, with_policy
from trueup.errors import Transient
from trueup.ports import Store
from trueup.sync.parts import Pace


class Killed(BaseException):
    """Nothing catches it."""


class Mortal:
    """A store whose process is killed when its n-th verb has done its work."""

    def __init__(self, store: Store, n: int) -> None:
        self._store, self.left = store, n

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        does = getattr(self._store, verb)

        def once(*given: Any, **named: Any) -> Any:
            answer = does(*given, **named)
            self.left -= 1
            if self.left == 0:
                raise Killed
            return answer

        return once


def killed_everywhere(made: Callable[[Path], SmallHub], folder: Path) -> Iterator[SmallHub]:
    """Hubs whose run was killed after its first, second, third … verb, and that ran on three more times."""
    n, dead = 0, True
    while dead:
        n += 1
        (folder / str(n)).mkdir()
        hub = made(folder / str(n))
        dead = _killed(hub, n)
        for _ in range(3):
            hub.systems["a"].clock.tick(60 * 60)
            hub.sync()
        yield hub
    assert n > 10


def _killed(hub: SmallHub, n: int) -> bool:
    alive = hub.parts
    hub.parts = replace(alive, store=Mortal(hub.store, n))  # type: ignore[arg-type]
    try:
        hub.sync()
    except Killed:
        return True
    finally:
        hub.parts = alive
    return False


def ann() -> dict[str, object]:
    return {"email": "ann@example.com", "first_name": "Ann"}


def test_another_configuration_reaches_everybody(tmp_path: Path) -> None:
    def made(folder: Path) -> SmallHub:
        clock = Clock()
        hub = small_hub(folder, clock, {"a": Memory(clock), "b": Memory(clock)})
        hub.systems["a"].add(**ann())
        hub.sync()
        creating = replace(hub.parts.policy, create={("b", "people"): Always()}, config_version="v2")
        with_policy(hub, creating)
        return hub

    for hub in killed_everywhere(made, tmp_path):
        assert len(hub.systems["b"].living()) == 1


def test_the_end_of_a_first_listing_lets_everybody_be_created_there(tmp_path: Path) -> None:
    def made(folder: Path) -> SmallHub:
        clock = Clock()
        hub = small_hub(folder, clock, {"a": Memory(clock), "b": Memory(clock)}, create=("b",))
        hub.systems["a"].add(**ann())
        hub.systems["b"].broken = [Transient("down")]
        hub.sync()
        return hub

    for hub in killed_everywhere(made, tmp_path):
        assert len(hub.systems["b"].living()) == 1


def test_what_a_full_listing_did_not_contain_is_deleted(tmp_path: Path) -> None:
    def made(folder: Path) -> SmallHub:
        clock = Clock()
        hub = small_hub(folder, clock, {"a": Memory(clock), "b": Memory(clock)})
        hub.parts = replace(hub.parts, paces={"a": Pace(full_listing=timedelta(days=1))})
        for number in range(3):
            hub.systems["a"].add(email=f"p{number}@example.com", first_name=f"P{number}")
        hub.sync()
        hub.systems["a"].rows.pop("2")
        clock.tick(timedelta(days=1).total_seconds())
        return hub

    for hub in killed_everywhere(made, tmp_path):
        assert hub.store.count_links()["a", "people", "tombstone"] == 1
