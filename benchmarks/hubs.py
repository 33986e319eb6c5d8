"""A hub from one portal to another: one reads everybody, in the other they are made."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.portal import Portal, today
from trueup.config.load import load
from trueup.services.hub import Hub, World, wire
from trueup.services.syncing import Sync, sync
from trueup.sync.tally import Tally

HUB = """name: bench
phone_region: DE
{database}
contact:
  custom_fields:
    partner_name: {{type: text, max_length: 80}}
  survivorship:
    default: {{authority: [sales, marketing]}}
    interests: {{strategy: union}}
fuses:
  create: {{count: 100000000}}
  change: {{count: 100000000, share: 100%}}
"""
CONNECTION = """connector: hubspot
role: {role}
auth: {{kind: bearer, token: "${{env:TOKEN}}"}}
budget: {{calls_per_second: 1000000}}
objects:
  contacts:
    entity: contact
    {create}
    stage:
      field: lifecyclestage
      values: {{name: subscriber, lead: lead, opportunity: opportunity, customer: customer}}
      unlisted: leave
    fields:
      interests: {{field: interests, transform: semicolon_list}}
      partner_name: partner_name
      department: department
    without: [company, owner, created_at, source]
  companies: off
  deals: off
  owners: off
"""


def as_the_command() -> None:
    """Collect garbage as seldom as the command `trueup` does."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


class BenchClock:
    """Time that stands still until somebody sleeps or waits."""

    def __init__(self) -> None:
        self._now = today()

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass(slots=True)
class Steps:
    """CPU seconds by step, the portals' own taken off: what passed until a step said how far it is."""

    portals: tuple[Portal, ...]
    watch: Callable[[], float] = lambda: 0.0
    by: dict[str, float] = field(default_factory=dict)
    _at: float = 0.0
    _watching: float = 0.0

    def begin(self) -> None:
        self._at = self._clock()

    def told(self, step: str, connection: str, object: str, count: int) -> None:
        now = self._clock()
        self.by[step] = self.by.get(step, 0.0) + now - self._at
        self._at = now

    def _clock(self) -> float:
        """What watching takes itself is no work of the hub."""
        began = time.process_time()
        elsewhere = self.watch() - sum(portal.spent for portal in self.portals)
        now = time.process_time()
        self._watching += now - began
        return now - self._watching + elsewhere


@dataclass(slots=True)
class Pair:
    """Two portals and the hub between them."""

    folder: Path
    source: Portal
    target: Portal
    hub: Hub
    clock: BenchClock
    steps: Steps

    def run(self) -> tuple[Tally, dict[str, float], int]:
        """One sync: what it counted, CPU seconds by step, and how many calls it made."""
        self.steps.by = {}
        self.steps.begin()
        calls = self.source.calls + self.target.calls
        done = sync(self.hub, Sync("bench", approve_first=True))
        self.steps.told("rest", "", "", 0)
        return done.report.tally, dict(self.steps.by), self.source.calls + self.target.calls - calls

    def wait(self, minutes: float) -> None:
        self.clock.sleep(minutes * 60)


def write_config(folder: Path, database: str | None = None) -> Path:
    (folder / "connections").mkdir(parents=True)
    line = "database: ${env:DATABASE}" if database else ""
    (folder / "hub.yaml").write_text(HUB.format(database=line))
    for name, role, create in (("source", "marketing", ""), ("target", "sales", "create: 'true'")):
        text = CONNECTION.format(role=role, create=create)
        (folder / "connections" / f"{name}.yaml").write_text(text)
    return folder


def pair(
    folder: Path, source: Portal, database: str | None = None, watch: Callable[[], float] = lambda: 0.0
) -> Pair:
    """A new hub over a filled portal and an empty one; `watch` adds CPU of other processes (a database)."""
    config = write_config(folder / "config", database)
    clock = BenchClock()
    target = Portal(clock.now)
    target.forgets = bool(source.made_up)
    source.now = clock.now
    steps = Steps((source, target), watch)
    portals = {"source": source, "target": target}
    world = World(
        clock=clock,
        transport=lambda name: portals[name].transport(),
        progress=steps.told,
        worker="bench",
    )
    hub = wire(config, load(config, {"TOKEN": "bench-token", "DATABASE": database or ""}), world)
    return Pair(config, source, target, hub, clock, steps)
