"""Connections with a file that the list in hub.yaml does not name: they are read all the same."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.config.settings import HubConfig


def unlisted(config: HubConfig) -> Iterator[str]:
    """A line for each of them, where there is such a list."""
    listed = config.hub.connections
    for name in config.connections if listed else ():
        if name not in listed:
            yield (
                f"{name}: connections/{name}.yaml is read, though `connections:` in hub.yaml does not name it"
                " (that list says their order only); to leave it out, move its file away"
            )
