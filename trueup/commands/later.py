"""Writes that wait for time, not for a person: why, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from trueup.model.counting import counted
from trueup.model.delivery import Delivery, DeliveryState
from trueup.services.hub import Hub

_WAITING = (DeliveryState.DUE, DeliveryState.SENT, DeliveryState.DOUBT, DeliveryState.WAITING)
_MOST = 200_000


Pending = Mapping[tuple[str, str, str], int]
"""Pending writes by (connection, object, state)."""


def unsent_lines(unsent: Mapping[tuple[str, int], int]) -> list[str]:
    """What earlier runs decided of that which a plan counts, and where it waits: by (connection, run)."""
    if not unsent:
        return []
    runs = sorted({run for _, run in unsent})
    by_name: Counter[str] = Counter()
    for (name, _), number in unsent.items():
        by_name[name] += number
    places = ", ".join(f"{name} {number:,}" for name, number in sorted(by_name.items()))
    whose = f"run {runs[0]}" if len(runs) == 1 else f"runs {runs[0]} to {runs[-1]}"
    writes = counted(sum(by_name.values()), "write")
    return [f"  {writes} of it {whose} decided already and did not send: {places}."]


def unwritten_lines(waits: Pending, command: str) -> list[str]:
    """Where nothing new is to be written: what earlier runs decided, and is still to be."""
    by_name: Counter[str] = Counter()
    for (name, _, state), number in waits.items():
        if state != DeliveryState.GATED.value:
            by_name[name] += number
    if not by_name:
        return []
    places = ", ".join(f"{name} ({counted(number, 'write')})" for name, number in sorted(by_name.items()))
    return [f"Nothing new would be written, only what earlier runs decided: {places}.", f"Next: {command}"]


def unapproved_lines(hub: Hub) -> list[str]:
    """What waits until a person allows writing to a system for the first time, and how that is said."""
    approved = hub.parts.store.approved()
    waiting: Counter[str] = Counter()
    for (name, _, _), number in hub.parts.store.pending().items():
        if name in hub.parts.connectors and name not in approved:
            waiting[name] += number
    if not waiting:
        return []
    names = ", ".join(f"{name} ({counted(number, 'write')})" for name, number in sorted(waiting.items()))
    return [
        "",
        f"Never written to before, so it waits for you: {names}.",
        "  Look at it with `trueup plan`, then: trueup sync --approve-first",
    ]


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
        case DeliveryState.DOUBT if one.may_be_made:
            return "refused without naming a field, and perhaps done all the same: looked for from {first} on"
        case DeliveryState.DOUBT | DeliveryState.SENT:
            return "may have been done: no usable answer came, so it is looked up first, from {first} on"
        case DeliveryState.WAITING:
            return "in a job of the system that is not done yet"
    if one.not_before > now:
        return f"not taken for now [{one.code}], tried again from {{first}} on"
    return "not sent: the system could not be used, or what is known of the contact moved meanwhile"
