"""Saved plans in a simulated world: `plan --out`, `sync --plan`, and what may be written by one.

The services themselves do it, over the parts of a simulated worker. What a plan holds is read off its file,
not asked of the hub.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trueup.config.lifecycle_settings import Lifecycle
from trueup.config.settings import Dedupe, HubConfig, HubSettings
from trueup.mapping.elements import is_change
from trueup.model.consent import ConsentState
from trueup.model.delivery import Delivery
from trueup.model.plan import Plan
from trueup.model.record import Json
from trueup.services.hub import Hub
from trueup.services.syncing import Sync, plan, sync
from trueup.sync.engine import Report
from trueup.sync.parts import Parts
from trueup.sync.rules.backfill import Backfill
from trueup.testing.system import HUB_ID
from trueup.testing.traits import OPT_OUT, OUT

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


def fill_back(parts: Parts, file: Path, fills: Sequence[Backfill]) -> Report:
    """`trueup plan --backfill --out`, and `trueup sync --plan`."""
    plan(_hub(parts, file), out=file, fills=fills)
    return apply(parts, file)


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


@dataclass(slots=True)
class Applying:
    """What processes that apply plans decided, by run: of whom once, and of whom more, which follows from
    what the run itself wrote and heard, or from an opt-out, with which everything about a person goes."""

    _once: set[tuple[int, int]] = field(default_factory=set)
    _free: set[tuple[int, int]] = field(default_factory=set)
    _planned: set[int] = field(default_factory=set)
    _owed: frozenset[int] = frozenset()

    def owes(self, ids: Sequence[int]) -> None:
        """The run that begins goes past its plan for these: opt-outs are to be sent for them."""
        self._owed = frozenset(ids)

    def committed(self, plans: Sequence[Plan], run: int, back: Sequence[int]) -> None:
        for one in plans:
            who = (run, one.before.id)
            if one.before.id in back:
                continue
            opts_out = _hears(one) or any(_opts_out(write.values) for write in one.writes)
            if who in self._once or who[1] in self._owed or opts_out:
                self._free.add(who)
            self._once.add(who)

    def beyond(
        self, writes: Planned, system: str, sent: Sequence[Delivery], route: str, body: Mapping[str, Any]
    ) -> Iterator[str]:
        """A record is made or written to as no plan says it, and as this run decided it first. Opt-outs go
        past every plan, and what earlier runs decided leaves with any, what an earlier plan said among it."""
        for item in body.get("items") or [body]:
            values = {name: value for name, value in item["values"].items() if name != HUB_ID}
            place = (system, item.get("id"))
            carrying = [one for one in sent if _carries(one, place, values)]
            if _opts_out(values) or any(_holds(one, place, values) for one in writes):
                self._planned.update(one.id for one in carrying)
                continue
            decided = {(one.run_id, one.entity_id) for one in carrying if one.id not in self._planned}
            if decided and decided <= self._once - self._free:
                yield f"{system} is asked to {route} {place[1] or 'a record'} with {values}: no plan says so"


def _hears(plan: Plan) -> bool:
    return any(event.state is ConsentState.OPTED_OUT for event in plan.consent)


Place = tuple[str, str | None]
"""A system, and a record there (None: a new one)."""


def _carries(one: Delivery, place: Place, values: Mapping[str, Json]) -> bool:
    return (one.write.connection, one.link.remote_id) == place and values.keys() <= one.write.values.keys()


def _opts_out(values: Mapping[str, Json]) -> bool:
    """In either of the ways in which a system keeps it (`traits.Traits.dated`)."""
    return values.keys() == {OPT_OUT} and (values[OPT_OUT] is True or values[OPT_OUT] == {"status": OUT})


def _holds(write: Mapping[str, Any], place: Place, values: Mapping[str, Json]) -> bool:
    return (write["connection"], write["record"]) == place and says_all(write["values"], values)


def says_all(intended: Mapping[str, Json], values: Mapping[str, Json]) -> bool:
    """Whether a write that was intended so says all these values."""
    return all(name in intended and _says(intended[name], one) for name, one in values.items())


def _says(planned: Json, value: Json) -> bool:
    """Of a list a plan says what is added and taken away; what else it holds is known as it is sent."""
    if not (is_change(planned) and isinstance(value, list)):
        return bool(planned == value)
    return set(planned["+"]) <= set(value) and set(planned["-"]).isdisjoint(value)
