"""Writes that wait for time, not for a person: why, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from trueup.commands.answer import counted
from trueup.model.delivery import Delivery, DeliveryState
from trueup.services.hub import Hub

_WAITING = (DeliveryState.DUE, DeliveryState.SENT, DeliveryState.DOUBT, DeliveryState.WAITING)
_MOST = 200_000


def waiting_lines(hub: Hub) -> list[str]:
    """By object and reason, how many writes are still on their way to systems that may be written to."""
    groups: dict[tuple[str, str], list[Delivery]] = {}
    for one in _on_their_way(hub):
        place = f"{one.write.connection} {one.write.object}"
        groups.setdefault((place, _why(one, hub.parts.now())), []).append(one)
    lines = [_line(place, why, some) for (place, why), some in sorted(groups.items())]
    return ["", "Still on their way; the next run goes on with them:", *lines] if lines else []


def _on_their_way(hub: Hub) -> Iterator[Delivery]:
    approved = hub.parts.store.approved()
    for name in hub.parts.connectors:
        if name in approved:
            yield from hub.parts.store.deliveries(_WAITING, name, _MOST)


def _line(place: str, why: str, some: list[Delivery]) -> str:
    first = min(one.not_before for one in some)
    return f"  {place}: {counted(len(some), 'write')} {why.format(first=f'{first:%Y-%m-%d %H:%M} UTC')}"


def _why(one: Delivery, now: datetime) -> str:
    match one.state:
        case DeliveryState.DOUBT | DeliveryState.SENT:
            return "may have been done: no usable answer came, so it is looked up first, from {first} on"
        case DeliveryState.WAITING:
            return "in a job of the system that is not done yet"
    if one.not_before > now:
        return f"not taken for now [{one.code}], tried again from {{first}} on"
    return "not sent: the system could not be used, or what is known of the contact moved meanwhile"
