"""The floor: the same records read and written with httpx and orjson alone, nothing kept, nothing decided."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx
import orjson

from benchmarks.portal import Portal

_URL = "https://api.hubapi.com/crm/v3/objects/contacts"


@dataclass(frozen=True, slots=True)
class Floor:
    """CPU seconds of the client, the portals' own taken off."""

    read: float
    push: float

    @property
    def all(self) -> float:
        return self.read + self.push


def floor(source: Portal, target: Portal) -> Floor:
    """Read everything from one portal, page by page, and create it in the other in batches."""
    with (
        httpx.Client(transport=source.transport()) as reader,
        httpx.Client(transport=target.transport()) as writer,
    ):
        read = push = 0.0
        after: str | None = "0"
        while after is not None:
            began, spent = time.process_time(), source.spent
            page = orjson.loads(reader.get(_URL, params={"limit": "100", "after": after}).content)
            read += time.process_time() - began - (source.spent - spent)
            began, spent = time.process_time(), target.spent
            _create(writer, page["results"])
            push += time.process_time() - began - (target.spent - spent)
            after = page.get("paging", {}).get("next", {}).get("after")
    return Floor(read, push)


def _create(writer: httpx.Client, records: list[dict[str, object]]) -> None:
    inputs = [{"properties": record["properties"]} for record in records]
    headers = {"content-type": "application/json"}
    answer = writer.post(f"{_URL}/batch/create", content=orjson.dumps({"inputs": inputs}), headers=headers)
    assert len(orjson.loads(answer.content)["results"]) == len(records)
