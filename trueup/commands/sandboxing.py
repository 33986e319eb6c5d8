"""`sandbox`: imitations of the configured systems over loopback HTTP, until Ctrl-C."""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from trueup.commands.answer import FINE, Answer, config_flag, print_json, print_shown
from trueup.commands.desk import Desk, Form, Reality, Unusable
from trueup.commands.opening import environment_for
from trueup.commands.standins import FOLDER, Standins, running_standins, save_standins
from trueup.config.load import load
from trueup.config.settings import Connection, HubConfig
from trueup.connectors.csv.settings import paths_of
from trueup.connectors.registry import connector_kind
from trueup.errors import NotFound
from trueup.model.counting import counted
from trueup.sandbox.dirt import example_sources, view
from trueup.sandbox.filling import Filled
from trueup.sandbox.people import Mix, Population, generate
from trueup.sandbox.seed import AGE, fill
from trueup.sandbox.server import Maker, Sandbox
from trueup.sandbox.shop import fill_shop
from trueup.sandbox.standin import StandIn

_SOURCES = {"hubspot": "marketing", "salesforce": "sales", "zendesk": "support", "sql": "shop"}
"""Which of the example systems' people a kind of connector is filled with."""


def serve(desk: Desk, people: int, seed: int) -> Answer:
    """Fill, start, say where, wait for Ctrl-C, stop. ConfigError when the configuration is wrong, Unusable
    while another sandbox is open."""
    config = load(desk.folder, environment_for(desk.folder, Reality.SANDBOX))
    place = (desk.folder / FOLDER).resolve()
    _alone(desk.folder)
    fresh_folder(place)
    sandbox = Sandbox(makers(config))
    standins, filled = _filled(config, sandbox, place, people, seed)
    with sandbox:
        urls = dict(sandbox.urls)
        memory = f"sqlite:///{place / 'hub.sqlite'}"
        standing = Standins(os.getpid(), memory, urls, standins.settings, standins.files, people, seed)
        save_standins(desk.folder, standing)
        try:
            ways = {name: sandbox.standins[name].sign_in(url) for name, url in urls.items()}
            _announce(desk, config, standing, filled, ways)
            until_ended()
        finally:
            shutil.rmtree(place, ignore_errors=True)
    if desk.form is Form.JSON:
        raise typer.Exit(FINE)  # the one document was printed when it opened
    return Answer(None, ["The sandbox is closed; what was in it is gone."])


def _alone(folder: Path) -> None:
    """Raises Unusable while another sandbox is open for this hub: its people would be gone with ours."""
    try:
        other = running_standins(folder)
    except NotFound:
        return
    raise Unusable(
        f"a sandbox is open for this hub already (process {other.pid}): use that one, or end it with Ctrl-C."
        f" If that process is no sandbox, remove {folder / FOLDER}"
    )


def fresh_folder(place: Path) -> None:
    """Every sandbox begins anew: nothing of the last one is left."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True)


def makers(config: HubConfig) -> dict[str, Maker]:
    """A stand-in for each connection that has one, knowing the credentials of the configuration."""
    found: dict[str, Maker] = {}
    for name, connection in config.connections.items():
        try:
            kind = connector_kind(connection.connector).vendor()
        except NotFound:
            continue
        found[name] = _maker(kind, connection)
    return found


def _maker(kind: type[StandIn], connection: Connection) -> Maker:
    known = inspect.signature(kind.__init__).parameters
    given = {name: value for name, value in connection.auth.revealed().items() if name in known}

    def make(now: Any) -> StandIn:
        return kind(now, **given)

    return make


def _filled(
    config: HubConfig, sandbox: Sandbox, place: Path, people: int, seed: int
) -> tuple[Standins, dict[str, Filled]]:
    """Fill the stand-ins and the tables; settings and files say how tables are reached."""
    population = generate(seed, people, Mix(today=sandbox.clock.now().date()))
    settings: dict[str, Mapping[str, str]] = {}
    files: dict[str, Mapping[str, str]] = {}
    filled: dict[str, Filled] = {}
    sandbox.clock.advance(-AGE)
    for name, connection in config.connections.items():
        if name in sandbox.standins:
            filled[name] = fill(sandbox.standins[name], _rows(population, connection))
        elif connection.connector == "sql":
            url = f"sqlite:///{place / name}.sqlite"
            filled[name] = fill_shop(url, _rows(population, connection), sandbox.clock.now().date())
            settings[name] = {"url": url}
        elif connection.connector == "csv":
            files[name] = _copied(connection, place / name)
    sandbox.clock.advance(AGE)
    return Standins(0, "", {}, settings, files), filled


def _rows(population: Population, connection: Connection) -> Any:
    sources = {source.name: source for source in example_sources()}
    return view(population, sources[_SOURCES.get(connection.connector, "support")])


def _copied(connection: Connection, target: Path) -> Mapping[str, str]:
    """Copies of the tables, so that the real ones are not written to: of each object its path (a pattern
    stays one)."""
    copies: dict[str, str] = {}
    for name, path in paths_of(connection.settings()).items():
        own = target / name
        own.mkdir(parents=True)
        for file in path.parent.glob(path.name):
            shutil.copy2(file, own / file.name)
        copies[name] = str(own / path.name)
    return copies


def _announce(
    desk: Desk,
    config: HubConfig,
    standins: Standins,
    filled: Mapping[str, Filled],
    ways: Mapping[str, str],
) -> None:
    """Where everything is, and how a program signs in (`ways`), as lines that a shell takes too."""
    where = config_flag(desk.folder)
    lines = [f"The sandbox is open: {counted(standins.people, 'person', 'people')}, seed {standins.seed}."]
    for name in config.connections:
        place = (
            standins.urls.get(name)
            or standins.settings.get(name, {}).get("url")
            or ", ".join(standins.files.get(name, {}).values())
        )
        records = len(filled[name].records) if name in filled else 0
        lines.append(
            f"  {name}: {place}  ({counted(records, 'record')})"
            if place
            else f"  {name}: no stand-in; left out"
        )
    lines += ["", "For programs of your own:"]
    lines += [f"  export TRUEUP_SANDBOX_{name.upper()}={url}" for name, url in standins.urls.items()]
    lines += [
        f"  export TRUEUP_SANDBOX_{name.upper()}={one['url']}" for name, one in standins.settings.items()
    ]
    if ways:
        lines += ["", "How they sign in (the systems are imitated, so nothing here is secret):"]
        lines += [f"  {way}" for way in ways.values()]
        lines.append(
            "  An `access_token` in the answer is what later calls need: -H 'Authorization: Bearer TOKEN'"
        )
    lines += ["", "In another terminal:"]
    lines += [
        f"  trueup {step}{where} --sandbox" for step in ("check --live", "plan", "sync --approve-first")
    ]
    lines += ["", "Ctrl-C closes it."]
    if desk.form is Form.JSON:
        print_json(
            {
                "people": standins.people,
                "seed": standins.seed,
                "urls": dict(standins.urls),
                "settings": {name: dict(one) for name, one in standins.settings.items()},
                "sign_in": dict(ways),
            }
        )
    else:
        print_shown(lines)
    sys.stdout.flush()


def until_ended() -> None:
    """Until Ctrl-C, or until the process is asked to end."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not ended.wait(0.5):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
