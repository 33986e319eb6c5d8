"""Why a run may have read nothing of an object: a green run that did nothing is told apart from a quiet day."""

from __future__ import annotations

from collections.abc import Collection

from trueup.commands.counts import Row
from trueup.services.hub import Hub


def empty_lines(hub: Hub, rows: list[Row], failed: Collection[str]) -> list[str]:
    """One line for each object of which nothing was read, with what that may mean."""
    lines = [
        f"  {row.stream[0]} {row.stream[1]}: {_why(hub, row.stream)}"
        for row in rows
        if not row.number("read") and row.stream[0] not in failed
    ]
    return ["", "Nothing was read of:", *lines] if lines else []


def _why(hub: Hub, stream: tuple[str, str]) -> str:
    state = hub.parts.store.stream(*stream)
    known = sum(
        number
        for (connection, object, _), number in hub.parts.store.count_links().items()
        if (connection, object) == stream
    )
    if state.read_at is None and state.listed_at is None:
        return "it was never read to its end; `trueup connections test " + stream[0] + "` tells whether it can be"
    if known:
        return f"nothing has changed there since it was read last ({known:,} records are known)"
    take = hub.config.connections[stream[0]].objects[stream[1]].take
    filtered = f", or `take: {take}` lets none in" if take else ""
    return (
        f"it holds no record that this account may see{filtered}. Check the permissions, and that it is the right "
        f"account: `trueup connections test {stream[0]}`"
    )
