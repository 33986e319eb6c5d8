"""The person at the hub: releases, approves, retries, discards, and says what is true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from trueup.model.delivery import DeliveryState, WriteKind
from trueup.model.values import Value
from trueup.testing.people import typed
from trueup.testing.plan import Event
from trueup.testing.traits import FIELDS

if TYPE_CHECKING:
    from trueup.testing.world import World


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody set in the hub itself; None: took away. `held` stood there before."""

    who: str
    field: str
    value: str | None
    pin: bool
    held: Value
    at: datetime


class Operator:
    """Ann, who works at the hub of this world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def release(self) -> None:
        names = self._world.config.names()
        self._world.store.register(names, self._world.config.policy.config_version)
        for name in names:
            self._world.store.release(name, "ann", self._world.clock.hubs())

    def approve(self) -> None:
        self._world.allowed |= {
            one.id for one in self._world.store.deliveries([DeliveryState.GATED], None, 10_000)
        }
        for connection, gate in self._world.store.gates():
            self._world.store.open_gates(connection, gate, "ann", self._world.clock.hubs())

    def accept(self) -> None:
        for holder in sorted({one.run_id for one in self._world.store.absences()}):
            self._world.store.accept_absences(holder, "ann", self._world.clock.hubs())

    def operate(self, event: Event) -> None:
        match event.what:
            case "approve":
                self.approve()
            case "retry":
                self.retry()
            case "discard":
                parked, now = self._parked(), self._world.clock.hubs()
                self._world.given_up.update(dict.fromkeys(parked, now))
                self._world.store.discard(parked, "ann", now)
            case _:
                self._edit_in_hub(event)

    def retry(self) -> None:
        """What waits for a person is tried once more, as somebody does who has looked at it."""
        parked, now = self._parked(), self._world.clock.hubs()
        self._world.allowed.update(parked)
        self._world.store.retry(parked, "ann", now)
        aside = [
            (link.id, key)
            for link, key, why in self._world.store.quarantined(None, 1_000)
            if why.direction == "out"
        ]
        self._world.store.give_back(aside, "ann", now)

    def retry_new(self) -> None:
        """New records that were refused, and looked for since, are tried once more."""
        parked = self._world.store.deliveries([DeliveryState.PARKED], None, 50)
        new = [one.id for one in parked if one.write.kind is WriteKind.CREATE]
        if new:
            self._world.allowed.update(new)
            self._world.store.retry(new, "ann", self._world.clock.hubs())

    def _parked(self) -> list[int]:
        return [one.id for one in self._world.store.deliveries([DeliveryState.PARKED], None, 50)]

    def _edit_in_hub(self, event: Event) -> None:
        found = self._world.contacts()
        if not found:
            return
        who = found[event.pick % len(found)]
        if event.what == "due":
            self._world.store.mark_due([self._world.store.case(who).entity.id], "looked_at")
            return
        value = None if event.what in ("clear", "pin empty") else typed(event.field, event.token)
        name, pin, now = FIELDS[event.field], event.what in ("pin", "pin empty"), self._world.clock.hubs()
        self._world.told.append(
            Told(who, name, value, pin, self._world.store.case(who).entity.values.get(name), now)
        )
        self._world.store.edit(who, {name: value}, "ann", now, pin)
        self._world.note(f"ann sets {event.field} of {who} to {value}")
