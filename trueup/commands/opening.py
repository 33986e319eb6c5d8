"""Open the hub of a folder: over the real systems, or over the stand-ins of a running sandbox."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from trueup.commands.demo_after import way_in
from trueup.commands.desk import Reality
from trueup.commands.standins import Standins
from trueup.config.env import SandboxEnvironment, Secret
from trueup.config.load import load
from trueup.config.settings import Connection, HubConfig
from trueup.services.hub import Hub, Progress, World, wire


def open_for(folder: Path, reality: Reality, progress: Progress) -> Hub:
    """The hub, open. Raises ConfigError, and NotFound when a sandbox is asked for and none is running."""
    config = load(folder, environment_for(folder, reality))
    if reality is Reality.REAL:
        return wire(folder, config, World(progress=progress))
    standins, way = way_in(folder)
    world = World(
        transport=way,
        overrides=standins.settings,
        progress=progress,
    )
    laid = sandboxed(config, standins, folder)
    hub = wire(folder, laid, world)
    left_out = [name for name in config.connections if name not in laid.connections]
    hub.notes.extend(f"{name} has no stand-in and is left out of the sandbox" for name in left_out)
    return hub


def environment_for(folder: Path, reality: Reality) -> Mapping[str, str]:
    """The environment that the configuration is read with; in a sandbox no variable is missing."""
    return SandboxEnvironment(_Robots()) if reality is Reality.SANDBOX else os.environ


class _Robots(dict[str, str]):
    """Users of the sandbox have e-mail addresses: systems take nothing else. Other names are unknown here."""

    def get(self, name: str, default: object = None) -> str:
        return "robot@sandbox.example" if {"USER", "EMAIL", "LOGIN"} & set(name.upper().split("_")) else ""


def _over_copies(connection: Connection, files: Mapping[str, str]) -> Connection:
    """The connection with its tables' copies in place of the tables themselves."""
    copies = {
        name: replace(rules, options={**rules.options, "path": files[name]}) if name in files else rules
        for name, rules in connection.objects.items()
    }
    return replace(connection, objects=copies)


def sandboxed(config: HubConfig, standins: Standins, folder: Path) -> HubConfig:
    """The configuration over the sandbox: a database of its own, and only connections that stand in."""
    known = {*standins.urls, *standins.settings, *standins.files}
    connections = {
        name: _over_copies(one, standins.files.get(name, {}))
        for name, one in config.connections.items()
        if name in known
    }
    database = Secret(standins.database)
    return replace(config, hub=replace(config.hub, database=database), connections=connections)
