"""Why a run may have read nothing of an object: a run that could do nothing is no quiet day."""

from __future__ import annotations

from collections.abc import Collection

from trueup.commands.counts import Row
from trueup.services.hub import Hub


def empty_lines(hub: Hub, rows: list[Row], failed: Collection[str]) -> list[str]:
    """What was read before and has not changed, in one line; each other object of which nothing was read
    with what that may mean."""
    empty = [row.stream for row in rows if not row.number("read") and row.stream[0] not in failed]
    quiet = [stream for stream in empty if _was_read(hub, stream)]
    lines = [f"  {stream[0]} {stream[1]}: {_why(hub, stream)}" for stream in empty if stream not in quiet]
    told = [f"Nothing has changed since it was read last: {_named(quiet)}."] if quiet else []
    return [*([""] if lines or told else []), *told, *(["Nothing was read of:", *lines] if lines else [])]


def _named(streams: list[tuple[str, str]]) -> str:
    by_name: dict[str, list[str]] = {}
    for connection, object in streams:
        by_name.setdefault(connection, []).append(object)
    return "; ".join(f"{name} {', '.join(objects)}" for name, objects in by_name.items())


def _was_read(hub: Hub, stream: tuple[str, str]) -> bool:
    """Whether records of this object are known; of facts it is enough that a reading came before this one."""
    if hub.config.connections[stream[0]].objects[stream[1]].kind is None:
        state = hub.parts.store.stream(*stream)
        return state.listed_at is not None and state.listed_at != state.read_at
    known = hub.parts.store.count_links()
    return any((connection, object) == stream for connection, object, _ in known)


def _why(hub: Hub, stream: tuple[str, str]) -> str:
    name, object = stream
    state = hub.parts.store.stream(*stream)
    if state.read_at is None and state.listed_at is None:
        return f"it was never read to its end; `trueup connections test {name}` tells whether it can be"
    take = hub.config.connections[name].objects[object].take
    filtered = f", or `take: {take}` lets none in" if take else ""
    return (
        f"it holds no record that this account may see{filtered}. If it should, check the permissions "
        f"and that it is the right account: `trueup connections test {name}`"
    )
