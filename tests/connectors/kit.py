"""Ports for tests of connectors: a budget that is told what to say."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from trueup.connectors.base import Connector
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.testing.acceptance.clock import HandClock


class PlainBudget:
    """Says `waits` one after another, then always go. Remembers what was asked and learned."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.asked: list[tuple[str, str, str, float]] = []
        self.learned: list[tuple[str, str, float | None, float | None]] = []

    def ask(self, connection: str, group: str, lane: str, cost: float) -> float:
        self.asked.append((connection, group, lane, cost))
        return self.waits.pop(0) if self.waits else 0.0

    def learn(self, connection: str, group: str, remaining: float | None, reset_in: float | None) -> None:
        self.learned.append((connection, group, remaining, reset_in))


def connect(
    kind: str,
    transport: httpx.BaseTransport,
    auth: Mapping[str, str],
    clock: HandClock | None = None,
    budget: PlainBudget | None = None,
    **options: object,
) -> Connector:
    """A connector of this kind over a transport."""
    settings = ConnectionSettings(kind, auth, options)
    return connector_kind(kind).build(settings, transport, clock or HandClock(), budget or PlainBudget())
