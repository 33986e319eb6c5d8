"""One pass over the outbox: what works at it, and which connections it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.errors import ConnectorError
from trueup.model.delivery import Lane
from trueup.model.run import Fence
from trueup.sync.parts import Parts
from trueup.sync.tally import Tally


@dataclass(slots=True)
class Pass:
    """`blocked`: connections that must wait, with why; `limited`: those where only the urgent lane still
    tries (a list that cannot be read, a budget that is used up)."""

    parts: Parts
    tally: Tally
    fence: Fence | None
    blocked: dict[str, ConnectorError] = field(default_factory=dict)
    limited: dict[str, ConnectorError] = field(default_factory=dict)

    def stop(self, connection: str, lane: Lane, error: ConnectorError) -> None:
        """Leave a connection alone for the rest of this pass. What a lower lane met still lets the urgent one
        try: an opt-out waits neither for a limit nor for a list that nobody can read."""
        (self.blocked if lane is Lane.URGENT else self.limited)[connection] = error

    def heed(self, connection: str, lane: Lane, error: ConnectorError | None) -> None:
        """What was written stands; the lane in which reading it back failed is left alone like any other."""
        if error is not None:
            self.stop(connection, lane, error)

    def stopped(self) -> dict[str, ConnectorError]:
        """Every connection that has to wait, with why."""
        return {**self.limited, **self.blocked}

    def waits(self, connection: str, lane: Lane) -> bool:
        return connection in self.blocked or (lane is not Lane.URGENT and connection in self.limited)
