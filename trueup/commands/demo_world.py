"""The demonstration's folder: a copy of the example hub, three stand-ins, a shop's database, and the hub.

It is laid out as `trueup sandbox` does it, so that other commands find their way in with `--sandbox`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

import trueup
from trueup.commands.demo_systems import MARKETING, SALES, SHOP, SUPPORT, Systems
from trueup.commands.desk import Reality, Unusable
from trueup.commands.opening import environment_for, sandboxed
from trueup.commands.sandboxing import makers
from trueup.commands.standins import FOLDER, Standins, running_standins
from trueup.config.load import load
from trueup.config.settings import HubConfig
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.errors import NotFound, TrueupError
from trueup.sandbox.filling import Filled
from trueup.sandbox.seed import fill_sandbox
from trueup.sandbox.server import Sandbox, SandboxClock
from trueup.sandbox.shop import Shop
from trueup.services.hub import Hub, World, wire

NAMES = (MARKETING, SALES, SUPPORT, SHOP)
BEHIND = timedelta(hours=6)
"""How far in the past the demonstration begins: what passes in it (a search's lag, a day's work) is over by
now, so that the commands that follow it are not in its past."""


class Unlike(TrueupError):
    """The demonstration came out otherwise than it tells: that is a fault of ours."""

    code = "TU-GEN-500"


@dataclass(slots=True)
class HubClock:
    """The sandbox's clock as the hub's: its waiting costs no real time."""

    clock: SandboxClock

    def now(self) -> datetime:
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@dataclass(slots=True)
class Stage:
    """All that the demonstration works with. Close it when done."""

    folder: Path
    config: HubConfig
    sandbox: Sandbox
    systems: Systems
    standing: Standins
    filled: Mapping[str, Filled]
    hub: Hub

    def close(self) -> None:
        self.hub.close()
        self.systems.shop.dispose()


def set_up(folder: Path, people: int, seed: int, clock: SandboxClock) -> Stage:
    """A fresh stage in `folder`. Raises Unusable when something else lies there, or a demo still runs."""
    config_folder = _fresh(folder)
    config = load(config_folder, environment_for(config_folder, Reality.SANDBOX))
    if set(config.connections) != set(NAMES):
        raise Unusable(f"the example hub has other connections than {', '.join(NAMES)}")
    sandbox = Sandbox(makers(config), clock)
    place = (config_folder / FOLDER).resolve()
    shop = f"sqlite:///{place / SHOP}.sqlite"
    filled = fill_sandbox(sandbox, shop, seed, people)
    memory = f"sqlite:///{place / 'hub.sqlite'}"
    standing = Standins(0, memory, {}, {SHOP: {"url": shop}}, people=people, seed=seed)
    ways = {name: one.transport() for name, one in sandbox.standins.items()}
    hub = open_stage_hub(config_folder, config, standing, clock, ways)
    return Stage(config_folder, config, sandbox, _systems(sandbox, shop), standing, filled, hub)


def _fresh(folder: Path) -> Path:
    """The copied configuration in an empty folder; the last demonstration is thrown away."""
    config = folder / "config"
    if folder.exists() and any(folder.iterdir()) and not (config / FOLDER).is_dir():
        raise Unusable(f"{folder} is no folder of a demonstration: name another with `--to`")
    try:
        pid = running_standins(config).pid
    except NotFound:
        pid = 0
    if pid:
        raise Unusable(f"a sandbox runs in {config} (process {pid}): end it first, or name another `--to`")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    for source in _example().rglob("*.yaml"):
        target = config / source.relative_to(_example())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    (config / FOLDER).mkdir(mode=0o700)
    return config


def _example() -> Path:
    """The example hub: it lies beside the package in a clone of the project."""
    folder = Path(trueup.__file__).resolve().parent.parent / "config"
    if not (folder / "hub.yaml").is_file():
        raise NotFound("the example hub is not here: the demonstration runs in a clone of the project")
    return folder


def open_stage_hub(
    folder: Path,
    config: HubConfig,
    standing: Standins,
    clock: SandboxClock,
    ways: Mapping[str, httpx.BaseTransport],
) -> Hub:
    """The hub as `--sandbox` opens it, but over stand-ins in this process."""
    world = World(
        clock=HubClock(clock),
        transport=ways.get,
        overrides=standing.settings,
    )
    known = replace(standing, urls=dict.fromkeys(ways, ""))
    return wire(folder, sandboxed(config, known, folder), world)


def _systems(sandbox: Sandbox, shop: str) -> Systems:
    marketing, sales, support = (sandbox.standins[name] for name in (MARKETING, SALES, SUPPORT))
    assert isinstance(marketing, HubSpotStandIn)
    assert isinstance(sales, SalesforceStandIn)
    assert isinstance(support, ZendeskStandIn)
    return Systems(marketing, sales, support, Shop(shop))
