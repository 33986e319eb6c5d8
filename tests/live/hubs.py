"""Hubs over real servers: configuration written into a folder, the real clock, nothing imitated."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from trueup.config.load import load
from trueup.model.entity import Entity
from trueup.model.fields import Kind
from trueup.services.hub import Hub, World, wire
from trueup.services.syncing import Sync, sync
from trueup.sync.engine import Report

HUB = """name: live
phone_region: CH
database: ${env:HUB_DATABASE}
contact:
  survivorship:
    default: {authority: [sales, operations]}
fuses:
  create: {count: 100000}
  change: {count: 100000, share: 100%}
  clear: {count: 100000, share: 100%}
  delete: {count: 100000, share: 100%}
"""


def write_hub(folder: Path, connections: Mapping[str, str]) -> Path:
    """A configuration folder with these connection files."""
    (folder / "connections").mkdir(parents=True)
    (folder / "hub.yaml").write_text(HUB, encoding="utf-8")
    for name, text in connections.items():
        (folder / "connections" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def opened(folder: Path, environment: Mapping[str, str]) -> AbstractContextManager[Hub]:
    return wire(folder, load(folder, environment), World(worker="live"))


def synced(hub: Hub) -> Report:
    """One run. Fails where a system could not be read or written."""
    report = sync(hub, Sync("ann", approve_first=True)).report
    assert not report.failed, {name: str(error) for name, error in report.failed.items()}
    return report


def release(hub: Hub) -> None:
    for name in hub.parts.connectors:
        hub.store.release(name, "ann", hub.parts.now())


def contact(hub: Hub, text: str) -> Entity:
    """The one contact that this text finds."""
    found = hub.store.find(Kind.CONTACT, text, 10)
    assert len(found) == 1, f"{text} finds {found}"
    return hub.store.case(found[0]).entity


def lost_values(hub: Hub, public_id: str) -> list[object]:
    """The losers of all conflicts of an entity."""
    return [conflict.lost for row in hub.store.history(public_id, 1000) for conflict in row.conflicts]
