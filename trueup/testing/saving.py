"""Saved plans in a simulated world: `plan --out`, `sync --plan`, and what may be written by one.

The services themselves do it, over the parts of a simulated worker. What a plan holds is read off its file,
not asked of the hub.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trueup.config.lifecycle_settings import Lifecycle
from trueup.config.settings import Dedupe, HubConfig, HubSettings
from trueup.services.hub import Hub
from trueup.services.syncing import Sync, plan, sync
from trueup.sync.engine import Report
from trueup.sync.parts import Parts
from trueup.testing.system import HUB_ID
from trueup.testing.traits import OPT_OUT

DRIFT = 0.5
"""So much of a plan may be outdated: a history holds a few people."""

Planned = Sequence[Mapping[str, Any]]
"""The writes of a saved plan, as its file tells them."""


def save(parts: Parts, file: Path) -> None:
    """`trueup plan --out`."""
    plan(_hub(parts, file), out=file)


def apply(parts: Parts, file: Path) -> Report:
    """`trueup sync --plan`."""
    return sync(_hub(parts, file), Sync("ann", approve_first=True, plan=file)).report


def _hub(parts: Parts, file: Path) -> Hub:
    settings = HubSettings("world", drift_limit=DRIFT)
    policy = parts.policy
    config = HubConfig(settings, policy.tables, {}, Lifecycle({}), Dedupe(), {}, (), policy.config_version)
    return Hub(file.parent, config, parts.store, parts)


def planned(file: Path) -> Planned:
    """All that it holds, what earlier runs decided among it; nothing where no plan was saved."""
    if not file.exists():
        return []
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [write for line in lines for what in ("writes", "unsent") for write in line.get(what, ())]


def beyond(writes: Planned, system: str, route: str, body: Mapping[str, Any]) -> Iterator[str]:
    """A record is made or written to as no plan says it. Opt-outs go past every plan."""
    for item in body.get("items") or [body]:
        values = {name: value for name, value in item["values"].items() if name != HUB_ID}
        place = (system, item.get("id"))
        if values != {OPT_OUT: True} and not any(_holds(one, place, values) for one in writes):
            yield f"{system} is asked to {route} {place[1] or 'a record'} with {values}: no plan says so"


def _holds(write: Mapping[str, Any], place: tuple[str, str | None], values: Mapping[str, Any]) -> bool:
    return (write["connection"], write["record"]) == place and values.items() <= write["values"].items()
