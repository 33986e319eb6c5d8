"""Why a run may have read nothing of an object: a run that could do nothing is no quiet day."""

from __future__ import annotations

from collections.abc import Collection

from trueup.commands.counts import Row
from trueup.services.hub import Hub


def empty_lines(hub: Hub, rows: list[Row], failed: Collection[str]) -> list[str]:
    """What was read before and has not changed, in one line; what nothing was ever read of in one line for
    each connection and what that may mean. That all are missing is no quiet day: a note says it."""
    still = [row for row in rows if not row.number("read") and not row.number("held missing")]
    empty = [row.stream for row in still if row.stream[0] not in failed]
    quiet = [stream for stream in empty if _was_read(hub, stream)]
    reasons: dict[tuple[str, str], list[str]] = {}
    for connection, object in (stream for stream in empty if stream not in quiet):
        reasons.setdefault((connection, _why(hub, (connection, object))), []).append(object)
    lines = [
        f"Nothing was read of {connection} {', '.join(objects)}: {why}"
        for (connection, why), objects in reasons.items()
    ]
    told = [f"Nothing has changed since it was read last: {_named(quiet)}."] if quiet else []
    return [*([""] if lines or told else []), *told, *lines]


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
        return f"never read to its end; `trueup connections test {name}` tells whether it can be."
    take = hub.config.connections[name].objects[object].take
    filtered = f" (or `take: {take}` lets none in)" if take else ""
    return f"no record there{filtered}. If there should be, `trueup connections test {name}` looks."
