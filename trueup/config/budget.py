"""What the configuration costs in calls: at rest, and with a thousand changes a day."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trueup.config.settings import Connection, HubConfig
from trueup.config.systems import System, SystemObject, Systems, registered_systems
from trueup.connectors.base import Capability
from trueup.model.counting import counted

CHANGES = 1000
WARN_ABOVE = 0.5
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """Calls a day of one connection. `limit`: the smaller of the vendor's and the file's, None if neither
    says one; `share`: of it, at a thousand changes a day."""

    connection: str
    at_rest: int
    at_thousand: int
    limit: int | None

    @property
    def share(self) -> float | None:
        return self.at_thousand / self.limit if self.limit else None

    @property
    def warns(self) -> bool:
        return self.share is not None and self.share > WARN_ABOVE

    def __str__(self) -> str:
        calls = (
            f"{self.connection}: {counted(self.at_rest, 'call')} a day at rest,"
            f" {self.at_thousand:,} at {CHANGES:,} changes a day"
        )
        if self.share is None:
            return f"{calls} (no daily limit known)"
        text = f"{calls}: {self.share:.0%} of {self.limit:,}"
        return f"{text}; poll less often (`schedule: every`) or raise the budget" if self.warns else text


def budget_lines(config: HubConfig, systems: Systems | None = None) -> list[BudgetLine]:
    """One line per connection that makes calls (tables and files cost none worth counting)."""
    known = registered_systems() if systems is None else systems
    lines = []
    for connection in config.connections.values():
        system = known.get(connection.connector)
        if system is not None and not system.open:
            lines.append(_line(connection, system))
    return lines


def _line(connection: Connection, system: System) -> BudgetLine:
    polls = (
        math.ceil(_DAY / connection.schedule.every) if connection.schedule.every else _cron_polls(connection)
    )
    objects = [system.objects.get(name) or SystemObject(name, "contact") for name in connection.objects]
    at_rest = polls * len(objects) + _listings(connection, len(objects))
    limits = [limit for limit in (connection.budget.calls_per_day, system.calls_per_day) if limit]
    return BudgetLine(
        connection.name, at_rest, at_rest + _changes(objects, polls), min(limits) if limits else None
    )


def _cron_polls(connection: Connection) -> int:
    """Polls a day by a cron expression: times its first two fields name."""
    minute, hour, *_ = (connection.schedule.cron or "0 0 * * *").split()
    return _count(minute, 60) * _count(hour, 24)


def _count(field: str, whole: int) -> int:
    total = 0
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        size = (
            whole if span == "*" else int(high) - int(low) + 1 if high else (whole - int(low) if step else 1)
        )
        total += math.ceil(size / int(step or 1))
    return total


def _listings(connection: Connection, objects: int) -> int:
    """First calls of full listings; their further pages grow with the base and are not counted here."""
    if not connection.schedule.full_listing:
        return 0
    return math.ceil(_DAY / connection.schedule.full_listing) * objects


def _changes(objects: list[SystemObject], polls: int) -> int:
    """Calls for a thousand changes spread over the day's polls: batches of writes, each read before where
    the system has no versions to guard with."""
    contacts = [one for one in objects if one.kind == "contact"] or objects[:1]
    if not contacts:
        return 0
    target = contacts[0]
    batches = max(math.ceil(CHANGES / target.write_batch), min(polls, CHANGES))
    return batches * (1 if Capability.CONDITIONAL_WRITE in target.capabilities else 2)
