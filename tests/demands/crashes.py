"""A process that dies at a chosen moment: before or after any call of a port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.sync.memory import Clock
from tests.sync.small_hub import SmallHub
from trueup.ports import Store
from trueup.store.open import open_store
from trueup.sync.owning import LEASE


class Crash(BaseException):
    """The process is gone: no cleanup that catches errors sees it."""


class Wire:
    """Counts steps (before and after each call of a port) and dies at one of them; 0 never dies."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.steps: list[str] = []

    def step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) == self.at:
            raise Crash(name)
        if self.at and len(self.steps) > self.at:
            raise Crash("dead already")


class Wired:
    """A port, watched by a wire."""

    def __init__(self, inner: Any, wire: Wire) -> None:
        self._inner, self._wire = inner, wire

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        if not callable(inner) or name in ("objects", "close"):
            return inner

        def call(*args: Any, **named: Any) -> Any:
            self._wire.step(f"before {name}")
            answer = inner(*args, **named)
            self._wire.step(f"after {name}")
            return answer

        return call


def wired(hub: SmallHub, wire: Wire) -> None:
    """Put the wire around the hub's store and its connectors."""
    store: Any = Wired(hub.parts.store, wire)
    connectors: Mapping[str, Any] = {name: Wired(one, wire) for name, one in hub.parts.connectors.items()}
    hub.parts = replace(hub.parts, store=store, connectors=connectors)


def reborn(hub: SmallHub, folder: Path, clock: Clock) -> SmallHub:
    """Another process over the same systems and the same database file, after the old lease has ended."""
    clock.sleep(LEASE.total_seconds() + 60)
    hub.store.close()
    store: Store = open_store(f"sqlite:///{folder / 'hub.sqlite'}")
    parts = replace(hub.parts, store=store, connectors=dict(hub.systems), worker="the next")
    return SmallHub(hub.systems, store, parts)
