"""The floor: the same records read and written with httpx and orjson alone, nothing kept, nothing decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import orjson

from benchmarks.portal import Portal

_OBJECTS = "/crm/v3/objects/contacts"
_HUBSPOT = "https://api.hubapi.com"


@dataclass(frozen=True, slots=True)
class Floor:
    """CPU seconds of the client."""

    read: float
    push: float

    @property
    def all(self) -> float:
        return self.read + self.push


def floor(source: Portal, target: Portal) -> Floor:
    """From one portal to another in this process; the portals' own CPU is taken off."""

    def clock() -> float:
        return time.process_time() - source.spent - target.spent

    with (
        httpx.Client(transport=source.transport(), base_url=_HUBSPOT) as reader,
        httpx.Client(transport=target.transport(), base_url=_HUBSPOT) as writer,
    ):
        return _copied(reader, writer, clock)


def floor_over_sockets(address: str) -> Floor:
    """From a portal in another process, and back to it."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        return _copied(client, client, time.process_time)


def _copied(reader: httpx.Client, writer: httpx.Client, clock: Callable[[], float]) -> Floor:
    """Everything, page by page, in batches of a page."""
    read = push = 0.0
    after: str | None = "0"
    while after is not None:
        began = clock()
        answer = reader.get(_OBJECTS, params={"limit": "100", "archived": "false", "after": after})
        page = orjson.loads(answer.content)
        between = clock()
        _create(writer, page["results"])
        read += between - began
        push += clock() - between
        after = page.get("paging", {}).get("next", {}).get("after")
    return Floor(read, push)


def _create(writer: httpx.Client, records: list[dict[str, object]]) -> None:
    inputs = [{"properties": record["properties"]} for record in records]
    headers = {"content-type": "application/json"}
    body = orjson.dumps({"inputs": inputs})
    answer = writer.post(f"{_OBJECTS}/batch/create", content=body, headers=headers)
    if len(orjson.loads(answer.content)["results"]) != len(records):
        raise AssertionError("the portal lost some")
